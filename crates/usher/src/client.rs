//! Talking to the service: Graph requests with JSON in and out, and its errors in our words.

mod refusal;
mod sign_in;

use anyhow::Result;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use std::time::Duration;

use usher_connectors::graph::{GraphClient, GraphError, HttpOptions, IdentityError};
use usher_core::ports::Clock as _;

use crate::clock::SystemClock;
use crate::profile::Profile;

pub use refusal::Refusal;
pub use sign_in::{Keep, graph, graph_with, read_ca, unreadable_ca};

/// What stays as it is in a path segment (RFC 3986 unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// How often a request is sent that the service puts off: once, and three times again.
const TRIES: u32 = 4;
/// The first pause; each further one is twice as long, unless the service names one.
const FIRST_PAUSE: Duration = Duration::from_secs(3);
/// The longest time to spend on pauses.
const PAUSE_LIMIT: Duration = Duration::from_secs(300);
/// A pause that is worth telling whoever waits.
const LONG_PAUSE: Duration = Duration::from_secs(2);

/// A connection to the service.
pub struct Client {
    graph: GraphClient,
}

/// A request before it is sent.
struct Call<'c> {
    method: &'c str,
    path: &'c str,
    body: Option<&'c Value>,
    media: &'c str,
    /// When it may be sent again.
    again: Again,
}

/// When a request that the service puts off may be sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Always: it may be carried out twice.
    Always,
    /// When the service says that it began nothing.
    NotBegun,
    /// When the service refused it for now; of all else the caller finds out what has come of it.
    Refused,
}

/// Why there is no good answer, and whether the request may be sent again.
struct Missed {
    error: anyhow::Error,
    put_off: Option<PutOff>,
}

