//! Installs the real servers that tests start, and the real clients that tests set on Usher: scim2-server,
//! django-scim2, Microsoft's SDKs and schemathesis from PyPI, better-auth from npm, all at pinned versions, into
//! `target/servers`; Samba and OpenLDAP from Debian.

mod ldap;
mod node;
mod python;
mod system;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where the pins and the programs of our own lie.
const FIXTURES: &str = "crates/usher-connectors/tests/servers";

/// What programs that are clients of the service need.
const CLIENTS: &str = "crates/usher/tests/clients/requirements.txt";

/// The servers, ready to be started.
pub struct Prepared {
    /// The folder with the installed servers; tests expect it in the variable `USHER_TEST_SERVERS`.
    pub folder: PathBuf,
}

/// Installs whatever is not installed yet. What it does it says on standard output.
pub fn prepare(root: &Path) -> Result<Prepared> {
    let folder = root.join("target/servers");
    let fixtures = root.join(FIXTURES);
    let log = folder.join("log");
    if log.exists() {
        fs::remove_dir_all(&log).with_context(|| format!("cannot empty {}", log.display()))?;
    }
    fs::create_dir_all(&log).with_context(|| format!("cannot make {}", log.display()))?;
    copy(&fixtures.join("django-scim2"), &folder.join("django-scim2"))?;
    copy(&fixtures.join("better-auth"), &folder.join("better-auth"))?;
    python::install(&fixtures.join("requirements.txt"), &folder, "venv")?;
    python::install(&root.join(CLIENTS), &folder, "clients")?;
    node::install(&folder.join("better-auth"))?;
    ldap::install(&fixtures, &folder)?;
    Ok(Prepared { folder })
}

/// Installs unless the stamp says that exactly this has been installed here: what is installed knows its own place, and
/// does not work in a copy of the folder. An installation that broke off leaves no stamp.
fn unless_stamped(stamp: &Path, content: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let content = format!("{}\n{content}", stamp.display());
    if fs::read_to_string(stamp).is_ok_and(|found| found == content) {
        return Ok(());
    }
    if stamp.exists() {
        fs::remove_file(stamp).with_context(|| format!("cannot remove {}", stamp.display()))?;
    }
    install()?;
    fs::write(stamp, content).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Copies the files of a folder, without what Python leaves behind.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry.with_context(|| format!("cannot read {}", from.display()))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_file() {
            fs::copy(&source, &target).with_context(|| format!("cannot copy {}", source.display()))?;
        } else if entry.file_name() != "__pycache__" && entry.file_name() != "node_modules" {
            copy(&source, &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own below the system's folder for temporary files.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("usher-xtask-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_stamp_saves_the_second_installation_until_the_pins_change() {
        let folder = folder("stamp");
        let stamp = folder.join("stamp");
        let mut installations = Vec::new();
        for pins in ["a==1", "a==1", "a==2"] {
            let install = || {
                installations.push(pins);
                Ok(())
            };
            unless_stamped(&stamp, pins, install).unwrap();
        }
        assert_eq!(installations, ["a==1", "a==2"]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_was_installed_elsewhere_is_installed_again() {
        let folder = folder("moved");
        let (old, new) = (folder.join("old"), folder.join("new"));
        unless_stamped(&old, "a==1", || Ok(())).unwrap();
        fs::copy(&old, &new).unwrap();
        let mut is_installed = false;
        let install = || {
            is_installed = true;
            Ok(())
        };
        unless_stamped(&new, "a==1", install).unwrap();
        assert!(is_installed);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_broken_installation_leaves_no_stamp() {
        let folder = folder("broken");
        let stamp = folder.join("stamp");
        unless_stamped(&stamp, "a==1", || Ok(())).unwrap();
        let error = unless_stamped(&stamp, "a==2", || anyhow::bail!("no network")).unwrap_err();
        assert_eq!(error.to_string(), "no network");
        assert!(!stamp.exists());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn copies_leave_out_what_programs_leave_behind() {
        let folder = folder("copy");
        for file in ["from/serve.py", "from/people/models.py", "from/people/__pycache__/models.pyc"] {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        copy(&folder.join("from"), &folder.join("to")).unwrap();
        assert!(folder.join("to/people/models.py").exists() && folder.join("to/serve.py").exists());
        assert!(!folder.join("to/people/__pycache__").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
