//! The on-demand request as a case: checks what was asked, works on linked objects first, then on the subject.

use std::collections::BTreeMap;

use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, MatchQuery, PreparedRequest};
use usher_core::program::{AttributeProgram, MappingProgram, RuleProgram};
use usher_core::{Anchor, EntryId, EntryKind, Job, NamedReference, References, StepKind};
use usher_expr::Value;

use super::CaseError;
use crate::failures::failure;
use crate::prepared::PreparedJob;
use crate::subject::{Mode, Run, Worked};
use crate::target::Target;
use crate::{Engine, OnDemandAnswer, OnDemandRequest, Subject};

impl Engine {
    /// Provisions the named subject now. `Ok` also when it was skipped or failed: the event says so.
    ///
    /// # Errors
    /// What is wrong with the request itself: unknown job, rule or object type, too many members, no subject.
    /// Nothing was written then.
    pub async fn provision_on_demand(
        &self,
        service_principal: &EntryId,
        request: OnDemandRequest,
    ) -> Result<OnDemandAnswer, CaseError> {
        let entry = self
            .store
            .entry(EntryKind::ServicePrincipal, service_principal)
            .await?
            .filter(|entry| entry.deleted_at.is_none())
            .ok_or_else(|| CaseError::not_found("service principal", service_principal.as_str()))?;
        let job = self.job(service_principal, &request.job).await?;
        let (rule_id, subject) = the_subject(&request)?;
        let prepared = self.prepare(&job).await?;
        let rule = prepared.rule(&job.id, rule_id)?;
        self.check_subject(&rule, subject)?;
        let mapping = mapping(&rule, &subject.object_type)?;

        let target = Target::on_demand(prepared.target.clone(), self.clock.clone());
        let run = Run {
            engine: self,
            job: &job,
            service_principal: &entry,
            prepared: &prepared,
            rule: &rule,
            target: &target,
            cycle: self.clock.guid().to_string().into(),
            mode: if request.dry_run { Mode::DryRun } else { Mode::OnDemand },
            applies_filters: prepared.template.scoping_on_demand,
            initiated_by: request.initiated_by.clone(),
            frozen: None,
            taken: Default::default(),
        };
        let tested = match self.left_alone(&job, &prepared).await? {
            Some(error) => Err(error),
            None => test_connection(self, &target, mapping).await,
        };
        if let Err(error) = tested {
            let mut failure = failure(&error);
            let named = address_of(&target).await.map_or_else(String::new, |address| format!(" ({address})"));
            failure.reason = format!(
                "the target {}{named} failed the test of the connection: {}",
                run.target_name(),
                failure.reason
            );
            let worked = run.unreachable(mapping, &subject.object_id, failure, StepKind::Import).await?;
            return Ok(OnDemandAnswer { event: worked.event, linked: Vec::new(), requests: Vec::new() });
        }

        let mut known = BTreeMap::new();
        let mut linked = Vec::new();
        let mut requests = Vec::new();
        let mut named = Vec::new();
        for (attribute, object) in links_of(subject) {
            let mapping = self::mapping(&rule, &object.object_type)?;
            let worked = run.work(mapping, &object.object_id, References::Named(Vec::new()), &known).await?;
            let anchor =
                worked.source_anchor.clone().unwrap_or_else(|| Anchor::new(object.object_id.as_str()));
            if run.mode == Mode::DryRun
                && let Some(target) = &worked.target_anchor
            {
                known.insert(anchor.clone(), target.clone());
            }
            named.push(NamedReference { attribute: SmolStr::new_static(attribute), anchor });
            requests.extend(worked.requests);
            linked.push(worked.event);
        }
        let Worked { event, requests: own, .. } =
            run.work(mapping, &subject.object_id, References::Named(named), &known).await?;
        requests.extend(own);
        Ok(OnDemandAnswer { event, linked, requests })
    }

    /// The target said in a cycle that it wants to be left alone, and is not asked before.
    pub(crate) async fn left_alone(
        &self,
        job: &Job,
        prepared: &PreparedJob,
    ) -> Result<Option<ConnectorError>, CaseError> {
        let state = self.store.job_state(&job.id).await?.unwrap_or_default();
        let now = self.clock.now();
        let until = state.throttled_until.filter(|until| *until > now && prepared.fits(&state));
        Ok(until.map(|until| {
            let message = format!("the target is throttled until {until}: it asked to be left alone");
            ConnectorError::new(ConnectorErrorKind::Throttled, "TooManyRequests", message)
        }))
    }

