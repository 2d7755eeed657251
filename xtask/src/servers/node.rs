//! The application with better-auth from npm.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::system::{Needed, ensure, run};
use super::unless_stamped;

const NEEDED: [Needed; 4] = [
    Needed { probe: &["node", "--version"], packages: &["nodejs"] },
    Needed { probe: &["npm", "--version"], packages: &["npm"] },
    // better-sqlite3 is compiled where no ready-made build of it can be had.
    Needed { probe: &["make", "--version"], packages: &["make"] },
    Needed { probe: &["c++", "--version"], packages: &["g++"] },
];

/// The first major version of Node.js that the pinned packages run on.
const OLDEST_NODE: u32 = 20;

/// Installs what the lock file pins, beside `server.mjs`.
pub(super) fn install(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let pins = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    ensure(&NEEDED)?;
    let node = node_version()?;
    // A compiled package fits the version of Node.js that compiled it.
    unless_stamped(&folder.join("node_modules.stamp"), &format!("{node}\n{pins}"), || {
        println!(
            "installing {} into target/servers/better-auth; compiling a part of it takes a minute …",
            started(&pins)?.join(", ")
        );
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        if let Some(prefix) = headers_prefix() {
            npm.env("npm_config_nodedir", prefix);
        }
        run(&mut npm, folder)
    })
}

fn node_version() -> Result<String> {
    let output = Command::new("node").arg("--version").output().context("cannot start node")?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match major(&version) {
        Some(major) if major >= OLDEST_NODE => Ok(version),
        _ => bail!("Node.js {OLDEST_NODE} or newer is needed; `node --version` says {version:?}"),
    }
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Compiling against the headers that came with Node.js saves downloading them.
fn headers_prefix() -> Option<String> {
    let output = Command::new("node").args(["-p", "process.execPath"]).output().ok()?;
    let program = String::from_utf8(output.stdout).ok()?;
    let prefix = Path::new(program.trim()).parent()?.parent()?;
    prefix.join("include/node/node.h").exists().then(|| prefix.display().to_string())
}

/// The packages the program asks for, as `name version`.
fn started(lock: &str) -> Result<Vec<String>> {
    let lock: Value = serde_json::from_str(lock).context("package-lock.json is no JSON")?;
    let packages =
        lock["packages"][""]["dependencies"].as_object().context("package-lock.json has no packages")?;
    Ok(packages
        .iter()
        .map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str =
        include_str!("../../../crates/usher-connectors/tests/servers/better-auth/package-lock.json");

    #[test]
    fn the_lock_file_names_versions_but_no_place_to_load_them_from() {
        let announced = started(LOCK).unwrap();
        assert!(announced.contains(&"better-auth 1.7.5".to_owned()), "{announced:?}");
        assert!(!LOCK.contains("\"resolved\""));
    }

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("20.20.2"), None);
        assert_eq!(major(""), None);
    }
}
