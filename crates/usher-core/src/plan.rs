//! What a subject needs: steps that say why, operations that say what. A plan leaves no choice to export.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use usher_expr::Value;

use crate::Anchor;
use crate::steps::scoping::Verdict;

/// The six kinds of provisioning step (Graph `provisioningStepType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepKind {
    /// Reading the subject from the source.
    Import,
    /// Deciding whether the subject is in scope.
    Scoping,
    /// Finding the target object.
    Matching,
    /// Evaluating mappings and deciding the action.
    Processing,
    /// Replacing source anchors by target anchors.
    ReferenceResolution,
    /// Writing to the target.
    Export,
}

/// How a step, or a whole subject, went (Graph `provisioningResult`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Done, or found in order.
    Success,
    /// Done, but something was left out.
    Warning,
    /// Not done because something failed.
    Failure,
    /// Deliberately not done.
    Skipped,
}

/// What is done to the target object (Graph `provisioningAction`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// A new target object.
    Create,
    /// Changed attributes of a target object.
    Update,
    /// The target object is removed.
    Delete,
    /// The target object is switched off.
    Disable,
    /// A delete held back by the accidental-deletion guard.
    StagedDelete,
    /// Nothing is written.
    Other,
}

/// One provisioning step, as the log, the on-demand answer and the command line show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The step's published name, such as `EntryImport`.
    pub name: SmolStr,
    /// Which of the six kinds it is.
    pub kind: StepKind,
    /// How it went.
    pub status: Status,
    /// The sentence for people.
    pub description: String,
    /// Facts for programs; texts by name, in order.
    pub details: IndexMap<String, String>,
}

/// Why a subject was skipped (Graph `SkipReason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SkipReason {
    /// Nothing differs.
    RedundantExport,
    /// Inactive, not assigned, without a provisioning role, or dropped by a filter.
    NotEffectivelyEntitled,
    /// A required target attribute has no usable value.
    AttributeValidationFailed,
    /// No matching attribute has a value.
    ImportSkipped,
    /// A reference could not be resolved.
    UnableToResolveReferenceAttributeValue,
    /// A mapping said so (`IgnoreObjectFlow`), or the object mapping does not allow the flow.
    EntrySynchronizationSkipped,
    /// The deletion guard held it back.
    StagedDelete,
}

impl SkipReason {
    /// The published name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RedundantExport => "RedundantExport",
            Self::NotEffectivelyEntitled => "NotEffectivelyEntitled",
            Self::AttributeValidationFailed => "AttributeValidationFailed",
            Self::ImportSkipped => "ImportSkipped",
            Self::UnableToResolveReferenceAttributeValue => "UnableToResolveReferenceAttributeValue",
            Self::EntrySynchronizationSkipped => "EntrySynchronizationSkipped",
            Self::StagedDelete => "StagedDelete",
        }
    }
}

/// Whose move it is after a failure (Graph `errorCategory`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorCategory {
    /// Passing: tried again by itself.
    Failure,
    /// The administrator or the target must act.
    NonServiceFailure,
}

/// A failure, for three readers: code for programs, reason for the caller, detail for the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The published error code, such as `DuplicateTargetEntries`.
    pub code: SmolStr,
    /// What failed, in a sentence.
    pub reason: String,
    /// What the other side said, when it said something.
    #[serde(alias = "additional_details")]
    pub additional_details: Option<String>,
    /// Whose move it is.
    pub category: ErrorCategory,
    /// What to do about it.
    #[serde(alias = "recommended_action")]
    pub recommended_action: Option<String>,
}

/// One attribute before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModifiedProperty {
    /// The target attribute.
    pub name: SmolStr,
    /// The value before; `None` when the target had none.
    pub old_value: Option<String>,
    /// The value after; `None` when it is cleared. `[Redact]` for redacted mappings.
    pub new_value: Option<String>,
}

/// How one attribute is changed. Values are never empty for `Add`; `Replace` and `Remove` say the rest.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The target has no value yet (or, multi-valued, lacks these): they are added.
    Add(Vec<Value>),
    /// The target's values are replaced by these.
    Replace(Vec<Value>),
    /// These values are taken away; an empty list clears the attribute.
    Remove(Vec<Value>),
}

/// A change of one target attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeChange {
    /// The target attribute as the schema names it, such as `emails[type eq "work"].value`.
    pub attribute: SmolStr,
    /// What happens to it.
    pub change: Change,
    /// Whether the attribute refers to other objects (the values are target anchors).
    pub is_reference: bool,
    /// Whether the attribute takes several values.
    pub is_multivalued: bool,
}

/// What one write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Creates the object.
    Create,
    /// Changes the object.
    Update,
    /// Removes the object.
    Delete,
}

/// One write to the target. Sending it twice does no harm.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What the write does.
    pub kind: OperationKind,
    /// The target object's name in the schema.
    pub object_type: SmolStr,
    /// Which object; `None` for a create, and for what follows a create of the same plan.
    pub anchor: Option<Anchor>,
    /// The attributes it touches, in the order of the mappings.
    pub changes: Vec<AttributeChange>,
}

/// What a plan does to the stored pair once its operations have succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PairingEffect {
    /// Nothing is remembered or forgotten.
    None,
    /// The pair is made or confirmed and stays under management.
    Manage,
    /// The pair is kept, but the job does not come back to it until it is in scope again.
    Release,
    /// The pair is forgotten.
    Forget,
}

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Skip {
    /// The published reason.
    pub reason: SkipReason,
    /// The target attribute that is the cause, when one is.
    pub property: Option<SmolStr>,
    /// The sentence for people.
    pub description: String,
}

/// What one subject needs. Nothing is left to decide: export does exactly this, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The steps up to, not including, export.
    pub steps: Vec<Step>,
    /// What is done to the target object.
    pub action: Action,
    /// The writes, in order. Empty when there is nothing to do.
    pub operations: Vec<Operation>,
    /// Attributes before and after.
    pub modified: Vec<ModifiedProperty>,
    /// Why nothing is done, when it is not a failure.
    pub skip: Option<Skip>,
    /// What failed, when nothing may be written.
    pub failure: Option<Failure>,
    /// References that could not be resolved: attribute and source anchor.
    pub unresolved: Vec<(SmolStr, Anchor)>,
    /// What happens to the pair.
    pub pairing: PairingEffect,
    /// The target object as it is before the writes.
    pub target: Option<crate::DirectoryObject>,
    /// What people know the subject by.
    pub reportable: String,
    /// What scoping found; `None` when it was not reached.
    pub scope: Option<Verdict>,
}
