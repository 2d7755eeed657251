//! The store: each method is one statement or transaction of the modules beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Transaction;
use smol_str::SmolStr;
use usher_core::ports::{
    AssignmentQuery, Commit, EntryChange, EntryQuery, EventQuery, Held, LinkChange, Remembered, Store,
    StoreError, StoredSecret, SubjectKey,
};
use usher_core::{
    Anchor, AppRoleAssignment, AssignmentId, Entry, EntryId, EntryKind, Escrow, Job, JobId, JobState, Link,
    Pairing, ProvisioningEvent, Relation, Secret,
};

use crate::ahead::{Ahead, Changed};
use crate::connection::Connections;
use crate::rows::Rows;
use crate::vault::SecretKey;
use crate::{OpenError, changes, directory, jobs, log, progress, settings};

/// A store in one SQLite file: write-ahead log, every write on disk before it is answered.
pub struct SqliteStore {
    pub(crate) connections: Connections,
    key: SecretKey,
    ahead: Arc<Ahead>,
}

impl SqliteStore {
    /// Opens the file, which is made when it is not there. Secrets in it are sealed under the key.
    ///
    /// # Errors
    /// Another process uses it, a newer version wrote it, its secrets are sealed under another key, or it cannot be
    /// used.
    pub fn open(path: &Path, key: SecretKey) -> Result<Self, OpenError> {
        Ok(Self { connections: Connections::open(path, &key)?, key, ahead: Arc::default() })
    }

    /// Seals the secrets of a file under a new key, all or nothing.
    ///
    /// # Errors
    /// Another process uses it, its secrets are sealed under another key than the old one, or it cannot be used.
    pub fn rotate(path: &Path, old: &SecretKey, new: &SecretKey) -> Result<(), OpenError> {
        Connections::rotate(path, old, new)
    }

