//! The part of the store's contract that cycles rest on: changes, escrows, deletions held back, references that wait.

use std::sync::Arc;

use serde_json::json;
use smol_str::SmolStr;
use usher_core::escrow::{Missing, Sent};
use usher_core::ports::{
    Clear, Commit, EscrowChange, EventQuery, Held, HeldChange, PairingChange, Remembered, Seen, Store,
    SubjectKey, Waiting,
};
use usher_core::{
    Action, Anchor, AppRoleAssignment, AssignmentId, Entry, EntryId, EntryKind, Escrow, JobId, JobState,
    Link, Relation,
};

use super::{at, entry, event, pairing};

pub(super) fn subject(job: &JobId, anchor: &str) -> SubjectKey {
    SubjectKey { job: job.clone(), source_type: "User".into(), source_anchor: Anchor::new(anchor) }
}

fn escrow(job: &JobId, anchor: &str, due: i64) -> Escrow {
    Escrow {
        job: job.clone(),
        source_type: "User".into(),
        source_anchor: Anchor::new(anchor),
        attempts: 1,
        first_failed_at: at(1),
        last_failed_at: at(2),
        next_attempt_at: at(due),
        code: "InternalServerError".into(),
        is_reference: false,
        sent: None,
        restoring: None,
        told_at: Some(at(2)),
        put_off: [("manager:m1".into(), at(1))].into(),
        missing: Some(Missing { since: at(1), is_matched_again: true }),
    }
}

/// The ids of a kind that changed since a number, each once, in order of their change.
async fn changed(store: &dyn Store, kind: EntryKind, since: u64) -> Vec<String> {
    let until = store.last_change().await.expect("it reads");
    let changes = store.changes(kind, since, until, 100).await.expect("it lists");
    changes
        .into_iter()
        .map(|change| format!("{}{}", change.id, if change.is_removed { " removed" } else { "" }))
        .collect()
}

pub(super) async fn changes_name_everybody_concerned(store: &dyn Store) {
    let now = || async { store.last_change().await.expect("it reads") };
    for (kind, id) in [
        (EntryKind::User, "c-ann"),
        (EntryKind::User, "c-bob"),
        (EntryKind::Group, "c-team"),
        (EntryKind::ServicePrincipal, "c-app"),
    ] {
        store.put_entry(&entry(kind, id, json!({ "securityEnabled": true }))).await.expect("it is written");
    }
    let start = now().await;
    assert!(changed(store, EntryKind::User, start).await.is_empty());

    let member = link("c-team", Relation::Members, "c-ann");
    store.add_link(&member).await.expect("it is written");
    assert_eq!(changed(store, EntryKind::Group, start).await, ["c-team"], "the group has another member");
    assert_eq!(changed(store, EntryKind::User, start).await, ["c-ann"], "a member may gain assignments");

    let start = now().await;
    store.add_link(&member).await.expect("it is there");
    assert_eq!(now().await, start, "what was there before is no change");
    let manager = link("c-bob", Relation::Manager, "c-ann");
    store.add_link(&manager).await.expect("it is written");
    assert_eq!(changed(store, EntryKind::User, start).await, ["c-bob"], "who refers changes, nobody else");

    let start = now().await;
    let assignment = assigned("c-1", "c-team", EntryKind::Group, "c-app");
    store.add_assignment(&assignment).await.expect("it is written");
    assert_eq!(
        changed(store, EntryKind::User, start).await,
        ["c-ann"],
        "members of an assigned group change"
    );
    assert_eq!(changed(store, EntryKind::Group, start).await, ["c-team"]);

    let start = now().await;
    store.put_entry(&entry(EntryKind::Group, "c-team", json!({}))).await.expect("it is written");
    assert_eq!(
        changed(store, EntryKind::User, start).await,
        ["c-ann"],
        "the group's kind decides about them"
    );

    let start = now().await;
    store.put_entry(&entry(EntryKind::ServicePrincipal, "c-app", json!({}))).await.expect("it is written");
    assert_eq!(changed(store, EntryKind::User, start).await, ["c-ann"], "roles are the application's");

    let start = now().await;
    let mut binned = entry(EntryKind::User, "c-ann", json!({}));
    binned.deleted_at = Some(at(9));
    store.put_entry(&binned).await.expect("it is written");
    let mut users = changed(store, EntryKind::User, start).await;
    users.sort();
    assert_eq!(users, ["c-ann", "c-bob"], "whoever refers to somebody in the bin changes");
    assert_eq!(changed(store, EntryKind::Group, start).await, ["c-team"]);

    let start = now().await;
    store.remove_assignment(&assignment.id).await.expect("it is removed");
    assert_eq!(changed(store, EntryKind::Group, start).await, ["c-team"]);
    let start = now().await;
    store.remove_entry(EntryKind::User, &binned.id).await.expect("it is removed");
    let mut users = changed(store, EntryKind::User, start).await;
    users.sort();
    assert_eq!(users, ["c-ann removed", "c-bob"]);
    assert_eq!(changed(store, EntryKind::Group, start).await, ["c-team"]);

    let until = now().await;
    let first = store.changes(EntryKind::User, 0, until, 1).await.expect("it lists");
    let rest = store.changes(EntryKind::User, first[0].number, until, 1).await.expect("it lists");
    assert!(first[0].number < rest[0].number, "pages go on where the last one ended");
    assert!(store.count_entries(EntryKind::Group).await.expect("it counts") >= 1);
}

