//! A plan that is kept: what one, several or all subjects of a job need, down to the requests, so that people can read
//! it and the service can apply exactly it later.
//!
//! Values that only the target can give, such as the id of an account that is yet to be made, are symbols
//! (`@new-user-1`): a later request refers to the symbol, and applying puts the value in its place.

pub mod applied;
pub mod difference;
pub mod hiding;
pub mod ldif;
pub mod symbols;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

use crate::explain::Explanation;
use crate::ports::Watermark;
use crate::{
    Action, Anchor, CycleKind, EntryId, Failure, JobId, ModifiedProperty, PairingEffect, References, RuleId,
    SkipReason, Status, Step,
};

/// The version of the form; a plan of another version is refused.
pub const VERSION: u32 = 1;
/// The header that names the version of a resource which a change is based on.
pub const VERSION_HEADER: &str = "If-Match";
/// The member that holds the signature.
pub const SIGNATURE: &str = "signature";

/// A plan that is kept. It holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SavedPlan {
    /// Identifies the plan; sorts by time.
    pub id: SmolStr,
    /// The version of the form.
    pub version: u32,
    /// When it was made; `Now()` means this instant, in the plan and when it is applied.
    pub created_at: Timestamp,
    /// The tenant.
    pub tenant: String,
    /// The service principal of the application.
    pub service_principal: EntryId,
    /// What people call the target.
    pub target: String,
    /// The job.
    pub job: JobId,
    /// Fingerprint of the schema.
    pub schema: SmolStr,
    /// Fingerprint of settings and secrets, under the service's own key.
    pub connection: SmolStr,
    /// Which subjects it covers.
    pub extent: Extent,
    /// How far the source was read, by object mapping; empty when subjects were named.
    pub watermarks: BTreeMap<String, Watermark>,
    /// How many objects need what.
    pub counts: PlanCounts,
    /// What the deletion guard says.
    pub guard: Guard,
    /// The objects, in the order in which they are applied.
    pub objects: Vec<PlannedObject>,
    /// With drift: objects of the target that are paired with nothing.
    pub unpaired: Vec<Unpaired>,
    /// The service's signature over everything else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<String>,
}

impl SavedPlan {
    /// Whether applying it would do anything.
    pub fn has_changes(&self) -> bool {
        self.objects.iter().any(PlannedObject::is_change)
    }
}

/// Which subjects a plan covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "of", content = "kind")]
pub enum Extent {
    /// Those that somebody named.
    Subjects,
    /// Those that the next cycle would look at.
    Cycle(CycleKind),
    /// All, to find what was changed in the target.
    Drift,
}

impl Extent {
    /// Which kind of cycle it stands for; `None` when subjects were named.
    pub fn cycle(self) -> Option<CycleKind> {
        match self {
            Self::Subjects => None,
            Self::Cycle(kind) => Some(kind),
            Self::Drift => Some(CycleKind::Initial),
        }
    }
}

/// How many objects need what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanCounts {
    /// Objects that were looked at.
    pub seen: u64,
    /// Accounts to make.
    pub create: u64,
    /// Accounts to change.
    pub update: u64,
    /// Accounts to switch off.
    pub disable: u64,
    /// Accounts to delete.
    pub delete: u64,
    /// Disablings and deletions that the guard holds back.
    #[serde(alias = "staged")]
    pub held_back: u64,
    /// Objects in step already.
    pub unchanged: u64,
    /// Objects left out for another reason.
    pub skipped: u64,
    /// Objects that fail.
    pub failed: u64,
}

impl PlanCounts {
    /// How many objects are to be written.
    pub fn changes(&self) -> u64 {
        self.create + self.update + self.disable + self.delete
    }

    /// Counts an object.
    pub fn add(&mut self, object: &PlannedObject) {
        self.seen += 1;
        let place = match (object.status, object.action, object.reason) {
            (Status::Failure, ..) => &mut self.failed,
            (_, _, Some(SkipReason::RedundantExport)) => &mut self.unchanged,
            (_, Action::StagedDelete, _) => &mut self.held_back,
            (Status::Skipped, ..) => &mut self.skipped,
            (_, Action::Create, _) => &mut self.create,
            (_, Action::Update, _) => &mut self.update,
            (_, Action::Disable, _) => &mut self.disable,
            (_, Action::Delete, _) => &mut self.delete,
            (_, Action::Other, _) => &mut self.skipped,
        };
        *place += 1;
    }
}