/// The request may be sent again, after the time that was named.
struct PutOff {
    status: u16,
    until: Option<Duration>,
}

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
        Ok(Self { graph: graph_with(&profile, options, Keep::saved(&profile))? })
    }

    /// A connection as the profile says.
    ///
    /// # Errors
    /// The address or the certificate file is not usable.
    pub fn with(profile: &Profile) -> Result<Self> {
        Ok(Self { graph: graph(profile)? })
    }

    /// The same for a connection that is not saved yet: `keep` takes what a sign-in gives for later.
    ///
    /// # Errors
    /// The address or the certificate file is not usable.
    pub fn trying(profile: &Profile, keep: Keep) -> Result<Self> {
        let usual = HttpOptions::default();
        let options = HttpOptions { timeout: profile.timeout.unwrap_or(usual.timeout), ..usual };
        Ok(Self { graph: graph_with(profile, options, keep)? })
    }

    /// `GET` and its JSON. `path` begins with the version, such as `/v1.0/users`.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.sent("GET", path, None).await
    }

    /// `POST` and its JSON; null when the answer is empty.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.sent("POST", path, Some(body).filter(|body| !body.is_null())).await
    }

    /// `POST` of what may be carried out twice with the effect of once: it is sent again whenever the service puts it
    /// off.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn act(&self, path: &str, body: &Value) -> Result<Value> {
        let body = Some(body).filter(|body| !body.is_null());
        self.send(&Call { method: "POST", path, body, media: "application/json", again: Again::Always }).await
    }

    /// `POST` of what the caller looks for before it is sent again: only what was refused for now is.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn post_once(&self, path: &str, body: &Value) -> Result<Value> {
        let body = Some(body);
        self.send(&Call { method: "POST", path, body, media: "application/json", again: Again::Refused })
            .await
    }

    /// `POST` of a SCIM document.
    ///
    /// # Errors
    /// The service cannot be reached, or refuses.
    pub async fn post_scim(&self, path: &str, body: &Value) -> Result<Value> {
        let media = "application/scim+json";
        self.send(&Call { method: "POST", path, body: Some(body), media, again: Again::NotBegun }).await
    }

    /// `PATCH`.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        self.sent("PATCH", path, Some(body)).await
    }

    /// `PUT`.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.sent("PUT", path, Some(body)).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.sent("DELETE", path, None).await.map(drop)
    }

    /// All items of a collection, page after page.
    ///
    /// # Errors
    /// No connection, or a `Refusal`.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let (values, following) = self.list_page(&path).await?;
            items.extend(values);
            next = following;
        }
        Ok(items)
    }

    /// The items of one page, and the path of the next one.
    ///
    /// # Errors
    /// No connection, a `Refusal`, or an answer that is no list.
    pub async fn list_page(&self, path: &str) -> Result<(Vec<Value>, Option<String>)> {
        let mut page = self.get(path).await?;
        match page.get_mut("value").map(Value::take) {
            Some(Value::Array(values)) => {
                Ok((values, page.get("@odata.nextLink").and_then(Value::as_str).map(relative)))
            }
            _ => Err(refusal::no_list(path, &page)),
        }
    }

    async fn sent(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let again = if method == "POST" { Again::NotBegun } else { Again::Always };
        self.send(&Call { method, path, body, media: "application/json", again }).await
    }

    /// Sends a request, and sends it again as published when the service or the authority puts it off.
    async fn send(&self, call: &Call<'_>) -> Result<Value> {
        let mut waited = Duration::ZERO;
        let mut tries = 1;
        loop {
            let (error, put_off) = match self.once(call).await {
                Ok(answer) => return Ok(answer),
                Err(Missed { error, put_off }) => (error, put_off),
            };
            let Some(PutOff { status, until }) = put_off else { return Err(error) };
            let pause = until.unwrap_or(FIRST_PAUSE * 2_u32.pow(tries - 1));
            waited = waited.saturating_add(pause);
            if tries == TRIES || waited > PAUSE_LIMIT {
                return Err(error);
            }
            if pause >= LONG_PAUSE {
                let seconds = pause.as_secs();
                anstream::eprintln!("the service answers {status}; trying again in {seconds} seconds");
            }
            SystemClock.wait(pause).await;
            tries += 1;
        }
    }

    async fn once(&self, call: &Call<'_>) -> Result<Value, Missed> {
        let id = SystemClock.guid().hyphenated().to_string();
        let mut headers = vec![
            ("Accept".to_owned(), "application/json".to_owned()),
            ("client-request-id".to_owned(), id.clone()),
        ];
        // Advanced queries name the index that they run on.
        if call.path.contains("$count=true") {
            headers.push(("ConsistencyLevel".to_owned(), "eventual".to_owned()));
        }
        let body = call.body.map(|body| {
            headers.push(("Content-Type".to_owned(), call.media.to_owned()));
            body.to_string().into_bytes()
        });
        let response = match self.graph.send(call.method, call.path, &headers, body).await {
            Ok(response) => response,
            Err(error) => {
                // Without a token nothing was sent.
                let put_off = match &error {
                    GraphError::Identity(IdentityError::Unavailable { status, retry_after, .. }) => {
                        Some(PutOff { status: *status, until: *retry_after })
                    }
                    _ => None,
                };
                return Err(Missed { error: refusal::no_answer(error, &id), put_off });
            }
        };
        if !(200..300).contains(&response.status) {
            let refusal = refusal::of(call.method, call.path, &response, &id);
            let put_off = is_put_off(&refusal, call.again)
                .then_some(PutOff { status: refusal.status, until: refusal.retry_after });
            return Err(Missed { error: refusal.into(), put_off });
        }
        for (_, value) in response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("warning")) {
            anstream::eprintln!("warning: {}", warning(value));
        }
        match response.body.as_ref() {
            b"" if call.method != "GET" => Ok(Value::Null),
            bytes => serde_json::from_slice(bytes).map_err(|_| Missed {
                error: refusal::no_json(self.graph.host(), call.method, call.path, &response),
                put_off: None,
            }),
        }
    }
}

/// Whether a refused request may be sent again. What the service refused before it began is as if never sent; of the
/// rest nobody knows what has come of it.
fn is_put_off(refusal: &Refusal, again: Again) -> bool {
    match refusal.status {
        429 => true,
        503 => again == Again::Always || (again == Again::NotBegun && refusal.retry_after.is_some()),
        504 => again == Again::Always,
        _ => false,
    }
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
mod tests;
