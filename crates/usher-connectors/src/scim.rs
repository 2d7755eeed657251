//! The SCIM 2.0 connector: plays the client that Microsoft Entra ID is, in both of its PATCH dialects.

mod answer;
mod connector;
mod discovery;
mod fallback;
pub(crate) mod path;
mod request;
mod resource;
mod service;
mod settings;
pub(crate) mod translate;

pub(crate) use service::collect_passwords;

use std::sync::Arc;

use smol_str::SmolStr;
use usher_core::DirectoryObject;
use usher_core::ports::{Capabilities, Connector, ConnectorError, ConnectorSettings};

use crate::{AllConnectors, ConnectorKind};

const CAPABILITIES: Capabilities = Capabilities {
    source: true,
    target: true,
    assignments: false,
    unique_values: true,
    discovery: true,
    deltas: false,
    lasting_cursors: false,
};

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

/// A resource of a SCIM answer as an object with the attributes that are named; `None` when it has no usable id.
/// What a server sends can be anything: this answers for any JSON.
pub fn read_resource(
    object_type: &str,
    resource: &serde_json::Value,
    attributes: &[SmolStr],
) -> Option<DirectoryObject> {
    translate::object(object_type, resource, attributes)
}
