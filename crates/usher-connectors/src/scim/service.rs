//! One SCIM service: sends prepared requests with our credentials and gives back answers or refusals.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::header::{ACCEPT, CONTENT_TYPE, IF_MATCH};
use reqwest::Method;
use serde_json::{Map, Value as Json};
use tokio::sync::OnceCell;
use url::Url;
use usher_core::Secret;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, Effect, Envelope, PreparedRequest};

use super::answer::{self, Refusal};
use super::request::MEDIA_TYPE;
use super::resource::member;
use super::settings::{Credentials, ScimSettings};
use crate::http::{Http, Lost, Reply, exchange};
use crate::token::{ClientCredentials, TokenError, Tokens, bearer};
use crate::transcript;

/// How many versions of resources are remembered.
const VERSIONS: usize = 1024;
/// This part of a second's budget may be sent at once.
const BURST: u32 = 20;
/// What stands for the values that the configured address carries: any of them may be a secret.
const REDACTED: &str = "[Redact]";
/// The same as an address has it.
const REDACTED_IN_QUERY: &str = "%5BRedact%5D";
/// The media types that answers may have.
const ACCEPTED: &str = "application/scim+json, application/json;q=0.9";

enum Pass {
    None,
    Fixed(Secret),
    Asked(Box<Tokens>),
}

/// A connection to one service.
pub(crate) struct Service {
    http: Arc<Http>,
    base: Url,
    query: Vec<(String, String)>,
    pass: Pass,
    budget: Option<DefaultDirectRateLimiter>,
    /// So many requests have room in the budget already (`admit`).
    admitted: AtomicUsize,
    versions: Mutex<HashMap<String, String>>,
    checks_versions: OnceCell<bool>,
}

impl Service {
    pub(crate) fn new(http: Arc<Http>, settings: ScimSettings) -> Self {
        let pass = match settings.credentials {
            Credentials::None => Pass::None,
            Credentials::Bearer(token) => Pass::Fixed(token),
            Credentials::Client { url, id, secret, scope } => Pass::Asked(Box::new(Tokens::new(
                http.clone(),
                ClientCredentials { url, client_id: id, client_secret: secret, scope },
            ))),
        };
        Self {
            http,
            base: settings.base,
            query: settings.query,
            pass,
            budget: settings.requests_per_second.map(|most| {
                // A small burst, so that a late timer costs nothing of the budget.
                let burst = NonZeroU32::new(most.get() / BURST).unwrap_or(NonZeroU32::MIN);
                RateLimiter::direct(Quota::per_second(most).allow_burst(burst))
            }),
            admitted: AtomicUsize::new(0),
            versions: Mutex::default(),
            checks_versions: OnceCell::new(),
        }
    }

