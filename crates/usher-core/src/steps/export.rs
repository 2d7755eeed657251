//! Export: the sentences about what was written, or was not. The writing itself is the engine's.

use super::{Names, step};
use crate::ports::PutOff;
use crate::{Action, Failure, PairingEffect, Plan, Skip, Status, Step, StepKind};

/// The verb of an action in the sentences, present and past.
fn verbs(action: Action) -> (&'static str, &'static str, &'static str) {
    match action {
        Action::Create => ("EntryExportAdd", "create", "created"),
        Action::Delete => ("EntryExportDelete", "delete", "deleted"),
        Action::Disable => ("EntryExportUpdateSoftDelete", "disable", "disabled"),
        Action::Update | Action::StagedDelete | Action::Other => ("EntryExportUpdate", "update", "updated"),
    }
}

/// The operation succeeded.
pub fn succeeded(names: &Names, action: Action, anchor: &str) -> Step {
    let (name, _, done) = verbs(action);
    let mut step = step(
        name,
        StepKind::Export,
        Status::Success,
        format!("{} '{}' was {done} in {}", names.object_type, names.reportable, names.target),
    );
    step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
    step.details.insert("TargetAnchor".into(), anchor.into());
    step
}

/// The operation failed.
pub fn failed(names: &Names, action: Action, failure: &Failure) -> Step {
    let (name, verb, _) = verbs(action);
    let mut step = step(
        name,
        StepKind::Export,
        Status::Failure,
        format!("Failed to {verb} {} '{}' in {}", names.object_type, names.reportable, names.target),
    );
    step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
    step.details.insert("ErrorCode".into(), failure.code.to_string());
    step.details.insert("ErrorMessage".into(), failure.reason.clone());
    if let Some(details) = &failure.additional_details {
        step.details.insert("AdditionalDetails".into(), details.clone());
    }
    step
}

/// In a dry run: what would be written.
pub fn planned(names: &Names, action: Action) -> Step {
    let (name, _, done) = verbs(action);
    let mut step = step(
        name,
        StepKind::Export,
        Status::Success,
        format!(
            "{} '{}' would be {done} in {} (dry run: nothing was written)",
            names.object_type, names.reportable, names.target
        ),
    );
    step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
    step
}

/// The deletion guard holds this back: a plan that does nothing and says so.
pub fn staged(names: &Names, action: Action) -> Plan {
    let (_, verb, _) = verbs(action);
    let description = format!(
        "The deletion of {} '{}' is staged: it would {verb} the account in {}, but more accounts would be disabled or \
         deleted in this cycle than the threshold allows",
        names.object_type, names.reportable, names.target
    );
    let mut step = step("EntrySynchronizationSkip", StepKind::Export, Status::Skipped, description.clone());
    step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
    step.details
        .insert("StagedAction".into(), if action == Action::Delete { "Delete" } else { "Disable" }.into());
    let skip = Skip { reason: crate::SkipReason::StagedDelete, property: None, description };
    Plan {
        steps: vec![step],
        action: Action::StagedDelete,
        operations: Vec::new(),
        modified: Vec::new(),
        skip: Some(skip),
        failure: None,
        unresolved: Vec::new(),
        pairing: PairingEffect::None,
        target: None,
        reportable: names.reportable.clone(),
        scope: None,
    }
}

/// The target took the rest, but left this attribute out.
pub fn left_out(names: &Names, attribute: &str, reason: &str) -> Step {
    let mut step = step(
        "EntryExportUpdate",
        StepKind::Export,
        Status::Warning,
        format!(
            "{} did not take {attribute} of {} '{}': {reason}",
            names.target, names.object_type, names.reportable
        ),
    );
    step.details.insert("PropertyName".into(), attribute.into());
    step
}

/// The target took the rest, but not this reference, because it does not know one of the two objects, or not yet.
pub fn put_off(names: &Names, reference: &PutOff, is_given_up: bool) -> Step {
    let PutOff { attribute, anchor, reason } = reference;
    let outlook = if is_given_up {
        format!(
            "It was tried for a day, and is left until {} '{}' changes",
            names.object_type, names.reportable
        )
    } else {
        "It is tried again by itself".to_owned()
    };
    let mut step = step(
        "EntryExportUpdate",
        StepKind::Export,
        Status::Warning,
        format!(
            "{} does not know {attribute} '{anchor}' of {} '{}', or not yet: {reason}. {outlook}",
            names.target, names.object_type, names.reportable
        ),
    );
    step.details.insert("PropertyName".into(), attribute.to_string());
    step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
    step
}

/// Nothing differs.
pub fn redundant(names: &Names) -> Skip {
    Skip {
        reason: crate::SkipReason::RedundantExport,
        property: None,
        description: format!(
            "The state of the {} in both the source and target systems already match. No change to the {} '{}' \
             currently needs to be made.",
            names.object_type.to_lowercase(),
            names.object_type,
            names.reportable
        ),
    }
}

/// The subject is left out.
pub fn skipped(names: &Names, skip: &Skip) -> Step {
    let mut step =
        step("EntrySynchronizationSkip", StepKind::Export, Status::Skipped, skip.description.clone());
    step.details.insert("SkipReason".into(), skip.reason.as_str().into());
    step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
    if let Some(property) = &skip.property {
        step.details.insert("PropertyName".into(), property.to_string());
    }
    step
}

/// Something failed before anything was written.
pub fn stopped(names: &Names, failure: &Failure) -> Step {
    let mut step = step(
        "EntrySynchronizationError",
        StepKind::Processing,
        Status::Failure,
        format!("{} '{}' cannot be provisioned: {}", names.object_type, names.reportable, failure.reason),
    );
    step.details.insert("ReportableIdentifier".into(), names.reportable.clone());
    step.details.insert("ErrorCode".into(), failure.code.to_string());
    step
}
