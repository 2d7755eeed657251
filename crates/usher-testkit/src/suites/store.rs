//! The contract of the store. A failed case panics with what was expected.

mod cycles;
mod logs;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, json};
use usher_core::ports::{
    AssignmentQuery, Commit, EntryQuery, EventQuery, Exchange, PairingChange, PreparedRequest, Reply, Store,
    StoreError, StoredSecret,
};
use usher_core::{
    Action, Anchor, AppRoleAssignment, AssignmentId, Entry, EntryId, EntryKind, Identity, Initiator, Job,
    JobId, Link, Pairing, ProvisioningEvent, Relation, ScheduleState, Secret, Status,
};

/// Runs every case, each on the same empty-at-first store.
///
/// # Panics
/// A case failed.
pub async fn run(store: &dyn Store) {
    entries_are_kept_with_their_unique_keys(store).await;
    deleted_entries_free_their_keys(store).await;
    entries_are_listed_in_pages(store).await;
    entries_are_found_by_any_text(store).await;
    links_go_both_ways_and_there_is_one_manager(store).await;
    assignments_are_made_once(store).await;
    removed_entry_takes_links_and_assignments_along(store).await;
    jobs_have_schemas_and_ids_without_case(store).await;
    secrets_are_replaced_as_a_set(store).await;
    results_become_durable_together(store).await;
    events_are_listed_newest_first(store).await;
    settings_are_kept_by_name(store).await;
    cycles::changes_name_everybody_concerned(store).await;
    cycles::changes_of_properties_are_told_since_a_change(store).await;
    cycles::roles_reach_members_of_security_groups(store).await;
    cycles::pairings_tell_who_did_not_come_up(store).await;
    cycles::escrows_come_back_when_they_are_due(store).await;
    cycles::held_deletions_wait_and_are_counted(store).await;
    cycles::reading_ahead_makes_no_difference(store).await;
    cycles::waiting_references_heal_once_the_other_side_is_paired(store).await;
    cycles::who_lost_a_pair_is_known_once_there_is_another(store).await;
    cycles::a_job_s_state_is_part_of_the_commit(store).await;
    cycles::old_events_are_pruned(store).await;
    logs::changes_of_links_are_told_once_and_in_order(store).await;
    logs::the_audit_log_is_read_backwards_and_pruned(store).await;
    logs::of_an_uploaded_record_the_newest_counts(store).await;
}

/// An entry with a display name, for cases of the caller.
pub fn entry(kind: EntryKind, id: &str, properties: serde_json::Value) -> Entry {
    Entry {
        id: EntryId::new(id),
        kind,
        properties: properties.as_object().cloned().unwrap_or_else(Map::new),
        created_at: at(1),
        deleted_at: None,
    }
}

/// An instant, in seconds since 1970.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("tests use small numbers")
}

async fn entries_are_kept_with_their_unique_keys(store: &dyn Store) {
    let adele = entry(
        EntryKind::User,
        "u-1",
        json!({ "userPrincipalName": "Adele@x", "displayName": "Adele", "age": 3 }),
    );
    store.put_entry(&adele).await.expect("a new entry is taken");
    assert_eq!(store.entry(EntryKind::User, &adele.id).await.expect("it reads"), Some(adele.clone()));
    assert_eq!(store.entry(EntryKind::Group, &adele.id).await.expect("it reads"), None);
    let found = store.entry_by_key(EntryKind::User, "userPrincipalName", "aDELE@X").await.expect("it reads");
    assert_eq!(found, Some(adele.clone()), "keys are compared without case");

    let twin = entry(EntryKind::User, "u-2", json!({ "userPrincipalName": "adele@X" }));
    let refused = store.put_entry(&twin).await;
    assert!(
        matches!(refused, Err(StoreError::Duplicate { ref property, .. }) if property == "userPrincipalName")
    );
    assert_eq!(
        store.entry(EntryKind::User, &twin.id).await.expect("it reads"),
        None,
        "nothing of it was written"
    );

    let mut renamed = adele.clone();
    renamed.properties.insert("userPrincipalName".into(), json!("vance@x"));
    store.put_entry(&renamed).await.expect("an entry may be renamed");
    store.put_entry(&twin).await.expect("the old name is free");
    let found = store.entry_by_key(EntryKind::User, "userPrincipalName", "vance@x").await.expect("it reads");
    assert_eq!(found.map(|entry| entry.id), Some(renamed.id));
}

