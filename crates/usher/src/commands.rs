//! The verbs, one file each; this is their table.

use anyhow::Result;
use clap::{Parser, Subcommand};

mod app;
mod completions;
mod connect;
mod demo;
mod expression;
mod group;
mod job;
mod log;
mod provision;
mod reference;
mod sandbox;
mod schema;
mod script;
mod secret;
mod serve;
mod user;

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
    /// Provision one subject, or many, on demand.
    Provision(provision::Args),
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
    /// Print the completion script of a shell.
    Completions(completions::Args),
    /// Print a generated reference page.
    #[command(hide = true)]
    Reference(reference::Args),
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
        Verb::Provision(args) => provision::run(args).await,
        Verb::Script(args) => script::run(args).await,
        Verb::App(args) => app::run(args).await,
        Verb::Job(args) => job::run(args).await,
        Verb::Schema(args) => schema::run(args).await,
        Verb::Secret(args) => secret::run(args).await,
        Verb::Log(args) => log::run(args).await,
        Verb::User(args) => user::run(args).await,
        Verb::Group(args) => group::run(args).await,
        Verb::Expression(args) => expression::run(args),
        Verb::Completions(args) => completions::run(args),
        Verb::Reference(args) => reference::run(args),
    }
}
