//! The contract of the store: everything that must survive a crash.

use async_trait::async_trait;
use jiff::Timestamp;
use smol_str::SmolStr;

use crate::{
    Anchor, AppRoleAssignment, AssignmentId, Entry, EntryId, EntryKind, Job, JobId, Link, Pairing,
    ProvisioningEvent, Relation, Secret,
};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another living entry has the same unique value.
    #[error("another {kind} has the same value for property {property}", kind = kind.as_str())]
    Duplicate {
        /// The kind of entry.
        kind: EntryKind,
        /// The property that must be unique.
        property: String,
    },
    /// The store could not read or write.
    #[error("the store failed to {what}")]
    Failed {
        /// What it was doing, such as `read job`.
        what: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Which entries to list, in the order of their ids.
#[derive(Clone, Debug)]
pub struct EntryQuery {
    /// The kind to list.
    pub kind: EntryKind,
    /// Entries in the bin instead of living ones.
    pub deleted: bool,
    /// Only entries whose id is greater.
    pub after: Option<EntryId>,
    /// At most so many.
    pub limit: usize,
    /// Only entries whose property is this text, compared without regard to case.
    pub equals: Option<(SmolStr, SmolStr)>,
}

/// Which assignments to list.
#[derive(Clone, Debug)]
pub enum AssignmentQuery {
    /// Those to the application with this service principal.
    Resource(EntryId),
    /// Those of this user, group or service principal.
    Principal(EntryId),
}

/// Which events to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Only events of this job.
    pub job: Option<JobId>,
    /// Only events of this run.
    pub cycle: Option<SmolStr>,
    /// Only events of this change.
    pub change: Option<SmolStr>,
    /// Only events that ended after this instant.
    pub after: Option<Timestamp>,
    /// Only events that ended before this instant.
    pub before: Option<Timestamp>,
    /// Skips so many (for paging: events ended before the first page was read).
    pub skip: usize,
    /// At most so many.
    pub limit: usize,
}

/// What happens to a pairing.
#[derive(Clone, Debug, PartialEq)]
pub enum PairingChange {
    /// The pair is made or confirmed.
    Put(Pairing),
    /// The pair is forgotten.
    Forget {
        /// The job.
        job: JobId,
        /// The source object's name in the schema.
        source_type: SmolStr,
        /// The source object.
        source_anchor: Anchor,
    },
}

/// Results that become durable together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Pairings made, confirmed and forgotten.
    pub pairings: Vec<PairingChange>,
    /// Events for the provisioning log.
    pub events: Vec<ProvisioningEvent>,
}

/// A secret of a service principal's synchronization, under its Graph key.
#[derive(Clone)]
pub struct StoredSecret {
    /// The key, such as `SecretToken`.
    pub key: String,
    /// The value.
    pub value: Secret,
}

/// Everything that must survive a crash. A method that has returned has made its effect durable.
#[async_trait]
pub trait Store: Send + Sync {
    /// Makes or replaces an entry, together with its unique keys (`Entry::unique_keys`; not kept for deleted entries).
    async fn put_entry(&self, entry: &Entry) -> Result<(), StoreError>;
    /// The entry with this id, living or deleted.
    async fn entry(&self, kind: EntryKind, id: &EntryId) -> Result<Option<Entry>, StoreError>;
    /// The living entry with this unique value (`userPrincipalName`, `appId`, `uniqueName`), compared without case.
    async fn entry_by_key(
        &self,
        kind: EntryKind,
        property: &str,
        value: &str,
    ) -> Result<Option<Entry>, StoreError>;
    /// A page of entries.
    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError>;
    /// Removes an entry for good, with its links and assignments. Says whether it was there.
    async fn remove_entry(&self, kind: EntryKind, id: &EntryId) -> Result<bool, StoreError>;

    /// Adds a link; for `Manager` it replaces the one there was. Says whether it is new.
    async fn add_link(&self, link: &Link) -> Result<bool, StoreError>;
    /// Removes a link. Says whether it was there.
    async fn remove_link(&self, link: &Link) -> Result<bool, StoreError>;
    /// What an entry links to, in the order of ids; only ids greater than `after`, at most `limit`.
    async fn links_from(
        &self,
        from: &EntryId,
        relation: Relation,
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<EntryId>, StoreError>;
    /// What links to an entry, likewise.
    async fn links_to(
        &self,
        to: &EntryId,
        relation: Relation,
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<EntryId>, StoreError>;

    /// Makes an assignment. False when the same principal, resource and role are assigned already.
    async fn add_assignment(&self, assignment: &AppRoleAssignment) -> Result<bool, StoreError>;
    /// Removes an assignment. Says whether it was there.
    async fn remove_assignment(&self, id: &AssignmentId) -> Result<bool, StoreError>;
    /// Assignments of a resource or a principal, in the order in which they were made.
    async fn assignments(&self, query: &AssignmentQuery) -> Result<Vec<AppRoleAssignment>, StoreError>;

    /// Makes or replaces a job.
    async fn put_job(&self, job: &Job) -> Result<(), StoreError>;
    /// The job with this id; ids are compared without regard to case.
    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError>;
    /// The jobs of a service principal, or all, in the order in which they were made.
    async fn jobs(&self, service_principal: Option<&EntryId>) -> Result<Vec<Job>, StoreError>;
    /// Removes a job with its schema and pairings. Says whether it was there.
    async fn remove_job(&self, id: &JobId) -> Result<bool, StoreError>;
    /// Replaces the schema document of a job.
    async fn put_schema(&self, job: &JobId, document: &str) -> Result<(), StoreError>;
    /// The schema document of a job, when it has its own.
    async fn schema(&self, job: &JobId) -> Result<Option<String>, StoreError>;
    /// Removes the job's own schema document.
    async fn remove_schema(&self, job: &JobId) -> Result<(), StoreError>;
    /// Replaces all synchronization secrets of a service principal.
    async fn put_secrets(
        &self,
        service_principal: &EntryId,
        secrets: &[StoredSecret],
    ) -> Result<(), StoreError>;
    /// The synchronization secrets of a service principal, in order.
    async fn secrets(&self, service_principal: &EntryId) -> Result<Vec<StoredSecret>, StoreError>;

    /// The pair of a source object.
    async fn pairing(
        &self,
        job: &JobId,
        source_type: &str,
        source_anchor: &Anchor,
    ) -> Result<Option<Pairing>, StoreError>;
    /// The pairs that a target object is in.
    async fn pairings_of_target(
        &self,
        job: &JobId,
        target_type: &str,
        target_anchor: &Anchor,
    ) -> Result<Vec<Pairing>, StoreError>;
    /// Makes results durable, all or none.
    async fn commit(&self, commit: &Commit) -> Result<(), StoreError>;
    /// A page of the provisioning log, newest first.
    async fn events(&self, query: &EventQuery) -> Result<Vec<ProvisioningEvent>, StoreError>;
    /// The event with this id.
    async fn event(&self, id: &str) -> Result<Option<ProvisioningEvent>, StoreError>;

    /// Keeps a document under a name (signing key, tenant, credentials); replaces the one there was.
    async fn put_setting(&self, name: &str, value: &Secret) -> Result<(), StoreError>;
    /// The document under a name.
    async fn setting(&self, name: &str) -> Result<Option<Secret>, StoreError>;
    /// Forgets the document under a name. Says whether it was there.
    async fn remove_setting(&self, name: &str) -> Result<bool, StoreError>;
    /// The names that begin with this prefix, in order.
    async fn setting_names(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
}