/// What the deletion guard says of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guard {
    /// The most accounts that may be disabled and deleted together.
    pub threshold: Option<u64>,
    /// How many would be.
    pub count: u64,
    /// How many other plans have disabled and deleted within the interval of the job; they count, too.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub recent: u64,
    /// They are more, and all of them are held back.
    pub holds_back: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What one object needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedObject {
    /// The rule.
    pub rule: RuleId,
    /// The source object's name in the schema.
    pub source_type: SmolStr,
    /// The source object.
    pub source_anchor: Anchor,
    /// How it was named.
    pub named: SmolStr,
    /// Which references are worked on.
    pub references: References,
    /// The name people know it by.
    pub reportable: String,
    /// What is done.
    pub action: Action,
    /// How it stands: success when something is to be written.
    pub status: Status,
    /// Why nothing is done.
    pub reason: Option<SkipReason>,
    /// The same as a sentence.
    pub description: Option<String>,
    /// What failed.
    pub failure: Option<Failure>,
    /// What was changed in the target behind our back, when drift was asked for and can be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub is_drift: Option<bool>,
    /// The attributes that somebody else changed in the target, when drift was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub drift: Vec<SmolStr>,
    /// Why, step by step.
    pub steps: Vec<Step>,
    /// Attributes before and after.
    pub attributes: Vec<ModifiedProperty>,
    /// The source attributes that were read.
    pub source: Option<IndexMap<SmolStr, String>>,
    /// The target object's name in the schema.
    pub target_type: SmolStr,
    /// The target object; a symbol for one that is yet to be made.
    pub target_anchor: Option<Anchor>,
    /// The target attributes that were compared.
    pub target: Option<IndexMap<SmolStr, String>>,
    /// The target object that it is paired with.
    pub paired_with: Option<Anchor>,
    /// What happens to the pair.
    pub pairing: PairingEffect,
    /// The requests, in order.
    pub requests: Vec<PlannedRequest>,
    /// What the requests stand for, values that are not shown included, under the service's own key.
    pub digest: SmolStr,
    /// How it came about, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub explanation: Option<Explanation>,
}

impl PlannedObject {
    /// Whether something is to be written.
    pub fn is_change(&self) -> bool {
        !self.requests.is_empty() || self.writes_pair()
    }

    /// Whether nothing is sent, but a pair is made, kept differently or forgotten.
    fn writes_pair(&self) -> bool {
        self.status != Status::Failure
            && match self.pairing {
                PairingEffect::None => false,
                PairingEffect::Manage | PairingEffect::Release => self.paired_with != self.target_anchor,
                PairingEffect::Forget => self.paired_with.is_some(),
            }
    }

    /// Whether the account is switched off or deleted.
    pub fn is_deprovisioning(&self) -> bool {
        matches!(self.action, Action::Disable | Action::Delete) && !self.requests.is_empty()
    }

    /// Leaves the object out because of a failure that only the whole plan shows.
    pub fn fail(&mut self, failure: Failure) {
        self.status = Status::Failure;
        self.action = Action::Other;
        self.failure = Some(failure);
        self.requests.clear();
        self.attributes.clear();
        self.pairing = PairingEffect::None;
    }

    /// Leaves the object out because the deletion guard holds it back.
    pub fn stage(&mut self, step: Step) {
        self.status = Status::Skipped;
        self.action = Action::StagedDelete;
        self.reason = Some(SkipReason::StagedDelete);
        self.description = Some(step.description.clone());
        self.steps.push(step);
        self.requests.clear();
        self.pairing = PairingEffect::None;
    }
}

/// A request as it will be sent; credentials are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlannedRequest {
    /// The HTTP method, or the protocol's verb.
    pub method: SmolStr,
    /// The whole address, or the protocol's target.
    pub address: String,
    /// The path below the base address, or the protocol's target.
    pub path: String,
    /// The headers, without their secrets.
    pub headers: IndexMap<String, String>,
    /// The body, when there is one.
    pub body: Option<Json>,
}

/// An object of the target that is paired with nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unpaired {
    /// Its name in the schema.
    pub target_type: SmolStr,
    /// The object.
    pub target_anchor: Anchor,
    /// The name people know it by.
    pub display_name: String,
}

/// The text that is signed: the document without its signature, without blanks, members in the order of their names.
pub fn signed_text(document: &Json) -> String {
    let mut document = sorted(document);
    if let Some(members) = document.as_object_mut() {
        members.shift_remove(SIGNATURE);
    }
    document.to_string()
}

/// The JSON path of a member that stands twice in one object of a text that is JSON. Whoever reads the text may take the
/// first for what counts; the parser takes the last.
pub fn doubled_member(text: &str) -> Option<String> {
    crate::schema::duplicates::find(text).into_iter().next().map(|duplicate| duplicate.path)
}

fn sorted(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            names.into_iter().map(|name| (name.clone(), sorted(&members[name]))).collect::<Map<_, _>>().into()
        }
        Json::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_signed_depends_on_every_value_and_on_no_blank() {
        let text = |json: &str| signed_text(&serde_json::from_str(json).expect("it is JSON"));
        let signed = text(r#"{"b": [1, {"y": 2, "x": 3}], "a": "ü", "signature": "s"}"#);
        assert_eq!(signed, r#"{"a":"ü","b":[1,{"x":3,"y":2}]}"#);
        assert_eq!(text(r#"{"a":"ü","b":[1,{"x":3,"y":2}]}"#), signed);
        assert_ne!(text(r#"{"a":"ü","b":[{"x":3,"y":2},1]}"#), signed, "the order of a list counts");
        assert_ne!(text(r#"{"a":"ü","b":[1,{"x":3,"y":2}],"c":null}"#), signed, "members cannot be added");
    }

    #[test]
    fn extents_are_told_in_one_object() {
        assert_eq!(json!(Extent::Subjects), json!({ "of": "subjects" }));
        assert_eq!(json!(Extent::Cycle(CycleKind::Initial)), json!({ "of": "cycle", "kind": "initial" }));
    }
}