fn link(from: &str, relation: Relation, to: &str) -> Link {
    Link { from: EntryId::new(from), relation, to: EntryId::new(to) }
}

fn assigned(id: &str, principal: &str, kind: EntryKind, resource: &str) -> AppRoleAssignment {
    AppRoleAssignment {
        id: AssignmentId::new(id),
        principal_id: EntryId::new(principal),
        principal_kind: kind,
        resource_id: EntryId::new(resource),
        app_role_id: "R-1".to_owned(),
        created_at: at(1),
    }
}

pub(super) async fn changes_of_properties_are_told_since_a_change(store: &dyn Store) {
    let id = EntryId::new("p-ann");
    let put = async |properties: serde_json::Value, deleted_at: Option<jiff::Timestamp>| {
        let written = Entry { deleted_at, ..entry(EntryKind::User, "p-ann", properties) };
        store.put_entry(&written).await.expect("it is written");
        store.last_change().await.expect("it reads")
    };
    let since = async |number: u64| {
        let changed = store.property_changes(EntryKind::User, &id, number).await.expect("it reads");
        changed.map(|names| names.into_iter().collect::<Vec<_>>().join(" "))
    };
    let before = store.last_change().await.expect("it reads");
    let made = put(json!({ "displayName": "Ann", "jobTitle": "Clerk", "city": "Rome" }), None).await;
    assert_eq!(since(before).await, None, "who did not know of it knows nothing of it");
    assert_eq!(since(made).await.as_deref(), Some(""));
    let titled = put(json!({ "displayName": "Ann", "jobTitle": "Head", "city": "Rome" }), None).await;
    let moved = put(json!({ "displayName": "Ann", "jobTitle": "Head", "department": "Ink" }), None).await;
    assert_eq!(since(made).await.as_deref(), Some("city department jobTitle"));
    assert_eq!(since(titled).await.as_deref(), Some("city department"), "what is taken away changed, too");
    assert_eq!(since(moved).await.as_deref(), Some(""));
    let binned = put(json!({ "displayName": "Ann" }), Some(at(9))).await;
    put(json!({ "displayName": "Ann" }), None).await;
    assert_eq!(since(binned).await, None, "what comes out of the bin is new");
    store.remove_entry(EntryKind::User, &id).await.expect("it is removed");
    assert_eq!(since(0).await, None);
}

