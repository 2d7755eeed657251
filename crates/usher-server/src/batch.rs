//! `$batch`: up to twenty requests in one, each answered for itself (Graph, JSON batching).

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use http::{Method, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use url::Url;

use crate::call::Answer;
use crate::errors::Refusal;
use crate::pipeline::{Exchange, authorization, graph_answer, read_body, written};
use crate::server::State;

/// How many requests one batch may have.
const MOST: usize = 20;

/// One request of a batch.
struct Part {
    id: String,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Value>,
    depends_on: Vec<String>,
}

/// Carries out a batch: what depends on others comes after them, the rest at the same time.
///
/// # Errors
/// 400 when the batch itself is malformed.
pub fn answer(state: &Arc<State>, request: Request) -> BoxFuture<'static, Result<Answer, Refusal>> {
    let state = state.clone();
    async move {
        if request.method() != Method::POST {
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "Request_BadRequest",
                format!("Specified HTTP method {} is not allowed for the request target.", request.method()),
            ));
        }
        let version =
            request.uri().path().split('/').find(|part| !part.is_empty()).unwrap_or("v1.0").to_owned();
        let token = authorization(request.headers());
        let client_id = request.headers().get("client-request-id").cloned();
        let bytes = read_body(&state, request).await?;
        let document: Value = serde_json::from_slice(&bytes).map_err(|error| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                format!("Unable to read JSON request payload: {error}"),
            )
        })?;
        let mut waiting = parts(&document)?;
        let mut statuses: HashMap<String, u16> = HashMap::new();
        let mut responses = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let (ready, rest): (Vec<Part>, Vec<Part>) = waiting
                .into_iter()
                .partition(|part| part.depends_on.iter().all(|id| statuses.contains_key(id)));
            waiting = rest;
            let answers = join_all(ready.into_iter().map(|part| {
                let is_orphan =
                    part.depends_on.iter().any(|id| statuses.get(id).is_some_and(|one| *one >= 400));
                let (state, version, token, client_id) =
                    (&state, &version, token.as_deref(), client_id.as_ref());
                async move {
                    let mut request = Request::builder().method(part.method.clone());
                    let address = address(version, &part.url);
                    for (name, value) in &part.headers {
                        request = request.header(name, value);
                    }
                    if let Some(token) = token {
                        request = request.header(header::AUTHORIZATION, token);
                    }
                    if let Some(id) = client_id {
                        request = request.header("client-request-id", id);
                    }
                    let body =
                        part.body.as_ref().map_or_else(Body::empty, |body| Body::from(body.to_string()));
                    let request = address.and_then(|address| {
                        request
                            .uri(address)
                            .body(body)
                            .map_err(|error| Refusal::bad_request(error.to_string()))
                    });
                    (part.id, one(state, is_orphan, request).await)
                }
            }))
            .await;
            for (id, response) in answers {
                statuses.insert(id.clone(), response.status().as_u16());
                responses.push(shown(&id, response).await);
            }
        }
        Ok(Answer::ok(json!({ "responses": responses })))
    }
    .boxed()
}

async fn one(state: &Arc<State>, is_orphan: bool, request: Result<Request, Refusal>) -> Response<Body> {
    let headers = request.as_ref().map(|request| request.headers().clone()).unwrap_or_default();
    let exchange = Exchange::of(state, &headers);
    let outcome = match request {
        Err(refusal) => Err(refusal),
        Ok(_) if is_orphan => Err(Refusal::new(
            StatusCode::FAILED_DEPENDENCY,
            "FailedDependency",
            "a request that this one depends on has failed",
        )),
        Ok(request) => graph_answer(state, &exchange, request).await,
    };
    written(state, &exchange, outcome)
}

