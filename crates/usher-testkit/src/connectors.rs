//! The connectors of a test, by kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_core::ports::{Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Connectors};

/// Connectors that a test made, handed out by kind whatever the settings say.
#[derive(Default)]
pub struct MemoryConnectors {
    kinds: BTreeMap<String, Arc<dyn Connector>>,
}

impl MemoryConnectors {
    /// The same set, with a connector under the name of a kind.
    pub fn with(mut self, kind: &str, connector: Arc<dyn Connector>) -> Self {
        self.kinds.insert(kind.to_owned(), connector);
        self
    }
}

impl Connectors for MemoryConnectors {
    fn build(&self, kind: &str, _: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
        self.kinds.get(kind).cloned().ok_or_else(|| {
            ConnectorError::new(
                ConnectorErrorKind::Unsupported,
                "NotImplemented",
                format!("there is no connector '{kind}'"),
            )
        })
    }

    fn reads(&self, _: &str) -> bool {
        false
    }
}
