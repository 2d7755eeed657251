//! Between objects as Microsoft Graph gives them and objects of a schema. Attributes are named and read as in the
//! directory inside, which keeps its values under Graph's names.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use usher_core::{Anchor, AttributeSet, DirectoryObject, Entry, EntryId, EntryKind, Relation};
use usher_expr::Value;

use crate::directory::translate::{self, Place};

/// For whom an object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// For provisioning elsewhere: guests under their name at home.
    Source,
    /// For comparison.
    Target,
}

/// What Graph tells outside of the object itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Linked {
    /// Links by relation, the manager apart.
    pub(super) links: Vec<(Relation, Vec<SmolStr>)>,
    /// The roles in the application on whose behalf is read.
    pub(super) roles: Value,
}

/// The object id.
pub(super) fn id(document: &Json) -> Option<&str> {
    document.get("id").and_then(Json::as_str).filter(|id| !id.is_empty())
}

/// Whether an object is a user, where several kinds come together: in the recycle bin, among members.
pub(super) fn is_user(document: &Json) -> bool {
    document.get("@odata.type").and_then(Json::as_str).is_none_or(|kind| kind == "#microsoft.graph.user")
}

/// Whether an object is a group, among what users are members of.
pub(super) fn is_group(document: &Json) -> bool {
    document.get("@odata.type").and_then(Json::as_str).is_none_or(|kind| kind == "#microsoft.graph.group")
}

/// The user principal name that somebody in the recycle bin had: there it begins with the id of the object, without
/// dashes.
pub(super) fn name_before(document: &Json) -> &str {
    let name = document.get("userPrincipalName").and_then(Json::as_str).unwrap_or_default();
    let id = id(document).unwrap_or_default().replace('-', "");
    match name.get(..id.len()) {
        Some(start) if !id.is_empty() && start.eq_ignore_ascii_case(&id) => &name[id.len()..],
        _ => name,
    }
}

/// An object of Graph with the attributes that are named; `None` when it has no id.
pub(super) fn object(
    kind: EntryKind,
    object_type: &SmolStr,
    document: &Json,
    names: &[SmolStr],
    linked: &Linked,
    view: View,
) -> Option<DirectoryObject> {
    let entry = entry(kind, document)?;
    let mut attributes = AttributeSet::default();
    for name in names {
        let value = match (translate::attribute(name).place, view) {
            (Place::Link(Relation::Manager), _) => {
                document.get("manager").and_then(id).map_or(Value::Null, reference)
            }
            (Place::Link(relation), _) => references(linked, relation),
            (Place::AppRoleAssignments, _) => linked.roles.clone(),
            (place, View::Source) => translate::import(&entry, &place),
            (place, View::Target) => translate::read(&entry, &place),
        };
        attributes.set(name.clone(), value);
    }
    Some(DirectoryObject {
        object_type: object_type.clone(),
        anchor: Anchor::new(entry.id.as_str()),
        attributes,
    })
}

fn reference(id: &str) -> Value {
    Value::Reference(id.into())
}

fn references(linked: &Linked, relation: Relation) -> Value {
    let ids = linked.links.iter().find(|(known, _)| *known == relation).map(|(_, ids)| ids.as_slice());
    match ids {
        None | Some([]) => Value::Null,
        Some(ids) => Value::list(ids.iter().map(|id| reference(id))),
    }
}

fn entry(kind: EntryKind, document: &Json) -> Option<Entry> {
    let instant = |name: &str| {
        document.get(name).and_then(Json::as_str).and_then(|text| text.parse::<Timestamp>().ok())
    };
    let properties: Map<String, Json> = document
        .as_object()?
        .iter()
        .filter(|(name, value)| !value.is_null() && !name.starts_with('@') && *name != "id")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Some(Entry {
        id: EntryId::new(id(document)?),
        kind,
        created_at: instant("createdDateTime").unwrap_or_default(),
        deleted_at: instant("deletedDateTime"),
        properties,
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn check(document: Json, names: &[&str], view: View, expected: &Expect) {
        let names: Vec<SmolStr> = names.iter().map(|name| SmolStr::from(*name)).collect();
        let object =
            object(EntryKind::User, &"User".into(), &document, &names, &Linked::default(), view).unwrap();
        let mut text = format!("{}\n", object.anchor.as_str());
        for (name, value) in object.attributes.iter() {
            text.push_str(&format!("{name} = {}\n", value.to_json()));
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn properties_come_under_the_names_of_schemas() {
        check(
            json!({
                "@odata.context": "https://graph.example/v1.0/$metadata#users(id)/$entity",
                "id": "7b5c0d3e-1111-4a4a-8888-0123456789ab",
                "displayName": "Ina Wolf",
                "userPrincipalName": "ina_home.example#EXT#@tenant.example",
                "businessPhones": ["+49 30 1"],
                "mobilePhone": null,
                "accountEnabled": false,
                "onPremisesExtensionAttributes": {"extensionAttribute1": "red", "extensionAttribute2": null},
                "manager": {"@odata.type": "#microsoft.graph.user", "id": "c0ffee00-2222-4a4a-8888-0123456789ab"},
            }),
            &[
                "objectId",
                "displayName",
                "userPrincipalName",
                "telephoneNumber",
                "mobile",
                "IsSoftDeleted",
                "extensionAttribute1",
                "extensionAttribute2",
                "manager",
            ],
            View::Source,
            &expect![[r#"
                7b5c0d3e-1111-4a4a-8888-0123456789ab
                objectId = "7b5c0d3e-1111-4a4a-8888-0123456789ab"
                displayName = "Ina Wolf"
                userPrincipalName = "ina@home.example"
                telephoneNumber = "+49 30 1"
                IsSoftDeleted = "True"
                extensionAttribute1 = "red"
                manager = "c0ffee00-2222-4a4a-8888-0123456789ab"
            "#]],
        );
    }

    #[test]
    fn names_in_the_recycle_bin_are_recognised() {
        let name = |name: &str| {
            let user = json!({"id": "7b5c0d3e-1111-4a4a-8888-0123456789ab", "userPrincipalName": name});
            name_before(&user).to_owned()
        };
        assert_eq!(name("7b5c0d3e11114a4a88880123456789abina@tenant.example"), "ina@tenant.example");
        assert_eq!(name("ina@tenant.example"), "ina@tenant.example");
    }

    #[test]
    fn who_is_in_the_recycle_bin_is_soft_deleted() {
        check(
            json!({
                "id": "7b5c0d3e-1111-4a4a-8888-0123456789ab",
                "accountEnabled": true,
                "deletedDateTime": "2026-05-04T08:00:00Z",
            }),
            &["IsSoftDeleted"],
            View::Source,
            &expect![[r#"
                7b5c0d3e-1111-4a4a-8888-0123456789ab
                IsSoftDeleted = "True"
            "#]],
        );
    }
}
