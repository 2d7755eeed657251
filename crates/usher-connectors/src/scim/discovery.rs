//! Discovery: the attributes that a service describes, under the names that schemas use. A help, never a condition.

use serde_json::{Map, Value as Json};
use usher_core::ports::{ConnectorError, ConnectorErrorKind, PreparedRequest};
use usher_core::schema::{
    AttributeDefinition, AttributeType, DirectoryDefinition, Mutability, ObjectDefinition,
};

use super::answer::{self, Refusal};
use super::request::{ENTERPRISE, GROUP, USER};
use super::resource::member;
use super::service::Service;

/// More pages than any service has schemas.
const MOST_PAGES: usize = 50;

/// Reads `/Schemas` and `/ResourceTypes`.
pub(super) async fn discover(service: &Service) -> Result<DirectoryDefinition, ConnectorError> {
    let schemas = match list(service, "/Schemas").await {
        Ok(schemas) => schemas,
        Err(refusal) if matches!(refusal.status, Some(404 | 405 | 501)) => {
            return Err(ConnectorError {
                detail: refusal.error.detail,
                ..ConnectorError::new(
                    ConnectorErrorKind::Unsupported,
                    "NotImplemented",
                    "the service does not describe its schemas; attributes must be added to the schema by hand",
                )
            });
        }
        Err(refusal) => return Err(refusal.error),
    };
    // Without resource types the names of the schemas have to do.
    let types = list(service, "/ResourceTypes").await.unwrap_or_default();
    Ok(directory(&schemas, &types))
}

async fn list(service: &Service, path: &str) -> Result<Vec<Json>, Refusal> {
    let mut found: Vec<Json> = Vec::new();
    for _ in 0..MOST_PAGES {
        let path =
            if found.is_empty() { path.to_owned() } else { format!("{path}?startIndex={}", found.len() + 1) };
        let request = PreparedRequest { method: "GET".into(), path, body: None };
        let page = answer::page(&request, service.document(&request).await?)?;
        let is_last = page.resources.is_empty();
        found.extend(page.resources);
        if is_last || found.len() >= page.total {
            break;
        }
    }
    Ok(found)
}

/// The directory that schemas and resource types describe.
fn directory(schemas: &[Json], types: &[Json]) -> DirectoryDefinition {
    let mut objects = Vec::new();
    for (name, core, suffix, endpoint) in
        [(ENTERPRISE, USER, ":user", "/users"), (GROUP, GROUP, ":group", "/groups")]
    {
        let urns = urns(schemas, types, core, suffix, endpoint);
        let mut attributes = vec![
            AttributeDefinition {
                name: "id".to_owned(),
                anchor: true,
                case_exact: true,
                mutability: Mutability::ReadOnly,
                ..AttributeDefinition::default()
            },
            AttributeDefinition {
                name: "externalId".to_owned(),
                case_exact: true,
                ..AttributeDefinition::default()
            },
        ];
        for (index, urn) in urns.iter().enumerate() {
            let Some(schema) =
                schemas.iter().filter_map(Json::as_object).find(|schema| is_named(schema, "id", urn))
            else {
                continue;
            };
            let prefix = if index == 0 { String::new() } else { format!("{urn}:") };
            for attribute in objects_of(member(schema, "attributes")) {
                for definition in definitions(&prefix, attribute) {
                    if !attributes.iter().any(|known| known.name.eq_ignore_ascii_case(&definition.name)) {
                        attributes.push(definition);
                    }
                }
            }
        }
        if attributes.len() > 2 {
            objects.push(ObjectDefinition { name: name.to_owned(), attributes, metadata: Vec::new() });
        }
    }
    DirectoryDefinition { id: None, name: "scim".to_owned(), objects }
}

/// The schemas of a resource: the core one first, then its extensions.
fn urns(schemas: &[Json], types: &[Json], core: &str, suffix: &str, endpoint: &str) -> Vec<String> {
    let found = types.iter().filter_map(Json::as_object).find(|one| {
        text(one, "endpoint")
            .is_some_and(|place| place.to_ascii_lowercase().trim_end_matches('/').ends_with(endpoint))
            || is_named(one, "schema", core)
    });
    match found {
        Some(one) => text(one, "schema")
            .into_iter()
            .chain(
                objects_of(member(one, "schemaExtensions")).filter_map(|extension| text(extension, "schema")),
            )
            .map(str::to_owned)
            .collect(),
        None => [core.to_owned()]
            .into_iter()
            .chain(
                schemas
                    .iter()
                    .filter_map(|schema| text(schema.as_object()?, "id"))
                    .filter(|id| id.to_ascii_lowercase().ends_with(suffix) && !id.eq_ignore_ascii_case(core))
                    .map(str::to_owned),
            )
            .collect(),
    }
}

