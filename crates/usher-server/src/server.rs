//! The way of a request: headers, path, operation, caller, permission, body, answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Extract};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use usher_engine::Engine;

use crate::access::{Caller, GRAPH_AUDIENCE, OutsideIssuer, Verifier};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::graph::{self, Operation};
use crate::keys::{KeyError, SigningKey};
use crate::path::{self, GraphPath};
use crate::throttle::Throttle;
use crate::tls::{self, Tls, TlsError};
use crate::token;

/// How long reading a body may take.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What the server needs to know.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address by which callers know the service, without a slash at its end.
    pub address: String,
    /// How many on-demand requests one caller may send in ten seconds; the published figure is 5.
    pub on_demand_limit: usize,
    /// The largest body, in bytes.
    pub largest_body: usize,
    /// An outside issuer whose tokens are taken as well.
    pub outside_issuer: Option<OutsideIssuer>,
    /// Answer on-demand requests in the form that live tenants use: a type name and a list.
    pub tenant_form: bool,
}

impl ServerOptions {
    /// The published figures, at this address.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.trim_end_matches('/').to_owned(),
            on_demand_limit: 5,
            largest_body: 4 * 1024 * 1024,
            outside_issuer: None,
            tenant_form: false,
        }
    }
}

/// What every request shares.
pub struct State {
    /// The service behind.
    pub engine: Engine,
    /// The options.
    pub options: ServerOptions,
    /// The key that signs tokens.
    pub key: SigningKey,
    /// The issuer in our tokens.
    pub issuer: String,
    /// On-demand requests of each caller.
    pub throttle: Throttle,
}

/// The server.
pub struct Server {
    state: Arc<State>,
}

impl Server {
    /// A server over an engine.
    ///
    /// # Errors
    /// The signing key cannot be read or made.
    pub async fn new(engine: Engine, options: ServerOptions) -> Result<Self, KeyError> {
        let key = SigningKey::load(engine.store.as_ref()).await?;
        let issuer = format!("{}/{}/v2.0", options.address, engine.settings.tenant);
        let throttle = Throttle::new(options.on_demand_limit, 10);
        Ok(Self { state: Arc::new(State { engine, options, key, issuer, throttle }) })
    }

    /// The router; tests drive it in process.
    pub fn router(&self) -> Router {
        Router::new().fallback(handle).with_state(self.state.clone())
    }

    /// Serves until `shutdown` ends, then finishes what is in flight.
    ///
    /// # Errors
    /// Certificates or the listener cannot be used.
    pub async fn serve(
        self,
        listener: TcpListener,
        tls: Tls,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), TlsError> {
        match tls {
            Tls::PlainLoopback => self.serve_plain(listener, shutdown).await.map_err(TlsError::Serve),
            tls => tls::serve(self.router(), listener, tls, shutdown).await,
        }
    }

    /// Serves plain HTTP; for loopback addresses only.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn serve_plain(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await
    }
}

async fn handle(Extract(state): Extract<Arc<State>>, request: Request) -> Response<Body> {
    let request_id = state.engine.clock.guid().to_string();
    let client_request_id = request
        .headers()
        .get("client-request-id")
        .and_then(|value| value.to_str().ok())
        .filter(|text| text.len() <= 64)
        .unwrap_or(&request_id)
        .to_owned();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let began = state.engine.clock.now();
    let outcome = respond(&state, request).await;
    let now = state.engine.clock.now();
    let mut response = match outcome {
        Outcome::Answer(answer) => write(answer),
        Outcome::Refusal(refusal) => {
            let mut response =
                json_response(refusal.status, &refusal.body(now, &request_id, &client_request_id));
            if let Some(seconds) = refusal.retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            if refusal.challenges {
                let text = format!(
                    "Bearer realm=\"\", authorization_uri=\"{}/{}/oauth2/v2.0/authorize\"",
                    state.options.address, state.engine.settings.tenant
                );
                insert(response.headers_mut(), "www-authenticate", &text);
            }
            response
        }
    };
    let headers = response.headers_mut();
    insert(headers, "request-id", &request_id);
    insert(headers, "client-request-id", &client_request_id);
    insert(
        headers,
        "x-ms-ags-diagnostic",
        "{\"ServerInfo\":{\"DataCenter\":\"local\",\"Slice\":\"E\",\"Ring\":\"1\",\"ScaleUnit\":\"001\",\"RoleInstance\":\"usher\"}}",
    );
    insert(headers, "cache-control", "no-cache");
    insert(headers, "strict-transport-security", "max-age=31536000");
    let duration_ms = now.as_millisecond() - began.as_millisecond();
    tracing::info!(%method, path = uri.path(), status = response.status().as_u16(), duration_ms, request.id = %request_id, "answered");
    response
}

