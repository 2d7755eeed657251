//! The verbs, one file each; this is their table.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::failure::{DONE, REFUSED, USAGE};

mod app;
mod apply;
mod completions;
mod connect;
mod demo;
mod doctor;
mod explain;
mod expression;
mod group;
mod job;
mod log;
mod plan;
mod provision;
mod reference;
mod sandbox;
mod schema;
mod script;
mod secret;
mod serve;
mod user;
mod workday;

pub use connect::cmdlet_words as connect_words;

/// Provision identities: pick one person, provision the account now, and see why.
#[derive(Parser)]
#[command(
    name = "usher",
    version,
    max_term_width = 110,
    after_help = "The published cmdlets work word for word:\n  \
                  usher New-MgApplicationSynchronizationJobOnDemand -ApplicationId ID -SynchronizationJobId ID -Parameters '@(…)'\n  \
                  usher New-MgServicePrincipalSynchronizationJobOnDemand -?\n  \
                  usher Get-MgUser -Filter \"startsWith(displayName,'A')\" -All\n\n\
                  Try it without any set-up:\n  usher demo"
)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show the whole thing: a directory, an application, one person and one group provisioned on demand.
    Demo(demo::Args),
    /// Run the service.
    Serve(serve::Args),
    /// Run a strict SCIM 2.0 application that prints every request it receives.
    Sandbox(sandbox::Args),
    /// Say which service to talk to, and who you are there.
    Connect(connect::Args),
    /// Try on the service that you are connected to what jobs and commands need of it.
    Doctor(doctor::Args),
    /// Provision one subject, or many, on demand.
    Provision(provision::Args),
    /// Show what subjects or a cycle need, down to the requests; write nothing, and save it for review.
    Plan(plan::Args),
    /// Apply a saved plan: exactly what was reviewed, or nothing.
    Apply(apply::Args),
    /// Say why a subject is created, changed, disabled or skipped.
    Explain(explain::Args),
    /// Run a published PowerShell sample.
    Script(script::Args),
    /// Applications: list, create, assign.
    App(app::Args),
    /// Synchronization jobs: list, create, look at, test, delete.
    Job(job::Args),
    /// Synchronization schemas: check a file; show, set or reset a job's.
    Schema(schema::Args),
    /// Secrets of an application's synchronization: address, token, switches.
    Secret(secret::Args),
    /// The provisioning log.
    Log(log::Args),
    /// Users of the directory inside.
    User(user::Args),
    /// Groups of the directory inside.
    Group(group::Args),
    /// The mapping expression language: evaluate, test, look up functions.
    Expression(expression::Args),
    /// Workday as a source: try XPath expressions on a saved answer.
    Workday(workday::Args),
    /// Print the completion script of a shell.
    Completions(completions::Args),
    /// Print a generated reference page.
    #[command(hide = true)]
    Reference(reference::Args),
}

/// Prints what clap has to say. Verbs whose exit code 2 means "changes" must not give it for a mistyped option; `explain`
/// takes the same words as `plan`, and is alike.
pub fn misunderstood(error: &clap::Error) -> ExitCode {
    const TWO_MEANS_CHANGES: &[&[&str]] =
        &[&["plan"], &["explain"], &["schema", "diff"], &["schema", "replay"]];
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let is_one =
        |verb: &&[&str]| verb.iter().zip(&words).filter(|(known, word)| known == word).count() == verb.len();
    let code = match error.exit_code() {
        0 => DONE,
        _ if TWO_MEANS_CHANGES.iter().any(is_one) => REFUSED,
        _ => USAGE,
    };
    // Nothing is left to do when not even this can be printed.
    drop(error.print());
    ExitCode::from(code)
}

/// Runs the verb; the number is the exit code.
///
/// # Errors
/// What failed; `failure::report` prints it.
pub async fn run(arguments: Arguments) -> Result<u8> {
    match arguments.verb {
        Verb::Demo(args) => demo::run(args).await,
        Verb::Serve(args) => serve::run(args).await,
        Verb::Sandbox(args) => sandbox::run(args).await,
        Verb::Connect(args) => connect::run(args).await,
        Verb::Doctor(args) => doctor::run(args).await,
        Verb::Provision(args) => provision::run(args).await,
        Verb::Plan(args) => Ok(plan::run(args).await),
        Verb::Apply(args) => apply::run(args).await,
        Verb::Explain(args) => Ok(explain::run(args).await),
        Verb::Script(args) => script::run(args).await,
        Verb::App(args) => app::run(args).await,
        Verb::Job(args) => job::run(args).await,
        Verb::Schema(args) => schema::run(args).await,
        Verb::Secret(args) => secret::run(args).await,
        Verb::Log(args) => log::run(args).await,
        Verb::User(args) => user::run(args).await,
        Verb::Group(args) => group::run(args).await,
        Verb::Expression(args) => expression::run(args),
        Verb::Workday(args) => workday::run(args),
        Verb::Completions(args) => completions::run(args),
        Verb::Reference(args) => reference::run(args),
    }
}
