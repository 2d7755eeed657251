//! Our own description of the API: OpenAPI 3.1, made from the table of operations, and a page to read it.

use std::sync::LazyLock;

use axum::body::Body;
use http::{Method, Response, header};
use serde_json::{Map, Value, json};
use usher_engine::cases::directory::Kind;

use crate::graph::types::{self, Form, Members, Type};
use crate::graph::{Gives, Operation, operations};
use crate::odata::Collection;
use crate::server::State;

mod page;

/// The description, without the address of a service.
pub fn description() -> &'static Value {
    static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
        let mut paths = Map::new();
        for operation in operations() {
            for path in spelled(operation.path) {
                for version in ["v1.0", "beta"] {
                    if operation.is_beta && version != "beta" {
                        continue;
                    }
                    let item = paths.entry(format!("/{version}{path}")).or_insert_with(|| json!({}));
                    item[operation.method.to_lowercase()] = described(operation, &path, version);
                }
            }
        }
        let schemas: Map<String, Value> =
            types::all().iter().map(|one| (one.name.to_owned(), schema(one))).chain([error()]).collect();
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Usher",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Identity provisioning with the Microsoft Graph synchronization API.",
                "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            },
            "servers": [{ "url": "/" }],
            "security": [{ "token": [] }],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } },
            },
        })
    });
    &DESCRIPTION
}

/// The paths that a pattern stands for: one for each word of a choice. Casts are written in full.
fn spelled(pattern: &str) -> Vec<String> {
    let mut paths = vec![String::new()];
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    for (place, part) in parts.iter().enumerate() {
        let is_cast = place > 0 && matches!(*part, "user" | "group" | "application" | "servicePrincipal");
        let words: Vec<String> = match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(words) if words.contains('|') => words.split('|').map(str::to_owned).collect(),
            _ if is_cast => vec![format!("microsoft.graph.{part}")],
            _ => vec![(*part).to_owned()],
        };
        paths =
            paths.iter().flat_map(|path| words.iter().map(move |word| format!("{path}/{word}"))).collect();
    }
    paths
}

fn described(operation: &Operation, path: &str, version: &str) -> Value {
    let mut parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let is_page = matches!(operation.gives, Gives::Many(_)) && operation.method == "GET";
    if is_page && !path.ends_with("/delta") {
        let number = json!({ "type": "integer", "minimum": 1, "maximum": 999 });
        parameters.push(json!({ "name": "$top", "in": "query", "schema": number }));
    }
    // Counts of directory objects; the other collections are small.
    let needs_eventual = path.ends_with("/$count")
        && !["/synchronization/", "/applicationTemplates/", "/auditLogs/", "/appRole"]
            .iter()
            .any(|part| path.contains(part));
    if needs_eventual {
        let level = json!({ "type": "string", "enum": ["eventual"] });
        parameters
            .push(json!({ "name": "ConsistencyLevel", "in": "header", "required": true, "schema": level }));
    }
    let mut answers = Map::new();
    let (status, content) = match operation.gives {
        Gives::Nothing => ("204", None),
        Gives::Accepted => ("202", None),
        Gives::One(of) => ("200", Some(("application/json", reference(of)))),
        Gives::Created(of) => ("201", Some(("application/json", reference(of)))),
        Gives::Many(of) => ("200", Some(("application/json", collection(of)))),
        Gives::Count => ("200", Some(("text/plain", json!({ "type": "string" })))),
        Gives::Content => ("200", Some(("application/scim+json", json!({})))),
    };
    let mut answer = json!({ "description": "It is done." });
    if let Some((media, schema)) = content {
        answer["content"] = json!({ media: { "schema": schema } });
    }
    answers.insert(status.to_owned(), answer);
    if operation.method == "PATCH" && status != "204" {
        answers.insert("204".to_owned(), json!({ "description": "It is done." }));
    }
    if operation.method == "PATCH" && operation.takes.is_some() {
        let made = operation.takes.map(reference);
        answers.insert(
            "201".to_owned(),
            json!({ "description": "It was made (Prefer: create-if-missing).",
                "content": { "application/json": { "schema": made } } }),
        );
    }
    let refused = json!({
        "description": "It was refused.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/error" } } },
    });
    answers.insert("4XX".to_owned(), refused.clone());
    answers.insert("5XX".to_owned(), refused);
    let mut permissions: Vec<&str> = operation.permissions.to_vec();
    permissions.extend(operation.owner_permission);
    let mut described = json!({
        "operationId": format!("{}_{}{}", version.replace('.', "_"), operation.method.to_lowercase(), identifier(path)),
        "summary": operation.summary,
        "description": format!("Needs one of these permissions: {}.", permissions.join(", ")),
        "tags": [path.split('/').nth(1).unwrap_or_default()],
        "parameters": parameters,
        "responses": answers,
        "x-permissions": permissions,
        "x-published": operation.is_published,
    });
    if let Some(takes) = operation.takes {
        let media = takes.media();
        described["requestBody"] = json!({ "required": operation.needs_body(), "content": { media: { "schema": reference(takes) } } });
    }
    described
}