enum Outcome {
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

async fn respond(state: &Arc<State>, request: Request) -> Outcome {
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
    graph_answer(state, request).await.into()
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

async fn graph_answer(state: &Arc<State>, request: Request) -> Result<Answer, Refusal> {
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
        outside: state.options.outside_issuer.as_ref(),
    };
    let caller = verifier.caller(authorization(request.headers()).as_deref(), state.engine.clock.now())?;
    let (operation, parameters) = find(request.method(), &path)?;
    let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    let mut call = Call {
        state: state.clone(),
        version: path.version,
        parameters: parameters.into_iter().collect(),
        query,
        headers: request.headers().clone(),
        caller,
        body: Vec::new(),
    };
    authorise(operation, &call).await?;
    call.body = read_body(state, request).await?;
    (operation.run)(call).await
}

/// An operation with the variable segments of a path.
type Found = (&'static Operation, Vec<(&'static str, String)>);

/// The operation of a method and path. Segment names are compared without regard to case.
fn find(method: &Method, path: &GraphPath) -> Result<Found, Refusal> {
    let mut is_known = false;
    for operation in graph::operations() {
        if let Some(parameters) = matched(operation.path, &path.segments) {
            is_known = true;
            if operation.method == method.as_str() {
                return Ok((operation, parameters));
            }
        }
    }
    if is_known {
        return Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Request_BadRequest",
            format!("Specified HTTP method {method} is not allowed for the request target."),
        ));
    }
    let last = path.segments.last().map(String::as_str).unwrap_or_default();
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "BadRequest",
        format!("Resource not found for the segment '{last}'."),
    ))
}

fn matched(pattern: &'static str, segments: &[String]) -> Option<Vec<(&'static str, String)>> {
    let mut parameters = Vec::new();
    let mut rest = segments.iter();
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let segment = rest.next()?;
        match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some("parent") => {
                let is_parent = ["applications", "servicePrincipals"]
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(segment));
                if !is_parent {
                    return None;
                }
                parameters.push(("parent", segment.clone()));
            }
            Some(name) => parameters.push((name, segment.clone())),
            None if part.eq_ignore_ascii_case(segment) => {}
            None => return None,
        }
    }
    rest.next().is_none().then_some(parameters)
}

/// Whether the caller may: by a permission, or as the owner of the application that the path names.
async fn authorise(operation: &Operation, call: &Call) -> Result<(), Refusal> {
    if call.caller.holds(operation.permissions) {
        return Ok(());
    }
    if operation.is_for_owners
        && call.caller.holds(&["Application.ReadWrite.OwnedBy"])
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

async fn read_body(state: &State, request: Request) -> Result<Vec<u8>, Refusal> {
    let largest = state.options.largest_body;
    let too_large = || {
        Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestBodyTooLarge",
            format!("the body is larger than {largest} bytes"),
        )
    };
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > largest) {
        return Err(too_large());
    }
    let read = to_bytes(request.into_body(), largest);
    match tokio::time::timeout(BODY_TIME, read).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "RequestTimeout",
            "the body did not arrive in time",
        )),
    }
}

fn authorization(headers: &HeaderMap) -> Option<String> {
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
        insert(response.headers_mut(), &name.to_ascii_lowercase(), value);
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
