//! The part of the store's contract that the Graph API rests on: changes of links, the audit log, uploads.

use serde_json::json;
use usher_core::ports::{AuditQuery, Store};
use usher_core::{AuditRecord, EntryId, EntryKind, JobId, Link, Relation};

use super::{at, entry};

pub(super) async fn changes_of_links_are_told_once_and_in_order(store: &dyn Store) {
    for id in ["lc-a", "lc-b", "lc-c"] {
        let user = entry(EntryKind::User, id, json!({ "userPrincipalName": format!("{id}@x") }));
        store.put_entry(&user).await.expect("it is written");
    }
    let team = entry(EntryKind::Group, "lc-g", json!({ "displayName": "team" }));
    store.put_entry(&team).await.expect("it is written");
    let link = |to: &str| Link { from: team.id.clone(), relation: Relation::Members, to: EntryId::new(to) };
    let told = async |after: u64, until: u64| -> Vec<(String, bool)> {
        let changes = store.link_changes(&team.id, Relation::Members, (after, until), None, 10).await;
        changes.expect("it reads").into_iter().map(|one| (one.to.to_string(), one.is_removed)).collect()
    };
    for to in ["lc-b", "lc-a"] {
        store.add_link(&link(to)).await.expect("it is written");
    }
    let first = store.last_change().await.expect("it reads");
    let pair = |to: &str, is_removed| (to.to_owned(), is_removed);
    assert_eq!(told(0, first).await, [pair("lc-a", false), pair("lc-b", false)]);
    assert_eq!(told(first, u64::MAX).await, []);
    store.remove_link(&link("lc-a")).await.expect("it is written");
    store.add_link(&link("lc-c")).await.expect("it is written");
    let mut gone = entry(EntryKind::User, "lc-b", json!({ "userPrincipalName": "lc-b@x" }));
    gone.deleted_at = Some(at(9));
    store.put_entry(&gone).await.expect("it is written");
    let second = store.last_change().await.expect("it reads");
    assert_eq!(told(first, second).await, [pair("lc-a", true), pair("lc-b", true), pair("lc-c", false)]);
    let page = store
        .link_changes(&team.id, Relation::Members, (first, second), Some(&EntryId::new("lc-a")), 1)
        .await
        .expect("it reads");
    assert_eq!(page.iter().map(|one| one.to.as_str()).collect::<Vec<_>>(), ["lc-b"]);
    gone.deleted_at = None;
    store.put_entry(&gone).await.expect("it is written");
    assert_eq!(told(second, u64::MAX).await, [pair("lc-b", false)], "whoever comes back is told as new");
    let boss =
        |to: &str| Link { from: EntryId::new("lc-a"), relation: Relation::Manager, to: EntryId::new(to) };
    store.add_link(&boss("lc-b")).await.expect("it is written");
    let third = store.last_change().await.expect("it reads");
    store.add_link(&boss("lc-c")).await.expect("it is written");
    let changes =
        store.link_changes(&EntryId::new("lc-a"), Relation::Manager, (third, u64::MAX), None, 10).await;
    let changes: Vec<(String, bool)> =
        changes.expect("it reads").into_iter().map(|one| (one.to.to_string(), one.is_removed)).collect();
    assert_eq!(changes, [pair("lc-b", true), pair("lc-c", false)], "a new manager sends the old one away");
    store.remove_entry(EntryKind::User, &EntryId::new("lc-c")).await.expect("it is written");
    assert!(told(third, u64::MAX).await.contains(&pair("lc-c", true)));
}

fn record(id: &str, second: i64) -> AuditRecord {
    AuditRecord {
        id: id.to_owned(),
        at: at(second),
        activity: "Create a user".to_owned(),
        method: "POST".to_owned(),
        path: "/v1.0/users".to_owned(),
        status: 201,
        reason: None,
        app_id: "app".to_owned(),
        object_id: "object".to_owned(),
        caller: "somebody".to_owned(),
        target: Some("u-1".to_owned()),
        target_type: "users".to_owned(),
        request_id: "r".to_owned(),
        client_request_id: "c".to_owned(),
    }
}

pub(super) async fn the_audit_log_is_read_backwards_and_pruned(store: &dyn Store) {
    for second in 1..=5 {
        store.add_audit(&record(&format!("audit-{second}"), second)).await.expect("it is written");
    }
    let ids = |page: &[(u64, AuditRecord)]| page.iter().map(|(_, one)| one.id.clone()).collect::<Vec<_>>();
    let page = store.audits(&AuditQuery { before: None, limit: 2 }).await.expect("it reads");
    assert_eq!(ids(&page), ["audit-5", "audit-4"]);
    let before = page.last().map(|(place, _)| *place);
    let page = store.audits(&AuditQuery { before, limit: 2 }).await.expect("it reads");
    assert_eq!(ids(&page), ["audit-3", "audit-2"]);
    assert_eq!(store.audit("audit-1").await.expect("it reads"), Some(record("audit-1", 1)));
    assert_eq!(store.prune_audits(at(4), 2).await.expect("it works"), 2);
    assert_eq!(store.prune_audits(at(4), 2).await.expect("it works"), 1);
    assert_eq!(store.audit("audit-3").await.expect("it reads"), None);
}

pub(super) async fn of_an_uploaded_record_the_newest_counts(store: &dyn Store) {
    let (job, other) = (JobId::new("api.t.up"), JobId::new("api.t.other"));
    let records =
        [("1".into(), json!({ "v": 1 })), ("2".into(), json!({ "v": 2 })), ("1".into(), json!({ "v": 3 }))];
    store.put_uploads(&job, &records).await.expect("it is written");
    store.put_uploads(&other, &records[..1]).await.expect("it is written");
    let last = store.last_upload().await.expect("it reads");
    let page = store.uploads(&job, 0, last, 10).await.expect("it reads");
    let seen: Vec<(&str, i64)> =
        page.iter().map(|one| (one.id.as_str(), one.document["v"].as_i64().unwrap_or(0))).collect();
    assert_eq!(seen, [("2", 2), ("1", 3)]);
    let rest = store.uploads(&job, page[0].number, last, 10).await.expect("it reads");
    assert_eq!(rest.len(), 1, "pages follow each other");
    assert_eq!(
        store.upload(&job, "2").await.expect("it reads").map(|one| one.document),
        Some(json!({ "v": 2 }))
    );
    assert_eq!(store.count_uploads(&job).await.expect("it reads"), 2);
    store.remove_uploads(&job).await.expect("it works");
    assert_eq!(store.upload(&job, "2").await.expect("it reads"), None);
    assert_eq!(store.count_uploads(&other).await.expect("it reads"), 1);
}
