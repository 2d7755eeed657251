//! `usher script`: runs a published PowerShell sample unchanged.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cmdlet;
use crate::failure::Failure;

/// Run a published PowerShell sample: assignments of literals, Import-Module, and the on-demand cmdlets.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  usher script sample.ps1 --variable applicationId=ID --variable synchronizationJobId=ID\n\n\
    Connect-MgGraph in a sample is taken as `usher connect`: the saved connection is used."
)]
pub struct Args {
    /// The script; `-` is standard input.
    file: PathBuf,
    /// A value for a variable that the sample leaves open, NAME=TEXT; may be given several times.
    #[arg(long = "variable", value_name = "NAME=TEXT")]
    variables: Vec<String>,
    /// list, table or json.
    #[arg(long, value_name = "FORM")]
    output: Option<String>,
}

/// Runs the script.
pub async fn run(args: Args) -> Result<u8> {
    let mut text = String::new();
    if args.file.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        let bytes =
            std::fs::read(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
        text = String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned();
    }
    let mut variables = Vec::with_capacity(args.variables.len());
    for pair in &args.variables {
        let Some((name, value)) = pair.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Failure::usage(
                format!("'{pair}' is not NAME=TEXT"),
                "for example --variable applicationId=…",
            ));
        };
        variables.push((name.trim_start_matches('$').to_owned(), value.to_owned()));
    }
    cmdlet::run_script(&args.file.display().to_string(), &text, variables, args.output.as_deref()).await
}
