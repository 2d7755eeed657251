//! Reading and writing one attribute inside a resource's JSON, by its path. Names are compared without regard to case.

use serde_json::{Map, Value as Json};

use super::path::{AttributePath, Term};

/// The type of role entries that come from app roles.
pub(crate) const ROLE_TYPE: &str = "WindowsAzureActiveDirectoryRole";

/// The core attributes whose values are entries with a `value`.
const ENTRIES: [&str; 10] = [
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "groups",
    "entitlements",
    "roles",
    "x509Certificates",
    "members",
];

/// The usual sub-attributes in their usual spelling: mappings write `.Value` and `.Formatted` too.
const SUB_ATTRIBUTES: [&str; 6] = ["value", "formatted", "display", "displayName", "type", "primary"];

/// Whether the values of an attribute are entries with a `value`.
pub(crate) fn has_entries(attribute: &str) -> bool {
    ENTRIES.iter().any(|known| known.eq_ignore_ascii_case(attribute))
}

/// One value as an entry of such an attribute; structured values are entries already.
pub(crate) fn entry(attribute: &str, value: Json) -> Json {
    if value.is_object() || !has_entries(attribute) {
        return value;
    }
    Json::Object(Map::from_iter([("value".to_owned(), value)]))
}

/// A member by its name, whatever its case.
pub(crate) fn member<'a>(object: &'a Map<String, Json>, name: &str) -> Option<&'a Json> {
    object
        .get(name)
        .or_else(|| object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// The values at a path: those of a list one by one, nothing for null.
pub(crate) fn read<'a>(resource: &'a Map<String, Json>, path: &AttributePath) -> Vec<&'a Json> {
    let Some(value) = attribute(resource, path) else { return Vec::new() };
    let mut found: Vec<&Json> = one_by_one(value);
    if !path.selector.is_empty() {
        found.retain(|entry| is_chosen(entry, &path.selector));
    }
    if let Some(sub) = &path.sub {
        found = found
            .into_iter()
            .filter_map(|entry| entry.as_object().and_then(|entry| member(entry, sub)))
            .flat_map(one_by_one)
            .collect();
    }
    found.retain(|value| !value.is_null());
    found
}

fn attribute<'a>(resource: &'a Map<String, Json>, path: &AttributePath) -> Option<&'a Json> {
    let Some(urn) = &path.urn else { return member(resource, &path.attribute) };
    let nested =
        member(resource, urn).and_then(Json::as_object).and_then(|inner| member(inner, &path.attribute));
    // Some servers answer with the flat name that they were sent.
    nested.or_else(|| member(resource, &path.whole()))
}

fn one_by_one(value: &Json) -> Vec<&Json> {
    match value {
        Json::Array(values) => values.iter().collect(),
        Json::Null => Vec::new(),
        one => vec![one],
    }
}

/// Whether an entry is the one that a selector names.
pub(crate) fn is_chosen(entry: &Json, selector: &[Term]) -> bool {
    let Some(entry) = entry.as_object() else { return false };
    selector.iter().all(|term| member(entry, &term.attribute).is_some_and(|value| term.holds(value)))
}

/// Sets the value at a path, making what is missing on the way.
pub(crate) fn set(resource: &mut Map<String, Json>, path: &AttributePath, value: Json) {
    if path.selector.is_empty() {
        let slot = slot(container(resource, path), &path.attribute);
        match &path.sub {
            None => *slot = value,
            Some(sub) => {
                let entry = match slot {
                    Json::Array(entries) => first(entries, Map::new),
                    Json::Object(_) => slot,
                    _ => {
                        let empty = Json::Object(Map::new());
                        *slot = if has_entries(&path.attribute) { Json::Array(vec![empty]) } else { empty };
                        match slot {
                            Json::Array(entries) => &mut entries[0],
                            other => other,
                        }
                    }
                };
                put(entry, sub, value);
            }
        }
        return;
    }
    let slot = slot(container(resource, path), &path.attribute);
    let entries = listed(slot);
    let index = entries.iter().position(|entry| is_chosen(entry, &path.selector)).unwrap_or_else(|| {
        let new = new_entry(path, entries);
        entries.push(new);
        entries.len() - 1
    });
    match (&path.sub, value) {
        (Some(sub), value) => put(&mut entries[index], sub, value),
        (None, Json::Object(values)) => {
            for (name, value) in values {
                put(&mut entries[index], &name, value);
            }
        }
        (None, value) => put(&mut entries[index], "value", value),
    }
}

