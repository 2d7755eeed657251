//! The planner: facts in, plan or questions out. On demand, cycles and dry runs all decide here.

use usher_expr::{Context, Value};

use crate::program::{AttributeProgram, MappingProgram};
use crate::saved::hiding::Hidden;
use crate::steps::matching::Match;
use crate::steps::processing::{Extent, Processed};
use crate::steps::scoping::Verdict;
use crate::steps::{Names, export, import, matching, processing, references, scoping, switch};
use crate::{
    Action, AttributeChange, DirectoryObject, Facts, Failure, Operation, OperationKind, PairingEffect, Plan,
    Question, Skip, SkipReason, Step,
};

/// The planner's word: questions that must be answered first, or the plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Ask these, add the answers to the facts, and come back.
    Ask(Vec<Question>),
    /// Nothing is left to decide.
    Done(Box<Plan>),
}

/// Decides what one subject needs. Same input, same decision, byte for byte.
pub fn plan(
    mapping: &MappingProgram,
    facts: &Facts,
    source_name: &str,
    target_name: &str,
    context: &Context,
) -> Decision {
    let names = Names {
        source: source_name.to_owned(),
        target: target_name.to_owned(),
        object_type: mapping.source_type.clone(),
        reportable: match (&facts.source, &facts.pairing) {
            (Some(object), _) => crate::steps::reportable(object, &facts.named),
            (None, Some(pairing)) => pairing.display_name.clone(),
            (None, None) => facts.named.to_string(),
        },
    };
    let draft = Draft { mapping, facts, names, context, steps: Vec::new(), scope: None };
    match draft.decide() {
        Ok(mut plan) => {
            // Steps go into logs and answers as they are.
            Hidden::of(mapping).hide_in(&mut plan.steps);
            Decision::Done(Box::new(plan))
        }
        Err(questions) => Decision::Ask(questions),
    }
}

struct Draft<'a> {
    mapping: &'a MappingProgram,
    facts: &'a Facts,
    names: Names,
    context: &'a Context,
    steps: Vec<Step>,
    scope: Option<Verdict>,
}

