//! The synchronization schema (being written).

/// A directory of a schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DirectoryDefinition {}
