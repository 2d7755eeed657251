//! From a resource's JSON to an object under the schema's attribute names, values normalised once.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use usher_core::{Anchor, AttributeSet, DirectoryObject};
use usher_expr::Value;

use super::path::AttributePath;
use super::resource::{ROLE_TYPE, has_entries, member, read};

/// The object in a resource; `None` when it has no `id`.
pub(crate) fn object(object_type: &str, resource: &Json, attributes: &[SmolStr]) -> Option<DirectoryObject> {
    let resource = resource.as_object()?;
    let mut set = AttributeSet::default();
    for name in attributes {
        if let Ok(path) = AttributePath::parse(name) {
            set.set(name.clone(), value(resource, &path));
        }
    }
    Some(DirectoryObject { object_type: object_type.into(), anchor: id(resource)?, attributes: set })
}

/// The `id` of a resource.
pub(crate) fn id(resource: &Map<String, Json>) -> Option<Anchor> {
    match member(resource, "id")? {
        Json::String(text) if !text.is_empty() => Some(Anchor::new(text.as_str())),
        Json::Number(number) => Some(Anchor::new(number.to_string())),
        _ => None,
    }
}

/// The value of one attribute; null when the resource has none.
pub(crate) fn value(resource: &Map<String, Json>, path: &AttributePath) -> Value {
    let found = read(resource, path);
    let values: Vec<Value> = if path.sub.is_none() && path.attribute.eq_ignore_ascii_case("roles") {
        found.into_iter().filter_map(role).collect()
    } else if !found.is_empty() || !is_primary_role(path) {
        found.into_iter().filter_map(|json| one(json, path)).collect()
    } else {
        // A role that was sent as a document in a text has no `primary` to be chosen by.
        let whole = AttributePath { selector: Vec::new(), sub: None, ..path.clone() };
        read(resource, &whole)
            .into_iter()
            .filter_map(|entry| document(entry)?.get(path.last()).and_then(Json::as_str).map(Value::text))
            .collect()
    };
    let is_single = !path.selector.is_empty() || path.sub.is_some();
    match values.len() {
        0 => Value::Null,
        _ if is_single => values.into_iter().next().unwrap_or_default(),
        1 if !is_listed(resource, path) => values.into_iter().next().unwrap_or_default(),
        _ => Value::list(values),
    }
}

fn is_listed(resource: &Map<String, Json>, path: &AttributePath) -> bool {
    let whole = match &path.urn {
        Some(urn) => {
            member(resource, urn).and_then(Json::as_object).and_then(|inner| member(inner, &path.attribute))
        }
        None => member(resource, &path.attribute),
    };
    whole.is_some_and(Json::is_array)
}

fn one(json: &Json, path: &AttributePath) -> Option<Value> {
    if refers(path) {
        return reference(json);
    }
    match json {
        Json::Null => None,
        Json::String(text) if path.is_boolean() => Some(match text.to_ascii_lowercase().as_str() {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            _ => Value::text(text),
        }),
        Json::Object(entry) if path.sub.is_none() && has_entries(&path.attribute) => {
            match member(entry, "value") {
                Some(Json::String(text)) => Some(Value::text(text)),
                Some(other) if !other.is_null() => Some(Value::from_json(other)),
                _ => Some(Value::from_json(json)),
            }
        }
        other => Some(Value::from_json(other)),
    }
}

/// Whether the attribute's values are other resources.
fn refers(path: &AttributePath) -> bool {
    let is = |name: &str| path.attribute.eq_ignore_ascii_case(name);
    let takes_id = path.sub.as_deref().is_none_or(|sub| sub.eq_ignore_ascii_case("value"));
    takes_id && (is("manager") || is("managerId") || is("members") || is("owners"))
}

/// The id in a reference: text, or an object with `value` or `managerId`.
fn reference(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) if !text.is_empty() => Some(Value::Reference(text.as_str().into())),
        Json::Number(number) => Some(Value::Reference(number.to_string().into())),
        Json::Object(entry) => ["value", "managerId", "id"]
            .iter()
            .filter_map(|name| member(entry, name))
            .find_map(|inner| if inner.is_object() { None } else { reference(inner) }),
        _ => None,
    }
}

fn is_primary_role(path: &AttributePath) -> bool {
    path.attribute.eq_ignore_ascii_case("roles")
        && path.selector.iter().any(|term| term.attribute.eq_ignore_ascii_case("primary"))
}

