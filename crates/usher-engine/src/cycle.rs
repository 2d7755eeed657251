//! Cycles: one run of a job, from where it is to the end of a cycle, resumable after every page.
//!
//! A cycle goes through stages, each over before the next begins: import, sweep (initial cycles), escrows, deprovision,
//! references. Nothing is disabled or deleted before everything to disable or delete is known and was counted.

mod control;
pub(crate) mod stages;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use smol_str::format_smolstr;
use usher_core::cycle::{Cycle, CycleKind, Execution, ExecutionState, JobState, Position};
use usher_core::ports::{Clear, Commit, ConnectorError, ConnectorErrorKind, StoreError};
use usher_core::program::{MappingProgram, RuleProgram};
use usher_core::quarantine::{self, QuarantineReason, RunError};
use usher_core::{AuditRecord, Entry, EntryKind, Job, JobId, ResetScope, ScheduleState};

pub use control::Runs;

use crate::Engine;
use crate::cases::CaseError;
use crate::finish::interval;
use crate::pace::Pace;
use crate::prepared::PreparedJob;
use crate::target::Target;

/// How many requests to the target are under way at once, unless the job's setting `TargetConcurrency` says otherwise.
const CONCURRENCY: usize = 16;
/// How many objects are under way for each request: while some wait for the target, others wait for the disk, and
/// the more of those there are, the more share one write.
const UNDER_WAY: usize = 8;
/// So many runs in a row that got no answer from the target lead to quarantine.
const HABIT: u64 = 3;
/// The job setting for it.
const CONCURRENCY_SETTING: &str = "TargetConcurrency";

impl Engine {
    /// Runs a job now: goes on with the cycle that was interrupted, else begins one. Returns what the job remembers
    /// afterwards; a run that broke off is part of that. A job that is not started does not run. One job never runs
    /// twice at once: a second caller waits.
    ///
    /// # Errors
    /// There is no such job, or the store failed. Everything that was durable stays so, and the next run goes on there.
    pub async fn run_job(&self, id: &JobId) -> Result<JobState, CaseError> {
        let control = self.runs.control(id);
        let _running = control.begin().await;
        let job = self
            .store
            .job(id)
            .await?
            .ok_or_else(|| CaseError::not_found("synchronization job", id.as_str()))?;
        let state = {
            let _order = control.order().await;
            self.carry_out_restart(&job).await?
        };
        if state.has_given_up || job.state != ScheduleState::Active {
            return Ok(state);
        }
        let service_principal = self
            .store
            .entry(EntryKind::ServicePrincipal, &job.service_principal)
            .await?
            .filter(|entry| entry.deleted_at.is_none())
            .ok_or_else(|| CaseError::not_found("service principal", job.service_principal.as_str()))?;
        let began_at = self.clock.now();
        let mut state = state;
        let prepared = match self.ready(&job).await {
            Ok(prepared) => prepared,
            Err(CaseError::Store(error)) => return Err(error.into()),
            Err(error) => {
                let broke = Broke::quarantined("SchemaInvalid", error.to_string());
                return self.break_off(&job, state, began_at, broke).await;
            }
        };
        let (prepared, lanes) = prepared;
        let most = job
            .setting(CONCURRENCY_SETTING)
            .and_then(|text| text.parse().ok())
            .map_or(CONCURRENCY, |most: usize| most.clamp(1, 256));
        let pace = Arc::new(Pace::new(most));
        let target = Arc::new(Target::in_cycle(prepared.target.clone(), self.clock.clone(), pace));
        let mut run = CycleRun {
            engine: self,
            control: &control,
            job: &job,
            service_principal: &service_principal,
            prepared: &prepared,
            lanes: &lanes,
            target: &target,
            concurrency: most.saturating_mul(UNDER_WAY),
            target_failures_in_a_row: 0,
            saved: (0, began_at),
            state: std::mem::take(&mut state),
        };
        match run.go().await {
            Ok(End::Finished | End::Stopped) => Ok(run.state),
            Err(Broke::Store(error)) => Err(error),
            Err(broke) => {
                let state = std::mem::take(&mut run.state);
                self.break_off(&job, state, began_at, broke).await
            }
        }
    }

