//! One subject from import to export: asks what the planner wants to know, does what the plan says, writes the event.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use smol_str::SmolStr;
use usher_core::planner::{Decision, plan};
use usher_core::ports::{
    Commit, ConnectorError, ConnectorErrorKind, Effect, MatchQuery, PairingChange, PreparedRequest,
    SubjectRequest,
};
use usher_core::program::{MappingProgram, RuleProgram};
use usher_core::steps::{Names, export};
use usher_core::{
    Action, Anchor, Answer, Entry, Facts, Failure, Initiator, Job, Operation, OperationKind, Pairing,
    PairingEffect, Plan, ProvisioningEvent, Question, References, Step, StepKind, TimedStep,
};
use usher_expr::Context;

use crate::Engine;
use crate::cases::CaseError;
use crate::failures::failure;
use crate::prepared::PreparedJob;

/// How often the planner may come back with questions before something is wrong with it.
const ROUNDS: usize = 64;
/// How often a throttled write is tried.
const TRIES: usize = 3;
/// The longest wait for a throttling target within one request.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all subjects of one request share.
pub struct Run<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The job.
    pub job: &'a Job,
    /// The service principal of the application.
    pub service_principal: &'a Entry,
    /// The job, made ready.
    pub prepared: &'a PreparedJob,
    /// The rule.
    pub rule: &'a RuleProgram,
    /// All events of the request share it.
    pub cycle: SmolStr,
    /// Write nothing.
    pub dry_run: bool,
    /// Scoping filters count.
    pub applies_filters: bool,
    /// Who asked.
    pub initiated_by: Initiator,
}

/// What came of one subject.
pub struct Worked {
    /// The event, as logged.
    pub event: ProvisioningEvent,
    /// The subject's anchor in the source, when the source has it.
    pub source_anchor: Option<Anchor>,
    /// The anchor of the target object; in a dry run a stand-in for one that would be made.
    pub target_anchor: Option<Anchor>,
    /// The requests sent, or in a dry run those that would be.
    pub requests: Vec<PreparedRequest>,
}

/// Keeps two requests from working on one subject at the same time: both would find nothing and create.
#[derive(Default)]
pub struct SubjectLocks {
    locks: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

impl SubjectLocks {
    fn of(&self, key: String) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        locks.insert(key, Arc::downgrade(&lock));
        lock
    }
}

/// What is known of a subject while it is worked on.
pub struct Progress {
    /// When the work began.
    pub began_at: Timestamp,
    /// The steps so far.
    pub steps: Vec<TimedStep>,
    /// The requests sent, or in a dry run those that would be.
    pub requests: Vec<PreparedRequest>,
    /// The target object, once it is known.
    pub target_anchor: Option<Anchor>,
    /// The target did not take something.
    pub left_out: bool,
}