/// A role entry in the form that the role functions give: the same keys in the same order.
fn role(json: &Json) -> Option<Value> {
    if let Some(document) = document(json) {
        let text = |name: &str| document.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let entry = Map::from_iter([
            ("primary".to_owned(), Json::Bool(false)),
            ("type".to_owned(), Json::from(ROLE_TYPE)),
            ("displayName".to_owned(), Json::from(text("displayName"))),
            ("value".to_owned(), Json::from(text("value"))),
        ]);
        return Some(Value::Object(Arc::new(Json::Object(entry))));
    }
    let entry = match json {
        Json::Object(entry) => entry,
        Json::Null => return None,
        other => return Some(Value::from_json(other)),
    };
    let mut ordered = Map::new();
    let is_primary = match member(entry, "primary") {
        Some(Json::Bool(truth)) => *truth,
        Some(Json::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    ordered.insert("primary".to_owned(), Json::Bool(is_primary));
    for name in ["type", "display", "displayName", "value"] {
        if let Some(value) = member(entry, name).filter(|value| !value.is_null()) {
            ordered.insert(name.to_owned(), value.clone());
        }
    }
    Some(Value::Object(Arc::new(Json::Object(ordered))))
}

/// The JSON document that stands as text in a role's `value`.
fn document(entry: &Json) -> Option<Map<String, Json>> {
    let text = match entry {
        Json::Object(entry) => member(entry, "value")?.as_str()?,
        Json::String(text) => text,
        _ => return None,
    };
    if !text.starts_with('{') {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use serde_json::json;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn check(resource: Json, attributes: &[&str], expected: &Expect) {
        let names: Vec<SmolStr> = attributes.iter().copied().map(SmolStr::from).collect();
        let shown = match object("User", &resource, &names) {
            None => "no object".to_owned(),
            Some(object) => {
                let values: Vec<String> =
                    object.attributes.iter().map(|(name, value)| format!("{name} = {value:?}\n")).collect();
                format!("{}\n{}", object.anchor, values.concat())
            }
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn attributes_come_under_the_names_of_the_schema() {
        check(
            json!({
                "ID": "u1",
                "username": "ann@x.example",
                "active": "False",
                "name": {"givenName": "Ann", "familyName": null},
                "emails": [{"type": "home", "value": "h"}, {"type": "work", "value": "w", "primary": true}],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Sales"},
                "loginCount": 3,
                "tags": ["a", "b"],
                "empty": [],
            }),
            &[
                "userName",
                "active",
                "name.givenName",
                "name.familyName",
                r#"emails[type eq "work"].value"#,
                r#"emails[type eq "fax"].value"#,
                &format!("{ENTERPRISE}:department"),
                "loginCount",
                "tags",
                "empty",
            ],
            &expect![[r#"
                u1
                userName = Text("ann@x.example")
                active = Boolean(false)
                name.givenName = Text("Ann")
                emails[type eq "work"].value = Text("w")
                urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department = Text("Sales")
                loginCount = Integer(3)
                tags = List([Text("a"), Text("b")])
            "#]],
        );
    }

    #[test]
    fn every_form_of_a_manager_is_the_reference() {
        let name = format!("{ENTERPRISE}:manager");
        for manager in [
            json!("m1"),
            json!({"value": "m1", "$ref": "https://app.example/Users/m1", "displayName": "Max"}),
            json!({"managerId": "m1"}),
            json!([{"value": "m1"}]),
        ] {
            let user = json!({"id": "u1", ENTERPRISE: {"manager": manager}}).as_object().unwrap().clone();
            let read = value(&user, &AttributePath::parse(&name).unwrap());
            assert_eq!(read.single(), &Value::Reference("m1".into()), "{manager}");
        }
    }

    #[test]
    fn members_are_references_and_a_group_without_them_has_none() {
        check(
            json!({"id": 7, "displayName": "Retail", "members": [{"value": "a", "$ref": null}, {"value": "b"}]}),
            &["displayName", "members"],
            &expect![[r#"
                7
                displayName = Text("Retail")
                members = List([Reference("a"), Reference("b")])
            "#]],
        );
        check(
            json!({"id": "g", "members": []}),
            &["members"],
            &expect![[r#"
            g
        "#]],
        );
    }

    #[test]
    fn roles_come_in_the_form_of_the_role_functions() {
        check(
            json!({"id": "u", "roles": [
                {"value": "User", "type": ROLE_TYPE, "display": "User", "$ref": null},
                {"value": "{\"id\":\"1\",\"value\":\"25\",\"displayName\":\"Role1234\"}"},
            ]}),
            &["roles", r#"roles[primary eq "True"].value"#],
            &expect![[r#"
                u
                roles = List([Object(Object {"primary": Bool(false), "type": String("WindowsAzureActiveDirectoryRole"), "display": String("User"), "value": String("User")}), Object(Object {"primary": Bool(false), "type": String("WindowsAzureActiveDirectoryRole"), "displayName": String("Role1234"), "value": String("25")})])
                roles[primary eq "True"].value = Text("25")
            "#]],
        );
    }

    #[test]
    fn what_has_no_id_is_no_object() {
        check(json!({"userName": "ann"}), &["userName"], &expect!["no object"]);
        check(json!({"id": ""}), &[], &expect!["no object"]);
        check(json!(["id"]), &[], &expect!["no object"]);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            prop_oneof!["\\PC{0,6}", Just("{\"value\":1}".to_owned())].prop_map(Json::from),
        ];
        let name = prop_oneof![
            Just("id".to_owned()),
            Just("emails".to_owned()),
            Just("roles".to_owned()),
            Just("members".to_owned()),
            Just("manager".to_owned()),
            Just("value".to_owned()),
            Just("type".to_owned()),
            Just("primary".to_owned()),
            Just(ENTERPRISE.to_owned()),
            "[a-z]{0,3}",
        ];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
                prop::collection::vec((name.clone(), inner), 0..5)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_answer_is_translated_or_refused(resource in any_json()) {
            let names: Vec<SmolStr> = [
                "userName", "emails", "roles", "members", "manager", "name.givenName",
                r#"roles[primary eq "True"].value"#, r#"emails[type eq "work"].value"#,
            ].iter().copied().map(SmolStr::from).chain([SmolStr::from(format!("{ENTERPRISE}:manager"))]).collect();
            let _ = object("User", &resource, &names);
        }

        #[test]
        fn any_resource_can_be_changed(resource in any_json(), value in any_json()) {
            if let Json::Object(resource) = resource {
                for name in ["emails", "name.givenName", r#"emails[type eq "work"].value"#, "urn:x:1.0:User:a.b"] {
                    let path = AttributePath::parse(name).unwrap();
                    let mut changed = resource.clone();
                    super::super::resource::set(&mut changed, &path, value.clone());
                    super::super::resource::add(&mut changed, &path, vec![value.clone()]);
                    super::super::resource::remove(&mut changed, &path, std::slice::from_ref(&value));
                    super::super::resource::remove(&mut changed, &path, &[]);
                }
            }
        }
    }
}
