//! A store in memory. It obeys the store suite, as the real ones do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use smol_str::SmolStr;
use usher_core::ports::{
    AssignmentQuery, Commit, ConnectorError, EntryChange, EntryQuery, EventQuery, Held, LinkChange,
    Remembered, Store, StoreError, StoredSecret, SubjectKey,
};
use usher_core::{
    Anchor, AppRoleAssignment, AssignmentId, Entry, EntryId, EntryKind, Escrow, Job, JobId, JobState, Link,
    Pairing, ProvisioningEvent, Relation, Secret,
};

mod audits;
mod state;
mod uploads;

use self::state::{State, is_after, same};
use crate::interference::{self, Call, Interference};

/// Everything, in memory.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    interference: OnceLock<Arc<dyn Interference>>,
}

impl MemoryStore {
    /// Lets the next commits fail, with nothing written.
    pub fn fail_commits(&self, count: usize) {
        self.fail_commits_after(0, count);
    }

    /// Lets some commits through, then fails so many.
    pub fn fail_commits_after(&self, through: usize, count: usize) {
        let mut state = self.state();
        state.commits_to_let_through = through;
        state.commits_to_fail = count;
    }

    /// Lets something happen to commits from now on; only once.
    pub fn interfere(&self, interference: Arc<dyn Interference>) {
        let _ = self.interference.set(interference);
    }

    /// All pairs.
    pub fn pairings(&self) -> Vec<Pairing> {
        self.state().pairings.clone()
    }

    /// All escrows.
    pub fn escrows(&self) -> Vec<Escrow> {
        self.state().escrows.values().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn put_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        self.state().put_entry(entry)
    }

    async fn entry(&self, kind: EntryKind, id: &EntryId) -> Result<Option<Entry>, StoreError> {
        Ok(self.state().entries.get(&(kind, id.clone())).cloned())
    }

    async fn entry_by_key(
        &self,
        kind: EntryKind,
        property: &str,
        value: &str,
    ) -> Result<Option<Entry>, StoreError> {
        let value = value.to_lowercase();
        Ok(self
            .state()
            .entries
            .values()
            .filter(|entry| entry.kind == kind && entry.deleted_at.is_none())
            .find(|entry| {
                entry.unique_keys().iter().any(|(known, taken)| *known == property && *taken == value)
            })
            .cloned())
    }

    async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, StoreError> {
        Ok(self
            .state()
            .entries
            .values()
            .filter(|entry| entry.kind == query.kind && entry.deleted_at.is_some() == query.deleted)
            .filter(|entry| query.after.as_ref().is_none_or(|after| entry.id > *after))
            .filter(|entry| {
                query.equals.as_ref().is_none_or(|(property, value)| {
                    entry.text(property).is_some_and(|text| text.to_lowercase() == value.to_lowercase())
                })
            })
            .take(query.limit)
            .cloned()
            .collect())
    }

    async fn remove_entry(&self, kind: EntryKind, id: &EntryId) -> Result<bool, StoreError> {
        let mut state = self.state();
        state.note_reach(kind, id);
        state.note_referrers(id, true);
        state.links.retain(|(from, _, to)| from != id && to != id);
        state.assignments.retain(|one| one.principal_id != *id && one.resource_id != *id);
        let was_there = state.entries.remove(&(kind, id.clone())).is_some();
        if was_there {
            state.note(kind, id, true);
            state.property_changes.remove(&(kind, id.clone()));
        }
        Ok(was_there)
    }

    async fn count_entries(&self, kind: EntryKind) -> Result<u64, StoreError> {
        Ok(self.state().entries.keys().filter(|(other, _)| *other == kind).count() as u64)
    }

    async fn last_change(&self) -> Result<u64, StoreError> {
        Ok(self.state().last_change)
    }

    async fn changes(
        &self,
        kind: EntryKind,
        after: u64,
        until: u64,
        limit: usize,
    ) -> Result<Vec<EntryChange>, StoreError> {
        Ok(self.state().changes(kind, after, until, limit))
    }

    async fn property_changes(
        &self,
        kind: EntryKind,
        id: &EntryId,
        after: u64,
    ) -> Result<Option<BTreeSet<String>>, StoreError> {
        Ok(self.state().property_changes(kind, id, after))
    }

