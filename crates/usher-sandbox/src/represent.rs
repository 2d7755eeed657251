//! Resources as answers show them, whole or only the attributes the client asked for (RFC 7644 §3.9).

use serde_json::{Map, Value, json};

use crate::path::{Located, Place, locate};
use crate::schema::{Attribute, Kind, Returned};
use crate::store::{Record, Store};

/// Which attributes an answer shows.
pub(crate) enum Projection {
    /// All that are shown unless asked otherwise.
    Default,
    /// These, and those that are always shown.
    Only(Vec<Located>),
    /// All but these.
    Without(Vec<Located>),
}

impl Projection {
    /// Reads a list of names; names the schema does not know select nothing.
    pub(crate) fn names(kind: Kind, list: &str) -> Vec<Located> {
        list.split(',').filter_map(|name| locate(kind.definition(), name.trim()).ok()).collect()
    }

    fn view(&self, extension: Option<&'static str>, attribute: &Attribute) -> View {
        if attribute.returned == Returned::Never {
            return View::Hidden;
        }
        let (names, is_excluding) = match self {
            Projection::Default => return View::Whole,
            _ if attribute.returned == Returned::Always => return View::Whole,
            Projection::Only(names) => (names, false),
            Projection::Without(names) => (names, true),
        };
        let mut parts = Vec::new();
        let mut is_named = false;
        for name in names {
            match name {
                Located::Extension(urn) => is_named |= Some(*urn) == extension,
                Located::Place(Place { extension: of, attribute: named, part })
                    if *of == extension && named.name == attribute.name =>
                {
                    match part {
                        None => is_named = true,
                        Some(part) => parts.push(part.name),
                    }
                }
                Located::Place(_) => {}
            }
        }
        match (is_excluding, is_named, parts.is_empty()) {
            (false, true, _) | (true, false, true) => View::Whole,
            (true, true, _) | (false, false, true) => View::Hidden,
            (false, false, false) => View::Only(parts),
            (true, false, false) => View::Except(parts),
        }
    }
}

enum View {
    Hidden,
    Whole,
    Only(Vec<&'static str>),
    Except(Vec<&'static str>),
}

/// Builds the resource; `base` is the address before `/Users`.
pub(crate) fn represent(
    store: &Store,
    record: &Record,
    base: &str,
    projection: &Projection,
) -> Map<String, Value> {
    let definition = record.kind.definition();
    let mut shown = Map::new();
    let mut schemas = vec![definition.core.urn];
    schemas.extend(
        definition
            .extension
            .as_ref()
            .filter(|extension| record.values.contains_key(extension.urn))
            .map(|extension| extension.urn),
    );
    shown.insert("schemas".into(), Value::from(schemas));
    let common = ["id", "externalId"].into_iter().filter_map(|name| definition.attribute(name));
    for attribute in common.chain(definition.core.attributes) {
        show(&mut shown, projection.view(None, attribute), attribute, || {
            if attribute.name == "groups" {
                groups(store, record, base)
            } else {
                linked(store, attribute, record.values.get(attribute.name)?, base)
            }
        });
    }
    if let Some(extension) = &definition.extension
        && let Some(Value::Object(values)) = record.values.get(extension.urn)
    {
        let mut parts = Map::new();
        for attribute in extension.attributes {
            show(&mut parts, projection.view(Some(extension.urn), attribute), attribute, || {
                linked(store, attribute, values.get(attribute.name)?, base)
            });
        }
        if !parts.is_empty() {
            shown.insert(extension.urn.into(), Value::Object(parts));
        }
    }
    if let Some(attribute) = definition.attribute("meta") {
        show(&mut shown, projection.view(None, attribute), attribute, || Some(meta(record, base)));
    }
    shown
}

/// Where a resource is read.
pub(crate) fn location(record: &Record, base: &str) -> String {
    format!("{base}/{}/{}", record.kind.definition().endpoint, record.id)
}

fn show(
    shown: &mut Map<String, Value>,
    view: View,
    attribute: &Attribute,
    value: impl FnOnce() -> Option<Value>,
) {
    if matches!(view, View::Hidden) {
        return;
    }
    let Some(mut value) = value() else { return };
    match view {
        View::Hidden | View::Whole => {}
        View::Only(parts) => prune(&mut value, |name| parts.contains(&name)),
        View::Except(parts) => prune(&mut value, |name| !parts.contains(&name)),
    }
    shown.insert(attribute.name.into(), value);
}

fn prune(value: &mut Value, is_kept: impl Fn(&str) -> bool + Copy) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| prune(value, is_kept)),
        Value::Object(parts) => parts.retain(|name, _| is_kept(name)),
        _ => {}
    }
}

/// Adds to links what is known of the resource they point at.
fn linked(store: &Store, attribute: &Attribute, value: &Value, base: &str) -> Option<Value> {
    if attribute.links.is_empty() {
        return Some(value.clone());
    }
    if let Value::Array(links) = value {
        return Some(links.iter().filter_map(|link| linked(store, attribute, link, base)).collect());
    }
    let target = store.linked(attribute.links, value["value"].as_str()?)?;
    let mut link = Map::new();
    link.insert("value".into(), value["value"].clone());
    link.insert("$ref".into(), Value::from(location(target, base)));
    if let Some(kind) = value.get("type") {
        link.insert("type".into(), kind.clone());
    }
    if attribute.part("displayName").is_some()
        && let Some(name) = target.values.get("displayName")
    {
        link.insert("displayName".into(), name.clone());
    }
    Some(Value::Object(link))
}

fn groups(store: &Store, record: &Record, base: &str) -> Option<Value> {
    let groups: Vec<Value> = store
        .referrers(&record.id, Kind::Group)
        .map(|group| {
            json!({
                "value": group.id,
                "$ref": location(group, base),
                "display": group.values.get("displayName"),
                "type": "direct",
            })
        })
        .collect();
    (!groups.is_empty()).then_some(Value::Array(groups))
}

fn meta(record: &Record, base: &str) -> Value {
    json!({
        "resourceType": record.kind.definition().name,
        "created": record.created.to_string(),
        "lastModified": record.modified.to_string(),
        "location": location(record, base),
        "version": record.entity_tag(),
    })
}
