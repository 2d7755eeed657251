//! `usher connect`: say which service to talk to, and who you are there.

mod cmdlet;

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use usher_connectors::graph::{CLOUDS, Cloud, DeviceCode, Endpoint, HttpOptions, IdentityError};
use usher_core::Secret;

use crate::client::{Client, Keep, Refusal, read_ca, unreadable_ca};
use crate::clock::SystemClock;
use crate::commands::secret;
use crate::failure::{DONE, Failure};
use crate::profile::{Profile, ProfileCredential, seconds};

pub use cmdlet::words as cmdlet_words;

/// The public client that Connect-MgGraph signs people in with.
const COMMAND_LINE_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

/// Say which service to talk to, and who you are there. Kept readable by you only.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher connect --data ./usher-data                       the service that runs on this machine\n  \
    usher connect --address https://usher.example:8443 --tenant TENANT --client-id ID --client-secret-file FILE\n  \
    usher connect --environment Global --tenant TENANT --client-id ID < secret.txt\n  \
    usher connect --environment Global --tenant TENANT --client-id ID --certificate app.pem\n  \
    usher connect --environment USGov --tenant TENANT --use-device-code --scopes Synchronization.ReadWrite.All\n  \
    usher connect --environment Global --identity\n  \
    usher connect --show\n\n\
    The environment variables USHER_ADDRESS, USHER_AUTHORITY, USHER_TENANT, USHER_CLIENT_ID, USHER_CLIENT_SECRET,\n\
    USHER_TOKEN and USHER_CA go before what is saved.")]
pub struct Args {
    /// The data folder of a service on this machine; takes the administrator's credential from there.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["address", "environment", "authority", "tenant",
        "client_id", "client_secret_file", "ca", "way"])]
    data: Option<PathBuf>,
    /// The base address of the service.
    #[arg(long, value_name = "URL", conflicts_with = "environment")]
    address: Option<String>,
    /// Microsoft Graph itself: Global, USGov, USGovDoD or China.
    #[arg(long, value_name = "NAME", visible_aliases = ["environment-name", "national-cloud"])]
    environment: Option<String>,
    /// The authority that gives tokens; without it the cloud's own, or the service itself.
    #[arg(long, value_name = "URL")]
    authority: Option<String>,
    /// The tenant id or a domain of it; needed with a secret or a certificate.
    #[arg(long, visible_alias = "tenant-id", alias = "audience")]
    tenant: Option<String>,
    /// The application (client) id; with --identity, which of the machine's identities.
    #[arg(long, value_name = "ID", visible_aliases = ["app-id", "application-id"])]
    client_id: Option<String>,
    /// A file that holds the client secret; without it the secret is read from standard input.
    #[arg(long, value_name = "FILE", group = "way", requires = "client_id",
        visible_aliases = ["client-secret-credential", "secret-credential", "credential"])]
    client_secret_file: Option<PathBuf>,
    /// A file that holds a bearer token, in place of client id and secret.
    #[arg(
        long,
        value_name = "FILE",
        visible_alias = "access-token",
        group = "way",
        conflicts_with = "client_id"
    )]
    token_file: Option<PathBuf>,
    /// A PEM file with the application's certificate and private key, in place of a secret.
    #[arg(long, value_name = "FILE", group = "way", requires = "client_id")]
    certificate: Option<PathBuf>,
    /// Show the certificate along with each sign-in, for applications that know its subject and issuer only.
    #[arg(long, requires = "certificate")]
    send_certificate_chain: bool,
    /// Sign in in a browser, here or elsewhere, by a code.
    #[arg(long, group = "way", visible_alias = "use-device-authentication",
        aliases = ["device-code", "device-auth", "device"])]
    use_device_code: bool,
    /// The delegated permissions to ask for with --use-device-code.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "use_device_code")]
    scopes: Vec<String>,
    /// Use the managed identity of this machine in Azure, or in Azure Arc.
    #[arg(long, group = "way", visible_aliases = ["managed-identity", "managed-service-identity", "msi"])]
    identity: bool,
    /// Use the token in the file that AZURE_FEDERATED_TOKEN_FILE names.
    #[arg(long, group = "way", conflicts_with = "client_id")]
    workload_identity: bool,
    /// Use whoever is signed in to the Azure CLI.
    #[arg(long, group = "way", conflicts_with = "client_id")]
    azure_cli: bool,
    /// Use AZURE_CLIENT_ID with AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE.
    #[arg(long, group = "way", conflicts_with = "client_id")]
    environment_variable: bool,
    /// A certificate of the store of Windows by name: refused, with what to do in its place.
    #[arg(long, value_name = "NAME", group = "way", visible_aliases = ["certificate-subject", "certificate-name"])]
    certificate_subject_name: Option<String>,
    /// The same by thumbprint.
    #[arg(long, value_name = "HEX", group = "way")]
    certificate_thumbprint: Option<String>,
    /// For whom the connection is kept: CurrentUser, which is so without it.
    #[arg(long, value_name = "SCOPE")]
    context_scope: Option<String>,
    /// How many seconds to wait for an answer.
    #[arg(long, value_name = "SECONDS")]
    client_timeout: Option<f64>,
    /// Say nothing when it worked.
    #[arg(long)]
    no_welcome: bool,
    /// A file with certificates (PEM) to trust besides the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Wait for a debugger of .NET: there is none here, so this does nothing.
    #[arg(long)]
    r#break: bool,
    /// Show what is saved, without secrets.
    #[arg(long, exclusive = true)]
    show: bool,
    /// Forget what is saved.
    #[arg(long, exclusive = true)]
    forget: bool,
}

