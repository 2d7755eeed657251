//! Processing: evaluate the mappings, compare with the target, and say what changes.

use std::sync::Arc;

use usher_expr::dotnet::dates::parse_any;
use usher_expr::{Context, ErrorKind, Outcome, Value};

use super::{Names, shown, step, switch};
use crate::program::{AttributeProgram, MappingProgram, Source};
use crate::schema::{AttributeType, FlowBehavior, FlowType, Mutability};
use crate::{
    Answer, AttributeChange, Change, DirectoryObject, ErrorCategory, Facts, Failure, ModifiedProperty,
    Question, Skip, SkipReason, Status, Step, StepKind,
};

/// What stands for a value that is never shown.
pub const REDACTED: &str = "[Redact]";

/// What processing found for the plain attributes.
#[derive(Clone, Debug, PartialEq)]
pub enum Processed {
    /// These attributes change; none, when nothing differs.
    Changes {
        /// The changes, in the order of the mappings.
        changes: Vec<AttributeChange>,
        /// The same before and after, for people.
        modified: Vec<ModifiedProperty>,
    },
    /// The object is left out.
    Skip(Skip),
    /// Nothing may be written.
    Failed(Failure),
}

/// Which mappings count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of them.
    All,
    /// Only those that switch the account off: the object left the scope.
    SoftDeletion,
    /// Only the switch of a directory service, which goes off whatever is mapped to it: no mapping reads that the object
    /// left the scope.
    Switch,
}

enum Computed {
    Value(Value),
    Nothing,
    Clear,
    Unique(Vec<Value>),
    IgnoreObject,
    Failed { text: String, fails_object: bool },
}

/// Evaluates and compares. `target` of `None` means that the object will be created.
///
/// # Errors
/// The question to ask first.
#[expect(clippy::too_many_arguments, reason = "one subject's whole situation, used in one place")]
pub fn process(
    mapping: &MappingProgram,
    facts: &Facts,
    names: &Names,
    source: &DirectoryObject,
    target: Option<&DirectoryObject>,
    extent: Extent,
    context: &Context,
    steps: &mut Vec<Step>,
) -> Result<Processed, Box<Question>> {
    let mut changes = Vec::new();
    let mut modified = Vec::new();
    let mut flows_always = Vec::new();
    for attribute in mapping.attributes.iter().filter(|attribute| !attribute.is_reference()) {
        let counts = match extent {
            Extent::All => true,
            Extent::SoftDeletion => attribute.depends_on_soft_deletion(),
            Extent::Switch => switch::is_of_directory(&attribute.target),
        };
        if !counts {
            continue;
        }
        let current = target.and_then(|object| object.attributes.value(&attribute.target));
        if !may_flow(attribute, target.is_some(), current) {
            continue;
        }
        let computed = match extent {
            Extent::Switch => Computed::Value(switch::off(&attribute.target, current)),
            Extent::All | Extent::SoftDeletion => {
                compute(attribute, source, target.is_some(), current, context)
            }
        };
        let value = match computed {
            Computed::Nothing => {
                if target.is_none() && attribute.is_required {
                    return Ok(Processed::Skip(missing(names, mapping, attribute)));
                }
                continue;
            }
            Computed::IgnoreObject => {
                return Ok(Processed::Skip(Skip {
                    reason: SkipReason::EntrySynchronizationSkipped,
                    property: Some(attribute.target.clone()),
                    description: format!(
                        "The {} '{}' will be skipped because the mapping to {} says so (IgnoreObjectFlow)",
                        names.object_type, names.reportable, attribute.target
                    ),
                }));
            }
            Computed::Failed { text, fails_object } => {
                if fails_object || attribute.is_required || attribute.matching_priority > 0 {
                    return Ok(Processed::Failed(expression_failure(attribute, text)));
                }
                steps.push(left_out(names, attribute, &text));
                continue;
            }
            Computed::Unique(candidates) => {
                let keeps = current
                    .is_some_and(|current| candidates.iter().any(|one| equal(attribute, one, current)));
                if keeps {
                    continue;
                }
                let question = Question::Unique {
                    object_type: mapping.target_type.clone(),
                    attribute: attribute.target.clone(),
                    candidates: candidates.clone(),
                };
                match facts.answer(&question) {
                    Some(Answer::Unique(Some(value))) => value.clone(),
                    Some(Answer::Unique(None)) => {
                        return Ok(Processed::Failed(taken(names, attribute, &candidates)));
                    }
                    _ => return Err(Box::new(question)),
                }
            }
            Computed::Clear => Value::Null,
            Computed::Value(value) => value,
        };
        match change(attribute, current, &value) {
            Some(change) => {
                modified.push(property(attribute, current, &value));
                changes.push(change);
            }
            None if attribute.flow_behavior == FlowBehavior::FlowAlways && !value.is_null_or_empty() => {
                flows_always.push(AttributeChange {
                    attribute: attribute.target.clone(),
                    change: Change::Replace(values_of(&value)),
                    is_reference: false,
                    is_multivalued: attribute.is_multivalued,
                });
            }
            None => {}
        }
    }
    if !changes.is_empty() {
        changes.append(&mut flows_always);
    }
    Ok(Processed::Changes { changes, modified })
}

