//! One subject from import to export: asks what the planner wants to know, does what the plan says, writes the event.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use smol_str::SmolStr;
use tokio::sync::OwnedMutexGuard;
use usher_core::escrow::Missing;
use usher_core::ports::{
    ConnectorError, ConnectorErrorKind, Effect, Entitlement, Exchange, Remembered, SubjectKey, SubjectRequest,
};
use usher_core::program::{MappingProgram, RuleProgram};
use usher_core::saved::hiding::Hidden;
use usher_core::steps::{Names, export, matching};
use usher_core::{
    Action, Anchor, CycleKind, DirectoryObject, Entry, Escrow, Facts, Failure, Initiator, Job, OperationKind,
    Plan, ProvisioningEvent, References, Step, StepKind, TimedStep,
};
use usher_expr::Context;

use crate::Engine;
use crate::cases::CaseError;
use crate::failures::{broken, failure};
use crate::finish::lock_of;
use crate::prepared::PreparedJob;
use crate::questions::Stop;
use crate::target::Target;

/// What all subjects of one request or one cycle share.
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
    /// The target.
    pub target: &'a Target,
    /// All events of the run share it.
    pub cycle: SmolStr,
    /// Why it is done.
    pub mode: Mode,
    /// Scoping filters count.
    pub applies_filters: bool,
    /// Who asked.
    pub initiated_by: Initiator,
    /// The instant and the seed of a plan that is made or applied; else they are drawn for each subject.
    pub frozen: Option<(Timestamp, u64)>,
    /// Values that other objects of the same plan will have (`unique_key`).
    pub taken: BTreeSet<String>,
}

/// Why subjects are worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Somebody named them.
    OnDemand,
    /// Somebody wants to know what would happen; nothing is written.
    DryRun,
    /// A plan is made, as in a cycle of this kind or as on demand; nothing is written.
    Plan(Option<CycleKind>),
    /// A plan that was made so is applied: what was reviewed is written, and nothing else.
    Apply(Option<CycleKind>),
    /// A cycle of this number came to them.
    Cycle {
        /// Marks the pairings that came up.
        number: u64,
        /// Which objects the cycle looks at.
        kind: CycleKind,
        /// The job is in quarantine: tries are farther apart.
        is_quarantined: bool,
    },
}

impl Mode {
    /// The kind of cycle that subjects are seen as in; `None` where somebody named them.
    pub(crate) fn cycle(self) -> Option<CycleKind> {
        match self {
            Self::OnDemand | Self::DryRun => None,
            Self::Plan(kind) | Self::Apply(kind) => kind,
            Self::Cycle { kind, .. } => Some(kind),
        }
    }
}

/// A subject as the source has it.
pub struct Imported {
    /// How it was named.
    pub named: SmolStr,
    /// Its anchor; the name where the source does not have it.
    pub anchor: Anchor,
    /// What the source has of it.
    pub object: Option<DirectoryObject>,
    /// Its assignment to the application.
    pub entitlement: Option<Entitlement>,
}

/// A subject that was looked at: everything is decided, nothing done. Nobody else works on it meanwhile.
pub struct Looked {
    /// What was found out.
    pub facts: Facts,
    /// What is to be done.
    pub plan: Plan,
    /// What expressions were evaluated with.
    pub context: Context,
    progress: Progress,
    began_at: Timestamp,
    _locks: Vec<OwnedMutexGuard<()>>,
}

impl Looked {
    /// What the target failed with when it was asked.
    pub(crate) fn target_failure(&self) -> Option<ConnectorErrorKind> {
        self.progress.target_failure
    }
}

/// What came of one subject.
pub struct Worked {
    /// The event, as logged; held-back deletions and objects that are none of the job's business are not.
    pub event: ProvisioningEvent,
    /// The subject's anchor in the source, when the source has it.
    pub source_anchor: Option<Anchor>,
    /// The anchor of the target object; in a dry run a stand-in for one that would be made.
    pub target_anchor: Option<Anchor>,
    /// What was sent and what came back, or in a dry run what would be sent.
    pub requests: Vec<Exchange>,
    /// What kind of failure of the target, when it was one.
    pub target_failure: Option<ConnectorErrorKind>,
    /// Only references failed.
    pub is_reference_failure: bool,
    /// The account was made, but what it lacks was not part of the plan that is applied.
    pub is_incomplete: bool,
    /// A disabling or deletion was put aside until all of the cycle are counted.
    pub is_held: bool,
    /// Something was to be written.
    pub needed_write: bool,
    /// What scoping found.
    pub scope: Option<usher_core::steps::scoping::Verdict>,
}

