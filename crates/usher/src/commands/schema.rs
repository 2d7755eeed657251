//! `usher schema`: check, lint, test and compare files; show, set or reset a job's schema.

mod diff;
mod document;
mod people;
mod report;
mod test;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Subcommand;
use owo_colors::OwoColorize;
use serde_json::Value;
use usher_core::schema::{self, Schema, SchemaDiagnostic, Severity};

use crate::client::Client;
use crate::commands::job::Which;
use crate::failure::{DONE, REFUSED};
use crate::output::{self, Format};
use crate::view::line;

/// Synchronization schemas, as Microsoft Entra exports them.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher schema check exported.json\n  \
    usher schema show --app hr-portal > schema.json\n  \
    usher schema set --app hr-portal schema.json\n  \
    usher schema lint schema.json\n  \
    usher schema test provisioning/ --output junit > report.xml\n  \
    usher schema diff old.json new.json --people people.json")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List every problem of schema files, with place and remedy. Exit code 1 when one has errors.
    Check {
        /// Schema files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Problems for people, or as JSON.
        #[arg(long, value_enum, default_value_t)]
        output: Format,
    },
    /// List what check lists and what looks unintended besides: mappings and filters that nothing reaches, conditions that
    /// decide nothing, matching attributes that are never written, expressions that can fail.
    /// Exit code 0: nothing is found; 1: something is, or a file cannot be used.
    Lint {
        /// Schema files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Findings for people, or as JSON.
        #[arg(long, value_enum, default_value_t)]
        output: Format,
    },
    /// Try a schema on people and hold what comes out against what is expected. Needs no server.
    Test(test::Args),
    /// Show what two schemas do differently, person by person. Exit code 0: nothing; 2: something; 1: an error.
    Diff(diff::Args),
    /// Try a new schema on the source objects that a job has recorded. Exit codes as for diff.
    Replay(diff::Replay),
    /// Print the schema of a job.
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Replace the schema of a job. Refused when it has errors.
    Set {
        #[command(flatten)]
        which: Which,
        /// The schema file.
        file: PathBuf,
    },
    /// Drop the job's own schema; the template's counts again.
    Reset {
        #[command(flatten)]
        which: Which,
    },
}

/// Runs the verb.
pub async fn run(args: Args) -> Result<u8> {
    match args.verb {
        Verb::Check { files, output } => check(&files, output, Finding::Error, schema::check),
        Verb::Lint { files, output } => check(&files, output, Finding::Any, schema::lint),
        Verb::Test(args) => test::run(&args).await,
        Verb::Diff(args) => Ok(diff::run(&args)),
        Verb::Replay(args) => Ok(diff::replay(&args).await),
        Verb::Show { which } => {
            let client = Client::connect()?;
            let path = format!("{}/schema", which.path(&client).await?);
            output::object(Format::Json, &client.get(&path).await?);
            Ok(DONE)
        }
        Verb::Set { which, file } => {
            let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let reading = schema::read(&bytes);
            // The service would not see that a member stood twice: it gets the one that was read.
            let is_doubtful = reading.diagnostics.iter().any(|one| one.code == "duplicateMember");
            let Some(document) = reading.schema.filter(|_| !is_doubtful) else {
                print(&file.display().to_string(), &reading.diagnostics);
                return Ok(REFUSED);
            };
            let client = Client::connect()?;
            let path = format!("{}/schema", which.path(&client).await?);
            client.put(&path, &document.to_json()).await?;
            Ok(DONE)
        }
        Verb::Reset { which } => {
            let client = Client::connect()?;
            client.delete(&format!("{}/schema", which.path(&client).await?)).await?;
            Ok(DONE)
        }
    }
}

/// What makes the exit code 1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    Error,
    Any,
}

fn check(
    files: &[PathBuf],
    output: Format,
    refused: Finding,
    find: fn(&Schema) -> Vec<SchemaDiagnostic>,
) -> Result<u8> {
    let mut code = DONE;
    let mut all = Vec::new();
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let reading = schema::read(&bytes);
        let mut problems = reading.diagnostics;
        if let Some(schema) = &reading.schema {
            problems.extend(find(schema));
        }
        let counts =
            |problem: &SchemaDiagnostic| refused == Finding::Any || problem.severity == Severity::Error;
        if problems.iter().any(counts) {
            code = REFUSED;
        }
        let name = file.display().to_string();
        match output {
            Format::Json => all.extend(problems.iter().map(|problem| as_json(&name, problem))),
            Format::Table => print(&name, &problems),
        }
    }
    if output == Format::Json {
        anstream::println!("{:#}", Value::Array(all));
    }
    Ok(code)
}

fn print(name: &str, problems: &[SchemaDiagnostic]) {
    let mut sorted: Vec<&SchemaDiagnostic> = problems.iter().collect();
    sorted.sort_by_key(|problem| problem.severity != Severity::Error);
    for problem in sorted {
        let place = match problem.position {
            Some((line, column)) => format!("{name}:{line}:{column}"),
            None => format!("{name}: {}", problem.path),
        };
        let message = format!("{} [{}]", line(&problem.message), problem.code);
        let place = line(&place);
        match problem.severity {
            Severity::Error => anstream::println!("{}: {place}: {message}", "error".red().bold()),
            Severity::Warning => anstream::println!("{}: {place}: {message}", "warning".yellow().bold()),
        }
        if let Some(remedy) = &problem.remedy {
            anstream::println!("  {} {}", "help:".cyan(), line(remedy));
        }
    }
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    anstream::println!("{name}: {errors} errors, {} warnings", problems.len() - errors);
}

fn as_json(name: &str, problem: &SchemaDiagnostic) -> Value {
    serde_json::json!({
        "file": name,
        "severity": if problem.severity == Severity::Error { "error" } else { "warning" },
        "code": problem.code,
        "path": problem.path,
        "line": problem.position.map(|(line, _)| line),
        "column": problem.position.map(|(_, column)| column),
        "message": problem.message,
        "remedy": problem.remedy,
    })
}
