//! Records that are uploaded for a job to provision (Graph, `bulkUpload`).

use serde_json::Value;
use smol_str::SmolStr;
use usher_core::Job;
use usher_core::ports::Upload;

use super::CaseError;
use super::templates::base_of;
use crate::Engine;

/// How many records are read at once.
const PAGE: usize = 500;

impl Engine {
    /// Keeps records for the next cycle of a job.
    ///
    /// # Errors
    /// The job has another source.
    pub async fn stage_uploads(&self, job: &Job, records: &[(SmolStr, Value)]) -> Result<(), CaseError> {
        let source = base_of(job)?.source;
        if source != "api" {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                format!(
                    "the job '{}' reads from the connector '{source}'; only jobs of API-driven templates take uploads",
                    job.id
                ),
            ));
        }
        self.store.put_uploads(&job.id, records).await?;
        Ok(())
    }

    /// What is staged for a job.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn uploads(&self, job: &Job) -> Result<Vec<Upload>, CaseError> {
        let mut all: Vec<Upload> = Vec::new();
        loop {
            let after = all.last().map_or(0, |last| last.number);
            let page = self.store.uploads(&job.id, after, u64::MAX, PAGE).await?;
            let is_end = page.len() < PAGE;
            all.extend(page);
            if is_end {
                return Ok(all);
            }
        }
    }

    /// Forgets what is staged for a job; accounts that were made of it stay.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn forget_uploads(&self, job: &Job) -> Result<(), CaseError> {
        Ok(self.store.remove_uploads(&job.id).await?)
    }
}
