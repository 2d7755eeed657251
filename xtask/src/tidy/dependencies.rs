//! Who may depend on whom: between our packages, and on outside crates that have one home.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Our packages and the packages of ours that each may use in its code.
const ALLOWED: &[(&str, &[&str])] = &[
    ("usher-expr", &[]),
    ("usher-core", &["usher-expr"]),
    ("usher-connectors", &["usher-core", "usher-expr"]),
    ("usher-store", &["usher-core"]),
    ("usher-engine", &["usher-core", "usher-expr"]),
    ("usher-server", &["usher-core", "usher-engine", "usher-expr"]),
    ("usher-sandbox", &[]),
    ("usher-testkit", &["usher-core", "usher-expr"]),
    (
        "usher",
        &[
            "usher-core",
            "usher-expr",
            "usher-connectors",
            "usher-store",
            "usher-engine",
            "usher-server",
            "usher-sandbox",
        ],
    ),
    ("xtask", &[]),
];

/// Outside crates that only some packages may use.
const HOMES: &[(&str, &[&str])] = &[
    ("rusqlite", &["usher-store"]),
    ("tokio-postgres", &["usher-store"]),
    ("axum", &["usher-server", "usher-sandbox"]),
    ("axum-server", &["usher-server"]),
    ("reqwest", &["usher-connectors"]),
    ("ldap3", &["usher-connectors"]),
    ("quick-xml", &["usher-connectors"]),
    ("roxmltree", &["usher-connectors", "usher-sandbox"]),
    ("clap", &["usher", "xtask"]),
    ("anyhow", &["usher", "xtask"]),
];

/// Packages that know no I/O: these crates may not be used there.
const NOT_IN_CORE: &[&str] = &["tokio", "axum", "reqwest", "rusqlite", "futures", "tracing", "hyper"];

/// Checks the edges that `cargo metadata` reports.
pub fn check(root: &Path, findings: &mut Vec<String>) -> Result<()> {
    let edges = edges(root)?;
    for (package, dependencies) in &edges {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| name == package) else {
            findings.push(format!(
                "crates/{package}: a new package is an architecture change; write a decision record and add it to \
                 xtask/src/tidy/dependencies.rs"
            ));
            continue;
        };
        for (dependency, is_dev) in dependencies {
            let ours = dependency.starts_with("usher") && dependency != "usher-testkit";
            if dependency == "usher-testkit" && !is_dev {
                findings.push(format!(
                    "crates/{package}/Cargo.toml: usher-testkit is only ever a dev-dependency"
                ));
            }
            if ours && !is_dev && !allowed.contains(&dependency.as_str()) {
                findings
                    .push(format!("crates/{package}/Cargo.toml: {package} may not depend on {dependency}"));
            }
            if *is_dev {
                continue;
            }
            if let Some((_, homes)) = HOMES.iter().find(|(name, _)| name == dependency)
                && !homes.contains(&package.as_str())
            {
                findings.push(format!(
                    "crates/{package}/Cargo.toml: {dependency} belongs to {}, not to {package}",
                    homes.join(" and ")
                ));
            }
            if ["usher-expr", "usher-core"].contains(&package.as_str())
                && NOT_IN_CORE.contains(&dependency.as_str())
            {
                findings.push(format!(
                    "crates/{package}/Cargo.toml: {package} does no I/O and may not use {dependency}"
                ));
            }
        }
    }
    Ok(())
}

fn edges(root: &Path) -> Result<BTreeMap<String, Vec<(String, bool)>>> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cannot start cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    Ok(packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|dependency| {
                    let name = dependency["name"].as_str().unwrap_or_default().to_owned();
                    (name, dependency["kind"].as_str() == Some("dev"))
                })
                .collect();
            (package["name"].as_str().unwrap_or_default().to_owned(), dependencies)
        })
        .collect())
}
