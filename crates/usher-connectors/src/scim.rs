//! The SCIM 2.0 connector: plays the client that Microsoft Entra ID is, in both of its PATCH dialects.

mod answer;
mod connector;
mod discovery;
mod fallback;
mod path;
mod request;
mod resource;
mod service;
mod settings;
mod translate;

use std::sync::Arc;

use usher_core::ports::{Capabilities, Connector, ConnectorError, ConnectorSettings};

use crate::{AllConnectors, ConnectorKind};

const CAPABILITIES: Capabilities =
    Capabilities { source: true, target: true, assignments: false, unique_values: true, discovery: true };

/// The record of this kind.
pub(crate) const KIND: ConnectorKind = ConnectorKind {
    name: "scim",
    summary: "Users and groups of an application that speaks SCIM 2.0.",
    settings: settings::SETTINGS,
    capabilities: CAPABILITIES,
    build,
};

fn build(all: &AllConnectors, settings: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
    Ok(Arc::new(connector::ScimConnector::new(all.http.clone(), settings)?))
}