async fn deleted_entries_free_their_keys(store: &dyn Store) {
    let mut gone = entry(EntryKind::User, "u-3", json!({ "userPrincipalName": "gone@x" }));
    store.put_entry(&gone).await.expect("it is written");
    gone.deleted_at = Some(at(9));
    store.put_entry(&gone).await.expect("it goes into the bin");
    assert_eq!(store.entry(EntryKind::User, &gone.id).await.expect("it reads"), Some(gone.clone()));
    assert_eq!(
        store.entry_by_key(EntryKind::User, "userPrincipalName", "gone@x").await.expect("it reads"),
        None
    );
    let next = entry(EntryKind::User, "u-4", json!({ "userPrincipalName": "gone@x" }));
    store.put_entry(&next).await.expect("the name is free");
    gone.deleted_at = None;
    assert!(store.put_entry(&gone).await.is_err(), "it cannot come back while the name is taken");
}

async fn entries_are_listed_in_pages(store: &dyn Store) {
    for number in 0..5 {
        let group = entry(
            EntryKind::Group,
            &format!("g-{number}"),
            json!({ "displayName": format!("Team {}", number % 2) }),
        );
        store.put_entry(&group).await.expect("it is written");
    }
    let mut query =
        EntryQuery { kind: EntryKind::Group, deleted: false, after: None, limit: 3, equals: None };
    let first = store.entries(&query).await.expect("it lists");
    assert_eq!(ids(&first), ["g-0", "g-1", "g-2"]);
    query.after = first.last().map(|entry| entry.id.clone());
    assert_eq!(ids(&store.entries(&query).await.expect("it lists")), ["g-3", "g-4"]);
    query.after = None;
    query.limit = 10;
    query.equals = Some(("displayName".into(), "TEAM 1".into()));
    assert_eq!(ids(&store.entries(&query).await.expect("it lists")), ["g-1", "g-3"]);
    query.after = Some(EntryId::new("g-1"));
    assert_eq!(ids(&store.entries(&query).await.expect("it lists")), ["g-3"]);
    query.after = None;
    query.equals = None;
    query.deleted = true;
    assert!(store.entries(&query).await.expect("it lists").is_empty());
}

async fn entries_are_found_by_any_text(store: &dyn Store) {
    let properties = json!({ "displayName": "Zoë Müller", "city": "O'Brien\" % _", "floor": 3 });
    let mut zoe = entry(EntryKind::User, "t-1", properties);
    store.put_entry(&zoe).await.expect("it is written");
    let found = async |deleted, property: &str, value: &str| {
        let equals = Some((property.into(), value.into()));
        let query = EntryQuery { kind: EntryKind::User, deleted, after: None, limit: 9, equals };
        ids(&store.entries(&query).await.expect("it lists")).join(" ")
    };
    assert_eq!(
        found(false, "displayName", "ZOË MÜLLER").await,
        "t-1",
        "letters beyond ASCII have no case either"
    );
    assert_eq!(found(false, "city", "o'brien\" % _").await, "t-1");
    assert_eq!(found(false, "city", "Zoë Müller").await, "");
    assert_eq!(found(false, "floor", "3").await, "", "a number is no text");
    zoe.properties.insert("displayName".into(), json!("Zoë Meier"));
    store.put_entry(&zoe).await.expect("it is replaced");
    assert_eq!(found(false, "displayName", "Zoë Müller").await, "");
    zoe.deleted_at = Some(at(9));
    store.put_entry(&zoe).await.expect("it goes into the bin");
    assert_eq!(found(false, "displayName", "Zoë Meier").await, "");
    assert_eq!(found(true, "displayName", "Zoë Meier").await, "t-1");
    store.remove_entry(EntryKind::User, &zoe.id).await.expect("it is removed");
    assert_eq!(found(true, "displayName", "Zoë Meier").await, "");
}

