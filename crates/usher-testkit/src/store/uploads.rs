//! Uploads in memory.

use async_trait::async_trait;
use serde_json::Value;
use smol_str::SmolStr;
use usher_core::JobId;
use usher_core::ports::{StoreError, Upload, Uploads};

use super::MemoryStore;

#[async_trait]
impl Uploads for MemoryStore {
    async fn put_uploads(&self, job: &JobId, records: &[(SmolStr, Value)]) -> Result<(), StoreError> {
        let mut state = self.state();
        for (id, document) in records {
            state.last_upload += 1;
            let number = state.last_upload;
            state.uploads.insert((job.clone(), id.clone()), (number, document.clone()));
        }
        Ok(())
    }

    async fn uploads(
        &self,
        job: &JobId,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<Upload>, StoreError> {
        let state = self.state();
        let mut found: Vec<Upload> = state
            .uploads
            .iter()
            .filter(|((owner, _), (number, _))| owner == job && *number > after && *number <= until)
            .map(|((_, id), (number, document))| Upload {
                number: *number,
                id: id.clone(),
                document: document.clone(),
            })
            .collect();
        found.sort_by_key(|upload| upload.number);
        found.truncate(limit);
        Ok(found)
    }

    async fn upload(&self, job: &JobId, id: &str) -> Result<Option<Upload>, StoreError> {
        let state = self.state();
        let found = state.uploads.get(&(job.clone(), id.into()));
        Ok(found.map(|(number, document)| Upload {
            number: *number,
            id: id.into(),
            document: document.clone(),
        }))
    }

    async fn last_upload(&self) -> Result<u64, StoreError> {
        Ok(self.state().last_upload)
    }

    async fn count_uploads(&self, job: &JobId) -> Result<u64, StoreError> {
        Ok(self.state().uploads.keys().filter(|(owner, _)| owner == job).count() as u64)
    }

    async fn remove_uploads(&self, job: &JobId) -> Result<(), StoreError> {
        self.state().uploads.retain(|(owner, _), _| owner != job);
        Ok(())
    }
}
