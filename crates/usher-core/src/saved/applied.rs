//! What came of applying a plan.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::difference::Difference;
use crate::ports::Exchange;
use crate::{Action, Anchor, Failure};

/// How far the application of a plan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Nothing of it was applied.
    #[default]
    Planned,
    /// It is under way, or was when the service ended; applying it again goes on there.
    Applying,
    /// It stopped at a difference or a failure; applying it again goes on there.
    Stopped,
    /// All of it was applied.
    Applied,
    /// Somebody deleted it: it must not be applied, whoever still has the document.
    Deleted,
}

/// What is remembered of the application of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// How far it is.
    pub state: State,
    /// So many of its objects are done.
    pub done: usize,
}

/// What came of one application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// The plan.
    pub plan: SmolStr,
    /// How it ended.
    pub state: State,
    /// The objects that this application came to, in order; where it stopped, the last. Objects for which the plan has
    /// nothing because they failed when it was made are told each time.
    pub objects: Vec<AppliedObject>,
    /// So many objects of the plan are done, those of earlier applications included.
    pub done: usize,
    /// So many objects the plan has.
    pub total: usize,
}

impl Applied {
    /// Whether nothing is left: all was applied, and there was no object that the plan could do nothing for.
    pub fn is_complete(&self) -> bool {
        self.state == State::Applied
            && self.objects.iter().all(|object| object.outcome != Outcome::NotPlanned)
    }
}

/// What came of one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedObject {
    /// The source object's name in the schema.
    pub source_type: SmolStr,
    /// The source object.
    pub source_anchor: Anchor,
    /// The name people know it by.
    pub reportable: String,
    /// What was planned.
    pub action: Action,
    /// How it went.
    pub outcome: Outcome,
    /// The target object.
    pub target_anchor: Option<Anchor>,
    /// What was sent and what came back, as it may be shown.
    pub requests: Vec<Exchange>,
    /// What was not as planned.
    pub differences: Vec<Difference>,
    /// What failed.
    pub failure: Option<Failure>,
}

/// How it went with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// What was planned was sent.
    Done,
    /// An interrupted application had sent it already.
    AlreadyDone,
    /// It is not as planned: nothing was sent.
    Refused,
    /// The target refused, or did not answer.
    Failed,
    /// It failed when the plan was made, so the plan has nothing for it.
    NotPlanned,
}
