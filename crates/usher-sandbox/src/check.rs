//! Checks values against the schema and brings them into the form they are stored in: names in the schema's
//! spelling, nothing read-only, nothing unassigned.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::filter::as_boolean;
use crate::refusal::Refusal;
use crate::schema::{Attribute, ResourceType, Schema, Type};

/// How strictly a value is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A whole resource: values have exactly their type.
    Resource,
    /// A patch: Entra writes booleans as `"True"` and references as plain text.
    Patch,
}

/// Checks the body of POST and PUT.
pub(crate) fn resource(
    definition: &'static ResourceType,
    body: Value,
) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(body) = body else { return Err(Refusal::syntax("the body is no object")) };
    let mut stored = Map::new();
    let mut has_schemas = false;
    for (name, value) in body {
        if name.eq_ignore_ascii_case("schemas") {
            check_schemas(definition, &value)?;
            has_schemas = true;
        } else if let Some(extension) = extension_named(definition, &name) {
            if let Some(parts) = members(extension.attributes, extension.urn, value, Form::Resource)? {
                insert_once(&mut stored, extension.urn, parts)?;
            }
        } else {
            let attribute = definition.attribute(&name).ok_or_else(|| unknown(&name))?;
            if attribute.is_read_only() {
                continue;
            }
            if let Some(value) = value_of(attribute, value, Form::Resource)? {
                insert_once(&mut stored, attribute.name, value)?;
            }
        }
    }
    if !has_schemas {
        return Err(Refusal::value("attribute \"schemas\" is missing"));
    }
    Ok(stored)
}

/// Checks the value of an attribute; unassigned values come back as none.
pub(crate) fn value_of(
    attribute: &'static Attribute,
    value: Value,
    form: Form,
) -> Result<Option<Value>, Refusal> {
    if !attribute.is_multivalued {
        return single(attribute, value, form);
    }
    let values = match value {
        Value::Null => return Ok(None),
        Value::Array(values) => values,
        value if form == Form::Patch => vec![value],
        _ => return Err(Refusal::value(format!("attribute \"{}\" is a list", attribute.name))),
    };
    let mut checked = Vec::with_capacity(values.len());
    for value in values {
        checked.extend(single(attribute, value, form)?);
    }
    if attribute.part("primary").is_some() && primaries(&checked) > 1 {
        return Err(Refusal::value(format!(
            "attribute \"{}\" has more than one primary value",
            attribute.name
        )));
    }
    Ok((!checked.is_empty()).then_some(Value::Array(checked)))
}

/// Checks one value of an attribute, be it one of many or the only one.
pub(crate) fn single(
    attribute: &'static Attribute,
    value: Value,
    form: Form,
) -> Result<Option<Value>, Refusal> {
    let wrong = |expected: &str| {
        Err(Refusal::value(format!("the value of attribute \"{}\" is no {expected}", attribute.name)))
    };
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Type::Text | Type::Reference, Value::String(text)) => Ok(Some(Value::String(text))),
        (Type::Text | Type::Reference, _) => wrong("text"),
        (Type::Boolean, Value::Bool(value)) => Ok(Some(Value::Bool(value))),
        (Type::Boolean, value) => match as_boolean(&value) {
            Some(value) if form == Form::Patch => Ok(Some(Value::Bool(value))),
            _ => wrong("boolean"),
        },
        (Type::Integer, value) if value.is_i64() => Ok(Some(value)),
        (Type::Integer, _) => wrong("integer"),
        (Type::DateTime, Value::String(text)) if text.parse::<Timestamp>().is_ok() => {
            Ok(Some(Value::String(text)))
        }
        (Type::DateTime, _) => wrong("date and time"),
        (Type::Binary, Value::String(text)) if is_base64(&text) => Ok(Some(Value::String(text))),
        (Type::Binary, _) => wrong("base64"),
        (Type::Complex, value) => complex(attribute, value, form),
    }
}

/// Refuses a resource that lacks what its schema requires.
pub(crate) fn required(
    definition: &'static ResourceType,
    stored: &Map<String, Value>,
) -> Result<(), Refusal> {
    for attribute in definition.core.attributes.iter().filter(|attribute| attribute.is_required) {
        let text = stored.get(attribute.name).and_then(Value::as_str).unwrap_or_default();
        if text.trim().is_empty() {
            return Err(Refusal::value(format!("attribute \"{}\" is required", attribute.name)));
        }
    }
    Ok(())
}

