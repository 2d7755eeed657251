//! The connectors: the only place that speaks a directory's protocol. `kinds` is the table.

mod api;
mod directory;
mod entra;
pub mod graph;
mod http;
mod identity;
mod issuer;
mod ldap;
pub mod scim;
mod token;
mod transcript;
pub mod workday;
mod xpath;

use std::sync::Arc;

use usher_core::ports::{
    Capabilities, Clock, Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Connectors, Store,
};

pub use crate::http::{HttpOptions, HttpOptionsError, ProxyOptions};
pub use crate::issuer::Issuer;

use crate::http::Http;

/// All kinds, in alphabetical order.
const KINDS: &[ConnectorKind] =
    &[api::KIND, directory::KIND, entra::KIND, ldap::KIND, scim::KIND, workday::KIND];

/// A kind of connector.
pub struct ConnectorKind {
    /// The name that templates use.
    pub name: &'static str,
    /// What it speaks to, in a sentence.
    pub summary: &'static str,
    /// The settings that it reads.
    pub settings: &'static [Setting],
    /// What its connectors can do.
    pub capabilities: Capabilities,
    build: fn(&AllConnectors, &ConnectorSettings) -> Built,
}

/// What building a connector leads to.
type Built = Result<Arc<dyn Connector>, ConnectorError>;

/// A setting of a kind: a secret of the synchronization job under its Graph key.
pub struct Setting {
    /// The Graph secret key, such as `BaseAddress`.
    pub key: &'static str,
    /// What it means, in a sentence or two.
    pub doc: &'static str,
    /// Its value is never shown.
    pub is_secret: bool,
    /// Nothing works without it.
    pub required: bool,
}

/// The kinds of connectors there are.
pub fn kinds() -> &'static [ConnectorKind] {
    KINDS
}

/// Makes connectors of all kinds. Those that speak HTTP share their network connections.
pub struct AllConnectors {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) http: Arc<Http>,
}

impl AllConnectors {
    /// Checks the options; nothing is connected yet. `store` holds the directory inside, `clock` dates its entries.
    ///
    /// # Errors
    /// The extra certificates or the proxy cannot be used.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        http: HttpOptions,
    ) -> Result<Self, HttpOptionsError> {
        Ok(Self { store, clock, http: Arc::new(Http::new(http)?) })
    }
}

impl Connectors for AllConnectors {
    fn build(&self, kind: &str, settings: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
        let Some(found) = KINDS.iter().find(|known| known.name.eq_ignore_ascii_case(kind)) else {
            let names: Vec<&str> = KINDS.iter().map(|known| known.name).collect();
            return Err(ConnectorError::new(
                ConnectorErrorKind::Unsupported,
                "NotImplemented",
                format!("there is no connector '{kind}'; there are: {}", names.join(", ")),
            ));
        };
        (found.build)(self, settings)
    }

    fn reads(&self, key: &str) -> bool {
        KINDS.iter().flat_map(|kind| kind.settings).any(|setting| setting.key.eq_ignore_ascii_case(key))
    }
}