    /// Waits until the budget has room for a request. Nothing is sent, and whoever stops waiting loses nothing.
    pub(crate) async fn admit(&self) {
        if let Some(budget) = &self.budget {
            budget.until_ready().await;
            self.admitted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends a request whose answer is a document.
    pub(crate) async fn document(&self, request: &PreparedRequest) -> Result<Map<String, Json>, Refusal> {
        let (reply, hidden) = self.send(request).await?;
        let document = answer::document(request, &reply, &shown(&hidden))?;
        self.remember(request, &reply, Some(&document));
        Ok(document)
    }

    /// Sends a request whose answer does not matter, as long as it is a good one.
    pub(crate) async fn done(&self, request: &PreparedRequest) -> Result<(), Refusal> {
        let (reply, hidden) = self.send(request).await?;
        answer::check_ignored(request, &reply, &shown(&hidden))?;
        let document = serde_json::from_slice::<Map<String, Json>>(&reply.body).ok();
        self.remember(request, &reply, document.as_ref());
        Ok(())
    }

    async fn send(&self, request: &PreparedRequest) -> Result<(Reply, Vec<Secret>), Refusal> {
        let version = self.version(request).await;
        let mut renewed = false;
        loop {
            let token = self.token().await?;
            let hidden = self.hidden(request, token.clone());
            let reply = self.once(request, token.as_ref(), version.as_deref()).await;
            let told = reply.as_ref().ok().map(|reply| (reply.status.as_u16(), reply.body.as_ref()));
            transcript::note(request, told, &shown(&hidden));
            let reply = reply?;
            if let (401, Pass::Asked(tokens), Some(token), false) =
                (reply.status.as_u16(), &self.pass, &token, renewed)
            {
                tokens.refused(token).await;
                renewed = true;
                continue;
            }
            if reply.status.is_success() {
                return Ok((reply, hidden));
            }
            if reply.status.as_u16() == 412 {
                self.versions().remove(resource_of(&request.path));
            }
            return Err(answer::refusal(request, &reply, &shown(&hidden)));
        }
    }

    async fn once(
        &self,
        request: &PreparedRequest,
        token: Option<&Secret>,
        version: Option<&str>,
    ) -> Result<Reply, Refusal> {
        if let Some(budget) = &self.budget {
            let spend = |admitted: usize| admitted.checked_sub(1);
            if self.admitted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_err() {
                budget.until_ready().await;
            }
        }
        let url = self.url(&request.path)?;
        let method =
            Method::from_bytes(request.method.as_bytes()).expect("our own requests have HTTP methods");
        let client = self.http.client(&url).map_err(|error| ConnectorError {
            source: Some(Box::new(error)),
            ..failure(
                ConnectorErrorKind::Rejected,
                "Request_BadRequest",
                "the HTTP settings cannot be used".to_owned(),
            )
        })?;
        let mut builder = client.request(method, url).header(ACCEPT, ACCEPTED);
        if let Some(token) = token {
            let (name, value) = bearer(token).ok_or_else(|| {
                failure(
                    ConnectorErrorKind::Unauthorised,
                    "Unauthorized",
                    "the token holds characters that no token has; give SecretToken anew".to_owned(),
                )
            })?;
            builder = builder.header(name, value);
        }
        if let Some(version) = version {
            builder = builder.header(IF_MATCH, version);
        }
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, MEDIA_TYPE).body(body.to_string());
        }
        let is_read = request.method == "GET";
        exchange(builder)
            .await
            .map_err(|lost| lost_answer(&answer::named(request), &self.base, is_read, lost).into())
    }

    /// What goes around a request: the whole address, and the headers, with the token and the values of the configured
    /// address hidden.
    pub(crate) async fn envelope(&self, request: &PreparedRequest) -> Envelope {
        let address = self.address(&request.path, true).map_or_else(
            |_| request.path.clone(),
            |url| url.to_string().replace(REDACTED_IN_QUERY, REDACTED),
        );
        let mut headers = vec![("Accept".to_owned(), ACCEPTED.to_owned())];
        if !matches!(self.pass, Pass::None) {
            headers.push(("Authorization".to_owned(), "Bearer [Redact]".to_owned()));
        }
        if request.body.is_some() {
            headers.push(("Content-Type".to_owned(), MEDIA_TYPE.to_owned()));
        }
        if let Some(version) = self.version(request).await {
            headers.push(("If-Match".to_owned(), version));
        }
        Envelope { address, headers }
    }

    fn url(&self, path: &str) -> Result<Url, ConnectorError> {
        self.address(path, false)
    }

