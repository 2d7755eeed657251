//! The directory connector over a store in memory.

use std::sync::Arc;

use expect_test::Expect;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use usher_core::ports::{Connector, ConnectorError, Entitlement, MatchQuery, Store, SubjectRequest};
use usher_core::{
    Anchor, AppRoleAssignment, AssignmentId, AttributeChange, Entry, EntryId, EntryKind, Link, Operation,
    OperationKind, Relation,
};
use usher_expr::Value;
use usher_testkit::suites::connector::{Vocabulary, add};
use usher_testkit::{ManualClock, MemoryStore, suites};

use super::connector::DirectoryConnector;

mod pages;
mod source;
mod target;

const DEFAULT_ROLE: &str = "00000000-0000-0000-0000-000000000000";

struct Tenant {
    store: Arc<MemoryStore>,
    connector: DirectoryConnector,
}

/// A tenant with Adele, her manager Bob, and an application with two roles.
async fn tenant() -> Tenant {
    let store = Arc::new(MemoryStore::default());
    let clock = Arc::new(ManualClock::at(Timestamp::from_second(1_700_000_000).expect("it is an instant")));
    let tenant = Tenant { connector: DirectoryConnector::new(store.clone(), clock), store };
    let adele = json!({
        "userPrincipalName": "adele@contoso.example",
        "displayName": "Adele",
        "accountEnabled": true,
        "mobilePhone": "+41 1",
        "businessPhones": ["+41 2"],
        "officeLocation": "12/1",
        "faxNumber": "+41 3",
        "proxyAddresses": ["SMTP:adele@contoso.example", "smtp:a@contoso.example"],
        "otherMails": [],
        "onPremisesExtensionAttributes": {"extensionAttribute7": "seven"},
        "employeeOrgData": {"costCenter": "CC-1"},
        "extension_abc_shoeSize": 42,
        "employeeHireDate": "2024-01-15T00:00:00Z",
    });
    tenant.put(EntryKind::User, "adele", adele).await;
    tenant
        .put(
            EntryKind::User,
            "bob",
            json!({"userPrincipalName": "bob@contoso.example", "displayName": "Bob"}),
        )
        .await;
    tenant.link("adele", Relation::Manager, "bob").await;
    let roles = json!([
        {"id": "R-EDIT", "value": "edit", "displayName": "Editor", "isEnabled": true},
        {"id": "r-old", "value": "old", "displayName": "Old", "isEnabled": false},
    ]);
    tenant.put(EntryKind::ServicePrincipal, "app", json!({"appId": "app-id", "appRoles": roles})).await;
    tenant
}

impl Tenant {
    async fn put(&self, kind: EntryKind, id: &str, properties: Json) {
        self.store.put_entry(&suites::store::entry(kind, id, properties)).await.expect("it is taken");
    }

    async fn put_into_bin(&self, kind: EntryKind, id: &str) {
        let mut entry = self.entry(kind, id).await;
        entry.deleted_at = Some(suites::store::at(9));
        self.store.put_entry(&entry).await.expect("it is taken");
    }

    async fn entry(&self, kind: EntryKind, id: &str) -> Entry {
        self.store.entry(kind, &EntryId::new(id)).await.expect("it reads").expect("it is there")
    }

    async fn link(&self, from: &str, relation: Relation, to: &str) {
        let link = Link { from: EntryId::new(from), relation, to: EntryId::new(to) };
        self.store.add_link(&link).await.expect("it is taken");
    }

    async fn assign(&self, principal: &str, kind: EntryKind, role: &str) {
        let assignment = AppRoleAssignment {
            id: AssignmentId::new(format!("{principal} {role}")),
            principal_id: EntryId::new(principal),
            principal_kind: kind,
            resource_id: EntryId::new("app"),
            app_role_id: role.to_owned(),
            created_at: suites::store::at(2),
        };
        assert!(self.store.add_assignment(&assignment).await.expect("it is taken"));
    }

    async fn group(&self, id: &str, security_enabled: bool, members: &[&str]) {
        self.put(EntryKind::Group, id, json!({"displayName": id, "securityEnabled": security_enabled})).await;
        for member in members {
            self.link(id, Relation::Members, member).await;
        }
    }

    /// The subject as `name: value` lines; `-` when there is none.
    async fn import(&self, object_type: &str, id: &str, attributes: &[&str]) -> String {
        let request = SubjectRequest {
            object_type: object_type.into(),
            id: id.into(),
            attributes: attributes.iter().map(|name| (*name).into()).collect(),
            application: Some(EntryId::new("app")),
        };
        let Some(object) = self.connector.subject(&request).await.expect("it reads") else {
            return "-".to_owned();
        };
        assert_eq!(object.object_type, object_type);
        object.attributes.iter().map(|(name, value)| format!("{name}: {value:?}\n")).collect()
    }

    async fn entitlement(&self, object_type: &str, id: &str) -> (bool, bool) {
        let request = SubjectRequest {
            object_type: object_type.into(),
            id: id.into(),
            attributes: Vec::new(),
            application: None,
        };
        let object = self.connector.subject(&request).await.expect("it reads").expect("it is there");
        let entitlement = self.connector.entitlement(&object, &EntryId::new("app")).await.expect("it reads");
        let Entitlement { is_assigned, has_role } = entitlement.expect("assignments are kept");
        (is_assigned, has_role)
    }

    async fn write(
        &self,
        kind: OperationKind,
        object_type: &str,
        anchor: Option<&str>,
        changes: Vec<AttributeChange>,
    ) -> Result<usher_core::ports::Written, ConnectorError> {
        let operation =
            Operation { kind, object_type: object_type.into(), anchor: anchor.map(Anchor::new), changes };
        self.connector.write(&operation).await
    }

    /// Makes a user with these attributes on top of the indispensable ones, and gives back its properties as stored.
    async fn made(&self, changes: Vec<AttributeChange>) -> Result<(EntryId, Json), ConnectorError> {
        let mut all = vec![add("userPrincipalName", "cleo@contoso.example"), add("displayName", "Cleo")];
        all.extend(changes);
        let written = self.write(OperationKind::Create, "User", None, all).await?;
        let entry = self.entry(EntryKind::User, written.anchor.as_str()).await;
        Ok((entry.id, Json::Object(entry.properties)))
    }

    async fn found(&self, attribute: &str, value: impl Into<Value>) -> Vec<String> {
        let query = MatchQuery {
            object_type: "User".into(),
            attribute: attribute.into(),
            value: value.into(),
            attributes: Vec::new(),
        };
        let hits = self.connector.find(&query).await.expect("it reads");
        hits.into_iter().map(|hit| hit.anchor.to_string()).collect()
    }
}

fn check(actual: impl std::fmt::Display, expected: Expect) {
    expected.assert_eq(&actual.to_string());
}

#[tokio::test]
async fn directory_connector_obeys_the_contract() {
    let tenant = tenant().await;
    suites::connector::run(&tenant.connector, Vocabulary::DIRECTORY, "").await;
    suites::connector::run(&tenant.connector, Vocabulary::DIRECTORY, "again-").await;
}
#[tokio::test]
async fn discovery_lists_extensions_that_are_in_use() {
    let tenant = tenant().await;
    let directory = tenant.connector.discover().await.expect("it reads");
    let user = directory.object("User").expect("there are users");
    assert!(user.attribute("objectId").is_some_and(|attribute| attribute.anchor));
    assert!(user.attribute("extension_abc_shoeSize").is_some_and(|attribute| attribute.case_exact));
    assert!(
        directory
            .object("Group")
            .is_some_and(|group| group.attribute("members").is_some_and(|it| it.multivalued))
    );
}
