//! Many subjects at once: bounded, counted, and stopped when the target as a whole fails.

use std::collections::{BTreeMap, HashSet};
use std::panic;
use std::sync::Arc;

use smol_str::SmolStr;
use tokio::task::{JoinError, JoinSet};
use usher_core::cycle::{Counts, CycleKind, Position};
use usher_core::ports::{ConnectorError, ConnectorErrorKind, SubjectKey};
use usher_core::quarantine::{self, RunError};
use usher_core::{Anchor, Entry, Initiator, Job, JobId, References, Status};

use super::{Broke, CycleRun, Lane};
use crate::Engine;
use crate::cases::CaseError;
use crate::prepared::PreparedJob;
use crate::subject::{Imported, Mode, Run, Worked};
use crate::target::Target;

/// Progress within a page is made durable after so many objects, or so many milliseconds.
const SAVED_EVERY: (usize, i128) = (100, 1000);

/// The code of what a source knows of, but does not give.
const NOT_FOUND: &str = "EntryNotFound";

/// One object to work on.
pub(super) struct Item {
    pub(super) lane: Lane,
    pub(super) what: What,
    /// A disabling or deletion is put aside until all are counted.
    pub(super) holds: bool,
}

/// What is known of it.
pub(super) enum What {
    /// A page of the source held it.
    Read(Box<Imported>),
    /// Only its anchor: it is read first.
    Named(Anchor),
    /// The source tells of it and cannot give it yet.
    Unsettled(Anchor),
}

impl Item {
    fn key(&self) -> (SmolStr, Anchor) {
        let anchor = match &self.what {
            What::Read(imported) => &imported.anchor,
            What::Named(anchor) | What::Unsettled(anchor) => anchor,
        };
        (self.lane.mapping().source_type.clone(), anchor.clone())
    }

    pub(super) fn subject(&self, job: &JobId) -> SubjectKey {
        let (source_type, source_anchor) = self.key();
        SubjectKey { job: job.clone(), source_type, source_anchor }
    }
}

/// Why the work on one object cannot go on.
enum Stop {
    /// The run is to end: the object is as it was, and the next run's.
    Halted,
    Case(CaseError),
    Source(ConnectorError),
}

impl From<CaseError> for Stop {
    fn from(error: CaseError) -> Self {
        match error {
            CaseError::Connection(error) if error.kind == ConnectorErrorKind::Stopped => Self::Halted,
            error => Self::Case(error),
        }
    }
}

impl CycleRun<'_> {
    /// Works on all items. When the run is to end, what is being written is finished, and the rest stays as it is.
    pub(super) async fn work_all(&mut self, items: Vec<Item>) -> Result<(), Broke> {
        let run = Arc::new(Shared {
            engine: self.engine.clone(),
            job: self.job.clone(),
            service_principal: self.service_principal.clone(),
            prepared: self.prepared.clone(),
            target: self.target.clone(),
            cycle: self.cycle().id.clone(),
            mode: Mode::Cycle {
                number: self.cycle().number,
                kind: self.cycle().kind,
                is_quarantined: self.state.quarantine.is_some(),
            },
        });
        let done: HashSet<(SmolStr, Anchor)> = self.cycle().page.done.iter().cloned().collect();
        self.saved = (done.len(), self.engine.clock.now());
        // An earlier run came as far as here.
        let mut items = items;
        items.retain(|item| !done.contains(&item.key()));
        let subjects: Vec<SubjectKey> = items.iter().map(|item| item.subject(&self.job.id)).collect();
        self.engine.store.remember_ahead(&subjects).await?;
        let mut items = items.into_iter();
        // On all processors. Whoever drops the run drops these with it.
        let mut under_way = JoinSet::new();
        let mut broke = None;
        let mut is_whole = true;
        loop {
            while broke.is_none() && under_way.len() < self.concurrency && !self.target.is_halted() {
                let Some(item) = items.next() else { break };
                under_way.spawn(run.clone().work(item));
            }
            // What is in flight is finished, whatever happened.
            let Some(ended) = under_way.join_next().await else { break };
            let (key, outcome) = match ended.map_err(JoinError::try_into_panic) {
                Ok(ended) => ended,
                Err(Ok(panic)) => {
                    // Nobody else is at work any more when the next run may begin.
                    under_way.shutdown().await;
                    panic::resume_unwind(panic);
                }
                Err(Err(_)) => {
                    return Err(Broke::Failed(RunError {
                        code: "Stopped".into(),
                        message: "the service is shutting down; the next run goes on here".to_owned(),
                        is_tenant_actionable: false,
                    }));
                }
            };
            let judged = match outcome {
                Ok(worked) => self.tally(key, &worked).await,
                Err(Stop::Halted) => {
                    is_whole = false;
                    Ok(())
                }
                Err(Stop::Case(error)) => Err(Broke::Store(error)),
                Err(Stop::Source(error)) => Err(Broke::source(&error)),
            };
            if let Err(error) = judged
                && broke.is_none()
            {
                broke = Some(error);
            }
        }
        match broke {
            Some(broke) => Err(broke),
            None if is_whole && items.len() == 0 => Ok(()),
            None => {
                self.save_progress().await?;
                Err(self.halted())
            }
        }
    }

    /// Counts what came of an object. When the target fails again and again it is tested: an object's failure never
    /// stops a cycle, a failing target does.
    async fn tally(&mut self, key: (SmolStr, Anchor), worked: &Worked) -> Result<(), Broke> {
        let cycle = self.cycle_mut();
        let counted = count(&cycle.position, cycle.kind, worked);
        cycle.counts = cycle.counts.with(counted);
        if matches!(cycle.position, Position::Import { .. }) {
            cycle.mapping = cycle.mapping.with(counted);
        }
        if worked.event.status == Status::Failure && !worked.is_held {
            cycle.page.failed = cycle.page.failed.with(counted);
        } else {
            cycle.page.done.push(key);
        }
        if let Some(reason) = quarantine::too_many(&cycle.counts) {
            let error = RunError {
                code: reason.as_str().into(),
                message: "too many objects failed; look at the failures in the provisioning log".to_owned(),
                is_tenant_actionable: true,
            };
            return Err(Broke::Quarantined(reason, error));
        }
        let is_telling = matches!(
            worked.target_failure,
            Some(
                ConnectorErrorKind::Unreachable
                    | ConnectorErrorKind::Throttled
                    | ConnectorErrorKind::Unauthorised
                    | ConnectorErrorKind::Protocol
            )
        );
        if !is_telling {
            self.target_failures_in_a_row = 0;
            return self.save_now_and_then().await;
        }
        self.target_failures_in_a_row += 1;
        if self.target_failures_in_a_row.is_power_of_two() {
            self.test_connection(false).await?;
        }
        self.save_now_and_then().await
    }

    /// Whoever watches sees progress within a page, and whoever goes on after a crash counts little twice.
    async fn save_now_and_then(&mut self) -> Result<(), Broke> {
        let (done, at) = self.saved;
        let waited = self.engine.clock.now().duration_since(at).as_millis();
        if self.cycle().page.done.len() < done + SAVED_EVERY.0 && waited < SAVED_EVERY.1 {
            return Ok(());
        }
        self.save_progress().await
    }

    async fn save_progress(&mut self) -> Result<(), Broke> {
        self.saved = (self.cycle().page.done.len(), self.engine.clock.now());
        self.engine.store.commit(&self.commit()).await?;
        Ok(())
    }
}