/// The number of values marked as the preferred one.
pub(crate) fn primaries(values: &[Value]) -> usize {
    values.iter().filter(|value| value["primary"] == Value::Bool(true)).count()
}

/// The extension with this URN, without regard to case.
pub(crate) fn extension_named(definition: &'static ResourceType, name: &str) -> Option<&'static Schema> {
    definition.extension.as_ref().filter(|extension| extension.urn.eq_ignore_ascii_case(name))
}

fn complex(attribute: &'static Attribute, value: Value, form: Form) -> Result<Option<Value>, Refusal> {
    let is_single_link = !attribute.links.is_empty() && !attribute.is_multivalued;
    let value = match value {
        Value::String(id) if is_single_link && form == Form::Patch => {
            Value::Object(Map::from_iter([("value".to_owned(), Value::String(id))]))
        }
        Value::Array(mut values) if is_single_link && form == Form::Patch && values.len() == 1 => {
            values.remove(0)
        }
        value => value,
    };
    let Some(value) = members(attribute.parts, attribute.name, value, form)? else { return Ok(None) };
    if attribute.links.is_empty() { Ok(Some(value)) } else { link(attribute, value).map(Some) }
}

/// A link is stored as the id alone; everything else about it is worked out for answers.
fn link(attribute: &Attribute, value: Value) -> Result<Value, Refusal> {
    let id = value["value"].as_str().or_else(|| value["$ref"].as_str()?.rsplit('/').next());
    match id {
        Some(id) if !id.is_empty() => {
            Ok(Value::Object(Map::from_iter([("value".to_owned(), Value::from(id))])))
        }
        _ => Err(Refusal::value(format!("a value of attribute \"{}\" has no \"value\"", attribute.name))),
    }
}

fn members(
    attributes: &'static [Attribute],
    owner: &str,
    value: Value,
    form: Form,
) -> Result<Option<Value>, Refusal> {
    let given = match value {
        Value::Object(given) => given,
        Value::Null => return Ok(None),
        _ => return Err(Refusal::value(format!("the value of \"{owner}\" is no object"))),
    };
    let mut stored = Map::new();
    for (name, value) in given {
        let attribute = attributes
            .iter()
            .find(|attribute| attribute.name.eq_ignore_ascii_case(&name))
            .ok_or_else(|| unknown(&format!("{owner}.{name}")))?;
        if attribute.is_read_only() {
            continue;
        }
        if let Some(value) = value_of(attribute, value, form)? {
            insert_once(&mut stored, attribute.name, value)?;
        }
    }
    Ok((!stored.is_empty()).then_some(Value::Object(stored)))
}

fn check_schemas(definition: &ResourceType, value: &Value) -> Result<(), Refusal> {
    let Value::Array(given) = value else {
        return Err(Refusal::value("attribute \"schemas\" is a list"));
    };
    let mut has_core = false;
    for urn in given {
        let Value::String(urn) = urn else {
            return Err(Refusal::value("a value of attribute \"schemas\" is no text"));
        };
        let is_core = urn.eq_ignore_ascii_case(definition.core.urn);
        let is_extension =
            definition.extension.as_ref().is_some_and(|extension| urn.eq_ignore_ascii_case(extension.urn));
        let is_tolerated = definition.tolerated.contains(&urn.as_str());
        if !(is_core || is_extension || is_tolerated) {
            return Err(Refusal::value(format!("schema \"{urn}\" is unknown here")));
        }
        has_core |= is_core;
    }
    if has_core {
        Ok(())
    } else {
        Err(Refusal::value(format!("schema \"{}\" is missing", definition.core.urn)))
    }
}

/// Names are compared without regard to case, so one attribute can be given twice in an object.
fn insert_once(stored: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), Refusal> {
    match stored.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(Refusal::syntax(format!("attribute \"{name}\" is given twice"))),
    }
}

fn unknown(name: &str) -> Refusal {
    Refusal::syntax(format!("attribute \"{name}\" is not in the schema"))
}

fn is_base64(text: &str) -> bool {
    let content = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - content.len() <= 2
        && content.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}
