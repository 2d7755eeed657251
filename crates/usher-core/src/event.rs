//! The provisioning log: one event per object and action.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::ports::Exchange;
use crate::{Action, EntryId, Failure, JobId, ModifiedProperty, SkipReason, Status, Step};

/// An object or directory as the log names it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The anchor, or the directory's id.
    pub id: String,
    /// The name people know it by.
    pub display_name: String,
    /// The object's name in the schema; empty for a directory.
    pub identity_type: String,
    /// Further facts, in order.
    pub details: IndexMap<String, String>,
}

/// A step with the instant at which it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimedStep {
    /// The step.
    #[serde(flatten)]
    pub step: Step,
    /// When it ended.
    pub at: Timestamp,
}

/// Who caused an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Initiator {
    /// The caller's application or user id; empty for the service itself.
    pub id: String,
    /// The caller's name.
    pub display_name: String,
    /// `user`, `application` or `system`.
    pub initiator_type: String,
}

/// One record of the provisioning log (Graph `provisioningObjectSummary`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProvisioningEvent {
    /// Identifies the record.
    pub id: SmolStr,
    /// When the work on the object began.
    pub began_at: Timestamp,
    /// When it ended (Graph `activityDateTime`).
    pub ended_at: Timestamp,
    /// The job.
    pub job: JobId,
    /// The run: all events of one cycle or one on-demand request share it.
    pub cycle: SmolStr,
    /// Unique per object and run.
    pub change: SmolStr,
    /// What was done, or would have been.
    pub action: Action,
    /// How it went.
    pub status: Status,
    /// Why it was skipped.
    pub skip_reason: Option<SkipReason>,
    /// The sentence that says why it was skipped.
    pub skip_description: Option<String>,
    /// What went wrong.
    pub failure: Option<Failure>,
    /// Who asked.
    pub initiated_by: Initiator,
    /// The service principal of the application.
    pub service_principal: EntryId,
    /// The service principal's name.
    pub service_principal_name: String,
    /// The source directory.
    pub source_system: Identity,
    /// The target directory.
    pub target_system: Identity,
    /// The source object.
    pub source_identity: Identity,
    /// The target object.
    pub target_identity: Identity,
    /// The name people know the object by (user principal name, mail, group name).
    pub reportable_identifier: String,
    /// The steps, in order.
    pub steps: Vec<TimedStep>,
    /// Attributes before and after.
    pub modified_properties: Vec<ModifiedProperty>,
    /// What was sent and what came back, as far as the log keeps it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Exchange>,
}
