//! How the program ends: what went wrong, what to do, and the exit code that says so.

use std::fmt;

use crate::view::line;

/// Exit code: done.
pub const DONE: u8 = 0;
/// Exit code: the service, the target or a check said no.
pub const REFUSED: u8 = 1;
/// Exit code: the command line is wrong.
pub const USAGE: u8 = 2;
/// Exit code: no connection to the service, or no credentials for it.
pub const UNREACHABLE: u8 = 3;

/// A failure with its exit code and, where there is one, a hint on its own line.
#[derive(Debug)]
pub struct Failure {
    /// What failed.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The exit code.
    pub code: u8,
    /// A request was not even sent.
    pub is_unsent: bool,
}

impl Failure {
    /// The service, the target or a check said no.
    pub fn refused(message: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: None, code: REFUSED, is_unsent: false }.into()
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: Some(hint.into()), code: USAGE, is_unsent: false }.into()
    }

    /// No connection, or no credentials.
    pub fn unreachable(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: Some(hint.into()), code: UNREACHABLE, is_unsent: false }.into()
    }

    /// A refusal with a hint.
    pub fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self { message: message.into(), hint: Some(hint.into()), code: REFUSED, is_unsent: false }.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Prints a failure to standard error and gives its exit code.
pub fn report(error: &anyhow::Error) -> u8 {
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    let causes = causes.iter().map(|cause| format!(": {cause}")).collect::<String>();
    anstream::eprintln!("error: {}", lines(&format!("{error}{causes}")));
    match error.downcast_ref::<Failure>() {
        Some(failure) => {
            if let Some(hint) = &failure.hint {
                anstream::eprintln!("hint: {}", lines(hint));
            }
            failure.code
        }
        None => REFUSED,
    }
}

/// A message may name what somebody else named: none of its lines looks like one of ours.
fn lines(message: &str) -> String {
    message.lines().map(line).collect::<Vec<_>>().join("\n    ")
}
