//! Cycles: one run of a job, from where it is to the end of a cycle, resumable after every page.
//!
//! A cycle goes through stages, each over before the next begins: import, sweep (initial cycles), escrows, deprovision,
//! references. Nothing is disabled or deleted before everything to disable or delete is known and was counted.

mod broke;
pub(crate) mod control;
mod reading;
pub(crate) mod stages;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use smol_str::format_smolstr;
use usher_core::cycle::{Cycle, CycleKind, Execution, ExecutionState, JobState, Position};
use usher_core::ports::{Clear, Commit, ConnectorError, ConnectorErrorKind};
use usher_core::program::{MappingProgram, RuleProgram};
use usher_core::quarantine::{self, QuarantineReason, RunError};
use usher_core::{CONCURRENCY_SETTING, Entry, EntryKind, Job, JobId, ResetScope, ScheduleState};

use broke::Broke;
pub use control::{Runs, StopOrder};
use reading::Ahead;

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
        if self.runs.is_closing() {
            return Ok(self.store.job_state(id).await?.unwrap_or_default());
        }
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
        if let Some(until) = state.throttled_until.take() {
            // Another target has said nothing.
            if until > began_at && prepared.fits(&state) {
                state.throttled_until = Some(until);
                self.wait_for_target(&job, &mut state, until).await?;
                return Ok(state);
            }
        }
        let most = job
            .setting(CONCURRENCY_SETTING)
            .and_then(|text| text.parse().ok())
            .map_or(CONCURRENCY, |most: usize| most.clamp(1, 256));
        let pace = Arc::new(Pace::new(most, control.stop_order()));
        let target = Arc::new(Target::in_cycle(prepared.target.clone(), self.clock.clone(), pace));
        let mut run = CycleRun {
            engine: self,
            job: &job,
            service_principal: &service_principal,
            prepared: &prepared,
            lanes: &lanes,
            target: &target,
            concurrency: most.saturating_mul(UNDER_WAY),
            target_failures_in_a_row: 0,
            saved: (0, began_at),
            ahead: None,
            state: std::mem::take(&mut state),
        };
        match run.go().await {
            Ok(()) | Err(Broke::Stopped) => Ok(run.state),
            Err(Broke::Store(error)) => Err(error),
            Err(broke) => {
                let state = std::mem::take(&mut run.state);
                self.break_off(&job, state, began_at, broke).await
            }
        }
    }

    /// The kind of a job's next cycle. Whoever referred to an account that was deleted has lost it there, and shows no
    /// change in the source when there is another: everybody is looked at again once such an object has come back.
    pub(crate) async fn next_kind(
        &self,
        job: &Job,
        state: &JobState,
        prepared: &PreparedJob,
    ) -> Result<CycleKind, CaseError> {
        if !prepared.source.capabilities().deltas || !prepared.fits(state) {
            return Ok(CycleKind::Initial);
        }
        let lanes = lanes(job, prepared)?;
        let mut attributes = lanes.iter().flat_map(|lane| &lane.mapping().attributes);
        let maps_references = attributes.any(|attribute| attribute.is_reference());
        if maps_references && self.store.has_returned(&job.id).await? {
            return Ok(CycleKind::Initial);
        }
        Ok(state.next_kind())
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

/// A run under way.
struct CycleRun<'a> {
    engine: &'a Engine,
    job: &'a Job,
    service_principal: &'a Entry,
    prepared: &'a Arc<PreparedJob>,
    lanes: &'a [Lane],
    target: &'a Arc<Target>,
    concurrency: usize,
    target_failures_in_a_row: u64,
    /// How much of the page was done when progress was last made durable, and when that was.
    saved: (usize, Timestamp),
    /// The next page of the source, while this one is worked on.
    ahead: Option<Ahead>,
    state: JobState,
}

impl CycleRun<'_> {
    async fn go(&mut self) -> Result<(), Broke> {
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
    async fn pass(&mut self) -> Result<(), Broke> {
        self.begin().await?;
        loop {
            if self.target.is_halted() {
                return Err(self.halted());
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
                return Ok(());
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
        crate::cases::on_demand::test_connection(self.engine, self.target, lane.mapping()).await.map_err(
            |error| match error.kind {
                ConnectorErrorKind::Stopped => self.halted(),
                _ => Broke::target(&error, is_habit),
            },
        )
    }

    /// Why the run is to end.
    fn halted(&self) -> Broke {
        self.target.closed_until().map_or(Broke::Stopped, Broke::Throttled)
    }

    /// What the source answers, unless the run is to end first: reading again costs nothing.
    async fn ask_source<T>(
        &self,
        question: impl Future<Output = Result<T, ConnectorError>>,
    ) -> Result<T, Broke> {
        match self.target.unless_halted(question).await {
            Ok(answer) => answer.map_err(|error| Broke::source(&error)),
            Err(_) => Err(self.halted()),
        }
    }

    /// Goes on with the cycle there is, unless the schema has changed since; else begins one. Watermarks are fixed
    /// here, before anything is read.
    async fn begin(&mut self) -> Result<(), Broke> {
        if !self.prepared.fits(&self.state) {
            self.state.forget_watermarks();
        }
        // What was read before belongs to the watermarks of then.
        self.ahead = None;
        self.state.schema = Some(self.prepared.fingerprint().clone());
        self.state.connection = Some(self.prepared.place());
        if let Some(cycle) = &mut self.state.cycle {
            // What failed in the page where the last run ended is tried again, and counted then.
            let failed = std::mem::take(&mut cycle.page.failed);
            cycle.counts = cycle.counts.without(failed);
            cycle.mapping = cycle.mapping.without(failed);
            return Ok(());
        }
        let mut watermarks = BTreeMap::new();
        for lane in self.lanes {
            let source = &self.prepared.source;
            let watermark = self.ask_source(source.watermark(&lane.mapping().source_type)).await?;
            watermarks.insert(lane.key.clone(), watermark);
        }
        let kind = self.engine.next_kind(self.job, &self.state, self.prepared).await?;
        if kind == CycleKind::Initial {
            self.state.forget_watermarks();
        }
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
            mapping: Default::default(),
        });
        let mut commit = self.commit();
        if kind == CycleKind::Initial {
            // Everything comes up again, and with it what is to be disabled or deleted.
            commit.clear.push((self.job.id.clone(), Clear::Held));
            // And with it who refers to objects that have come back.
            commit.clear.push((self.job.id.clone(), Clear::Returned));
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
        let execution = Execution {
            id: cycle.id.clone(),
            kind: cycle.kind,
            counts: cycle.counts,
            escrowed,
            // What failed and came out right within the same run waits no more.
            state: if escrowed > 0 { ExecutionState::EntryLevelErrors } else { ExecutionState::Succeeded },
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