pub(super) async fn roles_reach_members_of_security_groups(store: &dyn Store) {
    let entries = [
        (EntryKind::User, "r-ann", json!({})),
        (EntryKind::User, "r-bob", json!({})),
        (EntryKind::User, "r-cid", json!({})),
        (EntryKind::Group, "r-team", json!({ "securityEnabled": true })),
        (EntryKind::Group, "r-list", json!({ "securityEnabled": false })),
    ];
    for (kind, id, properties) in entries {
        store.put_entry(&entry(kind, id, properties)).await.expect("it is written");
    }
    for (from, to) in [("r-team", "r-ann"), ("r-team", "r-list"), ("r-list", "r-bob"), ("r-list", "r-ann")] {
        store.add_link(&link(from, Relation::Members, to)).await.expect("it is written");
    }
    for one in [
        assigned("r-1", "r-team", EntryKind::Group, "r-app"),
        assigned("r-2", "r-list", EntryKind::Group, "r-app"),
        assigned("r-3", "r-ann", EntryKind::User, "r-app"),
        assigned("r-4", "r-cid", EntryKind::User, "r-other"),
    ] {
        store.add_assignment(&one).await.expect("it is written");
    }
    let ids: Vec<EntryId> =
        ["r-ann", "r-bob", "r-cid", "r-team", "r-list"].into_iter().map(EntryId::new).collect();
    let mut reached: Vec<(String, String)> = store
        .roles_of(&EntryId::new("r-app"), &ids)
        .await
        .expect("it lists")
        .into_iter()
        .map(|(id, role)| (id.to_string(), role))
        .collect();
    reached.sort();
    let expected = [("r-ann", "r-1"), ("r-list", "r-1"), ("r-team", "r-1")];
    let expected: Vec<(String, String)> =
        expected.into_iter().map(|(id, role)| (id.to_owned(), role.to_owned())).collect();
    assert_eq!(reached, expected, "each pair once, nothing by way of lists, nothing nested");

    let teams = [EntryId::new("r-list"), EntryId::new("r-team")];
    let links = store.living_links(&teams, Relation::Members).await.expect("it lists");
    let links: Vec<String> = links.iter().map(|(from, to)| format!("{from} {to}")).collect();
    assert_eq!(links, ["r-list r-ann", "r-list r-bob", "r-team r-ann", "r-team r-list"]);
    let mut binned = entry(EntryKind::User, "r-ann", json!({}));
    binned.deleted_at = Some(at(9));
    store.put_entry(&binned).await.expect("it is written");
    let links = store.living_links(&teams[1..], Relation::Members).await.expect("it lists");
    assert_eq!(links, [(EntryId::new("r-team"), EntryId::new("r-list"))], "only the living");
}

pub(super) async fn pairings_tell_who_did_not_come_up(store: &dyn Store) {
    let job = JobId::new("seen");
    let pairings = ["s-1", "s-2", "s-3"].map(|anchor| PairingChange::Put(pairing(&job, anchor, anchor)));
    let seen = vec![Seen { subject: subject(&job, "s-2"), cycle: 7 }];
    let commit = Commit { pairings: pairings.to_vec(), seen, ..Commit::default() };
    store.commit(&commit).await.expect("it is written");
    let unseen = |after: Option<&'static str>, cycle: u64| {
        let job = job.clone();
        async move {
            let after = after.map(Anchor::new);
            let found = store.pairings_unseen(&job, "User", cycle, after.as_ref(), 9).await;
            found.expect("it lists").iter().map(|one| one.source_anchor.to_string()).collect::<Vec<_>>()
        }
    };
    assert_eq!(unseen(None, 7).await, ["s-1", "s-3"]);
    assert_eq!(unseen(Some("s-1"), 7).await, ["s-3"]);
    assert_eq!(unseen(None, 8).await.len(), 3, "what came up earlier did not come up now");
    let again = vec![PairingChange::Put(pairing(&job, "s-2", "t-9"))];
    store.commit(&Commit { pairings: again, ..Commit::default() }).await.expect("it is written");
    assert_eq!(unseen(None, 7).await, ["s-1", "s-3"], "a pairing that changes has still come up");
    let types: Vec<SmolStr> = vec!["Group".into(), "User".into()];
    let anchors = ["s-2", "s-9"].map(Anchor::new);
    let pairs = store.pairs(&job, &types, &anchors).await.expect("it reads");
    assert_eq!(pairs.into_iter().collect::<Vec<_>>(), [(Anchor::new("s-2"), Anchor::new("t-9"))]);
    let counts = store.count_pairings(&job).await.expect("it counts");
    assert_eq!(counts, [("User".into(), "Account".into(), 3)]);
    store
        .commit(&Commit { clear: vec![(job.clone(), Clear::Pairings)], ..Commit::default() })
        .await
        .expect("they are forgotten");
    assert!(unseen(None, 99).await.is_empty());
}

