//! OpenLDAP's server, with the parts that a directory of people usually has.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;

use super::free_port;
use super::process::{Process, number, tool};
use super::tls::Certificate;

const PASSWORD: &str = "slapd-for-tests";

/// A running server of `dc=example,dc=org`. It ends when the value is dropped.
pub struct Slapd {
    /// The certificate of the authority that vouches for it, PEM.
    pub authority: String,
    port: u16,
    tls_port: u16,
    is_without_tls: bool,
    process: Process,
}

/// How the server behaves.
#[derive(Clone, Debug, Default)]
pub struct SlapdOptions {
    /// It does not tell what changed (no `syncprov`).
    pub is_without_sync: bool,
    /// How many deletions it remembers; none means 100,000.
    pub remembers: Option<u32>,
    /// Entries that it begins with, besides the suffix: LDIF.
    pub ldif: String,
    /// It offers no TLS: what is said to it can be read on the wire.
    pub is_without_tls: bool,
    /// It begins with nothing, not even the suffix: another server is to fill it.
    pub is_empty: bool,
    /// Lines for the end of the configuration, such as those that make it another server's replica.
    pub more: String,
}

impl Slapd {
    /// The suffix.
    pub const SUFFIX: &'static str = "dc=example,dc=org";
    /// Who may do everything.
    pub const ADMINISTRATOR: &'static str = "cn=admin,dc=example,dc=org";

    /// A server with `ou=people` and `ou=groups` and what the options say.
    ///
    /// # Errors
    /// The servers are not installed, or it does not start.
    pub async fn start(options: &SlapdOptions) -> io::Result<Self> {
        let certificate = Certificate::new(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
        let process = Process::new("slapd", number())?;
        fs::create_dir_all(process.folder.join("db"))?;
        for (name, text) in [
            ("ca.pem", &certificate.authority),
            ("certificate.pem", &certificate.certificate),
            ("key.pem", &certificate.key),
        ] {
            fs::write(process.folder.join(name), text)?;
        }
        let (port, tls_port) = (free_port()?, free_port()?);
        let is_without_tls = options.is_without_tls;
        let mut slapd = Self { authority: certificate.authority, port, tls_port, is_without_tls, process };
        fs::write(slapd.conf(), slapd.configuration(options))?;
        if !options.is_empty {
            slapd.load(&options.ldif)?;
        }
        slapd.begin().await?;
        Ok(slapd)
    }

    /// Its address over TLS.
    pub fn ldaps(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.tls_port)
    }

    /// Its address where TLS is begun on the open connection.
    pub fn ldap(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
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
        let mut command = Command::new("/usr/sbin/slapd");
        let addresses = match self.is_without_tls {
            true => format!("{}/", self.ldap()),
            false => format!("{}/ {}/", self.ldap(), self.ldaps()),
        };
        command.arg("-f").arg(self.conf()).args(["-h", &addresses, "-d", "0"]);
        self.process.start(command, SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))).await
    }

    /// Makes changes as the administrator: LDIF, entries without `changetype` are added.
    ///
    /// # Errors
    /// The server refuses a change.
    pub fn change(&self, ldif: &str) -> io::Result<()> {
        let mut command = Command::new("ldapmodify");
        tool(self.signed_in(&mut command).arg("-a"), ldif).map(|_| ())
    }

    /// What is found below the suffix as the administrator, as LDIF without comments.
    ///
    /// # Errors
    /// The server refuses the search.
    pub fn search(&self, filter: &str, attributes: &[&str]) -> io::Result<String> {
        let mut command = Command::new("ldapsearch");
        let search =
            self.signed_in(&mut command).args(["-LLL", "-o", "ldif-wrap=no", "-b", Self::SUFFIX, filter]);
        tool(search.args(attributes), "")
    }

    fn signed_in<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.args(["-x", "-H", &self.ldap(), "-D", Self::ADMINISTRATOR, "-w", PASSWORD])
    }

    fn conf(&self) -> std::path::PathBuf {
        self.process.folder.join("slapd.conf")
    }

    /// Loads the first entries straight into the database, with the numbers that replicas need.
    fn load(&self, ldif: &str) -> io::Result<()> {
        let suffix = Self::SUFFIX;
        let text = format!(
            "dn: {suffix}\nobjectClass: organization\nobjectClass: dcObject\no: Example\ndc: example\n\n\
             dn: ou=people,{suffix}\nobjectClass: organizationalUnit\nou: people\n\n\
             dn: ou=groups,{suffix}\nobjectClass: organizationalUnit\nou: groups\n\n{ldif}"
        );
        let mut command = Command::new("/usr/sbin/slapadd");
        tool(command.args(["-q", "-w", "-f"]).arg(self.conf()), &text).map(|_| ())
    }

    fn configuration(&self, options: &SlapdOptions) -> String {
        let folder = self.process.folder.display();
        let (suffix, administrator) = (Self::SUFFIX, Self::ADMINISTRATOR);
        let mut text = String::new();
        for schema in ["core", "cosine", "inetorgperson"] {
            let _ = writeln!(text, "include /etc/ldap/schema/{schema}.schema");
        }
        let _ = write!(
            text,
            "pidfile {folder}/slapd.pid\n\
             modulepath /usr/lib/ldap\n\
             moduleload back_mdb\nmoduleload refint\nmoduleload syncprov\n"
        );
        if !options.is_without_tls {
            let _ = write!(
                text,
                "TLSCACertificateFile {folder}/ca.pem\n\
                 TLSCertificateFile {folder}/certificate.pem\n\
                 TLSCertificateKeyFile {folder}/key.pem\n"
            );
        }
        let _ = write!(
            text,
            "sizelimit unlimited\nsortvals member\n\
             database mdb\n\
             suffix \"{suffix}\"\nrootdn \"{administrator}\"\nrootpw {PASSWORD}\n\
             directory {folder}/db\nmaxsize 4294967296\ndbnosync\n\
             index objectClass,uid,cn,mail,employeeNumber,member,entryUUID,entryCSN eq\n\
             overlay refint\nrefint_attributes manager member\nrefint_nothing \"\"\n"
        );
        if !options.is_without_sync {
            let remembers = options.remembers.unwrap_or(100_000);
            let _ = writeln!(text, "overlay syncprov\nsyncprov-checkpoint 1000 5");
            if remembers > 0 {
                let _ = writeln!(text, "syncprov-sessionlog {remembers}");
            }
        }
        text.push_str(&options.more);
        text
    }
}
