//! Who calls, and what they may do: tokens of ours and of one outside issuer, permissions, ownership.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::errors::Refusal;
use crate::keys::SigningKey;
use crate::verified::Verified;

/// The audience that Graph tokens name besides the service's address.
pub const GRAPH_AUDIENCE: &str = "00000003-0000-0000-c000-000000000000";

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The application (client) id.
    pub app_id: String,
    /// The object id of the caller's service principal, or of the user.
    pub object_id: String,
    /// The name, for the log.
    pub name: String,
    /// The permissions that the token carries.
    pub permissions: Vec<String>,
    /// The directory roles of the user on whose behalf is called; none when the token tells of none.
    pub directory_roles: Option<Vec<String>>,
}

impl Caller {
    /// Whether the caller holds one of these permissions.
    pub fn holds(&self, any: &[&str]) -> bool {
        any.iter().any(|wanted| self.permissions.iter().any(|held| held == wanted))
    }
}

/// Why an outside issuer cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the keys are not a JWKS document")]
pub struct OutsideIssuerError(#[source] serde_json::Error);

/// Where an outside issuer publishes its keys.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// The keys as a JWKS document.
    ///
    /// # Errors
    /// They cannot be had now; the text says why.
    async fn keys(&self) -> Result<String, String>;
}

/// Keys are asked for again when they are older, so that one which was taken back does not live on.
const KEYS_KEPT: i64 = 600;
/// A token with an unknown key asks for them sooner, but not more often than this.
const KEYS_LEFT_ALONE: i64 = 60;

/// An outside issuer whose tokens are taken as well.
#[derive(Clone)]
pub struct OutsideIssuer {
    issuer: String,
    audience: String,
    source: Option<Arc<dyn KeySource>>,
    keys: Arc<Mutex<Keys>>,
    asking: Arc<tokio::sync::Mutex<()>>,
}

struct Keys {
    set: JwkSet,
    asked_at: Option<i64>,
}

impl std::fmt::Debug for OutsideIssuer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OutsideIssuer")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish()
    }
}

impl OutsideIssuer {
    /// An issuer by its name, the audience that its tokens must name, and its keys as a JWKS document.
    ///
    /// # Errors
    /// The keys are not a JWKS document.
    pub fn new(issuer: &str, audience: &str, keys: &str) -> Result<Self, OutsideIssuerError> {
        let keys = serde_json::from_str(keys).map_err(OutsideIssuerError)?;
        Ok(Self::with(issuer, audience, None, keys))
    }

    /// An issuer whose keys are asked for when they are needed, and again when they change.
    pub fn discovered(issuer: &str, audience: &str, source: Arc<dyn KeySource>) -> Self {
        Self::with(issuer, audience, Some(source), JwkSet { keys: Vec::new() })
    }

    fn with(issuer: &str, audience: &str, source: Option<Arc<dyn KeySource>>, set: JwkSet) -> Self {
        let keys = Arc::new(Mutex::new(Keys { set, asked_at: None }));
        let asking = Arc::default();
        Self { issuer: issuer.to_owned(), audience: audience.to_owned(), source, keys, asking }
    }

    /// The key that a token names; the only one when it names none.
    async fn key(&self, kid: Option<&str>, now: Timestamp) -> Option<Jwk> {
        let (known, is_fresh) = self.known(kid, now);
        let Some(source) = self.source.as_ref().filter(|_| !is_fresh) else { return known };
        // One caller asks. Whoever has a key meanwhile goes on with it, and the others wait for the answer.
        let _asking = match self.asking.try_lock() {
            Ok(asking) => asking,
            Err(_) if known.is_some() => return known,
            Err(_) => self.asking.lock().await,
        };
        let (known, is_fresh) = self.known(kid, now);
        if is_fresh {
            return known;
        }
        let answer = source.keys().await.map(|text| serde_json::from_str::<JwkSet>(&text));
        {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            keys.asked_at = Some(now.as_second());
            match answer {
                Ok(Ok(set)) => keys.set = set,
                Ok(Err(error)) => {
                    tracing::warn!(issuer = self.issuer, %error, "the issuer's keys are no JWKS document")
                }
                Err(error) => tracing::warn!(issuer = self.issuer, error, "the issuer's keys cannot be had"),
            }
        }
        self.known(kid, now).0
    }

    /// The key as far as it is known, and whether that may be relied on for now.
    fn known(&self, kid: Option<&str>, now: Timestamp) -> (Option<Jwk>, bool) {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match kid {
            Some(kid) => keys.set.find(kid).cloned(),
            None if keys.set.keys.len() == 1 => keys.set.keys.first().cloned(),
            None => None,
        };
        let age = keys.asked_at.map_or(i64::MAX, |at| now.as_second() - at);
        let is_fresh = age < KEYS_LEFT_ALONE || (known.is_some() && age < KEYS_KEPT);
        (known, is_fresh)
    }
}

