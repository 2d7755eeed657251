//! The way of a request: headers, path, caller, operation, permission, body, answer.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Extract};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::access::{Caller, GRAPH_AUDIENCE, Verifier};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::graph::{Operation, routes};
use crate::server::State;
use crate::{audit, batch, describe, directory_roles, odata, path, token};

/// Up to this size, in bytes, a body is read before anything is decided. An answer that leaves a body unread ends the
/// connection, which its caller meets as a broken one when head and body travel apart; larger bodies wait until their
/// caller is let through.
const SMALL_BODY: usize = 64 * 1024;

/// The longest address that is read, in bytes: longer than any link of ours.
const LONGEST_ADDRESS: usize = 16 * 1024;
/// The largest headers that are read, in bytes: larger than any token needs.
const LARGEST_HEADERS: usize = 64 * 1024;

/// The ids of an exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Ours (`request-id`).
    pub request_id: String,
    /// The caller's (`client-request-id`), or ours.
    pub client_request_id: String,
}

impl Exchange {
    /// The ids of a request with these headers.
    pub fn of(state: &State, headers: &HeaderMap) -> Self {
        let request_id = state.engine.clock.guid().to_string();
        let given = headers.get("client-request-id").and_then(|value| value.to_str().ok());
        let client_request_id =
            given.filter(|text| !text.is_empty() && text.len() <= 64).unwrap_or(&request_id).to_owned();
        Self { request_id, client_request_id }
    }
}

/// Answers a request, whatever it is.
pub async fn handle(Extract(state): Extract<Arc<State>>, request: Request) -> Response<Body> {
    let exchange = Exchange::of(&state, request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let began = state.engine.clock.now();
    let response = match state.options.exchanges.clone() {
        None => answered(&state, &exchange, request).await,
        Some(exchanges) => {
            exchanges.record(request, async |request| answered(&state, &exchange, request).await).await
        }
    };
    let duration_ms = state.engine.clock.now().as_millisecond() - began.as_millisecond();
    tracing::info!(%method, path = uri.path(), status = response.status().as_u16(), duration_ms, request.id = %exchange.request_id, "answered");
    response
}

async fn answered(state: &Arc<State>, exchange: &Exchange, request: Request) -> Response<Body> {
    match respond(state, exchange, request).await {
        Outcome::Page(response) => response,
        Outcome::Answer(answer) => written(state, exchange, Ok(answer)),
        Outcome::Refusal(refusal) => written(state, exchange, Err(refusal)),
    }
}

/// An outcome as a response with all headers.
pub fn written(state: &State, exchange: &Exchange, outcome: Result<Answer, Refusal>) -> Response<Body> {
    let mut response = match outcome {
        Ok(answer) => write(answer),
        Err(refusal) => refused(state, exchange, &refusal),
    };
    let headers = response.headers_mut();
    insert(headers, "request-id", &exchange.request_id);
    insert(headers, "client-request-id", &exchange.client_request_id);
    insert(
        headers,
        "x-ms-ags-diagnostic",
        "{\"ServerInfo\":{\"DataCenter\":\"local\",\"Slice\":\"E\",\"Ring\":\"1\",\"ScaleUnit\":\"001\",\"RoleInstance\":\"usher\"}}",
    );
    insert(headers, "cache-control", "no-cache");
    insert(headers, "strict-transport-security", "max-age=31536000");
    response
}

fn refused(state: &State, exchange: &Exchange, refusal: &Refusal) -> Response<Body> {
    let now = state.engine.clock.now();
    let body = refusal.body(now, &exchange.request_id, &exchange.client_request_id);
    let mut response = json_response(refusal.status, &body);
    let headers = response.headers_mut();
    if let Some(seconds) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(location) = &refusal.location {
        insert(headers, "location", location);
    }
    if refusal.challenges {
        let text = format!(
            "Bearer realm=\"\", authorization_uri=\"{}/{}/oauth2/v2.0/authorize\"",
            state.options.address, state.engine.settings.tenant
        );
        insert(headers, "www-authenticate", &text);
    }
    response
}

enum Outcome {
    Page(Response<Body>),
    Answer(Answer),
    Refusal(Refusal),
}

impl From<Result<Answer, Refusal>> for Outcome {
    fn from(result: Result<Answer, Refusal>) -> Self {
        match result {
            Ok(answer) => Self::Answer(answer),
            Err(refusal) => Self::Refusal(refusal),
        }
    }
}

/// Whether the head of a request is as small as heads are.
fn check_head(request: &Request) -> Result<(), Refusal> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > LONGEST_ADDRESS {
        return Err(Refusal::new(
            StatusCode::URI_TOO_LONG,
            "BadRequest",
            format!("the address is longer than {LONGEST_ADDRESS} bytes"),
        ));
    }
    let headers: usize =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers > LARGEST_HEADERS {
        return Err(Refusal::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "BadRequest",
            format!("the headers are larger than {LARGEST_HEADERS} bytes"),
        ));
    }
    Ok(())
}