/// Adds values to a multi-valued attribute; those that are there already stay once.
pub(crate) fn add(resource: &mut Map<String, Json>, path: &AttributePath, values: Vec<Json>) {
    let slot = slot(container(resource, path), &path.attribute);
    let entries = listed(slot);
    for value in values {
        if !entries.iter().any(|known| is_same(known, &value)) {
            entries.push(value);
        }
    }
}

/// Takes values away; an empty list takes the attribute away.
pub(crate) fn remove(resource: &mut Map<String, Json>, path: &AttributePath, values: &[Json]) {
    if path.urn.as_deref().is_some_and(|urn| member(resource, urn).is_none()) {
        return;
    }
    let container = container(resource, path);
    let Some(key) = container.keys().find(|key| key.eq_ignore_ascii_case(&path.attribute)).cloned() else {
        return;
    };
    let Some(value) = container.get_mut(&key) else { return };
    let is_gone = match (&path.sub, path.selector.is_empty()) {
        (None, true) if values.is_empty() => true,
        (None, true) => {
            let entries = listed(value);
            entries.retain(|known| !values.iter().any(|value| is_same(known, value)));
            entries.is_empty()
        }
        (sub, _) => {
            let is_list = value.is_array();
            let entries = listed(value);
            for entry in entries
                .iter_mut()
                .filter(|entry| path.selector.is_empty() || is_chosen(entry, &path.selector))
            {
                match (sub, entry.as_object_mut()) {
                    (Some(sub), Some(object)) => {
                        object.retain(|name, _| !name.eq_ignore_ascii_case(sub));
                        if says_nothing(object, &path.selector) {
                            *entry = Json::Null;
                        }
                    }
                    _ => *entry = Json::Null,
                }
            }
            entries.retain(|entry| !entry.is_null());
            let is_empty = entries.is_empty();
            if !is_list && entries.len() == 1 {
                *value = entries.remove(0);
            }
            is_empty
        }
    };
    if is_gone {
        container.shift_remove(&key);
    }
}

/// Whether nothing is left of an entry but what it is chosen by.
fn says_nothing(entry: &Map<String, Json>, selector: &[Term]) -> bool {
    entry.keys().all(|name| {
        name.eq_ignore_ascii_case("primary")
            || selector.iter().any(|term| name.eq_ignore_ascii_case(&term.attribute))
    })
}

/// Whether two values are the same: entries by their `value`.
fn is_same(left: &Json, right: &Json) -> bool {
    match (
        left.as_object().and_then(|one| member(one, "value")),
        right.as_object().and_then(|one| member(one, "value")),
    ) {
        (Some(left), Some(right)) => left == right,
        (Some(inner), None) => inner == right,
        (None, Some(inner)) => left == inner,
        (None, None) => left == right,
    }
}

/// The entry that is made when none is chosen by the path's selector.
pub(crate) fn new_entry(path: &AttributePath, others: &[Json]) -> Json {
    let mut entry = Map::new();
    let is_work =
        |term: &Term| term.attribute.eq_ignore_ascii_case("type") && term.value.eq_ignore_ascii_case("work");
    let has_primary = || {
        others
            .iter()
            .filter_map(Json::as_object)
            .any(|other| member(other, "primary") == Some(&Json::Bool(true)))
    };
    if path.attribute.eq_ignore_ascii_case("emails") && path.selector.iter().all(is_work) && !has_primary() {
        entry.insert("primary".to_owned(), Json::Bool(true));
    }
    for term in &path.selector {
        entry.insert(term.attribute.to_string(), term.json());
    }
    let names_type = path.selector.iter().any(|term| term.attribute.eq_ignore_ascii_case("type"));
    if path.attribute.eq_ignore_ascii_case("roles") && !names_type {
        entry.insert("type".to_owned(), Json::from(ROLE_TYPE));
    }
    Json::Object(entry)
}

/// The object that holds the attribute: the resource, or its extension.
fn container<'a>(resource: &'a mut Map<String, Json>, path: &AttributePath) -> &'a mut Map<String, Json> {
    match &path.urn {
        None => resource,
        Some(urn) => as_object(slot(resource, urn)),
    }
}

/// The place of a member, whatever its case; made when it is not there.
fn slot<'a>(object: &'a mut Map<String, Json>, name: &str) -> &'a mut Json {
    let key = object
        .keys()
        .find(|known| known.eq_ignore_ascii_case(name))
        .cloned()
        .unwrap_or_else(|| usual_spelling(name));
    object.entry(key).or_insert(Json::Null)
}

fn usual_spelling(name: &str) -> String {
    SUB_ATTRIBUTES
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .map_or(name, |known| *known)
        .to_owned()
}

fn put(entry: &mut Json, name: &str, value: Json) {
    *slot(as_object(entry), name) = value;
}

