//! Samba as an Active Directory domain controller: the domain that `cargo xtask test` made, copied for each test.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;

use super::process::{Process, copy, installed, number, tool};
use super::tls::Certificate;

/// The administrator's password; `cargo xtask test` makes the domain with it.
const PASSWORD: &str = "Usher-Te5t!";

/// A running domain controller of `corp.example` with an address of its own. It ends when the value is dropped.
pub struct Samba {
    /// Where it listens, on the ports of LDAP.
    pub ip: Ipv4Addr,
    /// The certificate of the authority that vouches for it, PEM.
    pub authority: String,
    process: Process,
}

impl Samba {
    /// The domain.
    pub const DOMAIN: &'static str = "DC=corp,DC=example";
    /// Who may do everything.
    pub const ADMINISTRATOR: &'static str = "Administrator@corp.example";

    /// A domain controller with nobody in it but those that every domain has.
    ///
    /// # Errors
    /// The servers are not installed, or it does not start. Its ports are below 1024: root may use them, and everybody
    /// in a network of their own (`unshare -rn`, then `ip link set lo up`).
    pub async fn start() -> io::Result<Self> {
        let template = installed()?.join("samba");
        let number = number();
        let ip = address(number);
        let process = Process::new("samba", number)?;
        copy(&template, &process.folder)?;
        let conf = process.folder.join("etc/smb.conf");
        let text = fs::read_to_string(&conf)?;
        let text = text.replace(&template.display().to_string(), &process.folder.display().to_string());
        let lines: Vec<String> = text
            .lines()
            .map(|line| match line.trim_start().starts_with("interfaces =") {
                true => format!("\tinterfaces = {ip}/8"),
                false => line.to_owned(),
            })
            .collect();
        fs::write(&conf, lines.join("\n"))?;
        let certificate = Certificate::new(IpAddr::V4(ip))?;
        let tls = process.folder.join("private/tls");
        fs::create_dir_all(&tls)?;
        fs::write(tls.join("key.pem"), &certificate.key)?;
        fs::write(tls.join("certificate.pem"), &certificate.certificate)?;
        fs::write(tls.join("ca.pem"), &certificate.authority)?;
        set_private(&tls.join("key.pem"))?;
        let mut samba = Self { ip, authority: certificate.authority, process };
        samba.begin().await?;
        Ok(samba)
    }

    /// Its address over TLS.
    pub fn ldaps(&self) -> String {
        format!("ldaps://{}", self.ip)
    }

    /// Its address where TLS is begun on the open connection.
    pub fn ldap(&self) -> String {
        format!("ldap://{}", self.ip)
    }

    /// The administrator's password.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it after `kill`, with what it had.
    ///
    /// # Errors
    /// It does not start.
    pub async fn begin(&mut self) -> io::Result<()> {
        let mut command = Command::new("/usr/sbin/samba");
        command.arg("-s").arg(self.process.folder.join("etc/smb.conf")).args([
            "-F",
            "--no-process-group",
            "-M",
            "single",
            "--debug-stdout",
        ]);
        self.process.start(command, SocketAddr::from((self.ip, 389))).await
    }

    /// Makes changes as the administrator: LDIF, entries without `changetype` are added.
    ///
    /// # Errors
    /// The server refuses a change.
    pub fn change(&self, ldif: &str) -> io::Result<()> {
        let mut command = Command::new("ldapmodify");
        tool(self.signed_in(&mut command).arg("-a"), ldif).map(|_| ())
    }

    /// What is found below the domain as the administrator, as LDIF without comments.
    ///
    /// # Errors
    /// The server refuses the search.
    pub fn search(&self, filter: &str, attributes: &[&str]) -> io::Result<String> {
        let mut command = Command::new("ldapsearch");
        let search =
            self.signed_in(&mut command).args(["-LLL", "-o", "ldif-wrap=no", "-b", Self::DOMAIN, filter]);
        tool(search.args(attributes), "")
    }

    /// Runs Samba's own tool on the domain's files: `user`, `group`, `domain` with their arguments.
    ///
    /// # Errors
    /// The tool fails.
    pub fn samba_tool(&self, arguments: &[&str]) -> io::Result<String> {
        let mut command = Command::new("samba-tool");
        command.args(arguments).arg("-s").arg(self.process.folder.join("etc/smb.conf"));
        tool(&mut command, "")
    }

    fn signed_in<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.args(["-x", "-H", &self.ldap(), "-D", Self::ADMINISTRATOR, "-w", PASSWORD])
    }
}

/// The ports are fixed, so every controller of every process has an address of its own.
fn address(number: u32) -> Ipv4Addr {
    let octet = |number: u32, most: u32| u8::try_from(number % most).unwrap_or(0);
    let id = std::process::id();
    Ipv4Addr::new(127, 16 + octet(number, 200), 1 + octet(id / 254, 254), 1 + octet(id, 254))
}

fn set_private(file: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600))
}
