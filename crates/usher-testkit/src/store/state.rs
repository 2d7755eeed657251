//! What the store in memory holds, and how a commit changes it.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;
use usher_core::ports::{
    Clear, Commit, EntryChange, EscrowChange, Held, HeldChange, LinkChange, PairingChange, StoreError,
    StoredSecret, SubjectKey,
};
use usher_core::{
    Anchor, AppRoleAssignment, AuditRecord, Entry, EntryId, EntryKind, Escrow, Job, JobId, JobState, Pairing,
    ProvisioningEvent, Relation, Secret,
};

#[derive(Default)]
pub(super) struct State {
    pub(super) entries: BTreeMap<(EntryKind, EntryId), Entry>,
    pub(super) links: BTreeSet<(EntryId, Relation, EntryId)>,
    pub(super) assignments: Vec<AppRoleAssignment>,
    pub(super) jobs: Vec<Job>,
    pub(super) schemas: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<EntryId, Vec<StoredSecret>>,
    /// The newest change of each entry: number, and whether it was removed.
    pub(super) changes: BTreeMap<(EntryKind, EntryId), (u64, bool)>,
    pub(super) last_change: u64,
    /// The newest change of each link: number, and whether it was removed.
    pub(super) link_changes: BTreeMap<(EntryId, Relation, EntryId), (u64, bool)>,
    /// The newest change of each property; of an entry's appearance under the empty name.
    pub(super) property_changes: BTreeMap<(EntryKind, EntryId), BTreeMap<String, u64>>,
    pub(super) audits: Vec<AuditRecord>,
    pub(super) uploads: BTreeMap<(JobId, SmolStr), (u64, serde_json::Value)>,
    pub(super) last_upload: u64,
    pub(super) pairings: Vec<Pairing>,
    pub(super) seen: BTreeMap<SubjectKey, u64>,
    /// Objects whose pair was forgotten, or led to another account since.
    pub(super) gone: BTreeSet<SubjectKey>,
    pub(super) escrows: BTreeMap<SubjectKey, Escrow>,
    pub(super) waiting: BTreeSet<(SubjectKey, Anchor)>,
    pub(super) held: BTreeMap<SubjectKey, Held>,
    pub(super) states: BTreeMap<String, JobState>,
    pub(super) events: Vec<ProvisioningEvent>,
    pub(super) settings: BTreeMap<String, Secret>,
    pub(super) commits_to_let_through: usize,
    pub(super) commits_to_fail: usize,
}

impl State {
    /// Writes an entry, unless another has its unique values, and notes who sees a change.
    pub(super) fn put_entry(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let state = self;
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
        let was_deleted = state.entries.get(&key).map(|old| old.deleted_at.is_some());
        if let Some(old) = state.entries.get(&key) {
            entry.created_at = old.created_at;
        }
        let (kind, id) = key.clone();
        let is_deleted = entry.deleted_at.is_some();
        let old = state.entries.insert(key.clone(), entry.clone());
        state.note(kind, &id, false);
        let known = old.filter(|old| old.deleted_at.is_none() || is_deleted);
        let names = match &known {
            None => BTreeSet::from([String::new()]),
            Some(old) => old.differing_properties(&entry.properties),
        };
        let number = state.last_change;
        let noted = state.property_changes.entry(key).or_default();
        noted.extend(names.into_iter().map(|name| (name, number)));
        if was_deleted.is_some() {
            state.note_reach(kind, &id);
        }
        if was_deleted.is_some_and(|was_deleted| was_deleted != is_deleted) {
            state.note_referrers(&id, is_deleted);
        }
        Ok(())
    }