    fn address(&self, path: &str, is_shown: bool) -> Result<Url, ConnectorError> {
        let text = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let mut url = Url::parse(&text).map_err(|_| {
            failure(ConnectorErrorKind::Rejected, "Request_BadRequest", format!("'{path}' is not a path"))
        })?;
        if !self.query.is_empty() {
            let pairs = self.query.iter().map(|(name, value)| match (is_shown, value.as_str()) {
                (false, value) => (name.as_str(), value),
                // A name that stands alone may be the secret.
                (true, "") => (REDACTED, ""),
                (true, _) => (name.as_str(), REDACTED),
            });
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(url)
    }

    async fn token(&self) -> Result<Option<Secret>, Refusal> {
        let tokens = match &self.pass {
            Pass::None => return Ok(None),
            Pass::Fixed(token) => return Ok(Some(token.clone())),
            Pass::Asked(tokens) => tokens,
        };
        tokens.token().await.map(Some).map_err(|error| no_token(tokens, error).into())
    }

    /// What must not be shown when the service repeats it: our token, passwords that we send, and what the configured
    /// address carries.
    fn hidden(&self, request: &PreparedRequest, token: Option<Secret>) -> Vec<Secret> {
        let mut hidden: Vec<Secret> = token.into_iter().collect();
        for (name, value) in &self.query {
            let mut pair = url::form_urlencoded::Serializer::new(String::new());
            hidden.push(Secret::new(pair.append_pair(name, value).finish()));
            let secret = if value.is_empty() { name } else { value };
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            hidden.extend([Secret::new(encoded), Secret::new(secret.as_str())]);
        }
        if let Some(body) = &request.body {
            collect_passwords(body, &mut hidden);
        }
        hidden
    }

    fn versions(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the versions in an answer, and forgets the one that a write has made old.
    fn remember(&self, request: &PreparedRequest, reply: &Reply, document: Option<&Map<String, Json>>) {
        let mut versions = self.versions();
        if versions.len() >= VERSIONS {
            versions.clear();
        }
        let collection = request.path.split(['?', '/']).nth(1).unwrap_or_default();
        let is_one = resource_of(&request.path).trim_matches('/').contains('/');
        if is_one {
            versions.remove(resource_of(&request.path));
        }
        let in_header = reply.header("etag").map(str::to_owned);
        let Some(document) = document else {
            if let (true, Some(version)) = (is_one, in_header) {
                versions.insert(resource_of(&request.path).to_owned(), version);
            }
            return;
        };
        let mut keep = |resource: &Map<String, Json>, version: Option<String>| {
            let id = member(resource, "id").and_then(Json::as_str);
            if let (Some(id), Some(version)) = (id, version) {
                let path = if is_one {
                    resource_of(&request.path).to_owned()
                } else {
                    format!("/{collection}/{id}")
                };
                versions.insert(path, version);
            }
        };
        match member(document, "Resources").and_then(Json::as_array) {
            Some(resources) => {
                for resource in resources.iter().filter_map(Json::as_object) {
                    keep(resource, version_in_meta(resource));
                }
            }
            None => keep(document, in_header.or_else(|| version_in_meta(document))),
        }
    }

    /// The version that a change is based on, when the service offered one and says that it checks them.
    async fn version(&self, request: &PreparedRequest) -> Option<String> {
        if !matches!(request.method.as_str(), "PATCH" | "PUT") {
            return None;
        }
        let version = self.versions().get(resource_of(&request.path)).cloned()?;
        let checks = self.checks_versions.get_or_init(|| self.says_that_it_checks_versions()).await;
        checks.then_some(version)
    }

    async fn says_that_it_checks_versions(&self) -> bool {
        let request =
            PreparedRequest { method: "GET".into(), path: "/ServiceProviderConfig".to_owned(), body: None };
        let Ok(token) = self.token().await else { return false };
        let Ok(reply) = self.once(&request, token.as_ref(), None).await else { return false };
        if !reply.status.is_success() {
            return false;
        }
        let Ok(config) = answer::document(&request, &reply, &[]) else { return false };
        member(&config, "etag").and_then(Json::as_object).and_then(|etag| member(etag, "supported"))
            == Some(&Json::Bool(true))
    }
}

/// The version that a resource tells of itself.
fn version_in_meta(resource: &Map<String, Json>) -> Option<String> {
    let meta = member(resource, "meta")?.as_object()?;
    member(meta, "version")?.as_str().map(str::to_owned)
}

/// The path without query: what versions are remembered by.
fn resource_of(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

fn shown(hidden: &[Secret]) -> Vec<&str> {
    hidden.iter().map(Secret::expose).collect()
}

/// The texts under `password`, wherever they stand in a body.
pub(crate) fn collect_passwords(body: &Json, found: &mut Vec<Secret>) {
    match body {
        Json::Object(members) => {
            let is_password = |name: &str| name.to_ascii_lowercase().ends_with("password");
            let is_operation = members.get("path").and_then(Json::as_str).is_some_and(is_password);
            for (name, value) in members {
                match value {
                    Json::String(text) if is_password(name) || (is_operation && name == "value") => {
                        found.push(Secret::new(text.as_str()));
                    }
                    other => collect_passwords(other, found),
                }
            }
        }
        Json::Array(values) => values.iter().for_each(|value| collect_passwords(value, found)),
        _ => {}
    }
}

fn failure(kind: ConnectorErrorKind, code: &'static str, message: String) -> ConnectorError {
    ConnectorError::new(kind, code, message)
}

/// No answer: what that says about the write.
fn lost_answer(what: &str, url: &Url, is_read: bool, lost: Lost) -> ConnectorError {
    let open = if is_read { Effect::None } else { Effect::Unknown };
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let (effect, code, message, cause) = match lost {
        Lost::NotConnected(error) => {
            (Effect::None, "WebExceptionProtocolError", format!("{what}: no connection to {host}"), error)
        }
        Lost::UnknownIssuer(error) => {
            let message = format!(
                "{what}: the certificate of {host} is signed by an authority that is not trusted here; add its \
                 certificate to those that are trusted (usher serve --trust-ca)"
            );
            (Effect::None, "WebExceptionProtocolError", message, error)
        }
        Lost::Timeout(error) => (open, "Timeout", format!("{what}: {host} did not answer in time"), error),
        Lost::Broken(error) => {
            let message = format!("{what}: the connection to {host} broke before the answer was complete");
            (open, "WebExceptionProtocolError", message, error)
        }
        Lost::TooLong => {
            return ConnectorError {
                effect: open,
                ..failure(
                    ConnectorErrorKind::Protocol,
                    "SystemForCrossDomainIdentityManagementBadResponse",
                    format!("{what}: the answer of {host} is too long to be read"),
                )
            };
        }
        Lost::NotMade(error) => {
            return ConnectorError {
                source: Some(error),
                ..failure(
                    ConnectorErrorKind::Rejected,
                    "Request_BadRequest",
                    format!("{what} cannot be sent"),
                )
            };
        }
    };
    ConnectorError {
        detail: Some(innermost(&cause)),
        effect,
        source: Some(Box::new(cause)),
        ..failure(ConnectorErrorKind::Unreachable, code, message)
    }
}

/// The last cause of a failure, which says the most: `Connection refused`, for instance.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// What a token endpoint said, without what we sent to it in secret.
fn without_secrets(tokens: &Tokens, said: &str) -> String {
    let in_query: Vec<String> = tokens
        .address()
        .query_pairs()
        .map(|(name, value)| if value.is_empty() { name.into_owned() } else { value.into_owned() })
        .collect();
    let mut hide: Vec<&str> = in_query.iter().map(String::as_str).collect();
    hide.push(tokens.secret().expose());
    transcript::without(said, &hide)
}

fn no_token(tokens: &Tokens, error: TokenError) -> ConnectorError {
    let authority = tokens.address().as_str().split('?').next().unwrap_or_default();
    match error {
        // The request itself was never sent.
        TokenError::Lost(lost) => lost_answer("asking for a token", tokens.address(), true, lost),
        TokenError::Refused { status, code, description } => ConnectorError {
            detail: Some(without_secrets(tokens, &[code, description].join(": ")))
                .filter(|said| said.len() > 2),
            ..failure(
                ConnectorErrorKind::Unauthorised,
                "Unauthorized",
                format!(
                    "{authority} gave no token (status {status}); correct Oauth2ClientId, Oauth2ClientSecret or the \
                     scope"
                ),
            )
        },
        TokenError::Unavailable { status: 429, retry_after } => ConnectorError {
            retry_after,
            ..failure(
                ConnectorErrorKind::Throttled,
                "TooManyRequests",
                format!("{authority} gives no more tokens for now"),
            )
        },
        TokenError::Unavailable { status, retry_after } => ConnectorError {
            retry_after,
            ..failure(
                ConnectorErrorKind::Unreachable,
                "InternalServerError",
                format!("{authority} was asked for a token and answered with status {status}"),
            )
        },
        TokenError::Unreadable => failure(
            ConnectorErrorKind::Protocol,
            "SystemForCrossDomainIdentityManagementBadResponse",
            format!("the answer of {authority} holds no access token"),
        ),
    }
}