fn ids(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.id.as_str()).collect()
}

async fn links_go_both_ways_and_there_is_one_manager(store: &dyn Store) {
    let link =
        |from: &str, relation, to: &str| Link { from: EntryId::new(from), relation, to: EntryId::new(to) };
    for to in ["m-1", "m-2", "m-3"] {
        assert!(store.add_link(&link("l-1", Relation::Members, to)).await.expect("it is written"));
    }
    assert!(
        !store.add_link(&link("l-1", Relation::Members, "m-2")).await.expect("it is written"),
        "it was there"
    );
    let group = EntryId::new("l-1");
    let members = store.links_from(&group, Relation::Members, None, 2).await.expect("it lists");
    assert_eq!(members, [EntryId::new("m-1"), EntryId::new("m-2")]);
    let rest = store.links_from(&group, Relation::Members, members.last(), 2).await.expect("it lists");
    assert_eq!(rest, [EntryId::new("m-3")]);
    let groups = store.links_to(&EntryId::new("m-3"), Relation::Members, None, 9).await.expect("it lists");
    assert_eq!(groups, std::slice::from_ref(&group));
    assert!(store.remove_link(&link("l-1", Relation::Members, "m-3")).await.expect("it is removed"));
    assert!(!store.remove_link(&link("l-1", Relation::Members, "m-3")).await.expect("it is gone"));

    store.add_link(&link("m-1", Relation::Manager, "m-2")).await.expect("it is written");
    store.add_link(&link("m-1", Relation::Manager, "m-3")).await.expect("it is written");
    let managers =
        store.links_from(&EntryId::new("m-1"), Relation::Manager, None, 9).await.expect("it lists");
    assert_eq!(managers, [EntryId::new("m-3")], "the second manager replaces the first");
}

fn assignment(id: &str, principal: &str, resource: &str) -> AppRoleAssignment {
    AppRoleAssignment {
        id: AssignmentId::new(id),
        principal_id: EntryId::new(principal),
        principal_kind: EntryKind::User,
        resource_id: EntryId::new(resource),
        app_role_id: "r".to_owned(),
        created_at: at(2),
    }
}

async fn assignments_are_made_once(store: &dyn Store) {
    let (first, second) = (assignment("a-2", "p-1", "s-1"), assignment("a-1", "p-2", "s-1"));
    assert!(store.add_assignment(&first).await.expect("it is written"));
    assert!(store.add_assignment(&second).await.expect("it is written"));
    assert!(!store.add_assignment(&assignment("a-9", "p-1", "s-1")).await.expect("it is refused"));
    let of_resource =
        store.assignments(&AssignmentQuery::Resource(EntryId::new("s-1"))).await.expect("it lists");
    assert_eq!(of_resource, [first.clone(), second]);
    let of_principal =
        store.assignments(&AssignmentQuery::Principal(EntryId::new("p-1"))).await.expect("it lists");
    assert_eq!(of_principal, std::slice::from_ref(&first));
    assert!(store.remove_assignment(&first.id).await.expect("it is removed"));
    assert!(!store.remove_assignment(&first.id).await.expect("it is gone"));
}

async fn removed_entry_takes_links_and_assignments_along(store: &dyn Store) {
    let user = entry(EntryKind::User, "x-1", json!({}));
    store.put_entry(&user).await.expect("it is written");
    let link = Link { from: EntryId::new("x-g"), relation: Relation::Members, to: user.id.clone() };
    store.add_link(&link).await.expect("it is written");
    store.add_assignment(&assignment("x-a", "x-1", "s-2")).await.expect("it is written");
    assert!(store.remove_entry(EntryKind::User, &user.id).await.expect("it is removed"));
    assert!(!store.remove_entry(EntryKind::User, &user.id).await.expect("it is gone"));
    assert!(store.links_from(&link.from, Relation::Members, None, 9).await.expect("it lists").is_empty());
    let left = store.assignments(&AssignmentQuery::Resource(EntryId::new("s-2"))).await.expect("it lists");
    assert!(left.is_empty());
}

