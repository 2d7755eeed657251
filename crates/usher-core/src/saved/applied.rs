//! What came of applying a plan.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::SavedPlan;
use super::difference::Difference;
use crate::ports::Exchange;
use crate::{Action, Anchor, Failure, Status};

/// How far the application of a plan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Nothing of it was applied.
    #[default]
    Planned,
    /// It is under way, or was when the service ended; applying it again goes on there.
    Applying,
    /// It stopped at a difference, or because source or target failed; applying it again goes on there.
    Stopped,
    /// It came past every object, and some of them failed, then or when the plan was made; applying it again tries those
    /// that failed then.
    Incomplete,
    /// All of it was applied; what the deletion guard holds back is no part of it.
    Applied,
    /// Somebody deleted it: it must not be applied, whoever still has the document.
    Deleted,
}

/// What is remembered of the application of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// How far it is.
    pub state: State,
    /// It came past so many of its objects.
    #[serde(alias = "done")]
    pub reached: usize,
    /// The places of those among them that failed, in order; they are tried again.
    #[serde(default)]
    pub failed: Vec<usize>,
    /// The places of those for which nothing was ever sent: whatever is as planned there, somebody else did it.
    #[serde(default)]
    pub untouched: Vec<usize>,
}

impl Progress {
    /// How many objects are done.
    pub fn done(&self) -> usize {
        self.reached - self.failed.len().min(self.reached)
    }

    /// Whether an object is still to be worked on.
    pub fn awaits(&self, place: usize) -> bool {
        place >= self.reached || self.failed.contains(&place)
    }

    /// Notes what came of an object that the application came past.
    pub fn pass(&mut self, place: usize, is_done: bool) {
        self.failed.retain(|known| *known != place);
        if !is_done {
            let at = self.failed.partition_point(|known| *known < place);
            self.failed.insert(at, place);
        }
        self.reached = self.reached.max(place + 1);
    }
}

/// A disabling or deletion that a plan has carried out, or is about to: the deletion guard counts them over all plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deprovisioned {
    /// When.
    pub at: Timestamp,
    /// The plan.
    pub plan: SmolStr,
    /// The place of the object in it.
    pub place: usize,
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
    /// So many objects of the plan need nothing more, what earlier applications did included.
    pub done: usize,
    /// So many objects the plan has.
    pub total: usize,
    /// What came of them all.
    pub counts: AppliedCounts,
}

impl Applied {
    /// Whether nothing is left of the plan.
    pub fn is_complete(&self) -> bool {
        self.state == State::Applied
    }
}

/// What came of the objects of a plan, over all its applications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppliedCounts {
    /// Written as planned.
    pub applied: u64,
    /// The plan had nothing to do for them.
    pub skipped: u64,
    /// The plan held their disabling or deletion back.
    pub held_back: u64,
    /// They failed: when the plan was made, or when it was applied.
    pub failed: u64,
    /// They were not as planned any more.
    pub different: u64,
    /// The application did not come to them.
    pub not_reached: u64,
}

impl AppliedCounts {
    /// The counts of a plan. `told` is what this application tells, place by place.
    pub fn of(plan: &SavedPlan, progress: &Progress, told: &BTreeMap<usize, Outcome>) -> Self {
        let mut counts = Self::default();
        for (place, object) in plan.objects.iter().enumerate() {
            let count = match told.get(&place) {
                _ if object.status == Status::Failure => &mut counts.failed,
                Some(Outcome::Refused) => &mut counts.different,
                Some(Outcome::Failed | Outcome::NotPlanned) => &mut counts.failed,
                _ if object.action == Action::StagedDelete => &mut counts.held_back,
                _ if !object.is_change() => &mut counts.skipped,
                Some(Outcome::Done | Outcome::AlreadyDone) => &mut counts.applied,
                None if progress.failed.contains(&place) => &mut counts.failed,
                None if place < progress.reached => &mut counts.applied,
                None => &mut counts.not_reached,
            };
            *count += 1;
        }
        counts
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
    /// Source or target failed, the target refused it, or it refers to an account that could not be made.
    Failed,
    /// It failed when the plan was made, so the plan has nothing for it.
    NotPlanned,
}
