//! Who we are towards Microsoft's authority: all the ways to get a token for Microsoft Graph. A token is kept until
//! shortly before it ends.

mod certificate;
mod device;
mod managed;
mod refusals;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::ACCEPT;
use serde_json::Value as Json;
use url::Url;
use usher_core::Secret;
use usher_core::ports::Clock;

pub use device::{DeviceCode, Prompt};
pub use refusals::IdentityError;
pub(crate) use refusals::hidden;

use crate::graph::CLOUDS;
use crate::http::{Http, Reply, exchange, safe_address};
use crate::token::{self, Granted, Kept};

/// The names of the ways, as the setting `SignIn` takes them.
pub(crate) const WAYS: &[&str] = &[
    "ClientSecret",
    "ClientCertificate",
    "WorkloadIdentity",
    "ManagedIdentity",
    "AzureCli",
    "Environment",
    "AccessToken",
];

/// RFC 7523: an assertion in place of a secret.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The authority and the tenant that tokens come from.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    pub(crate) address: Url,
    pub(crate) tenant: String,
}

impl Authority {
    /// The address of an OAuth 2.0 endpoint, such as `token`.
    fn endpoint(&self, name: &str) -> Url {
        let mut url = self.address.clone();
        url.path_segments_mut().expect("an http address has path segments").pop_if_empty().extend([
            self.tenant.as_str(),
            "oauth2",
            "v2.0",
            name,
        ]);
        url
    }
}

/// A way to sign in.
#[derive(Clone)]
pub enum SignIn {
    /// The secret of an application.
    Secret {
        /// The application (client) id.
        client_id: String,
        /// The secret.
        secret: Secret,
    },
    /// A certificate of an application.
    Certificate {
        /// The application (client) id.
        client_id: String,
        /// Certificate and private key in PEM.
        pem: Secret,
    },
    /// The same, with the certificate shown each time: for applications that know its subject and issuer only.
    CertificateChain {
        /// The application (client) id.
        client_id: String,
        /// Certificates and private key in PEM, the application's certificate first.
        pem: Secret,
    },
    /// The token of another issuer in a file that `AZURE_FEDERATED_TOKEN_FILE` names.
    WorkloadIdentity,
    /// The identity of the machine in Azure, or in Azure Arc.
    ManagedIdentity {
        /// Which one, where the machine has several.
        client_id: Option<String>,
    },
    /// Whoever is signed in to the Azure CLI.
    AzureCli,
    /// What the environment variables `AZURE_CLIENT_SECRET` and so on say.
    Environment,
    /// A person who signed in before.
    Refresh {
        /// The application (client) id.
        client_id: String,
        /// The refresh token.
        token: Secret,
        /// Takes the refresh token that stands in its place from now on.
        keep: Arc<dyn Fn(&Secret) + Send + Sync>,
    },
    /// A token that somebody else got.
    Token(Secret),
}

impl SignIn {
    /// The name of the way.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Secret { .. } => "ClientSecret",
            Self::Certificate { .. } | Self::CertificateChain { .. } => "ClientCertificate",
            Self::WorkloadIdentity => "WorkloadIdentity",
            Self::ManagedIdentity { .. } => "ManagedIdentity",
            Self::AzureCli => "AzureCli",
            Self::Environment => "Environment",
            Self::Refresh { .. } => "DeviceCode",
            Self::Token(_) => "AccessToken",
        }
    }
}

/// Looks up an environment variable.
type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// How a token is asked for, with everything at hand.
enum Way {
    Fixed(Secret),
    Secret { client_id: String, secret: Secret },
    Certificate { client_id: String, key: Box<certificate::Key> },
    Federated { client_id: String, file: PathBuf },
    Managed(managed::Host),
    AzureCli,
    Refresh { client_id: String, token: Mutex<Secret>, keep: Arc<dyn Fn(&Secret) + Send + Sync> },
}

/// An identity and the token that it got last.
pub(crate) struct Identity {
    http: Arc<Http>,
    clock: Arc<dyn Clock>,
    authority: Authority,
    scope: String,
    way: Way,
    kept: Kept,
    /// What the side demands that the last token lacked.
    claims: Mutex<Option<String>>,
}

impl Identity {
    /// Checks what is given; asks nobody yet. `resource` is the address that tokens are for.
    pub(crate) fn new(
        http: Arc<Http>,
        clock: Arc<dyn Clock>,
        authority: Authority,
        resource: &Url,
        sign_in: SignIn,
    ) -> Result<Self, IdentityError> {
        Self::with(http, clock, authority, resource, sign_in, &variable)
    }