async fn respond(state: &Arc<State>, exchange: &Exchange, request: Request) -> Outcome {
    if let Err(refusal) = check_head(&request) {
        return Outcome::Refusal(refusal);
    }
    let request = match with_small_body(state, request).await {
        Ok(request) => request,
        Err(refusal) => return Outcome::Refusal(refusal),
    };
    if let Some(page) = describe::page(state, request.method(), request.uri().path()) {
        return Outcome::Page(page);
    }
    if let Some(answer) = outside_graph(state, request.method(), request.uri().path()) {
        return Outcome::Answer(answer);
    }
    let segments: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
    if let [tenant, "oauth2", "v2.0", "token"] = segments.as_slice()
        && request.method() == Method::POST
    {
        let tenant = (*tenant).to_owned();
        return token_answer(state, &tenant, request).await;
    }
    graph_answer(state, exchange, request).await.into()
}

/// What is asked without a token: discovery documents, keys, and whether the service is up.
fn outside_graph(state: &State, method: &Method, path: &str) -> Option<Answer> {
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (method, segments.as_slice()) {
        (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            Some(match token::check_tenant(state, tenant) {
                Ok(()) => Answer::ok(token::discovery(state)),
                Err(error) => Answer { status: error.status, ..Answer::ok(error.body(state)) },
            })
        }
        (&Method::GET, [_, "discovery", "v2.0", "keys"]) => Some(Answer::ok(state.key.jwks())),
        (&Method::GET, ["health"]) => Some(Answer::ok(json!({ "status": "up" }))),
        _ => None,
    }
}

async fn token_answer(state: &State, tenant: &str, request: Request) -> Outcome {
    let authorization = authorization(request.headers());
    let body = match read_body(state, request).await {
        Ok(body) => body,
        Err(refusal) => return Outcome::Refusal(refusal),
    };
    Outcome::Answer(match token::issue(state, tenant, authorization.as_deref(), &body).await {
        Ok(body) => Answer { headers: vec![("Cache-Control", "no-store".to_owned())], ..Answer::ok(body) },
        Err(error) => Answer { status: error.status, ..Answer::ok(error.body(state)) },
    })
}

/// The answer of an operation, and what the audit log should know of it.
pub async fn graph_answer(
    state: &Arc<State>,
    exchange: &Exchange,
    request: Request,
) -> Result<Answer, Refusal> {
    let Some(path) = path::parse(request.uri().path()) else {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "BadRequest",
            "Invalid version: the path begins with /v1.0 or /beta.",
        ));
    };
    let verifier = Verifier {
        key: &state.key,
        issuer: &state.issuer,
        audiences: &[GRAPH_AUDIENCE.to_owned(), state.options.address.clone()],
        verified: &state.verified,
        outside: state.options.outside_issuer.as_ref(),
    };
    let caller =
        verifier.caller(authorization(request.headers()).as_deref(), state.engine.clock.now()).await?;
    if matches!(path.segments.as_slice(), [only] if only.eq_ignore_ascii_case("$batch")) {
        return batch::answer(state, request).await;
    }
    let (operation, parameters) = routes::find(request.method(), &path)?;
    let query = odata::query(request.uri().query().unwrap_or_default())?;
    let mut call = Call {
        state: state.clone(),
        version: path.version,
        operation,
        path: request
            .uri()
            .path()
            .trim_start_matches('/')
            .split_once('/')
            .map(|(_, rest)| rest.to_owned())
            .unwrap_or_default(),
        parameters,
        query,
        headers: request.headers().clone(),
        caller,
        body: Vec::new(),
    };
    if operation.is_read {
        return carry_out(call, request).await;
    }
    let draft = audit::Draft::of(&call, request.uri().path(), exchange);
    let outcome = match authorise(operation, &call).await {
        Ok(()) => {
            call.body = read_body(state, request).await?;
            (operation.run)(call).await
        }
        Err(refusal) => Err(refusal),
    };
    draft.write(state, &outcome).await?;
    outcome
}

