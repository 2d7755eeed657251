//! Talking to the service: Graph requests with JSON in and out, and its errors in our words.

use anyhow::{Result, anyhow};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

use usher_connectors::graph::{Credential, Endpoint, GraphClient, GraphError, HttpOptions, SignIn};
use usher_core::Secret;
use usher_core::ports::Clock as _;

use crate::clock::SystemClock;

use crate::failure::Failure;
use crate::profile::{Profile, ProfileCredential};

/// What stays as it is in a path segment (RFC 3986 unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A connection to the service.
pub struct Client {
    graph: GraphClient,
}

/// An answer that is not a success.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The Graph error code.
    pub code: String,
    /// The Graph error message.
    pub message: String,
    /// How many seconds to wait, when the service said so.
    pub retry_after: Option<f64>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({}, {})", self.message, self.status, self.code)
    }
}

impl std::error::Error for Refusal {}

impl Client {
    /// The connection that is saved or described by the environment.
    ///
    /// # Errors
    /// There is none, or it is not usable.
    pub fn connect() -> Result<Self> {
        Self::with(&Profile::load()?)
    }

    /// The same, with this much patience for an answer.
    ///
    /// # Errors
    /// There is none, or it is not usable.
    pub fn connect_with_patience(timeout: Duration) -> Result<Self> {
        let profile = Profile::load()?;
        let timeout = profile.timeout.map_or(timeout, |own| own.max(timeout));
        let options = HttpOptions { timeout, ..HttpOptions::default() };
        Ok(Self { graph: graph_with(&profile, options)? })
    }

    /// A connection as the profile says.
    ///
    /// # Errors
    /// The address or the certificate file is not usable.
    pub fn with(profile: &Profile) -> Result<Self> {
        Ok(Self { graph: graph(profile)? })
    }

    /// `GET` and its JSON. `path` begins with the version, such as `/v1.0/users`.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, None).await
    }

    /// `POST` and its JSON; null when the answer is empty.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, Some(body).filter(|body| !body.is_null())).await
    }

    /// `POST` of a SCIM document.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn post_scim(&self, path: &str, body: &Value) -> Result<Value> {
        self.send_as("POST", path, Some(body), "application/scim+json").await
    }

    /// `PATCH`.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("PATCH", path, Some(body)).await
    }

    /// `PUT`.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("PUT", path, Some(body)).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.send("DELETE", path, None).await.map(drop)
    }

    /// All items of a collection, page after page.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let mut page = self.get(&path).await?;
            if let Some(Value::Array(values)) = page.get_mut("value").map(Value::take) {
                items.extend(values);
            }
            next = page.get("@odata.nextLink").and_then(Value::as_str).map(relative);
        }
        Ok(items)
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        self.send_as(method, path, body, "application/json").await
    }

    async fn send_as(&self, method: &str, path: &str, body: Option<&Value>, media: &str) -> Result<Value> {
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        let body = body.map(|body| {
            headers.push(("Content-Type".to_owned(), media.to_owned()));
            body.to_string().into_bytes()
        });
        let response = self.graph.send(method, path, &headers, body).await.map_err(unreachable)?;
        let document: Value = match response.body.as_ref() {
            b"" => Value::Null,
            bytes => serde_json::from_slice(bytes).unwrap_or_else(|_| {
                Value::String(String::from_utf8_lossy(bytes).chars().take(300).collect())
            }),
        };
        if (200..300).contains(&response.status) {
            for (_, value) in response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("warning"))
            {
                anstream::eprintln!("warning: {}", warning(value));
            }
            return Ok(document);
        }
        let error = document.get("error");
        let text =
            |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str).map(str::to_owned);
        Err(anyhow!(Refusal {
            status: response.status,
            code: text("code").unwrap_or_else(|| "UnknownError".to_owned()),
            message: text("message")
                .unwrap_or_else(|| format!("{method} {path} was answered with {document}")),
            retry_after: response
                .headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))
                .and_then(|(_, value)| value.trim().parse().ok()),
        }))
    }
}

/// How often a request that was refused as too early is sent again.
const TRIES: usize = 5;

/// Asks, and asks again where the service says that it was too early; `ask` must be safe to repeat after such a
/// refusal.
///
/// # Errors
/// The last answer, when there is no success.
pub async fn patiently(mut ask: impl AsyncFnMut() -> Result<Value>) -> Result<Value> {
    let mut tries = 1;
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match error.downcast_ref::<Refusal>() {
            Some(refusal) if matches!(refusal.status, 429 | 503 | 504) && tries < TRIES => {
                let untold = if refusal.status == 429 { 10.0 } else { 3.0 };
                let seconds = refusal.retry_after.unwrap_or(untold).clamp(0.1, 300.0);
                SystemClock.wait(Duration::from_secs_f64(seconds)).await;
                tries += 1;
            }
            _ => return Err(error),
        }
    }
}

