//! Identities that the machine has by itself: managed identities of Azure, and whoever is signed in to the Azure CLI.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value as Json;
use url::Url;
use usher_core::ports::Clock;

use super::Lookup;
use super::refusals::{self, IdentityError};
use crate::http::{Http, Reply, exchange};
use crate::token::{self, Granted};

/// Where a virtual machine asks; the address is the same on all of them.
const INSTANCE: &str = "http://169.254.169.254";
/// How often the machine's service is asked that is not ready yet.
const TRIES: u32 = 5;
/// Where Azure Arc keeps the files that prove who may ask.
const ARC_FOLDER: &str = "/var/opt/azcmagent/tokens";
/// The longest proof.
const ARC_LONGEST: u64 = 4096;
/// How long the Azure CLI may take.
const CLI_PATIENCE: Duration = Duration::from_secs(30);

/// Where this machine gets its tokens.
pub(super) enum Host {
    /// A virtual machine.
    Machine(Url),
    /// App Service, Functions, Container Apps.
    App(Url, String),
    /// A machine elsewhere that Azure Arc looks after.
    Arc(Url, PathBuf),
}

impl Host {
    /// What the environment says.
    pub(super) fn of(
        client_id: Option<String>,
        resource: &Url,
        variables: &Lookup,
    ) -> Result<Self, IdentityError> {
        let parse = |text: &str| {
            Url::parse(text)
                .map_err(|_| IdentityError::Credential(format!("'{text}' is not the address of an identity")))
        };
        let with = |mut url: Url, version: &str| {
            url.query_pairs_mut()
                .append_pair("api-version", version)
                .append_pair("resource", resource.as_str());
            if let Some(client_id) = &client_id {
                url.query_pairs_mut().append_pair("client_id", client_id);
            }
            url
        };
        match (variables("IDENTITY_ENDPOINT"), variables("IDENTITY_HEADER"), variables("IMDS_ENDPOINT")) {
            (Some(endpoint), Some(header), _) => Ok(Self::App(with(parse(&endpoint)?, "2019-08-01"), header)),
            (Some(endpoint), None, Some(_)) => {
                Ok(Self::Arc(with(parse(&endpoint)?, "2019-11-01"), PathBuf::from(ARC_FOLDER)))
            }
            _ => {
                let host = variables("AZURE_POD_IDENTITY_AUTHORITY_HOST");
                let mut url = parse(host.as_deref().unwrap_or(INSTANCE))?;
                url.set_path("/metadata/identity/oauth2/token");
                Ok(Self::Machine(with(url, "2018-02-01")))
            }
        }
    }

    /// A token from the machine.
    pub(super) async fn ask(&self, http: &Http, clock: &dyn Clock) -> Result<Granted, IdentityError> {
        let (url, headers) = match self {
            Self::Machine(url) | Self::Arc(url, _) => (url, vec![("Metadata", "true".to_owned())]),
            Self::App(url, header) => (url, vec![("X-IDENTITY-HEADER", header.clone())]),
        };
        let mut reply = get(http, url, &headers).await?;
        if let (Self::Arc(_, folder), 401) = (self, reply.status.as_u16()) {
            let proof = proof(folder, reply.header("www-authenticate").unwrap_or_default()).await?;
            let headers = [("Metadata", "true".to_owned()), ("Authorization", format!("Basic {proof}"))];
            reply = get(http, url, &headers).await?;
        }
        for attempt in 1..TRIES {
            // The service of a machine that has just started is not there yet, or looks for the identity.
            if !matches!(reply.status.as_u16(), 404 | 410 | 429 | 500..=599) {
                break;
            }
            let backed_off = Duration::from_millis(800 << attempt);
            clock.wait(reply.retry_after().unwrap_or(backed_off).min(super::LONGEST_POLL)).await;
            reply = get(http, url, &headers).await?;
        }
        token::read(&reply).map_err(|error| refusals::of_answer(url, error, &[]))
    }
}

async fn get(http: &Http, url: &Url, headers: &[(&'static str, String)]) -> Result<Reply, IdentityError> {
    let client = http.client(url).map_err(|error| IdentityError::Credential(error.to_string()))?;
    let mut request = client.get(url.clone());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    exchange(request).await.map_err(|lost| refusals::of_silence(url, lost))
}

/// Azure Arc names a file that only members of a group can read; what it holds is the proof.
async fn proof(folder: &Path, challenge: &str) -> Result<String, IdentityError> {
    let wrong = |why: String| IdentityError::Credential(format!("Azure Arc's proof cannot be read: {why}"));
    let name = challenge
        .split_once("realm=")
        .map(|(_, name)| name.trim().trim_matches('"'))
        .ok_or_else(|| wrong("its challenge names no file".to_owned()))?;
    let path = Path::new(name);
    // Whoever answers in Arc's place must not make us send another file.
    if path.parent() != Some(folder) || path.extension().is_none_or(|extension| extension != "key") {
        return Err(wrong(format!("'{name}' is not a .key file in {}", folder.display())));
    }
    let length = tokio::fs::metadata(path).await.map_err(|error| wrong(format!("{name}: {error}")))?.len();
    if length > ARC_LONGEST {
        return Err(wrong(format!("{name} is longer than a proof is")));
    }
    let text = tokio::fs::read_to_string(path).await.map_err(|error| wrong(format!("{name}: {error}")))?;
    Ok(text.trim().to_owned())
}

/// A token of whoever is signed in to the Azure CLI.
pub(super) async fn azure_cli(scope: &str, tenant: &str) -> Result<Granted, IdentityError> {
    let mut words = vec!["account", "get-access-token", "--output", "json", "--scope", scope];
    // Nobody named a tenant: it is the one that is chosen there.
    if !matches!(tenant, "common" | "organizations") {
        words.extend(["--tenant", tenant]);
    }
    let run = tokio::process::Command::new("az").args(words).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = match tokio::time::timeout(CLI_PATIENCE, run).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => {
            return Err(IdentityError::Credential(format!("the Azure CLI (az) cannot be run: {error}")));
        }
        Err(_) => {
            return Err(IdentityError::Credential("the Azure CLI (az) did not answer in time".to_owned()));
        }
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().trim_start_matches("ERROR:").trim();
        return Err(IdentityError::Credential(format!(
            "the Azure CLI gave no token: {}",
            said.lines().next().unwrap_or("it gave no reason; sign in with az login")
        )));
    }
    let document: Json = serde_json::from_slice(&output.stdout)
        .map_err(|_| IdentityError::Credential("the Azure CLI did not answer in JSON".to_owned()))?;
    let token = document.get("accessToken").and_then(Json::as_str).ok_or_else(|| {
        IdentityError::Credential("the answer of the Azure CLI holds no accessToken".to_owned())
    })?;
    // The CLI keeps tokens itself and renews them: asking it again is cheap, a token near its end is not.
    Ok(Granted { access_token: token.to_owned(), expires_in: None, refresh_token: None })
}
