//! The contract of what was uploaded for a job to provision (Graph, `bulkUpload`).

use async_trait::async_trait;
use serde_json::Value;
use smol_str::SmolStr;

use super::StoreError;
use crate::JobId;

/// A record that was uploaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// Counts all uploads; a record has only its newest.
    pub number: u64,
    /// Identifies the record among those of the job (SCIM `externalId`).
    pub id: SmolStr,
    /// The SCIM resource.
    pub document: Value,
}

/// Keeps what was uploaded: of each record the newest.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// Keeps records of a job, all or none; what comes later in the list counts.
    async fn put_uploads(&self, job: &JobId, records: &[(SmolStr, Value)]) -> Result<(), StoreError>;
    /// Records after one number up to another, in order.
    async fn uploads(
        &self,
        job: &JobId,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<Upload>, StoreError>;
    /// The record with this id.
    async fn upload(&self, job: &JobId, id: &str) -> Result<Option<Upload>, StoreError>;
    /// The number of the newest upload of any job; 0 when there is none.
    async fn last_upload(&self) -> Result<u64, StoreError>;
    /// How many records a job has.
    async fn count_uploads(&self, job: &JobId) -> Result<u64, StoreError>;
    /// Forgets all records of a job.
    async fn remove_uploads(&self, job: &JobId) -> Result<(), StoreError>;
}