/// What is known of a subject while it is worked on.
#[derive(Default)]
pub struct Progress {
    /// The steps so far.
    pub steps: Vec<TimedStep>,
    /// What was sent and what came back, or in a dry run what would be sent.
    pub requests: Vec<Exchange>,
    /// The target object, once it is known.
    pub target_anchor: Option<Anchor>,
    /// The target did not take something.
    pub left_out: bool,
    /// References that it did not take because it does not know one of the two objects, and since when.
    pub put_off: BTreeMap<SmolStr, Timestamp>,
    /// The paired target object is not found, and may be there all the same.
    pub missing: Option<Missing>,
    /// The attributes that it did not take, those that it never takes included.
    pub not_taken: Vec<SmolStr>,
    /// What the target failed with.
    pub target_failure: Option<ConnectorErrorKind>,
    /// The failed operation touched references only.
    pub is_reference_failure: bool,
    /// The escrow there was, or the one written before a create.
    pub escrow: Option<Escrow>,
    /// The account was made, but what it lacks was not part of the plan that is applied.
    pub is_incomplete: bool,
    /// A disabling or deletion of the account was put aside earlier.
    pub is_held: bool,
    /// Disablings and deletions are put aside.
    pub holds: bool,
    /// When the source last told of the subject without giving it, if that is why it waits.
    pub told_at: Option<Timestamp>,
    /// A create came upon an account that was there already, and that is to be switched off.
    pub puts_aside: bool,
}