/// The Graph client of a profile.
///
/// # Errors
/// The address or the certificate file is not usable.
pub fn graph(profile: &Profile) -> Result<GraphClient> {
    let usual = HttpOptions::default();
    graph_with(profile, HttpOptions { timeout: profile.timeout.unwrap_or(usual.timeout), ..usual })
}

/// The Graph client of a profile, with HTTP options of the caller; the profile's certificates are added.
///
/// # Errors
/// The address, the certificate file or the proxy is not usable.
pub fn graph_with(profile: &Profile, options: HttpOptions) -> Result<GraphClient> {
    let extra_ca = match &profile.ca {
        Some(path) => Some(std::fs::read(path).map_err(|error| {
            Failure::unreachable(
                format!("cannot read the certificate file {}: {error}", path.display()),
                "connect again with `usher connect`",
            )
        })?),
        None => None,
    };
    let credential = match &profile.credential {
        ProfileCredential::ClientSecret { client_id, secret } => {
            Credential::ClientSecret { client_id: client_id.clone(), secret: secret.clone() }
        }
        ProfileCredential::Token(token) => Credential::Token(token.clone()),
        other => Credential::SignIn(sign_in(profile, other)?, Arc::new(SystemClock)),
    };
    let endpoint = Endpoint {
        base_url: profile.address.clone(),
        authority: profile.authority.clone(),
        tenant: profile.tenant.clone(),
    };
    GraphClient::new(endpoint, credential, HttpOptions { extra_ca_pem: extra_ca, ..options })
        .map_err(unreachable)
}

/// The way to sign in of a profile.
fn sign_in(profile: &Profile, credential: &ProfileCredential) -> Result<SignIn> {
    Ok(match credential {
        ProfileCredential::ClientSecret { client_id, secret } => {
            SignIn::Secret { client_id: client_id.clone(), secret: secret.clone() }
        }
        ProfileCredential::Token(token) => SignIn::Token(token.clone()),
        ProfileCredential::Certificate { client_id, file } => {
            let bytes = std::fs::read(file).map_err(|error| {
                Failure::unreachable(
                    format!("cannot read the certificate {}: {error}", file.display()),
                    "connect again with `usher connect --certificate FILE`",
                )
            })?;
            let pem = String::from_utf8(bytes).map_err(|_| {
                Failure::unreachable(
                    format!("{} is no PEM file", file.display()),
                    "a .pfx or .p12 file is converted once: openssl pkcs12 -in FILE -nodes -out app.pem",
                )
            })?;
            SignIn::Certificate { client_id: client_id.clone(), pem: Secret::new(pem) }
        }
        ProfileCredential::ManagedIdentity(client_id) => {
            SignIn::ManagedIdentity { client_id: client_id.clone() }
        }
        ProfileCredential::WorkloadIdentity => SignIn::WorkloadIdentity,
        ProfileCredential::AzureCli => SignIn::AzureCli,
        ProfileCredential::Environment => SignIn::Environment,
        ProfileCredential::Person { client_id, token } => {
            let profile = profile.clone();
            let id = client_id.clone();
            let keep = move |token: &Secret| {
                let credential = ProfileCredential::Person { client_id: id.clone(), token: token.clone() };
                // The old one is good for a while: when this fails, the next command tries again.
                if let Err(error) = (Profile { credential, ..profile.clone() }).save() {
                    tracing::warn!("the sign-in cannot be saved: {error:#}");
                }
            };
            SignIn::Refresh { client_id: client_id.clone(), token: token.clone(), keep: Arc::new(keep) }
        }
    })
}

fn unreachable(error: GraphError) -> anyhow::Error {
    let mut text = error.to_string();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    Failure::unreachable(text, "check that the service is running and that `usher connect` names it")
}

/// The text of a `Warning` header: `299 AGENT "TEXT"`.
fn warning(header: &str) -> String {
    let text = header.split_once('"').map_or(header, |(_, text)| text.trim_end().trim_end_matches('"'));
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// One segment of a path, escaped.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A text inside an OData filter, quotes doubled and escaped for a query string.
pub fn quoted(text: &str) -> String {
    segment(&format!("'{}'", text.replace('\'', "''")))
}

/// The path and query of an absolute link of the service.
pub(crate) fn relative(link: &str) -> String {
    url::Url::parse(link).map_or_else(
        |_| link.to_owned(),
        |url| match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16) -> Result<Value> {
        let (code, message) = ("TooManyRequests".to_owned(), "later".to_owned());
        Err(anyhow!(Refusal { status, code, message, retry_after: Some(0.0) }))
    }

    #[tokio::test]
    async fn what_is_too_early_is_asked_again_and_nothing_else() {
        let mut answers = vec![Ok(Value::from(1)), refusal(429), refusal(503)];
        let answer = patiently(async || answers.pop().expect("it asks thrice")).await;
        assert_eq!(answer.expect("it answers in the end"), 1);
        for (status, most) in [(429, TRIES), (400, 1), (500, 1)] {
            let mut asked = 0;
            let refused = patiently(async || {
                asked += 1;
                refusal(status)
            });
            assert!(refused.await.is_err());
            assert_eq!(asked, most, "{status}");
        }
    }
}
