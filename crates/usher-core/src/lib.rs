//! Everything Usher decides: the synchronization schema, the steps, the plan. Synchronous and deterministic.

pub mod codes;
pub mod operators;
pub mod planner;
pub mod ports;
pub mod program;
pub mod schema;
pub mod steps;
pub mod templates;

mod entry;
mod event;
mod facts;
mod ids;
mod job;
mod object;
mod plan;
mod secret;

pub use entry::{AppRoleAssignment, Entry, EntryKind, Link, Relation};
pub use event::{Identity, Initiator, ProvisioningEvent, TimedStep};
pub use facts::{Answer, Facts, NamedReference, Question, References};
pub use ids::{Anchor, AssignmentId, EntryId, JobId, RuleId};
pub use job::{Job, Pairing, ScheduleState};
pub use object::{AttributeSet, DirectoryObject};
pub use plan::{
    Action, AttributeChange, Change, ErrorCategory, Failure, ModifiedProperty, Operation, OperationKind,
    PairingEffect, Plan, Skip, SkipReason, Status, Step, StepKind,
};
pub use secret::Secret;
