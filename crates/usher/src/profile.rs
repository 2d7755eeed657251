//! The saved connection: where the service is and who we are there. Kept readable by the owner only.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use usher_connectors::graph::{CLOUDS, Cloud};
use usher_core::Secret;

use crate::failure::Failure;

/// Where the service is and who we are there.
#[derive(Clone)]
pub struct Profile {
    /// The base address of the Graph API, without version.
    pub address: String,
    /// The base address of the authority that gives tokens.
    pub authority: String,
    /// The tenant.
    pub tenant: String,
    /// Our credential.
    pub credential: ProfileCredential,
    /// A file with certificates to trust besides the system's.
    pub ca: Option<PathBuf>,
    /// How long to wait for an answer, in place of what is usual.
    pub timeout: Option<Duration>,
}

/// What we show to get in.
#[derive(Clone)]
pub enum ProfileCredential {
    /// Client id and secret.
    ClientSecret {
        /// The application (client) id.
        client_id: String,
        /// The secret.
        secret: Secret,
    },
    /// A bearer token that somebody else got.
    Token(Secret),
    /// A client id and a file with certificate and private key.
    Certificate {
        /// The application (client) id.
        client_id: String,
        /// The PEM file.
        file: PathBuf,
        /// Whether the certificate is shown with each sign-in.
        sends_chain: bool,
    },
    /// The identity of this machine in Azure; which one, where it has several.
    ManagedIdentity(Option<String>),
    /// The federated token of this machine.
    WorkloadIdentity,
    /// Whoever is signed in to the Azure CLI.
    AzureCli,
    /// The environment variables `AZURE_CLIENT_ID` and so on.
    Environment,
    /// A person who signed in by device code.
    Person {
        /// The application (client) id.
        client_id: String,
        /// The refresh token.
        token: Secret,
    },
}

impl ProfileCredential {
    /// How it is called where it is saved; `None` for those that are told by what is saved with them.
    fn way(&self) -> Option<&'static str> {
        match self {
            Self::ClientSecret { .. } | Self::Token(_) => None,
            Self::Certificate { .. } => Some("ClientCertificate"),
            Self::ManagedIdentity(_) => Some("ManagedIdentity"),
            Self::WorkloadIdentity => Some("WorkloadIdentity"),
            Self::AzureCli => Some("AzureCli"),
            Self::Environment => Some("Environment"),
            Self::Person { .. } => Some("DeviceCode"),
        }
    }
}