fn identifier(path: &str) -> String {
    path.split('/')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let plain: String = part.chars().filter(|character| character.is_ascii_alphanumeric()).collect();
            format!("_{plain}")
        })
        .collect()
}

fn reference(of: &Type) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", of.name) })
}

fn collection(of: &Type) -> Value {
    json!({
        "type": "object",
        "required": ["@odata.context", "value"],
        "properties": {
            "@odata.context": { "type": "string" },
            "@odata.count": { "type": "integer" },
            "@odata.nextLink": { "type": "string" },
            "@odata.deltaLink": { "type": "string" },
            "value": { "type": "array", "items": reference(of) },
        },
        "additionalProperties": false,
    })
}

/// A type; members with a sign of annotations in their names are open, all others are told.
fn schema(of: &Type) -> Value {
    let properties: Map<String, Value> = match of.members {
        Members::Open => return json!({}),
        Members::Listed(members) | Members::Exactly(members) => {
            members.iter().map(|(name, form)| ((*name).to_owned(), self::form(form))).collect()
        }
        Members::Of(collection) => entry(collection),
    };
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "@": {}, "^extension_": {} },
        "additionalProperties": false,
    })
}

fn entry(collection: &Collection) -> Map<String, Value> {
    let mut properties = Map::new();
    for name in collection.shown.iter().chain(collection.extra).chain(&["id"]) {
        properties.insert((*name).to_owned(), json!({}));
    }
    properties.insert("id".to_owned(), json!({ "type": "string" }));
    for name in ["createdDateTime", "deletedDateTime"] {
        properties.insert(name.to_owned(), form(&Form::Maybe(&Form::Instant)));
    }
    for (name, kind) in collection.known {
        let shape = match kind {
            Kind::Text => json!({ "type": ["string", "null"] }),
            Kind::Flag => json!({ "type": ["boolean", "null"] }),
            Kind::Texts => json!({ "type": ["array", "null"], "items": { "type": "string" } }),
            Kind::Any => json!({}),
        };
        properties.insert((*name).to_owned(), shape);
    }
    // Written, never read; related objects that $expand shows.
    properties.insert("passwordProfile".to_owned(), json!({}));
    for name in collection.expands {
        properties.insert((*name).to_owned(), json!({}));
    }
    properties
}

fn form(form: &Form) -> Value {
    match form {
        Form::Text => json!({ "type": "string" }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Integer => json!({ "type": "integer" }),
        Form::Instant => json!({ "type": "string", "format": "date-time" }),
        Form::Span => json!({ "type": "string", "format": "duration" }),
        Form::Guid => json!({ "type": "string", "format": "uuid" }),
        Form::Words(words) => json!({ "type": "string", "enum": words }),
        Form::Any => json!({}),
        Form::One(of) => reference(of),
        Form::Many(items) => json!({ "type": "array", "items": self::form(items) }),
        Form::Maybe(inner) => json!({ "anyOf": [self::form(inner), { "type": "null" }] }),
    }
}

/// The error envelope (Graph, error responses).
fn error() -> (String, Value) {
    let text = json!({ "type": "string" });
    let inner = json!({
        "type": "object",
        "required": ["date", "request-id", "client-request-id"],
        "properties": { "date": text, "request-id": text, "client-request-id": text },
    });
    let envelope = json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message", "innerError"],
            "properties": { "code": text, "message": text, "innerError": inner },
        } },
    });
    ("error".to_owned(), envelope)
}

/// The description or its page, when that is what was asked for. Both are open to everybody: they hold no data.
pub fn page(state: &State, method: &Method, path: &str) -> Option<Response<Body>> {
    if method != Method::GET {
        return None;
    }
    let (media, text) = match path.trim_end_matches('/') {
        "/openapi.json" => {
            let mut document = description().clone();
            document["servers"] = json!([{ "url": state.options.address }]);
            ("application/json", document.to_string())
        }
        "/docs" => ("text/html; charset=utf-8", page::write(state)),
        _ => return None,
    };
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media));
    Some(response)
}
