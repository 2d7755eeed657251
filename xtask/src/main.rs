//! The tasks that people and CI run: `cargo xtask tidy | test | docs | bench | simulate`.

mod bench;
mod docs;
mod servers;
mod simulate;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

/// Tasks of the Usher workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the house rules: dependency directions, tables, headers, sizes, generated pages.
    Tidy,
    /// Install the real servers that tests need, then run every check and every test.
    Test {
        /// Only the tests; no format, lint and house checks.
        #[arg(long)]
        only_tests: bool,
        /// Leave out the tests that need the real SCIM servers.
        #[arg(long)]
        without_servers: bool,
    },
    /// Write the generated pages of docs/reference.
    Docs {
        /// Write nothing; fail when a page is not as it should be.
        #[arg(long)]
        check: bool,
    },
    /// Measure, and print figures with the machine's description.
    Bench {
        /// Only these: `expressions`, `plan`, `on-demand`, `api`, `cycle`.
        only: Vec<String>,
    },
    /// Replay seeds of the simulation of cycles, and tell the story of one.
    Simulate {
        /// The seed to replay.
        #[arg(long, value_name = "N", conflicts_with = "seeds")]
        seed: Option<u64>,
        /// How many seeds to live through, from 0 on.
        #[arg(long, value_name = "COUNT")]
        seeds: Option<u64>,
    },
}

fn main() -> ExitCode {
    let root = root();
    let result = match Arguments::parse().task {
        Task::Tidy => tidy::run(&root),
        Task::Test { only_tests, without_servers } => test::run(&root, only_tests, without_servers),
        Task::Docs { check } => docs::run(&root, check),
        Task::Bench { only } => bench::run(&root, &only),
        Task::Simulate { seed, seeds } => simulate::run(&root, seed, seeds),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

/// Runs a command in the workspace and fails when it fails.
fn run(root: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    println!("$ {program} {}", arguments.join(" "));
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("`{program} {}` failed ({status})", arguments.join(" "));
    }
    Ok(())
}
