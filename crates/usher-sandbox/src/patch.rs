//! Applies PATCH requests (RFC 7644 §3.5.2) in all shapes that Entra sends: capital operation names, booleans
//! as text, dotted and URN keys without a path, value paths that create their element.

mod values;

use serde_json::{Map, Value};

use crate::check::{self, Form};
use crate::filter::Filter;
use crate::path::{Place, Target, parse_target};
use crate::refusal::Refusal;
use crate::schema::{Attribute, Mutability, ResourceType, Type};

/// The URN a patch request names.
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// Returns the resource as it is after all operations; one refused operation refuses the request.
pub(crate) fn apply(
    definition: &'static ResourceType,
    resource: &Map<String, Value>,
    body: Value,
) -> Result<Map<String, Value>, Refusal> {
    let mut patched = resource.clone();
    for operation in operations(body)? {
        let Value::Object(operation) = operation else {
            return Err(Refusal::syntax("an operation is no object"));
        };
        apply_one(definition, &mut patched, operation)?;
    }
    Ok(patched)
}

fn operations(body: Value) -> Result<Vec<Value>, Refusal> {
    let Value::Object(body) = body else { return Err(Refusal::syntax("the body is no object")) };
    let mut operations = None;
    let mut is_patch = false;
    for (name, value) in body {
        match name.to_ascii_lowercase().as_str() {
            "schemas" => {
                is_patch = value.as_array().is_some_and(|urns| {
                    urns.iter().filter_map(Value::as_str).any(|urn| urn.eq_ignore_ascii_case(PATCH_OP))
                });
            }
            "operations" => operations = Some(value),
            _ => return Err(Refusal::syntax(format!("\"{name}\" does not belong into a patch"))),
        }
    }
    if !is_patch {
        return Err(Refusal::syntax(format!("schema \"{PATCH_OP}\" is missing")));
    }
    match operations {
        Some(Value::Array(operations)) if !operations.is_empty() => Ok(operations),
        _ => Err(Refusal::syntax("\"Operations\" is no list with at least one operation")),
    }
}

fn apply_one(
    definition: &'static ResourceType,
    resource: &mut Map<String, Value>,
    operation: Map<String, Value>,
) -> Result<(), Refusal> {
    let (mut verb, mut path, mut value) = (None, None, None);
    for (name, given) in operation {
        match name.to_ascii_lowercase().as_str() {
            "op" => verb = Some(parse_verb(&given)?),
            "path" => path = Some(given),
            "value" => value = Some(given),
            _ => return Err(Refusal::syntax(format!("\"{name}\" does not belong into an operation"))),
        }
    }
    let verb = verb.ok_or_else(|| Refusal::syntax("an operation has no \"op\""))?;
    match path {
        Some(Value::String(path)) => apply_at(definition, resource, verb, &path, value),
        Some(Value::Null) | None => apply_without_path(definition, resource, verb, value),
        Some(_) => Err(Refusal::path("a path is no text")),
    }
}

fn parse_verb(value: &Value) -> Result<Verb, Refusal> {
    match value.as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
        "add" => Ok(Verb::Add),
        "replace" => Ok(Verb::Replace),
        "remove" => Ok(Verb::Remove),
        _ => Err(Refusal::syntax(format!("{value} is no operation"))),
    }
}

/// Each key of the value is a path of its own, `name.givenName` and `urn:…:User:department` among them.
fn apply_without_path(
    definition: &'static ResourceType,
    resource: &mut Map<String, Value>,
    verb: Verb,
    value: Option<Value>,
) -> Result<(), Refusal> {
    if verb == Verb::Remove {
        return Err(Refusal::no_target("a remove operation needs a path"));
    }
    let Some(Value::Object(values)) = value else {
        return Err(Refusal::syntax("the value of an operation without path is no object"));
    };
    for (path, value) in values.into_iter().filter(|(path, _)| !is_schemas(path)) {
        apply_at(definition, resource, verb, &path, Some(value))?;
    }
    Ok(())
}

/// A value may say which schema it follows; that is nothing to store.
fn is_schemas(name: &str) -> bool {
    name.eq_ignore_ascii_case("schemas")
}