fn may_flow(attribute: &AttributeProgram, exists: bool, current: Option<&Value>) -> bool {
    let writable = match attribute.mutability {
        Mutability::ReadOnly => false,
        Mutability::Immutable => !exists,
        Mutability::WriteOnly => !exists || attribute.flow_behavior == FlowBehavior::FlowAlways,
        Mutability::ReadWrite => true,
    };
    let has_value = current.is_some_and(|value| !value.is_null_or_empty());
    writable
        && match attribute.flow_type {
            FlowType::Always | FlowType::MultiValueAddOnly => true,
            FlowType::ObjectAddOnly => !exists,
            FlowType::ValueAddOnly => attribute.is_multivalued || !has_value,
            FlowType::AttributeAddOnly => !has_value,
        }
}

fn compute(
    attribute: &AttributeProgram,
    source: &DirectoryObject,
    exists: bool,
    current: Option<&Value>,
    context: &Context,
) -> Computed {
    let value = match attribute.evaluate(&source.attributes, context) {
        Ok(Outcome::Value(value)) => value,
        Ok(Outcome::IgnoreAttributeFlow) => return Computed::Nothing,
        Ok(Outcome::IgnoreObjectFlow) => return Computed::IgnoreObject,
        Ok(Outcome::Candidates(candidates)) => return Computed::Unique(candidates),
        Err(error) => {
            return Computed::Failed {
                text: error.to_string(),
                fails_object: error.kind == ErrorKind::Raised,
            };
        }
    };
    let value = if matches!(value, Value::Null) {
        // A default is for new objects; a mapping without source also fills what is empty.
        let fills = !exists
            || (matches!(attribute.source, Source::None) && current.is_none_or(Value::is_null_or_empty));
        match &attribute.default {
            Some(default) if fills => default.clone(),
            _ if exists && attribute.flows_null && !attribute.is_multivalued => return Computed::Clear,
            _ => return Computed::Nothing,
        }
    } else {
        value
    };
    if value.is_null_or_empty() && !exists {
        return match &attribute.default {
            Some(default) => Computed::Value(default.clone()),
            None => Computed::Nothing,
        };
    }
    match convert(attribute, value) {
        Ok(value) => Computed::Value(value),
        Err(text) => Computed::Failed { text, fails_object: false },
    }
}

/// Brings a value into the type of the target attribute.
fn convert(attribute: &AttributeProgram, value: Value) -> Result<Value, String> {
    let value = match value {
        Value::List(values) if !attribute.is_multivalued => match values.as_ref() {
            [] => return Ok(Value::Null),
            [one] => one.clone(),
            several => {
                return Err(format!("the attribute takes one value, but {} were given", several.len()));
            }
        },
        other => other,
    };
    if let Value::List(values) = &value {
        let converted: Result<Vec<Value>, String> =
            values.iter().map(|one| convert_one(attribute.value_type, one.clone())).collect();
        return Ok(Value::List(Arc::from(converted?)));
    }
    convert_one(attribute.value_type, value)
}

fn convert_one(value_type: AttributeType, value: Value) -> Result<Value, String> {
    if value.is_null_or_empty() {
        return Ok(value);
    }
    match (value_type, value) {
        (_, value @ (Value::Object(_) | Value::Binary(_))) => Ok(value),
        (AttributeType::Integer, value) => value
            .as_integer()
            .map(Value::Integer)
            .ok_or_else(|| format!("\"{}\" is not a whole number", value.to_text())),
        (AttributeType::Boolean, value) => match value.to_text().to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Value::Boolean(true)),
            "false" | "0" => Ok(Value::Boolean(false)),
            other => Err(format!("\"{other}\" is neither True nor False")),
        },
        (AttributeType::DateTime, value) => Ok(value),
        (_, value) => Ok(Value::Text(value.to_text())),
    }
}