/// What tokens are verified against.
pub struct Verifier<'a> {
    /// Our own key.
    pub key: &'a SigningKey,
    /// The issuer of our own tokens.
    pub issuer: &'a str,
    /// The audiences of our own tokens.
    pub audiences: &'a [String],
    /// Our own tokens that were verified.
    pub verified: &'a Verified,
    /// The outside issuer.
    pub outside: Option<&'a OutsideIssuer>,
}

impl Verifier<'_> {
    /// The caller that an `Authorization` header speaks for.
    ///
    /// # Errors
    /// 401 with what is wrong with the token.
    pub async fn caller(&self, authorization: Option<&str>, now: Timestamp) -> Result<Caller, Refusal> {
        let token = authorization
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .unwrap_or_default();
        if token.is_empty() {
            return Err(Refusal::unauthenticated("Access token is empty."));
        }
        let malformed = || Refusal::unauthenticated("IDX14100: JWT is not well formed, it cannot be read.");
        let header = decode_header(token).map_err(|_| malformed())?;
        let claims = match &header.kid {
            Some(kid) if *kid == self.key.id => self.verified.claims(token, || {
                self.verify(token, &self.key.decoding, Algorithm::ES256, self.issuer, self.audiences)
            })?,
            kid => {
                let unknown =
                    || Refusal::unauthenticated("Access token validation failure. Unknown signing key.");
                let outside = self.outside.ok_or_else(unknown)?;
                let jwk = outside.key(kid.as_deref(), now).await.ok_or_else(unknown)?;
                // The key says which algorithms it is for; a token may not choose another kind.
                let fits = match &jwk.algorithm {
                    AlgorithmParameters::RSA(_) => {
                        matches!(
                            header.alg,
                            Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 | Algorithm::PS256
                        )
                    }
                    AlgorithmParameters::EllipticCurve(_) => {
                        matches!(header.alg, Algorithm::ES256 | Algorithm::ES384)
                    }
                    _ => false,
                };
                if !fits {
                    return Err(unknown());
                }
                let key = DecodingKey::from_jwk(&jwk).map_err(|_| unknown())?;
                let audience = std::slice::from_ref(&outside.audience);
                Arc::new(self.verify(token, &key, header.alg, &outside.issuer, audience)?)
            }
        };
        in_time(&claims, now)?;
        caller(&claims).ok_or_else(malformed)
    }

    fn verify(
        &self,
        token: &str,
        key: &DecodingKey,
        algorithm: Algorithm,
        issuer: &str,
        audiences: &[String],
    ) -> Result<Value, Refusal> {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[issuer]);
        validation.set_audience(audiences);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        // Times are compared with the clock that we are given.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        decode::<Value>(token, key, &validation).map(|data| data.claims).map_err(|error| {
            use jsonwebtoken::errors::ErrorKind;
            Refusal::unauthenticated(match error.kind() {
                ErrorKind::InvalidAudience => "Access token validation failure. Invalid audience.",
                ErrorKind::InvalidIssuer => "Access token validation failure. Invalid issuer.",
                ErrorKind::InvalidSignature => "Access token validation failure. Invalid signature.",
                _ => "Access token validation failure.",
            })
        })
    }
}

fn in_time(claims: &Value, now: Timestamp) -> Result<(), Refusal> {
    let second = now.as_second();
    let expires = claims["exp"].as_i64().unwrap_or(0);
    let begins = claims["nbf"].as_i64().unwrap_or(0);
    // Clocks differ a little between machines.
    if expires <= second || begins > second + 300 {
        return Err(Refusal::unauthenticated("Access token has expired or is not yet valid."));
    }
    Ok(())
}

fn caller(claims: &Value) -> Option<Caller> {
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    let app_id =
        text("appid").or_else(|| text("azp")).or_else(|| text("client_id")).or_else(|| text("sub"))?;
    let texts = |list: &Vec<Value>| -> Vec<String> {
        list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let mut permissions = claims["roles"].as_array().map(texts).unwrap_or_default();
    // Entra tells the roles of the user in the tokens of delegated callers (access token claims reference, `wids`).
    let directory_roles = claims["wids"].as_array().filter(|_| claims["scp"].is_string()).map(texts);
    // Delegated and plain OAuth tokens carry a list with blanks. Permissions for owners are for applications alone
    // (Graph permissions reference): on behalf of a user they mean nothing.
    for name in ["scp", "scope"] {
        let listed = claims[name].as_str().unwrap_or_default().split_whitespace();
        permissions.extend(listed.filter(|one| !one.ends_with(".OwnedBy")).map(str::to_owned));
    }
    Some(Caller {
        object_id: text("oid").or_else(|| text("sub")).unwrap_or_else(|| app_id.clone()),
        name: text("app_displayname").or_else(|| text("name")).unwrap_or_else(|| app_id.clone()),
        app_id,
        permissions,
        directory_roles,
    })
}
