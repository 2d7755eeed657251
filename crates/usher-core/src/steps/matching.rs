//! Matching: which target object is the subject? By the stored pair, else by matching attributes in priority order.

use jiff::Timestamp;
use usher_expr::{Attributes, Context, Outcome, Value};

use super::{Names, details, step};
use crate::ports::{GetRequest, MatchQuery};
use crate::program::{AttributeProgram, MappingProgram};
use crate::{
    Answer, DirectoryObject, ErrorCategory, Facts, Failure, Pairing, Question, Status, Step, StepKind,
};

/// What matching found.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// No target object: it may be created.
    None,
    /// This target object.
    One(Box<DirectoryObject>),
    /// Matching failed; nothing may be written.
    Failed(Failure),
}

/// The matching attributes that have a value, best priority first. An expression that fails is the object's failure.
pub fn values<'a>(
    mapping: &'a MappingProgram,
    source: &dyn Attributes,
    context: &Context,
) -> Result<Vec<(&'a AttributeProgram, Value)>, Failure> {
    let mut found = Vec::new();
    for attribute in mapping.matching() {
        match attribute.evaluate(source, context) {
            Ok(Outcome::Value(value)) if !value.is_null_or_empty() => found.push((attribute, value)),
            Ok(_) => {}
            Err(error) => {
                return Err(Failure {
                    code: "InvalidExpression".into(),
                    reason: format!("the matching attribute {} could not be computed", attribute.target),
                    additional_details: Some(error.to_string()),
                    category: ErrorCategory::NonServiceFailure,
                    recommended_action: Some("correct the expression or the source value".into()),
                });
            }
        }
    }
    Ok(found)
}

/// The values of a create that was sent, then the present ones: the account bears the former if the create took
/// effect.
pub fn with_sought<'a>(
    mapping: &'a MappingProgram,
    facts: &Facts,
    present: Vec<(&'a AttributeProgram, Value)>,
) -> Vec<(&'a AttributeProgram, Value)> {
    let Some(sent) = &facts.sent_create else { return present };
    let sought = sent.sought.iter().filter_map(|(name, value)| {
        let attribute = mapping.attributes.iter().find(|attribute| attribute.target == *name)?;
        Some((attribute, value.clone()))
    });
    let mut values: Vec<(&AttributeProgram, Value)> = sought.collect();
    for (attribute, value) in present {
        if !values.iter().any(|(known, other)| known.target == attribute.target && *other == value) {
            values.push((attribute, value));
        }
    }
    values
}

/// Finds the target object, or asks. Steps tell what was tried.
///
/// # Errors
/// The question to ask first.
pub fn find(
    mapping: &MappingProgram,
    facts: &Facts,
    names: &Names,
    values: &[(&AttributeProgram, Value)],
    now: Timestamp,
    steps: &mut Vec<Step>,
) -> Result<Match, Box<Question>> {
    if let Some(pairing) = &facts.pairing {
        let found = paired(mapping, facts, names, pairing, now, steps)?;
        let is_gone = matches!(found, Match::Failed(_)) && !facts.is_unsettled(now);
        let is_matched_again = facts.rematches_vanished && is_gone;
        if !is_matched_again {
            return Ok(found);
        }
        steps.push(vanished(names, pairing));
    }
    for (attribute, value) in values {
        let question = Question::Match(MatchQuery {
            object_type: mapping.target_type.clone(),
            attribute: attribute.target.clone(),
            value: value.clone(),
            attributes: mapping.target_attributes(&facts.references),
        });
        let Some(Answer::Matches(hits)) = facts.answer(&question) else { return Err(Box::new(question)) };
        match hits.as_slice() {
            [] => {
                let mut tried = step(
                    "EntryImportObjectNotFound",
                    StepKind::Matching,
                    Status::Success,
                    format!(
                        "No object with {} \"{}\" was found in {}",
                        attribute.target,
                        value.to_text(),
                        names.target
                    ),
                );
                tried.details.insert("MatchingAttribute".into(), attribute.target.to_string());
                steps.push(tried);
            }
            [hit] => {
                let question =
                    Question::Claims { object_type: mapping.target_type.clone(), anchor: hit.anchor.clone() };
                let Some(Answer::Claims(claims)) = facts.answer(&question) else {
                    return Err(Box::new(question));
                };
                steps.push(retrieved(names, hit));
                if let Some(other) = claims.first() {
                    return Ok(Match::Failed(Failure {
                        code: "DuplicateSourceEntries".into(),
                        reason: format!(
                            "'{}' matches the object '{}' in {}, which belongs to the source object '{other}' already",
                            names.reportable, hit.anchor, names.target
                        ),
                        additional_details: None,
                        category: ErrorCategory::NonServiceFailure,
                        recommended_action: Some(
                            "make the matching attribute unique in the source; where the other object was deleted there, \
                             the next cycle deletes its account first, and then makes this one"
                                .into(),
                        ),
                    }));
                }
                return Ok(Match::One(Box::new(hit.clone())));
            }
            several => {
                for hit in several {
                    steps.push(retrieved(names, hit));
                }
                return Ok(Match::Failed(Failure {
                    code: "DuplicateTargetEntries".into(),
                    reason: format!(
                        "{} objects in {} have {} \"{}\"",
                        several.len(),
                        names.target,
                        attribute.target,
                        value.to_text()
                    ),
                    additional_details: Some(
                        several.iter().map(|hit| hit.anchor.to_string()).collect::<Vec<_>>().join(", "),
                    ),
                    category: ErrorCategory::NonServiceFailure,
                    recommended_action: Some(
                        "remove the duplicates in the target or choose a matching attribute that is unique"
                            .into(),
                    ),
                }));
            }
        }
    }
    Ok(Match::None)
}

