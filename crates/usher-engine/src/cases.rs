//! What a caller may ask for. The server and the command line share these; each is one transaction of sense.

pub mod applications;
pub mod assignments;
pub mod deleted;
pub mod directories;
pub mod directory;
pub mod groups;
pub mod jobs;
pub mod on_demand;
pub mod plans;
pub mod recordings;
pub mod related;
pub mod schemas;
pub mod secrets;
pub mod templates;
pub mod uploads;
pub mod users;

use usher_core::ports::StoreError;

/// Why a case was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The named thing is not there.
    #[error("{kind} '{id}' does not exist")]
    NotFound {
        /// What was asked for, such as `synchronization job`.
        kind: &'static str,
        /// The id that was given.
        id: String,
    },
    /// The request is wrong; `code` is the stable Graph error code.
    #[error("{message}")]
    Invalid {
        /// The Graph error code, such as `RequestParameterInvalid`.
        code: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// A unique value is taken, or the thing is in a state that forbids this.
    #[error("{message}")]
    Conflict {
        /// The Graph error code.
        code: &'static str,
        /// What is in the way.
        message: String,
    },
    /// The connection to a directory is not usable.
    #[error(transparent)]
    Connection(#[from] usher_core::ports::ConnectorError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CaseError {
    /// The named thing is not there.
    pub fn not_found(kind: &'static str, id: impl Into<String>) -> Self {
        Self::NotFound { kind, id: id.into() }
    }

    /// The request is wrong.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { code, message: message.into() }
    }
}