    /// What the job remembers, after a restart that somebody asked for.
    async fn carry_out_restart(&self, job: &Job) -> Result<JobState, CaseError> {
        let state = self.store.job_state(&job.id).await?.unwrap_or_default();
        let Some(request) = job.restart.filter(|request| request.number > state.applied_restart) else {
            return Ok(state);
        };
        let state = state.reset(request.number, request.scope);
        let mut commit = Commit { state: Some((job.id.clone(), state.clone())), ..Commit::default() };
        if request.scope.contains(ResetScope::CONNECTOR_DATA_STORE) {
            commit.clear.push((job.id.clone(), Clear::Pairings));
        }
        if request.scope.contains(ResetScope::ESCROWS) {
            commit.clear.push((job.id.clone(), Clear::Escrows));
        }
        self.store.commit(&commit).await?;
        Ok(state)
    }

    async fn ready(&self, job: &Job) -> Result<(Arc<PreparedJob>, Vec<Lane>), CaseError> {
        let prepared = self.prepare(job).await?;
        for left_out in &prepared.unwritten {
            tracing::warn!(job.id = %job.id, "{left_out}");
        }
        let lanes = lanes(job, &prepared)?;
        Ok((prepared, lanes))
    }

    /// Writes down that a run broke off, and when the next one is due.
    async fn break_off(
        &self,
        job: &Job,
        mut state: JobState,
        began_at: Timestamp,
        broke: Broke,
    ) -> Result<JobState, CaseError> {
        let now = self.clock.now();
        let (error, reason) = match broke {
            Broke::Failed(error) => (error, None),
            Broke::Quarantined(reason, error) => (error, Some(reason)),
            Broke::Expired(error) => {
                state.forget_watermarks();
                (error, None)
            }
            Broke::Store(error) => return Err(error),
        };
        tracing::warn!(job.id = %job.id, code = %error.code, "the run broke off: {}", error.message);
        let (id, kind, counts, began_at) = match &state.cycle {
            Some(cycle) => (cycle.id.clone(), cycle.kind, cycle.counts, cycle.began_at),
            None => (self.clock.guid().to_string().into(), state.next_kind(), Default::default(), began_at),
        };
        state.last_execution = Some(Execution {
            id,
            kind,
            counts,
            escrowed: self.store.count_escrows(&job.id).await?,
            state: ExecutionState::Failed,
            error: Some(error.clone()),
            began_at,
            ended_at: now,
        });
        state.complete_failures_in_a_row += 1;
        match reason {
            Some(reason) => {
                if let Some(cycle) = &mut state.cycle {
                    // The next try is judged by its own failures.
                    cycle.counts.failed = 0;
                    cycle.counts.failed_references = 0;
                    cycle.counts.succeeded = 0;
                    cycle.page.failed.failed = 0;
                    cycle.page.failed.failed_references = 0;
                }
                self.quarantine(job, &mut state, reason, error).await?;
            }
            None => {
                let next = state.quarantine.as_ref().map(|quarantine| quarantine.next_attempt);
                state.next_run_at = Some(next.filter(|next| *next > now).unwrap_or_else(|| later(now, job)));
            }
        }
        let commit = Commit { state: Some((job.id.clone(), state.clone())), ..Commit::default() };
        self.store.commit(&commit).await?;
        Ok(state)
    }

    /// Puts a job into quarantine, or notes that the quarantine goes on. The audit log gets a record of its beginning.
    async fn quarantine(
        &self,
        job: &Job,
        state: &mut JobState,
        reason: QuarantineReason,
        error: RunError,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let is_news = state.quarantine.as_ref().is_none_or(|before| before.reason != reason);
        let quarantine = quarantine::enter(state.quarantine.as_ref(), reason, error, now);
        tracing::warn!(job.id = %job.id, reason = reason.as_str(), "the job is in quarantine");
        if is_news {
            self.store.add_audit(&self.quarantined(job, reason)).await?;
        }
        state.has_given_up = quarantine.is_hopeless(now);
        state.next_run_at = Some(quarantine.next_attempt);
        state.quarantine = Some(quarantine);
        Ok(())
    }