impl Draft<'_> {
    fn decide(mut self) -> Result<Plan, Vec<Question>> {
        let Some(source) = &self.facts.source else { return self.gone() };
        let mut source = import::with_defaults(self.mapping, source);
        self.steps.push(import::imported(&self.names, &source));

        let values = match matching::values(self.mapping, &source.attributes, self.context) {
            Ok(values) => values,
            Err(failure) => return Ok(self.failed(failure)),
        };
        if values.is_empty() {
            return Ok(self.without_matching_value());
        }

        let (verdict, step) = scoping::scope(self.mapping, self.facts, &self.names, &source);
        self.steps.push(step);
        import::set_soft_deleted(&mut source, !(verdict.is_active && verdict.is_entitled()));

        self.scope = Some(verdict.clone());
        let values = matching::with_sought(self.mapping, self.facts, values);

        let is_managed = self.facts.pairing.as_ref().is_some_and(|pairing| pairing.is_managed);
        let may_have_created = self.facts.pairing.is_none() && self.facts.sent_create.is_some();
        if !verdict.is_entitled() {
            let is_left_alone = verdict.is_ignored || self.facts.skips_out_of_scope;
            if is_left_alone || !(is_managed || may_have_created) {
                return Ok(self.not_entitled(&verdict));
            }
            return self.deprovision(&source, &verdict, &values);
        }
        if !verdict.is_active && self.facts.pairing.is_none() && !may_have_created {
            return Ok(self.not_entitled(&verdict));
        }

        let found =
            matching::find(self.mapping, self.facts, &self.names, &values, self.context.now, &mut self.steps)
                .map_err(|question| vec![*question])?;
        match found {
            Match::Failed(failure) => Ok(self.failed(failure)),
            Match::None if self.is_unsettled() => Ok(self.unsettled()),
            Match::None if !verdict.is_active => Ok(self.out_of_scope(&verdict)),
            Match::None if !self.mapping.adds => Ok(self.not_allowed("create", "Add")),
            Match::None => self.create(&source),
            Match::One(target) => self.update(&source, *target, Extent::All, PairingEffect::Manage),
        }
    }

    /// A create was sent a moment ago: that nothing is found says nothing yet.
    fn is_unsettled(&self) -> bool {
        self.facts.sent_create.as_ref().is_some_and(|sent| !sent.is_settled)
    }

    fn unsettled(self) -> Plan {
        let failure = matching::unsettled(&self.names);
        self.failed(failure)
    }

    fn create(mut self, source: &DirectoryObject) -> Result<Plan, Vec<Question>> {
        let processed = processing::process(
            self.mapping,
            self.facts,
            &self.names,
            source,
            None,
            Extent::All,
            self.context,
            &mut self.steps,
        )
        .map_err(|question| vec![*question])?;
        let (changes, mut modified) = match processed {
            Processed::Skip(skip) => return Ok(self.skipped(skip)),
            Processed::Failed(failure) => return Ok(self.failed(failure)),
            Processed::Changes { changes, modified } => (changes, modified),
        };
        self.steps.push(matching::will_be_created(&self.names));
        let resolved =
            references::resolve(self.mapping, self.facts, &self.names, source, None, &mut self.steps)?;
        let mut operations = vec![Operation {
            kind: OperationKind::Create,
            object_type: self.mapping.target_type.clone(),
            anchor: None,
            changes,
        }];
        if !resolved.changes.is_empty() {
            // References never go into the create: the object must be there before anything points to it or from it.
            operations.push(Operation {
                kind: OperationKind::Update,
                object_type: self.mapping.target_type.clone(),
                anchor: None,
                changes: resolved.changes,
            });
        }
        modified.extend(resolved.modified);
        Ok(Plan {
            action: Action::Create,
            operations,
            modified,
            unresolved: resolved.unresolved,
            pairing: PairingEffect::Manage,
            ..self.empty()
        })
    }

    fn update(
        mut self,
        source: &DirectoryObject,
        target: DirectoryObject,
        extent: Extent,
        pairing: PairingEffect,
    ) -> Result<Plan, Vec<Question>> {
        let processed = processing::process(
            self.mapping,
            self.facts,
            &self.names,
            source,
            Some(&target),
            extent,
            self.context,
            &mut self.steps,
        )
        .map_err(|question| vec![*question])?;
        let (changes, mut modified) = match processed {
            Processed::Skip(skip) => return Ok(Plan { target: Some(target), ..self.skipped(skip) }),
            Processed::Failed(failure) => return Ok(Plan { target: Some(target), ..self.failed(failure) }),
            Processed::Changes { changes, modified } => (changes, modified),
        };
        let resolved = match extent {
            Extent::All => references::resolve(
                self.mapping,
                self.facts,
                &self.names,
                source,
                Some(&target),
                &mut self.steps,
            )?,
            Extent::SoftDeletion | Extent::Switch => references::Resolved::default(),
        };
        if changes.is_empty() && resolved.changes.is_empty() {
            let skip = export::redundant(&self.names);
            return Ok(Plan {
                target: Some(target),
                pairing,
                unresolved: resolved.unresolved,
                ..self.skipped(skip)
            });
        }
        if !self.mapping.updates {
            return Ok(Plan { target: Some(target), ..self.not_allowed("change", "Update") });
        }
        let is_soft_deleted =
            source.attributes.value(import::IS_SOFT_DELETED).is_some_and(|value| value.to_text() == "True");
        let is_switch = |change: &AttributeChange| {
            let of_soft_deletion = || {
                let mut attributes = self.mapping.attributes.iter();
                attributes.any(|one| one.target == change.attribute && one.depends_on_soft_deletion())
            };
            switch::switches_off(change, &target.attributes) || (is_soft_deleted && of_soft_deletion())
        };
        let switches_off = changes.iter().any(is_switch);
        self.steps.push(matching::will_be_updated(&self.names));
        let operation = |changes| Operation {
            kind: OperationKind::Update,
            object_type: self.mapping.target_type.clone(),
            anchor: Some(target.anchor.clone()),
            changes,
        };
        let operations: Vec<Operation> = [changes, resolved.changes]
            .into_iter()
            .filter(|changes| !changes.is_empty())
            .map(operation)
            .collect();
        modified.extend(resolved.modified);
        Ok(Plan {
            action: if switches_off { Action::Disable } else { Action::Update },
            operations,
            modified,
            unresolved: resolved.unresolved,
            pairing,
            target: Some(target),
            ..self.empty()
        })
    }

    /// A managed object left the scope: it is switched off, or deleted where the target knows no switch.
    fn deprovision(
        mut self,
        source: &DirectoryObject,
        verdict: &Verdict,
        values: &[(&AttributeProgram, Value)],
    ) -> Result<Plan, Vec<Question>> {
        let target = match &self.facts.pairing {
            Some(_) => {
                let now = self.context.now;
                match matching::paired_target(self.mapping, self.facts, &self.names, now, &mut self.steps)
                    .map_err(|question| vec![*question])?
                {
                    Match::One(target) => Some(*target),
                    Match::Failed(failure) => return Ok(self.failed(failure)),
                    Match::None => None,
                }
            }
            // A create was sent before the object left the scope.
            None => match matching::find(
                self.mapping,
                self.facts,
                &self.names,
                values,
                self.context.now,
                &mut self.steps,
            )
            .map_err(|question| vec![*question])?
            {
                Match::One(target) => Some(*target),
                Match::Failed(failure) => return Ok(self.failed(failure)),
                Match::None if self.is_unsettled() => return Ok(self.unsettled()),
                Match::None => None,
            },
        };
        let Some(target) = target else {
            // Already gone is an answer: there is nothing to switch off, and nothing to come back to.
            return Ok(Plan { pairing: PairingEffect::Forget, ..self.out_of_scope(verdict) });
        };
        let is_group = self.mapping.source_type.eq_ignore_ascii_case("group");
        if is_group || !self.mapping.is_soft_deletion_supported {
            if !self.mapping.deletes {
                return Ok(Plan { target: Some(target), ..self.not_allowed("delete", "Delete") });
            }
            return Ok(self.delete(target));
        }
        let extent = if self.mapping.switches_off() {
            Extent::SoftDeletion
        } else if self.mapping.has_directory_switch() {
            Extent::Switch
        } else {
            return Ok(Plan { target: Some(target), ..self.not_entitled(verdict) });
        };
        self.update(source, target, extent, PairingEffect::Release)
    }

    /// The source does not have the object (any more).
    fn gone(mut self) -> Result<Plan, Vec<Question>> {
        self.steps.push(import::not_found(&self.names, &self.facts.named, self.facts.is_gone));
        if self.facts.is_gone && self.facts.pairing.is_none() && self.facts.sent_create.is_some() {
            return self.gone_after_create();
        }
        Ok(match &self.facts.pairing {
            Some(pairing) if pairing.is_managed && self.mapping.deletes => {
                let target = DirectoryObject {
                    object_type: pairing.target_type.clone(),
                    anchor: pairing.target_anchor.clone(),
                    attributes: Default::default(),
                };
                self.delete(target)
            }
            Some(pairing) if pairing.is_managed => self.not_allowed("delete", "Delete"),
            // The account was switched off when the object left the scope; that was the job's last word on it.
            pairing if self.facts.is_gone => {
                let forgets = if pairing.is_some() { PairingEffect::Forget } else { PairingEffect::None };
                Plan { pairing: forgets, ..self.not_managed() }
            }
            _ => {
                let failure = Failure {
                    code: "EntryNotFound".into(),
                    reason: format!(
                        "{} '{}' was not found in {}",
                        self.names.object_type, self.facts.named, self.names.source
                    ),
                    additional_details: None,
                    category: crate::ErrorCategory::NonServiceFailure,
                    recommended_action: Some("check the object id and the object type".into()),
                };
                Plan { failure: Some(failure), ..self.empty() }
            }
        })
    }

    /// The object is gone, and a create for it may have taken effect: that account goes too.
    fn gone_after_create(mut self) -> Result<Plan, Vec<Question>> {
        let values = matching::with_sought(self.mapping, self.facts, Vec::new());
        let found =
            matching::find(self.mapping, self.facts, &self.names, &values, self.context.now, &mut self.steps)
                .map_err(|question| vec![*question])?;
        Ok(match found {
            Match::One(target) if self.mapping.deletes => self.delete(*target),
            Match::One(_) => self.not_allowed("delete", "Delete"),
            Match::Failed(failure) => self.failed(failure),
            Match::None if self.is_unsettled() => self.unsettled(),
            Match::None => self.not_managed(),
        })
    }

    fn not_managed(self) -> Plan {
        let skip = Skip {
            reason: SkipReason::NotEffectivelyEntitled,
            property: None,
            description: format!(
                "The {} '{}' is gone from {}, and this job does not manage an account of it",
                self.names.object_type, self.names.reportable, self.names.source
            ),
        };
        self.skipped(skip)
    }

    fn delete(self, target: DirectoryObject) -> Plan {
        Plan {
            action: Action::Delete,
            operations: vec![Operation {
                kind: OperationKind::Delete,
                object_type: self.mapping.target_type.clone(),
                anchor: Some(target.anchor.clone()),
                changes: Vec::new(),
            }],
            pairing: PairingEffect::Forget,
            target: Some(target),
            ..self.empty()
        }
    }

    /// Like `not_entitled`, after steps of matching.
    fn out_of_scope(mut self, verdict: &Verdict) -> Plan {
        let scoping = self.steps.iter().rposition(|step| step.kind == crate::StepKind::Scoping);
        self.steps.truncate(scoping.map_or(0, |place| place + 1));
        self.not_entitled(verdict)
    }

    fn not_entitled(mut self, verdict: &Verdict) -> Plan {
        let scoping =
            self.steps.last().expect("the scoping step was pushed before its verdict is used").clone();
        let step = scoping::not_entitled(&self.names, verdict, &scoping);
        let skip = Skip {
            reason: SkipReason::NotEffectivelyEntitled,
            property: None,
            description: step.description.clone(),
        };
        self.steps.push(step);
        Plan { skip: Some(skip), ..self.empty() }
    }

    fn without_matching_value(mut self) -> Plan {
        let attributes: Vec<&str> =
            self.mapping.matching().map(|attribute| attribute.target.as_str()).collect();
        let step = import::without_matching_value(&self.names, &attributes.join(", "));
        let skip =
            Skip { reason: SkipReason::ImportSkipped, property: None, description: step.description.clone() };
        self.steps.push(step);
        Plan { skip: Some(skip), ..self.empty() }
    }

    fn not_allowed(self, verb: &str, flow: &str) -> Plan {
        let skip = Skip {
            reason: SkipReason::EntrySynchronizationSkipped,
            property: None,
            description: format!(
                "The {} '{}' will be skipped because the object mapping does not allow to {verb} objects (flow type \
                 {flow})",
                self.names.object_type, self.names.reportable
            ),
        };
        self.skipped(skip)
    }

    fn skipped(mut self, skip: Skip) -> Plan {
        self.steps.push(export::skipped(&self.names, &skip));
        Plan { skip: Some(skip), ..self.empty() }
    }

    fn failed(mut self, failure: Failure) -> Plan {
        self.steps.push(export::stopped(&self.names, &failure));
        Plan { failure: Some(failure), ..self.empty() }
    }

    fn empty(self) -> Plan {
        Plan {
            steps: self.steps,
            action: Action::Other,
            operations: Vec::new(),
            modified: Vec::new(),
            skip: None,
            failure: None,
            unresolved: Vec::new(),
            pairing: PairingEffect::None,
            target: None,
            reportable: self.names.reportable,
            scope: self.scope,
        }
    }
}
