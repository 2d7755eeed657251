//! The connector of the directory inside: users and groups of the embedded tenant, as source and as target.

mod assignments;
mod connector;
pub(crate) mod discovery;
pub(crate) mod request;
mod source;
pub(crate) mod translate;

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
    name: "directory",
    summary: "Users and groups of the directory inside.",
    settings: &[],
    capabilities: CAPABILITIES,
    build,
};

fn build(all: &AllConnectors, _: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
    Ok(Arc::new(connector::DirectoryConnector::new(all.store.clone(), all.clock.clone())))
}

#[cfg(test)]
mod tests;
