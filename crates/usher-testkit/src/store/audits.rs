//! The audit log in memory.

use async_trait::async_trait;
use jiff::Timestamp;
use usher_core::AuditRecord;
use usher_core::ports::{AuditQuery, Audits, StoreError};

use super::MemoryStore;

#[async_trait]
impl Audits for MemoryStore {
    async fn add_audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        self.state().audits.push(record.clone());
        Ok(())
    }

    async fn audits(&self, query: &AuditQuery) -> Result<Vec<(u64, AuditRecord)>, StoreError> {
        let state = self.state();
        let numbered = state.audits.iter().enumerate().map(|(place, one)| (place as u64 + 1, one)).rev();
        Ok(numbered
            .filter(|(number, _)| query.before.is_none_or(|before| *number < before))
            .take(query.limit)
            .map(|(number, record)| (number, record.clone()))
            .collect())
    }

    async fn audit(&self, id: &str) -> Result<Option<AuditRecord>, StoreError> {
        Ok(self.state().audits.iter().find(|record| record.id == id).cloned())
    }

    async fn prune_audits(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let mut state = self.state();
        let all = state.audits.len();
        let mut left = limit;
        state.audits.retain(|record| {
            let goes = record.at < before && left > 0;
            left -= usize::from(goes);
            !goes
        });
        Ok(all - state.audits.len())
    }
}