impl Run<'_> {
    /// Works on a subject that somebody named. `known` maps source anchors of linked objects to target anchors that
    /// are not stored (those of a dry run).
    pub async fn work(
        &self,
        mapping: &MappingProgram,
        named: &str,
        references: References,
        known: &BTreeMap<Anchor, Anchor>,
    ) -> Result<Worked, CaseError> {
        match self.import(mapping, named).await {
            Ok(imported) => self.work_on(mapping, imported, references, known, false).await,
            Err(error) => self.unreachable(mapping, named, failure(&error), StepKind::Processing).await,
        }
    }

    /// Works on a subject that was read. With `holds`, a disabling or deletion is put aside instead of being sent.
    pub async fn work_on(
        &self,
        mapping: &MappingProgram,
        imported: Imported,
        references: References,
        known: &BTreeMap<Anchor, Anchor>,
        holds: bool,
    ) -> Result<Worked, CaseError> {
        let looked = self.look(mapping, imported, references, known).await?;
        self.act(mapping, looked, known, holds).await
    }

    /// Finds out what a subject needs; asks source, target and store, and changes nothing.
    pub async fn look(
        &self,
        mapping: &MappingProgram,
        imported: Imported,
        references: References,
        known: &BTreeMap<Anchor, Anchor>,
    ) -> Result<Looked, CaseError> {
        let began_at = self.engine.clock.now();
        let subject = self.subject(mapping, &imported.anchor);
        let mut locks = vec![self.engine.locks.lock(lock_of(&subject)).await];
        let Remembered { pairing, escrow, held } = self.engine.store.remembered(&subject).await?;
        self.tell_restore(escrow.as_ref());
        // A deletion that was on its way may have taken effect: that the account is gone is no surprise then.
        let may_be_deleted = held.as_ref().is_some_and(|held| held.action == Action::Delete);
        let now = self.engine.clock.now();
        let missing = escrow.as_ref().and_then(|escrow| escrow.missing);
        let mut facts = Facts {
            named: imported.named,
            source: imported.object,
            entitlement: imported.entitlement,
            takes_all: self.prepared.is_on("SyncAll"),
            skips_out_of_scope: self.prepared.is_on("SkipOutOfScopeDeletions"),
            applies_filters: self.applies_filters,
            is_gone: self.mode.cycle().is_some(),
            rematches_vanished: may_be_deleted
                || self.mode.cycle() == Some(CycleKind::Initial)
                || missing.is_some_and(|missing| missing.is_matched_again),
            missing_since: missing.map(|missing| missing.since),
            sent_create: escrow.as_ref().and_then(|escrow| escrow.sent.as_ref()).map(|sent| sent.facts(now)),
            pairing,
            superseded: Vec::new(),
            references,
            answers: Vec::new(),
        };
        let context = self.context();
        // Two subjects with one matching value must not both find nothing and create.
        let keys =
            if facts.pairing.is_none() { self.account_keys(mapping, &facts, &context) } else { Vec::new() };
        locks.extend(self.engine.locks.lock_all(keys).await);

        // What the source has told of and does not find is not gone before it had time to be copied everywhere.
        let awaited = escrow.as_ref().filter(|escrow| facts.is_gone && escrow.is_awaited(now));
        let awaited = awaited.filter(|_| facts.source.is_none()).and_then(|escrow| escrow.told_at);
        let mut progress =
            Progress { escrow, is_held: held.is_some(), told_at: awaited, missing, ..Progress::default() };
        if awaited.is_some() {
            let plan = self.not_given(mapping, &facts.named);
            return Ok(Looked { facts, plan, context, progress, began_at, _locks: locks });
        }
        let plan = match self.decide(mapping, &mut facts, known, &context).await {
            Ok(plan) => plan,
            Err(Stop::Store(error)) => return Err(error.into()),
            Err(Stop::Target(error)) if error.kind == ConnectorErrorKind::Stopped => return Err(error.into()),
            Err(Stop::Target(error)) => {
                progress.target_failure = Some(error.kind);
                broken(&self.names(mapping, &facts.named), failure(&error))
            }
        };
        progress.missing = facts.missing_since.map(|since| self.missing(&facts, since));
        Ok(Looked { facts, plan, context, progress, began_at, _locks: locks })
    }

    /// Does what was decided, and makes it durable. With `holds`, a disabling or deletion is put aside instead.
    pub async fn act(
        &self,
        mapping: &MappingProgram,
        looked: Looked,
        known: &BTreeMap<Anchor, Anchor>,
        holds: bool,
    ) -> Result<Worked, CaseError> {
        let recording = self.recording(mapping, &looked);
        let worked = self.do_it(mapping, looked, known, holds).await?;
        self.keep(recording, &worked).await?;
        Ok(worked)
    }

    async fn do_it(
        &self,
        mapping: &MappingProgram,
        looked: Looked,
        known: &BTreeMap<Anchor, Anchor>,
        holds: bool,
    ) -> Result<Worked, CaseError> {
        let Looked { mut facts, plan, context, mut progress, began_at, _locks } = looked;
        let is_deprovisioning = matches!(plan.action, Action::Disable | Action::Delete);
        if holds && is_deprovisioning && plan.failure.is_none() {
            return self.hold(mapping, &facts, plan, progress, began_at).await;
        }
        progress.holds = holds;
        let plan = self.with_rest_of_restore(mapping, plan, &progress);
        let plan = self.export(mapping, &mut facts, known, &context, plan, &mut progress).await?;
        if progress.puts_aside {
            return self.hold(mapping, &facts, plan, progress, began_at).await;
        }
        self.finish(mapping, &facts, plan, progress, began_at).await
    }

    /// A directory cannot be asked: the event says so, and nothing else was done.
    pub async fn unreachable(
        &self,
        mapping: &MappingProgram,
        named: &str,
        failure: Failure,
        kind: StepKind,
    ) -> Result<Worked, CaseError> {
        let mut plan = broken(&self.names(mapping, named), failure);
        if let Some(step) = plan.steps.first_mut().filter(|_| kind == StepKind::Import) {
            step.name = "EntryTestConnection".into();
            step.kind = kind;
        }
        let facts = Facts { named: named.into(), ..Facts::default() };
        self.finish(mapping, &facts, plan, Progress::default(), self.engine.clock.now()).await
    }

    /// The key of a subject in the store.
    pub fn subject(&self, mapping: &MappingProgram, anchor: &Anchor) -> SubjectKey {
        SubjectKey {
            job: self.job.id.clone(),
            source_type: mapping.source_type.clone(),
            source_anchor: anchor.clone(),
        }
    }

    /// The words for the sentences of steps.
    pub fn names(&self, mapping: &MappingProgram, reportable: &str) -> Names {
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

    /// Reads a subject from the source.
    pub async fn import(&self, mapping: &MappingProgram, named: &str) -> Result<Imported, ConnectorError> {
        let source = &self.prepared.source;
        let request = SubjectRequest {
            object_type: mapping.source_type.clone(),
            id: named.into(),
            attributes: mapping.source_attributes(),
            application: Some(self.service_principal.id.clone()),
        };
        let object = source.subject(&request).await?;
        let anchor = object.as_ref().map_or_else(|| Anchor::new(named), |object| object.anchor.clone());
        let entitlement = match &object {
            Some(object) => source.entitlement(object, &self.service_principal.id).await?,
            None => None,
        };
        Ok(Imported { named: named.into(), anchor, object, entitlement })
    }

    fn context(&self) -> Context {
        let (now, seed) = self
            .frozen
            .unwrap_or_else(|| (self.engine.clock.now(), self.engine.clock.guid().as_u64_pair().0));
        Context {
            now,
            seed,
            parameters: self.job.settings.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            default_domain: self.engine.settings.default_domain.as_deref().map(SmolStr::from),
            empty_condition_is_false: false,
        }
    }

    /// What the account of a subject would be found by, as keys of locks.
    fn account_keys(&self, mapping: &MappingProgram, facts: &Facts, context: &Context) -> Vec<String> {
        let present = facts
            .source
            .as_ref()
            .and_then(|object| matching::values(mapping, &object.attributes, context).ok())
            .unwrap_or_default();
        matching::with_sought(mapping, facts, present)
            .iter()
            .map(|(attribute, value)| {
                let value = value.to_text().to_lowercase();
                format!("account\n{}\n{}\n{}\n{value}", self.job.id, mapping.target_type, attribute.target)
            })
            .collect()
    }

    /// Does what the plan says. A lost answer to a create is resolved by matching again, never by a second create.
    async fn export(
        &self,
        mapping: &MappingProgram,
        facts: &mut Facts,
        known: &BTreeMap<Anchor, Anchor>,
        context: &Context,
        mut plan: Plan,
        progress: &mut Progress,
    ) -> Result<Plan, CaseError> {
        for step in std::mem::take(&mut plan.steps) {
            self.note(progress, step);
        }
        let sent_at = self.engine.clock.now();
        let (first, error) = match self.carry_out(mapping, facts, context, plan, progress).await? {
            Carried::Done(plan) => return Ok(plan),
            Carried::MatchAgain(plan, error) => (plan, error),
        };
        // What was asked before the write is stale now.
        facts.answers.clear();
        facts.sent_create =
            progress.escrow.as_ref().and_then(|escrow| escrow.sent.as_ref()).map(|sent| sent.facts(sent_at));
        let mut again = match self.decide(mapping, facts, known, context).await {
            Ok(plan) => plan,
            Err(Stop::Store(error)) => return Err(error.into()),
            Err(Stop::Target(_)) => return Ok(self.not_written(mapping, first, &error, progress)),
        };
        let Some(found) = again.target.clone().filter(|_| again.failure.is_none()) else {
            return Ok(self.not_written(mapping, first, &error, progress));
        };
        for step in again.steps.iter().filter(|step| step.kind == StepKind::Matching) {
            self.note(progress, step.clone());
        }
        progress.target_anchor = Some(found.anchor.clone());
        if matches!(self.mode, Mode::Apply(_)) {
            let all = again.operations.len();
            again.operations.retain(|operation| {
                first.operations.iter().skip(1).any(|planned| planned.changes == operation.changes)
            });
            // The account is there, but not as it was reviewed: what it lacks is for another plan.
            progress.is_incomplete = again.operations.len() < all;
        }
        if progress.holds && matches!(again.action, Action::Disable | Action::Delete) {
            progress.puts_aside = true;
            return Ok(again);
        }
        let was_created = error.effect == Effect::Unknown;
        if was_created {
            let names = self.names(mapping, &first.reportable);
            self.note(progress, export::succeeded(&names, Action::Create, found.anchor.as_str()));
        }
        let carried = match self.carry_out(mapping, facts, context, again, progress).await? {
            Carried::Done(plan) => plan,
            Carried::MatchAgain(plan, error) => return Ok(self.not_written(mapping, plan, &error, progress)),
        };
        Ok(if was_created {
            // The create was the write, whether or not something was left to update.
            let Plan { operations, modified, .. } = first;
            Plan { action: Action::Create, skip: None, operations, modified, ..carried }
        } else {
            carried
        })
    }

    async fn carry_out(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        context: &Context,
        plan: Plan,
        progress: &mut Progress,
    ) -> Result<Carried, CaseError> {
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
            if self.mode == Mode::DryRun {
                let shown = Hidden::of(mapping).operations(std::slice::from_ref(&operation));
                let requests = shown.iter().flat_map(|one| self.target.connector().preview(one));
                progress.requests.extend(requests.map(Exchange::from));
                if operation.kind == OperationKind::Create {
                    progress.target_anchor = Some(Anchor::new(format!(
                        "(known after create of {} '{}')",
                        names.object_type, names.reportable
                    )));
                }
                self.note(progress, export::planned(&names, action));
                continue;
            }
            // What has not been written yet when the run is to end stays as it is for the next one.
            if index == 0 {
                self.target.unless_halted(async {}).await?;
            }
            let earlier = progress.escrow.clone();
            match operation.kind {
                OperationKind::Create => self.remember_create(mapping, facts, context, progress).await?,
                OperationKind::Update => {
                    self.remember_found(mapping, facts, &plan).await?;
                    self.remember_restore(mapping, facts, &operation, progress).await?;
                }
                OperationKind::Delete => {}
            }
            let is_exact = matches!(self.mode, Mode::Apply(_));
            let (written, told) = self.target.write_told(&operation, is_exact).await;
            progress.requests.extend(Hidden::of(mapping).exchanges(&operation, told));
            match written {
                Ok(written) => {
                    self.note(progress, export::succeeded(&names, action, written.anchor.as_str()));
                    let connector = self.target.connector();
                    for (attribute, reason) in &written.left_out {
                        progress.not_taken.push(attribute.clone());
                        // What is never taken is told for the whole job.
                        if connector.obstacle(&operation.object_type, attribute).is_some() {
                            continue;
                        }
                        progress.left_out = true;
                        self.note(progress, export::left_out(&names, attribute, reason));
                    }
                    self.note_put_off(&names, &written.put_off, progress);
                    progress.target_anchor = Some(written.anchor);
                }
                Err(error) if self.is_gone(facts, &operation, &error, progress) => {
                    let anchor = operation.anchor.as_ref().map_or("", Anchor::as_str);
                    self.note(progress, export::succeeded(&names, action, anchor));
                }
                Err(error) if error.kind == ConnectorErrorKind::Stopped && index == 0 => {
                    self.take_back(mapping, facts, earlier, progress).await?;
                    return Err(error.into());
                }
                Err(error) => {
                    self.forget_restore(progress);
                    if operation.kind == OperationKind::Create && error.effect == Effect::None {
                        // It certainly did not take effect: nothing has to settle.
                        if let Some(escrow) = &mut progress.escrow {
                            escrow.sent = None;
                        }
                    }
                    let may_be_there =
                        error.effect == Effect::Unknown || error.kind == ConnectorErrorKind::AlreadyExists;
                    // An account of somebody else was not reviewed; one that our own request made was.
                    let is_ours = !matches!(self.mode, Mode::Apply(_)) || error.effect == Effect::Unknown;
                    if operation.kind == OperationKind::Create && may_be_there && is_ours {
                        return Ok(Carried::MatchAgain(plan, error));
                    }
                    progress.is_reference_failure = operation.kind == OperationKind::Update
                        && operation.changes.iter().all(|change| change.is_reference);
                    let mut failure = failure(&error);
                    self.name_holder(mapping, &operation, &error, &mut failure).await;
                    return Ok(Carried::Done(self.failed(mapping, plan, error.kind, failure, progress)));
                }
            }
        }
        Ok(Carried::Done(plan))
    }

    fn not_written(
        &self,
        mapping: &MappingProgram,
        plan: Plan,
        error: &ConnectorError,
        progress: &mut Progress,
    ) -> Plan {
        self.failed(mapping, plan, error.kind, failure(error), progress)
    }

    fn failed(
        &self,
        mapping: &MappingProgram,
        plan: Plan,
        kind: ConnectorErrorKind,
        failure: Failure,
        progress: &mut Progress,
    ) -> Plan {
        let names = self.names(mapping, &plan.reportable);
        progress.target_failure = Some(kind);
        self.note(progress, export::failed(&names, plan.action, &failure));
        Plan { failure: Some(failure), ..plan }
    }

    /// Writes down a step with the present instant.
    pub(crate) fn note(&self, progress: &mut Progress, step: Step) {
        progress.steps.push(TimedStep { step, at: self.engine.clock.now() });
    }
}

enum Carried {
    Done(Plan),
    MatchAgain(Plan, ConnectorError),
}