pub(super) async fn escrows_come_back_when_they_are_due(store: &dyn Store) {
    let job = JobId::new("escrows");
    let put = |anchor: &str, due: i64| EscrowChange::put(escrow(&job, anchor, due));
    let mut sent = escrow(&job, "s-4", 10);
    sent.attempts = 0;
    sent.sent = Some(Sent { at: at(5), sought: Vec::new() });
    let escrows = vec![put("s-1", 10), put("s-2", 20), put("s-3", 30), EscrowChange::put(sent)];
    store.commit(&Commit { escrows, ..Commit::default() }).await.expect("it is written");
    let due = |second: i64, after: Option<(SmolStr, Anchor)>| {
        let job = job.clone();
        async move {
            let found = store.escrows_due(&job, at(second), after.as_ref(), 9).await.expect("it lists");
            found.iter().map(|one| one.source_anchor.to_string()).collect::<Vec<_>>()
        }
    };
    assert_eq!(due(20, None).await, ["s-1", "s-2", "s-4"]);
    assert_eq!(due(20, Some(("User".into(), Anchor::new("s-1")))).await, ["s-2", "s-4"]);
    assert_eq!(store.count_escrows(&job).await.expect("it counts"), 3, "a create on its way is no failure");
    assert_eq!(store.next_escrow(&job).await.expect("it reads"), Some(at(10)));
    let commit = Commit {
        escrows: vec![put("s-1", 40), EscrowChange::Remove(subject(&job, "s-2"))],
        ..Commit::default()
    };
    store.commit(&commit).await.expect("it is written");
    assert_eq!(due(30, None).await, ["s-3", "s-4"]);
    let kept = store.remembered(&subject(&job, "s-1")).await.expect("it reads");
    let expected = Remembered { escrow: Some(escrow(&job, "s-1", 40)), ..Remembered::default() };
    assert_eq!(kept, expected);
    store
        .commit(&Commit { clear: vec![(job.clone(), Clear::Escrows)], ..Commit::default() })
        .await
        .expect("they are forgotten");
    assert_eq!(due(99, None).await, ["s-4"], "a create whose outcome is open is never forgotten");
}

pub(super) async fn reading_ahead_makes_no_difference(store: &dyn Store) {
    let job = JobId::new("ahead");
    let subjects = ["s-1", "s-2", "s-3"].map(|anchor| subject(&job, anchor));
    let put = |anchor: &str, attempts| EscrowChange::put(escrow(&job, anchor, attempts));
    let written = Commit { escrows: vec![put("s-1", 10), put("s-2", 10)], ..Commit::default() };
    store.commit(&written).await.expect("it is written");
    store.remember_ahead(&subjects).await.expect("it reads");
    let changed = Commit {
        escrows: vec![EscrowChange::Remove(subjects[0].clone()), put("s-3", 20)],
        ..Commit::default()
    };
    store.commit(&changed).await.expect("it is written");
    let expected = [None, Some(escrow(&job, "s-2", 10)), Some(escrow(&job, "s-3", 20))];
    for round in 0..2 {
        for (subject, expected) in subjects.iter().zip(&expected) {
            let kept = store.remembered(subject).await.expect("it reads");
            assert_eq!(kept.escrow, *expected, "{subject:?}, round {round}");
        }
    }
    store.remember_ahead(&subjects).await.expect("it reads");
    let cleared = Commit { clear: vec![(job.clone(), Clear::Escrows)], ..Commit::default() };
    store.commit(&cleared).await.expect("they are forgotten");
    for subject in &subjects {
        assert_eq!(store.remembered(subject).await.expect("it reads"), Remembered::default());
    }
}

pub(super) async fn held_deletions_wait_and_are_counted(store: &dyn Store) {
    let job = JobId::new("held");
    let put = |anchor: &str, is_staged: bool| Held {
        subject: subject(&job, anchor),
        action: Action::Disable,
        display_name: "n".to_owned(),
        is_staged,
    };
    let held = vec![HeldChange::Put(put("s-1", false)), HeldChange::Put(put("s-2", false))];
    store.commit(&Commit { held, ..Commit::default() }).await.expect("it is written");
    assert_eq!(store.count_held(&job).await.expect("it counts"), 2);
    let kept = store.remembered(&subject(&job, "s-1")).await.expect("it reads");
    assert_eq!(kept.held, Some(put("s-1", false)));
    let held = vec![HeldChange::Put(put("s-1", true)), HeldChange::Remove(subject(&job, "s-2"))];
    store.commit(&Commit { held, ..Commit::default() }).await.expect("it is written");
    assert_eq!(store.held(&job, None, 9).await.expect("it lists"), [put("s-1", true)]);
    let after = ("User".into(), Anchor::new("s-1"));
    assert!(store.held(&job, Some(&after), 9).await.expect("it lists").is_empty());
    store
        .commit(&Commit { clear: vec![(job.clone(), Clear::Held)], ..Commit::default() })
        .await
        .expect("they are forgotten");
    assert_eq!(store.count_held(&job).await.expect("it counts"), 0);
}