/// What an object adds to the counts. It is counted as read and entitled where it first comes up.
fn count(position: &Position, kind: CycleKind, worked: &Worked) -> Counts {
    let mut counts = Counts::default();
    match position {
        Position::Import { .. } => {
            counts.imported = 1;
            counts.imported_deltas = u64::from(kind == CycleKind::Incremental);
            if let Some(scope) = &worked.scope {
                let is_assigned = scope.is_active && scope.is_assigned && scope.has_role;
                counts.entitled = u64::from(is_assigned);
                counts.entitled_for_provisioning = u64::from(scope.is_active && scope.is_entitled());
            }
        }
        Position::References { .. } => counts.imported_reference_deltas = 1,
        Position::Sweep { .. }
        | Position::Escrows { .. }
        | Position::Deprovision { .. }
        | Position::Freed { .. } => {}
    }
    if worked.is_held {
        return counts;
    }
    counts.exports = u64::from(worked.needed_write);
    match worked.event.status {
        Status::Failure if worked.is_reference_failure => counts.failed_references = 1,
        Status::Failure => counts.failed = 1,
        _ => {
            counts.succeeded = 1;
            counts.exported = u64::from(worked.needed_write);
            let is_deprovisioned = worked.needed_write
                && matches!(worked.event.action, usher_core::Action::Disable | usher_core::Action::Delete);
            counts.deprovisioned = u64::from(is_deprovisioned);
        }
    }
    counts
}

/// What all items of a cycle share.
struct Shared {
    engine: Engine,
    job: Job,
    service_principal: Entry,
    prepared: Arc<PreparedJob>,
    target: Arc<Target>,
    cycle: SmolStr,
    mode: Mode,
}

impl Shared {
    async fn work(self: Arc<Self>, item: Item) -> ((SmolStr, Anchor), Result<Worked, Stop>) {
        (item.key(), self.outcome(item).await)
    }

    async fn outcome(&self, item: Item) -> Result<Worked, Stop> {
        let run = Run {
            engine: &self.engine,
            job: &self.job,
            service_principal: &self.service_principal,
            prepared: &self.prepared,
            rule: &item.lane.rule,
            target: &self.target,
            cycle: self.cycle.clone(),
            mode: self.mode,
            applies_filters: true,
            initiated_by: service(),
            frozen: None,
            taken: Default::default(),
        };
        let mapping = item.lane.mapping();
        let imported = match item.what {
            What::Read(imported) => *imported,
            What::Named(anchor) => match self
                .target
                .unless_halted(run.import(mapping, anchor.as_str()))
                .await
                .map_err(|_| Stop::Halted)?
            {
                Ok(imported) => imported,
                // The source knows of it, but cannot give it now. That is this object's failure alone.
                Err(error) if error.kind == ConnectorErrorKind::NotFound || error.code == NOT_FOUND => {
                    return Ok(run.put_off(mapping, &anchor).await?);
                }
                Err(error) => return Err(Stop::Source(error)),
            },
            What::Unsettled(anchor) => return Ok(run.put_off(mapping, &anchor).await?),
        };
        Ok(run.work_on(mapping, imported, References::All, &BTreeMap::new(), item.holds).await?)
    }
}

/// Who cycles are logged under (Graph, provisioning log: `initiatedBy`).
pub(super) fn service() -> Initiator {
    Initiator {
        id: String::new(),
        display_name: "Azure AD Provisioning Service".to_owned(),
        initiator_type: "system".to_owned(),
    }
}