impl Run<'_> {
    /// Works on one subject. `known` maps source anchors of linked objects to target anchors that are not stored
    /// (those of a dry run).
    pub async fn work(
        &self,
        mapping: &MappingProgram,
        named: &str,
        references: References,
        known: &BTreeMap<Anchor, Anchor>,
    ) -> Result<Worked, CaseError> {
        let began_at = self.engine.clock.now();
        let key = format!("{}\n{}\n{}", self.job.id, mapping.source_type, named.to_lowercase());
        let lock = self.engine.locks.of(key);
        let _guard = lock.lock().await;
        let mut progress = Progress {
            began_at,
            steps: Vec::new(),
            requests: Vec::new(),
            target_anchor: None,
            left_out: false,
        };
        let facts = match self.import(mapping, named, references).await {
            Ok(facts) => facts,
            Err(Stop::Case(error)) => return Err(error),
            Err(Stop::Failed(failure)) => {
                let names = self.names(mapping, named);
                let plan = broken(&names, failure);
                return self
                    .finish(
                        mapping,
                        &Facts { named: named.into(), ..Facts::default() },
                        plan,
                        progress,
                        false,
                    )
                    .await;
            }
        };
        let mut facts = facts;
        let decided = self.decide(mapping, &mut facts, known).await;
        let plan = match decided {
            Ok(plan) => plan,
            Err(Stop::Case(error)) => return Err(error),
            Err(Stop::Failed(failure)) => broken(&self.names(mapping, named), failure),
        };
        let plan = self.export(mapping, &mut facts, known, plan, &mut progress).await?;
        let exported = plan.failure.is_none();
        self.finish(mapping, &facts, plan, progress, exported).await
    }

    /// The target cannot be reached: the event says so, and nothing else was done.
    pub async fn unreachable(
        &self,
        mapping: &MappingProgram,
        named: &str,
        failure: Failure,
    ) -> Result<Worked, CaseError> {
        let mut plan = broken(&self.names(mapping, named), failure);
        if let Some(step) = plan.steps.first_mut() {
            step.name = "EntryTestConnection".into();
            step.kind = StepKind::Import;
        }
        let progress = Progress {
            began_at: self.engine.clock.now(),
            steps: Vec::new(),
            requests: Vec::new(),
            target_anchor: None,
            left_out: false,
        };
        self.finish(mapping, &Facts { named: named.into(), ..Facts::default() }, plan, progress, false).await
    }

    fn names(&self, mapping: &MappingProgram, reportable: &str) -> Names {
        Names {
            source: self.rule.source_directory.clone(),
            target: self.target_name(),
            object_type: mapping.source_type.clone(),
            reportable: reportable.to_owned(),
        }
    }

    /// What people call the target: the application's name.
    pub fn target_name(&self) -> String {
        self.service_principal.text("displayName").unwrap_or(&self.rule.target_directory).to_owned()
    }

    async fn import(
        &self,
        mapping: &MappingProgram,
        named: &str,
        references: References,
    ) -> Result<Facts, Stop> {
        let source = &self.prepared.source;
        let request = SubjectRequest {
            object_type: mapping.source_type.clone(),
            id: named.into(),
            attributes: mapping.source_attributes(),
            application: Some(self.service_principal.id.clone()),
        };
        let object = source.subject(&request).await.map_err(Stop::connection)?;
        let anchor = object.as_ref().map_or_else(|| Anchor::new(named), |object| object.anchor.clone());
        let entitlement = match &object {
            Some(object) => {
                source.entitlement(object, &self.service_principal.id).await.map_err(Stop::connection)?
            }
            None => None,
        };
        let pairing = self
            .engine
            .store
            .pairing(&self.job.id, &mapping.source_type, &anchor)
            .await
            .map_err(Stop::store)?;
        Ok(Facts {
            named: named.into(),
            source: object,
            entitlement,
            takes_all: self.prepared.is_on("SyncAll"),
            skips_out_of_scope: self.prepared.is_on("SkipOutOfScopeDeletions"),
            applies_filters: self.applies_filters,
            pairing,
            references,
            answers: Vec::new(),
        })
    }

    async fn decide(
        &self,
        mapping: &MappingProgram,
        facts: &mut Facts,
        known: &BTreeMap<Anchor, Anchor>,
    ) -> Result<Plan, Stop> {
        let context = Context {
            now: self.engine.clock.now(),
            seed: self.engine.clock.guid().as_u64_pair().0,
            parameters: BTreeMap::new(),
            default_domain: self.engine.settings.default_domain.as_deref().map(SmolStr::from),
            empty_condition_is_false: false,
        };
        for _ in 0..ROUNDS {
            match plan(mapping, facts, &self.rule.source_directory, &self.target_name(), &context) {
                Decision::Done(plan) => return Ok(*plan),
                Decision::Ask(questions) => {
                    for question in questions {
                        let answer = self.ask(facts, &question, known).await?;
                        facts.answers.push((question, answer));
                    }
                }
            }
        }
        unreachable!("the planner asks only what was not answered, and there are few kinds of question")
    }

    async fn ask(
        &self,
        facts: &Facts,
        question: &Question,
        known: &BTreeMap<Anchor, Anchor>,
    ) -> Result<Answer, Stop> {
        let target = &self.prepared.target;
        let store = &self.engine.store;
        Ok(match question {
            Question::Match(query) => Answer::Matches(target.find(query).await.map_err(Stop::connection)?),
            Question::Target(request) => Answer::Target(target.get(request).await.map_err(Stop::connection)?),
            Question::Claims { object_type, anchor } => {
                let own = facts.source.as_ref().map(|object| &object.anchor);
                let pairings =
                    store.pairings_of_target(&self.job.id, object_type, anchor).await.map_err(Stop::store)?;
                Answer::Claims(
                    pairings
                        .into_iter()
                        .map(|pairing| pairing.source_anchor)
                        .filter(|anchor| Some(anchor) != own)
                        .collect(),
                )
            }
            Question::Unique { object_type, attribute, candidates } => {
                let mut free = None;
                for candidate in candidates {
                    let query = MatchQuery {
                        object_type: object_type.clone(),
                        attribute: attribute.clone(),
                        value: candidate.clone(),
                        attributes: vec![attribute.clone()],
                    };
                    if target.find(&query).await.map_err(Stop::connection)?.is_empty() {
                        free = Some(candidate.clone());
                        break;
                    }
                }
                Answer::Unique(free)
            }
            Question::References { object_types, anchors } => {
                let mut pairs = BTreeMap::new();
                let all: Vec<SmolStr> =
                    self.rule.mappings.iter().map(|mapping| mapping.source_type.clone()).collect();
                let types = if object_types.is_empty() { &all } else { object_types };
                for anchor in anchors {
                    if let Some(other) = known.get(anchor) {
                        pairs.insert(anchor.clone(), other.clone());
                        continue;
                    }
                    for object_type in types {
                        let pairing =
                            store.pairing(&self.job.id, object_type, anchor).await.map_err(Stop::store)?;
                        if let Some(pairing) = pairing {
                            pairs.insert(anchor.clone(), pairing.target_anchor);
                            break;
                        }
                    }
                }
                Answer::References(pairs)
            }
        })
    }

    /// Does what the plan says. A lost answer to a create is resolved by matching again, never by a second create.
    async fn export(
        &self,
        mapping: &MappingProgram,
        facts: &mut Facts,
        known: &BTreeMap<Anchor, Anchor>,
        plan: Plan,
        progress: &mut Progress,
    ) -> Result<Plan, CaseError> {
        for step in plan.steps.clone() {
            self.note(progress, step);
        }
        let (first, error) = match self.carry_out(mapping, plan, progress).await {
            Carried::Done(plan) => return Ok(plan),
            Carried::MatchAgain(plan, error) => (plan, error),
        };
        // What was asked before the write is stale now.
        facts.answers.clear();
        let again = match self.decide(mapping, facts, known).await {
            Ok(plan) => plan,
            Err(Stop::Case(error)) => return Err(error),
            Err(Stop::Failed(_)) => return Ok(self.not_written(mapping, first, &error, progress)),
        };
        let Some(found) = again.target.as_ref().filter(|_| again.failure.is_none()) else {
            return Ok(self.not_written(mapping, first, &error, progress));
        };
        for step in again.steps.iter().filter(|step| step.kind == StepKind::Matching) {
            self.note(progress, step.clone());
        }
        progress.target_anchor = Some(found.anchor.clone());
        let was_created = error.effect == Effect::Unknown;
        if was_created {
            let names = self.names(mapping, &first.reportable);
            self.note(progress, export::succeeded(&names, Action::Create, found.anchor.as_str()));
        }
        let carried = match self.carry_out(mapping, again, progress).await {
            Carried::Done(plan) => plan,
            Carried::MatchAgain(plan, error) => return Ok(self.not_written(mapping, plan, &error, progress)),
        };
        Ok(if was_created {
            Plan { action: Action::Create, skip: None, modified: first.modified, ..carried }
        } else {
            carried
        })
    }

    async fn carry_out(&self, mapping: &MappingProgram, plan: Plan, progress: &mut Progress) -> Carried {
        if progress.target_anchor.is_none() {
            progress.target_anchor = plan.target.as_ref().map(|object| object.anchor.clone());
        }
        let names = self.names(mapping, &plan.reportable);
        for (index, operation) in plan.operations.iter().enumerate() {
            let mut operation = operation.clone();
            if operation.anchor.is_none() && operation.kind != OperationKind::Create {
                operation.anchor = progress.target_anchor.clone();
            }
            let action =
                if index == 0 || plan.action == Action::Disable { plan.action } else { Action::Update };
            progress.requests.extend(self.prepared.target.preview(&operation));
            if self.dry_run {
                if operation.kind == OperationKind::Create {
                    progress.target_anchor = Some(Anchor::new(format!(
                        "(known after create of {} '{}')",
                        names.object_type, names.reportable
                    )));
                }
                self.note(progress, export::planned(&names, action));
                continue;
            }
            match self.write(&operation).await {
                Ok(written) => {
                    self.note(progress, export::succeeded(&names, action, written.anchor.as_str()));
                    for (attribute, reason) in &written.left_out {
                        progress.left_out = true;
                        self.note(progress, export::left_out(&names, attribute, reason));
                    }
                    progress.target_anchor = Some(written.anchor);
                }
                Err(error) => {
                    let may_be_there =
                        error.effect == Effect::Unknown || error.kind == ConnectorErrorKind::AlreadyExists;
                    if operation.kind == OperationKind::Create && may_be_there {
                        return Carried::MatchAgain(plan, error);
                    }
                    return Carried::Done(self.not_written(mapping, plan, &error, progress));
                }
            }
        }
        Carried::Done(plan)
    }

    /// Sends one operation; waits for a throttling target as long as a person would, and repeats what is safe.
    async fn write(&self, operation: &Operation) -> Result<usher_core::ports::Written, ConnectorError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.prepared.target.write(operation).await {
                Ok(written) => return Ok(written),
                Err(error) => error,
            };
            let wait = error.retry_after.unwrap_or(Duration::from_secs(1));
            if tries >= TRIES {
                return Err(error);
            }
            match error.kind {
                ConnectorErrorKind::Throttled if error.effect == Effect::None && wait <= PATIENCE => {
                    self.engine.clock.wait(wait).await;
                }
                // An update or delete may be sent twice; a create may not.
                ConnectorErrorKind::Unreachable
                    if operation.kind != OperationKind::Create
                        && error.effect == Effect::Unknown
                        && tries == 1 => {}
                _ => return Err(error),
            }
        }
    }

    fn not_written(
        &self,
        mapping: &MappingProgram,
        plan: Plan,
        error: &ConnectorError,
        progress: &mut Progress,
    ) -> Plan {
        let names = self.names(mapping, &plan.reportable);
        let failure = failure(error);
        self.note(progress, export::failed(&names, plan.action, &failure));
        Plan { failure: Some(failure), ..plan }
    }

    fn note(&self, progress: &mut Progress, step: Step) {
        progress.steps.push(TimedStep { step, at: self.engine.clock.now() });
    }

    async fn finish(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        plan: Plan,
        mut progress: Progress,
        exported: bool,
    ) -> Result<Worked, CaseError> {
        if progress.steps.is_empty() {
            for step in plan.steps.clone() {
                self.note(&mut progress, step);
            }
        }
        let event = self.event(mapping, facts, &plan, &progress);
        if !self.dry_run {
            let mut commit = Commit { pairings: Vec::new(), events: vec![event.clone()] };
            // A create that half succeeded is remembered: the account is there, whatever else failed.
            let is_there = progress.target_anchor.is_some() && plan.action == Action::Create;
            if exported || is_there {
                commit.pairings.extend(self.pairing_change(mapping, facts, &plan, &progress));
            }
            self.engine.store.commit(&commit).await?;
        }
        Ok(Worked {
            event,
            source_anchor: facts.source.as_ref().map(|object| object.anchor.clone()),
            target_anchor: progress.target_anchor,
            requests: progress.requests,
        })
    }

    fn pairing_change(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        plan: &Plan,
        progress: &Progress,
    ) -> Option<PairingChange> {
        let source_anchor = facts
            .source
            .as_ref()
            .map(|object| object.anchor.clone())
            .or_else(|| facts.pairing.as_ref().map(|pairing| pairing.source_anchor.clone()))?;
        match plan.pairing {
            PairingEffect::None => None,
            PairingEffect::Forget => Some(PairingChange::Forget {
                job: self.job.id.clone(),
                source_type: mapping.source_type.clone(),
                source_anchor,
            }),
            PairingEffect::Manage | PairingEffect::Release => Some(PairingChange::Put(Pairing {
                job: self.job.id.clone(),
                source_type: mapping.source_type.clone(),
                source_anchor,
                target_type: mapping.target_type.clone(),
                target_anchor: progress.target_anchor.clone()?,
                is_managed: plan.pairing == PairingEffect::Manage,
                display_name: plan.reportable.clone(),
                confirmed_at: self.engine.clock.now(),
            })),
        }
    }
}

enum Carried {
    Done(Plan),
    MatchAgain(Plan, ConnectorError),
}

enum Stop {
    Case(CaseError),
    Failed(Failure),
}

impl Stop {
    fn connection(error: ConnectorError) -> Self {
        Self::Failed(failure(&error))
    }

    fn store(error: usher_core::ports::StoreError) -> Self {
        Self::Case(error.into())
    }
}

/// A plan that does nothing because a directory failed while it was asked.
fn broken(names: &Names, failure: Failure) -> Plan {
    Plan {
        steps: vec![export::stopped(names, &failure)],
        action: Action::Other,
        operations: Vec::new(),
        modified: Vec::new(),
        skip: None,
        failure: Some(failure),
        unresolved: Vec::new(),
        pairing: PairingEffect::None,
        target: None,
        reportable: names.reportable.clone(),
    }
}