/// The definitions that one attribute of a schema becomes: typed entries and sub-attributes have names of their own.
fn definitions(prefix: &str, attribute: &Map<String, Json>) -> Vec<AttributeDefinition> {
    let Some(name) = text(attribute, "name").filter(|name| !matches!(*name, "id" | "meta" | "schemas"))
    else {
        return Vec::new();
    };
    let name = format!("{prefix}{name}");
    let is_multivalued = is_true(attribute, "multiValued");
    if !text(attribute, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("complex")) {
        return vec![definition(name, attribute, is_multivalued)];
    }
    let subs: Vec<&Map<String, Json>> = objects_of(member(attribute, "subAttributes")).collect();
    let sub = |wanted: &str| subs.iter().copied().find(|sub| is_named(sub, "name", wanted));
    if let Some(referenced) = sub("$ref").or_else(|| sub("value")).and_then(referenced) {
        return vec![AttributeDefinition {
            value_type: AttributeType::Reference,
            case_exact: true,
            referenced_objects: referenced,
            ..definition(name, attribute, is_multivalued)
        }];
    }
    let plain = |sub: &&Map<String, Json>| {
        !text(sub, "name").is_none_or(|name| matches!(name, "$ref" | "primary" | "display"))
    };
    if !is_multivalued {
        return subs
            .iter()
            .copied()
            .filter(plain)
            .filter_map(|sub| Some(definition(format!("{name}.{}", text(sub, "name")?), sub, false)))
            .collect();
    }
    let types: Vec<&str> = sub("type")
        .and_then(|kind| member(kind, "canonicalValues"))
        .and_then(Json::as_array)
        .map(|values| values.iter().filter_map(Json::as_str).collect())
        .unwrap_or_default();
    if types.is_empty() {
        return vec![definition(name, attribute, true)];
    }
    let mut found = Vec::new();
    for kind in types {
        for sub in subs.iter().copied().filter(plain).filter(|sub| !is_named(sub, "name", "type")) {
            let Some(inner) = text(sub, "name") else { continue };
            let chosen = format!("{name}[type eq {}].{inner}", Json::from(kind));
            // A service that needs the list does not need each kind of entry in it.
            found.push(AttributeDefinition { required: false, ..definition(chosen, sub, false) });
        }
    }
    found
}

fn definition(name: String, attribute: &Map<String, Json>, multivalued: bool) -> AttributeDefinition {
    let value_type = match text(attribute, "type").unwrap_or_default().to_ascii_lowercase().as_str() {
        "boolean" => AttributeType::Boolean,
        "integer" => AttributeType::Integer,
        "datetime" => AttributeType::DateTime,
        "binary" => AttributeType::Binary,
        _ => AttributeType::String,
    };
    let mutability = match text(attribute, "mutability").unwrap_or_default().to_ascii_lowercase().as_str() {
        "readonly" => Mutability::ReadOnly,
        "immutable" => Mutability::Immutable,
        "writeonly" => Mutability::WriteOnly,
        _ => Mutability::ReadWrite,
    };
    AttributeDefinition {
        name,
        value_type,
        case_exact: is_true(attribute, "caseExact"),
        multivalued,
        required: is_true(attribute, "required"),
        mutability,
        ..AttributeDefinition::default()
    }
}

/// The objects that a reference may point to; `None` when it points to something outside.
fn referenced(sub: &Map<String, Json>) -> Option<Vec<String>> {
    let names: Vec<String> = member(sub, "referenceTypes")?
        .as_array()?
        .iter()
        .filter_map(|kind| match kind.as_str()?.to_ascii_lowercase().as_str() {
            "user" => Some(ENTERPRISE.to_owned()),
            "group" => Some(GROUP.to_owned()),
            _ => None,
        })
        .collect();
    (!names.is_empty()).then_some(names)
}

fn objects_of(list: Option<&Json>) -> impl Iterator<Item = &Map<String, Json>> {
    list.and_then(Json::as_array).map_or(&[][..], Vec::as_slice).iter().filter_map(Json::as_object)
}

fn text<'a>(object: &'a Map<String, Json>, name: &str) -> Option<&'a str> {
    member(object, name).and_then(Json::as_str)
}

fn is_named(object: &Map<String, Json>, name: &str, value: &str) -> bool {
    text(object, name).is_some_and(|text| text.eq_ignore_ascii_case(value))
}

