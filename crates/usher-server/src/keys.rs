//! The key that signs our tokens: made on the first start, kept in the store.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rcgen::{KeyPair, PublicKeyData};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use usher_core::Secret;
use usher_core::ports::{Store, StoreError};

/// The name under which the key is stored.
const NAME: &str = "token-signing-key";

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key cannot be made or read.
    #[error("the key that signs tokens cannot be {what}")]
    Key {
        /// `made` or `read`.
        what: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The key pair: P-256, for ES256.
pub struct SigningKey {
    encoding: EncodingKey,
    /// Verifies what `encoding` signed.
    pub decoding: DecodingKey,
    /// Names the key in token headers.
    pub id: String,
    x: String,
    y: String,
}

impl SigningKey {
    /// The stored key, or a new one that is stored first.
    ///
    /// # Errors
    /// The store failed, or the key is not usable.
    pub async fn load(store: &dyn Store) -> Result<Self, KeyError> {
        let failed = |what, source: rcgen::Error| KeyError::Key { what, source: Box::new(source) };
        let pair = match store.setting(NAME).await? {
            Some(pem) => KeyPair::from_pem(pem.expose()).map_err(|error| failed("read", error))?,
            None => {
                let pair = KeyPair::generate().map_err(|error| failed("made", error))?;
                store.put_setting(NAME, &Secret::new(pair.serialize_pem())).await?;
                pair
            }
        };
        let point = pair.der_bytes();
        // An uncompressed point: 4, then x and y of 32 bytes each.
        let (x, y) = match point {
            [4, rest @ ..] if rest.len() == 64 => {
                (URL_SAFE_NO_PAD.encode(&rest[..32]), URL_SAFE_NO_PAD.encode(&rest[32..]))
            }
            _ => return Err(KeyError::Key { what: "read", source: "it is not a P-256 key".into() }),
        };
        let wrong =
            |source: jsonwebtoken::errors::Error| KeyError::Key { what: "read", source: Box::new(source) };
        Ok(Self {
            encoding: EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).map_err(wrong)?,
            decoding: DecodingKey::from_ec_components(&x, &y).map_err(wrong)?,
            id: URL_SAFE_NO_PAD.encode(&Sha256::digest(point)[..16]),
            x,
            y,
        })
    }

    /// Signs claims.
    ///
    /// # Errors
    /// The claims cannot be written.
    pub fn sign(&self, claims: &Value) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.encoding)
    }

    /// The public half, as a JWKS document.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id, "x": self.x, "y": self.y,
        }] })
    }
}

/// The digest of a client secret. Secrets are 256 random bits of our own making, so a fast digest gives nothing away.
pub fn digest(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

/// Compares in the same time wherever the difference is.
pub fn is_same(left: &str, right: &str) -> bool {
    left.len() == right.len() && left.bytes().zip(right.bytes()).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}
