//! What surrounds every request: the size limit, the faults, the bearer token and the observer.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use crate::fault::{Fault, is_cut};
use crate::refusal::Refusal;
use crate::server::Line;
use crate::{BASE_PATH, Observer, Shared, fault};

/// A body may have this many bytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// A request and its answer, as a developer wants to see them. Headers are left out, so the token never shows;
/// passwords are masked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exchange {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The path with its query, as it came.
    pub path: String,
    /// The body of the request; one text if it is no JSON.
    pub request: Option<Value>,
    /// The status of the answer; 0 when a fault cut the connection and no answer left.
    pub status: u16,
    /// The body of the answer; one text if it is no JSON.
    pub response: Option<Value>,
}

pub(crate) async fn exchange(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let method = parts.method.to_string();
    let path = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let line = parts.extensions.get::<ConnectInfo<Line>>().map(|info| info.0.clone());
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        let detail = format!("the body is larger than {LARGEST_BODY} bytes");
        let response = Refusal::plain(StatusCode::PAYLOAD_TOO_LARGE, detail).into_response();
        return observed(shared.options.observer.as_ref(), method, path, Bytes::new(), response).await;
    };
    let fault = shared.options.faults.take(&method, path.strip_prefix(BASE_PATH).unwrap_or(&path));
    let request = Request::from_parts(parts, Body::from(body.clone()));
    let perform = perform(&shared, request, next);
    let response = match fault {
        None => perform.await,
        Some(Fault::Answer(answer)) => answer.into_response(),
        Some(Fault::AnswerAfter(answer)) => {
            perform.await;
            answer.into_response()
        }
        Some(Fault::Cut) => fault::cut(line),
        Some(Fault::CutAfter) => {
            perform.await;
            fault::cut(line)
        }
        Some(Fault::Hold(gate)) => {
            gate.pass().await;
            perform.await
        }
        Some(Fault::ContentType(content_type)) => fault::with_content_type(perform.await, &content_type),
        Some(Fault::Truncate) => fault::truncated(perform.await).await,
    };
    observed(shared.options.observer.as_ref(), method, path, body, response).await
}

async fn perform(shared: &Shared, request: Request, next: Next) -> Response {
    if is_authorized(request.headers(), &shared.options.token) {
        return next.run(request).await;
    }
    let mut response =
        Refusal::plain(StatusCode::UNAUTHORIZED, "the bearer token is missing or wrong").into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

async fn observed(
    observer: Option<&Observer>,
    method: String,
    path: String,
    request: Bytes,
    response: Response,
) -> Response {
    let Some(observer) = observer else { return response };
    if is_cut(&response) {
        observer(&Exchange { method, path, request: readable(&request), status: 0, response: None });
        return response;
    }
    let (parts, body) = response.into_parts();
    // Every body here is in memory already and cannot fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    observer(&Exchange {
        method,
        path,
        request: readable(&request),
        status: parts.status.as_u16(),
        response: readable(&body),
    });
    Response::from_parts(parts, Body::from(body))
}

fn readable(body: &Bytes) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    Some(match serde_json::from_slice(body) {
        Ok(mut value) => {
            mask_passwords(&mut value);
            value
        }
        Err(_) => Value::String(String::from_utf8_lossy(body).into_owned()),
    })
}

/// Masks the value of every key `password`, and of patch operations whose path is one.
fn mask_passwords(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(mask_passwords),
        Value::Object(parts) => {
            let is_of_password = parts.iter().any(|(name, path)| {
                name.eq_ignore_ascii_case("path") && path.as_str().is_some_and(is_password)
            });
            for (name, value) in parts {
                if is_password(name) || (is_of_password && name.eq_ignore_ascii_case("value")) {
                    *value = Value::from("***");
                } else {
                    mask_passwords(value);
                }
            }
        }
        _ => {}
    }
}

fn is_password(name: &str) -> bool {
    name.rsplit(':').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("password"))
}

fn is_authorized(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, given)) = given.and_then(|value| value.split_once(' ')) else { return false };
    scheme.eq_ignore_ascii_case("bearer") && is_same_secret(given.trim().as_bytes(), token.as_bytes())
}

/// Takes the same time wherever the first difference is.
fn is_same_secret(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len() && given.iter().zip(expected).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}