    /// The record of a quarantine that begins: nobody asked for it but the service itself.
    fn quarantined(&self, job: &Job, reason: QuarantineReason) -> AuditRecord {
        let request = self.clock.guid().to_string();
        AuditRecord {
            id: self.clock.guid().to_string(),
            at: self.clock.now(),
            activity: "Quarantine".to_owned(),
            method: String::new(),
            path: format!("/servicePrincipals/{}/synchronization/jobs/{}", job.service_principal, job.id),
            status: 200,
            reason: Some(reason.as_str().to_owned()),
            app_id: String::new(),
            object_id: String::new(),
            caller: work::service().display_name,
            target: Some(job.id.as_str().to_owned()),
            target_type: "jobs".to_owned(),
            client_request_id: request.clone(),
            request_id: request,
        }
    }
}

/// The next run after one that is over now.
fn later(now: Timestamp, job: &Job) -> Timestamp {
    SignedDuration::try_from(interval(&job.interval))
        .ok()
        .and_then(|interval| now.checked_add(interval).ok())
        .unwrap_or(Timestamp::MAX)
}

/// One object mapping of a rule, with its place in the order of the job: groups come after everybody else.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) rule: Arc<RuleProgram>,
    pub(crate) mapping: usize,
    /// The name of its watermark.
    pub(crate) key: String,
}

impl Lane {
    pub(crate) fn mapping(&self) -> &MappingProgram {
        &self.rule.mappings[self.mapping]
    }
}

pub(crate) fn lanes(job: &Job, prepared: &PreparedJob) -> Result<Vec<Lane>, CaseError> {
    let mut lanes = Vec::new();
    let source = prepared.schema.synchronization_rules.first().map(|rule| rule.source_directory_name.clone());
    for rule in &prepared.schema.synchronization_rules {
        if Some(&rule.source_directory_name) != source.as_ref() {
            tracing::info!(job.id = %job.id, rule.id = %rule.id, "the rule flows the other way; cycles leave it out");
            continue;
        }
        let rule = prepared.rule(&job.id, &rule.id)?;
        for mapping in 0..rule.mappings.len() {
            let key = format!("{}\n{}", rule.id, rule.mappings[mapping].source_type);
            lanes.push(Lane { rule: rule.clone(), mapping, key });
        }
    }
    lanes.sort_by_key(|lane| lane.mapping().source_type.eq_ignore_ascii_case("group"));
    Ok(lanes)
}

/// How a run ended.
enum End {
    /// The cycle is over.
    Finished,
    /// Somebody paused the job; the cycle goes on at the next start.
    Stopped,
}

/// Why a run broke off.
enum Broke {
    /// A directory failed for the moment; the next run goes on where this one was.
    Failed(RunError),
    /// Something that only people can mend.
    Quarantined(QuarantineReason, RunError),
    /// The source does not know the watermark any more: a cycle that reads everything begins.
    Expired(RunError),
    /// The store failed.
    Store(CaseError),
}

impl Broke {
    fn quarantined(code: &str, message: String) -> Self {
        let error = RunError { code: code.into(), message, is_tenant_actionable: true };
        Self::Quarantined(QuarantineReason::EncounteredQuarantineException, error)
    }

    /// The target failed while it was tested. What only people can mend leads to quarantine at once; no answer does when
    /// it has become a habit.
    fn target(error: &ConnectorError, is_habit: bool) -> Self {
        let is_for_people =
            !matches!(error.kind, ConnectorErrorKind::Unreachable | ConnectorErrorKind::Throttled);
        let run_error = RunError {
            code: error.code.clone(),
            message: error.message.clone(),
            is_tenant_actionable: is_for_people,
        };
        if is_habit || is_for_people {
            Self::Quarantined(QuarantineReason::EncounteredQuarantineException, run_error)
        } else {
            Self::Failed(run_error)
        }
    }

