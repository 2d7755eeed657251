//! The servers, clients and tools from PyPI, each set in a virtual environment of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::system::{Needed, ensure, run};
use super::unless_stamped;

const NEEDED: [Needed; 2] = [
    Needed { probe: &["python3", "--version"], packages: &["python3"] },
    // Debian's python3 can import venv, but makes no environment without ensurepip.
    Needed { probe: &["python3", "-c", "import ensurepip, venv"], packages: &["python3-venv"] },
];

/// Installs the pinned requirements into the virtual environment of this name.
pub(super) fn install(requirements: &Path, folder: &Path, name: &str) -> Result<()> {
    let pins = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let environment = folder.join(name);
    unless_stamped(&folder.join(format!("{name}.stamp")), &pins, || {
        ensure(&NEEDED)?;
        println!("installing {} into target/servers/{name} …", started(&pins).join(", "));
        if environment.exists() {
            fs::remove_dir_all(&environment)
                .with_context(|| format!("cannot remove {}", environment.display()))?;
        }
        run(Command::new("python3").args(["-m", "venv", name]), folder)?;
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--requirement",
        ]);
        run(pip.arg(requirements), folder)
    })
}

/// The requirements above the first blank line, as `name version`: those that tests start themselves.
fn started(pins: &str) -> Vec<String> {
    pins.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.replace("==", " "))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::started;

    #[test]
    fn only_what_is_started_is_announced() {
        let pins = "# What the tests start.\na==1.0\nb==2.1\n\n# What those need.\nc==3\n";
        assert_eq!(started(pins), ["a 1.0", "b 2.1"]);
    }

    #[test]
    fn every_requirement_has_one_exact_version() {
        let servers = include_str!("../../../crates/usher-connectors/tests/servers/requirements.txt");
        let clients = include_str!("../../../crates/usher/tests/clients/requirements.txt");
        for line in
            servers.lines().chain(clients.lines()).filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (_, version) = line.split_once("==").unwrap_or_else(|| panic!("{line} has no version"));
            assert!(version.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'), "{line}");
        }
    }
}
