//! Cycles: one pass of a job over all objects (initial) or over the changed ones (incremental), and what the job
//! remembers from one to the next.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::ports::Watermark;
use crate::quarantine::{Quarantine, RunError};
use crate::{Anchor, ResetScope};

/// Which objects a cycle looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CycleKind {
    /// All objects.
    Initial,
    /// The objects that changed since the watermark.
    Incremental,
}

impl CycleKind {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Incremental => "incremental",
        }
    }
}

/// How far a cycle is. Each stage is over before the next begins; everything before the position is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Position {
    /// Reading the source, mapping by mapping, page by page.
    Import {
        /// The place of the object mapping in the order of the job.
        mapping: usize,
        /// The source's cursor; `None` at the first page.
        cursor: Option<SmolStr>,
    },
    /// Initial cycles only: pairings whose source object did not come up.
    Sweep {
        /// The place of the object mapping.
        mapping: usize,
        /// The last one looked at.
        after: Option<Anchor>,
    },
    /// Objects that failed before and are due.
    Escrows {
        /// The last one looked at.
        after: Option<(SmolStr, Anchor)>,
    },
    /// Everything to disable or delete is known and was counted; it is carried out.
    Deprovision {
        /// The last one looked at.
        after: Option<(SmolStr, Anchor)>,
    },
    /// Objects that another one kept from an account which may be deleted by now.
    Freed {
        /// The last one looked at.
        after: Option<(SmolStr, Anchor)>,
    },
    /// Objects whose references have appeared by now.
    References {
        /// The last one looked at.
        after: Option<(SmolStr, Anchor)>,
    },
}

impl Position {
    /// The beginning of a cycle.
    pub const START: Self = Self::Import { mapping: 0, cursor: None };
}

/// What a cycle has counted (Graph `synchronizationTaskExecution`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Objects read from the source.
    pub imported: u64,
    /// Of these, changes in an incremental cycle.
    pub imported_deltas: u64,
    /// Objects looked at again because a reference appeared.
    pub imported_reference_deltas: u64,
    /// Objects assigned to the application and in use.
    pub entitled: u64,
    /// Of these, the ones that passed the scoping filters.
    pub entitled_for_provisioning: u64,
    /// Objects that needed a write.
    pub exports: u64,
    /// Objects that were written.
    pub exported: u64,
    /// Objects that came out right, written or not.
    pub succeeded: u64,
    /// Objects that failed.
    pub failed: u64,
    /// Objects of which only references failed.
    pub failed_references: u64,
    /// Accounts disabled or deleted.
    pub deprovisioned: u64,
}

impl Counts {
    /// What is left when something counted is taken back.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self {
            imported: self.imported.saturating_sub(other.imported),
            imported_deltas: self.imported_deltas.saturating_sub(other.imported_deltas),
            imported_reference_deltas: self
                .imported_reference_deltas
                .saturating_sub(other.imported_reference_deltas),
            entitled: self.entitled.saturating_sub(other.entitled),
            entitled_for_provisioning: self
                .entitled_for_provisioning
                .saturating_sub(other.entitled_for_provisioning),
            exports: self.exports.saturating_sub(other.exports),
            exported: self.exported.saturating_sub(other.exported),
            succeeded: self.succeeded.saturating_sub(other.succeeded),
            failed: self.failed.saturating_sub(other.failed),
            failed_references: self.failed_references.saturating_sub(other.failed_references),
            deprovisioned: self.deprovisioned.saturating_sub(other.deprovisioned),
        }
    }

    /// What is counted of objects once more when they are read once more; writes are not sent again.
    #[must_use]
    pub fn of_reading(self) -> Self {
        Self { exports: 0, exported: 0, deprovisioned: 0, ..self }
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            imported: self.imported + other.imported,
            imported_deltas: self.imported_deltas + other.imported_deltas,
            imported_reference_deltas: self.imported_reference_deltas + other.imported_reference_deltas,
            entitled: self.entitled + other.entitled,
            entitled_for_provisioning: self.entitled_for_provisioning + other.entitled_for_provisioning,
            exports: self.exports + other.exports,
            exported: self.exported + other.exported,
            succeeded: self.succeeded + other.succeeded,
            failed: self.failed + other.failed,
            failed_references: self.failed_references + other.failed_references,
            deprovisioned: self.deprovisioned + other.deprovisioned,
        }
    }
}

/// A cycle under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cycle {
    /// Identifies the run; all its events share it.
    pub id: SmolStr,
    /// Counts the cycles of a job; marks the pairings that came up in it.
    pub number: u64,
    /// Which objects it looks at.
    pub kind: CycleKind,
    /// When it began.
    pub began_at: Timestamp,
    /// The watermarks that it ends with, fixed before anything was read.
    pub watermarks: BTreeMap<String, Watermark>,
    /// How far it is.
    pub position: Position,
    /// What it has counted.
    pub counts: Counts,
    /// How many objects the source has, where it can tell.
    pub total: Option<u64>,
    /// Deletions are carried out whatever their number.
    pub forces_deletes: bool,
    /// The guard held deletions back.
    pub was_held_back: bool,
    /// What is done of the page at the position.
    #[serde(default)]
    pub page: PageProgress,
    /// What the objects of the mapping that is read have added to the counts.
    #[serde(default)]
    pub mapping: Counts,
}

