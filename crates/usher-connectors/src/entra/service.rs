//! One tenant: sends prepared requests with our token, keeps to Graph's manners, and gives back documents or refusals.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::Value as Json;
use url::Url;
use usher_core::Secret;
use usher_core::ports::{Clock, ConnectorError, ConnectorErrorKind, Effect, Envelope, PreparedRequest};

use super::answer::{self, Answer, Page, Refusal};
use super::request::{self, BLOCK};
use super::settings::EntraSettings;
use crate::http::{Http, Lost, Reply, exchange};
use crate::identity::{Identity, IdentityError};
use crate::token::bearer;
use crate::transcript;

/// The version that is spoken.
const VERSION: &str = "v1.0";
/// How often a request is sent that Graph puts off.
const TRIES: u32 = 5;
/// A longer wait is for the engine to decide about.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// From this part of the limit on, requests are slowed down.
const NEAR_LIMIT: f64 = 0.8;
/// By how much.
const BREATH: Duration = Duration::from_millis(250);

/// A connection to one tenant.
pub(super) struct Service {
    http: Arc<Http>,
    clock: Arc<dyn Clock>,
    root: Url,
    identity: Identity,
    /// Nothing is sent before this instant.
    quiet_until: Mutex<Option<Timestamp>>,
}

impl Service {
    pub(super) fn new(
        http: Arc<Http>,
        clock: Arc<dyn Clock>,
        settings: EntraSettings,
    ) -> Result<Self, ConnectorError> {
        let mut root = settings.graph.clone();
        root.path_segments_mut().expect("an http address has path segments").pop_if_empty().push(VERSION);
        let identity =
            Identity::new(http.clone(), clock.clone(), settings.authority, &settings.graph, settings.sign_in)
                .map_err(no_token)?;
        Ok(Self { http, clock, root, identity, quiet_until: Mutex::default() })
    }

    /// The address of Graph with the version, as references name it.
    pub(super) fn root(&self) -> &str {
        self.root.as_str()
    }

    /// Waits on the clock.
    pub(super) async fn wait(&self, duration: Duration) {
        self.clock.wait(duration).await;
    }

    /// The present instant.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new random password: long, with letters of both cases, digits and signs.
    pub(super) fn password(&self) -> Secret {
        Secret::new(format!("Pw1!{}{}", self.clock.guid().simple(), self.clock.guid().simple()))
    }

    /// Sends a request whose answer is a document; null when a write has none.
    pub(super) async fn document(&self, request: &PreparedRequest) -> Result<Json, Refusal> {
        let reply = self.send(request).await?;
        if reply.body.is_empty() {
            return answer::whole(request, Json::Null);
        }
        let document = serde_json::from_slice(&reply.body).map_err(|_| self.foreign(request, &reply))?;
        answer::whole(request, document)
    }

    /// Somebody else has answered in place of Graph, such as a proxy or a gateway: that passes, as when nobody answers.
    fn foreign(&self, request: &PreparedRequest, reply: &Reply) -> Refusal {
        let host = &self.root[url::Position::BeforeHost..url::Position::AfterPort];
        let kind = reply.header("content-type").unwrap_or("of no type");
        let mut refusal = answer::unreadable(
            request,
            &format!(
                "has status {} and is not JSON but {kind}; what answers for {host} is not Microsoft Graph",
                reply.status.as_u16()
            ),
        );
        refusal.error.kind = ConnectorErrorKind::Unreachable;
        refusal
    }

    /// Sends a request whose answer does not matter, as long as it is a good one.
    pub(super) async fn done(&self, request: &PreparedRequest) -> Result<(), Refusal> {
        self.send(request).await.map(drop)
    }

    /// Sends a request whose answer is a page.
    pub(super) async fn page(&self, request: &PreparedRequest) -> Result<Page, Refusal> {
        answer::page(request, self.document(request).await?)
    }

    /// All values of a collection, page after page.
    pub(super) async fn all(&self, first: PreparedRequest) -> Result<Vec<Json>, Refusal> {
        self.some(first, usize::MAX).await
    }

    /// Values of a collection, page after page, until there are enough. A page may be empty and still not the last.
    pub(super) async fn some(&self, first: PreparedRequest, enough: usize) -> Result<Vec<Json>, Refusal> {
        let mut values = Vec::new();
        let mut request = first;
        loop {
            let page = self.page(&request).await?;
            values.extend(page.values);
            match page.next {
                Some(next) if values.len() < enough => request = request::get(next),
                _ => return Ok(values),
            }
        }
    }