/// The address of a part below the version of the batch. A batch in a batch is refused.
fn address(version: &str, url: &str) -> Result<String, Refusal> {
    let bad =
        || Refusal::bad_request(format!("'{url}' is no address relative to the version, such as /users"));
    let relative = url.strip_prefix('/').unwrap_or(url);
    let base = Url::parse("http://batch.invalid/").map_err(|_| bad())?;
    let full = base.join(&format!("{version}/{relative}")).map_err(|_| bad())?;
    if full.host_str() != Some("batch.invalid") || full.path().to_ascii_lowercase().contains("/$batch") {
        return Err(bad());
    }
    Ok(match full.query() {
        Some(query) => format!("{}?{query}", full.path()),
        None => full.path().to_owned(),
    })
}

fn parts(document: &Value) -> Result<Vec<Part>, Refusal> {
    let requests = document["requests"]
        .as_array()
        .ok_or_else(|| Refusal::bad_request("the body needs 'requests', a list"))?;
    if requests.is_empty() || requests.len() > MOST {
        return Err(Refusal::bad_request(format!(
            "a batch has 1 to {MOST} requests, this one has {}",
            requests.len()
        )));
    }
    let mut parts: Vec<Part> = Vec::with_capacity(requests.len());
    for request in requests {
        let part = part(request)?;
        if parts.iter().any(|other| other.id == part.id) {
            return Err(Refusal::bad_request(format!("the id '{}' is given more than once", part.id)));
        }
        parts.push(part);
    }
    check_order(&parts)?;
    Ok(parts)
}

fn part(request: &Value) -> Result<Part, Refusal> {
    let text = |name: &str| {
        request[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| {
            Refusal::bad_request(format!("each request of a batch needs '{name}', a text that is not empty"))
        })
    };
    let id = text("id")?.to_owned();
    let method = text("method")?.to_ascii_uppercase();
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| Refusal::bad_request(format!("request '{id}': '{method}' is not a method")))?;
    let body = request.get("body").filter(|body| !body.is_null()).cloned();
    let headers: Vec<(String, String)> = request["headers"]
        .as_object()
        .unwrap_or(&Map::new())
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("authorization"))
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        return Err(Refusal::bad_request(format!(
            "request '{id}' has a body and needs the header Content-Type"
        )));
    }
    let depends_on = match request.get("dependsOn") {
        None | Some(Value::Null) => Vec::new(),
        Some(list) => serde_json::from_value(list.clone()).map_err(|_| {
            Refusal::bad_request(format!("request '{id}': 'dependsOn' must be a list of ids"))
        })?,
    };
    Ok(Part { url: text("url")?.to_owned(), id, method, headers, body, depends_on })
}

/// Every dependency is in the batch, and none leads in a circle.
fn check_order(parts: &[Part]) -> Result<(), Refusal> {
    let mut done: Vec<&str> = Vec::with_capacity(parts.len());
    while done.len() < parts.len() {
        let next = parts.iter().find(|part| {
            !done.contains(&part.id.as_str()) && part.depends_on.iter().all(|id| done.contains(&id.as_str()))
        });
        let Some(part) = next else {
            return Err(Refusal::bad_request(
                "the 'dependsOn' of the batch name a request that is not in it, or lead in a circle",
            ));
        };
        done.push(&part.id);
    }
    Ok(())
}

async fn shown(id: &str, response: Response<Body>) -> Value {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut headers = Map::new();
    for name in ["content-type", "location", "retry-after", "odata-version"] {
        if let Some(value) = parts.headers.get(name).and_then(|value| value.to_str().ok()) {
            headers.insert(titled(name), json!(value));
        }
    }
    let body = match serde_json::from_slice(&bytes) {
        _ if bytes.is_empty() => Value::Null,
        Ok(body) => body,
        Err(_) => json!(String::from_utf8_lossy(&bytes)),
    };
    json!({ "id": id, "status": parts.status.as_u16(), "headers": headers, "body": body })
}

fn titled(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
                .unwrap_or_default()
        })
        .collect::<Vec<_>>()
        .join("-")
}
