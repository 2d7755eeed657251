//! A store in memory. It obeys the store suite, as the real ones do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use usher_core::ports::{
    AssignmentQuery, Commit, EntryQuery, EventQuery, PairingChange, Store, StoreError, StoredSecret,
};
use usher_core::{
    Anchor, AppRoleAssignment, AssignmentId, Entry, EntryId, EntryKind, Job, JobId, Link, Pairing,
    ProvisioningEvent, Relation, Secret,
};

/// Everything, in memory.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<(EntryKind, EntryId), Entry>,
    links: BTreeSet<(EntryId, Relation, EntryId)>,
    assignments: Vec<AppRoleAssignment>,
    jobs: Vec<Job>,
    schemas: BTreeMap<String, String>,
    secrets: BTreeMap<EntryId, Vec<StoredSecret>>,
    pairings: Vec<Pairing>,
    events: Vec<ProvisioningEvent>,
    settings: BTreeMap<String, Secret>,
    commits_to_fail: usize,
}

impl MemoryStore {
    /// Lets the next commits fail, with nothing written.
    pub fn fail_commits(&self, count: usize) {
        self.state().commits_to_fail = count;
    }

    /// All pairs.
    pub fn pairings(&self) -> Vec<Pairing> {
        self.state().pairings.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn same(left: &JobId, right: &JobId) -> bool {
    left.as_str().eq_ignore_ascii_case(right.as_str())
}

#[async_trait]
impl Store for MemoryStore {
    async fn put_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut state = self.state();
        if entry.deleted_at.is_none() {
            for (property, value) in entry.unique_keys() {
                let is_taken = state.entries.values().any(|other| {
                    other.kind == entry.kind
                        && other.id != entry.id
                        && other.deleted_at.is_none()
                        && other.unique_keys().contains(&(property, value.clone()))
                });
                if is_taken {
                    return Err(StoreError::Duplicate { kind: entry.kind, property: property.to_owned() });
                }
            }
        }
        let mut entry = entry.clone();
        let key = (entry.kind, entry.id.clone());
        if let Some(old) = state.entries.get(&key) {
            entry.created_at = old.created_at;
        }
        state.entries.insert(key, entry);
        Ok(())
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
        state.links.retain(|(from, _, to)| from != id && to != id);
        state.assignments.retain(|one| one.principal_id != *id && one.resource_id != *id);
        Ok(state.entries.remove(&(kind, id.clone())).is_some())
    }

    async fn add_link(&self, link: &Link) -> Result<bool, StoreError> {
        let mut state = self.state();
        if link.relation == Relation::Manager {
            state.links.retain(|(from, relation, to)| {
                *from != link.from || *relation != Relation::Manager || *to == link.to
            });
        }
        Ok(state.links.insert((link.from.clone(), link.relation, link.to.clone())))
    }

    async fn remove_link(&self, link: &Link) -> Result<bool, StoreError> {
        Ok(self.state().links.remove(&(link.from.clone(), link.relation, link.to.clone())))
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
        }
        Ok(!is_there)
    }

    async fn remove_assignment(&self, id: &AssignmentId) -> Result<bool, StoreError> {
        let mut state = self.state();
        let before = state.assignments.len();
        state.assignments.retain(|one| one.id != *id);
        Ok(state.assignments.len() < before)
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

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.commits_to_fail > 0 {
            state.commits_to_fail -= 1;
            return Err(StoreError::Failed {
                what: "commit results".to_owned(),
                source: "a test says so".into(),
            });
        }
        if commit.events.iter().any(|event| state.events.iter().any(|other| other.id == event.id)) {
            return Err(StoreError::Failed {
                what: "commit results".to_owned(),
                source: "the event is there".into(),
            });
        }
        for change in &commit.pairings {
            let (job, source_type, source_anchor) = match change {
                PairingChange::Put(one) => (&one.job, &one.source_type, &one.source_anchor),
                PairingChange::Forget { job, source_type, source_anchor } => {
                    (job, source_type, source_anchor)
                }
            };
            state.pairings.retain(|one| {
                one.job != *job || one.source_type != *source_type || one.source_anchor != *source_anchor
            });
            if let PairingChange::Put(pairing) = change {
                state.pairings.push(pairing.clone());
            }
        }
        state.events.extend(commit.events.iter().cloned());
        Ok(())
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
        Ok(events.into_iter().skip(query.skip).take(query.limit).cloned().collect())
    }

    async fn event(&self, id: &str) -> Result<Option<ProvisioningEvent>, StoreError> {
        Ok(self.state().events.iter().find(|event| event.id == id).cloned())
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