pub(super) async fn waiting_references_heal_once_the_other_side_is_paired(store: &dyn Store) {
    let job = JobId::new("waiting");
    let waits = |anchor: &str, awaited: &[&str]| Waiting {
        subject: subject(&job, anchor),
        awaited: awaited.iter().copied().map(Anchor::new).collect(),
    };
    let waiting = vec![waits("s-1", &["s-8", "s-9"]), waits("s-2", &["s-9"]), waits("s-3", &["s-7"])];
    store.commit(&Commit { waiting, ..Commit::default() }).await.expect("it is written");
    let healable = || {
        let job = job.clone();
        async move {
            let found =
                store.healable(&job, &["Group".into(), "User".into()], None, 9).await.expect("it lists");
            found.iter().map(|(_, anchor)| anchor.to_string()).collect::<Vec<_>>()
        }
    };
    assert!(healable().await.is_empty());
    let awaited = ["s-9", "s-7", "s-0"].map(Anchor::new);
    let waiting = store.waiting_for(&job, &awaited).await.expect("it lists");
    let waiting: Vec<&str> = waiting.iter().map(|(_, anchor)| anchor.as_str()).collect();
    assert_eq!(waiting, ["s-1", "s-2", "s-3"], "each once, whether what it waits for has a pair or not");
    let pairings = ["s-8", "s-9"].map(|anchor| PairingChange::Put(pairing(&job, anchor, anchor))).to_vec();
    store.commit(&Commit { pairings, ..Commit::default() }).await.expect("it is written");
    assert_eq!(healable().await, ["s-1", "s-2"], "each once");
    let waiting = vec![waits("s-1", &["s-7"]), waits("s-2", &[])];
    store.commit(&Commit { waiting, ..Commit::default() }).await.expect("it is written");
    assert!(healable().await.is_empty(), "what is known of an object is replaced");
}

pub(super) async fn who_lost_a_pair_is_known_once_there_is_another(store: &dyn Store) {
    let job = JobId::new("returned");
    let has_returned = async || store.has_returned(&job).await.expect("it reads");
    let change = async |change: PairingChange| {
        let commit = Commit { pairings: vec![change], ..Commit::default() };
        store.commit(&commit).await.expect("it is written");
    };
    let put = async |anchor: &str, target: &str| {
        change(PairingChange::Put(pairing(&job, anchor, target))).await;
    };
    let clear = async |what: Clear| {
        let commit = Commit { clear: vec![(job.clone(), what)], ..Commit::default() };
        store.commit(&commit).await.expect("it is forgotten");
    };
    for anchor in ["s-1", "s-2"] {
        put(anchor, "t").await;
        put(anchor, "t").await;
    }
    change(PairingChange::Forget(subject(&job, "s-0"))).await;
    put("s-0", "t").await;
    assert!(!has_returned().await, "nobody lost anything");
    change(PairingChange::Forget(subject(&job, "s-1"))).await;
    assert!(!has_returned().await, "it is gone");
    clear(Clear::Returned).await;
    put("s-1", "t-new").await;
    assert!(has_returned().await, "who is still gone stays known");
    clear(Clear::Returned).await;
    assert!(!has_returned().await);
    put("s-2", "t-other").await;
    assert!(has_returned().await, "the account is another");
    assert!(!store.has_returned(&JobId::new("returned-not")).await.expect("it reads"), "each job its own");
    clear(Clear::Pairings).await;
    put("s-2", "t").await;
    assert!(!has_returned().await, "with the pairs all of it is forgotten");
}

pub(super) async fn a_job_s_state_is_part_of_the_commit(store: &dyn Store) {
    let job = JobId::new("state.ABC");
    assert_eq!(store.job_state(&job).await.expect("it reads"), None);
    let state = JobState { cycles: 3, next_run_at: Some(at(9)), ..JobState::default() };
    let commit = Commit {
        events: vec![Arc::new(event("st-1", "state.ABC", 1))],
        state: Some((job.clone(), state.clone())),
        ..Commit::default()
    };
    store.commit(&commit).await.expect("it is written");
    assert_eq!(store.job_state(&job).await.expect("it reads"), Some(state.clone()));
    let clash = Commit { state: Some((job.clone(), JobState { cycles: 4, ..state.clone() })), ..commit };
    assert!(store.commit(&clash).await.is_err(), "the event is there already");
    assert_eq!(store.job_state(&job).await.expect("it reads"), Some(state), "all or none");
}

pub(super) async fn old_events_are_pruned(store: &dyn Store) {
    let events =
        (1..=5).map(|number| Arc::new(event(&format!("old-{number}"), "pruned", -100 + number))).collect();
    store.commit(&Commit { events, ..Commit::default() }).await.expect("they are written");
    assert_eq!(store.prune_events(at(-96), 2).await.expect("they are removed"), 2);
    assert_eq!(store.prune_events(at(-96), 9).await.expect("they are removed"), 1);
    let of_job = EventQuery { job: Some(JobId::new("pruned")), limit: 9, ..EventQuery::default() };
    assert_eq!(store.events(&of_job).await.expect("it lists").len(), 2);
}
