//! The contract of the store: everything that must survive a crash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use smol_str::SmolStr;

use super::{Audits, Uploads};
use crate::{
    Action, Anchor, AppRoleAssignment, AssignmentId, Entry, EntryId, EntryKind, Escrow, Job, JobId, JobState,
    Link, Pairing, ProvisioningEvent, Relation, Secret,
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
    /// The oldest come first instead of the newest.
    pub oldest_first: bool,
    /// Skips so many (for paging: events ended before the first page was read).
    pub skip: usize,
    /// At most so many.
    pub limit: usize,
}

/// A source object as a job knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectKey {
    /// The job.
    pub job: JobId,
    /// The source object's name in the schema.
    pub source_type: SmolStr,
    /// The source object.
    pub source_anchor: Anchor,
}

impl SubjectKey {
    /// The source object of a pairing or an escrow.
    pub fn of(kept: &impl OfSubject) -> Self {
        let (job, source_type, source_anchor) = kept.subject();
        Self { job: job.clone(), source_type: source_type.clone(), source_anchor: source_anchor.clone() }
    }
}

/// What is kept of one source object.
pub trait OfSubject {
    /// Job, type and anchor of it.
    fn subject(&self) -> (&JobId, &SmolStr, &Anchor);
}

impl OfSubject for Pairing {
    fn subject(&self) -> (&JobId, &SmolStr, &Anchor) {
        (&self.job, &self.source_type, &self.source_anchor)
    }
}

impl OfSubject for Escrow {
    fn subject(&self) -> (&JobId, &SmolStr, &Anchor) {
        (&self.job, &self.source_type, &self.source_anchor)
    }
}

/// What happens to a pairing.
#[derive(Clone, Debug, PartialEq)]
pub enum PairingChange {
    /// The pair is made or confirmed.
    Put(Pairing),
    /// The pair is forgotten.
    Forget(SubjectKey),
}

/// What happens to an escrow.
#[derive(Clone, Debug, PartialEq)]
pub enum EscrowChange {
    /// The object waits for another try.
    Put(Box<Escrow>),
    /// It waits no longer.
    Remove(SubjectKey),
}

impl EscrowChange {
    /// The object waits for another try.
    pub fn put(escrow: Escrow) -> Self {
        Self::Put(Box::new(escrow))
    }
}

/// A disabling or deletion that waits until all of its cycle are counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The object.
    pub subject: SubjectKey,
    /// `Disable` or `Delete`.
    pub action: Action,
    /// The name people know the object by.
    pub display_name: String,
    /// The log already says that it was held back.
    pub is_staged: bool,
}

/// What a job remembers of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remembered {
    /// Its pair.
    pub pairing: Option<Pairing>,
    /// That it failed, or that a create is on its way.
    pub escrow: Option<Escrow>,
    /// That its account is to be disabled or deleted, or may have been already.
    pub held: Option<Held>,
}

/// What happens to a disabling or deletion that waits.
#[derive(Clone, Debug, PartialEq)]
pub enum HeldChange {
    /// It waits.
    Put(Held),
    /// It is done, or not wanted any more.
    Remove(SubjectKey),
}

/// References of an object that could not be resolved. Replaces what was known of the object.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The object that refers.
    pub subject: SubjectKey,
    /// The source objects that have no pair yet.
    pub awaited: Vec<Anchor>,
}

/// The pairing of an object came up in a cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The object.
    pub subject: SubjectKey,
    /// The number of the cycle.
    pub cycle: u64,
}

/// What a restart forgets of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// Pairings, and what hangs on them: references that wait, deletions that were held back, who was paired before.
    Pairings,
    /// That objects with a pair had another before, or none in between. Those that still have none stay known.
    Returned,
    /// Escrows. A create whose outcome is not known stays.
    Escrows,
    /// Disablings and deletions that were held back.
    Held,
}

