//! `usher secret`: address, token and switches of an application's synchronization.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, segment};
use crate::commands::user::Output;
use crate::failure::{DONE, Failure};
use crate::lookup::{self, text};
use crate::{output, sealing};

/// Address, token and switches of an application's synchronization.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher secret set --app hr-portal BaseAddress=https://hr.example/scim SecretToken=@token.txt\n  \
    usher secret set --app hr-portal SyncAll=true\n  \
    usher secret list --app hr-portal\n  \
    usher secret rotate-key --data ./usher-data\n\n\
    A value that begins with @ is read from that file, @- from standard input.")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List keys and values; sensitive values are masked.
    List {
        /// Object id, appId or display name of the application.
        #[arg(long, value_name = "APP")]
        app: String,
        #[command(flatten)]
        output: Output,
    },
    /// Seal all secrets of a stopped service under a new key.
    RotateKey {
        /// The data folder of the service.
        #[arg(long, value_name = "DIR", default_value = "usher-data", env = "USHER_DATA")]
        data: PathBuf,
        /// The file of the key, when it is not in the data folder.
        #[arg(long, value_name = "FILE", env = "USHER_KEY_FILE")]
        key_file: Option<PathBuf>,
        /// Where to write the new key, when it is not to replace the old one.
        #[arg(long, value_name = "FILE")]
        new_key_file: Option<PathBuf>,
    },
    /// Set values; the others stay as they are.
    Set {
        /// Object id, appId or display name of the application.
        #[arg(long, value_name = "APP")]
        app: String,
        /// KEY=VALUE; an empty VALUE removes the key.
        #[arg(required = true, value_name = "KEY=VALUE")]
        values: Vec<String>,
    },
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<u8> {
    if let Verb::RotateKey { data, key_file, new_key_file } = &args.verb {
        let id = sealing::rotate(data, key_file.as_deref(), new_key_file.as_deref())?;
        anstream::println!("all secrets of {} are sealed under the new key '{id}'", data.display());
        if let Some(file) = new_key_file {
            anstream::println!("the new key is in {}; the old one opens nothing any more", file.display());
        }
        return Ok(DONE);
    }
    let client = Client::connect()?;
    match args.verb {
        Verb::RotateKey { .. } => {}
        Verb::List { app, output } => {
            let secrets = client.list(&path(&client, &app).await?).await?;
            output::list(output.output, &secrets, &[("key", "key"), ("value", "value")]);
        }
        Verb::Set { app, values } => {
            let path = path(&client, &app).await?;
            let mut secrets = client.list(&path).await?;
            for pair in &values {
                let (key, value) = key_and_value(pair)?;
                secrets.retain(|secret| !text(secret, "key").eq_ignore_ascii_case(&key));
                if !value.is_empty() {
                    secrets.push(json!({ "key": key, "value": value }));
                }
            }
            // What the service masked goes back as the mask, which keeps what is stored.
            client.put(&path, &json!({ "value": Value::Array(secrets) })).await?;
        }
    }
    Ok(DONE)
}

/// A key and its value from `KEY=VALUE`; a value that begins with @ is read from that file.
///
/// # Errors
/// There is no key, or the file cannot be read.
pub fn key_and_value(pair: &str) -> Result<(String, String)> {
    let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.trim().is_empty()) else {
        return Err(Failure::usage(
            format!("'{}' is not KEY=VALUE", pair.split('=').next().unwrap_or_default()),
            "for example BaseAddress=https://hr.example/scim",
        ));
    };
    let value = match value.strip_prefix('@') {
        Some(file) => read_value(Path::new(file))?,
        None => value.to_owned(),
    };
    Ok((key.trim().to_owned(), value))
}

async fn path(client: &Client, app: &str) -> Result<String> {
    let app = lookup::service_principal(client, app).await?;
    Ok(format!("/v1.0/servicePrincipals/{}/synchronization/secrets", segment(text(&app, "id"))))
}

/// The value in a file (`-` is standard input), without white space around it.
///
/// # Errors
/// The file cannot be read.
pub fn read_value(file: &Path) -> Result<String> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        text = String::from_utf8(bytes).map_err(|_| {
            Failure::usage(
                format!("{} holds no text", file.display()),
                "a certificate in a .pfx or .p12 file is converted once: openssl pkcs12 -in FILE -nodes -out app.pem",
            )
        })?;
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_no_text_is_refused_with_the_way_to_make_it_one() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join("app.pfx");
        std::fs::write(&file, [0x30, 0x82, 0x0a, 0xff]).expect("it is written");
        let error =
            key_and_value(&format!("ClientCertificate=@{}", file.display())).expect_err("it is no text");
        let failure = error.downcast_ref::<Failure>().expect("it is a failure with a hint");
        assert!(failure.message.ends_with("app.pfx holds no text"), "{failure}");
        assert!(failure.hint.as_deref().is_some_and(|hint| hint.contains("openssl pkcs12")));
    }
}
