//! The directory inside as a source: names, computed attributes, assignments.

use expect_test::expect;
use serde_json::json;
use usher_core::ports::{Connector, ConnectorErrorKind, Store, SubjectRequest};
use usher_core::{EntryId, EntryKind};

use super::{DEFAULT_ROLE, check, tenant};

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
