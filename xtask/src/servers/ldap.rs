//! Directory services from Debian: Samba as an Active Directory domain controller, OpenLDAP, and the client tools that
//! tests fill them with. The domain is made once; tests copy its folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::system::{Needed, ensure, run};
use super::unless_stamped;

/// Debian's own Python has Samba's modules; another one on the path has not.
const PYTHON: &str = "/usr/bin/python3";

const NEEDED: [Needed; 4] = [
    Needed {
        probe: &["/usr/sbin/samba", "--version"],
        packages: &["samba", "samba-ad-provision", "winbind"],
    },
    Needed {
        probe: &[PYTHON, "-c", "import samba.provision, samba.samdb"],
        packages: &["python3-samba", "samba-dsdb-modules", "samba-vfs-modules"],
    },
    Needed { probe: &["/usr/sbin/slapd", "-VV"], packages: &["slapd", "slapd-contrib"] },
    Needed { probe: &["ldapsearch", "-VV"], packages: &["ldap-utils"] },
];

/// The administrator's password of the domain that tests copy.
const PASSWORD: &str = "Usher-Te5t!";

/// Installs the packages and makes the domain. Their services are not started.
pub(super) fn install(fixtures: &Path, folder: &Path) -> Result<()> {
    ensure(&NEEDED)?;
    let script = fixtures.join("samba/provision.py");
    let program = fs::read_to_string(&script).with_context(|| format!("cannot read {}", script.display()))?;
    let version = Command::new("/usr/sbin/samba").arg("--version").output().context("cannot start samba")?;
    let stamp = format!("{}\n{program}", String::from_utf8_lossy(&version.stdout));
    let domain = folder.join("samba");
    unless_stamped(&folder.join("samba.stamp"), &stamp, || {
        println!("making an Active Directory domain in target/servers/samba …");
        if domain.exists() {
            fs::remove_dir_all(&domain).with_context(|| format!("cannot remove {}", domain.display()))?;
        }
        run(Command::new(PYTHON).arg(&script).arg(&domain).arg(PASSWORD), folder)
    })
}
