//! The discovery documents (RFC 7644 §4), made from the same tables that requests are checked against.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::refusal::Refusal;
use crate::schema::{Attribute, DISCOVERY_SCHEMAS, Kind, Mutability, ResourceType, Returned, Schema, Type};
use crate::{Shared, answer};

/// `GET /ServiceProviderConfig`.
pub(crate) async fn service_provider_config(State(shared): State<Arc<Shared>>, call: Call) -> Response {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": shared.options.page_limit },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": true },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "The token the sandbox was started with, in the header Authorization.",
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{}/ServiceProviderConfig", call.base),
        },
    });
    answer::json(StatusCode::OK, &body)
}

/// `GET /ResourceTypes`.
pub(crate) async fn resource_types(call: Call) -> Result<Response, Refusal> {
    list(&call, Kind::ALL.map(|kind| describe_type(kind.definition(), &call.base)).into())
}

/// `GET /ResourceTypes/{id}`.
pub(crate) async fn resource_type(Path(id): Path<String>, call: Call) -> Result<Response, Refusal> {
    let found = Kind::ALL.into_iter().find(|kind| kind.definition().name == id);
    let kind = found.ok_or_else(|| Refusal::not_found("ResourceType", &id))?;
    Ok(answer::json(StatusCode::OK, &describe_type(kind.definition(), &call.base)))
}

/// `GET /Schemas`.
pub(crate) async fn schemas(call: Call) -> Result<Response, Refusal> {
    list(&call, all_schemas().map(|schema| describe_schema(schema, &call.base)).collect())
}

/// `GET /Schemas/{id}`.
pub(crate) async fn schema(Path(id): Path<String>, call: Call) -> Result<Response, Refusal> {
    let found = all_schemas().find(|schema| schema.urn.eq_ignore_ascii_case(&id));
    let schema = found.ok_or_else(|| Refusal::not_found("Schema", &id))?;
    Ok(answer::json(StatusCode::OK, &describe_schema(schema, &call.base)))
}

fn all_schemas() -> impl Iterator<Item = &'static Schema> {
    let of_resources = Kind::ALL.into_iter().flat_map(|kind| {
        let definition = kind.definition();
        std::iter::once(&definition.core).chain(definition.extension.as_ref())
    });
    of_resources.chain(DISCOVERY_SCHEMAS)
}

/// Discovery lists are short: they come whole, and a filter on them is refused (RFC 7644 §4).
fn list(call: &Call, resources: Vec<Value>) -> Result<Response, Refusal> {
    if call.parameter("filter")?.is_some() {
        return Err(Refusal::plain(StatusCode::FORBIDDEN, "discovery documents cannot be filtered"));
    }
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": resources.len(),
        "startIndex": 1,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    Ok(answer::json(StatusCode::OK, &body))
}

fn describe_type(definition: &ResourceType, base: &str) -> Value {
    let extensions: Vec<Value> = definition
        .extension
        .iter()
        .map(|extension| json!({ "schema": extension.urn, "required": false }))
        .collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": definition.name,
        "name": definition.name,
        "description": definition.description,
        "endpoint": format!("/{}", definition.endpoint),
        "schema": definition.core.urn,
        "schemaExtensions": extensions,
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{base}/ResourceTypes/{}", definition.name),
        },
    })
}

fn describe_schema(schema: &Schema, base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": schema.urn,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes.iter().map(describe).collect::<Vec<_>>(),
        "meta": {
            "resourceType": "Schema",
            "location": format!("{base}/Schemas/{}", schema.urn),
        },
    })
}

fn describe(attribute: &Attribute) -> Value {
    let kind = match attribute.kind {
        Type::Text => "string",
        Type::Boolean => "boolean",
        Type::Integer => "integer",
        Type::DateTime => "dateTime",
        Type::Reference => "reference",
        Type::Binary => "binary",
        Type::Complex => "complex",
    };
    let mutability = match attribute.mutability {
        Mutability::ReadWrite => "readWrite",
        Mutability::ReadOnly => "readOnly",
        Mutability::Immutable => "immutable",
        Mutability::WriteOnly => "writeOnly",
    };
    let returned = match attribute.returned {
        Returned::Always => "always",
        Returned::Default => "default",
        Returned::Never => "never",
    };
    let mut described = Map::new();
    described.insert("name".into(), attribute.name.into());
    described.insert("type".into(), kind.into());
    described.insert("multiValued".into(), attribute.is_multivalued.into());
    described.insert("description".into(), attribute.description.into());
    described.insert("required".into(), attribute.is_required.into());
    if !attribute.suggested.is_empty() {
        described.insert("canonicalValues".into(), attribute.suggested.into());
    }
    described.insert("caseExact".into(), attribute.is_case_exact.into());
    described.insert("mutability".into(), mutability.into());
    described.insert("returned".into(), returned.into());
    described.insert("uniqueness".into(), if attribute.is_unique { "server" } else { "none" }.into());
    if !attribute.reference_types.is_empty() {
        described.insert("referenceTypes".into(), attribute.reference_types.into());
    }
    if !attribute.parts.is_empty() {
        described.insert("subAttributes".into(), attribute.parts.iter().map(describe).collect());
    }
    Value::Object(described)
}
