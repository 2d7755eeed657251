//! What entries of the directory inside are related to, in either direction, directly or by way of others; and what
//! changed since.

use std::collections::BTreeSet;

use usher_core::ports::{EntryChange, LinkChange};
use usher_core::{Entry, EntryId, EntryKind, Relation};

use super::CaseError;
use crate::Engine;

/// How many ids are read at once.
const PAGE: usize = 999;

/// Which way a relation is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To what the entry refers to, such as a group's members.
    Out(Relation),
    /// To what refers to the entry, such as a user's groups.
    In(Relation),
    /// To what the entry refers to, and what that refers to, and so on.
    AllOut(Relation),
    /// To what refers to the entry, and what refers to that, and so on.
    AllIn(Relation),
}

impl Engine {
    /// The number of the newest change of the directory inside.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn last_change(&self) -> Result<u64, CaseError> {
        Ok(self.store.last_change().await?)
    }

    /// Changes of a kind after one number up to another.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn changes(
        &self,
        kind: EntryKind,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<EntryChange>, CaseError> {
        Ok(self.store.changes(kind, after, until, limit).await?)
    }

    /// The properties of an entry that have another value than at a change; none when all of it is new since.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn property_changes(
        &self,
        kind: EntryKind,
        id: &EntryId,
        after: u64,
    ) -> Result<Option<BTreeSet<String>>, CaseError> {
        Ok(self.store.property_changes(kind, id, after).await?)
    }

    /// Links of an entry that were made or removed in a span of changes, in the order of what they point to.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn link_changes(
        &self,
        from: &EntryId,
        relation: Relation,
        span: (u64, u64),
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<LinkChange>, CaseError> {
        Ok(self.store.link_changes(from, relation, span, after, limit).await?)
    }

    /// The living entries that refer to an entry.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn referring(
        &self,
        to: &EntryId,
        relation: Relation,
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>, CaseError> {
        let ids = self.store.links_to(to, relation, after, limit).await?;
        self.living(&ids).await
    }

    /// A page of the ids that an entry is related to, in order. What is gone or in the bin is among them.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn related_ids(
        &self,
        entry: &EntryId,
        way: Way,
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<EntryId>, CaseError> {
        match way {
            Way::Out(relation) => Ok(self.store.links_from(entry, relation, after, limit).await?),
            Way::In(relation) => Ok(self.store.links_to(entry, relation, after, limit).await?),
            Way::AllOut(_) | Way::AllIn(_) => {
                let all = self.closure(entry, way).await?;
                let rest = all.into_iter().filter(|id| after.is_none_or(|after| id > after));
                Ok(rest.take(limit).collect())
            }
        }
    }

    /// Everything that an entry is related to by any number of steps. Circles end where they close.
    async fn closure(&self, entry: &EntryId, way: Way) -> Result<BTreeSet<EntryId>, CaseError> {
        let step = match way {
            Way::AllOut(relation) => Way::Out(relation),
            Way::AllIn(relation) => Way::In(relation),
            direct => direct,
        };
        let mut found = BTreeSet::new();
        let mut open = vec![entry.clone()];
        while let Some(id) = open.pop() {
            let mut after = None;
            loop {
                let ids = match step {
                    Way::In(relation) => self.store.links_to(&id, relation, after.as_ref(), PAGE).await?,
                    Way::Out(relation) | Way::AllOut(relation) | Way::AllIn(relation) => {
                        self.store.links_from(&id, relation, after.as_ref(), PAGE).await?
                    }
                };
                let is_end = ids.len() < PAGE;
                after = ids.last().cloned();
                // A group in the bin passes nothing on.
                for entry in self.living(&ids).await? {
                    if found.insert(entry.id.clone()) && entry.kind == EntryKind::Group {
                        open.push(entry.id);
                    }
                }
                if is_end {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Those of these ids that are living entries of any kind.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn living(&self, ids: &[EntryId]) -> Result<Vec<Entry>, CaseError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            match self.any_object(id.as_str()).await {
                Ok(entry) => found.push(entry),
                Err(CaseError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The living entry of any kind with this id.
    ///
    /// # Errors
    /// There is none.
    pub async fn any_object(&self, id: &str) -> Result<Entry, CaseError> {
        for kind in EntryKind::ALL {
            match self.entry(kind, id).await {
                Err(CaseError::NotFound { .. }) => {}
                other => return other,
            }
        }
        Err(CaseError::not_found("directoryObject", id))
    }
}