    fn with(
        http: Arc<Http>,
        clock: Arc<dyn Clock>,
        mut authority: Authority,
        resource: &Url,
        sign_in: SignIn,
        variables: &Lookup,
    ) -> Result<Self, IdentityError> {
        if matches!(sign_in, SignIn::WorkloadIdentity | SignIn::Environment) {
            of_this_machine(&mut authority, variables)?;
        }
        let way = way(sign_in, resource, variables)?;
        let scope = format!("{}/.default", resource.as_str().trim_end_matches('/'));
        Ok(Self { http, clock, authority, scope, way, kept: Kept::default(), claims: Mutex::default() })
    }

    /// Whether another token can be had when one is refused.
    pub(crate) fn can_renew(&self) -> bool {
        !matches!(self.way, Way::Fixed(_))
    }

    /// What we show to get tokens, and nobody else may see.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match &self.way {
            Way::Fixed(secret) | Way::Secret { secret, .. } => vec![secret.clone()],
            Way::Refresh { token, .. } => {
                vec![token.lock().unwrap_or_else(PoisonError::into_inner).clone()]
            }
            Way::Certificate { .. } | Way::Federated { .. } | Way::Managed(_) | Way::AzureCli => Vec::new(),
        }
    }

    /// A token that is good for a while.
    pub(crate) async fn token(&self) -> Result<Secret, IdentityError> {
        match &self.way {
            Way::Fixed(token) => Ok(token.clone()),
            _ => self.kept.token(async || self.ask().await).await,
        }
    }

    /// Forgets a token that was refused, and remembers which claims it lacked.
    pub(crate) async fn refused(&self, token: &Secret, challenge: Option<&str>) {
        if let Some(claims) = challenge.and_then(claims) {
            *self.claims.lock().unwrap_or_else(PoisonError::into_inner) = Some(claims);
        }
        self.kept.refused(token).await;
    }

    async fn ask(&self) -> Result<Granted, IdentityError> {
        match &self.way {
            Way::Fixed(token) => {
                Ok(Granted { access_token: token.expose().to_owned(), expires_in: None, refresh_token: None })
            }
            Way::Secret { client_id, secret } => {
                let form = [("client_id", client_id.as_str()), ("client_secret", secret.expose())];
                self.client_credentials(&form).await
            }
            Way::Certificate { client_id, key } => {
                let endpoint = self.authority.endpoint("token");
                let assertion = key.assertion(client_id, endpoint.as_str(), &*self.clock)?;
                self.by_assertion(client_id, assertion.expose()).await
            }
            Way::Federated { client_id, file } => {
                // The file is renewed by the platform: it is read for every token.
                let assertion = tokio::fs::read_to_string(file).await.map_err(|error| {
                    IdentityError::Credential(format!(
                        "the federated token file {} cannot be read: {error}",
                        file.display()
                    ))
                })?;
                self.by_assertion(client_id, assertion.trim()).await
            }
            Way::Managed(host) => host.ask(&self.http, &*self.clock).await,
            Way::AzureCli => managed::azure_cli(&self.scope, &self.authority.tenant).await,
            Way::Refresh { client_id, token, keep } => {
                let current = token.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let scope = format!("{} offline_access", self.scope);
                let form = [
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id.as_str()),
                    ("refresh_token", current.expose()),
                    ("scope", scope.as_str()),
                ];
                let granted = self.post(&form).await?;
                if let Some(next) = &granted.refresh_token {
                    let next = Secret::new(next.as_str());
                    keep(&next);
                    *token.lock().unwrap_or_else(PoisonError::into_inner) = next;
                }
                Ok(granted)
            }
        }
    }

    async fn by_assertion(&self, client_id: &str, assertion: &str) -> Result<Granted, IdentityError> {
        let form = [
            ("client_id", client_id),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ];
        self.client_credentials(&form).await
    }

    async fn client_credentials(&self, form: &[(&str, &str)]) -> Result<Granted, IdentityError> {
        let mut form = form.to_vec();
        form.extend([("grant_type", "client_credentials"), ("scope", self.scope.as_str())]);
        let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(claims) = &claims {
            form.push(("claims", claims));
        }
        self.post(&form).await
    }

    async fn post(&self, form: &[(&str, &str)]) -> Result<Granted, IdentityError> {
        let url = self.authority.endpoint("token");
        let reply = post(&self.http, &url, form).await?;
        token::read(&reply).map_err(|error| refusals::of_answer(&url, error, &shown(form)))
    }
}

/// Posts a form to the authority.
async fn post(http: &Http, url: &Url, form: &[(&str, &str)]) -> Result<Reply, IdentityError> {
    let client = http.client(url).map_err(|error| IdentityError::Credential(error.to_string()))?;
    let request = client.post(url.clone()).header(ACCEPT, "application/json").form(form);
    exchange(request).await.map_err(|lost| refusals::of_silence(url, lost))
}

