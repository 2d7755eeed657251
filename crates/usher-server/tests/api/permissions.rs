//! The published permissions, written down once more: what the table of operations says is held against them, and every
//! operation is called with too small a one.

use http::StatusCode;
use serde_json::Value;
use usher_server::{Operation, operations};

use crate::access::filled;
use crate::stage::Stage;

const READ: &[&str] = &["Synchronization.Read.All", "Synchronization.ReadWrite.All"];
const WRITE: &[&str] = &["Synchronization.ReadWrite.All"];
const UPLOAD: &[&str] = &["SynchronizationData-User.Upload"];
const UPLOAD_OWNED: Option<&str> = Some("SynchronizationData-User.Upload.OwnedBy");
/// What lets owners of the application in.
const OWNED: Option<&str> = Some("Application.ReadWrite.OwnedBy");

/// What each operation of synchronization asks for (Graph, permissions of the synchronization API): method, end of the
/// path below `/synchronization`, permissions, permission of owners.
const SYNCHRONIZATION: &[(&str, &str, &[&str], Option<&str>)] = &[
    ("GET", "", READ, OWNED),
    ("PUT", "", WRITE, OWNED),
    ("DELETE", "", WRITE, OWNED),
    ("GET", "/Ping", READ, OWNED),
    ("GET", "/templates", READ, OWNED),
    ("GET", "/templates/$count", READ, OWNED),
    ("GET", "/templates/{template}", READ, OWNED),
    ("POST", "/templates", WRITE, OWNED),
    ("PATCH", "/templates/{template}", WRITE, OWNED),
    ("PUT", "/templates/{template}", WRITE, OWNED),
    ("DELETE", "/templates/{template}", WRITE, OWNED),
    ("GET", "/jobs", READ, OWNED),
    ("GET", "/jobs/$count", READ, OWNED),
    ("POST", "/jobs", WRITE, OWNED),
    ("GET", "/jobs/{job}", READ, OWNED),
    // Owning is not enough here.
    ("PATCH", "/jobs/{job}", WRITE, None),
    ("DELETE", "/jobs/{job}", WRITE, OWNED),
    ("POST", "/jobs/{job}/start", WRITE, OWNED),
    ("POST", "/jobs/{job}/pause", WRITE, OWNED),
    ("POST", "/jobs/{job}/restart", WRITE, OWNED),
    ("POST", "/jobs/{job}/validateCredentials", WRITE, OWNED),
    ("POST", "/jobs/validateCredentials", WRITE, OWNED),
    ("POST", "/jobs/{job}/provisionOnDemand", WRITE, OWNED),
    ("POST", "/jobs/{job}/bulkUpload", UPLOAD, UPLOAD_OWNED),
    ("PUT", "/jobs/{job}/bulkUpload/$value", UPLOAD, UPLOAD_OWNED),
    // Published without permissions: what is staged is part of the job.
    ("GET", "/jobs/{job}/bulkUpload", READ, OWNED),
    ("PATCH", "/jobs/{job}/bulkUpload", WRITE, OWNED),
    ("DELETE", "/jobs/{job}/bulkUpload", WRITE, OWNED),
    ("GET", "/jobs/{job}/bulkUpload/$value", READ, OWNED),
    ("DELETE", "/jobs/{job}/bulkUpload/$value", WRITE, OWNED),
    ("GET", "/secrets", READ, OWNED),
    ("PUT", "/secrets", WRITE, OWNED),
    ("GET", "/secrets/$count", READ, OWNED),
    ("POST", "/acquireAccessToken", WRITE, OWNED),
];

/// Those of a schema, of a job as of a template.
const SCHEMA: &[(&str, &str, &[&str])] = &[
    ("GET", "", READ),
    ("PUT", "", WRITE),
    ("PATCH", "", WRITE),
    ("DELETE", "", WRITE),
    ("GET", "/directories", READ),
    ("GET", "/directories/$count", READ),
    ("GET", "/directories/{directory}", READ),
    ("POST", "/directories", WRITE),
    ("PATCH", "/directories/{directory}", WRITE),
    ("DELETE", "/directories/{directory}", WRITE),
    (
        "POST",
        "/directories/{directory}/discover",
        &["Directory.ReadWrite.All", "Synchronization.ReadWrite.All"],
    ),
    // Reads that ask for the permission to write.
    ("GET", "/filterOperators", WRITE),
    ("GET", "/functions", WRITE),
    ("POST", "/parseExpression", WRITE),
];