/// Saves the connection after trying it.
pub async fn run(args: Args) -> Result<u8> {
    if args.forget {
        let was_there = Profile::forget()?;
        anstream::eprintln!("{}", if was_there { "forgotten" } else { "nothing was saved" });
        return Ok(DONE);
    }
    if args.show {
        let profile = Profile::load()?;
        let mut document = profile.to_json();
        for secret in ["clientSecret", "token", "refreshToken"] {
            if document.get(secret).is_some() {
                document[secret] = Value::from("*****");
            }
        }
        anstream::println!("{document:#}");
        return Ok(DONE);
    }
    check(&args)?;
    if args.r#break {
        anstream::eprintln!(
            "warning: there is no .NET debugger that could attach here; --break does nothing"
        );
    }
    let mut profile = profile(&args).await?;
    // What a sign-in gives for later is kept aside: nothing that is saved gives way to what may not work.
    let (keep, newest) = Keep::aside();
    attempt(&Client::trying(&profile, keep)?).await?;
    if let (ProfileCredential::Person { token, .. }, Some(newest)) =
        (&mut profile.credential, newest.lock().unwrap_or_else(PoisonError::into_inner).take())
    {
        *token = newest;
    }
    let path = profile.save()?;
    if !args.no_welcome {
        anstream::eprintln!("connected to {}; saved in {}", profile.address, path.display());
    }
    Ok(DONE)
}

/// Whether a service that speaks like Graph answers us.
async fn attempt(client: &Client) -> Result<()> {
    match client.list_page("/v1.0/servicePrincipals?$top=1").await {
        Ok(_) => Ok(()),
        // A connection that lacks a right is a connection: other verbs may be allowed.
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) if refusal.status == 403 && refusal.is_published => Ok(()),
            _ => Err(error),
        },
    }
}

/// What Connect-MgGraph takes and we cannot do, with what to do in its place.
fn check(args: &Args) -> Result<()> {
    if args.certificate_thumbprint.is_some() || args.certificate_subject_name.is_some() {
        return Err(Failure::usage(
            "certificates are not looked up by thumbprint or name: no certificate store is read here",
            "export the certificate with its private key as PEM and give --certificate FILE",
        ));
    }
    match args.context_scope.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("currentuser") => {}
        Some("process") => {
            return Err(Failure::usage(
                "a connection for this process alone would end with this command",
                "set USHER_ADDRESS, USHER_TENANT, USHER_CLIENT_ID and USHER_CLIENT_SECRET (or USHER_TOKEN) for the \
                 process whose commands are to use it",
            ));
        }
        Some(_) => {
            return Err(Failure::usage(
                "there is no such scope",
                "--context-scope is CurrentUser or Process",
            ));
        }
    }
    if args.client_timeout.is_some_and(|number| seconds(number).is_none()) {
        return Err(Failure::usage(
            "no answer comes in that time",
            "--client-timeout takes a number of seconds above 0",
        ));
    }
    Ok(())
}