fn apply_at(
    definition: &'static ResourceType,
    resource: &mut Map<String, Value>,
    verb: Verb,
    path: &str,
    value: Option<Value>,
) -> Result<(), Refusal> {
    let value = match (verb, value) {
        (Verb::Remove, value) => value.unwrap_or(Value::Null),
        (_, Some(value)) => value,
        (_, None) => return Err(Refusal::value(format!("the operation on \"{path}\" has no value"))),
    };
    match parse_target(definition, path).map_err(Refusal::path)? {
        Target::Extension(urn) => {
            if verb == Verb::Remove || value.is_null() {
                resource.shift_remove(urn);
                return Ok(());
            }
            let Value::Object(values) = value else {
                return Err(Refusal::value(format!("the value of \"{urn}\" is no object")));
            };
            for (name, value) in values.into_iter().filter(|(name, _)| !is_schemas(name)) {
                apply_at(definition, resource, verb, &format!("{urn}:{name}"), Some(value))?;
            }
            Ok(())
        }
        Target::Place(place, filter) => {
            refuse_read_only(&place)?;
            let Some(urn) = place.extension else {
                return change(resource, verb, &place, filter.as_ref(), value);
            };
            let holder = resource.entry(urn).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(parts) = holder else { return Ok(()) };
            change(parts, verb, &place, filter.as_ref(), value)?;
            if parts.is_empty() {
                resource.shift_remove(urn);
            }
            Ok(())
        }
    }
}

fn refuse_read_only(place: &Place) -> Result<(), Refusal> {
    if place.attribute.is_read_only() {
        return Err(Refusal::mutability(place.attribute.name));
    }
    match place.part {
        Some(part) if part.is_read_only() => Err(Refusal::mutability(part.name)),
        _ => Ok(()),
    }
}

fn change(
    holder: &mut Map<String, Value>,
    verb: Verb,
    place: &Place,
    filter: Option<&Filter>,
    value: Value,
) -> Result<(), Refusal> {
    let attribute = place.attribute;
    // Assigning null unassigns (RFC 7643 §2.5), and a removal may carry a value that only lists can use.
    let verb = if value.is_null() { Verb::Remove } else { verb };
    if attribute.is_multivalued {
        let mut elements = match holder.shift_remove(attribute.name) {
            Some(Value::Array(elements)) => elements,
            _ => Vec::new(),
        };
        values::change(&mut elements, verb, place, filter, value)?;
        if !elements.is_empty() {
            holder.insert(attribute.name.to_owned(), Value::Array(elements));
        }
        return Ok(());
    }
    if place.part.is_none() && verb == Verb::Remove {
        holder.shift_remove(attribute.name);
        return Ok(());
    }
    let checked = match place.part {
        None => check::single(attribute, value, Form::Patch)?,
        Some(part) => {
            let mut parts = match holder.get(attribute.name) {
                Some(Value::Object(parts)) => parts.clone(),
                _ => Map::new(),
            };
            set_part(&mut parts, attribute, part, verb, value)?;
            holder.shift_remove(attribute.name);
            (!parts.is_empty()).then_some(Value::Object(parts))
        }
    };
    match (checked, holder.get_mut(attribute.name)) {
        (None, _) => {}
        // A complex value changes only in the parts that are given (RFC 7644 §3.5.2.3).
        (Some(Value::Object(given)), Some(Value::Object(parts))) => parts.extend(given),
        (Some(value), _) => {
            holder.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(())
}

/// Sets or removes one part of a complex value.
fn set_part(
    parts: &mut Map<String, Value>,
    attribute: &Attribute,
    part: &'static Attribute,
    verb: Verb,
    value: Value,
) -> Result<(), Refusal> {
    if part.mutability == Mutability::Immutable && parts.contains_key(part.name) {
        return Err(Refusal::mutability(part.name));
    }
    let checked = if verb == Verb::Remove { None } else { check::single(part, value, Form::Patch)? };
    match checked {
        None => {
            parts.shift_remove(part.name);
        }
        // Of a link only the id is kept, and its address ends in the id.
        Some(Value::String(address)) if !attribute.links.is_empty() && part.kind == Type::Reference => {
            let id = address.rsplit('/').next().unwrap_or_default();
            parts.insert("value".into(), Value::from(id));
        }
        Some(value) => {
            parts.insert(part.name.to_owned(), value);
        }
    }
    Ok(())
}
