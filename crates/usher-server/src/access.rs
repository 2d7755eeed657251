//! Who calls, and what they may do: tokens of ours and of one outside issuer, permissions, ownership.

use jiff::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::errors::Refusal;
use crate::keys::SigningKey;

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

/// An outside issuer whose tokens are taken as well.
#[derive(Clone, Debug)]
pub struct OutsideIssuer {
    issuer: String,
    audience: String,
    keys: JwkSet,
}

impl OutsideIssuer {
    /// An issuer by its name, the audience that its tokens must name, and its keys as a JWKS document.
    ///
    /// # Errors
    /// The keys are not a JWKS document.
    pub fn new(issuer: &str, audience: &str, keys: &str) -> Result<Self, OutsideIssuerError> {
        let keys = serde_json::from_str(keys).map_err(OutsideIssuerError)?;
        Ok(Self { issuer: issuer.to_owned(), audience: audience.to_owned(), keys })
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
    /// The outside issuer.
    pub outside: Option<&'a OutsideIssuer>,
}

impl Verifier<'_> {
    /// The caller that an `Authorization` header speaks for.
    ///
    /// # Errors
    /// 401 with what is wrong with the token.
    pub fn caller(&self, authorization: Option<&str>, now: Timestamp) -> Result<Caller, Refusal> {
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
            Some(kid) if *kid == self.key.id => {
                self.verify(token, &self.key.decoding, Algorithm::ES256, self.issuer, self.audiences)?
            }
            kid => {
                let unknown =
                    || Refusal::unauthenticated("Access token validation failure. Unknown signing key.");
                let outside = self.outside.ok_or_else(unknown)?;
                let jwk = match kid {
                    Some(kid) => outside.keys.find(kid).ok_or_else(unknown)?,
                    None if outside.keys.keys.len() == 1 => &outside.keys.keys[0],
                    None => return Err(unknown()),
                };
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
                let key = DecodingKey::from_jwk(jwk).map_err(|_| unknown())?;
                self.verify(
                    token,
                    &key,
                    header.alg,
                    &outside.issuer,
                    std::slice::from_ref(&outside.audience),
                )?
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
    let mut permissions: Vec<String> = claims["roles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|role| role.as_str().map(str::to_owned))
        .collect();
    // Delegated and plain OAuth tokens carry a list with blanks.
    for name in ["scp", "scope"] {
        permissions.extend(claims[name].as_str().unwrap_or_default().split_whitespace().map(str::to_owned));
    }
    Some(Caller {
        object_id: text("oid").or_else(|| text("sub")).unwrap_or_else(|| app_id.clone()),
        name: text("app_displayname").or_else(|| text("name")).unwrap_or_else(|| app_id.clone()),
        app_id,
        permissions,
    })
}
