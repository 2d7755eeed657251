//! The audit log: who changed what, and whether it was let through.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One change that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Identifies the record.
    pub id: String,
    /// When it was carried out or refused.
    pub at: Timestamp,
    /// What was asked for, in a few words, such as `Create a user`.
    pub activity: String,
    /// The HTTP method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The Graph error code, when it was refused.
    pub reason: Option<String>,
    /// The application (client) id of the caller.
    pub app_id: String,
    /// The object id of the caller.
    pub object_id: String,
    /// The name of the caller.
    pub caller: String,
    /// The thing that was changed or made: its id, where one is named.
    pub target: Option<String>,
    /// The kind of thing, such as `users`.
    pub target_type: String,
    /// The `request-id` of the answer.
    pub request_id: String,
    /// The `client-request-id` of the answer.
    pub client_request_id: String,
}
