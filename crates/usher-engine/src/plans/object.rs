//! One object of a plan: what was found out and decided, in the form that is reviewed. Making and applying go the same
//! way, so that what is compared is alike.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use smol_str::SmolStr;
use usher_core::explain;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, GetRequest};
use usher_core::program::{MappingProgram, RuleProgram};
use usher_core::saved::hiding::Hidden;
use usher_core::saved::symbols::{told, with_symbols};
use usher_core::saved::{Extent, PlannedObject, PlannedRequest, VERSION_HEADER};
use usher_core::steps::trace::{self, Drift};
use usher_core::steps::{import, matching};
use usher_core::{
    Action, Anchor, Answer, Entry, Initiator, Job, OperationKind, Question, References, Status, StepKind,
};

use crate::Engine;
use crate::cases::CaseError;
use crate::failures::failure;
use crate::plans::PlanKey;
use crate::prepared::PreparedJob;
use crate::questions::unique_key;
use crate::subject::{Imported, Looked, Mode, Run};
use crate::target::Target;

/// What all objects of a plan share.
pub(super) struct Desk<'a> {
    pub(super) engine: &'a Engine,
    pub(super) job: &'a Job,
    pub(super) service_principal: &'a Entry,
    pub(super) prepared: &'a PreparedJob,
    pub(super) target: &'a Target,
    pub(super) key: &'a PlanKey,
    pub(super) plan: SmolStr,
    pub(super) now: Timestamp,
    pub(super) extent: Extent,
    pub(super) applies: bool,
    pub(super) explains: bool,
    pub(super) initiated_by: Initiator,
}

/// Which object.
#[derive(Clone)]
pub(super) struct Item<'a> {
    pub(super) rule: &'a RuleProgram,
    pub(super) mapping: &'a MappingProgram,
    pub(super) named: SmolStr,
    pub(super) references: References,
    /// What it is called when it is made.
    pub(super) symbol: Anchor,
    /// Values that objects before it will have.
    pub(super) taken: BTreeSet<String>,
}

/// An object that was looked at.
pub(super) struct Seen {
    pub(super) object: PlannedObject,
    /// Its anchor in the source, when the source has it.
    pub(super) source_anchor: Anchor,
    /// Source objects that it refers to.
    pub(super) refers_to: Vec<Anchor>,
    /// What the account would be found by; two new objects must not share one.
    pub(super) keys: Vec<String>,
    /// Values that were chosen because nobody has them.
    pub(super) chosen: Vec<String>,
    /// What somebody else gave cause for, as far as the pair tells; `None` for what is not paired.
    pub(super) drift: Option<Drift>,
    /// Whether the source gave an answer.
    pub(super) is_read: bool,
    /// What source or target failed with while they were asked.
    pub(super) failed_with: Option<ConnectorErrorKind>,
    pub(super) looked: Option<Looked>,
}

