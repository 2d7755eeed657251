//! Looks for the programs of the operating system that an installation needs, and gets those that are missing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A program and the Debian packages that bring it.
pub(super) struct Needed {
    /// How to find out: a command that succeeds when the program is there.
    pub(super) probe: &'static [&'static str],
    /// The packages.
    pub(super) packages: &'static [&'static str],
}

/// Makes sure the programs are there. Root on a system with apt-get installs them; others are told how to.
pub(super) fn ensure(needed: &[Needed]) -> Result<()> {
    let missing = missing_packages(needed, succeeds);
    if missing.is_empty() {
        return Ok(());
    }
    let command = format!("apt-get install -y --no-install-recommends {}", missing.join(" "));
    if !is_root() || !succeeds(&["apt-get", "--version"]) {
        bail!("the servers that tests start need more programs; install them with\n\n    sudo {command}\n");
    }
    println!("installing with `{command}` …");
    let _quiet = Quiet::begin()?;
    let install = || succeeds(&command.split(' ').collect::<Vec<_>>());
    // Package lists that are too old are the usual reason for a first failure.
    let is_installed = install() || (succeeds(&["apt-get", "update"]) && install());
    if !is_installed {
        bail!("`{command}` failed");
    }
    match missing_packages(needed, succeeds).as_slice() {
        [] => Ok(()),
        still => bail!("`{command}` did not bring what is needed of {}", still.join(" ")),
    }
}

/// Debian's packages start their services when they are installed, unless this file says no.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// While it lives, no package starts a service.
struct Quiet {
    is_ours: bool,
}

impl Quiet {
    fn begin() -> Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        if Path::new(POLICY).exists() {
            return Ok(Self { is_ours: false });
        }
        fs::write(POLICY, "#!/bin/sh\nexit 101\n").with_context(|| format!("cannot write {POLICY}"))?;
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))
            .with_context(|| format!("cannot make {POLICY} a program"))?;
        Ok(Self { is_ours: true })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}

/// Runs a command in a folder, shows what it prints, and fails when it fails.
pub(super) fn run(command: &mut Command, folder: &Path) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let arguments: Vec<_> =
        command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let line = format!("{program} {}", arguments.join(" "));
    println!("$ {line}");
    let status = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    if status.success() { Ok(()) } else { bail!("`{line}` failed ({status})") }
}

fn missing_packages(needed: &[Needed], is_there: impl Fn(&[&str]) -> bool) -> Vec<&'static str> {
    let missing = needed.iter().filter(|needed| !is_there(needed.probe));
    missing.flat_map(|needed| needed.packages.iter().copied()).collect()
}

fn succeeds(command: &[&str]) -> bool {
    let [program, arguments @ ..] = command else { return false };
    let status = Command::new(program)
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [Needed; 2] = [
        Needed { probe: &["node", "--version"], packages: &["nodejs"] },
        Needed { probe: &["c++", "--version"], packages: &["make", "g++"] },
    ];

    #[test]
    fn packages_of_absent_programs_are_missing() {
        assert_eq!(missing_packages(&NEEDED, |probe| probe[0] == "node"), ["make", "g++"]);
        assert_eq!(missing_packages(&NEEDED, |_| true), [""; 0]);
    }

    #[test]
    fn a_command_that_does_not_exist_does_not_succeed() {
        assert!(!succeeds(&["no-such-program-anywhere"]));
        assert!(!succeeds(&[]));
        assert!(succeeds(&["true"]) && !succeeds(&["false"]));
    }
}
