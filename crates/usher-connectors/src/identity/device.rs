//! Signing in by device code (RFC 8628): a person enters a code in a browser anywhere, while we wait here.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use usher_core::Secret;
use usher_core::ports::Clock;

use super::refusals::{self, IdentityError};
use super::{Authority, LONGEST_POLL, document, post};
use crate::graph::Endpoint;
use crate::http::{Http, HttpOptions, safe_address};
use crate::token::{self, TokenError};

/// How often to poll when nobody says (RFC 8628 3.2), and by how much to slow down when asked (3.5).
const INTERVAL: u64 = 5;
/// How long a code is good when nobody says.
const LIFE: u64 = 900;

/// What the person has to do.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// Where to enter the code.
    pub address: String,
    /// The code.
    pub code: String,
    /// The authority's own sentence.
    pub message: String,
}

/// A device code that waits for somebody to sign in.
pub struct DeviceCode {
    http: Http,
    clock: Arc<dyn Clock>,
    authority: Authority,
    client_id: String,
    device_code: Secret,
    interval: u64,
    life: u64,
    /// What the person has to do.
    pub prompt: Prompt,
}

impl DeviceCode {
    /// Asks the authority for a code. `scopes` are delegated permissions, such as `Synchronization.ReadWrite.All`.
    ///
    /// # Errors
    /// The authority cannot be reached or gives none.
    pub async fn begin(
        endpoint: &Endpoint,
        client_id: &str,
        scopes: &[String],
        clock: Arc<dyn Clock>,
        options: HttpOptions,
    ) -> Result<Self, IdentityError> {
        let wrong = |error: &dyn std::fmt::Display| IdentityError::Credential(error.to_string());
        let http = Http::new(options).map_err(|error| wrong(&error))?;
        let address = safe_address(&endpoint.authority).map_err(|error| wrong(&error))?;
        let authority = Authority { address, tenant: endpoint.tenant.clone() };
        let resource = endpoint.base_url.trim_end_matches('/');
        let mut wanted: Vec<String> = scopes.iter().map(|scope| format!("{resource}/{scope}")).collect();
        if wanted.is_empty() {
            wanted.push(format!("{resource}/.default"));
        }
        wanted.push("offline_access".to_owned());
        let url = authority.endpoint("devicecode");
        let scope = wanted.join(" ");
        let reply = post(&http, &url, &[("client_id", client_id), ("scope", &scope)]).await?;
        if !reply.status.is_success() {
            let error = token::read(&reply).err().unwrap_or(TokenError::Unreadable);
            return Err(refusals::of_answer(&url, error, &[]));
        }
        let answer = document(&url, &reply)?;
        let text = |name: &str| answer.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let number = |name: &str, other| answer.get(name).and_then(Json::as_u64).unwrap_or(other);
        let address = answer.get("verification_uri").or_else(|| answer.get("verification_url"));
        let prompt = Prompt {
            address: address.and_then(Json::as_str).unwrap_or_default().to_owned(),
            code: text("user_code"),
            message: text("message"),
        };
        Ok(Self {
            device_code: Secret::new(text("device_code")),
            interval: number("interval", INTERVAL).max(1),
            life: number("expires_in", LIFE),
            client_id: client_id.to_owned(),
            http,
            clock,
            authority,
            prompt,
        })
    }

    /// Waits until somebody has signed in; gives the refresh token, with which tokens are had from now on.
    ///
    /// # Errors
    /// Nobody signed in in time, or the sign-in was declined.
    pub async fn finish(self) -> Result<Secret, IdentityError> {
        let url = self.authority.endpoint("token");
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", self.client_id.as_str()),
            ("device_code", self.device_code.expose()),
        ];
        let (mut interval, mut waited) = (self.interval, 0);
        while waited < self.life {
            self.clock.wait(Duration::from_secs(interval).min(LONGEST_POLL)).await;
            waited += interval;
            let reply = post(&self.http, &url, &form).await?;
            match token::read(&reply) {
                Ok(granted) => {
                    return granted.refresh_token.map(Secret::new).ok_or_else(|| {
                        IdentityError::Credential(
                            "the authority gave no refresh token; allow offline_access for the application"
                                .to_owned(),
                        )
                    });
                }
                Err(TokenError::Refused { code, .. }) if code == "authorization_pending" => {}
                Err(TokenError::Refused { code, .. }) if code == "slow_down" => interval += INTERVAL,
                Err(TokenError::Unavailable { .. }) => {}
                Err(error) => {
                    return Err(refusals::of_answer(&url, error, &[self.device_code.expose()]));
                }
            }
        }
        Err(IdentityError::Refused {
            host: refusals::host(&url),
            code: "expired_token".to_owned(),
            description: String::new(),
        })
    }
}