async fn carry_out(mut call: Call, request: Request) -> Result<Answer, Refusal> {
    authorise(call.operation, &call).await?;
    call.body = read_body(&call.state, request).await?;
    (call.operation.run)(call).await
}

/// Whether the caller may: by a permission, or as the owner of the application that the path names. A user must have a
/// directory role as well, where the token tells of roles.
async fn authorise(operation: &Operation, call: &Call) -> Result<(), Refusal> {
    if let Some(roles) = &call.caller.directory_roles
        && !directory_roles::suffice(operation.path, roles)
    {
        return Err(Refusal::forbidden());
    }
    if call.caller.holds(operation.permissions) {
        return Ok(());
    }
    if let Some(permission) = operation.owner_permission
        && call.caller.holds(&[permission])
        && owns(operation, call).await?
    {
        return Ok(());
    }
    Err(Refusal::forbidden())
}

async fn owns(operation: &Operation, call: &Call) -> Result<bool, Refusal> {
    // Making something new needs no ownership: the maker becomes the owner.
    if !operation.path.contains("{id}") {
        return Ok(true);
    }
    let is_application = call.parameter("parent").eq_ignore_ascii_case("applications")
        || operation.path.starts_with("/applications/");
    let kind = if is_application {
        usher_core::EntryKind::Application
    } else {
        usher_core::EntryKind::ServicePrincipal
    };
    if operation.path.starts_with("/applicationTemplates/") {
        return Ok(true);
    }
    let entry = match call.named(kind, call.parameter("id")).await {
        Ok(entry) => entry,
        // Whoever may not look must not learn what is there.
        Err(refusal) if refusal.status == StatusCode::NOT_FOUND => return Ok(false),
        Err(refusal) => return Err(refusal),
    };
    Ok(call.state.engine.is_owned_by(&entry, &call.caller.object_id).await?)
}

/// The request, its body read already when it says that it is small.
async fn with_small_body(state: &State, request: Request) -> Result<Request, Refusal> {
    match announced(request.headers()) {
        Some(1..=SMALL_BODY) => {
            let (head, body) = request.into_parts();
            let bytes = read_body(state, Request::from_parts(head.clone(), body)).await?;
            Ok(Request::from_parts(head, Body::from(bytes)))
        }
        _ => Ok(request),
    }
}

/// How large the head of a request says its body is, in bytes.
fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body within limits of size and time.
pub async fn read_body(state: &State, request: Request) -> Result<Vec<u8>, Refusal> {
    let largest = state.options.largest_body;
    let too_large = || {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestBodyTooLarge",
            format!("the body is larger than {largest} bytes"),
        )
    };
    if announced(request.headers()).is_some_and(|length| length > largest) {
        return Err(too_large());
    }
    let read = to_bytes(request.into_body(), largest);
    match tokio::time::timeout(state.options.body_time, read).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "RequestTimeout",
            "the body did not arrive in time",
        )),
    }
}

/// The `Authorization` header.
pub fn authorization(headers: &HeaderMap) -> Option<String> {
    headers.get(header::AUTHORIZATION)?.to_str().ok().map(str::to_owned)
}

fn write(answer: Answer) -> Response<Body> {
    let mut response = match (&answer.body, &answer.text) {
        (Some(body), _) => json_response(answer.status, body),
        (None, Some(text)) => {
            let mut response = Response::new(Body::from(text.clone()));
            insert(response.headers_mut(), "content-type", "text/plain");
            response
        }
        (None, None) => Response::new(Body::empty()),
    };
    *response.status_mut() = answer.status;
    for (name, value) in &answer.headers {
        match HeaderValue::from_str(value) {
            // The one header that may be there several times.
            Ok(value) if *name == "Warning" => drop(response.headers_mut().append(header::WARNING, value)),
            _ => insert(response.headers_mut(), &name.to_ascii_lowercase(), value),
        }
    }
    response
}

fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    insert(
        headers,
        "content-type",
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
    );
    insert(headers, "odata-version", "4.0");
    response
}

/// Sets a header; a value that is no header value is left out rather than trusted.
fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) =
        (header::HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
    {
        headers.insert(name, value);
    }
}

/// The initiator of a caller, for the provisioning log.
pub fn initiator(caller: &Caller) -> usher_core::Initiator {
    usher_core::Initiator {
        id: caller.app_id.clone(),
        display_name: caller.name.clone(),
        initiator_type: "application".to_owned(),
    }
}
