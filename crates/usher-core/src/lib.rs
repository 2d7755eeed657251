//! Everything Usher decides: the synchronization schema, the steps, the plan. Synchronous and deterministic.

pub mod codes;
pub mod cycle;
pub mod escrow;
pub mod exchanges;
pub mod explain;
pub mod operators;
pub mod planner;
pub mod ports;
pub mod program;
pub mod quarantine;
pub mod recording;
pub mod saved;
pub mod schema;
pub mod steps;
pub mod templates;
pub mod trial;

mod audit;
mod entry;
mod event;
mod facts;
mod ids;
mod job;
mod object;
mod plan;
mod reset;
mod secret;

pub use audit::AuditRecord;
pub use cycle::{Counts, Cycle, CycleKind, DeletionGuard, Execution, ExecutionState, JobState, Position};
pub use entry::{AppRoleAssignment, Entry, EntryKind, Link, Relation};
pub use escrow::Escrow;
pub use event::{Identity, Initiator, ProvisioningEvent, TimedStep};
pub use facts::{Answer, Facts, NamedReference, Question, References, SentCreate};
pub use ids::{Anchor, AssignmentId, EntryId, JobId, RuleId};
pub use job::{
    CONCURRENCY_SETTING, Job, Pairing, RestartRequest, SETTINGS, ScheduleState, THRESHOLD_SETTING,
    setting_problem,
};
pub use object::{AttributeSet, DirectoryObject};
pub use plan::{
    Action, AttributeChange, Change, ErrorCategory, Failure, ModifiedProperty, Operation, OperationKind,
    PairingEffect, Plan, Skip, SkipReason, Status, Step, StepKind,
};
pub use quarantine::{Quarantine, QuarantineReason, RunError};
pub use reset::ResetScope;
pub use secret::Secret;
