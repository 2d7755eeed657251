//! The bin of the directory inside: what was deleted can be brought back for 30 days (Graph, deletedItems).

use jiff::{SignedDuration, Timestamp};
use usher_core::ports::EntryQuery;
use usher_core::{Entry, EntryId, EntryKind};

use super::CaseError;
use crate::Engine;

/// How long what was deleted is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many are removed at once.
const PAGE: usize = 500;

impl Engine {
    /// The entry of any kind with this id in the bin.
    ///
    /// # Errors
    /// There is none.
    pub async fn deleted_item(&self, id: &str) -> Result<Entry, CaseError> {
        let wanted = EntryId::new(id.to_lowercase());
        for kind in EntryKind::ALL {
            let found = self.store.entry(kind, &wanted).await?;
            if let Some(entry) = found.filter(|entry| entry.deleted_at.is_some()) {
                return Ok(entry);
            }
        }
        Err(CaseError::not_found("directoryObject", id))
    }

    /// Brings an entry back from the bin.
    ///
    /// # Errors
    /// It is not there, or a unique value of it was taken in the meantime.
    pub async fn restore(&self, id: &str) -> Result<Entry, CaseError> {
        let mut entry = self.deleted_item(id).await?;
        let deleted_at = entry.deleted_at.take();
        self.store_entry(&entry).await?;
        if entry.kind == EntryKind::Application {
            self.restore_principal(&entry, deleted_at).await?;
        }
        Ok(entry)
    }

    /// A service principal that went with its application comes back with it; one that was deleted before stays.
    async fn restore_principal(
        &self,
        application: &Entry,
        deleted_at: Option<Timestamp>,
    ) -> Result<(), CaseError> {
        let mut query = EntryQuery {
            kind: EntryKind::ServicePrincipal,
            deleted: true,
            after: None,
            limit: PAGE,
            equals: None,
        };
        loop {
            let page = self.store.entries(&query).await?;
            query.after = page.last().map(|entry| entry.id.clone());
            let is_end = page.len() < PAGE;
            let went_with = |entry: &Entry| {
                entry.text("appId") == application.text("appId") && entry.deleted_at >= deleted_at
            };
            if let Some(mut principal) = page.into_iter().find(went_with) {
                principal.deleted_at = None;
                return self.store_entry(&principal).await;
            }
            if is_end {
                return Ok(());
            }
        }
    }

    /// Removes an entry in the bin for good.
    ///
    /// # Errors
    /// It is not there.
    pub async fn remove_deleted(&self, id: &str) -> Result<(), CaseError> {
        let entry = self.deleted_item(id).await?;
        self.store.remove_entry(entry.kind, &entry.id).await?;
        Ok(())
    }

    /// Removes for good what has been in the bin for longer than it is kept. Says how many there were.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn empty_bin(&self) -> Result<usize, CaseError> {
        let now = self.clock.now();
        let mut removed = 0;
        for kind in EntryKind::ALL {
            let mut query = EntryQuery { kind, deleted: true, after: None, limit: PAGE, equals: None };
            loop {
                let page = self.store.entries(&query).await?;
                query.after = page.last().map(|entry| entry.id.clone());
                for entry in &page {
                    if entry.deleted_at.is_some_and(|at| now.duration_since(at) > KEPT) {
                        self.store.remove_entry(kind, &entry.id).await?;
                        removed += 1;
                    }
                }
                if page.len() < PAGE {
                    break;
                }
            }
        }
        Ok(removed)
    }
}