fn is_true(object: &Map<String, Json>, name: &str) -> bool {
    member(object, name) == Some(&Json::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    fn check(schemas: Json, types: Json, expected: &Expect) {
        let directory = directory(schemas.as_array().unwrap(), types.as_array().unwrap());
        let mut shown = String::new();
        for object in &directory.objects {
            shown.push_str(&format!("{}\n", object.name));
            for attribute in &object.attributes {
                shown.push_str(&format!(
                    "  {} {:?} {:?}",
                    attribute.name, attribute.value_type, attribute.mutability
                ));
                for (is, word) in [
                    (attribute.anchor, " anchor"),
                    (attribute.multivalued, " multivalued"),
                    (attribute.required, " required"),
                    (attribute.case_exact, " caseExact"),
                ] {
                    shown.push_str(if is { word } else { "" });
                }
                if !attribute.referenced_objects.is_empty() {
                    shown.push_str(&format!(" -> {}", attribute.referenced_objects.join(", ")));
                }
                shown.push('\n');
            }
        }
        expected.assert_eq(&shown);
    }

    fn schemas() -> Json {
        json!([
            {"id": USER, "attributes": [
                {"name": "userName", "type": "string", "required": true},
                {"name": "active", "type": "boolean"},
                {"name": "password", "type": "string", "mutability": "writeOnly"},
                {"name": "name", "type": "complex", "subAttributes": [{"name": "givenName", "type": "string"}]},
                {"name": "emails", "type": "complex", "multiValued": true, "subAttributes": [
                    {"name": "value", "type": "string"},
                    {"name": "type", "type": "string", "canonicalValues": ["work", "home"]},
                    {"name": "primary", "type": "boolean"},
                ]},
                {"name": "groups", "type": "complex", "multiValued": true, "mutability": "readOnly", "subAttributes": [
                    {"name": "value"}, {"name": "$ref", "type": "reference", "referenceTypes": ["Group"]},
                ]},
                {"name": "tags", "type": "string", "multiValued": true},
            ]},
            {"id": ENTERPRISE, "attributes": [
                {"name": "department", "type": "string"},
                {"name": "manager", "type": "complex", "subAttributes": [
                    {"name": "value"}, {"name": "$ref", "type": "reference", "referenceTypes": ["User"]},
                ]},
            ]},
            {"id": "urn:contoso:2.0:User", "attributes": [{"name": "badge", "type": "integer"}]},
            {"id": GROUP, "attributes": [
                {"name": "displayName", "type": "string"},
                {"name": "members", "type": "complex", "multiValued": true, "subAttributes": [
                    {"name": "$ref", "type": "reference", "referenceTypes": ["User", "Group"]},
                ]},
            ]},
        ])
    }

    #[test]
    fn attributes_get_the_names_that_mappings_use() {
        let types = json!([
            {"name": "User", "endpoint": "/Users", "schema": USER,
             "schemaExtensions": [{"schema": ENTERPRISE}, {"schema": "urn:contoso:2.0:User"}]},
            {"name": "Group", "endpoint": "/Groups", "schema": GROUP},
        ]);
        check(
            schemas(),
            types,
            &expect![[r#"
            urn:ietf:params:scim:schemas:extension:enterprise:2.0:User
              id String ReadOnly anchor caseExact
              externalId String ReadWrite caseExact
              userName String ReadWrite required
              active Boolean ReadWrite
              password String WriteOnly
              name.givenName String ReadWrite
              emails[type eq "work"].value String ReadWrite
              emails[type eq "home"].value String ReadWrite
              groups Reference ReadOnly multivalued caseExact -> urn:ietf:params:scim:schemas:core:2.0:Group
              tags String ReadWrite multivalued
              urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department String ReadWrite
              urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager Reference ReadWrite caseExact -> urn:ietf:params:scim:schemas:extension:enterprise:2.0:User
              urn:contoso:2.0:User:badge Integer ReadWrite
            urn:ietf:params:scim:schemas:core:2.0:Group
              id String ReadOnly anchor caseExact
              externalId String ReadWrite caseExact
              displayName String ReadWrite
              members Reference ReadWrite multivalued caseExact -> urn:ietf:params:scim:schemas:extension:enterprise:2.0:User, urn:ietf:params:scim:schemas:core:2.0:Group
        "#]],
        );
    }

    #[test]
    fn without_resource_types_the_names_of_the_schemas_tell_the_extensions() {
        let found = directory(schemas().as_array().unwrap(), &[]);
        assert_eq!(found.objects.len(), 2);
        assert!(found.object(ENTERPRISE).unwrap().attribute("urn:contoso:2.0:User:badge").is_some());
        assert!(found.object(GROUP).unwrap().attribute("members").is_some());
    }

    #[test]
    fn nonsense_describes_nothing() {
        check(
            json!([1, {"id": 3}, {"id": USER, "attributes": {"a": 1}}]),
            json!([null, {"endpoint": 5}]),
            &expect![],
        );
    }
}
