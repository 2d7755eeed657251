//! Signing in by certificate: the private key signs an assertion that names the certificate by its thumbprint
//! (RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
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
    /// The certificates in base64, the key's own first; as the assertion holds them.
    certificates: Vec<String>,
    shows_chain: bool,
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
        // Two ways to encrypt a key: PKCS #8, and the traditional one of OpenSSL with its own headers.
        if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(wrong(
                "its private key is encrypted (openssl pkey -in FILE writes it without a password)",
            ));
        }
        let mut ders = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            ders.push(certificate.map_err(|_| wrong("its certificate cannot be read"))?);
        }
        if ders.is_empty() {
            return Err(wrong("it holds no certificate"));
        }
        let text = block(pem, "PRIVATE KEY")
            .or_else(|| block(pem, "RSA PRIVATE KEY"))
            .ok_or_else(|| wrong("it holds no private key"))?;
        let key = EncodingKey::from_rsa_pem(text.as_bytes())
            .map_err(|_| wrong("its private key is not an RSA key"))?;
        let own = PrivateKeyDer::from_pem_slice(text.as_bytes())
            .ok()
            .and_then(|der| rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).ok())
            .ok_or_else(|| wrong("its private key cannot be read"))?;
        // A file may hold a chain in any order: the application's certificate is the one of the key.
        let place = ders
            .iter()
            .position(|der| CertifiedKey::new(vec![der.clone()], own.clone()).keys_match().is_ok());
        let place = place.ok_or_else(|| wrong("its private key belongs to another certificate"))?;
        ders.swap(0, place);
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&ders[0])),
            certificates: ders.iter().map(|der| STANDARD.encode(der)).collect(),
            shows_chain: false,
        })
    }

    /// The same key, whose assertions hold the certificates.
    pub(super) fn showing_chain(self) -> Self {
        Self { shows_chain: true, ..self }
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
        header.x5c = self.shows_chain.then(|| self.certificates.clone());
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