/// Whether two values are the same under the attribute's own rules.
fn equal(attribute: &AttributeProgram, left: &Value, right: &Value) -> bool {
    if left == right {
        return true;
    }
    let (left_text, right_text) = (left.to_text(), right.to_text());
    if attribute.value_type == AttributeType::DateTime
        && let (Some(left), Some(right)) = (parse_any(&left_text), parse_any(&right_text))
    {
        return left == right;
    }
    if attribute.is_case_exact && attribute.value_type != AttributeType::Boolean {
        left_text == right_text
    } else {
        left_text == right_text || left_text.to_lowercase() == right_text.to_lowercase()
    }
}

fn values_of(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::List(values) => values.to_vec(),
        one => vec![one.clone()],
    }
}

fn change(attribute: &AttributeProgram, current: Option<&Value>, wanted: &Value) -> Option<AttributeChange> {
    let has = current.map(values_of).unwrap_or_default();
    let want = values_of(wanted);
    let change = if attribute.is_multivalued {
        let lacks: Vec<Value> = want
            .iter()
            .filter(|one| !has.iter().any(|other| equal(attribute, one, other)))
            .cloned()
            .collect();
        let only_adds = matches!(attribute.flow_type, FlowType::MultiValueAddOnly | FlowType::ValueAddOnly);
        let has_surplus =
            !only_adds && has.iter().any(|one| !want.iter().any(|other| equal(attribute, one, other)));
        match (lacks.is_empty(), has_surplus) {
            (true, false) => return None,
            (false, false) => Change::Add(lacks),
            (_, true) if want.is_empty() => Change::Remove(Vec::new()),
            (_, true) => Change::Replace(want),
        }
    } else {
        let current = current.filter(|value| !value.is_null_or_empty());
        match (current, want.first()) {
            (None, None) => return None,
            (None, Some(one)) if one.is_null_or_empty() => return None,
            (None, Some(one)) => Change::Add(vec![one.clone()]),
            (Some(_), None) => Change::Remove(Vec::new()),
            (Some(current), Some(one)) if equal(attribute, current, one) => return None,
            (Some(_), Some(one)) => Change::Replace(vec![one.clone()]),
        }
    };
    Some(AttributeChange {
        attribute: attribute.target.clone(),
        change,
        is_reference: false,
        is_multivalued: attribute.is_multivalued,
    })
}

fn property(attribute: &AttributeProgram, current: Option<&Value>, wanted: &Value) -> ModifiedProperty {
    let show = |value: &Value| if attribute.is_redacted() { REDACTED.to_owned() } else { shown(value) };
    ModifiedProperty {
        name: attribute.target.clone(),
        old_value: current.filter(|value| !value.is_null_or_empty()).map(show),
        new_value: (!matches!(wanted, Value::Null)).then(|| show(wanted)),
    }
}

fn missing(names: &Names, mapping: &MappingProgram, attribute: &AttributeProgram) -> Skip {
    Skip {
        reason: SkipReason::AttributeValidationFailed,
        property: Some(attribute.target.clone()),
        description: format!(
            "{} '{}' will be skipped because the value of the property {} is missing or invalid. Give the source \
             attribute a value, or the mapping a default.",
            mapping.target_type, names.reportable, attribute.target
        ),
    }
}

fn expression_failure(attribute: &AttributeProgram, text: String) -> Failure {
    Failure {
        code: "InvalidExpression".into(),
        reason: format!("the value of {} could not be computed", attribute.target),
        additional_details: Some(text),
        category: ErrorCategory::NonServiceFailure,
        recommended_action: Some("correct the mapping's expression or the source value".into()),
    }
}

fn taken(names: &Names, attribute: &AttributeProgram, candidates: &[Value]) -> Failure {
    Failure {
        code: "EntryConflict".into(),
        reason: format!("every candidate for {} is taken in {}", attribute.target, names.target),
        additional_details: Some(candidates.iter().map(shown).collect::<Vec<_>>().join(", ")),
        category: ErrorCategory::NonServiceFailure,
        recommended_action: Some("add another candidate to SelectUniqueValue".into()),
    }
}

fn left_out(names: &Names, attribute: &AttributeProgram, text: &str) -> Step {
    let mut step = step(
        "EntrySynchronizationError",
        StepKind::Processing,
        Status::Warning,
        format!(
            "The value of {} for {} '{}' could not be computed and is left out: {text}",
            attribute.target, names.object_type, names.reportable
        ),
    );
    step.details.insert("PropertyName".into(), attribute.target.to_string());
    step
}