fn as_object(value: &mut Json) -> &mut Map<String, Json> {
    if !value.is_object() {
        *value = Json::Object(Map::new());
    }
    value.as_object_mut().expect("it was just made an object")
}

fn listed(value: &mut Json) -> &mut Vec<Json> {
    if !value.is_array() {
        *value = match value.take() {
            Json::Null => Json::Array(Vec::new()),
            one => Json::Array(vec![one]),
        };
    }
    value.as_array_mut().expect("it was just made a list")
}

fn first(entries: &mut Vec<Json>, make: fn() -> Map<String, Json>) -> &mut Json {
    if entries.is_empty() {
        entries.push(Json::Object(make()));
    }
    &mut entries[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    fn changed(resource: Json, change: impl FnOnce(&mut Map<String, Json>), expected: &Expect) {
        let mut resource = resource.as_object().unwrap().clone();
        change(&mut resource);
        expected.assert_eq(&Json::Object(resource).to_string());
    }

    fn path(text: &str) -> AttributePath {
        AttributePath::parse(text).unwrap()
    }

    #[test]
    fn paths_with_the_same_selector_build_one_entry() {
        changed(
            json!({}),
            |resource| {
                set(resource, &path(r#"addresses[type eq "work"].streetAddress"#), json!("Main St 1"));
                set(resource, &path(r#"addresses[type eq "work"].postalCode"#), json!("98052"));
                set(resource, &path(r#"emails[type eq "work"].value"#), json!("a@x.example"));
                set(resource, &path(r#"emails[type eq "other"].Value"#), json!("b@x.example"));
            },
            &expect![[
                r#"{"addresses":[{"type":"work","streetAddress":"Main St 1","postalCode":"98052"}],"emails":[{"primary":true,"type":"work","value":"a@x.example"},{"type":"other","value":"b@x.example"}]}"#
            ]],
        );
    }

    #[test]
    fn a_role_chosen_by_primary_carries_its_type_and_a_real_boolean() {
        changed(
            json!({}),
            |resource| set(resource, &path(r#"roles[primary eq "True"].value"#), json!("Admin")),
            &expect![[
                r#"{"roles":[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"Admin"}]}"#
            ]],
        );
    }

    #[test]
    fn existing_members_keep_their_spelling_and_place() {
        changed(
            json!({"Name": {"GivenName": "Ann"}, "urn:x:1.0:User": {"Level": 1}}),
            |resource| {
                set(resource, &path("name.givenName"), json!("Anna"));
                set(resource, &path("urn:x:1.0:user:level"), json!(2));
            },
            &expect![[r#"{"Name":{"GivenName":"Anna"},"urn:x:1.0:User":{"Level":2}}"#]],
        );
    }

    #[test]
    fn members_are_added_once_and_taken_away_by_value() {
        let group = json!({"members": [{"value": "a", "display": "Ann"}, {"value": "b"}]});
        changed(
            group.clone(),
            |resource| add(resource, &path("members"), vec![json!({"value": "a"}), json!({"value": "c"})]),
            &expect![[r#"{"members":[{"value":"a","display":"Ann"},{"value":"b"},{"value":"c"}]}"#]],
        );
        changed(
            group.clone(),
            |resource| remove(resource, &path("members"), &[json!({"value": "a"})]),
            &expect![[r#"{"members":[{"value":"b"}]}"#]],
        );
        changed(group, |resource| remove(resource, &path("members"), &[]), &expect!["{}"]);
    }

    #[test]
    fn an_entry_that_says_nothing_any_more_goes() {
        changed(
            json!({"emails": [{"type": "work", "primary": true, "value": "a"}, {"type": "home", "value": "b"}]}),
            |resource| remove(resource, &path(r#"emails[type eq "work"].value"#), &[]),
            &expect![[r#"{"emails":[{"type":"home","value":"b"}]}"#]],
        );
        changed(
            json!({"name": {"givenName": "Ann", "familyName": "Lee"}}),
            |resource| remove(resource, &path("name.givenName"), &[]),
            &expect![[r#"{"name":{"familyName":"Lee"}}"#]],
        );
    }

    #[test]
    fn wrong_shapes_are_made_right_when_they_are_written() {
        changed(
            json!({"name": "Ann", "emails": {"type": "work", "value": "a"}}),
            |resource| {
                set(resource, &path("name.givenName"), json!("Ann"));
                set(resource, &path(r#"emails[type eq "work"].value"#), json!("c"));
            },
            &expect![[r#"{"name":{"givenName":"Ann"},"emails":[{"type":"work","value":"c"}]}"#]],
        );
    }
}
