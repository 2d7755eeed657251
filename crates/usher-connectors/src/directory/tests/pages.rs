//! The directory inside as a source of cycles: pages, changes, and the same object by every way.

use serde_json::json;
use usher_core::ports::{Connector, ConnectorErrorKind, Page, ReadRequest, Store, SubjectRequest, Watermark};
use usher_core::{EntryId, EntryKind, Relation};

use super::{DEFAULT_ROLE, Tenant, tenant};

const ATTRIBUTES: &[&str] =
    &["objectId", "displayName", "manager", "members", "IsSoftDeleted", "appRoleAssignments"];

fn request(object_type: &str, since: Option<&Watermark>, until: &Watermark) -> ReadRequest {
    ReadRequest {
        object_type: object_type.into(),
        attributes: ATTRIBUTES.iter().map(|name| (*name).into()).collect(),
        application: Some(EntryId::new("app")),
        since: since.cloned(),
        until: until.clone(),
        cursor: None,
    }
}

impl Tenant {
    async fn watermark(&self) -> Watermark {
        self.connector.watermark("User").await.expect("it tells")
    }

    /// All pages.
    async fn read(&self, mut request: ReadRequest) -> Page {
        let mut all = Page::default();
        loop {
            let page = self.connector.read(&request).await.expect("it reads");
            all.objects.extend(page.objects);
            all.total = all.total.or(page.total);
            match page.next {
                Some(next) => request.cursor = Some(next),
                None => return all,
            }
        }
    }

    async fn changed(&self, object_type: &str, since: &Watermark) -> Vec<String> {
        let page = self.read(request(object_type, Some(since), &self.watermark().await)).await;
        let name = |one: &usher_core::ports::Incoming| {
            format!("{}{}", one.anchor, if one.object.is_some() { "" } else { " gone" })
        };
        page.objects.iter().map(name).collect()
    }
}

#[tokio::test]
async fn a_page_holds_what_a_read_of_one_object_holds() {
    let tenant = tenant().await;
    tenant.group("team", true, &["adele", "bob"]).await;
    tenant.group("list", false, &["bob"]).await;
    tenant.assign("team", EntryKind::Group, "r-edit").await;
    tenant.assign("list", EntryKind::Group, DEFAULT_ROLE).await;
    tenant.assign("adele", EntryKind::User, "r-old").await;
    tenant.put(EntryKind::User, "cid", json!({"displayName": "Cid"})).await;
    tenant.put_into_bin(EntryKind::User, "cid").await;
    let until = tenant.watermark().await;
    for object_type in ["User", "Group"] {
        let page = tenant.read(request(object_type, None, &until)).await;
        assert_eq!(page.total, Some(page.objects.len() as u64), "{object_type}");
        for incoming in page.objects {
            let subject = SubjectRequest {
                object_type: object_type.into(),
                id: incoming.anchor.as_str().into(),
                attributes: ATTRIBUTES.iter().map(|name| (*name).into()).collect(),
                application: Some(EntryId::new("app")),
            };
            let alone = tenant.connector.subject(&subject).await.expect("it reads").expect("it is there");
            let entitlement =
                tenant.connector.entitlement(&alone, &EntryId::new("app")).await.expect("it tells");
            assert_eq!(incoming.entitlement, entitlement, "{}", incoming.anchor);
            assert_eq!(incoming.object, Some(alone));
        }
    }
}

#[tokio::test]
async fn pages_go_on_until_everybody_came_once() {
    let tenant = tenant().await;
    for number in 0..1203 {
        tenant.put(EntryKind::User, &format!("u{number:04}"), json!({"displayName": "u"})).await;
    }
    tenant.put_into_bin(EntryKind::User, "u0007").await;
    let until = tenant.watermark().await;
    let page = tenant.read(request("User", None, &until)).await;
    let mut anchors: Vec<String> = page.objects.iter().map(|one| one.anchor.to_string()).collect();
    anchors.sort();
    anchors.dedup();
    assert_eq!((page.objects.len(), anchors.len(), page.total), (1205, 1205, Some(1205)));
}

#[tokio::test]
async fn only_what_changed_since_the_watermark_comes() {
    let tenant = tenant().await;
    let since = tenant.watermark().await;
    assert!(tenant.changed("User", &since).await.is_empty());
    tenant.put(EntryKind::User, "bob", json!({"displayName": "Robert"})).await;
    assert_eq!(tenant.changed("User", &since).await, ["bob"]);
    tenant.group("team", true, &["adele"]).await;
    assert_eq!(tenant.changed("Group", &since).await, ["team"]);
    assert_eq!(tenant.changed("User", &since).await, ["bob", "adele"]);

    let since = tenant.watermark().await;
    tenant.assign("team", EntryKind::Group, "r-edit").await;
    assert_eq!(tenant.changed("User", &since).await, ["adele"], "the assignment reaches the members");

    let since = tenant.watermark().await;
    tenant.put_into_bin(EntryKind::User, "bob").await;
    tenant.put_into_bin(EntryKind::Group, "team").await;
    let users = tenant.changed("User", &since).await;
    assert!(users.contains(&"bob".to_owned()), "a user in the bin is switched off: {users:?}");
    assert_eq!(tenant.changed("Group", &since).await, ["team gone"]);

    let since = tenant.watermark().await;
    tenant.store.remove_entry(EntryKind::User, &EntryId::new("bob")).await.expect("it is removed");
    let users = tenant.changed("User", &since).await;
    assert!(users.contains(&"bob gone".to_owned()), "{users:?}");
}

#[tokio::test]
async fn what_changes_after_the_watermark_was_fixed_comes_next_time() {
    let tenant = tenant().await;
    let since = tenant.watermark().await;
    tenant.put(EntryKind::User, "bob", json!({"displayName": "Robert"})).await;
    let until = tenant.watermark().await;
    tenant.link("adele", Relation::Manager, "adele").await;
    let page = tenant.read(request("User", Some(&since), &until)).await;
    assert_eq!(page.objects.len(), 1);
    assert_eq!(tenant.changed("User", &until).await, ["adele"]);
}

#[tokio::test]
async fn a_watermark_or_cursor_of_somebody_else_is_refused() {
    let tenant = tenant().await;
    let until = tenant.watermark().await;
    let strange = Watermark("deltatoken".into());
    let mut cursor = request("User", None, &until);
    cursor.cursor = Some("page-2".into());
    for request in [request("User", Some(&strange), &until), cursor] {
        let error = tenant.connector.read(&request).await.expect_err("it is refused");
        assert_eq!((error.kind, error.code.as_str()), (ConnectorErrorKind::NotFound, "InvalidWatermark"));
    }
}