    /// Makes results durable, all or none.
    pub(super) fn carry_out(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let state = self;
        if state.commits_to_let_through > 0 {
            state.commits_to_let_through -= 1;
        } else if state.commits_to_fail > 0 {
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
        for (job, what) in &commit.clear {
            state.clear(job, *what);
        }
        for change in &commit.pairings {
            let subject = match change {
                PairingChange::Put(one) => SubjectKey::of(one),
                PairingChange::Forget(subject) => subject.clone(),
            };
            let before = state.pairings.iter().find(|one| SubjectKey::of(*one) == subject);
            let stays = |old: &Pairing| match change {
                PairingChange::Put(one) => one.target_anchor == old.target_anchor,
                PairingChange::Forget(_) => false,
            };
            if before.is_some_and(|old| !stays(old)) {
                state.gone.insert(subject.clone());
            }
            state.pairings.retain(|one| SubjectKey::of(one) != subject);
            match change {
                PairingChange::Put(pairing) => state.pairings.push(pairing.clone()),
                PairingChange::Forget(subject) => drop(state.seen.remove(subject)),
            }
        }
        for seen in &commit.seen {
            if state.pairings.iter().any(|one| SubjectKey::of(one) == seen.subject) {
                state.seen.insert(seen.subject.clone(), seen.cycle);
            }
        }
        for change in &commit.escrows {
            match change {
                EscrowChange::Put(escrow) => {
                    drop(state.escrows.insert(SubjectKey::of(&**escrow), (**escrow).clone()));
                }
                EscrowChange::Remove(subject) => drop(state.escrows.remove(subject)),
            }
        }
        for waiting in &commit.waiting {
            state.waiting.retain(|(subject, _)| *subject != waiting.subject);
            for awaited in &waiting.awaited {
                state.waiting.insert((waiting.subject.clone(), awaited.clone()));
            }
        }
        for change in &commit.held {
            match change {
                HeldChange::Put(held) => drop(state.held.insert(held.subject.clone(), held.clone())),
                HeldChange::Remove(subject) => drop(state.held.remove(subject)),
            }
        }
        if let Some((job, job_state)) = &commit.state {
            state.states.insert(job.as_str().to_lowercase(), job_state.clone());
        }
        state.events.extend(commit.events.iter().map(|event| ProvisioningEvent::clone(event)));
        Ok(())
    }
}

impl State {
    /// The links of many entries to living entries.
    pub(super) fn living_links(&self, from: &[EntryId], relation: Relation) -> Vec<(EntryId, EntryId)> {
        let state = self;
        let is_alive = |id: &EntryId| {
            relation.kinds().iter().any(|kind| {
                state.entries.get(&(*kind, id.clone())).is_some_and(|entry| entry.deleted_at.is_none())
            })
        };
        let mut found = Vec::new();
        for wanted in from {
            for (source, kind, to) in &state.links {
                if source == wanted && *kind == relation && is_alive(to) {
                    found.push((source.clone(), to.clone()));
                }
            }
        }
        found
    }

    /// Which roles of a resource reach these principals.
    pub(super) fn roles_of(&self, resource: &EntryId, principals: &[EntryId]) -> Vec<(EntryId, String)> {
        let state = self;
        let mut found: Vec<(EntryId, String)> = Vec::new();
        let mut add = |principal: &EntryId, role: &str| {
            let pair = (principal.clone(), role.to_ascii_lowercase());
            if !found.contains(&pair) {
                found.push(pair);
            }
        };
        let roles = |holder: &EntryId| {
            let (holder, resource) = (holder.clone(), resource.clone());
            state
                .assignments
                .iter()
                .filter(move |one| one.principal_id == holder && one.resource_id == resource)
                .map(|one| one.app_role_id.clone())
        };
        for principal in principals {
            for role in roles(principal) {
                add(principal, &role);
            }
        }
        for principal in principals {
            if !state.entries.contains_key(&(EntryKind::User, principal.clone())) {
                continue;
            }
            for (team, relation, to) in &state.links {
                let is_team = *relation == Relation::Members
                    && to == principal
                    && state
                        .entries
                        .get(&(EntryKind::Group, team.clone()))
                        .is_some_and(|team| team.deleted_at.is_none() && team.is_true("securityEnabled"));
                if is_team {
                    for role in roles(team) {
                        add(principal, &role);
                    }
                }
            }
        }
        found
    }

    /// Changes of a kind after one number up to another.
    pub(super) fn changes(&self, kind: EntryKind, after: u64, until: u64, limit: usize) -> Vec<EntryChange> {
        let mut changes: Vec<EntryChange> = self
            .changes
            .iter()
            .filter(|((other, _), (number, _))| *other == kind && *number > after && *number <= until)
            .map(|((_, id), (number, is_removed))| EntryChange {
                number: *number,
                id: id.clone(),
                is_removed: *is_removed,
            })
            .collect();
        changes.sort_by_key(|change| change.number);
        changes.truncate(limit);
        changes
    }

    /// The properties of an entry that changed after a number; none when all of it is new.
    pub(super) fn property_changes(
        &self,
        kind: EntryKind,
        id: &EntryId,
        after: u64,
    ) -> Option<BTreeSet<String>> {
        let noted = self.property_changes.get(&(kind, id.clone()))?;
        if noted.get("").is_none_or(|number| *number > after) {
            return None;
        }
        let newer = noted.iter().filter(|(_, number)| **number > after);
        Some(newer.map(|(name, _)| name.clone()).collect())
    }

    /// Links of an entry that were made or removed in a span of changes.
    pub(super) fn link_changes(
        &self,
        from: &EntryId,
        relation: Relation,
        (begin, end): (u64, u64),
        after: Option<&EntryId>,
        limit: usize,
    ) -> Vec<LinkChange> {
        self.link_changes
            .iter()
            .filter(|((source, kind, to), (number, _))| {
                source == from
                    && *kind == relation
                    && *number > begin
                    && *number <= end
                    && after.is_none_or(|after| to > after)
            })
            .map(|((_, _, to), (number, is_removed))| LinkChange {
                number: *number,
                to: to.clone(),
                is_removed: *is_removed,
            })
            .take(limit)
            .collect()
    }