/// What of a form must not be shown when the authority repeats it.
fn shown<'a>(form: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    form.iter()
        .filter(|(name, _)| matches!(*name, "client_secret" | "client_assertion" | "refresh_token"))
        .map(|(_, value)| *value)
        .collect()
}

/// The claims in `WWW-Authenticate: Bearer …, error="insufficient_claims", claims="…"`.
fn claims(challenge: &str) -> Option<String> {
    let encoded = challenge.split_once("claims=\"")?.1.split('"').next()?;
    let padded = format!("{encoded}{}", "=".repeat((4 - encoded.len() % 4) % 4));
    String::from_utf8(STANDARD.decode(padded).ok()?).ok()
}

/// The credential of this machine goes to the authority that this machine names, or to a published one: never to one
/// that a job names, which anybody who may set up jobs could make up.
fn of_this_machine(authority: &mut Authority, variables: &Lookup) -> Result<(), IdentityError> {
    if let Some(address) = variables("AZURE_AUTHORITY_HOST") {
        authority.address = safe_address(&address).map_err(|error| {
            IdentityError::Credential(format!("AZURE_AUTHORITY_HOST cannot be used: {error}"))
        })?;
        return Ok(());
    }
    let address = authority.address.as_str().trim_end_matches('/');
    if CLOUDS.iter().any(|cloud| cloud.authority == address) {
        return Ok(());
    }
    Err(IdentityError::Credential(format!(
        "the credential of this machine is shown to published authorities only, not to {address}; set \
         AZURE_AUTHORITY_HOST for the service to allow another"
    )))
}

fn way(sign_in: SignIn, resource: &Url, variables: &Lookup) -> Result<Way, IdentityError> {
    let needed = |name: &str| {
        variables(name)
            .ok_or_else(|| IdentityError::Credential(format!("the environment variable {name} is not set")))
    };
    Ok(match sign_in {
        SignIn::Token(token) => Way::Fixed(token),
        SignIn::Secret { client_id, secret } => Way::Secret { client_id, secret },
        SignIn::Certificate { client_id, pem } => {
            Way::Certificate { client_id, key: Box::new(certificate::Key::read(pem.expose())?) }
        }
        SignIn::CertificateChain { client_id, pem } => Way::Certificate {
            client_id,
            key: Box::new(certificate::Key::read(pem.expose())?.showing_chain()),
        },
        SignIn::WorkloadIdentity => Way::Federated {
            client_id: needed("AZURE_CLIENT_ID")?,
            file: PathBuf::from(needed("AZURE_FEDERATED_TOKEN_FILE")?),
        },
        SignIn::ManagedIdentity { client_id } => {
            Way::Managed(managed::Host::of(client_id, resource, variables)?)
        }
        SignIn::AzureCli => Way::AzureCli,
        SignIn::Environment => of_environment(&needed, variables)?,
        SignIn::Refresh { client_id, token, keep } => {
            Way::Refresh { client_id, token: Mutex::new(token), keep }
        }
    })
}

fn of_environment(
    needed: &dyn Fn(&str) -> Result<String, IdentityError>,
    variables: &Lookup,
) -> Result<Way, IdentityError> {
    let client_id = needed("AZURE_CLIENT_ID")?;
    if let Some(secret) = variables("AZURE_CLIENT_SECRET") {
        return Ok(Way::Secret { client_id, secret: Secret::new(secret) });
    }
    if let Some(path) = variables("AZURE_CLIENT_CERTIFICATE_PATH") {
        let bytes = std::fs::read(&path)
            .map_err(|error| IdentityError::Credential(format!("{path} cannot be read: {error}")))?;
        let pem = String::from_utf8(bytes).map_err(|_| {
            IdentityError::Credential(format!(
                "{path} is no PEM file; a .pfx file is converted once: openssl pkcs12 -in FILE -nodes -out app.pem"
            ))
        })?;
        return Ok(Way::Certificate { client_id, key: Box::new(certificate::Key::read(&pem)?) });
    }
    if let Some(file) = variables("AZURE_FEDERATED_TOKEN_FILE") {
        return Ok(Way::Federated { client_id, file: PathBuf::from(file) });
    }
    Err(IdentityError::Credential(
        "the environment holds no credential; set AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or \
         AZURE_FEDERATED_TOKEN_FILE"
            .to_owned(),
    ))
}

/// A document of the authority, or why it is none.
fn document(url: &Url, reply: &Reply) -> Result<Json, IdentityError> {
    serde_json::from_slice(&reply.body)
        .map_err(|_| refusals::of_answer(url, token::TokenError::Unreadable, &[]))
}

/// The longest wait between two polls.
const LONGEST_POLL: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
