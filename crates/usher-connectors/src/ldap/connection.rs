//! Connections to the servers: TLS, sign-in, the next server when one is gone, and what the server says of itself.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::{BuilderVerifierExt, Verifier};
use usher_core::ports::{ConnectorError, ConnectorErrorKind};

use super::dn::Dn;
use super::errors;
use super::schema::DirectorySchema;
use super::settings::{LdapSettings, Server};

/// The capability of a root DSE that makes it Active Directory.
const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";

/// A signed-in connection, and the server at its end. Clones share the connection.
#[derive(Clone)]
pub(super) struct Session {
    ldap: Ldap,
    timeout: Duration,
    pub(super) server: Arc<ServerFacts>,
}

/// What a server says of itself.
#[derive(Debug)]
pub(super) struct ServerFacts {
    /// Its address.
    pub(super) address: String,
    /// Nobody on the way can read what is sent.
    pub(super) is_protected: bool,
    /// Active Directory, not another kind of server.
    pub(super) is_active_directory: bool,
    /// The domain, or the first suffix.
    pub(super) base: Dn,
    /// All that it holds.
    pub(super) contexts: Vec<Dn>,
    /// The name of its settings object, which tells domain controllers apart.
    pub(super) service: String,
    /// Controls that it knows.
    pub(super) controls: Vec<String>,
    /// Its schema.
    pub(super) schema: Arc<DirectorySchema>,
}

impl ServerFacts {
    /// What a server that nobody spoke to yet is taken for: Active Directory, as its settings hint.
    pub(super) fn assumed(settings: &LdapSettings) -> Self {
        let base = settings.base.clone().or_else(|| settings.container.clone()).unwrap_or_default();
        Self {
            address: String::new(),
            is_protected: true,
            is_active_directory: true,
            contexts: Vec::new(),
            base,
            service: String::new(),
            controls: Vec::new(),
            schema: Arc::default(),
        }
    }
}

impl Session {
    /// A handle for one operation, with the time limit.
    pub(super) fn ldap(&self) -> Ldap {
        let mut ldap = self.ldap.clone();
        ldap.with_timeout(self.timeout);
        ldap
    }

    fn is_closed(&self) -> bool {
        self.ldap.clone().is_closed()
    }
}

/// The servers of one job, and the connection that is in use.
pub(super) struct Servers {
    settings: LdapSettings,
    tls: Result<Arc<ClientConfig>, String>,
    timeout: Duration,
    shared: tokio::sync::Mutex<Option<Session>>,
    /// What the last server said of itself, for whoever cannot ask now.
    facts: RwLock<Option<Arc<ServerFacts>>>,
}

impl Servers {
    /// `extra_ca` are PEM certificates to trust besides the system's; `timeout` limits each request.
    pub(super) fn new(settings: LdapSettings, extra_ca: Option<&[u8]>, timeout: Duration) -> Self {
        Self {
            settings,
            tls: tls(extra_ca).map(Arc::new),
            timeout,
            shared: tokio::sync::Mutex::new(None),
            facts: RwLock::new(None),
        }
    }

    pub(super) fn settings(&self) -> &LdapSettings {
        &self.settings
    }

