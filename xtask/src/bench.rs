//! `cargo xtask bench`: figures, with the machine that they were measured on.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{run as command, servers};

/// The benchmarks: name, package, target.
const BENCHES: &[(&str, &str, &str)] = &[
    ("expressions", "usher-expr", "evaluate"),
    ("plan", "usher-core", "plan"),
    ("on-demand", "usher", "on_demand"),
    ("api", "usher", "api"),
    ("cycle", "usher", "cycle"),
    ("workday", "usher-connectors", "workday"),
    ("ldap", "usher-connectors", "ldap"),
];

/// Those that take long, and run only when they are named: name, package, target, argument.
const LONG: &[(&str, &str, &str, &str)] = &[("cycle-million", "usher", "cycle", "million")];

/// Runs the benchmarks that are named, or all but the long ones.
pub fn run(root: &Path, only: &[String]) -> Result<()> {
    let known: Vec<&str> =
        BENCHES.iter().map(|(name, ..)| *name).chain(LONG.iter().map(|(name, ..)| *name)).collect();
    if let Some(unknown) = only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no benchmark '{unknown}'; there are: {}", known.join(", "));
    }
    println!("{}", machine());
    for (name, package, target) in BENCHES {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            if *name == "ldap" {
                with_servers(root, package, target)?;
            } else {
                command(root, "cargo", &["bench", "--package", package, "--bench", target])?;
            }
        }
    }
    for (name, package, target, argument) in LONG {
        if only.iter().any(|wanted| wanted == name) {
            command(root, "cargo", &["bench", "--package", package, "--bench", target, "--", argument])?;
        }
    }
    println!("{}", machine());
    Ok(())
}

/// A benchmark that starts real servers.
fn with_servers(root: &Path, package: &str, target: &str) -> Result<()> {
    let prepared = servers::prepare(root)?;
    let status = Command::new("cargo")
        .args(["bench", "--package", package, "--bench", target, "--features", "real-servers"])
        .env("USHER_TEST_SERVERS", &prepared.folder)
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    if status.success() { Ok(()) } else { bail!("the benchmark '{target}' failed ({status})") }
}

/// Processor, cores and memory, as Linux tells them.
fn machine() -> String {
    let read = |path: &str, key: &str| {
        fs::read_to_string(path).ok().and_then(|text| {
            text.lines()
                .find(|line| line.starts_with(key))
                .and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
        })
    };
    let processor = read("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = read("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown memory".to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("machine: {processor}, {cores} cores, {memory}, {}", std::env::consts::OS)
}