impl Profile {
    /// The saved connection, or the one that the environment variables `USHER_ADDRESS` and so on describe.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn load() -> Result<Self> {
        if let Some(profile) = Self::from_environment()? {
            return Ok(profile);
        }
        Self::saved()
    }

    fn saved() -> Result<Self> {
        let path = path()?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Failure::unreachable(
                    "Authentication needed. Please call Connect-MgGraph.",
                    "here that is `usher connect`; after `usher serve --data DIR` on this machine: \
                     `usher connect --data DIR`",
                ));
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let document: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a saved connection", path.display()))?;
        Self::from_json(&document).with_context(|| format!("{} is not a saved connection", path.display()))
    }

    /// Saves the connection for this user.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> Result<PathBuf> {
        let path = path()?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        write_private(&path, &format!("{:#}\n", self.to_json()))?;
        Ok(path)
    }

    /// Saves a refresh token in place of the one before, unless another connection has been saved meanwhile.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn renew(&self, token: &Secret) -> Result<()> {
        let ProfileCredential::Person { client_id, .. } = &self.credential else { return Ok(()) };
        let saved = Self::saved()?;
        let is_same = matches!(&saved.credential, ProfileCredential::Person { client_id: theirs, .. } if theirs == client_id)
            && (&saved.address, &saved.authority, &saved.tenant)
                == (&self.address, &self.authority, &self.tenant);
        if is_same {
            let credential = ProfileCredential::Person { client_id: client_id.clone(), token: token.clone() };
            Profile { credential, ..saved }.save()?;
        }
        Ok(())
    }

    /// Forgets the saved connection. Says whether there was one.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget() -> Result<bool> {
        let path = path()?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot remove {}", path.display())),
        }
    }

    /// Reads the form that `save` and `usher serve` write.
    ///
    /// # Errors
    /// A member is missing.
    pub fn from_json(document: &Value) -> Result<Self> {
        let text = |name: &str| {
            document
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
                .with_context(|| format!("it has no '{name}'"))
        };
        let way = document.get("signIn").and_then(Value::as_str);
        let credential = match (way, document.get("token").and_then(Value::as_str)) {
            (Some("ClientCertificate"), _) => ProfileCredential::Certificate {
                client_id: text("clientId")?,
                file: PathBuf::from(text("certificateFile")?),
                sends_chain: document.get("sendCertificateChain").and_then(Value::as_bool).unwrap_or(false),
            },
            (Some("ManagedIdentity"), _) => ProfileCredential::ManagedIdentity(text("clientId").ok()),
            (Some("WorkloadIdentity"), _) => ProfileCredential::WorkloadIdentity,
            (Some("AzureCli"), _) => ProfileCredential::AzureCli,
            (Some("Environment"), _) => ProfileCredential::Environment,
            (Some("DeviceCode"), _) => ProfileCredential::Person {
                client_id: text("clientId")?,
                token: Secret::new(text("refreshToken")?),
            },
            (Some(other), _) => anyhow::bail!("it signs in by '{other}', which this version does not know"),
            (None, Some(token)) => ProfileCredential::Token(Secret::new(token)),
            (None, None) => ProfileCredential::ClientSecret {
                client_id: text("clientId")?,
                secret: Secret::new(text("clientSecret")?),
            },
        };
        let address = text("address")?;
        Ok(Self {
            authority: text("authority").unwrap_or_else(|_| address.clone()),
            address,
            tenant: text("tenant")?,
            credential,
            ca: document.get("ca").and_then(Value::as_str).map(PathBuf::from),
            timeout: document.get("clientTimeout").and_then(Value::as_f64).and_then(seconds),
        })
    }

    /// The form that is saved.
    pub fn to_json(&self) -> Value {
        let mut document = json!({
            "address": self.address,
            "authority": self.authority,
            "tenant": self.tenant,
        });
        match &self.credential {
            ProfileCredential::ClientSecret { client_id, secret } => {
                document["clientId"] = json!(client_id);
                document["clientSecret"] = json!(secret.expose());
            }
            ProfileCredential::Token(token) => document["token"] = json!(token.expose()),
            ProfileCredential::Certificate { client_id, file, sends_chain } => {
                document["clientId"] = json!(client_id);
                document["certificateFile"] = json!(file);
                if *sends_chain {
                    document["sendCertificateChain"] = json!(true);
                }
            }
            ProfileCredential::ManagedIdentity(Some(client_id)) => document["clientId"] = json!(client_id),
            ProfileCredential::Person { client_id, token } => {
                document["clientId"] = json!(client_id);
                document["refreshToken"] = json!(token.expose());
            }
            ProfileCredential::ManagedIdentity(None)
            | ProfileCredential::WorkloadIdentity
            | ProfileCredential::AzureCli
            | ProfileCredential::Environment => {}
        }
        if let Some(way) = self.credential.way() {
            document["signIn"] = json!(way);
        }
        if let Some(ca) = &self.ca {
            document["ca"] = json!(ca);
        }
        if let Some(timeout) = self.timeout {
            document["clientTimeout"] = json!(timeout.as_secs_f64());
        }
        document
    }

    fn from_environment() -> Result<Option<Self>> {
        let get = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let Some(address) = get("USHER_ADDRESS") else { return Ok(None) };
        let credential = match (get("USHER_TOKEN"), get("USHER_CLIENT_ID"), get("USHER_CLIENT_SECRET")) {
            (Some(token), None, None) => ProfileCredential::Token(Secret::new(token)),
            (None, Some(client_id), Some(secret)) => {
                ProfileCredential::ClientSecret { client_id, secret: Secret::new(secret) }
            }
            (Some(_), _, _) => {
                return Err(Failure::unreachable(
                    "USHER_TOKEN and USHER_CLIENT_ID or USHER_CLIENT_SECRET are set, and say different things",
                    "unset USHER_TOKEN, or the other two",
                ));
            }
            (None, _, _) => {
                return Err(Failure::unreachable(
                    "USHER_ADDRESS is set, but not who you are there",
                    "set USHER_TOKEN, or USHER_CLIENT_ID and USHER_CLIENT_SECRET; without USHER_ADDRESS the saved \
                     connection is used",
                ));
            }
        };
        Ok(Some(Self {
            authority: get("USHER_AUTHORITY").unwrap_or_else(|| address.clone()),
            address,
            tenant: get("USHER_TENANT").unwrap_or_else(|| "common".to_owned()),
            credential,
            ca: get("USHER_CA").map(PathBuf::from),
            timeout: None,
        }))
    }

    /// Whether this is a connection to a published cloud.
    ///
    /// # Errors
    /// It is one to somewhere else, or there is no such cloud.
    pub fn is_to(&self, environment: &str) -> Result<()> {
        let Some(cloud) = Cloud::named(environment) else {
            let known: Vec<&str> = CLOUDS.iter().map(|cloud| cloud.name).collect();
            return Err(Failure::usage(
                format!("there is no environment '{environment}'"),
                format!("the published ones are {}", known.join(", ")),
            ));
        };
        if self.address.trim_end_matches('/') == cloud.graph {
            return Ok(());
        }
        Err(Failure::unreachable(
            format!("you are connected to {}, not to {}", self.address, cloud.graph),
            format!("connect with `usher connect --environment {} …`", cloud.name),
        ))
    }
}

/// A time that somebody waits; `None` for what is none.
pub fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok().filter(|time| !time.is_zero())
}

/// Where the connection of this user is kept.
fn path() -> Result<PathBuf> {
    let folder = env::var_os("USHER_CONFIG_DIR")
        .map(PathBuf::from)
        .or_else(|| env::var_os("XDG_CONFIG_HOME").map(|home| PathBuf::from(home).join("usher")))
        .or_else(|| env::home_dir().map(|home| home.join(".config/usher")))
        .context("there is no home folder; set USHER_CONFIG_DIR")?;
    Ok(folder.join("connection.json"))
}

/// Writes a file that only the owner can read, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&beside).with_context(|| format!("cannot write {}", beside.display()))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write {}", beside.display()))?;
    fs::rename(&beside, path).with_context(|| format!("cannot write {}", path.display()))
}
