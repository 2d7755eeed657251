//! The settings of a connection to a directory service.

use url::Url;
use usher_core::Secret;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, ConnectorSettings};

use super::dn::Dn;
use crate::Setting;

const fn setting(key: &'static str, is_secret: bool, required: bool, doc: &'static str) -> Setting {
    Setting { key, doc, is_secret, required }
}

/// The keys that are read.
pub(super) const SETTINGS: &[Setting] = &[
    setting(
        "BaseAddress",
        false,
        true,
        "The servers, such as `ldaps://dc1.corp.example`, several with blanks between: the first that answers is used. \
         `ldap://` means StartTLS; a server on this machine that offers no TLS is spoken to without.",
    ),
    setting(
        "UserName",
        false,
        true,
        "Who signs in: a distinguished name, a user principal name, or `DOMAIN\\name`.",
    ),
    setting("Password", true, true, "The password."),
    setting(
        "SearchBase",
        false,
        false,
        "The container that is read and searched, with all below it. Without it the whole domain, or the server's first \
         suffix.",
    ),
    setting(
        "PageSize",
        false,
        false,
        "How many entries the server gives at once, 1 to 1000; 1000 without it. Fewer where the server limits its pages.",
    ),
    setting(
        "SyncAgentADContainer",
        false,
        false,
        "The container that new entries go into unless `parentDistinguishedName` is mapped. Without it the domain's \
         `CN=Users`, or where the search begins.",
    ),
    setting(
        "LeaversContainer",
        false,
        false,
        "The container that users are moved into, switched off, in place of being deleted.",
    ),
    setting(
        "NamingAttribute",
        false,
        false,
        "The attribute that names new entries on servers other than Active Directory, such as `uid`; `cn` without it.",
    ),
];

/// Active Directory's own limit of a page.
const LARGEST_PAGE: i32 = 1_000;

/// The settings, checked.
#[derive(Clone)]
pub(super) struct LdapSettings {
    /// The servers, in the order in which they are tried.
    pub(super) servers: Vec<Server>,
    pub(super) user: String,
    pub(super) password: Secret,
    /// Where reading and searching begins.
    pub(super) base: Option<Dn>,
    /// How many entries the server gives at once.
    pub(super) page_size: i32,
    /// Where new entries go.
    pub(super) container: Option<Dn>,
    pub(super) leavers: Option<Dn>,
    /// What names entries where the server does not say.
    pub(super) naming: String,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) url: Url,
    /// TLS is begun on the open connection.
    pub(super) starts_tls: bool,
    /// It runs on this machine.
    pub(super) is_here: bool,
}

impl LdapSettings {
    pub(super) fn read(settings: &ConnectorSettings) -> Result<Self, ConnectorError> {
        let text = |key: &str| {
            settings.get(key).map(|value| value.expose().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let needed = |key: &str| text(key).ok_or_else(|| rejected(format!("the secret '{key}' is missing")));
        let addresses = needed("BaseAddress")?;
        let servers = addresses
            .split([' ', ','])
            .filter(|address| !address.is_empty())
            .map(server)
            .collect::<Result<Vec<_>, _>>()?;
        let dn = |key: &str| {
            text(key)
                .map(|text| {
                    Dn::parse(&text).map_err(|wrong| {
                        rejected(format!("the secret '{key}' is no distinguished name: {wrong}"))
                    })
                })
                .transpose()
        };
        if let Some(naming) = text("NamingAttribute")
            && !naming.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
        {
            return Err(rejected(format!(
                "the secret 'NamingAttribute' is no name of an attribute: '{naming}'"
            )));
        }
        let page_size = match text("PageSize") {
            None => LARGEST_PAGE,
            Some(text) => {
                text.parse().ok().filter(|size| (1..=LARGEST_PAGE).contains(size)).ok_or_else(|| {
                    rejected(format!("'PageSize' must be 1 to {LARGEST_PAGE}, not '{text}'"))
                })?
            }
        };
        // An empty password would be an anonymous bind, which succeeds and means nothing (RFC 4513 §5.1.2).
        needed("Password")?;
        Ok(Self {
            servers,
            user: needed("UserName")?,
            password: settings.get("Password").cloned().unwrap_or_else(|| Secret::new("")),
            base: dn("SearchBase")?,
            page_size,
            container: dn("SyncAgentADContainer")?,
            leavers: dn("LeaversContainer")?,
            naming: text("NamingAttribute").unwrap_or_else(|| "cn".to_owned()),
        })
    }
}

fn server(address: &str) -> Result<Server, ConnectorError> {
    let wrong = |why: &str| rejected(format!("the address '{address}' cannot be used: {why}"));
    let url = Url::parse(address).map_err(|_| wrong("give it as ldaps://host or ldap://host"))?;
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("it names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(rejected("the address holds a user name; give UserName and Password".to_owned()));
    }
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "ldaps" => Ok(Server { url, starts_tls: false, is_here }),
        "ldap" => Ok(Server { url, starts_tls: true, is_here }),
        _ => Err(wrong("its scheme is neither ldaps nor ldap")),
    }
}

fn rejected(message: String) -> ConnectorError {
    ConnectorError::new(
        ConnectorErrorKind::Rejected,
        "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable",
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<LdapSettings, String> {
        let mut settings = ConnectorSettings::default();
        for (key, value) in [("UserName", "u"), ("Password", "p")].iter().chain(pairs) {
            settings.set(*key, Secret::new(*value));
        }
        LdapSettings::read(&settings).map_err(|error| error.message)
    }

    #[test]
    fn addresses_say_how_tls_is_spoken() {
        let read = read(&[("BaseAddress", "ldaps://a ldap://b.example:3389, ldap://127.0.0.1")]).ok();
        let servers = read.map(|read| read.servers).unwrap_or_default();
        let told: Vec<_> =
            servers.iter().map(|one| (one.url.as_str(), one.starts_tls, one.is_here)).collect();
        let expected = [
            ("ldaps://a", false, false),
            ("ldap://b.example:3389", true, false),
            ("ldap://127.0.0.1", true, true),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_missing_or_malformed_is_said() {
        for (pairs, says) in [
            (&[][..], "'BaseAddress' is missing"),
            (&[("BaseAddress", "dc1")], "give it as ldaps://host"),
            (&[("BaseAddress", "https://dc1")], "neither ldaps nor ldap"),
            (&[("BaseAddress", "ldaps://u:p@dc1")], "holds a user name"),
            (&[("BaseAddress", "ldaps://dc1"), ("Password", "")], "'Password' is missing"),
            (&[("BaseAddress", "ldaps://dc1"), ("LeaversContainer", "x")], "is no distinguished name"),
            (&[("BaseAddress", "ldaps://dc1"), ("NamingAttribute", "u=d")], "is no name of an attribute"),
            (&[("BaseAddress", "ldaps://dc1"), ("PageSize", "0")], "must be 1 to 1000, not '0'"),
            (&[("BaseAddress", "ldaps://dc1"), ("PageSize", "many")], "must be 1 to 1000, not 'many'"),
        ] {
            let error = read(pairs).err().unwrap_or_default();
            assert!(error.contains(says), "{error}");
        }
    }
}