/// The target object that the stored pair names; none when it is gone, and a failure where nobody knows that yet.
///
/// # Errors
/// The question to ask first.
pub fn paired_target(
    mapping: &MappingProgram,
    facts: &Facts,
    names: &Names,
    now: Timestamp,
    steps: &mut Vec<Step>,
) -> Result<Match, Box<Question>> {
    let Some(pairing) = &facts.pairing else { return Ok(Match::None) };
    Ok(match paired(mapping, facts, names, pairing, now, steps)? {
        Match::Failed(_) if !facts.is_unsettled(now) => Match::None,
        found => found,
    })
}

/// A create was sent a moment ago, and the target does not show yet whether it took effect.
pub fn unsettled(names: &Names) -> Failure {
    Failure {
        code: "Timeout".into(),
        reason: format!(
            "a create of '{}' was sent to {} a moment ago and its outcome is not known yet",
            names.reportable, names.target
        ),
        additional_details: None,
        category: ErrorCategory::Failure,
        recommended_action: Some(
            "wait two minutes and provision the object again; a running job does so by itself".into(),
        ),
    }
}

/// The paired object is gone from the target, and the object is matched again.
fn vanished(names: &Names, pairing: &Pairing) -> Step {
    let mut step = step(
        "EntryImportObjectNotFound",
        StepKind::Matching,
        Status::Warning,
        format!(
            "The object '{}' that '{}' was paired with is gone from {}; it is matched again",
            pairing.target_anchor, names.reportable, names.target
        ),
    );
    step.details.insert("TargetAnchor".into(), pairing.target_anchor.to_string());
    step
}

fn paired(
    mapping: &MappingProgram,
    facts: &Facts,
    names: &Names,
    pairing: &Pairing,
    now: Timestamp,
    steps: &mut Vec<Step>,
) -> Result<Match, Box<Question>> {
    let question = Question::Target(GetRequest {
        object_type: mapping.target_type.clone(),
        anchor: pairing.target_anchor.clone(),
        attributes: mapping.target_attributes(&facts.references),
    });
    match facts.answer(&question) {
        Some(Answer::Target(Some(object))) => {
            steps.push(retrieved(names, object));
            Ok(Match::One(Box::new(object.clone())))
        }
        Some(Answer::Target(None)) if facts.is_unsettled(now) => Ok(Match::Failed(Failure {
            code: "EntryNotFound".into(),
            reason: format!(
                "the object '{}' that '{}' is paired with is not found in {}, which may still know it elsewhere",
                pairing.target_anchor, names.reportable, names.target
            ),
            additional_details: None,
            category: ErrorCategory::Failure,
            recommended_action: Some(
                "nothing needs to be done where the job runs: it is looked at again, and gone when it is not found ten \
                 minutes later either"
                    .into(),
            ),
        })),
        Some(Answer::Target(None)) => Ok(Match::Failed(Failure {
            code: "InvalidAnchor".into(),
            reason: format!(
                "the object '{}' that '{}' was paired with is gone from {}",
                pairing.target_anchor, names.reportable, names.target
            ),
            additional_details: None,
            category: ErrorCategory::NonServiceFailure,
            recommended_action: Some(
                "restart the job with the reset scope ConnectorDataStore, so that it is matched again".into(),
            ),
        })),
        _ => Err(Box::new(question)),
    }
}

fn retrieved(names: &Names, object: &DirectoryObject) -> Step {
    let known = super::reportable(object, object.anchor.as_str());
    // Two blanks: the published sentence leaves the object's type empty here.
    let mut step = step(
        "EntryImport",
        StepKind::Matching,
        Status::Success,
        format!("Retrieved  '{known}' from {}", names.target),
    );
    step.details = details(&object.attributes);
    step.details.shift_insert(0, "id".into(), object.anchor.to_string());
    step
}

/// The sentence that a new object will be made.
pub fn will_be_created(names: &Names) -> Step {
    let Names { source, target, object_type, reportable } = names;
    let mut step = step(
        "EntrySynchronizationAdd",
        StepKind::Matching,
        Status::Success,
        format!(
            "{object_type} '{reportable}' will be created in {target} ({object_type} is active and assigned in \
             {source}, but no matching {object_type} was found in {target})"
        ),
    );
    step.details.insert("ReportableIdentifier".into(), reportable.clone());
    step
}

/// The sentence that the object found will be changed.
pub fn will_be_updated(names: &Names) -> Step {
    let Names { target, object_type, reportable, .. } = names;
    let mut step = step(
        "EntrySynchronizationUpdate",
        StepKind::Processing,
        Status::Success,
        format!("{object_type} '{reportable}' will be updated in {target}"),
    );
    step.details.insert("ReportableIdentifier".into(), reportable.clone());
    step
}
