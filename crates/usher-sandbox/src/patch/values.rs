//! Patches the list of values of a multi-valued attribute.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Verb, set_part};
use crate::check::{self, Form};
use crate::filter::Filter;
use crate::path::Place;
use crate::refusal::Refusal;
use crate::schema::Attribute;

/// Applies one operation to the values.
pub(super) fn change(
    elements: &mut Vec<Value>,
    verb: Verb,
    place: &Place,
    filter: Option<&Filter>,
    value: Value,
) -> Result<(), Refusal> {
    let attribute = place.attribute;
    if filter.is_none() && place.part.is_none() {
        return match verb {
            Verb::Remove => remove_listed(elements, attribute, value),
            Verb::Add => add(elements, attribute, value),
            Verb::Replace => {
                elements.clear();
                add(elements, attribute, value)
            }
        };
    }
    let selected: Vec<usize> = elements
        .iter()
        .enumerate()
        .filter(|(_, element)| filter.is_none_or(|filter| holds(filter, element)))
        .map(|(at, _)| at)
        .collect();
    match (verb, place.part) {
        (Verb::Remove, None) => {
            elements.retain(|element| filter.is_some_and(|filter| !holds(filter, element)))
        }
        (Verb::Remove, Some(part)) => {
            for at in &selected {
                if let Some(parts) = elements[*at].as_object_mut() {
                    set_part(parts, attribute, part, verb, Value::Null)?;
                }
            }
            elements.retain(|element| !is_hollow(element));
        }
        _ if selected.is_empty() => create(elements, place, filter, value)?,
        (_, Some(part)) => {
            for at in &selected {
                if let Some(parts) = elements[*at].as_object_mut() {
                    set_part(parts, attribute, part, verb, value.clone())?;
                }
            }
            settle_primary(elements, attribute, &selected)?;
        }
        (_, None) => {
            let given = check::single(attribute, value, Form::Patch)?.unwrap_or_default();
            for at in &selected {
                let base = match verb {
                    Verb::Replace => filter.and_then(Filter::described_value).unwrap_or_default(),
                    _ => elements[*at].as_object().cloned().unwrap_or_default(),
                };
                elements[*at] = overlaid(base, &given);
            }
            settle_primary(elements, attribute, &selected)?;
        }
    }
    Ok(())
}

/// Adds the values that are not there yet; adding one twice is no failure.
fn add(elements: &mut Vec<Value>, attribute: &'static Attribute, value: Value) -> Result<(), Refusal> {
    let Some(Value::Array(given)) = check::value_of(attribute, value, Form::Patch)? else { return Ok(()) };
    let first_new = elements.len();
    let mut known: HashSet<String> = elements.iter().map(|element| identity(attribute, element)).collect();
    for value in given {
        if known.insert(identity(attribute, &value)) {
            elements.push(value);
        }
    }
    let added: Vec<usize> = (first_new..elements.len()).collect();
    settle_primary(elements, attribute, &added)
}

/// Members are the same when their ids are; other values when they are equal in every part.
fn identity(attribute: &Attribute, element: &Value) -> String {
    match element["value"].as_str() {
        Some(id) if !attribute.links.is_empty() => id.to_owned(),
        _ => element.to_string(),
    }
}

/// Removes everything, or, when the operation lists values as Entra's old form does, only those.
fn remove_listed(
    elements: &mut Vec<Value>,
    attribute: &'static Attribute,
    value: Value,
) -> Result<(), Refusal> {
    let listed = match value {
        Value::Null => {
            elements.clear();
            return Ok(());
        }
        Value::Array(listed) => listed,
        value => vec![value],
    };
    let mut patterns = Vec::with_capacity(listed.len());
    for value in listed {
        patterns.extend(check::single(attribute, value, Form::Patch)?);
    }
    if attribute.links.is_empty() {
        elements.retain(|element| !patterns.iter().any(|pattern| is_part_of(pattern, element)));
    } else {
        let ids: HashSet<&str> = patterns.iter().filter_map(|pattern| pattern["value"].as_str()).collect();
        elements.retain(|element| element["value"].as_str().is_none_or(|id| !ids.contains(id)));
    }
    Ok(())
}

fn is_part_of(pattern: &Value, element: &Value) -> bool {
    match pattern.as_object() {
        Some(parts) => parts.iter().all(|(name, value)| element.get(name) == Some(value)),
        None => pattern == element,
    }
}

/// No value matches: Entra expects `emails[type eq "work"].value` to make the entry.
fn create(
    elements: &mut Vec<Value>,
    place: &Place,
    filter: Option<&Filter>,
    value: Value,
) -> Result<(), Refusal> {
    let attribute = place.attribute;
    let described = match filter {
        None => Some(Map::new()),
        Some(filter) => filter.described_value(),
    };
    let mut parts = described.ok_or_else(|| {
        Refusal::no_target(format!("no value of attribute \"{}\" matches the path", attribute.name))
    })?;
    match (place.part, value) {
        (Some(part), value) => {
            parts.insert(part.name.to_owned(), value);
        }
        (None, Value::Object(given)) => parts.extend(given),
        (None, _) => {
            return Err(Refusal::value(format!(
                "the value for attribute \"{}\" is no object",
                attribute.name
            )));
        }
    }
    add(elements, attribute, Value::Object(parts))
}

/// At most one value is preferred: marking one unmarks the others (RFC 7644 §3.5.2).
fn settle_primary(elements: &mut [Value], attribute: &Attribute, touched: &[usize]) -> Result<(), Refusal> {
    let marked: Vec<usize> =
        touched.iter().copied().filter(|at| elements[*at]["primary"] == Value::Bool(true)).collect();
    if marked.len() > 1 {
        return Err(Refusal::value(format!(
            "attribute \"{}\" has more than one primary value",
            attribute.name
        )));
    }
    let Some(marked) = marked.first() else { return Ok(()) };
    for (at, element) in elements.iter_mut().enumerate() {
        if at != *marked && element["primary"] == Value::Bool(true) {
            element["primary"] = Value::Bool(false);
        }
    }
    Ok(())
}

/// Nothing is left but what kind of value it was.
fn is_hollow(element: &Value) -> bool {
    element.as_object().is_some_and(|parts| parts.keys().all(|name| name == "type" || name == "primary"))
}

fn overlaid(mut base: Map<String, Value>, given: &Value) -> Value {
    if let Some(given) = given.as_object() {
        base.extend(given.clone());
    }
    Value::Object(base)
}

fn holds(filter: &Filter, element: &Value) -> bool {
    element.as_object().is_some_and(|element| filter.matches(element))
}