fn job(id: &str, service_principal: &str) -> Job {
    Job {
        id: JobId::new(id),
        service_principal: EntryId::new(service_principal),
        template: "scim".into(),
        interval: "PT40M".into(),
        state: ScheduleState::Disabled,
        settings: vec![("b".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())],
        created_at: at(3),
        factory: None,
        restart: None,
    }
}

async fn jobs_have_schemas_and_ids_without_case(store: &dyn Store) {
    let (one, two) = (job("Scim.One", "sp-1"), job("scim.two", "sp-2"));
    store.put_job(&one).await.expect("it is written");
    store.put_job(&two).await.expect("it is written");
    assert_eq!(store.job(&JobId::new("sCIM.oNE")).await.expect("it reads"), Some(one.clone()));
    assert_eq!(store.jobs(None).await.expect("it lists"), [one.clone(), two.clone()]);
    assert_eq!(store.jobs(Some(&EntryId::new("sp-2"))).await.expect("it lists"), [two]);
    assert_eq!(store.schema(&one.id).await.expect("it reads"), None);
    store.put_schema(&one.id, "{}").await.expect("it is written");
    store.put_schema(&one.id, "{\"a\":1}").await.expect("it is replaced");
    assert_eq!(store.schema(&one.id).await.expect("it reads").as_deref(), Some("{\"a\":1}"));
    store.remove_schema(&one.id).await.expect("it is removed");
    assert_eq!(store.schema(&one.id).await.expect("it reads"), None);
    store.put_schema(&one.id, "{}").await.expect("it is written");
    store
        .commit(&Commit {
            pairings: vec![PairingChange::Put(pairing(&one.id, "s", "t"))],
            ..Commit::default()
        })
        .await
        .expect("it is written");
    assert!(store.remove_job(&one.id).await.expect("it is removed"));
    assert!(!store.remove_job(&one.id).await.expect("it is gone"));
    assert_eq!(store.schema(&one.id).await.expect("it reads"), None, "the schema went along");
    assert_eq!(store.pairing(&one.id, "User", &Anchor::new("s")).await.expect("it reads"), None);
}

async fn secrets_are_replaced_as_a_set(store: &dyn Store) {
    let owner = EntryId::new("sp-9");
    let secret = |key: &str, value: &str| StoredSecret { key: key.to_owned(), value: Secret::new(value) };
    store.put_secrets(&owner, &[secret("B", "1"), secret("A", "2")]).await.expect("they are written");
    store.put_secrets(&owner, &[secret("C", "3"), secret("B", "4")]).await.expect("they are replaced");
    let kept = store.secrets(&owner).await.expect("they read");
    let kept: Vec<(&str, &str)> = kept.iter().map(|one| (one.key.as_str(), one.value.expose())).collect();
    assert_eq!(kept, [("C", "3"), ("B", "4")]);
    assert!(store.secrets(&EntryId::new("sp-8")).await.expect("they read").is_empty());
}

fn pairing(job: &JobId, source: &str, target: &str) -> Pairing {
    Pairing {
        job: job.clone(),
        source_type: "User".into(),
        source_anchor: Anchor::new(source),
        target_type: "Account".into(),
        target_anchor: Anchor::new(target),
        is_managed: true,
        display_name: "n".to_owned(),
        confirmed_at: at(4),
        trace: [("title".into(), 7)].into(),
    }
}

/// An event of a job that ended at this second.
pub fn event(id: &str, job: &str, second: i64) -> ProvisioningEvent {
    ProvisioningEvent {
        id: id.into(),
        began_at: at(second - 1),
        ended_at: at(second),
        job: JobId::new(job),
        cycle: format!("cycle-{job}").into(),
        change: format!("change-{id}").into(),
        action: Action::Create,
        status: Status::Success,
        skip_reason: None,
        skip_description: None,
        failure: None,
        initiated_by: Initiator {
            id: String::new(),
            display_name: "test".to_owned(),
            initiator_type: "system".to_owned(),
        },
        service_principal: EntryId::new("sp"),
        service_principal_name: "app".to_owned(),
        source_system: Identity::default(),
        target_system: Identity::default(),
        source_identity: Identity::default(),
        target_identity: Identity::default(),
        reportable_identifier: "adele".to_owned(),
        steps: Vec::new(),
        modified_properties: Vec::new(),
        requests: vec![Exchange {
            request: PreparedRequest { method: "DELETE".into(), path: "/Users/1".to_owned(), body: None },
            answer: Some(Reply { status: 204, body: None }),
        }],
    }
}