/// Permissions that open something, each of which must not open what asks for another.
const SMALL: &[&str] = &[
    "Synchronization.Read.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "OrgContact.Read.All",
    "Application.Read.All",
    "ProvisioningLog.Read.All",
    "AuditLog.Read.All",
    "Directory.Read.All",
    "SynchronizationData-User.Upload",
];

fn expected(operation: &Operation) -> Option<(Vec<&'static str>, Option<&'static str>)> {
    let rest = operation.path.strip_prefix("/{applications|servicePrincipals}/{id}/synchronization")?;
    let schema = ["/jobs/{job}/schema", "/templates/{template}/schema"];
    if let Some(end) = schema.iter().find_map(|parent| rest.strip_prefix(parent)) {
        let found = SCHEMA.iter().find(|(method, path, _)| *method == operation.method && *path == end);
        return found.map(|(_, _, any)| (any.to_vec(), OWNED));
    }
    let found =
        SYNCHRONIZATION.iter().find(|(method, path, ..)| *method == operation.method && *path == rest);
    found.map(|(_, _, any, owner)| (any.to_vec(), *owner))
}

/// Whether one of the small permissions is published to be enough for an operation outside of synchronization (Graph,
/// permissions reference).
fn is_enough(permission: &str, operation: &Operation) -> bool {
    let path = operation.path;
    let questions = ["getByIds", "getMemberGroups", "getMemberObjects", "checkMemberGroups"];
    let is_read = operation.method == "GET" || questions.iter().any(|one| path.ends_with(one));
    let is_about_roles = path.contains("/appRoleAssign");
    let is_about_groups_of =
        ["/memberOf", "/transitiveMemberOf", "MemberGroups", "MemberObjects", "/ownedObjects"]
            .iter()
            .any(|one| path.contains(one));
    let is_in = |areas: &[&str]| areas.iter().any(|area| path.starts_with(area));
    if is_in(&["/auditLogs"]) {
        let is_provisioning = path.starts_with("/auditLogs/provisioning");
        return permission == "AuditLog.Read.All"
            || is_provisioning && ["ProvisioningLog.Read.All", "Directory.Read.All"].contains(&permission);
    }
    let is_of_users = is_in(&["/users"]) && !is_about_roles && !is_about_groups_of;
    let is_of_groups = is_in(&["/groups"]) && !is_about_roles;
    match permission {
        "Directory.Read.All" => is_read,
        "User.Read.All" => is_of_users && is_read,
        "User.ReadWrite.All" => is_of_users,
        "Group.Read.All" | "GroupMember.Read.All" => is_of_groups && is_read,
        "Group.ReadWrite.All" => is_of_groups,
        "GroupMember.ReadWrite.All" => is_of_groups && (is_read || path.contains("/members")),
        "Application.Read.All" => {
            is_read && (is_about_roles || is_in(&["/application", "/servicePrincipals"]))
        }
        "AppRoleAssignment.ReadWrite.All" => is_about_roles,
        "OrgContact.Read.All" => is_in(&["/contacts"]),
        _ => false,
    }
}

#[test]
fn permissions_are_those_that_are_published() {
    for operation in operations().filter(|one| one.path.contains("/synchronization")) {
        // What is ours alone has no published permissions.
        let Some((any, owner)) = expected(operation) else {
            assert!(!operation.is_published, "{operation:?} is not in the published table");
            continue;
        };
        let mut held = operation.permissions.to_vec();
        held.sort_unstable();
        let mut any = any;
        any.sort_unstable();
        assert_eq!((held, operation.owner_permission), (any, owner), "{operation:?}");
    }
    for (method, path, ..) in SYNCHRONIZATION {
        let whole = format!("/{{applications|servicePrincipals}}/{{id}}/synchronization{path}");
        assert!(operations().any(|one| one.method == *method && one.path == whole), "{method} {whole}");
    }
}

#[tokio::test]
async fn too_small_a_permission_opens_nothing() {
    let stage = Stage::new().await;
    for small in SMALL {
        let (_, token) = stage.client(small, &[small]).await;
        let is_published =
            |one: &&Operation| expected(one).is_some() || !one.path.contains("/synchronization");
        for operation in operations().filter(is_published) {
            let is_enough = match expected(operation) {
                Some((any, _)) => any.contains(small),
                None => is_enough(small, operation),
            };
            let path = filled(operation);
            let reply = stage.with_token(&token, operation.method, &path, Value::Null).await;
            let is_refused = reply.status == StatusCode::FORBIDDEN;
            assert_eq!(is_refused, !is_enough, "{small} for {operation:?}: {}", reply.body);
        }
    }
}
