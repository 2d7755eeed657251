//! Workday Human_Resources over SOAP 1.1: a source of workers.
//!
//! `attributes` and `page` read answers; `request` and `groups` write requests; `service` sends them and tells faults
//! apart; `profile` knows what a worker's status means; `connector` puts them together.

mod attributes;
mod connector;
mod groups;
mod page;
mod profile;
mod request;
mod service;
mod settings;
mod windows;

use std::sync::Arc;

use usher_core::ports::{Capabilities, Connector, ConnectorError, ConnectorSettings};

pub use self::attributes::{Attributes, AttributesError, ShowError, show};
pub use self::page::{Answer, Fault, PageError, Totals, read};
pub use self::settings::mismatch;

use crate::{AllConnectors, ConnectorKind};

const CAPABILITIES: Capabilities = Capabilities {
    source: true,
    target: false,
    assignments: false,
    unique_values: false,
    discovery: false,
    deltas: true,
    lasting_cursors: false,
};

/// The record of this kind.
pub(crate) const KIND: ConnectorKind = ConnectorKind {
    name: "workday",
    summary: "Workers of Workday Human Capital Management, read over its web service.",
    settings: settings::SETTINGS,
    capabilities: CAPABILITIES,
    build,
};

fn build(all: &AllConnectors, settings: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
    Ok(Arc::new(connector::WorkdayConnector::new(all.http.clone(), all.clock.clone(), settings)?))
}