/// Results that become durable together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// What a restart forgets; goes before everything else.
    pub clear: Vec<(JobId, Clear)>,
    /// Pairings made, confirmed and forgotten.
    pub pairings: Vec<PairingChange>,
    /// Pairings that came up in a cycle; goes after the changes of pairings.
    pub seen: Vec<Seen>,
    /// Objects that failed, and those that do no longer.
    pub escrows: Vec<EscrowChange>,
    /// References that could not be resolved.
    pub waiting: Vec<Waiting>,
    /// Disablings and deletions that wait to be counted.
    pub held: Vec<HeldChange>,
    /// Events for the provisioning log.
    pub events: Vec<Arc<ProvisioningEvent>>,
    /// How far the job is now.
    pub state: Option<(JobId, JobState)>,
}

/// A change of the directory inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryChange {
    /// Counts all changes; an entry has only its newest.
    pub number: u64,
    /// The entry.
    pub id: EntryId,
    /// It was removed for good.
    pub is_removed: bool,
}

/// A link that was made or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkChange {
    /// The number of the change of the entry that refers.
    pub number: u64,
    /// What it points to.
    pub to: EntryId,
    /// It was removed, or what it points to is gone or in the bin.
    pub is_removed: bool,
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
pub trait Store: Audits + Uploads + Send + Sync {
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

