//! OAuth 2.0 client credentials: a token is asked for once, kept until shortly before it ends, and asked for anew
//! when the other side refuses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;
use usher_core::Secret;

use crate::http::{Http, Lost, Reply, exchange};

/// A token is not used any more when it ends within this time.
const MARGIN: Duration = Duration::from_secs(300);
/// How long a token is used whose life is not told (RFC 6749 5.1 leaves it open).
const UNTOLD: Duration = Duration::from_secs(300);

/// Where tokens come from and who asks for them.
pub(crate) struct ClientCredentials {
    pub(crate) url: Url,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) scope: Option<String>,
}

/// A source of tokens, shared by everybody who uses the same credentials.
pub(crate) struct Tokens {
    http: Arc<Http>,
    credentials: ClientCredentials,
    kept: Kept,
    in_header: AtomicBool,
}

/// A token that is kept until shortly before it ends.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Option<(Secret, Instant)>>);

impl Kept {
    /// The token that is kept, or one that is asked for. Those who come together ask once.
    pub(crate) async fn token<E>(&self, ask: impl AsyncFnOnce() -> Result<Granted, E>) -> Result<Secret, E> {
        let mut kept = self.0.lock().await;
        if let Some((token, until)) = &*kept
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let granted = ask().await?;
        let used = granted.used();
        let token = Secret::new(granted.access_token);
        *kept = Instant::now().checked_add(used).map(|until| (token.clone(), until));
        Ok(token)
    }

    /// Forgets the token when it is still the one that was refused.
    pub(crate) async fn refused(&self, token: &Secret) {
        let mut kept = self.0.lock().await;
        if kept.as_ref().is_some_and(|(known, _)| known.expose() == token.expose()) {
            *kept = None;
        }
    }
}

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum TokenError {
    /// No answer.
    Lost(Lost),
    /// The authority says no.
    Refused { status: u16, code: String, description: String },
    /// The authority asks us to wait, or has failed.
    Unavailable { status: u16, retry_after: Option<Duration> },
    /// The answer holds no token.
    Unreadable,
}

/// What an authority gave.
#[derive(Deserialize)]
pub(crate) struct Granted {
    pub(crate) access_token: String,
    #[serde(default, deserialize_with = "seconds")]
    pub(crate) expires_in: Option<u64>,
    #[serde(default)]
    pub(crate) refresh_token: Option<String>,
}

impl Granted {
    /// For how long the token is used.
    pub(crate) fn used(&self) -> Duration {
        let life = self.expires_in.map_or(UNTOLD, Duration::from_secs);
        life.saturating_sub(MARGIN.min(life / 4))
    }
}

#[derive(Default, Deserialize)]
struct Denied {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Some authorities send the life of the token as text.
fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_u64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok())))
}

impl Tokens {
    pub(crate) fn new(http: Arc<Http>, credentials: ClientCredentials) -> Self {
        Self { http, credentials, kept: Kept::default(), in_header: AtomicBool::new(false) }
    }

    /// The authority's address.
    pub(crate) fn address(&self) -> &Url {
        &self.credentials.url
    }

    /// What must not be shown when others repeat it.
    pub(crate) fn secret(&self) -> &Secret {
        &self.credentials.client_secret
    }

    /// A token that is good for a while.
    pub(crate) async fn token(&self) -> Result<Secret, TokenError> {
        let ask = async || {
            let in_header = self.in_header.load(Ordering::Relaxed);
            match self.ask(in_header).await {
                // RFC 6749 2.3.1 lets a server know only one of the two ways to say who we are.
                Err(TokenError::Refused { code, .. }) if code == "invalid_client" => {
                    let granted = self.ask(!in_header).await?;
                    self.in_header.store(!in_header, Ordering::Relaxed);
                    Ok(granted)
                }
                other => other,
            }
        };
        self.kept.token(ask).await
    }

    /// Forgets the token when it is still the one that was refused.
    pub(crate) async fn refused(&self, token: &Secret) {
        self.kept.refused(token).await;
    }

    async fn ask(&self, in_header: bool) -> Result<Granted, TokenError> {
        let ClientCredentials { url, client_id, client_secret, scope } = &self.credentials;
        let client =
            self.http.client(url).map_err(|error| TokenError::Lost(Lost::NotMade(Box::new(error))))?;
        let mut form = vec![("grant_type", "client_credentials")];
        let mut request = client.post(url.clone()).header(ACCEPT, "application/json");
        if in_header {
            request = request.basic_auth(encoded(client_id), Some(encoded(client_secret.expose())));
        } else {
            form.push(("client_id", client_id));
            form.push(("client_secret", client_secret.expose()));
        }
        if let Some(scope) = scope {
            form.push(("scope", scope));
        }
        read(&exchange(request.form(&form)).await.map_err(TokenError::Lost)?)
    }
}

/// RFC 6749 2.3.1: both halves are form-encoded before they are joined.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The token in an answer, or why there is none.
pub(crate) fn read(reply: &Reply) -> Result<Granted, TokenError> {
    let status = reply.status.as_u16();
    if reply.status.is_success() {
        let granted: Granted = serde_json::from_slice(&reply.body).map_err(|_| TokenError::Unreadable)?;
        return if granted.access_token.is_empty() { Err(TokenError::Unreadable) } else { Ok(granted) };
    }
    if status == 429 || reply.status.is_server_error() {
        return Err(TokenError::Unavailable { status, retry_after: reply.retry_after() });
    }
    let denied: Denied = serde_json::from_slice(&reply.body).unwrap_or_default();
    Err(TokenError::Refused { status, code: denied.error, description: denied.error_description })
}

/// `Authorization: Bearer`, marked so that nobody prints it. `None` when the token cannot stand in a header.
pub(crate) fn bearer(token: &Secret) -> Option<(http::HeaderName, HeaderValue)> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose().trim())).ok()?;
    value.set_sensitive(true);
    Some((AUTHORIZATION, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_five_minutes_before_it_ends_and_a_short_one_before_its_last_quarter() {
        let used = |life: u64| {
            let granted =
                Granted { access_token: String::new(), expires_in: Some(life), refresh_token: None };
            granted.used().as_secs()
        };
        assert_eq!((used(3_600), used(400), used(0)), (3_300, 300, 0));
    }
}
