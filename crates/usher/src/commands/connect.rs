//! `usher connect`: say which service to talk to, and who you are there.

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;
use usher_core::Secret;

use crate::client::Client;
use crate::failure::{DONE, Failure, REFUSED};
use crate::profile::{ENVIRONMENTS, Profile, ProfileCredential};

/// Say which service to talk to, and who you are there. Kept readable by you only.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher connect --data ./usher-data                       the service that runs on this machine\n  \
    usher connect --address https://usher.example:8443 --tenant TENANT --client-id ID --client-secret-file FILE\n  \
    usher connect --environment Global --tenant TENANT --client-id ID < secret.txt\n  \
    usher connect --show\n\n\
    The environment variables USHER_ADDRESS, USHER_AUTHORITY, USHER_TENANT, USHER_CLIENT_ID, USHER_CLIENT_SECRET,\n\
    USHER_TOKEN and USHER_CA go before what is saved.")]
pub struct Args {
    /// The data folder of a service on this machine; takes the administrator's credential from there.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["address", "environment"])]
    data: Option<PathBuf>,
    /// The base address of the service.
    #[arg(long, value_name = "URL", conflicts_with = "environment")]
    address: Option<String>,
    /// Microsoft Graph itself: Global, USGov, USGovDoD or China.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// The authority that gives tokens; the service itself when not given.
    #[arg(long, value_name = "URL")]
    authority: Option<String>,
    /// The tenant id or a domain of it.
    #[arg(long)]
    tenant: Option<String>,
    /// The application (client) id.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A file that holds the client secret; without it the secret is read from standard input.
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// A file that holds a bearer token, in place of client id and secret.
    #[arg(long, value_name = "FILE", conflicts_with = "client_id")]
    token_file: Option<PathBuf>,
    /// A file with certificates (PEM) to trust besides the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Show what is saved, without secrets.
    #[arg(long)]
    show: bool,
    /// Forget what is saved.
    #[arg(long)]
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
        for secret in ["clientSecret", "token"] {
            if document.get(secret).is_some() {
                document[secret] = Value::from("*****");
            }
        }
        anstream::println!("{document:#}");
        return Ok(DONE);
    }
    let profile = profile(&args)?;
    if let Err(error) = Client::with(&profile)?.get("/v1.0/servicePrincipals?$top=1").await {
        // A connection that lacks a right is a connection: other verbs may be allowed.
        match error.downcast_ref::<crate::client::Refusal>() {
            Some(refusal) if refusal.status == 403 => {}
            _ => return Err(error),
        }
    }
    let path = profile.save()?;
    anstream::eprintln!("connected to {}; saved in {}", profile.address, path.display());
    Ok(DONE)
}

fn profile(args: &Args) -> Result<Profile> {
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
        return Profile::from_json(&document).with_context(|| format!("{} is incomplete", file.display()));
    }
    let (authority, address) = match &args.environment {
        Some(name) => {
            let Some((_, authority, graph)) =
                ENVIRONMENTS.iter().find(|(known, _, _)| known.eq_ignore_ascii_case(name))
            else {
                let known: Vec<&str> = ENVIRONMENTS.iter().map(|(name, _, _)| *name).collect();
                return Err(Failure::usage(
                    format!("there is no environment '{name}'"),
                    format!(
                        "the published ones are {}; any other service is named with --address",
                        known.join(", ")
                    ),
                ));
            };
            ((*authority).to_owned(), (*graph).to_owned())
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
    let Some(tenant) = args.tenant.clone() else {
        return Err(Failure::usage("no tenant was named", "give --tenant ID"));
    };
    let credential = match (&args.token_file, &args.client_id) {
        (Some(file), _) => ProfileCredential::Token(Secret::new(secret_from(Some(file))?)),
        (None, Some(client_id)) => ProfileCredential::ClientSecret {
            client_id: client_id.clone(),
            secret: Secret::new(secret_from(args.client_secret_file.as_ref())?),
        },
        (None, None) => {
            return Err(Failure::usage(
                "no credential was given",
                "give --client-id ID or --token-file FILE",
            ));
        }
    };
    Ok(Profile { address, authority, tenant, credential, ca: args.ca.clone() })
}

fn secret_from(file: Option<&PathBuf>) -> Result<String> {
    let text = match file {
        Some(file) => fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?,
        None => {
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
        return Err(Failure { message: "the secret is empty".to_owned(), hint: None, code: REFUSED }.into());
    }
    Ok(secret.to_owned())
}
