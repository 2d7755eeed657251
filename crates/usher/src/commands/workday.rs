//! `usher workday`: a tool for whoever writes XPath expressions for attributes of workers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::Value;
use usher_connectors::workday::{Attributes, mismatch, show};

use crate::failure::{DONE, Failure};

/// Workday as a source: try XPath expressions on a saved answer.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  \
    usher workday attributes response.xml --attributes attributes.json\n\n\
    The file of attributes holds {\"attributes\": [{\"name\": …, \"xpath\": …}]}, an object of names and expressions, or \
    a synchronization schema.")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print what attributes select of each worker of a saved Get_Workers answer.
    Attributes {
        /// The answer, as it was saved; - for standard input.
        response: PathBuf,
        /// The attributes with their XPath expressions, JSON.
        #[arg(long, value_name = "FILE")]
        attributes: PathBuf,
    },
}

/// Runs the verb.
pub fn run(args: Args) -> Result<u8> {
    let Verb::Attributes { response, attributes } = args.verb;
    let document: Value = serde_json::from_slice(&bytes(&attributes)?)
        .with_context(|| format!("{} is not JSON", attributes.display()))?;
    let attributes = Attributes::of_document(&document)
        .with_context(|| format!("{} cannot be used", attributes.display()))?;
    let answer = bytes(&response)?;
    if let Some(warning) =
        version_of(&answer).and_then(|version| mismatch(&version, attributes.expressions()))
    {
        anstream::eprintln!("warning: {warning}");
    }
    let workers = show(&answer, &attributes)
        .map_err(|error| Failure::refused(format!("{}: {error}", response.display())))?;
    let text = serde_json::to_string_pretty(&workers).context("the values cannot be written")?;
    anstream::println!("{text}");
    Ok(DONE)
}

fn bytes(file: &Path) -> Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut read = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut read).context("cannot read standard input")?;
        return Ok(read);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The version that an answer names, for the warning alone.
fn version_of(answer: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(answer).ok()?;
    let (_, after) = text.split_once("Get_Workers_Response")?;
    let (element, _) = after.split_once('>')?;
    let (_, value) = element.split_once("version=")?;
    value.get(1..)?.split(['"', '\'']).next().map(str::to_owned)
}
