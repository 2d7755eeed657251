//! Import: what the source says about the subject, completed by the defaults and the computed attributes.

use usher_expr::Value;

use super::{Names, details, step};
use crate::program::MappingProgram;
use crate::{DirectoryObject, Status, Step, StepKind};

/// The computed attribute that says whether the account is to be switched off (provisioning semantics of Entra).
pub const IS_SOFT_DELETED: &str = "IsSoftDeleted";

/// The source object with the rule's defaults for attributes that have no value.
pub fn with_defaults(mapping: &MappingProgram, object: &DirectoryObject) -> DirectoryObject {
    let mut object = object.clone();
    for (name, value) in &mapping.source_defaults {
        if object.attributes.value(name).is_none() {
            object.attributes.set(name.clone(), value.clone());
        }
    }
    object
}

/// The object was read.
pub fn imported(names: &Names, object: &DirectoryObject) -> Step {
    let mut step = step(
        "EntryImport",
        StepKind::Import,
        Status::Success,
        format!("Retrieved {} '{}' from {}", names.object_type, names.reportable, names.source),
    );
    step.details = details(&object.attributes);
    step.details.shift_remove("appRoleAssignments");
    step
}

/// The settings work, but not as anybody would expect.
pub fn beware(warning: &str) -> Step {
    step("EntryTestConnection", StepKind::Import, Status::Warning, warning)
}

/// The source does not have the object. `is_gone`: it said so itself, which is no failure.
pub fn not_found(names: &Names, named: &str, is_gone: bool) -> Step {
    if is_gone {
        let mut step = step(
            "EntryImportDelete",
            StepKind::Import,
            Status::Success,
            format!(
                "Received {} '{}' change of type (Delete) from {}",
                names.object_type, names.reportable, names.source
            ),
        );
        step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
        return step;
    }
    let mut step = step(
        "EntryImportObjectNotFound",
        StepKind::Import,
        Status::Failure,
        format!("{} '{named}' was not found in {}", names.object_type, names.source),
    );
    step.details.insert("ReportableIdentifier".into(), named.into());
    step
}

/// No matching attribute has a value.
pub fn without_matching_value(names: &Names, attributes: &str) -> Step {
    let mut step = step(
        "EntryImportSkip",
        StepKind::Import,
        Status::Skipped,
        format!(
            "The {} '{}' cannot be matched: none of the matching attributes ({attributes}) has a value",
            names.object_type, names.reportable
        ),
    );
    step.details.insert("SkipReason".into(), "ImportSkipped".into());
    step
}

/// Whether the source says that the object is in use: neither in the bin nor switched off.
pub fn is_active(object: &DirectoryObject) -> bool {
    let says = |name: &str, text: &str| {
        object.attributes.value(name).is_some_and(|value| value.to_text().eq_ignore_ascii_case(text))
    };
    !says(IS_SOFT_DELETED, "true") && !says("accountEnabled", "false")
}

/// Sets the computed attribute.
pub fn set_soft_deleted(object: &mut DirectoryObject, is_soft_deleted: bool) {
    let text = if is_soft_deleted { "True" } else { "False" };
    object.attributes.set(IS_SOFT_DELETED, Value::from(text));
}
