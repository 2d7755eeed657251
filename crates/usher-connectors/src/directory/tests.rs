//! The directory connector over a store in memory.

use std::sync::Arc;

use expect_test::{Expect, expect};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use usher_core::ports::{
    Connector, ConnectorError, ConnectorErrorKind, Entitlement, GetRequest, MatchQuery, Store, SubjectRequest,
};
use usher_core::{
    Anchor, AppRoleAssignment, AssignmentId, AttributeChange, Change, Entry, EntryId, EntryKind, Link,
    Operation, OperationKind, Relation,
};
use usher_expr::Value;
use usher_testkit::suites::connector::{Vocabulary, add, change};
use usher_testkit::{ManualClock, MemoryStore, suites};

use super::connector::DirectoryConnector;

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
async fn attributes_are_imported_under_their_provisioning_names() {
    let names = [
        "objectId",
        "userPrincipalName",
        "originalUserPrincipalName",
        "accountEnabled",
        "IsSoftDeleted",
        "mobile",
        "telephoneNumber",
        "physicalDeliveryOfficeName",
        "facsimileTelephoneNumber",
        "proxyAddresses",
        "otherMails",
        "extensionAttribute7",
        "ExtensionAttribute8",
        "employeeOrgData.costCenter",
        "extension_abc_shoeSize",
        "employeeHireDate",
        "manager",
        "appRoleAssignments",
        "passwordProfile.password",
    ];
    check(
        tenant().await.import("User", "ADELE", &names).await,
        expect![[r#"
            objectId: Text("adele")
            userPrincipalName: Text("adele@contoso.example")
            accountEnabled: Text("True")
            IsSoftDeleted: Text("False")
            mobile: Text("+41 1")
            telephoneNumber: Text("+41 2")
            physicalDeliveryOfficeName: Text("12/1")
            facsimileTelephoneNumber: Text("+41 3")
            proxyAddresses: List([Text("SMTP:adele@contoso.example"), Text("smtp:a@contoso.example")])
            extensionAttribute7: Text("seven")
            employeeOrgData.costCenter: Text("CC-1")
            extension_abc_shoeSize: Integer(42)
            employeeHireDate: Text("2024-01-15T00:00:00Z")
            manager: Reference("bob")
        "#]],
    );
}

#[tokio::test]
async fn subject_is_named_by_its_exact_id_and_type() {
    let tenant = tenant().await;
    assert_eq!(tenant.import("User", "adele@contoso.example", &["objectId"]).await, "-");
    assert_eq!(tenant.import("Group", "adele", &["objectId"]).await, "-");
    let request = SubjectRequest {
        object_type: "Printer".into(),
        id: "adele".into(),
        attributes: Vec::new(),
        application: None,
    };
    let error = tenant.connector.subject(&request).await.expect_err("there are no printers");
    assert_eq!(error.kind, ConnectorErrorKind::Unsupported);
}

#[tokio::test]
async fn guest_goes_by_the_name_at_home() {
    let tenant = tenant().await;
    let guest =
        json!({"userPrincipalName": "cleo_w_home.example#EXT#@contoso.example", "displayName": "Cleo"});
    tenant.put(EntryKind::User, "cleo", guest).await;
    check(
        tenant.import("User", "cleo", &["userPrincipalName", "originalUserPrincipalName"]).await,
        expect![[r##"
            userPrincipalName: Text("cleo_w@home.example")
            originalUserPrincipalName: Text("cleo_w_home.example#EXT#@contoso.example")
        "##]],
    );
}

#[tokio::test]
async fn user_in_the_bin_or_switched_off_is_soft_deleted() {
    let tenant = tenant().await;
    tenant.put_into_bin(EntryKind::User, "adele").await;
    assert_eq!(tenant.import("User", "adele", &["IsSoftDeleted"]).await, "IsSoftDeleted: Text(\"True\")\n");
    tenant.put(EntryKind::User, "off", json!({"accountEnabled": false})).await;
    assert_eq!(tenant.import("User", "off", &["IsSoftDeleted"]).await, "IsSoftDeleted: Text(\"True\")\n");
    tenant.store.remove_entry(EntryKind::User, &EntryId::new("adele")).await.expect("it is removed");
    assert_eq!(tenant.import("User", "adele", &["IsSoftDeleted"]).await, "-");
}

#[tokio::test]
async fn group_in_the_bin_is_gone() {
    let tenant = tenant().await;
    tenant.group("staff", true, &[]).await;
    tenant.put_into_bin(EntryKind::Group, "staff").await;
    assert_eq!(tenant.import("Group", "staff", &["displayName"]).await, "-");
}

#[tokio::test]
async fn members_and_managers_in_the_bin_are_no_references() {
    let tenant = tenant().await;
    tenant.group("staff", true, &["adele", "bob", "nobody"]).await;
    tenant.put_into_bin(EntryKind::User, "bob").await;
    assert_eq!(
        tenant.import("Group", "staff", &["members"]).await,
        "members: List([Reference(\"adele\")])\n"
    );
    assert_eq!(tenant.import("User", "adele", &["manager"]).await, "");
}

#[tokio::test]
async fn unassigned_user_is_not_entitled() {
    let tenant = tenant().await;
    assert_eq!(tenant.entitlement("User", "adele").await, (false, false));
}

#[tokio::test]
async fn direct_assignment_and_default_role_entitle() {
    let tenant = tenant().await;
    tenant.assign("adele", EntryKind::User, DEFAULT_ROLE).await;
    assert_eq!(tenant.entitlement("User", "adele").await, (true, true));
}

#[tokio::test]
async fn role_that_is_switched_off_or_unknown_is_no_role() {
    let tenant = tenant().await;
    tenant.assign("adele", EntryKind::User, "r-old").await;
    tenant.assign("adele", EntryKind::User, "r-never").await;
    assert_eq!(tenant.entitlement("User", "adele").await, (true, false));
}

#[tokio::test]
async fn direct_member_of_assigned_security_group_is_entitled() {
    let tenant = tenant().await;
    tenant.group("staff", true, &["adele"]).await;
    tenant.assign("staff", EntryKind::Group, "r-edit").await;
    assert_eq!(tenant.entitlement("User", "adele").await, (true, true));
    assert_eq!(tenant.entitlement("Group", "staff").await, (true, true));
}

#[tokio::test]
async fn member_of_nested_group_is_not_entitled() {
    let tenant = tenant().await;
    tenant.group("inner", true, &["adele"]).await;
    tenant.group("outer", true, &["inner"]).await;
    tenant.assign("outer", EntryKind::Group, DEFAULT_ROLE).await;
    assert_eq!(tenant.entitlement("User", "adele").await, (false, false));
    assert_eq!(tenant.entitlement("Group", "inner").await, (false, false));
}

#[tokio::test]
async fn group_without_security_gives_its_members_nothing() {
    let tenant = tenant().await;
    tenant.group("chat", false, &["adele"]).await;
    tenant.assign("chat", EntryKind::Group, DEFAULT_ROLE).await;
    assert_eq!(tenant.entitlement("User", "adele").await, (false, false));
}

#[tokio::test]
async fn deleted_application_entitles_nobody() {
    let tenant = tenant().await;
    tenant.assign("adele", EntryKind::User, DEFAULT_ROLE).await;
    tenant.put_into_bin(EntryKind::ServicePrincipal, "app").await;
    assert_eq!(tenant.entitlement("User", "adele").await, (false, false));
}

#[tokio::test]
async fn roles_are_listed_once_with_those_of_groups() {
    let tenant = tenant().await;
    tenant.group("staff", true, &["adele"]).await;
    tenant.assign("adele", EntryKind::User, "r-edit").await;
    tenant.assign("staff", EntryKind::Group, "R-EDIT").await;
    tenant.assign("staff", EntryKind::Group, DEFAULT_ROLE).await;
    check(
        tenant.import("User", "adele", &["appRoleAssignments"]).await.replace("Object {", "{"),
        expect![[r#"
            appRoleAssignments: List([Object({"id": String("r-edit"), "value": String("edit"), "displayName": String("Editor")}), Object({"id": String("00000000-0000-0000-0000-000000000000"), "value": Null, "displayName": String("Default Access")})])
        "#]],
    );
}

#[tokio::test]
async fn created_user_has_what_graph_demands() {
    let (_, properties) = tenant()
        .await
        .made(vec![
            add("telephoneNumber", "+41 9"),
            add("mobile", "+41 8"),
            add("extensionAttribute3", "three"),
            add("showInAddressList", "True"),
            add("employeeHireDate", "2024-02-01"),
            add("passwordProfile.password", "secret"),
            add("OnPremisesObjectIdentifier", "guid"),
            add("extension_abc_ShoeSize", 43),
        ])
        .await
        .expect("it is made");
    check(
        serde_json::to_string_pretty(&properties).expect("it is JSON"),
        expect![[r#"
            {
              "userPrincipalName": "cleo@contoso.example",
              "displayName": "Cleo",
              "businessPhones": [
                "+41 9"
              ],
              "mobilePhone": "+41 8",
              "onPremisesExtensionAttributes": {
                "extensionAttribute3": "three"
              },
              "showInAddressList": true,
              "employeeHireDate": "2024-02-01T00:00:00Z",
              "onPremisesObjectIdentifier": "guid",
              "extension_abc_ShoeSize": 43,
              "accountEnabled": true,
              "mailNickname": "cleo"
            }"#]],
    );
}

#[tokio::test]
async fn created_group_is_a_security_group() {
    let tenant = tenant().await;
    let written =
        tenant.write(OperationKind::Create, "Group", None, vec![add("displayName", "All Staff")]).await;
    let entry = tenant.entry(EntryKind::Group, written.expect("it is made").anchor.as_str()).await;
    check(
        Json::Object(entry.properties),
        expect![[
            r#"{"displayName":"All Staff","mailNickname":"AllStaff","mailEnabled":false,"securityEnabled":true,"groupTypes":[]}"#
        ]],
    );
}

#[tokio::test]
async fn what_cannot_be_taken_is_left_out_and_named() {
    let tenant = tenant().await;
    let changes = vec![
        add("thumbnailPhoto", "x"),
        add("IsSoftDeleted", "True"),
        add("objectId", "x"),
        AttributeChange {
            attribute: "members".into(),
            change: Change::Add(vec![Value::Reference("bob".into())]),
            is_reference: true,
            is_multivalued: true,
        },
        add("jobTitle", "Chief"),
    ];
    let written =
        tenant.write(OperationKind::Update, "User", Some("adele"), changes).await.expect("it is written");
    let left_out: Vec<String> =
        written.left_out.iter().map(|(name, why)| format!("{name}: {why}\n")).collect();
    check(
        left_out.concat(),
        expect![[r#"
            thumbnailPhoto: the directory inside has no place for it
            IsSoftDeleted: it is read-only
            objectId: it is read-only
            members: a user has no members
        "#]],
    );
    assert_eq!(tenant.entry(EntryKind::User, "adele").await.text("jobTitle"), Some("Chief"));
}

#[tokio::test]
async fn refused_values_are_named_and_nothing_is_written() {
    let tenant = tenant().await;
    let before = tenant.entry(EntryKind::User, "adele").await;
    let manager = |id: &str| AttributeChange {
        attribute: "manager".into(),
        change: Change::Replace(vec![Value::Reference(id.into())]),
        is_reference: true,
        is_multivalued: false,
    };
    let clear = |name: &str| change(name, Change::Remove(Vec::new()));
    let cases = [
        add("accountEnabled", "perhaps"),
        add("employeeHireDate", "soon"),
        change("userPrincipalName", Change::Replace(vec![Value::from("nobody")])),
        change("userPrincipalName", Change::Replace(vec![Value::from("zoë@contoso.example")])),
        change("userPrincipalName", Change::Replace(vec![Value::from("bob@contoso.example")])),
        change("mobile", Change::Replace(vec![Value::from("1"), Value::from("2")])),
        clear("displayName"),
        manager("adele"),
        manager("nobody"),
    ];
    let mut said = String::new();
    for case in cases {
        let changes = vec![add("jobTitle", "Chief"), case];
        let error = tenant
            .write(OperationKind::Update, "User", Some("adele"), changes)
            .await
            .expect_err("it is refused");
        let attribute = error.attribute.clone().unwrap_or_default();
        said.push_str(&format!("{:?} {} {attribute}: {error}\n", error.kind, error.code));
    }
    assert_eq!(tenant.entry(EntryKind::User, "adele").await, before);
    check(
        said,
        expect![[r#"
            Rejected SchemaPropertyCanOnlyAcceptValue accountEnabled: accountEnabled takes True or False, not text
            Rejected SchemaPropertyCanOnlyAcceptValue employeeHireDate: employeeHireDate takes a date and time (ISO 8601), not text
            Rejected SchemaPropertyCanOnlyAcceptValue userPrincipalName: 'nobody' is no user principal name: it takes up to 64 of A-Z a-z 0-9 ' . - _ ! # ^ ~, then @, then a domain of up to 48
            Rejected SchemaPropertyCanOnlyAcceptValue userPrincipalName: 'zoë@contoso.example' is no user principal name: it takes up to 64 of A-Z a-z 0-9 ' . - _ ! # ^ ~, then @, then a domain of up to 48
            AlreadyExists EntryConflict userPrincipalName: another user has the same value for property userPrincipalName
            Rejected SchemaPropertyCanOnlyAcceptValue mobile: mobile takes one value, not 2
            Rejected SchemaPropertyCanOnlyAcceptValue displayName: displayName cannot be cleared
            Rejected SchemaPropertyCanOnlyAcceptValue manager: 'adele' cannot refer to itself as manager
            Rejected SchemaPropertyCanOnlyAcceptValue manager: manager refers to 'nobody', which is not there
        "#]],
    );
}

#[tokio::test]
async fn lists_are_added_to_and_taken_from() {
    let tenant = tenant().await;
    let list = |change| AttributeChange {
        attribute: "proxyAddresses".into(),
        change,
        is_reference: false,
        is_multivalued: true,
    };
    let steps = [
        Change::Add(vec![Value::from("smtp:b@contoso.example"), Value::from("SMTP:A@contoso.example")]),
        Change::Remove(vec![Value::from("SMTP:adele@contoso.example")]),
        Change::Replace(vec![Value::from("x")]),
        Change::Remove(Vec::new()),
    ];
    let mut said = String::new();
    for step in steps {
        tenant
            .write(OperationKind::Update, "User", Some("adele"), vec![list(step)])
            .await
            .expect("it is written");
        let entry = tenant.entry(EntryKind::User, "adele").await;
        said.push_str(&format!("{:?}\n", entry.properties.get("proxyAddresses").map(Json::to_string)));
    }
    check(
        said,
        expect![[r#"
            Some("[\"SMTP:adele@contoso.example\",\"smtp:a@contoso.example\",\"smtp:b@contoso.example\"]")
            Some("[\"smtp:a@contoso.example\",\"smtp:b@contoso.example\"]")
            Some("[\"x\"]")
            None
        "#]],
    );
}

#[tokio::test]
async fn disabling_is_an_update_and_deleting_keeps_the_entry_in_the_bin() {
    let tenant = tenant().await;
    let off = change("accountEnabled", Change::Replace(vec![Value::Boolean(false)]));
    tenant.write(OperationKind::Update, "User", Some("adele"), vec![off]).await.expect("it is written");
    let entry = tenant.entry(EntryKind::User, "adele").await;
    assert_eq!((entry.properties.get("accountEnabled"), entry.deleted_at), (Some(&Json::Bool(false)), None));
    tenant.write(OperationKind::Delete, "User", Some("adele"), Vec::new()).await.expect("it is deleted");
    let entry = tenant.entry(EntryKind::User, "adele").await;
    assert_eq!(entry.deleted_at.map(Timestamp::as_second), Some(1_700_000_000));
    assert_eq!(entry.text("displayName"), Some("Adele"));
}

#[tokio::test]
async fn members_of_a_dynamic_group_follow_its_rule() {
    let tenant = tenant().await;
    tenant
        .put(EntryKind::Group, "all", json!({"displayName": "All", "groupTypes": ["DynamicMembership"]}))
        .await;
    let members = AttributeChange {
        attribute: "members".into(),
        change: Change::Add(vec![Value::Reference("adele".into())]),
        is_reference: true,
        is_multivalued: true,
    };
    let error = tenant
        .write(OperationKind::Update, "Group", Some("all"), vec![members])
        .await
        .expect_err("it is refused");
    assert_eq!(error.kind, ConnectorErrorKind::Rejected);
}

#[tokio::test]
async fn objects_are_found_by_any_attribute_that_is_kept() {
    let tenant = tenant().await;
    for (attribute, value) in [
        ("objectId", "ADELE"),
        ("userPrincipalName", "Adele@contoso.example"),
        ("mobile", "+41 1"),
        ("telephoneNumber", "+41 2"),
        ("extensionAttribute7", "SEVEN"),
        ("proxyAddresses", "smtp:A@contoso.example"),
        ("accountEnabled", "true"),
        ("employeeHireDate", "2024-01-15"),
        ("manager", "bob"),
    ] {
        assert_eq!(tenant.found(attribute, value).await, ["adele"], "{attribute}");
    }
    assert_eq!(tenant.found("extension_abc_shoeSize", 42).await, ["adele"]);
    assert!(tenant.found("displayName", "").await.is_empty(), "nobody is found by nothing");
    tenant.put_into_bin(EntryKind::User, "adele").await;
    assert!(tenant.found("mobile", "+41 1").await.is_empty(), "what is in the bin is not found");
}

#[tokio::test]
async fn search_goes_through_all_pages() {
    let tenant = tenant().await;
    for number in 0..1_100 {
        tenant
            .put(EntryKind::User, &format!("n-{number:04}"), json!({"businessPhones": [number.to_string()]}))
            .await;
    }
    assert_eq!(tenant.found("telephoneNumber", "1099").await, ["n-1099"]);
}

#[tokio::test]
async fn target_is_read_with_its_names_as_they_are() {
    let tenant = tenant().await;
    let guest = json!({"userPrincipalName": "cleo_home.example#EXT#@contoso.example", "displayName": "Cleo"});
    tenant.put(EntryKind::User, "cleo", guest).await;
    let request = GetRequest {
        object_type: "User".into(),
        anchor: Anchor::new("cleo"),
        attributes: vec!["userPrincipalName".into()],
    };
    let object = tenant.connector.get(&request).await.expect("it reads").expect("it is there");
    let name = object.attributes.value("userPrincipalName").map(Value::to_text);
    assert_eq!(name.as_deref(), Some("cleo_home.example#EXT#@contoso.example"));
}

#[tokio::test]
async fn preview_shows_graph_requests_without_the_password() {
    let reference = |attribute: &str, change, is_multivalued| AttributeChange {
        attribute: attribute.into(),
        change,
        is_reference: true,
        is_multivalued,
    };
    let bob = || vec![Value::Reference("bob".into())];
    let operations = [
        (
            OperationKind::Create,
            "User",
            None,
            vec![
                add("userPrincipalName", "cleo@contoso.example"),
                add("telephoneNumber", "1"),
                add("extensionAttribute1", "one"),
                add("passwordProfile.password", "secret"),
            ],
        ),
        (OperationKind::Update, "User", None, vec![reference("manager", Change::Add(bob()), false)]),
        (
            OperationKind::Update,
            "User",
            Some("u"),
            vec![
                change("mobile", Change::Remove(Vec::new())),
                reference("manager", Change::Remove(bob()), false),
            ],
        ),
        (
            OperationKind::Update,
            "Group",
            Some("g"),
            vec![
                reference("members", Change::Add(bob()), true),
                reference("members", Change::Remove(vec![Value::Reference("ann".into())]), true),
            ],
        ),
        (OperationKind::Delete, "User", Some("u"), Vec::new()),
    ];
    let tenant = tenant().await;
    let mut said = String::new();
    for (kind, object_type, anchor, changes) in operations {
        let operation =
            Operation { kind, object_type: object_type.into(), anchor: anchor.map(Anchor::new), changes };
        for request in tenant.connector.preview(&operation) {
            let body = request.body.map(|body| body.to_string()).unwrap_or_default();
            said.push_str(&format!("{} {} {body}\n", request.method, request.path));
        }
    }
    check(
        said,
        expect![[r#"
        POST /users {"userPrincipalName":"cleo@contoso.example","businessPhones":["1"],"onPremisesExtensionAttributes":{"extensionAttribute1":"one"},"passwordProfile":{"password":"[Redact]"}}
        PUT /users/(id of the new object)/manager/$ref {"@odata.id":"directoryObjects/bob"}
        PATCH /users/u {"mobilePhone":null}
        DELETE /users/u/manager/$ref 
        POST /groups/g/members/$ref {"@odata.id":"directoryObjects/bob"}
        DELETE /groups/g/members/ann/$ref 
        DELETE /users/u 
    "#]],
    );
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
