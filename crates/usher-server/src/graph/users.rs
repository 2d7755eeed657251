//! `/users`: people of the directory inside.

use serde_json::{Value, json};
use usher_core::{EntryKind, Relation};
use usher_engine::cases::related::Way;
use usher_engine::cases::users::PROPERTIES;

use super::assignments;
use super::entries::{self, counted, found, related};
use super::membership::linked;
use super::operation::{Operation, run};
use super::permissions::{ASSIGN_READ, ASSIGN_WRITE, DIRECTORY_READ, USER_READ, USER_WRITE};
use super::types::{
    ASSIGNMENT, DIRECTORY_OBJECT, GROUP, GROUP_ID, GROUP_IDS, IDS, REFERENCE, SECURITY_ONLY, TEXT_REFERENCE,
    USER,
};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{Collection, only};

/// What `/users` may be asked.
pub static USERS: Collection = Collection {
    kind: EntryKind::User,
    name: "users",
    shown: &[
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    ],
    extra: &["createdDateTime", "deletedDateTime"],
    expands: &["manager", "directReports", "memberOf", "ownedObjects", "appRoleAssignments"],
    delta_link: Some(Relation::Manager),
    known: PROPERTIES,
};

pub const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/users", USER_READ, "List users", run!(entries::list)).many(&USER),
    Operation::new("POST", "/users", USER_WRITE, "Create a user", run!(create)).takes(&USER).created(&USER),
    Operation::new("GET", "/users/$count", USER_READ, "Count users", run!(entries::count)).count(),
    Operation::new("GET", "/users/delta", USER_READ, "List changes of users", run!(entries::delta))
        .many(&USER),
    Operation::new("POST", "/users/getByIds", USER_READ, "Get users by ids", run!(entries::by_ids))
        .reads()
        .takes(&IDS)
        .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/users/{id}", USER_READ, "Get a user", run!(entries::get)).one(&USER),
    Operation::new("PATCH", "/users/{id}", USER_WRITE, "Update a user", run!(update)).takes(&USER),
    Operation::new("DELETE", "/users/{id}", USER_WRITE, "Delete a user", run!(entries::delete)),
    Operation::new("GET", "/users/{id}/manager", USER_READ, "Get a user's manager", run!(manager))
        .one(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/users/{id}/manager/$ref",
        USER_READ,
        "Get the address of a manager",
        run!(manager_ref),
    )
    .one(&TEXT_REFERENCE),
    Operation::new("PUT", "/users/{id}/manager/$ref", USER_WRITE, "Set a user's manager", run!(set_manager))
        .takes(&REFERENCE),
    Operation::new(
        "DELETE",
        "/users/{id}/manager/$ref",
        USER_WRITE,
        "Clear a user's manager",
        run!(clear_manager),
    ),
    Operation::new(
        "GET",
        "/users/{id}/directReports",
        USER_READ,
        "List direct reports",
        run!(direct_reports),
    )
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/users/{id}/directReports/$count",
        USER_READ,
        "Count direct reports",
        run!(count_reports),
    )
    .count(),
    Operation::new(
        "GET",
        "/users/{id}/memberOf",
        DIRECTORY_READ,
        "List a user's groups",
        run!(entries::member_of),
    )
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/users/{id}/memberOf/$count",
        DIRECTORY_READ,
        "Count a user's groups",
        run!(count_member_of),
    )
    .count(),
    Operation::new(
        "GET",
        "/users/{id}/transitiveMemberOf",
        DIRECTORY_READ,
        "List all groups that a user is in",
        run!(entries::transitive_member_of),
    )
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/users/{id}/ownedObjects",
        DIRECTORY_READ,
        "List what a user owns",
        run!(entries::owned),
    )
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "POST",
        "/users/{id}/getMemberGroups",
        DIRECTORY_READ,
        "Get the ids of a user's groups",
        run!(entries::member_groups),
    )
    .reads()
    .takes(&SECURITY_ONLY)
    .many(&GROUP_ID),
    Operation::new(
        "POST",
        "/users/{id}/getMemberObjects",
        DIRECTORY_READ,
        "Get the ids of what a user is a member of",
        run!(entries::member_groups),
    )
    .reads()
    .takes(&SECURITY_ONLY)
    .many(&GROUP_ID),
    Operation::new(
        "POST",
        "/users/{id}/checkMemberGroups",
        DIRECTORY_READ,
        "Check a user's groups",
        run!(entries::check_member_groups),
    )
    .reads()
    .takes(&GROUP_IDS)
    .many(&GROUP_ID),
    Operation::new(
        "GET",
        "/users/{id}/appRoleAssignments",
        ASSIGN_READ,
        "List a user's app role assignments",
        run!(assignments::of_principal),
    )
    .many(&ASSIGNMENT),
    Operation::new(
        "POST",
        "/users/{id}/appRoleAssignments",
        ASSIGN_WRITE,
        "Assign a user to an application",
        run!(assignments::create),
    )
    .takes(&ASSIGNMENT)
    .created(&ASSIGNMENT),
    Operation::new(
        "GET",
        "/users/{id}/appRoleAssignments/{assignment}",
        ASSIGN_READ,
        "Get a user's app role assignment",
        run!(assignments::get_of_principal),
    )
    .one(&ASSIGNMENT),
    Operation::new(
        "DELETE",
        "/users/{id}/appRoleAssignments/{assignment}",
        ASSIGN_WRITE,
        "Remove a user's app role assignment",
        run!(assignments::remove_from_principal),
    ),
    Operation::new(
        "GET",
        "/users/{id}/memberOf/group",
        DIRECTORY_READ,
        "List the groups in a user's memberships",
        run!(entries::groups_of),
    )
    .many(&GROUP)
    .unpublished(),
    Operation::new(
        "GET",
        "/users/{id}/transitiveMemberOf/group",
        DIRECTORY_READ,
        "List the groups in a user's memberships by any number of steps",
        run!(entries::all_groups_of),
    )
    .many(&GROUP)
    .unpublished(),
];

async fn create(call: Call) -> Result<Answer, Refusal> {
    let entry = call.state.engine.create_user(call.object()?).await?;
    entries::created(&call, &entry).await
}

async fn update(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.update_user(entry.id.as_str(), call.object()?).await?;
    Ok(Answer::done())
}

async fn manager(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select"])?;
    let entry = found(&call).await?;
    let manager = call.state.engine.manager(entry.id.as_str()).await?;
    let mut view = USERS.one(&call, &manager).await?;
    view["@odata.context"] = call.context("directoryObjects/$entity");
    view["@odata.type"] = json!("#microsoft.graph.user");
    Ok(Answer::ok(view))
}

async fn manager_ref(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    let manager = call.state.engine.manager(entry.id.as_str()).await?;
    Ok(Answer::ok(Value::from(format!("{}/directoryObjects/{}", call.base(), manager.id))))
}

async fn set_manager(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    let manager = linked(&call.object()?)?;
    call.state.engine.set_manager(entry.id.as_str(), &manager).await?;
    Ok(Answer::done())
}

async fn clear_manager(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.clear_manager(entry.id.as_str()).await?;
    Ok(Answer::done())
}

async fn direct_reports(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::In(Relation::Manager), "directReports", None).await
}

async fn count_reports(call: Call) -> Result<Answer, Refusal> {
    counted(&call, Way::In(Relation::Manager), "directReports", None).await
}

async fn count_member_of(call: Call) -> Result<Answer, Refusal> {
    counted(&call, Way::In(Relation::Members), "memberOf", None).await
}
