//! The connector of directory services: Active Directory, and any other server that speaks LDAP (RFC 4511).

mod changes;
mod connection;
mod connector;
mod controls;
mod discovery;
mod dn;
mod entries;
mod errors;
mod requests;
mod scan;
mod schema;
mod settings;
mod values;
mod write;

use std::sync::Arc;

use usher_core::ports::{Capabilities, Connector, ConnectorError, ConnectorSettings};

use crate::{AllConnectors, ConnectorKind};
use connector::LdapConnector;

/// What the connector can do.
const CAPABILITIES: Capabilities = Capabilities {
    source: true,
    target: true,
    assignments: false,
    unique_values: true,
    discovery: true,
    deltas: true,
    lasting_cursors: false,
};

/// The record of this kind.
pub(crate) const KIND: ConnectorKind = ConnectorKind {
    name: "ldap",
    summary: "Active Directory, OpenLDAP and other servers that speak LDAP, over TLS.",
    settings: settings::SETTINGS,
    capabilities: CAPABILITIES,
    build,
};

fn build(all: &AllConnectors, settings: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
    let settings = settings::LdapSettings::read(settings)?;
    Ok(Arc::new(LdapConnector::new(settings, all.http.options(), all.clock.clone())))
}