async fn profile(args: &Args) -> Result<Profile> {
    let timeout = args.client_timeout.and_then(seconds);
    if let Some(folder) = &args.data {
        let file = folder.join("administrator.json");
        let text = fs::read_to_string(&file).map_err(|error| {
            Failure::unreachable(
                format!("cannot read {}: {error}", file.display()),
                "start the service once with `usher serve --data DIR`, as the same user",
            )
        })?;
        let document: Value =
            serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
        let profile =
            Profile::from_json(&document).with_context(|| format!("{} is incomplete", file.display()))?;
        return Ok(Profile { timeout, ..profile });
    }
    let (authority, address) = match &args.environment {
        Some(name) => {
            let Some(cloud) = Cloud::named(name) else {
                let known: Vec<&str> = CLOUDS.iter().map(|cloud| cloud.name).collect();
                return Err(Failure::usage(
                    format!("there is no environment '{name}'"),
                    format!(
                        "the published ones are {}; any other service is named with --address",
                        known.join(", ")
                    ),
                ));
            };
            (args.authority.clone().unwrap_or_else(|| cloud.authority.to_owned()), cloud.graph.to_owned())
        }
        None => {
            let Some(address) = &args.address else {
                return Err(Failure::usage(
                    "no service was named",
                    "give --data DIR, --address URL or --environment NAME; `usher connect --help` has examples",
                ));
            };
            let address = address.trim_end_matches('/').to_owned();
            (args.authority.clone().unwrap_or_else(|| address.clone()), address)
        }
    };
    let from_environment = || std::env::var("AZURE_TENANT_ID").ok().filter(|tenant| !tenant.is_empty());
    // Whoever has a token has a tenant already; a person's is told by the name that signs in.
    let needs_none = args.identity || args.use_device_code || args.azure_cli || args.token_file.is_some();
    let common = || needs_none.then(|| "common".to_owned());
    let Some(tenant) = args.tenant.clone().or_else(from_environment).or_else(common) else {
        return Err(Failure::usage("no tenant was named", "give --tenant ID"));
    };
    let ca = match &args.ca {
        // What is saved is used from other folders, too.
        Some(file) => Some(fs::canonicalize(file).map_err(|error| unreadable_ca(file, &error))?),
        None => None,
    };
    let credential = match &args.client_id {
        _ if args.identity => ProfileCredential::ManagedIdentity(args.client_id.clone()),
        _ if args.workload_identity => ProfileCredential::WorkloadIdentity,
        _ if args.azure_cli => ProfileCredential::AzureCli,
        _ if args.environment_variable => ProfileCredential::Environment,
        _ if args.use_device_code => {
            let endpoint =
                Endpoint { base_url: address.clone(), authority: authority.clone(), tenant: tenant.clone() };
            person(args, &endpoint, timeout).await?
        }
        _ if args.token_file.is_some() => {
            ProfileCredential::Token(Secret::new(secret_from(args.token_file.as_ref())?))
        }
        Some(client_id) => match &args.certificate {
            Some(file) => {
                let file =
                    fs::canonicalize(file).with_context(|| format!("cannot read {}", file.display()))?;
                let sends_chain = args.send_certificate_chain;
                ProfileCredential::Certificate { client_id: client_id.clone(), file, sends_chain }
            }
            None => ProfileCredential::ClientSecret {
                client_id: client_id.clone(),
                secret: Secret::new(secret_from(args.client_secret_file.as_ref())?),
            },
        },
        None => {
            return Err(Failure::usage(
                "no credential was given",
                "give --client-id ID with a secret or --certificate, --use-device-code, --identity, --azure-cli, \
                 --workload-identity, --environment-variable or --token-file FILE",
            ));
        }
    };
    Ok(Profile { address, authority, tenant, credential, ca, timeout })
}

/// Lets a person sign in by a code; what they get is saved for the next commands.
async fn person(args: &Args, endpoint: &Endpoint, timeout: Option<Duration>) -> Result<ProfileCredential> {
    let client_id = args.client_id.clone().unwrap_or_else(|| COMMAND_LINE_TOOLS.to_owned());
    let usual = HttpOptions::default();
    let options = HttpOptions {
        extra_ca_pem: args.ca.as_deref().map(read_ca).transpose()?,
        timeout: timeout.unwrap_or(usual.timeout),
        ..usual
    };
    let refused = |error: IdentityError| {
        Failure::unreachable(
            error.to_string(),
            "look at --tenant, --environment and --client-id, and connect again",
        )
    };
    let code = DeviceCode::begin(endpoint, &client_id, &args.scopes, Arc::new(SystemClock), options)
        .await
        .map_err(refused)?;
    anstream::eprintln!("open {} and enter {}", code.prompt.address, code.prompt.code);
    let token = code.finish().await.map_err(refused)?;
    Ok(ProfileCredential::Person { client_id, token })
}

fn secret_from(file: Option<&PathBuf>) -> Result<String> {
    let text = match file {
        Some(file) if file.as_os_str() != "-" => {
            // A secret in place of the file's name must not come back in the message.
            if !file.exists() {
                return Err(Failure::usage(
                    "the file with the secret is not there",
                    "--client-secret-file and --token-file take the name of a file, not the secret itself",
                ));
            }
            secret::read_value(file)?
        }
        _ => {
            if std::io::stdin().is_terminal() {
                anstream::eprintln!("client secret (ends with a line break; it is shown as you type):");
                let mut line = String::new();
                std::io::stdin().read_line(&mut line).context("cannot read standard input")?;
                line
            } else {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
                text
            }
        }
    };
    let secret = text.trim();
    if secret.is_empty() {
        return Err(Failure::refused("the secret is empty"));
    }
    Ok(secret.to_owned())
}