    async fn link_changes(
        &self,
        from: &EntryId,
        relation: Relation,
        span: (u64, u64),
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<LinkChange>, StoreError> {
        Ok(self.state().link_changes(from, relation, span, after, limit))
    }

    async fn living_links(
        &self,
        from: &[EntryId],
        relation: Relation,
    ) -> Result<Vec<(EntryId, EntryId)>, StoreError> {
        Ok(self.state().living_links(from, relation))
    }

    async fn roles_of(
        &self,
        resource: &EntryId,
        principals: &[EntryId],
    ) -> Result<Vec<(EntryId, String)>, StoreError> {
        Ok(self.state().roles_of(resource, principals))
    }

    async fn add_link(&self, link: &Link) -> Result<bool, StoreError> {
        let mut state = self.state();
        if link.relation == Relation::Manager {
            for other in state.forget_managers(&link.from, &link.to) {
                state.note_link(&link.from, link.relation, &other, true);
            }
        }
        let is_new = state.links.insert((link.from.clone(), link.relation, link.to.clone()));
        if is_new {
            state.note_link(&link.from, link.relation, &link.to, false);
        }
        Ok(is_new)
    }

    async fn remove_link(&self, link: &Link) -> Result<bool, StoreError> {
        let mut state = self.state();
        let was_there = state.links.remove(&(link.from.clone(), link.relation, link.to.clone()));
        if was_there {
            state.note_link(&link.from, link.relation, &link.to, true);
        }
        Ok(was_there)
    }

    async fn links_from(
        &self,
        from: &EntryId,
        relation: Relation,
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<EntryId>, StoreError> {
        Ok(self
            .state()
            .links
            .iter()
            .filter(|(source, kind, to)| {
                source == from && *kind == relation && after.is_none_or(|after| to > after)
            })
            .map(|(_, _, to)| to.clone())
            .take(limit)
            .collect())
    }

    async fn links_to(
        &self,
        to: &EntryId,
        relation: Relation,
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<EntryId>, StoreError> {
        Ok(self
            .state()
            .links
            .iter()
            .filter(|(from, kind, target)| {
                target == to && *kind == relation && after.is_none_or(|after| from > after)
            })
            .map(|(from, _, _)| from.clone())
            .take(limit)
            .collect())
    }

    async fn add_assignment(&self, assignment: &AppRoleAssignment) -> Result<bool, StoreError> {
        let mut state = self.state();
        let is_there = state.assignments.iter().any(|one| {
            one.principal_id == assignment.principal_id
                && one.resource_id == assignment.resource_id
                && one.app_role_id == assignment.app_role_id
        });
        if !is_there {
            state.assignments.push(assignment.clone());
            state.note_assignment(&assignment.principal_id);
        }
        Ok(!is_there)
    }

    async fn remove_assignment(&self, id: &AssignmentId) -> Result<bool, StoreError> {
        let mut state = self.state();
        let found = state.assignments.iter().find(|one| one.id == *id).map(|one| one.principal_id.clone());
        state.assignments.retain(|one| one.id != *id);
        if let Some(principal) = &found {
            state.note_assignment(principal);
        }
        Ok(found.is_some())
    }

    async fn assignments(&self, query: &AssignmentQuery) -> Result<Vec<AppRoleAssignment>, StoreError> {
        Ok(self
            .state()
            .assignments
            .iter()
            .filter(|one| match query {
                AssignmentQuery::Resource(id) => one.resource_id == *id,
                AssignmentQuery::Principal(id) => one.principal_id == *id,
            })
            .cloned()
            .collect())
    }

    async fn put_job(&self, job: &Job) -> Result<(), StoreError> {
        let mut state = self.state();
        match state.jobs.iter_mut().find(|other| same(&other.id, &job.id)) {
            Some(other) => *other = job.clone(),
            None => state.jobs.push(job.clone()),
        }
        Ok(())
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.state().jobs.iter().find(|job| same(&job.id, id)).cloned())
    }

    async fn jobs(&self, service_principal: Option<&EntryId>) -> Result<Vec<Job>, StoreError> {
        Ok(self
            .state()
            .jobs
            .iter()
            .filter(|job| service_principal.is_none_or(|id| job.service_principal == *id))
            .cloned()
            .collect())
    }

    async fn remove_job(&self, id: &JobId) -> Result<bool, StoreError> {
        let mut state = self.state();
        let before = state.jobs.len();
        state.jobs.retain(|job| !same(&job.id, id));
        state.pairings.retain(|pairing| !same(&pairing.job, id));
        state.seen.retain(|subject, _| !same(&subject.job, id));
        state.escrows.retain(|subject, _| !same(&subject.job, id));
        state.waiting.retain(|(subject, _)| !same(&subject.job, id));
        state.held.retain(|subject, _| !same(&subject.job, id));
        state.gone.retain(|subject| !same(&subject.job, id));
        state.states.remove(&id.as_str().to_lowercase());
        state.schemas.remove(&id.as_str().to_lowercase());
        Ok(state.jobs.len() < before)
    }

    async fn put_schema(&self, job: &JobId, document: &str) -> Result<(), StoreError> {
        self.state().schemas.insert(job.as_str().to_lowercase(), document.to_owned());
        Ok(())
    }

    async fn schema(&self, job: &JobId) -> Result<Option<String>, StoreError> {
        Ok(self.state().schemas.get(&job.as_str().to_lowercase()).cloned())
    }

    async fn remove_schema(&self, job: &JobId) -> Result<(), StoreError> {
        self.state().schemas.remove(&job.as_str().to_lowercase());
        Ok(())
    }

    async fn put_secrets(
        &self,
        service_principal: &EntryId,
        secrets: &[StoredSecret],
    ) -> Result<(), StoreError> {
        self.state().secrets.insert(service_principal.clone(), secrets.to_vec());
        Ok(())
    }

    async fn secrets(&self, service_principal: &EntryId) -> Result<Vec<StoredSecret>, StoreError> {
        Ok(self.state().secrets.get(service_principal).cloned().unwrap_or_default())
    }

    async fn pairing(
        &self,
        job: &JobId,
        source_type: &str,
        source_anchor: &Anchor,
    ) -> Result<Option<Pairing>, StoreError> {
        Ok(self
            .state()
            .pairings
            .iter()
            .find(|one| {
                one.job == *job && one.source_type == source_type && one.source_anchor == *source_anchor
            })
            .cloned())
    }

    async fn pairings_of_target(
        &self,
        job: &JobId,
        target_type: &str,
        target_anchor: &Anchor,
    ) -> Result<Vec<Pairing>, StoreError> {
        Ok(self
            .state()
            .pairings
            .iter()
            .filter(|one| {
                one.job == *job && one.target_type == target_type && one.target_anchor == *target_anchor
            })
            .cloned()
            .collect())
    }

    async fn pairs(
        &self,
        job: &JobId,
        source_types: &[SmolStr],
        source_anchors: &[Anchor],
    ) -> Result<BTreeMap<Anchor, Anchor>, StoreError> {
        let state = self.state();
        let found = source_anchors.iter().filter_map(|anchor| {
            source_types.iter().find_map(|source_type| {
                let is_it = |one: &&Pairing| {
                    one.job == *job && one.source_type == *source_type && one.source_anchor == *anchor
                };
                state.pairings.iter().find(is_it).map(|one| (anchor.clone(), one.target_anchor.clone()))
            })
        });
        Ok(found.collect())
    }

    async fn pairings_unseen(
        &self,
        job: &JobId,
        source_type: &str,
        cycle: u64,
        after: Option<&Anchor>,
        limit: usize,
    ) -> Result<Vec<Pairing>, StoreError> {
        let state = self.state();
        let mut found: Vec<Pairing> = state
            .pairings
            .iter()
            .filter(|one| one.job == *job && one.source_type == source_type)
            .filter(|one| after.is_none_or(|after| one.source_anchor > *after))
            .filter(|one| state.seen.get(&SubjectKey::of(*one)).copied().unwrap_or(0) < cycle)
            .cloned()
            .collect();
        found.sort_by(|left, right| left.source_anchor.cmp(&right.source_anchor));
        found.truncate(limit);
        Ok(found)
    }

    async fn count_pairings(&self, job: &JobId) -> Result<Vec<(SmolStr, SmolStr, u64)>, StoreError> {
        let mut counts: BTreeMap<(SmolStr, SmolStr), u64> = BTreeMap::new();
        for one in self.state().pairings.iter().filter(|one| one.job == *job) {
            *counts.entry((one.source_type.clone(), one.target_type.clone())).or_default() += 1;
        }
        Ok(counts.into_iter().map(|((source, target), count)| (source, target, count)).collect())
    }

    async fn remembered(&self, subject: &SubjectKey) -> Result<Remembered, StoreError> {
        let state = self.state();
        let pairing = state.pairings.iter().find(|one| SubjectKey::of(*one) == *subject).cloned();
        Ok(Remembered {
            pairing,
            escrow: state.escrows.get(subject).cloned(),
            held: state.held.get(subject).cloned(),
        })
    }

    async fn escrows_due(
        &self,
        job: &JobId,
        due: Timestamp,
        after: Option<&(SmolStr, Anchor)>,
        limit: usize,
    ) -> Result<Vec<Escrow>, StoreError> {
        Ok(self
            .state()
            .escrows
            .iter()
            .filter(|(subject, escrow)| {
                subject.job == *job && is_after(subject, after) && escrow.next_attempt_at <= due
            })
            .map(|(_, escrow)| escrow.clone())
            .take(limit)
            .collect())
    }

    async fn count_escrows(&self, job: &JobId) -> Result<u64, StoreError> {
        let state = self.state();
        let failed = state.escrows.values().filter(|escrow| escrow.job == *job && escrow.attempts > 0);
        Ok(failed.count() as u64)
    }

    async fn next_escrow(&self, job: &JobId) -> Result<Option<Timestamp>, StoreError> {
        let state = self.state();
        Ok(state
            .escrows
            .values()
            .filter(|escrow| escrow.job == *job)
            .map(|escrow| escrow.next_attempt_at)
            .min())
    }

    async fn held(
        &self,
        job: &JobId,
        after: Option<&(SmolStr, Anchor)>,
        limit: usize,
    ) -> Result<Vec<Held>, StoreError> {
        Ok(self
            .state()
            .held
            .iter()
            .filter(|(subject, _)| subject.job == *job && is_after(subject, after))
            .map(|(_, held)| held.clone())
            .take(limit)
            .collect())
    }

    async fn count_held(&self, job: &JobId) -> Result<u64, StoreError> {
        Ok(self.state().held.keys().filter(|subject| subject.job == *job).count() as u64)
    }

    async fn healable(
        &self,
        job: &JobId,
        source_types: &[SmolStr],
        after: Option<&(SmolStr, Anchor)>,
        limit: usize,
    ) -> Result<Vec<(SmolStr, Anchor)>, StoreError> {
        let state = self.state();
        let mut found: Vec<(SmolStr, Anchor)> = state
            .waiting
            .iter()
            .filter(|(subject, _)| subject.job == *job && is_after(subject, after))
            .filter(|(_, awaited)| {
                state.pairings.iter().any(|one| {
                    one.job == *job
                        && one.source_anchor == *awaited
                        && source_types.contains(&one.source_type)
                })
            })
            .map(|(subject, _)| (subject.source_type.clone(), subject.source_anchor.clone()))
            .collect();
        found.dedup();
        found.truncate(limit);
        Ok(found)
    }

    async fn waiting_for(
        &self,
        job: &JobId,
        awaited: &[Anchor],
    ) -> Result<Vec<(SmolStr, Anchor)>, StoreError> {
        let state = self.state();
        let mut found: Vec<(SmolStr, Anchor)> = state
            .waiting
            .iter()
            .filter(|(subject, anchor)| subject.job == *job && awaited.contains(anchor))
            .map(|(subject, _)| (subject.source_type.clone(), subject.source_anchor.clone()))
            .collect();
        found.dedup();
        Ok(found)
    }

    async fn has_returned(&self, job: &JobId) -> Result<bool, StoreError> {
        Ok(self.state().has_returned(job))
    }

    async fn job_state(&self, job: &JobId) -> Result<Option<JobState>, StoreError> {
        Ok(self.state().states.get(&job.as_str().to_lowercase()).cloned())
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        let failed = |source: ConnectorError| StoreError::Failed {
            what: "commit results".to_owned(),
            source: Box::new(source),
        };
        let interference = self.interference.get().map(|one| &**one);
        let passed = interference::pass(interference, Call::Commit).await.map_err(failed)?;
        self.state().carry_out(commit)?;
        passed.end(()).await.map_err(failed)
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<ProvisioningEvent>, StoreError> {
        let state = self.state();
        let mut events: Vec<&ProvisioningEvent> = state
            .events
            .iter()
            .rev()
            .filter(|event| query.job.as_ref().is_none_or(|job| event.job == *job))
            .filter(|event| query.cycle.as_ref().is_none_or(|cycle| event.cycle == *cycle))
            .filter(|event| query.change.as_ref().is_none_or(|change| event.change == *change))
            .filter(|event| query.after.is_none_or(|after| event.ended_at > after))
            .filter(|event| query.before.is_none_or(|before| event.ended_at < before))
            .collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.ended_at));
        if query.oldest_first {
            events.reverse();
        }
        Ok(events.into_iter().skip(query.skip).take(query.limit).cloned().collect())
    }

    async fn event(&self, id: &str) -> Result<Option<ProvisioningEvent>, StoreError> {
        Ok(self.state().events.iter().find(|event| event.id == id).cloned())
    }

    async fn prune_events(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        let mut state = self.state();
        let mut left = limit;
        let count = state.events.len();
        state.events.retain(|event| {
            let is_pruned = event.ended_at < before && left > 0;
            left -= usize::from(is_pruned);
            !is_pruned
        });
        Ok(count - state.events.len())
    }

    async fn put_setting(&self, name: &str, value: &Secret) -> Result<(), StoreError> {
        self.state().settings.insert(name.to_owned(), value.clone());
        Ok(())
    }

    async fn setting(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        Ok(self.state().settings.get(name).cloned())
    }

    async fn remove_setting(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.state().settings.remove(name).is_some())
    }

    async fn setting_names(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.state().settings.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }
}