    pub(super) fn note(&mut self, kind: EntryKind, id: &EntryId, is_removed: bool) {
        self.last_change += 1;
        self.changes.insert((kind, id.clone()), (self.last_change, is_removed));
    }

    /// Notes entries of which only the id is known.
    pub(super) fn note_ids(&mut self, ids: impl IntoIterator<Item = EntryId>) {
        let ids: BTreeSet<EntryId> = ids.into_iter().collect();
        let known: Vec<(EntryKind, EntryId)> =
            self.entries.keys().filter(|(_, id)| ids.contains(id)).cloned().collect();
        for (kind, id) in known {
            self.note(kind, &id, false);
        }
    }

    /// Takes away all managers of a user but this one. Gives those that were taken away.
    pub(super) fn forget_managers(&mut self, from: &EntryId, but: &EntryId) -> Vec<EntryId> {
        let is_other = |(source, relation, to): &&(EntryId, Relation, EntryId)| {
            source == from && *relation == Relation::Manager && to != but
        };
        let others: Vec<_> = self.links.iter().filter(is_other).cloned().collect();
        for link in &others {
            self.links.remove(link);
        }
        others.into_iter().map(|(_, _, to)| to).collect()
    }

    pub(super) fn members(&self, group: &EntryId) -> Vec<EntryId> {
        let members =
            self.links.iter().filter(|(from, relation, _)| from == group && *relation == Relation::Members);
        members.map(|(_, _, to)| to.clone()).collect()
    }

    /// Notes what refers to an entry that appears or disappears.
    pub(super) fn note_referrers(&mut self, id: &EntryId, is_gone: bool) {
        let links: Vec<(EntryId, Relation, EntryId)> =
            self.links.iter().filter(|(_, _, to)| to == id).cloned().collect();
        self.note_ids(links.iter().map(|(from, _, _)| from.clone()));
        for link in links {
            let number = self.number_of(&link.0);
            self.link_changes.insert(link, (number, is_gone));
        }
    }

    /// The number of the newest change of an entry.
    fn number_of(&self, id: &EntryId) -> u64 {
        let numbers = EntryKind::ALL.iter().filter_map(|kind| self.changes.get(&(*kind, id.clone())));
        numbers.map(|(number, _)| *number).max().unwrap_or(0)
    }

    /// Notes whom a change of an entry reaches by way of assignments.
    pub(super) fn note_reach(&mut self, kind: EntryKind, id: &EntryId) {
        let reached: Vec<EntryId> = match kind {
            EntryKind::Group if self.assignments.iter().any(|one| one.principal_id == *id) => {
                self.members(id)
            }
            EntryKind::ServicePrincipal => self
                .assignments
                .iter()
                .filter(|one| one.resource_id == *id)
                .flat_map(|one| {
                    std::iter::once(one.principal_id.clone()).chain(self.members(&one.principal_id))
                })
                .collect(),
            _ => Vec::new(),
        };
        self.note_ids(reached);
    }

    pub(super) fn note_assignment(&mut self, principal: &EntryId) {
        let members = self.members(principal);
        self.note_ids(std::iter::once(principal.clone()).chain(members));
    }

    pub(super) fn note_link(&mut self, from: &EntryId, relation: Relation, to: &EntryId, is_removed: bool) {
        let member = (relation == Relation::Members).then(|| to.clone());
        self.note_ids(std::iter::once(from.clone()).chain(member));
        let number = self.number_of(from);
        self.link_changes.insert((from.clone(), relation, to.clone()), (number, is_removed));
    }

    pub(super) fn has_returned(&self, job: &JobId) -> bool {
        self.pairings.iter().any(|one| one.job == *job && self.gone.contains(&SubjectKey::of(one)))
    }

    pub(super) fn clear(&mut self, job: &JobId, what: Clear) {
        match what {
            Clear::Pairings => {
                self.pairings.retain(|one| one.job != *job);
                self.seen.retain(|subject, _| subject.job != *job);
                self.waiting.retain(|(subject, _)| subject.job != *job);
                self.held.retain(|subject, _| subject.job != *job);
                self.gone.retain(|subject| subject.job != *job);
            }
            Clear::Returned => {
                let pairings = &self.pairings;
                self.gone.retain(|gone| {
                    gone.job != *job || !pairings.iter().any(|one| SubjectKey::of(one) == *gone)
                });
            }
            Clear::Escrows => self.escrows.retain(|subject, escrow| subject.job != *job || escrow.is_open()),
            Clear::Held => self.held.retain(|subject, _| subject.job != *job),
        }
    }
}

/// Whether a subject comes after a key of a list.
pub(super) fn is_after(subject: &SubjectKey, after: Option<&(SmolStr, Anchor)>) -> bool {
    after.is_none_or(|(source_type, anchor)| {
        (&subject.source_type, &subject.source_anchor) > (source_type, anchor)
    })
}

pub(super) fn same(left: &JobId, right: &JobId) -> bool {
    left.as_str().eq_ignore_ascii_case(right.as_str())
}
