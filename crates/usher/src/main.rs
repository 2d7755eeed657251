//! The program's entrance: the published cmdlets by their own rules, everything else by clap's.

use std::ffi::OsString;
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
    let mut given: Vec<OsString> = std::env::args_os().collect();
    if let Some(first) = words.next().and_then(|word| word.into_string().ok()) {
        let rest: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        match commands::connect_words(&first, &rest) {
            Some(Ok(words)) => given = words.into_iter().map(OsString::from).collect(),
            Some(Err(error)) => return ExitCode::from(failure::report(&error)),
            None if powershell::is_like_cmdlet(&first) => {
                return ExitCode::from(cmdlet::run(&first, rest).await);
            }
            None => {}
        }
    }
    let arguments = match Arguments::try_parse_from(given) {
        Ok(arguments) => arguments,
        Err(error) => return commands::misunderstood(&error),
    };
    match commands::run(arguments).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => ExitCode::from(failure::report(&error)),
    }
}