impl<'a> Desk<'a> {
    /// The run of one subject.
    pub(super) fn run(&self, item: &Item<'a>, anchor: &Anchor) -> Run<'a> {
        let kind = self.extent.cycle();
        Run {
            engine: self.engine,
            job: self.job,
            service_principal: self.service_principal,
            prepared: self.prepared,
            rule: item.rule,
            target: self.target,
            cycle: self.plan.clone(),
            mode: if self.applies { Mode::Apply(kind) } else { Mode::Plan(kind) },
            applies_filters: kind.is_some() || self.prepared.template.scoping_on_demand,
            initiated_by: self.initiated_by.clone(),
            frozen: Some((self.now, self.key.seed(&self.plan, &item.mapping.source_type, anchor))),
            taken: item.taken.clone(),
        }
    }

    /// Reads a subject and looks what it needs. `known` has symbols or anchors of linked objects that are not paired
    /// yet, `symbols` the symbols of objects that were made by now.
    pub(super) async fn see(
        &self,
        item: &Item<'a>,
        read: Option<Imported>,
        known: &BTreeMap<Anchor, Anchor>,
        symbols: &BTreeMap<Anchor, Anchor>,
    ) -> Result<Seen, CaseError> {
        let imported = match read {
            Some(imported) => imported,
            None => {
                match self.run(item, &Anchor::new(item.named.clone())).import(item.mapping, &item.named).await
                {
                    Ok(imported) => imported,
                    Err(error) => return Ok(self.unread(item, &error)),
                }
            }
        };
        let source_anchor = imported.anchor.clone();
        let run = self.run(item, &source_anchor);
        let looked = run.look(item.mapping, imported, item.references.clone(), known).await?;
        let mut object = self.object(item, &source_anchor, &looked, symbols).await;
        let mut failed_with = looked.target_failure();
        if object.action == Action::Delete && object.target.as_ref().is_none_or(|target| target.is_empty()) {
            failed_with = self.add_target(item, &looked, &mut object).await;
        }
        let keys = self.keys(item, &looked);
        let refers_to = looked
            .facts
            .answers
            .iter()
            .filter_map(|(question, _)| match question {
                Question::References { anchors, .. } => Some(anchors),
                _ => None,
            })
            .flatten()
            .cloned()
            .collect();
        let chosen = looked
            .facts
            .answers
            .iter()
            .filter_map(|(question, answer)| match (question, answer) {
                (Question::Unique { object_type, attribute, .. }, Answer::Unique(Some(value))) => {
                    Some(unique_key(object_type, attribute, value))
                }
                _ => None,
            })
            .collect();
        Ok(Seen {
            object,
            source_anchor,
            refers_to,
            keys,
            chosen,
            drift: trace::drift(item.mapping, &looked.facts, &looked.plan),
            is_read: true,
            failed_with,
            looked: Some(looked),
        })
    }

    async fn object(
        &self,
        item: &Item<'a>,
        source_anchor: &Anchor,
        looked: &Looked,
        symbols: &BTreeMap<Anchor, Anchor>,
    ) -> PlannedObject {
        let Looked { facts, plan, context, .. } = looked;
        let hidden = Hidden::of(item.mapping);
        let creates = plan.operations.first().is_some_and(|first| first.kind == OperationKind::Create);
        let symbolic = |anchor: &Anchor| symbols.get(anchor).unwrap_or(anchor).clone();
        let operations = with_symbols(&plan.operations, creates.then_some(&item.symbol), symbols);
        let connector = self.target.connector();
        let prepared = hidden.operations(&operations);
        let mut requests = Vec::new();
        for request in prepared.iter().flat_map(|operation| connector.preview(operation)) {
            let mut envelope = connector.envelope(&request).await;
            // The first change makes the version old; which one comes after it, only the target can tell.
            if requests.iter().any(|before: &PlannedRequest| before.path == request.path) {
                envelope.headers.retain(|(name, _)| name != VERSION_HEADER);
            }
            requests.push(PlannedRequest {
                method: request.method,
                address: envelope.address,
                path: request.path,
                headers: envelope.headers.into_iter().collect(),
                body: request.body,
            });
        }
        let mut attributes = plan.modified.clone();
        for property in &mut attributes {
            for value in [&mut property.old_value, &mut property.new_value].into_iter().flatten() {
                if let Some(symbol) = symbols.get(&Anchor::new(value.as_str())) {
                    *value = symbol.to_string();
                }
            }
        }
        PlannedObject {
            rule: item.rule.id.clone(),
            source_type: item.mapping.source_type.clone(),
            source_anchor: source_anchor.clone(),
            named: item.named.clone(),
            references: item.references.clone(),
            reportable: plan.reportable.clone(),
            action: plan.action,
            status: match (&plan.failure, &plan.skip) {
                (Some(_), _) => Status::Failure,
                (None, Some(_)) => Status::Skipped,
                (None, None) if !plan.unresolved.is_empty() => Status::Warning,
                (None, None) => Status::Success,
            },
            reason: plan.skip.as_ref().map(|skip| skip.reason),
            description: plan.skip.as_ref().map(|skip| skip.description.clone()),
            failure: plan.failure.clone(),
            is_drift: None,
            drift: Vec::new(),
            steps: hidden.steps(&plan.steps),
            attributes,
            source: facts.source.as_ref().map(|object| hidden.source(&object.attributes)),
            target_type: item.mapping.target_type.clone(),
            target_anchor: match &plan.target {
                Some(target) => Some(symbolic(&target.anchor)),
                None => creates.then(|| item.symbol.clone()),
            },
            target: plan.target.as_ref().map(|object| hidden.target(&object.attributes)),
            paired_with: facts.pairing.as_ref().map(|pairing| pairing.target_anchor.clone()),
            pairing: plan.pairing,
            requests,
            digest: self.key.digest("object", &told(&operations)).into(),
            explanation: self
                .explains
                .then(|| explain::explain(item.mapping, facts, plan.target.as_ref(), context)),
        }
    }

    /// A deletion needs no look at the account; who reviews it and who applies it wants one.
    async fn add_target(
        &self,
        item: &Item<'a>,
        looked: &Looked,
        object: &mut PlannedObject,
    ) -> Option<ConnectorErrorKind> {
        let anchor = looked.plan.target.as_ref().map(|target| target.anchor.clone())?;
        let request = GetRequest {
            object_type: item.mapping.target_type.clone(),
            anchor,
            attributes: item.mapping.target_attributes(&item.references),
        };
        match self.target.get(&request).await {
            Ok(found) => {
                object.target = found.map(|found| Hidden::of(item.mapping).target(&found.attributes));
                None
            }
            Err(error) => {
                object.fail(failure(&error));
                Some(error.kind)
            }
        }
    }

    /// What a new account would be found by.
    fn keys(&self, item: &Item<'a>, looked: &Looked) -> Vec<String> {
        let creates = looked.plan.operations.first().is_some_and(|first| first.kind == OperationKind::Create);
        let Some(source) = looked.facts.source.as_ref().filter(|_| creates) else { return Vec::new() };
        let source = import::with_defaults(item.mapping, source);
        matching::values(item.mapping, &source.attributes, &looked.context)
            .unwrap_or_default()
            .into_iter()
            .map(|(attribute, value)| {
                let value = value.to_text().to_lowercase();
                format!("{}\n{}\n{value}", item.mapping.target_type, attribute.target)
            })
            .collect()
    }

    /// The source did not answer.
    fn unread(&self, item: &Item<'a>, error: &ConnectorError) -> Seen {
        let failure = failure(error);
        let anchor = Anchor::new(item.named.clone());
        let names = self.run(item, &anchor).names(item.mapping, &item.named);
        let mut step = usher_core::steps::export::stopped(&names, &failure);
        step.kind = StepKind::Import;
        let object = PlannedObject {
            rule: item.rule.id.clone(),
            source_type: item.mapping.source_type.clone(),
            source_anchor: anchor.clone(),
            named: item.named.clone(),
            references: item.references.clone(),
            reportable: item.named.to_string(),
            action: Action::Other,
            status: Status::Failure,
            reason: None,
            description: None,
            failure: Some(failure),
            is_drift: None,
            drift: Vec::new(),
            steps: vec![step],
            attributes: Vec::new(),
            source: None,
            target_type: item.mapping.target_type.clone(),
            target_anchor: None,
            target: None,
            paired_with: None,
            pairing: usher_core::PairingEffect::None,
            requests: Vec::new(),
            digest: self.key.digest("object", "").into(),
            explanation: None,
        };
        Seen {
            object,
            source_anchor: anchor,
            refers_to: Vec::new(),
            keys: Vec::new(),
            chosen: Vec::new(),
            drift: None,
            is_read: false,
            failed_with: Some(error.kind),
            looked: None,
        }
    }
}
