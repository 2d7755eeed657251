//! The ways to sign in of a saved connection, as the connectors take them.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use usher_connectors::graph::{Endpoint, GraphClient, GraphError, HttpOptions, HttpOptionsError, SignIn};
use usher_core::Secret;

use super::refusal;
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::profile::{Profile, ProfileCredential};

/// Who we say we are: a service sees whether a person or one of its jobs asks.
const AGENT: &str = concat!("usher-cli/", env!("CARGO_PKG_VERSION"));

/// Takes the refresh token that stands in the place of the one before.
#[derive(Clone)]
pub struct Keep(Arc<dyn Fn(&Secret) + Send + Sync>);

impl Keep {
    /// In the saved connection, as long as it is this one that is saved.
    pub fn saved(profile: &Profile) -> Self {
        let profile = profile.clone();
        Self(Arc::new(move |token: &Secret| {
            // The old one is good for a while: when this fails, the next command tries again.
            if let Err(error) = profile.renew(token) {
                tracing::warn!("the sign-in cannot be saved: {error:#}");
            }
        }))
    }

    /// In memory, for a connection that is to be saved only when it works.
    pub fn aside() -> (Self, Arc<Mutex<Option<Secret>>>) {
        let place = Arc::new(Mutex::new(None));
        let newest = place.clone();
        let keep = move |token: &Secret| {
            *newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        };
        (Self(Arc::new(keep)), place)
    }
}

/// The Graph client of a profile.
///
/// # Errors
/// The address or the certificate file is not usable.
pub fn graph(profile: &Profile) -> Result<GraphClient> {
    let usual = HttpOptions::default();
    let options = HttpOptions { timeout: profile.timeout.unwrap_or(usual.timeout), ..usual };
    graph_with(profile, options, Keep::saved(profile))
}

/// The Graph client of a profile, with HTTP options of the caller; the profile's certificates are added.
///
/// # Errors
/// The address, the certificate file or the proxy is not usable.
pub fn graph_with(profile: &Profile, options: HttpOptions, keep: Keep) -> Result<GraphClient> {
    let extra_ca = profile.ca.as_deref().map(read_ca).transpose()?;
    let sign_in = sign_in(&profile.credential, keep)?;
    let endpoint = Endpoint {
        base_url: profile.address.clone(),
        authority: profile.authority.clone(),
        tenant: profile.tenant.clone(),
    };
    let options = HttpOptions { extra_ca_pem: extra_ca, user_agent: AGENT.to_owned(), ..options };
    GraphClient::new(endpoint, sign_in, Arc::new(SystemClock), options).map_err(|error| {
        match (&error, &profile.ca) {
            (GraphError::Options(HttpOptionsError::Certificates(_)), Some(file)) => Failure::unreachable(
                format!("{} holds no certificate in PEM", file.display()),
                "connect again with --ca FILE",
            ),
            _ => refusal::failure(&error).into(),
        }
    })
}

/// The certificates in a file.
///
/// # Errors
/// The file cannot be read.
pub fn read_ca(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| unreadable_ca(file, &error))
}

/// The file with certificates cannot be read.
pub fn unreadable_ca(file: &Path, error: &std::io::Error) -> anyhow::Error {
    Failure::unreachable(
        format!("cannot read the certificate file {}: {error}", file.display()),
        "connect again with --ca FILE",
    )
}

/// The way to sign in of a profile.
fn sign_in(credential: &ProfileCredential, keep: Keep) -> Result<SignIn> {
    Ok(match credential {
        ProfileCredential::ClientSecret { client_id, secret } => {
            SignIn::Secret { client_id: client_id.clone(), secret: secret.clone() }
        }
        ProfileCredential::Token(token) => SignIn::Token(token.clone()),
        ProfileCredential::Certificate { client_id, file, sends_chain } => {
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
            let (client_id, pem) = (client_id.clone(), Secret::new(pem));
            if *sends_chain {
                SignIn::CertificateChain { client_id, pem }
            } else {
                SignIn::Certificate { client_id, pem }
            }
        }
        ProfileCredential::ManagedIdentity(client_id) => {
            SignIn::ManagedIdentity { client_id: client_id.clone() }
        }
        ProfileCredential::WorkloadIdentity => SignIn::WorkloadIdentity,
        ProfileCredential::AzureCli => SignIn::AzureCli,
        ProfileCredential::Environment => SignIn::Environment,
        ProfileCredential::Person { client_id, token } => {
            SignIn::Refresh { client_id: client_id.clone(), token: token.clone(), keep: keep.0 }
        }
    })
}
