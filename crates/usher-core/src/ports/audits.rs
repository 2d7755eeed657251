//! The contract of the audit log.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::AuditRecord;

/// Which records to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only records older than this place; a record with its place is listed.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

/// Keeps who changed what.
#[async_trait]
pub trait Audits: Send + Sync {
    /// Keeps a record.
    async fn add_audit(&self, record: &AuditRecord) -> Result<(), StoreError>;
    /// A page of records with their places, newest first.
    async fn audits(&self, query: &AuditQuery) -> Result<Vec<(u64, AuditRecord)>, StoreError>;
    /// The record with this id.
    async fn audit(&self, id: &str) -> Result<Option<AuditRecord>, StoreError>;
    /// Removes records from before an instant, at most `limit`. Says how many there were.
    async fn prune_audits(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError>;
}