    pub(crate) fn check_subject(&self, rule: &RuleProgram, subject: &Subject) -> Result<(), CaseError> {
        if subject.object_id.trim().is_empty() {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                "a subject needs an objectId; the one given is empty",
            ));
        }
        let limit = self.settings.on_demand_members;
        for (what, count) in
            [("members", subject.links.members.len()), ("owners", subject.links.owners.len())]
        {
            if count > limit {
                return Err(CaseError::invalid(
                    "Request_BadRequest",
                    format!(
                        "{count} {what} were named, but one on-demand request takes at most {limit}; name fewer and \
                         send the rest in further requests"
                    ),
                ));
            }
        }
        let mapping = mapping(rule, &subject.object_type)?;
        for (attribute, object) in links_of(subject) {
            if !has(mapping, attribute) {
                return Err(CaseError::invalid(
                    "Request_BadRequest",
                    format!(
                        "'{}' is named in links.{attribute}, but objects of type '{}' have no {attribute}; leave it out",
                        object.object_id, subject.object_type
                    ),
                ));
            }
            let links = &object.links;
            if links.manager.is_some() || !links.members.is_empty() || !links.owners.is_empty() {
                return Err(CaseError::invalid(
                    "Request_BadRequest",
                    format!(
                        "'{}' in links.{attribute} has links of its own; provision it in a request of its own",
                        object.object_id
                    ),
                ));
            }
            self.check_subject(rule, object)?;
        }
        Ok(())
    }
}

/// The rule and the one subject of a request.
fn the_subject(request: &OnDemandRequest) -> Result<(&str, &Subject), CaseError> {
    let [parameters] = request.parameters.as_slice() else {
        return Err(CaseError::invalid(
            "Request_BadRequest",
            match request.parameters.len() {
                0 => "a required parameter is missing: 'parameters' must hold one rule with its subject"
                    .to_owned(),
                count => format!("{count} rules were given, but one on-demand request takes one"),
            },
        ));
    };
    let [subject] = parameters.subjects.as_slice() else {
        return Err(CaseError::invalid(
            "Request_BadRequest",
            match parameters.subjects.len() {
                0 => "a required parameter is missing: 'subjects' must hold one subject".to_owned(),
                count => format!(
                    "{count} subjects were given, but one on-demand request takes one user or one group"
                ),
            },
        ));
    };
    Ok((parameters.rule.as_str(), subject))
}

pub(crate) fn mapping<'a>(rule: &'a RuleProgram, object_type: &str) -> Result<&'a MappingProgram, CaseError> {
    rule.mapping(object_type).ok_or_else(|| {
        let known: Vec<&str> = rule.mappings.iter().map(|mapping| mapping.source_type.as_str()).collect();
        CaseError::invalid(
            "Request_BadRequest",
            format!(
                "the rule has no enabled object mapping for objectTypeName '{object_type}'; it has: {}",
                known.join(", ")
            ),
        )
    })
}

/// Whether objects have an attribute that links name: groups have members and owners, others a manager; what the schema
/// maps is there in any case.
fn has(mapping: &MappingProgram, attribute: &str) -> bool {
    let is_group = mapping.source_type.eq_ignore_ascii_case("group");
    let is_its_own = is_group == (attribute != "manager");
    let mut read = mapping.attributes.iter().flat_map(AttributeProgram::reads);
    is_its_own || read.any(|name| name.eq_ignore_ascii_case(attribute))
}

/// Linked objects with the source attribute that refers to them: manager first, so that nothing dangles.
pub(crate) fn links_of(subject: &Subject) -> impl Iterator<Item = (&'static str, &Subject)> {
    let links = &subject.links;
    links
        .manager
        .iter()
        .map(|object| ("manager", object.as_ref()))
        .chain(links.members.iter().map(|object| ("members", object)))
        .chain(links.owners.iter().map(|object| ("owners", object)))
}

/// Where the target is reached; `None` for one that has no address.
async fn address_of(target: &Target) -> Option<String> {
    let root = PreparedRequest { method: "GET".into(), path: String::new(), body: None };
    let address = target.connector().envelope(&root).await.address;
    (!address.is_empty()).then_some(address)
}

/// Asks the target for an object that cannot exist, as every run does first.
pub(crate) async fn test_connection(
    engine: &Engine,
    target: &Target,
    mapping: &MappingProgram,
) -> Result<(), ConnectorError> {
    match probe(engine, mapping) {
        Some(probe) => target.check(&probe).await,
        None => Ok(()),
    }
}

/// Asks for an object that cannot exist; `None` where nothing is matched by.
pub(crate) fn probe(engine: &Engine, mapping: &MappingProgram) -> Option<MatchQuery> {
    let attribute = mapping.matching().next()?;
    Some(MatchQuery {
        object_type: mapping.target_type.clone(),
        attribute: attribute.target.clone(),
        value: Value::from(engine.clock.guid().to_string().as_str()),
        attributes: vec![attribute.target.clone()],
    })
}
