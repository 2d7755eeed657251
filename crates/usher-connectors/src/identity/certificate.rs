//! Signing in by certificate: the private key signs an assertion that names the certificate by its thumbprint
//! (RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use sha2::{Digest, Sha256};
use usher_core::Secret;
use usher_core::ports::Clock;

use super::refusals::IdentityError;

/// How long an assertion is good, in seconds, and how far back it begins: clocks differ.
const LIFE: i64 = 600;
const SLACK: i64 = 60;

/// A private key and the thumbprint of its certificate.
pub(super) struct Key {
    key: EncodingKey,
    thumbprint: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
}

impl Key {
    /// Reads a PEM text that holds a certificate and its RSA key, in any order.
    pub(super) fn read(pem: &str) -> Result<Self, IdentityError> {
        let wrong = |why: &str| {
            IdentityError::Credential(format!(
                "the client certificate cannot be used: {why}; give one PEM text with BEGIN CERTIFICATE and BEGIN \
                 PRIVATE KEY (from a .pfx file: openssl pkcs12 -in FILE -nodes)"
            ))
        };
        if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
            return Err(wrong("its private key is encrypted"));
        }
        let certificate = block(pem, "CERTIFICATE").ok_or_else(|| wrong("it holds no certificate"))?;
        let body: String = certificate.lines().filter(|line| !line.starts_with('-')).map(str::trim).collect();
        let der = STANDARD.decode(body).map_err(|_| wrong("its certificate is not base64"))?;
        let key = block(pem, "PRIVATE KEY")
            .or_else(|| block(pem, "RSA PRIVATE KEY"))
            .ok_or_else(|| wrong("it holds no private key"))?;
        let key = EncodingKey::from_rsa_pem(key.as_bytes())
            .map_err(|_| wrong("its private key is not an RSA key"))?;
        Ok(Self { key, thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(der)) })
    }

    /// An assertion for the token endpoint.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        endpoint: &str,
        clock: &dyn Clock,
    ) -> Result<Secret, IdentityError> {
        let now = clock.now().as_second();
        let claims = Claims {
            aud: endpoint,
            iss: client_id,
            sub: client_id,
            jti: clock.guid().to_string(),
            nbf: now - SLACK,
            iat: now,
            exp: now + LIFE,
        };
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.thumbprint.clone());
        jsonwebtoken::encode(&header, &claims, &self.key).map(Secret::new).map_err(|error| {
            IdentityError::Credential(format!("the client certificate's key cannot sign: {error}"))
        })
    }
}

/// The first PEM block with a label.
fn block<'a>(pem: &'a str, label: &str) -> Option<&'a str> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let start = pem.find(&begin)?;
    let length = pem[start..].find(&end)? + end.len();
    Some(&pem[start..start + length])
}