    fn source(error: &ConnectorError) -> Self {
        let run_error = RunError {
            code: error.code.clone(),
            message: error.message.clone(),
            is_tenant_actionable: error.kind == ConnectorErrorKind::Unauthorised,
        };
        match error.kind {
            ConnectorErrorKind::NotFound => Self::Expired(run_error),
            ConnectorErrorKind::Unauthorised => {
                Self::Quarantined(QuarantineReason::EncounteredQuarantineException, run_error)
            }
            _ => Self::Failed(run_error),
        }
    }
}

impl From<CaseError> for Broke {
    fn from(error: CaseError) -> Self {
        Self::Store(error)
    }
}

impl From<StoreError> for Broke {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

/// A run under way.
struct CycleRun<'a> {
    engine: &'a Engine,
    control: &'a control::Control,
    job: &'a Job,
    service_principal: &'a Entry,
    prepared: &'a Arc<PreparedJob>,
    lanes: &'a [Lane],
    target: &'a Arc<Target>,
    concurrency: usize,
    target_failures_in_a_row: u64,
    /// How much of the page was done when progress was last made durable, and when that was.
    saved: (usize, Timestamp),
    state: JobState,
}

impl CycleRun<'_> {
    async fn go(&mut self) -> Result<End, Broke> {
        self.test_connection(true).await?;
        match self.pass().await {
            Err(Broke::Expired(error)) => {
                tracing::info!(
                    job.id = %self.job.id, code = %error.code,
                    "everything is read again: {}", error.message
                );
                self.state.forget_watermarks();
                // Once: a source that forgets again at once is asked at the next interval.
                self.pass().await
            }
            other => other,
        }
    }

    /// Goes through the stages of a cycle, from where it is.
    async fn pass(&mut self) -> Result<End, Broke> {
        self.begin().await?;
        loop {
            if self.control.is_stopped() {
                return Ok(End::Stopped);
            }
            let is_over = match self.cycle().position.clone() {
                Position::Import { mapping, cursor } => self.import(mapping, cursor).await?,
                Position::Sweep { mapping, after } => self.sweep(mapping, after).await?,
                Position::Escrows { after } => self.escrows(after).await?,
                Position::Deprovision { after } => self.deprovision(after).await?,
                Position::Freed { after } => self.freed(after).await?,
                Position::References { after } => self.references(after).await?,
            };
            if is_over {
                self.finish().await?;
                return Ok(End::Finished);
            }
        }
    }

    fn cycle(&self) -> &Cycle {
        self.state.cycle.as_ref().expect("begin makes a cycle, and only finish takes it away")
    }

    fn cycle_mut(&mut self) -> &mut Cycle {
        self.state.cycle.as_mut().expect("begin makes a cycle, and only finish takes it away")
    }

    /// Asks the target for an object that cannot exist.
    async fn test_connection(&self, is_start: bool) -> Result<(), Broke> {
        let Some(lane) = self.lanes.first() else { return Ok(()) };
        let is_habit = is_start
            && (self.state.quarantine.is_some() || self.state.complete_failures_in_a_row + 1 >= HABIT);
        crate::cases::on_demand::test_connection(self.engine, self.target, lane.mapping())
            .await
            .map_err(|error| Broke::target(&error, is_habit))
    }

    /// Goes on with the cycle there is, unless the schema has changed since; else begins one. Watermarks are fixed
    /// here, before anything is read.
    async fn begin(&mut self) -> Result<(), Broke> {
        let fingerprint = self.prepared.fingerprint().clone();
        if self.state.schema.as_ref().is_some_and(|schema| *schema != fingerprint) {
            self.state.forget_watermarks();
        }
        self.state.schema = Some(fingerprint);
        if let Some(cycle) = &mut self.state.cycle {
            // What failed in the page where the last run ended is tried again, and counted then.
            cycle.counts = cycle.counts.without(std::mem::take(&mut cycle.page.failed));
            return Ok(());
        }
        let mut watermarks = BTreeMap::new();
        for lane in self.lanes {
            let watermark = self
                .prepared
                .source
                .watermark(&lane.mapping().source_type)
                .await
                .map_err(|error| Broke::source(&error))?;
            watermarks.insert(lane.key.clone(), watermark);
        }
        let has_deltas = self.prepared.source.capabilities().deltas;
        let kind = if has_deltas { self.state.next_kind() } else { CycleKind::Initial };
        self.state.cycles += 1;
        self.state.cycle = Some(Cycle {
            id: format_smolstr!("{}", self.engine.clock.guid()),
            number: self.state.cycles,
            kind,
            began_at: self.engine.clock.now(),
            watermarks,
            position: Position::START,
            counts: Default::default(),
            total: None,
            forces_deletes: self.state.forces_deletes,
            was_held_back: false,
            page: Default::default(),
        });
        let mut commit = self.commit();
        if kind == CycleKind::Initial {
            // Everything comes up again, and with it what is to be disabled or deleted.
            commit.clear.push((self.job.id.clone(), Clear::Held));
        }
        self.engine.store.commit(&commit).await?;
        self.tell_unwritten().await?;
        tracing::info!(job.id = %self.job.id, cycle.id = %self.cycle().id, kind = kind.as_str(), "a cycle begins");
        Ok(())
    }

    fn commit(&self) -> Commit {
        Commit { state: Some((self.job.id.clone(), self.state.clone())), ..Commit::default() }
    }

    /// Makes the position durable. All results before it are durable already.
    async fn move_to(&mut self, position: Position) -> Result<(), Broke> {
        let cycle = self.cycle_mut();
        cycle.position = position;
        cycle.page = Default::default();
        self.engine.store.commit(&self.commit()).await?;
        Ok(())
    }

    /// The cycle is over: its watermarks become the job's, together with everything else that it leads to.
    async fn finish(&mut self) -> Result<(), Broke> {
        let now = self.engine.clock.now();
        let escrowed = self.engine.store.count_escrows(&self.job.id).await?;
        let cycle = self.state.cycle.take().expect("finish is called once, with a cycle");
        let has_failures = cycle.counts.failed + cycle.counts.failed_references > 0;
        let execution = Execution {
            id: cycle.id.clone(),
            kind: cycle.kind,
            counts: cycle.counts,
            escrowed,
            state: if has_failures || escrowed > 0 {
                ExecutionState::EntryLevelErrors
            } else {
                ExecutionState::Succeeded
            },
            error: None,
            began_at: cycle.began_at,
            ended_at: now,
        };
        let state = &mut self.state;
        state.watermarks = cycle.watermarks;
        state.last_execution = Some(execution.clone());
        state.complete_failures_in_a_row = 0;
        if cycle.forces_deletes {
            state.forces_deletes = false;
        }
        if execution.state == ExecutionState::Succeeded {
            if cycle.counts.exported > 0 {
                state.last_successful_execution_with_exports = Some(execution.clone());
            }
            state.last_successful_execution = Some(execution);
        }
        let reason = if cycle.was_held_back {
            Some((
                QuarantineReason::TooManyDeletes,
                "more accounts would be disabled or deleted than the threshold allows; look at the staged deletions in the provisioning log, then restart with the reset scope ForceDeletes, or correct the cause",
            ))
        } else {
            quarantine::judge(&cycle.counts).map(|reason| {
                (reason, "too many objects failed; look at the failures in the provisioning log")
            })
        };
        match reason {
            Some((reason, message)) => {
                let error = RunError {
                    code: reason.as_str().into(),
                    message: message.to_owned(),
                    is_tenant_actionable: true,
                };
                self.engine.quarantine(self.job, &mut self.state, reason, error).await?;
            }
            None => {
                state.quarantine = None;
                state.next_run_at = Some(later(now, self.job));
                if escrowed == 0 {
                    state.steady_first_at.get_or_insert(now);
                    state.steady_last_at = Some(now);
                }
            }
        }
        self.engine.store.commit(&self.commit()).await?;
        tracing::info!(
            job.id = %self.job.id,
            cycle.id = %cycle.id,
            kind = cycle.kind.as_str(),
            imported = cycle.counts.imported,
            exported = cycle.counts.exported,
            failed = cycle.counts.failed + cycle.counts.failed_references,
            "a cycle is over"
        );
        Ok(())
    }
}