    /// What the server in use said of itself, if one ever was.
    pub(super) fn known(&self) -> Option<Arc<ServerFacts>> {
        self.facts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection that is shared by all; made, or made anew when it broke.
    pub(super) async fn session(&self) -> Result<Session, ConnectorError> {
        let mut shared = self.shared.lock().await;
        if let Some(session) = shared.as_ref().filter(|session| !session.is_closed()) {
            return Ok(session.clone());
        }
        let session = self.open().await?;
        *shared = Some(session.clone());
        Ok(session)
    }

    /// Forgets the shared connection, when it is this one: it broke.
    pub(super) async fn forget(&self, broken: &Session) {
        let mut shared = self.shared.lock().await;
        if shared.as_ref().is_some_and(|session| Arc::ptr_eq(&session.server, &broken.server)) {
            *shared = None;
        }
    }

    /// A connection of its own: the first server that answers. A wrong password is wrong everywhere, and asking on would
    /// lock the account.
    pub(super) async fn open(&self) -> Result<Session, ConnectorError> {
        let mut last = None;
        for server in &self.settings.servers {
            match self.connect(server).await {
                Ok(session) => {
                    *self.facts.write().unwrap_or_else(PoisonError::into_inner) =
                        Some(session.server.clone());
                    return Ok(session);
                }
                Err(error) if error.kind == ConnectorErrorKind::Unreachable => {
                    tracing::warn!(server = server.url.as_str(), error = %error, "a directory server cannot be reached");
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            ConnectorError::new(ConnectorErrorKind::Rejected, "InvalidAnchor", "no server is configured")
        }))
    }

    async fn connect(&self, server: &Server) -> Result<Session, ConnectorError> {
        let address = server.url.as_str();
        let what = format!("connect to {address}");
        let (mut ldap, is_protected) = self.dial(server, &what).await?;
        let signed_in = ldap
            .with_timeout(self.timeout)
            .simple_bind(&self.settings.user, self.settings.password.expose())
            .await
            .and_then(ldap3::LdapResult::success);
        signed_in.map_err(|error| {
            errors::failure(error, &format!("sign in at {address} as {}", self.settings.user), false)
        })?;
        let known = self.known().filter(|known| known.address == address);
        let facts = facts(&mut ldap, address, is_protected, known.as_deref())
            .await
            .map_err(|error| errors::failure(error, &what, false))?;
        Ok(Session { ldap, timeout: self.timeout, server: Arc::new(facts) })
    }

    /// A connection that nobody signed in on, and whether it is protected. A server on this machine that offers no TLS
    /// is spoken to in clear text.
    async fn dial(&self, server: &Server, what: &str) -> Result<(Ldap, bool), ConnectorError> {
        match self.dial_once(server, server.starts_tls, what).await {
            Err(LdapError::LdapResult { .. }) if server.is_here => {
                let ldap = self.dial_once(server, false, what).await;
                ldap.map(|ldap| (ldap, false)).map_err(|error| errors::failure(error, what, false))
            }
            Ok(ldap) => Ok((ldap, true)),
            Err(error) => Err(errors::failure(error, what, false)),
        }
    }

    async fn dial_once(&self, server: &Server, starts_tls: bool, what: &str) -> Result<Ldap, LdapError> {
        let config = self.tls.clone().map_err(|error| {
            std::io::Error::new(std::io::ErrorKind::InvalidInput, format!("{what}: {error}"))
        })?;
        let settings = LdapConnSettings::new()
            .set_conn_timeout(self.timeout.min(Duration::from_secs(30)))
            .set_starttls(starts_tls)
            .set_config(config);
        let (connection, ldap) = LdapConnAsync::with_settings(settings, server.url.as_str()).await?;
        tokio::spawn(async move {
            // A connection that breaks is noticed by whoever uses it.
            let _ = connection.drive().await;
        });
        Ok(ldap)
    }
}

fn tls(extra_ca: Option<&[u8]>) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let Some(pem) = extra_ca else {
        let builder = builder.with_platform_verifier().map_err(|error| error.to_string())?;
        return Ok(builder.with_no_client_auth());
    };
    let roots: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("the extra certificates cannot be read: {error}"))?;
    let verifier = Verifier::new_with_extra_roots(roots, provider).map_err(|error| error.to_string())?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// What a server says of itself; a schema that is known already is not read again.
async fn facts(
    ldap: &mut Ldap,
    address: &str,
    is_protected: bool,
    known: Option<&ServerFacts>,
) -> Result<ServerFacts, LdapError> {
    let root = base_entry(ldap, "", &["*", "+"]).await?;
    let all = |name: &str| root.as_ref().map(|root| values(root, name)).unwrap_or_default();
    let first = |name: &str| all(name).into_iter().next();
    let dn = |text: &String| Dn::parse(text).ok();
    let contexts: Vec<Dn> = all("namingContexts").iter().filter_map(dn).collect();
    let base = first("defaultNamingContext").as_ref().and_then(dn).or_else(|| contexts.first().cloned());
    let schema = match (known, first("subschemaSubentry")) {
        (Some(known), _) => known.schema.clone(),
        (None, Some(name)) => Arc::new(
            base_entry(ldap, &name, &["attributeTypes", "objectClasses"])
                .await?
                .map(|entry| {
                    DirectorySchema::read(&values(&entry, "attributeTypes"), &values(&entry, "objectClasses"))
                })
                .unwrap_or_default(),
        ),
        (None, None) => Arc::default(),
    };
    Ok(ServerFacts {
        address: address.to_owned(),
        is_protected,
        is_active_directory: all("supportedCapabilities").iter().any(|one| one == ACTIVE_DIRECTORY),
        base: base.unwrap_or_default(),
        contexts,
        service: first("dsServiceName").unwrap_or_default(),
        controls: all("supportedControl"),
        schema,
    })
}

async fn base_entry(
    ldap: &mut Ldap,
    base: &str,
    attributes: &[&str],
) -> Result<Option<SearchEntry>, LdapError> {
    let (entries, _) =
        ldap.search(base, Scope::Base, "(objectClass=*)", attributes.to_vec()).await?.success()?;
    Ok(entries.into_iter().find(|entry| !entry.is_ref()).map(SearchEntry::construct))
}

/// The values of an attribute of an entry, by its name in any case.
pub(super) fn values(entry: &SearchEntry, name: &str) -> Vec<String> {
    let found = entry.attrs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, values)| values.clone()).unwrap_or_default()
}
