//! Microsoft Entra ID through Microsoft Graph, as source and as target.

mod answer;
mod assignments;
mod connector;
mod discovery;
mod properties;
mod request;
mod service;
mod settings;
mod source;
mod translate;
mod write;

use std::sync::Arc;

use usher_core::ports::{Capabilities, Connector, ConnectorError, ConnectorSettings};

use crate::{AllConnectors, ConnectorKind};

const CAPABILITIES: Capabilities = Capabilities {
    source: true,
    target: true,
    assignments: true,
    unique_values: true,
    discovery: true,
    deltas: true,
    lasting_cursors: true,
};

/// The record of this kind.
pub(crate) const KIND: ConnectorKind = ConnectorKind {
    name: "entra",
    summary: "Users and groups of a Microsoft Entra tenant, through Microsoft Graph.",
    settings: settings::SETTINGS,
    capabilities: CAPABILITIES,
    build,
};

fn build(all: &AllConnectors, settings: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
    let connector = connector::EntraConnector::new(all.http.clone(), all.clock.clone(), settings)?;
    Ok(Arc::new(connector))
}
