//! The program's entrance: the published cmdlets by their own rules, everything else by clap's.

use std::process::ExitCode;

use clap::Parser;
use usher::commands::{self, Arguments};
use usher::{cmdlet, failure, powershell};

#[tokio::main]
async fn main() -> ExitCode {
    // One crypto provider for the whole process, before anything speaks TLS.
    let installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    debug_assert!(installed.is_ok(), "nothing installs a provider before main");
    let mut words = std::env::args_os();
    let _program = words.next();
    if let Some(first) = words.next().and_then(|word| word.into_string().ok())
        && powershell::is_like_cmdlet(&first)
    {
        let rest = words.map(|word| word.to_string_lossy().into_owned()).collect();
        return ExitCode::from(cmdlet::run(&first, rest).await);
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return commands::misunderstood(&error),
    };
    match commands::run(arguments).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => ExitCode::from(failure::report(&error)),
    }
}