async fn results_become_durable_together(store: &dyn Store) {
    let job = JobId::new("together");
    let commit = Commit {
        pairings: vec![
            PairingChange::Put(pairing(&job, "s-1", "t-1")),
            PairingChange::Put(pairing(&job, "s-2", "t-1")),
        ],
        events: vec![Arc::new(event("e-1", "together", 10))],
        ..Commit::default()
    };
    store.commit(&commit).await.expect("it is written");
    assert!(store.commit(&commit).await.is_err(), "an event is written once");
    let clash = Commit {
        pairings: vec![PairingChange::Put(pairing(&job, "s-3", "t-3"))],
        events: vec![Arc::new(event("e-1", "together", 11))],
        ..Commit::default()
    };
    assert!(store.commit(&clash).await.is_err());
    assert_eq!(
        store.pairing(&job, "User", &Anchor::new("s-3")).await.expect("it reads"),
        None,
        "all or none"
    );
    let claims = store.pairings_of_target(&job, "Account", &Anchor::new("t-1")).await.expect("it lists");
    assert_eq!(claims.len(), 2);
    let forget = PairingChange::Forget(cycles::subject(&job, "s-1"));
    store.commit(&Commit { pairings: vec![forget], ..Commit::default() }).await.expect("it is forgotten");
    assert_eq!(store.pairing(&job, "User", &Anchor::new("s-1")).await.expect("it reads"), None);
    assert!(store.event("e-1").await.expect("it reads").is_some());
    assert!(store.event("e-0").await.expect("it reads").is_none());
}

async fn events_are_listed_newest_first(store: &dyn Store) {
    let events = [event("n-1", "listed", 100), event("n-2", "listed", 300), event("n-3", "listed", 200)];
    let events = events.map(Arc::new).to_vec();
    store.commit(&Commit { events, ..Commit::default() }).await.expect("they are written");
    let of_job = EventQuery { job: Some(JobId::new("listed")), limit: 9, ..EventQuery::default() };
    let list = |events: Vec<ProvisioningEvent>| events.into_iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(list(store.events(&of_job).await.expect("it lists")), ["n-2", "n-3", "n-1"]);
    let oldest = EventQuery { oldest_first: true, ..of_job.clone() };
    assert_eq!(list(store.events(&oldest).await.expect("it lists")), ["n-1", "n-3", "n-2"]);
    let page = EventQuery { skip: 1, limit: 1, ..of_job.clone() };
    assert_eq!(list(store.events(&page).await.expect("it lists")), ["n-3"]);
    let between = EventQuery { after: Some(at(100)), before: Some(at(300)), ..of_job.clone() };
    assert_eq!(list(store.events(&between).await.expect("it lists")), ["n-3"]);
    let change = EventQuery { change: Some("change-n-1".into()), ..of_job };
    assert_eq!(list(store.events(&change).await.expect("it lists")), ["n-1"]);
}

async fn settings_are_kept_by_name(store: &dyn Store) {
    for name in ["key/b", "key/a", "other"] {
        store.put_setting(name, &Secret::new("1")).await.expect("it is written");
    }
    store.put_setting("key/a", &Secret::new("2")).await.expect("it is replaced");
    let value = store.setting("key/a").await.expect("it reads");
    assert_eq!(value.as_ref().map(Secret::expose), Some("2"));
    assert_eq!(store.setting_names("key/").await.expect("it lists"), ["key/a", "key/b"]);
    assert!(store.remove_setting("key/a").await.expect("it is removed"));
    assert!(!store.remove_setting("key/a").await.expect("it is gone"));
    assert!(store.setting("key/a").await.expect("it reads").is_none());
}
