//! The operations of the API: one table makes the router, and the test that calls each without a token.

mod application_templates;
mod applications;
mod assignments;
mod groups;
mod jobs;
mod logs;
mod on_demand;
mod schemas;
mod secrets;
mod status;
mod templates;
mod users;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::call::{Answer, Call};
use crate::errors::Refusal;

/// One operation.
pub struct Operation {
    /// The HTTP method.
    pub method: &'static str,
    /// The path below the version; `{parent}` is `applications` or `servicePrincipals`.
    pub path: &'static str,
    /// Any one of these permissions lets a caller in.
    pub permissions: &'static [&'static str],
    /// `Application.ReadWrite.OwnedBy` lets the owner of the application in.
    pub is_for_owners: bool,
    pub(crate) run: fn(Call) -> BoxFuture<'static, Result<Answer, Refusal>>,
}

const SYNC_READ: &[&str] = &["Synchronization.Read.All", "Synchronization.ReadWrite.All"];
const SYNC_WRITE: &[&str] = &["Synchronization.ReadWrite.All"];
const USER_READ: &[&str] =
    &["User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
const USER_WRITE: &[&str] = &["User.ReadWrite.All", "Directory.ReadWrite.All"];
const GROUP_READ: &[&str] = &[
    "GroupMember.Read.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "GroupMember.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const GROUP_WRITE: &[&str] = &["Group.ReadWrite.All", "Directory.ReadWrite.All"];
const MEMBER_WRITE: &[&str] =
    &["GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"];
const APP_READ: &[&str] =
    &["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
const APP_WRITE: &[&str] = &["Application.ReadWrite.All", "Directory.ReadWrite.All"];
const ASSIGN_READ: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "AppRoleAssignment.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const ASSIGN_WRITE: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
const LOG_READ: &[&str] = &["ProvisioningLog.Read.All", "AuditLog.Read.All", "Directory.Read.All"];

macro_rules! operation {
    ($method:literal, $path:literal, $permissions:expr, $owners:literal, $run:path) => {
        Operation {
            method: $method,
            path: $path,
            permissions: $permissions,
            is_for_owners: $owners,
            run: |call| $run(call).boxed(),
        }
    };
}

const OPERATIONS: &[Operation] = &[
    operation!("GET", "/users", USER_READ, false, users::list),
    operation!("POST", "/users", USER_WRITE, false, users::create),
    operation!("GET", "/users/$count", USER_READ, false, users::count),
    operation!("GET", "/users/{id}", USER_READ, false, users::get),
    operation!("PATCH", "/users/{id}", USER_WRITE, false, users::update),
    operation!("DELETE", "/users/{id}", USER_WRITE, false, users::delete),
    operation!("GET", "/users/{id}/manager", USER_READ, false, users::manager),
    operation!("PUT", "/users/{id}/manager/$ref", USER_WRITE, false, users::set_manager),
    operation!("DELETE", "/users/{id}/manager/$ref", USER_WRITE, false, users::clear_manager),
    operation!("GET", "/users/{id}/appRoleAssignments", ASSIGN_READ, false, assignments::of_user),
    operation!("POST", "/users/{id}/appRoleAssignments", ASSIGN_WRITE, false, assignments::create),
    operation!("GET", "/groups", GROUP_READ, false, groups::list),
    operation!("POST", "/groups", GROUP_WRITE, false, groups::create),
    operation!("GET", "/groups/$count", GROUP_READ, false, groups::count),
    operation!("GET", "/groups/{id}", GROUP_READ, false, groups::get),
    operation!("PATCH", "/groups/{id}", GROUP_WRITE, false, groups::update),
    operation!("DELETE", "/groups/{id}", GROUP_WRITE, false, groups::delete),
    operation!("GET", "/groups/{id}/members", GROUP_READ, false, groups::members),
    operation!("POST", "/groups/{id}/members/$ref", MEMBER_WRITE, false, groups::add_member),
    operation!("DELETE", "/groups/{id}/members/$ref", MEMBER_WRITE, false, groups::remove_member),
    operation!("DELETE", "/groups/{id}/members/{member}/$ref", MEMBER_WRITE, false, groups::remove_member),
    operation!("GET", "/groups/{id}/owners", GROUP_READ, false, groups::owners),
    operation!("POST", "/groups/{id}/owners/$ref", GROUP_WRITE, false, groups::add_owner),
    operation!("DELETE", "/groups/{id}/owners/$ref", GROUP_WRITE, false, groups::remove_owner),
    operation!("DELETE", "/groups/{id}/owners/{member}/$ref", GROUP_WRITE, false, groups::remove_owner),
    operation!("GET", "/groups/{id}/appRoleAssignments", ASSIGN_READ, false, assignments::of_group),
    operation!("POST", "/groups/{id}/appRoleAssignments", ASSIGN_WRITE, false, assignments::create),
    operation!("GET", "/applications", APP_READ, false, applications::list_applications),
    operation!("POST", "/applications", APP_WRITE, true, applications::create_application),
    operation!("GET", "/applications/{id}", APP_READ, true, applications::get_application),
    operation!("PATCH", "/applications/{id}", APP_WRITE, true, applications::update_application),
    operation!("DELETE", "/applications/{id}", APP_WRITE, true, applications::delete_application),
    operation!("POST", "/applications/{id}/addPassword", APP_WRITE, true, applications::add_password),
    operation!("POST", "/applications/{id}/removePassword", APP_WRITE, true, applications::remove_password),
    operation!("GET", "/servicePrincipals", APP_READ, false, applications::list_principals),
    operation!("POST", "/servicePrincipals", APP_WRITE, true, applications::create_principal),
    operation!("GET", "/servicePrincipals/{id}", APP_READ, true, applications::get_principal),
    operation!("PATCH", "/servicePrincipals/{id}", APP_WRITE, true, applications::update_principal),
    operation!("DELETE", "/servicePrincipals/{id}", APP_WRITE, true, applications::delete_principal),
    operation!(
        "GET",
        "/servicePrincipals/{id}/appRoleAssignedTo",
        ASSIGN_READ,
        true,
        assignments::of_resource
    ),
    operation!("POST", "/servicePrincipals/{id}/appRoleAssignedTo", ASSIGN_WRITE, false, assignments::create),
    operation!(
        "DELETE",
        "/servicePrincipals/{id}/appRoleAssignedTo/{assignment}",
        ASSIGN_WRITE,
        false,
        assignments::remove_from_resource
    ),
    operation!(
        "GET",
        "/servicePrincipals/{id}/appRoleAssignments",
        ASSIGN_READ,
        true,
        assignments::of_principal
    ),
    operation!(
        "POST",
        "/servicePrincipals/{id}/appRoleAssignments",
        ASSIGN_WRITE,
        false,
        assignments::create
    ),
    operation!("GET", "/applicationTemplates", APP_READ, true, application_templates::list),
    operation!("GET", "/applicationTemplates/{id}", APP_READ, true, application_templates::get),
    operation!(
        "POST",
        "/applicationTemplates/{id}/instantiate",
        APP_WRITE,
        true,
        application_templates::instantiate
    ),
    operation!("GET", "/{parent}/{id}/synchronization/templates", SYNC_READ, true, templates::list),
    operation!("GET", "/{parent}/{id}/synchronization/templates/$count", SYNC_READ, true, templates::count),
    operation!("GET", "/{parent}/{id}/synchronization/templates/{template}", SYNC_READ, true, templates::get),
    operation!(
        "GET",
        "/{parent}/{id}/synchronization/templates/{template}/schema",
        SYNC_READ,
        true,
        templates::schema
    ),
    operation!("GET", "/{parent}/{id}/synchronization/jobs", SYNC_READ, true, jobs::list),
    operation!("POST", "/{parent}/{id}/synchronization/jobs", SYNC_WRITE, true, jobs::create),
    operation!("GET", "/{parent}/{id}/synchronization/jobs/$count", SYNC_READ, true, jobs::count),
    operation!(
        "POST",
        "/{parent}/{id}/synchronization/jobs/validateCredentials",
        SYNC_WRITE,
        true,
        secrets::validate
    ),
    operation!("GET", "/{parent}/{id}/synchronization/jobs/{job}", SYNC_READ, true, jobs::get),
    operation!("PATCH", "/{parent}/{id}/synchronization/jobs/{job}", SYNC_WRITE, false, jobs::update::update),
    operation!("DELETE", "/{parent}/{id}/synchronization/jobs/{job}", SYNC_WRITE, true, jobs::delete),
    operation!(
        "POST",
        "/{parent}/{id}/synchronization/jobs/{job}/start",
        SYNC_WRITE,
        true,
        jobs::start::start
    ),
    operation!(
        "POST",
        "/{parent}/{id}/synchronization/jobs/{job}/pause",
        SYNC_WRITE,
        true,
        jobs::pause::pause
    ),
    operation!(
        "POST",
        "/{parent}/{id}/synchronization/jobs/{job}/restart",
        SYNC_WRITE,
        true,
        jobs::restart::restart
    ),
    operation!(
        "POST",
        "/{parent}/{id}/synchronization/jobs/{job}/validateCredentials",
        SYNC_WRITE,
        true,
        secrets::validate
    ),
    operation!(
        "POST",
        "/{parent}/{id}/synchronization/jobs/{job}/provisionOnDemand",
        SYNC_WRITE,
        true,
        on_demand::provision
    ),
    operation!("GET", "/{parent}/{id}/synchronization/jobs/{job}/schema", SYNC_READ, true, schemas::get),
    operation!("PUT", "/{parent}/{id}/synchronization/jobs/{job}/schema", SYNC_WRITE, true, schemas::replace),
    operation!(
        "PATCH",
        "/{parent}/{id}/synchronization/jobs/{job}/schema",
        SYNC_WRITE,
        true,
        schemas::replace
    ),
    operation!(
        "DELETE",
        "/{parent}/{id}/synchronization/jobs/{job}/schema",
        SYNC_WRITE,
        true,
        schemas::reset
    ),
    operation!(
        "GET",
        "/{parent}/{id}/synchronization/jobs/{job}/schema/filterOperators",
        SYNC_WRITE,
        true,
        schemas::filter_operators
    ),
    operation!(
        "GET",
        "/{parent}/{id}/synchronization/jobs/{job}/schema/functions",
        SYNC_WRITE,
        true,
        schemas::functions
    ),
    operation!("GET", "/{parent}/{id}/synchronization/secrets", SYNC_READ, true, secrets::list),
    operation!("PUT", "/{parent}/{id}/synchronization/secrets", SYNC_WRITE, true, secrets::replace),
    operation!("GET", "/{parent}/{id}/synchronization/secrets/$count", SYNC_READ, true, secrets::count),
    operation!("GET", "/auditLogs/provisioning", LOG_READ, false, logs::list),
    operation!("GET", "/auditLogs/provisioning/{event}", LOG_READ, false, logs::get),
];

/// All operations.
pub fn operations() -> &'static [Operation] {
    OPERATIONS
}

/// Every permission that some operation asks for, in alphabetical order.
pub fn permissions() -> Vec<&'static str> {
    let mut all: Vec<&str> = OPERATIONS
        .iter()
        .flat_map(|operation| operation.permissions)
        .copied()
        .chain(["Application.ReadWrite.OwnedBy"])
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
