//! What the tests share: a connector for a played service, short ways to say operations and to show what came of them.

use std::sync::Arc;

use expect_test::Expect;
use serde_json::{Value as Json, json};
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{
    Connector, ConnectorError, ConnectorSettings, Connectors, GetRequest, MatchQuery, Written,
};
use usher_core::{Anchor, AttributeChange, Change, DirectoryObject, Operation, OperationKind, Secret};
use usher_expr::Value;
use usher_testkit::{ManualClock, MemoryStore};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

pub const MANAGER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";

/// A connector with these settings.
pub fn connector_with(settings: &[(&str, &str)], options: HttpOptions) -> Arc<dyn Connector> {
    let mut known = ConnectorSettings::default();
    for (key, value) in settings {
        known.set(*key, Secret::new(*value));
    }
    AllConnectors::new(Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()), options)
        .unwrap()
        .build("scim", &known)
        .unwrap()
}

/// A connector for the played service; `query` is what stands behind the address.
pub fn connector(server: &MockServer, query: &str) -> Arc<dyn Connector> {
    let address = format!("{}/scim/{query}", server.uri());
    connector_with(&[("BaseAddress", &address), ("SecretToken", "tok-123456")], HttpOptions::default())
}

/// Answers a request to this method and path.
pub async fn answer(server: &MockServer, verb: &str, place: &str, template: ResponseTemplate) {
    Mock::given(method(verb)).and(path(format!("/scim{place}"))).respond_with(template).mount(server).await;
}

/// Answers as a function of the request.
pub async fn respond(
    server: &MockServer,
    verb: &str,
    place: &str,
    respond: impl Fn(&Request) -> ResponseTemplate + Send + Sync + 'static,
) {
    Mock::given(method(verb)).and(path(format!("/scim{place}"))).respond_with(respond).mount(server).await;
}

/// An answer with a SCIM body.
pub fn scim(status: u16, body: Json) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/scim+json")
}

/// A SCIM error.
pub fn error(status: u16, scim_type: &str, detail: &str) -> ResponseTemplate {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.to_string(),
        "detail": detail,
    });
    if !scim_type.is_empty() {
        body["scimType"] = json!(scim_type);
    }
    scim(status, body)
}

/// A list with these resources.
pub fn list(resources: Json) -> Json {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": resources.as_array().unwrap().len(),
        "Resources": resources,
    })
}

pub fn query(attribute: &str, value: &str) -> MatchQuery {
    MatchQuery {
        object_type: "User".into(),
        attribute: attribute.into(),
        value: value.into(),
        attributes: vec![attribute.into()],
    }
}

pub fn get(id: &str) -> GetRequest {
    GetRequest { object_type: "User".into(), anchor: Anchor::new(id), attributes: vec!["userName".into()] }
}

pub fn create(changes: Vec<AttributeChange>) -> Operation {
    Operation { kind: OperationKind::Create, object_type: "User".into(), anchor: None, changes }
}

pub fn update(object_type: &str, id: &str, changes: Vec<AttributeChange>) -> Operation {
    Operation {
        kind: OperationKind::Update,
        object_type: object_type.into(),
        anchor: Some(Anchor::new(id)),
        changes,
    }
}

pub fn delete(id: &str) -> Operation {
    Operation {
        kind: OperationKind::Delete,
        object_type: "User".into(),
        anchor: Some(Anchor::new(id)),
        changes: Vec::new(),
    }
}

pub fn add(attribute: &str, value: &str) -> AttributeChange {
    plain(attribute, Change::Add(vec![value.into()]))
}

pub fn replace(attribute: &str, value: &str) -> AttributeChange {
    plain(attribute, Change::Replace(vec![value.into()]))
}

pub fn plain(attribute: &str, change: Change) -> AttributeChange {
    AttributeChange { attribute: attribute.into(), change, is_reference: false, is_multivalued: false }
}

pub fn manager(id: &str) -> AttributeChange {
    AttributeChange { is_reference: true, ..plain(MANAGER, Change::Add(ids(&[id]))) }
}

pub fn members(change: Change) -> AttributeChange {
    AttributeChange { is_reference: true, is_multivalued: true, ..plain("members", change) }
}

pub fn ids(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| Value::Reference((*id).into())).collect()
}

/// What a failure says.
pub fn failure(error: &ConnectorError) -> String {
    let mut text = format!("{:?} {} effect {:?}\n{error}\n", error.kind, error.code, error.effect);
    for (name, value) in [
        ("detail", error.detail.clone()),
        ("retry after", error.retry_after.map(|wait| format!("{wait:?}"))),
        ("attribute", error.attribute.as_ref().map(ToString::to_string)),
    ] {
        if let Some(value) = value {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    text
}

pub fn written(result: &Result<Written, ConnectorError>) -> String {
    match result {
        Ok(written) => {
            let mut text = format!("written {}\n", written.anchor);
            for (attribute, reason) in &written.left_out {
                text.push_str(&format!("left out {attribute}: {reason}\n"));
            }
            text
        }
        Err(error) => failure(error),
    }
}

pub fn objects(result: &Result<Vec<DirectoryObject>, ConnectorError>) -> String {
    match result {
        Ok(found) if found.is_empty() => "none\n".to_owned(),
        Ok(found) => found.iter().map(|object| format!("{}\n", object.anchor)).collect(),
        Err(error) => failure(error),
    }
}

/// What came of it and what the service received, one request a line.
pub async fn check(server: &MockServer, outcome: &str, expected: &Expect) {
    let mut text = outcome.to_owned();
    text.push_str("--\n");
    for request in server.received_requests().await.unwrap() {
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        text.push_str(&format!(
            "{} {}{query}",
            request.method,
            request.url.path().trim_start_matches("/scim")
        ));
        if let Some(version) = request.headers.get("if-match") {
            text.push_str(&format!(" If-Match: {}", version.to_str().unwrap()));
        }
        if !request.body.is_empty() {
            text.push_str(&format!(" {}", short(&request.body)));
        }
        text.push('\n');
    }
    expected.assert_eq(&text.replace(&server.uri(), "http://server"));
}

/// A body without what is the same everywhere.
fn short(body: &[u8]) -> String {
    match serde_json::from_slice::<Json>(body) {
        Ok(mut document) => match document.get_mut("Operations") {
            Some(operations) => operations.take().to_string(),
            None => document.to_string(),
        },
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}