    /// The id of the key that a file is sealed under; `None` when it is not there, or was never sealed.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn sealed_with(path: &Path) -> Result<Option<String>, OpenError> {
        Connections::sealed_with(path)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn put_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        let entry = entry.clone();
        self.connections
            .write("write entry", move |transaction| directory::put_entry(transaction, &entry))
            .await
    }

    async fn entry(&self, kind: EntryKind, id: &EntryId) -> Result<Option<Entry>, StoreError> {
        let id = id.clone();
        self.connections.read("read entry", move |connection| directory::entry(connection, kind, &id)).await
    }

    async fn entry_by_key(
        &self,
        kind: EntryKind,
        property: &str,
        value: &str,
    ) -> Result<Option<Entry>, StoreError> {
        let (property, value) = (property.to_owned(), value.to_owned());
        self.connections
            .read("read entry", move |connection| {
                directory::entry_by_key(connection, kind, &property, &value)
            })
            .await
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        let query = query.clone();
        self.connections.read("list entries", move |connection| directory::entries(connection, &query)).await
    }

    async fn remove_entry(&self, kind: EntryKind, id: &EntryId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.connections
            .write("remove entry", move |transaction| directory::remove_entry(transaction, kind, &id))
            .await
    }

    async fn count_entries(&self, kind: EntryKind) -> Result<u64, StoreError> {
        self.connections
            .read("count entries", move |connection| directory::count_entries(connection, kind))
            .await
    }

    async fn last_change(&self) -> Result<u64, StoreError> {
        self.connections.read("read last change", changes::last).await
    }

    async fn changes(
        &self,
        kind: EntryKind,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<EntryChange>, StoreError> {
        self.connections
            .read("list changes", move |connection| changes::list(connection, kind, after, until, limit))
            .await
    }

    async fn property_changes(
        &self,
        kind: EntryKind,
        id: &EntryId,
        after: u64,
    ) -> Result<Option<BTreeSet<String>>, StoreError> {
        let id = id.clone();
        self.connections
            .read("list property changes", move |connection| {
                changes::properties(connection, kind, &id, after)
            })
            .await
    }

    async fn link_changes(
        &self,
        from: &EntryId,
        relation: Relation,
        span: (u64, u64),
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<LinkChange>, StoreError> {
        let (from, after) = (from.clone(), after.cloned());
        self.connections
            .read("list link changes", move |connection| {
                changes::links(connection, &from, relation, span, after.as_ref(), limit)
            })
            .await
    }

    async fn living_links(
        &self,
        from: &[EntryId],
        relation: Relation,
    ) -> Result<Vec<(EntryId, EntryId)>, StoreError> {
        let from = from.to_vec();
        self.connections
            .read("list links", move |connection| directory::living_links(connection, &from, relation))
            .await
    }

    async fn roles_of(
        &self,
        resource: &EntryId,
        principals: &[EntryId],
    ) -> Result<Vec<(EntryId, String)>, StoreError> {
        let (resource, principals) = (resource.clone(), principals.to_vec());
        self.connections
            .read("list roles", move |connection| directory::roles_of(connection, &resource, &principals))
            .await
    }

    async fn add_link(&self, link: &Link) -> Result<bool, StoreError> {
        let link = link.clone();
        self.connections.write("write link", move |transaction| directory::add_link(transaction, &link)).await
    }

    async fn remove_link(&self, link: &Link) -> Result<bool, StoreError> {
        let link = link.clone();
        self.connections
            .write("remove link", move |transaction| directory::remove_link(transaction, &link))
            .await
    }

    async fn links_from(
        &self,
        from: &EntryId,
        relation: Relation,
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<EntryId>, StoreError> {
        let (from, after) = (from.clone(), after.cloned());
        self.connections
            .read("list links", move |connection| {
                directory::links(connection, &from, relation, false, after.as_ref(), limit)
            })
            .await
    }

    async fn links_to(
        &self,
        to: &EntryId,
        relation: Relation,
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<EntryId>, StoreError> {
        let (to, after) = (to.clone(), after.cloned());
        self.connections
            .read("list links", move |connection| {
                directory::links(connection, &to, relation, true, after.as_ref(), limit)
            })
            .await
    }

    async fn add_assignment(&self, assignment: &AppRoleAssignment) -> Result<bool, StoreError> {
        let assignment = assignment.clone();
        self.connections
            .write("write assignment", move |transaction| directory::add_assignment(transaction, &assignment))
            .await
    }

    async fn remove_assignment(&self, id: &AssignmentId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.connections
            .write("remove assignment", move |transaction| directory::remove_assignment(transaction, &id))
            .await
    }

    async fn assignments(&self, query: &AssignmentQuery) -> Result<Vec<AppRoleAssignment>, StoreError> {
        let query = query.clone();
        self.connections
            .read("list assignments", move |connection| directory::assignments(connection, &query))
            .await
    }

    async fn put_job(&self, job: &Job) -> Result<(), StoreError> {
        let job = job.clone();
        self.connections.write("write job", move |transaction| jobs::put_job(transaction, &job)).await
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let id = id.clone();
        self.connections.read("read job", move |connection| jobs::job(connection, &id)).await
    }

    async fn jobs(&self, service_principal: Option<&EntryId>) -> Result<Vec<Job>, StoreError> {
        let service_principal = service_principal.cloned();
        self.connections
            .read("list jobs", move |connection| jobs::jobs(connection, service_principal.as_ref()))
            .await
    }

    async fn remove_job(&self, id: &JobId) -> Result<bool, StoreError> {
        let (id, ahead, gone) = (id.clone(), self.ahead.clone(), id.clone());
        self.connections
            .write_then(
                "remove job",
                move |transaction| jobs::remove_job(transaction, &id),
                move || ahead.forget_job(&gone),
            )
            .await
    }

    async fn put_schema(&self, job: &JobId, document: &str) -> Result<(), StoreError> {
        let (job, document) = (job.clone(), document.to_owned());
        self.connections
            .write("write schema", move |transaction| jobs::put_schema(transaction, &job, &document))
            .await
    }

    async fn schema(&self, job: &JobId) -> Result<Option<String>, StoreError> {
        let job = job.clone();
        self.connections.read("read schema", move |connection| jobs::schema(connection, &job)).await
    }

    async fn remove_schema(&self, job: &JobId) -> Result<(), StoreError> {
        let job = job.clone();
        self.connections
            .write("remove schema", move |transaction| jobs::remove_schema(transaction, &job))
            .await
    }

    async fn put_secrets(
        &self,
        service_principal: &EntryId,
        secrets: &[StoredSecret],
    ) -> Result<(), StoreError> {
        let (service_principal, secrets) = (service_principal.clone(), secrets.to_vec());
        let key = self.key.clone();
        self.connections
            .write("write secrets", move |transaction| {
                jobs::put_secrets(transaction, &service_principal, &secrets, &key)
            })
            .await
    }

    async fn secrets(&self, service_principal: &EntryId) -> Result<Vec<StoredSecret>, StoreError> {
        let (service_principal, key) = (service_principal.clone(), self.key.clone());
        self.connections
            .read("read secrets", move |connection| jobs::secrets(connection, &service_principal, &key))
            .await
    }

    async fn pairing(
        &self,
        job: &JobId,
        source_type: &str,
        source_anchor: &Anchor,
    ) -> Result<Option<Pairing>, StoreError> {
        let (job, source_type, anchor) = (job.clone(), source_type.to_owned(), source_anchor.clone());
        self.connections
            .read("read pairing", move |connection| log::pairing(connection, &job, &source_type, &anchor))
            .await
    }

    async fn pairings_of_target(
        &self,
        job: &JobId,
        target_type: &str,
        target_anchor: &Anchor,
    ) -> Result<Vec<Pairing>, StoreError> {
        let (job, target_type, anchor) = (job.clone(), target_type.to_owned(), target_anchor.clone());
        self.connections
            .read("list pairings", move |connection| {
                log::pairings_of_target(connection, &job, &target_type, &anchor)
            })
            .await
    }

    async fn pairs(
        &self,
        job: &JobId,
        source_types: &[SmolStr],
        source_anchors: &[Anchor],
    ) -> Result<BTreeMap<Anchor, Anchor>, StoreError> {
        let (job, types, anchors) = (job.clone(), source_types.to_vec(), source_anchors.to_vec());
        self.connections
            .read("read pairings", move |connection| log::pairs(connection, &job, &types, &anchors))
            .await
    }

    async fn pairings_unseen(
        &self,
        job: &JobId,
        source_type: &str,
        cycle: u64,
        after: Option<&Anchor>,
        limit: usize,
    ) -> Result<Vec<Pairing>, StoreError> {
        let (job, source_type, after) = (job.clone(), source_type.to_owned(), after.cloned());
        self.connections
            .read("list pairings", move |connection| {
                log::pairings_unseen(connection, &job, &source_type, cycle, after.as_ref(), limit)
            })
            .await
    }

    async fn count_pairings(&self, job: &JobId) -> Result<Vec<(SmolStr, SmolStr, u64)>, StoreError> {
        let job = job.clone();
        self.connections.read("count pairings", move |connection| log::count_pairings(connection, &job)).await
    }

    async fn remember_ahead(&self, subjects: &[SubjectKey]) -> Result<(), StoreError> {
        self.ahead.expect(subjects);
        let subjects = subjects.to_vec();
        let read = self
            .connections
            .read("read pairings", move |connection| log::all_remembered(connection, subjects))
            .await?;
        self.ahead.fill(read);
        Ok(())
    }

    async fn remembered(&self, subject: &SubjectKey) -> Result<Remembered, StoreError> {
        if let Some(remembered) = self.ahead.take(subject) {
            return Ok(remembered);
        }
        let subject = subject.clone();
        self.connections.read("read pairing", move |connection| log::remembered(connection, &subject)).await
    }

    async fn escrows_due(
        &self,
        job: &JobId,
        due: Timestamp,
        after: Option<&(SmolStr, Anchor)>,
        limit: usize,
    ) -> Result<Vec<Escrow>, StoreError> {
        let (job, after) = (job.clone(), after.cloned());
        self.connections
            .read("list escrows", move |connection| {
                progress::escrows_due(connection, &job, due, after.as_ref(), limit)
            })
            .await
    }

    async fn count_escrows(&self, job: &JobId) -> Result<u64, StoreError> {
        let job = job.clone();
        self.connections
            .read("count escrows", move |connection| progress::count_escrows(connection, &job))
            .await
    }

    async fn next_escrow(&self, job: &JobId) -> Result<Option<Timestamp>, StoreError> {
        let job = job.clone();
        self.connections.read("read escrows", move |connection| progress::next_escrow(connection, &job)).await
    }

    async fn held(
        &self,
        job: &JobId,
        after: Option<&(SmolStr, Anchor)>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        let (job, after) = (job.clone(), after.cloned());
        self.connections
            .read("list held deletions", move |connection| {
                progress::held(connection, &job, after.as_ref(), limit)
            })
            .await
    }

    async fn count_held(&self, job: &JobId) -> Result<u64, StoreError> {
        let job = job.clone();
        self.connections
            .read("count held deletions", move |connection| progress::count_held(connection, &job))
            .await
    }

    async fn healable(
        &self,
        job: &JobId,
        source_types: &[SmolStr],
        after: Option<&(SmolStr, Anchor)>,
        limit: usize,
    ) -> Result<Vec<(SmolStr, Anchor)>, StoreError> {
        let (job, types, after) = (job.clone(), source_types.to_vec(), after.cloned());
        self.connections
            .read("list references that wait", move |connection| {
                progress::healable(connection, &job, &types, after.as_ref(), limit)
            })
            .await
    }

    async fn waiting_for(
        &self,
        job: &JobId,
        awaited: &[Anchor],
    ) -> Result<Vec<(SmolStr, Anchor)>, StoreError> {
        let (job, awaited) = (job.clone(), awaited.to_vec());
        self.connections
            .read("list what waits", move |connection| progress::waiting_for(connection, &job, &awaited))
            .await
    }

    async fn has_returned(&self, job: &JobId) -> Result<bool, StoreError> {
        let job = job.clone();
        self.connections
            .read("look who has come back", move |connection| progress::has_returned(connection, &job))
            .await
    }

    async fn job_state(&self, job: &JobId) -> Result<Option<JobState>, StoreError> {
        let job = job.clone();
        self.connections.read("read job state", move |connection| progress::state(connection, &job)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        const WHAT: &str = "commit results";
        let rows = Rows::of(commit)
            .map_err(|error| StoreError::Failed { what: WHAT.to_owned(), source: Box::new(error) })?;
        let (ahead, changed) = (self.ahead.clone(), Changed::by(commit));
        let work = move |transaction: &Transaction<'_>| rows.write(transaction);
        self.connections.write_then(WHAT, work, move || ahead.forget(&changed)).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<ProvisioningEvent>, StoreError> {
        let query = query.clone();
        self.connections.read("list events", move |connection| log::events(connection, &query)).await
    }

    async fn event(&self, id: &str) -> Result<Option<ProvisioningEvent>, StoreError> {
        let id = id.to_owned();
        self.connections.read("read event", move |connection| log::event(connection, &id)).await
    }

    async fn prune_events(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.connections
            .write("prune events", move |transaction| log::prune_events(transaction, before, limit))
            .await
    }

    async fn put_setting(&self, name: &str, value: &Secret) -> Result<(), StoreError> {
        let (name, value, key) = (name.to_owned(), value.clone(), self.key.clone());
        self.connections
            .write("write setting", move |transaction| settings::put(transaction, &name, &value, &key))
            .await
    }

    async fn setting(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let (name, key) = (name.to_owned(), self.key.clone());
        self.connections.read("read setting", move |connection| settings::get(connection, &name, &key)).await
    }

    async fn remove_setting(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.connections
            .write("remove setting", move |transaction| settings::remove(transaction, &name))
            .await
    }

    async fn setting_names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let prefix = prefix.to_owned();
        self.connections.read("list settings", move |connection| settings::names(connection, &prefix)).await
    }
}