    /// Sends requests that may be sent again, twenty at a time; what Graph puts off is sent again. Answers come in the order of the requests.
    pub(super) async fn batch(
        &self,
        requests: &[PreparedRequest],
    ) -> Result<Vec<Result<Json, Refusal>>, Refusal> {
        let mut answers = Vec::with_capacity(requests.len());
        for block in requests.chunks(BLOCK) {
            answers.extend(self.block(block).await?);
        }
        Ok(answers)
    }

    async fn block(&self, requests: &[PreparedRequest]) -> Result<Vec<Result<Json, Refusal>>, Refusal> {
        let mut answers: Vec<Option<Result<Json, Refusal>>> = requests.iter().map(|_| None).collect();
        for attempt in 1..=TRIES {
            let open: Vec<usize> =
                answers.iter().enumerate().filter(|(_, one)| one.is_none()).map(|(index, _)| index).collect();
            if open.is_empty() {
                break;
            }
            let parts: Vec<&PreparedRequest> = open.iter().map(|index| &requests[*index]).collect();
            let batch = request::batch(&parts);
            let document = self.document(&batch).await?;
            let responses = document
                .get("responses")
                .and_then(Json::as_array)
                .ok_or_else(|| answer::unreadable(&batch, "has no 'responses'"))?;
            for response in responses {
                let place = response.get("id").and_then(Json::as_str).and_then(|id| id.parse::<usize>().ok());
                let Some(&index) = place.and_then(|place| open.get(place)) else { continue };
                let status = response.get("status").and_then(Json::as_u64).unwrap_or_default();
                let status = u16::try_from(status).unwrap_or_default();
                let body = response.get("body");
                if (200..300).contains(&status) {
                    answers[index] = Some(answer::whole(&requests[index], body.cloned().unwrap_or_default()));
                    continue;
                }
                let header = |wanted: &str| {
                    let headers = response.get("headers")?.as_object()?;
                    headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?.1.as_str()
                };
                let retry_after = header("retry-after")
                    .and_then(|text| text.trim().parse::<f64>().ok())
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok());
                if matches!(status, 429 | 503 | 504) && attempt < TRIES {
                    let wait = retry_after.unwrap_or(backed_off(attempt));
                    if wait <= LONGEST_WAIT {
                        self.be_quiet(wait);
                        continue;
                    }
                }
                let ids = header("request-id").map_or_else(String::new, |id| format!("request-id {id}"));
                let failed = Answer { status, body, ids, retry_after, challenge: None };
                // The service may repeat what it was sent.
                let mut hidden = self.identity.secrets();
                hidden.push(self.identity.token().await.map_err(no_token)?);
                let hidden: Vec<&str> = hidden.iter().map(Secret::expose).collect();
                answers[index] = Some(Err(answer::refusal(&requests[index], &failed, &hidden)));
            }
        }
        Ok(answers
            .into_iter()
            .zip(requests)
            .map(|(one, request)| {
                one.unwrap_or_else(|| Err(answer::unreadable(request, "was left out of a batch")))
            })
            .collect())
    }

    async fn send(&self, request: &PreparedRequest) -> Result<Reply, Refusal> {
        let mut attempt = 0;
        let mut renewed = false;
        loop {
            attempt += 1;
            self.keep_quiet().await;
            let token = self.identity.token().await.map_err(no_token)?;
            let client_request_id = self.clock.guid().to_string();
            let mut hidden = self.identity.secrets();
            hidden.push(token.clone());
            if let Some(body) = &request.body {
                crate::scim::collect_passwords(body, &mut hidden);
            }
            let hidden: Vec<&str> = hidden.iter().map(Secret::expose).collect();
            let reply = self.once(request, &token, &client_request_id).await;
            let told = reply.as_ref().ok().map(|reply| (reply.status.as_u16(), reply.body.as_ref()));
            transcript::note(request, told, &hidden);
            let reply = reply?;
            self.heed(&reply);
            let is_foreign = is_foreign(&reply);
            if reply.status.is_success() && !is_foreign {
                return Ok(without(reply, &hidden));
            }
            let status = reply.status.as_u16();
            if status == 401 && !is_foreign && !renewed && self.identity.can_renew() {
                self.identity.refused(&token, reply.header("www-authenticate")).await;
                renewed = true;
                continue;
            }
            // A create that the service could not answer for may have taken effect.
            let may_repeat = request.method != "POST" || request::is_read(request);
            let is_passing = matches!(status, 503 | 504) || is_foreign;
            let is_safe = status == 429 || (is_passing && may_repeat);
            if is_safe && attempt < TRIES {
                let wait = reply.retry_after().unwrap_or(backed_off(attempt));
                if wait <= LONGEST_WAIT {
                    self.be_quiet(wait);
                    continue;
                }
            }
            if is_foreign {
                return Err(self.foreign(request, &reply));
            }
            let body: Option<Json> = serde_json::from_slice(&reply.body).ok();
            let failed = Answer {
                status,
                body: body.as_ref(),
                ids: answer::ids(&reply, &client_request_id),
                retry_after: reply.retry_after(),
                challenge: reply.header("www-authenticate"),
            };
            return Err(answer::refusal(request, &failed, &hidden));
        }
    }

    /// All wait when one is told to: the limits are the tenant's and the application's.
    pub(super) async fn keep_quiet(&self) {
        loop {
            let until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
            let left = until.map(|until| until.duration_since(self.clock.now())).unwrap_or_default();
            match Duration::try_from(left) {
                Ok(left) if !left.is_zero() => self.clock.wait(left).await,
                _ => return,
            }
        }
    }

    fn be_quiet(&self, wait: Duration) {
        let Ok(wait) = SignedDuration::try_from(wait) else { return };
        let Ok(until) = self.clock.now().checked_add(wait) else { return };
        let mut quiet = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        *quiet = Some(quiet.map_or(until, |known| known.max(until)));
    }

    /// Graph says how near we are to the limit before it refuses.
    fn heed(&self, reply: &Reply) {
        let share = reply.header("x-ms-throttle-limit-percentage").and_then(|text| text.trim().parse().ok());
        if share.is_some_and(|share: f64| share > NEAR_LIMIT) {
            self.be_quiet(BREATH);
        }
    }

    async fn once(
        &self,
        request: &PreparedRequest,
        token: &Secret,
        client_request_id: &str,
    ) -> Result<Reply, Refusal> {
        let url = self.url(&request.path)?;
        let method =
            Method::from_bytes(request.method.as_bytes()).expect("our own requests have HTTP methods");
        let client = self.http.client(&url).map_err(|error| ConnectorError {
            source: Some(Box::new(error)),
            ..failure(ConnectorErrorKind::Rejected, "Request_BadRequest", "the HTTP settings cannot be used")
        })?;
        let mut builder = client.request(method, url).header(ACCEPT, "application/json");
        for (name, value) in headers(&request.path) {
            builder = builder.header(name, value);
        }
        builder = builder.header("client-request-id", client_request_id);
        let (name, value) = bearer(token).ok_or_else(|| {
            failure(
                ConnectorErrorKind::Unauthorised,
                "Unauthorized",
                "the token holds characters that no token has; give it anew",
            )
        })?;
        builder = builder.header(name, value);
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let is_read = request::is_read(request);
        exchange(builder).await.map_err(|lost| {
            lost_answer(&answer::named(request), &self.root, is_read, client_request_id, lost).into()
        })
    }

    /// The address of a path below the version, or of a link that Graph gave. Our token is for Graph alone.
    fn url(&self, path: &str) -> Result<Url, ConnectorError> {
        let text = if path.starts_with('/') { format!("{}{path}", self.root) } else { path.to_owned() };
        let url = Url::parse(&text).ok().filter(|url| url.origin() == self.root.origin());
        url.ok_or_else(|| {
            let message = format!("'{path}' is not an address of {}", self.root);
            failure(ConnectorErrorKind::Protocol, "WebExceptionProtocolError", message)
        })
    }

    /// What goes around a request.
    pub(super) fn envelope(&self, request: &PreparedRequest) -> Envelope {
        let mut all = vec![("Authorization".to_owned(), "[Redact]".to_owned())];
        all.push(("Accept".to_owned(), "application/json".to_owned()));
        all.extend(
            headers(&request.path).into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        if request.body.is_some() {
            all.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        Envelope { address: format!("{}{}", self.root, request.path), headers: all }
    }
}

/// Whether an answer is a page for people, and says nothing that Graph would have said: whoever stands in between wants
/// a sign-in, or knows no such address. Nobody is gone for that, and no permission is lacking.
fn is_foreign(reply: &Reply) -> bool {
    let is_page =
        reply.header("content-type").is_some_and(|media| media.to_ascii_lowercase().contains("html"))
            || reply.body.trim_ascii_start().starts_with(b"<");
    let status = reply.status.as_u16();
    is_page && (status < 400 || matches!(status, 401 | 403 | 404 | 407 | 410))
}

/// A good answer without our secrets, where it repeats them. What is shorter than any token may be a word.
fn without(mut reply: Reply, secrets: &[&str]) -> Reply {
    const SHORTEST: usize = 16;
    let secrets: Vec<&str> = secrets.iter().copied().filter(|secret| secret.len() >= SHORTEST).collect();
    let Ok(text) = std::str::from_utf8(&reply.body) else { return reply };
    if secrets.iter().any(|secret| text.contains(secret)) {
        let text = secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[Redact]"));
        reply.body = text.into();
    }
    reply
}

/// The headers that follow from a path: advanced queries name the index they run on, and what can wait says so.
fn headers(path: &str) -> Vec<(&'static str, &'static str)> {
    let mut headers = Vec::new();
    if request::is_advanced(path) {
        headers.push(request::CONSISTENCY);
    }
    if path.contains("/delta?") {
        headers.push(("Prefer", "odata.maxpagesize=999"));
    }
    if path.contains("/delta?") || path.contains("$top=999") || path == "/$batch" {
        headers.push(("x-ms-throttle-priority", "low"));
    }
    headers
}

/// How long to wait when nobody says.
fn backed_off(attempt: u32) -> Duration {
    Duration::from_secs(1 << attempt.min(5))
}

fn failure(kind: ConnectorErrorKind, code: &'static str, message: impl Into<String>) -> ConnectorError {
    ConnectorError::new(kind, code, message)
}

/// No answer: what that says about the write.
fn lost_answer(what: &str, url: &Url, is_read: bool, client_request_id: &str, lost: Lost) -> ConnectorError {
    let open = if is_read { Effect::None } else { Effect::Unknown };
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let (kind, code, effect, message, source): (
        _,
        _,
        _,
        _,
        Option<Box<dyn std::error::Error + Send + Sync>>,
    ) = match lost {
        Lost::NotConnected(error) => (
            ConnectorErrorKind::Unreachable,
            "WebExceptionProtocolError",
            Effect::None,
            format!("{what}: no connection to {host}"),
            Some(Box::new(error)),
        ),
        Lost::UnknownIssuer(error) => (
            ConnectorErrorKind::Unreachable,
            "WebExceptionProtocolError",
            Effect::None,
            format!(
                "{what}: the certificate of {host} is signed by an authority that is not trusted here; add its \
                     certificate to those that are trusted (usher serve --trust-ca)"
            ),
            Some(Box::new(error)),
        ),
        Lost::Timeout(error) => (
            ConnectorErrorKind::Unreachable,
            "Timeout",
            open,
            format!("{what}: {host} did not answer in time"),
            Some(Box::new(error)),
        ),
        Lost::Broken(error) => (
            ConnectorErrorKind::Unreachable,
            "WebExceptionProtocolError",
            open,
            format!("{what}: the connection to {host} broke before the answer was complete"),
            Some(Box::new(error)),
        ),
        Lost::TooLong => (
            ConnectorErrorKind::Protocol,
            "WebExceptionProtocolError",
            open,
            format!("{what}: the answer of {host} is too long to be read"),
            None,
        ),
        Lost::NotMade(error) => (
            ConnectorErrorKind::Rejected,
            "Request_BadRequest",
            Effect::None,
            format!("{what} cannot be sent"),
            Some(error),
        ),
    };
    let cause = source.as_deref().map(|error| innermost(error));
    let detail = match cause {
        Some(cause) => format!("{cause} (client-request-id {client_request_id})"),
        None => format!("(client-request-id {client_request_id})"),
    };
    ConnectorError { detail: Some(detail), effect, source, ..failure(kind, code, message) }
}

/// The last cause of a failure, which says the most.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

fn no_token(error: IdentityError) -> ConnectorError {
    let (kind, code) = match &error {
        IdentityError::Lost { .. } | IdentityError::Unavailable { .. } => {
            (ConnectorErrorKind::Unreachable, "WebExceptionProtocolError")
        }
        // No word of an authority: a page of whoever stands in between.
        IdentityError::Refused { code, .. } if code.is_empty() => {
            (ConnectorErrorKind::Unreachable, "WebExceptionProtocolError")
        }
        IdentityError::Refused { .. } | IdentityError::Credential(_) => {
            (ConnectorErrorKind::Unauthorised, "Unauthorized")
        }
    };
    let retry_after =
        if let IdentityError::Unavailable { retry_after, .. } = &error { *retry_after } else { None };
    ConnectorError { detail: error.said(), retry_after, ..failure(kind, code, error.to_string()) }
}