/// What is done of a page that is not finished: a run that goes on there does not do it again, nor count it twice.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PageProgress {
    /// The objects that came out right or were put aside.
    pub done: Vec<(SmolStr, Anchor)>,
    /// What the others, which a run that goes on tries again, have added to the counts.
    pub failed: Counts,
    /// The total of the source includes what this page tells.
    pub is_in_total: bool,
}

/// How a run ended (Graph `synchronizationTaskExecutionResult`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionState {
    /// All objects came out right.
    Succeeded,
    /// The run broke off.
    Failed,
    /// Some objects failed.
    EntryLevelErrors,
}

/// A run that is over (Graph `synchronizationTaskExecution`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// The cycle's id.
    pub id: SmolStr,
    /// Which objects it looked at.
    pub kind: CycleKind,
    /// What it counted.
    pub counts: Counts,
    /// Objects that wait for another try.
    pub escrowed: u64,
    /// How it ended.
    pub state: ExecutionState,
    /// What broke it off.
    pub error: Option<RunError>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// What a job remembers from run to run. Only the run itself writes it, together with the results that it covers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobState {
    /// The newest restart request that was carried out.
    pub applied_restart: u64,
    /// How far the source was read, by object mapping. Empty before the first cycle is over.
    pub watermarks: BTreeMap<String, Watermark>,
    /// The cycle under way, also when it was interrupted.
    pub cycle: Option<Cycle>,
    /// How many cycles have begun.
    pub cycles: u64,
    /// The next cycle carries out deletions whatever their number.
    pub forces_deletes: bool,
    /// Fingerprint of the schema that the watermarks belong to.
    pub schema: Option<SmolStr>,
    /// Fingerprint of the connections, credentials left out, that the watermarks belong to.
    pub connection: Option<SmolStr>,
    /// The last run.
    pub last_execution: Option<Execution>,
    /// The last run without errors.
    pub last_successful_execution: Option<Execution>,
    /// The last run without errors that wrote something.
    pub last_successful_execution_with_exports: Option<Execution>,
    /// Runs in a row that broke off.
    pub complete_failures_in_a_row: u64,
    /// The quarantine.
    pub quarantine: Option<Quarantine>,
    /// When a cycle first had nothing left to do.
    pub steady_first_at: Option<Timestamp>,
    /// When a cycle last had nothing left to do.
    pub steady_last_at: Option<Timestamp>,
    /// When the next run is due; `None` means now.
    pub next_run_at: Option<Timestamp>,
    /// The target wants to be left alone until then, whoever asks for a run.
    pub throttled_until: Option<Timestamp>,
    /// Four weeks of quarantine are over: the job has stopped.
    pub has_given_up: bool,
}

impl JobState {
    /// The state after a restart. What is kept outside the state (pairings, escrows) is the store's to clear.
    #[must_use]
    pub fn reset(mut self, number: u64, scope: ResetScope) -> Self {
        self.applied_restart = number;
        self.next_run_at = None;
        self.has_given_up = false;
        if scope.contains(ResetScope::QUARANTINE_STATE) {
            self.quarantine = None;
            self.complete_failures_in_a_row = 0;
        }
        if scope.contains(ResetScope::WATERMARK) || scope.contains(ResetScope::CONNECTOR_DATA_STORE) {
            // Without pairings an incremental cycle would miss what did not change.
            self.forget_watermarks();
        }
        if scope.contains(ResetScope::FORCE_DELETES) {
            self.forces_deletes = true;
            if self
                .quarantine
                .as_ref()
                .is_some_and(|one| one.reason == crate::QuarantineReason::TooManyDeletes)
            {
                self.quarantine = None;
            }
        }
        self
    }

    /// The next cycle reads everything.
    pub fn forget_watermarks(&mut self) {
        self.watermarks.clear();
        self.cycle = None;
    }

    /// The kind of the next cycle.
    pub fn next_kind(&self) -> CycleKind {
        if self.watermarks.is_empty() { CycleKind::Initial } else { CycleKind::Incremental }
    }
}

/// The guard against accidental deletion: how many accounts one cycle may disable and delete together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeletionGuard {
    /// The most; `None` means no limit.
    pub threshold: Option<u64>,
}

impl DeletionGuard {
    /// Whether so many may be carried out.
    pub fn allows(self, count: u64) -> bool {
        self.threshold.is_none_or(|threshold| count <= threshold)
    }
}