    /// How many entries of a kind there are, living and deleted.
    async fn count_entries(&self, kind: EntryKind) -> Result<u64, StoreError>;
    /// The number of the newest change of any entry; 0 when there is none. An entry changes when it is written or
    /// removed, when its links change, when an entry that it refers to is deleted, restored or removed, and when its
    /// assignments change, those by way of a group included.
    async fn last_change(&self) -> Result<u64, StoreError>;
    /// Changes of a kind after one number up to another, in order, at most `limit`.
    async fn changes(
        &self,
        kind: EntryKind,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<EntryChange>, StoreError>;

    /// The properties of an entry that were written with another value after a change; none when the entry has appeared
    /// or came out of the bin since then, so that all of it is new.
    async fn property_changes(
        &self,
        kind: EntryKind,
        id: &EntryId,
        after: u64,
    ) -> Result<Option<BTreeSet<String>>, StoreError>;
    /// Links of an entry that were made or removed after the first number of a span up to its second, in the order of
    /// what they point to; only those after an id, at most `limit`. A link has only its newest change.
    async fn link_changes(
        &self,
        from: &EntryId,
        relation: Relation,
        span: (u64, u64),
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<LinkChange>, StoreError>;

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

    /// The links of many entries to living entries: from and to, in order.
    async fn living_links(
        &self,
        from: &[EntryId],
        relation: Relation,
    ) -> Result<Vec<(EntryId, EntryId)>, StoreError>;

    /// Makes an assignment. False when the same principal, resource and role are assigned already.
    async fn add_assignment(&self, assignment: &AppRoleAssignment) -> Result<bool, StoreError>;
    /// Removes an assignment. Says whether it was there.
    async fn remove_assignment(&self, id: &AssignmentId) -> Result<bool, StoreError>;
    /// Assignments of a resource or a principal, in the order in which they were made.
    async fn assignments(&self, query: &AssignmentQuery) -> Result<Vec<AppRoleAssignment>, StoreError>;

    /// Which roles of a resource reach these users or groups: their own, and for users those of living security groups
    /// that they are direct members of. Principal and role, each pair once.
    async fn roles_of(
        &self,
        resource: &EntryId,
        principals: &[EntryId],
    ) -> Result<Vec<(EntryId, String)>, StoreError>;

    /// Makes or replaces a job.
    async fn put_job(&self, job: &Job) -> Result<(), StoreError>;
    /// The job with this id; ids are compared without regard to case.
    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError>;
    /// The jobs of a service principal, or all, in the order in which they were made.
    async fn jobs(&self, service_principal: Option<&EntryId>) -> Result<Vec<Job>, StoreError>;
    /// Removes a job with its schema and everything it remembers. Says whether it was there.
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
    /// The pairs of many source objects of any of these types: source anchor to target anchor.
    async fn pairs(
        &self,
        job: &JobId,
        source_types: &[SmolStr],
        source_anchors: &[Anchor],
    ) -> Result<BTreeMap<Anchor, Anchor>, StoreError>;
    /// Pairs of a type that did not come up in this cycle or a later one, in the order of source anchors.
    async fn pairings_unseen(
        &self,
        job: &JobId,
        source_type: &str,
        cycle: u64,
        after: Option<&Anchor>,
        limit: usize,
    ) -> Result<Vec<Pairing>, StoreError>;
    /// How many pairs a job has, by source and target type.
    async fn count_pairings(&self, job: &JobId) -> Result<Vec<(SmolStr, SmolStr, u64)>, StoreError>;
    /// What the job remembers of an object: its pair and its escrow.
    async fn remembered(&self, subject: &SubjectKey) -> Result<Remembered, StoreError>;
    /// Says which objects will be asked for next, so that a store may read what it remembers of all of them at once.
    /// It makes no difference to what `remembered` answers.
    async fn remember_ahead(&self, subjects: &[SubjectKey]) -> Result<(), StoreError> {
        let _ = subjects;
        Ok(())
    }
    /// Escrows that are due, in the order of type and anchor, only those after a key.
    async fn escrows_due(
        &self,
        job: &JobId,
        due: Timestamp,
        after: Option<&(SmolStr, Anchor)>,
        limit: usize,
    ) -> Result<Vec<Escrow>, StoreError>;
    /// How many objects of a job have failed and wait.
    async fn count_escrows(&self, job: &JobId) -> Result<u64, StoreError>;
    /// When the first escrow of a job is due.
    async fn next_escrow(&self, job: &JobId) -> Result<Option<Timestamp>, StoreError>;
    /// Disablings and deletions that wait, in the order of type and anchor, only those after a key.
    async fn held(
        &self,
        job: &JobId,
        after: Option<&(SmolStr, Anchor)>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError>;
    /// How many disablings and deletions of a job wait.
    async fn count_held(&self, job: &JobId) -> Result<u64, StoreError>;
    /// Objects that wait for a reference which has a pair by now, as one of these types, in the order of type and
    /// anchor.
    async fn healable(
        &self,
        job: &JobId,
        source_types: &[SmolStr],
        after: Option<&(SmolStr, Anchor)>,
        limit: usize,
    ) -> Result<Vec<(SmolStr, Anchor)>, StoreError>;
    /// Objects that wait for one of these source objects, whether it has a pair or not, in the order of type and anchor.
    async fn waiting_for(
        &self,
        job: &JobId,
        awaited: &[Anchor],
    ) -> Result<Vec<(SmolStr, Anchor)>, StoreError>;
    /// Whether an object has a pair that had none, or one with another account, since it was first paired: accounts
    /// that referred to the one before have lost it. `Clear::Returned` forgets it.
    async fn has_returned(&self, job: &JobId) -> Result<bool, StoreError>;
    /// What the job remembers from run to run.
    async fn job_state(&self, job: &JobId) -> Result<Option<JobState>, StoreError>;
    /// Makes results durable, all or none.
    async fn commit(&self, commit: &Commit) -> Result<(), StoreError>;
    /// A page of the provisioning log, newest first.
    async fn events(&self, query: &EventQuery) -> Result<Vec<ProvisioningEvent>, StoreError>;
    /// The event with this id.
    async fn event(&self, id: &str) -> Result<Option<ProvisioningEvent>, StoreError>;

    /// Removes events that ended before an instant, at most `limit`. Says how many there were.
    async fn prune_events(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError>;

    /// Keeps a document under a name (signing key, tenant, credentials); replaces the one there was.
    async fn put_setting(&self, name: &str, value: &Secret) -> Result<(), StoreError>;
    /// The document under a name.
    async fn setting(&self, name: &str) -> Result<Option<Secret>, StoreError>;
    /// Forgets the document under a name. Says whether it was there.
    async fn remove_setting(&self, name: &str) -> Result<bool, StoreError>;
    /// The names that begin with this prefix, in order.
    async fn setting_names(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
}
