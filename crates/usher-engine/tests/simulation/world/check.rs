//! What must be true after every run, and in the end.

use std::collections::{BTreeMap, BTreeSet};

use usher_core::DirectoryObject;

use super::{ACCOUNT, Person, THRESHOLD, World, anchor, text};

impl World {
    /// Nobody has two accounts; no cycle disables or deletes more than the guard allows.
    pub(super) fn check_always(&self) -> Result<(), String> {
        let mut owners = BTreeSet::new();
        for object in self.target.objects() {
            let owner = text(&object, "externalId");
            if !owners.insert((object.object_type.clone(), owner.clone())) {
                return Err(format!("{owner} has two accounts"));
            }
        }
        if self.is_guarded {
            for (cycle, accounts) in &self.deprovisioned {
                if accounts.len() > THRESHOLD {
                    return Err(format!("cycle {cycle} disabled or deleted {accounts:?}"));
                }
            }
        }
        Ok(())
    }

    pub(super) fn check_settled(&self) -> Result<(), String> {
        let accounts: BTreeMap<String, DirectoryObject> =
            self.accounts().into_iter().map(|object| (text(&object, "externalId"), object)).collect();
        for (owner, account) in &accounts {
            let person = self.people.iter().find(|(id, _)| anchor(**id) == *owner).map(|(_, person)| person);
            let is_in_use = |person: &Person| {
                person.is_assigned && person.is_enabled && !(self.maps_leave && person.is_on_leave)
            };
            let should_be_active = person.is_some_and(is_in_use);
            if (text(account, "active") == "True") != should_be_active {
                return Err(format!(
                    "the account of {owner} should be active: {should_be_active}; it is {account:?}"
                ));
            }
        }
        for (id, person) in &self.people {
            let account = accounts.get(&anchor(*id));
            if !(person.is_assigned && person.is_enabled) {
                continue;
            }
            let Some(account) = account else { return Err(format!("{person:?} has no account")) };
            let expected = [("userName", format!("{}@x", person.name)), ("displayName", person.name.clone())];
            for (attribute, value) in expected {
                if text(account, attribute) != value {
                    return Err(format!("{attribute} of {person:?} is {account:?}"));
                }
            }
            if !person.title.is_empty() && text(account, "title") != person.title {
                return Err(format!("the title of {person:?} is {account:?}"));
            }
            let manager = person.manager.and_then(|manager| accounts.get(&anchor(manager)));
            if let Some(manager) = manager
                && text(account, &format!("{ACCOUNT}:manager")) != manager.anchor.as_str()
            {
                return Err(format!("the manager of {person:?} is not {manager:?}: {account:?}"));
            }
        }
        let groups: BTreeMap<String, DirectoryObject> =
            self.groups().into_iter().map(|object| (text(&object, "displayName"), object)).collect();
        let expected: Vec<String> =
            self.teams.iter().filter(|(_, team)| team.is_assigned).map(|(id, _)| anchor(*id)).collect();
        if groups.keys().ne(&expected) {
            return Err(format!("the groups are {:?}, not {expected:?}", groups.keys()));
        }
        for (id, team) in self.teams.iter().filter(|(_, team)| team.is_assigned) {
            let members: BTreeSet<String> = groups[&anchor(*id)]
                .attributes
                .value("members")
                .map(|value| value.values().iter().map(|one| one.to_text().to_string()).collect())
                .unwrap_or_default();
            let expected: BTreeSet<String> = team
                .members
                .iter()
                .filter_map(|member| accounts.get(&anchor(*member)))
                .map(|account| account.anchor.to_string())
                .collect();
            if members != expected {
                return Err(format!("the members of {id} are {members:?}, not {expected:?}"));
            }
        }
        Ok(())
    }
}
