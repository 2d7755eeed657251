//! `/users`: people of the directory inside.

use serde_json::{Value, json};
use usher_core::{Entry, EntryKind, Relation};
use usher_engine::cases::related::Way;
use usher_engine::cases::users::PROPERTIES;

use super::assignments;
use super::membership::{self, Related, linked};
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
    Operation::new("GET", "/users", USER_READ, "List users", run!(list)).many(&USER),
    Operation::new("POST", "/users", USER_WRITE, "Create a user", run!(create)).takes(&USER).created(&USER),
    Operation::new("GET", "/users/$count", USER_READ, "Count users", run!(count)).count(),
    Operation::new("GET", "/users/delta", USER_READ, "List changes of users", run!(delta)).many(&USER),
    Operation::new("POST", "/users/getByIds", USER_READ, "Get users by ids", run!(by_ids))
        .reads()
        .takes(&IDS)
        .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/users/{id}", USER_READ, "Get a user", run!(get)).one(&USER),
    Operation::new("PATCH", "/users/{id}", USER_WRITE, "Update a user", run!(update)).takes(&USER),
    Operation::new("DELETE", "/users/{id}", USER_WRITE, "Delete a user", run!(delete)),
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
    Operation::new("GET", "/users/{id}/memberOf", DIRECTORY_READ, "List a user's groups", run!(member_of))
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
        run!(transitive_member_of),
    )
    .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/users/{id}/ownedObjects", DIRECTORY_READ, "List what a user owns", run!(owned))
        .many(&DIRECTORY_OBJECT),
    Operation::new(
        "POST",
        "/users/{id}/getMemberGroups",
        DIRECTORY_READ,
        "Get the ids of a user's groups",
        run!(member_groups),
    )
    .reads()
    .takes(&SECURITY_ONLY)
    .many(&GROUP_ID),
    Operation::new(
        "POST",
        "/users/{id}/getMemberObjects",
        DIRECTORY_READ,
        "Get the ids of what a user is a member of",
        run!(member_groups),
    )
    .reads()
    .takes(&SECURITY_ONLY)
    .many(&GROUP_ID),
    Operation::new(
        "POST",
        "/users/{id}/checkMemberGroups",
        DIRECTORY_READ,
        "Check a user's groups",
        run!(check_member_groups),
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
        run!(groups_of),
    )
    .many(&GROUP)
    .unpublished(),
    Operation::new(
        "GET",
        "/users/{id}/transitiveMemberOf/group",
        DIRECTORY_READ,
        "List the groups in a user's memberships by any number of steps",
        run!(all_groups_of),
    )
    .many(&GROUP)
    .unpublished(),
];

async fn groups_of(call: Call) -> Result<Answer, Refusal> {
    cast_to_groups(&call, Way::In(Relation::Members), "memberOf").await
}

async fn all_groups_of(call: Call) -> Result<Answer, Refusal> {
    cast_to_groups(&call, Way::AllIn(Relation::Members), "transitiveMemberOf").await
}

async fn cast_to_groups(call: &Call, way: Way, name: &str) -> Result<Answer, Refusal> {
    let of = found(call).await?;
    Related { of: &of, way, name, cast: Some(EntryKind::Group) }.page(call).await
}

async fn list(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(USERS.page(&call).await?))
}

async fn count(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::count(USERS.counted(&call).await?))
}

async fn delta(call: Call) -> Result<Answer, Refusal> {
    USERS.delta(&call).await
}

async fn by_ids(call: Call) -> Result<Answer, Refusal> {
    membership::by_ids(&call, Some(EntryKind::User)).await
}

async fn create(call: Call) -> Result<Answer, Refusal> {
    let entry = call.state.engine.create_user(call.object()?).await?;
    let location = format!("{}/users/{}", call.base(), entry.id);
    Ok(Answer::created(USERS.one(&call, &entry).await?, location))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select", "$expand", "$count"])?;
    let entry = found(&call).await?;
    Ok(Answer::ok(USERS.one(&call, &entry).await?))
}

async fn update(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.update_user(entry.id.as_str(), call.object()?).await?;
    Ok(Answer::done())
}

async fn delete(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.delete_entry(EntryKind::User, entry.id.as_str()).await?;
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
    related(&call, Way::In(Relation::Manager), "directReports").await
}

async fn count_reports(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    let way = Way::In(Relation::Manager);
    Related { of: &of, way, name: "directReports", cast: None }.counted(&call).await
}

async fn member_of(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::In(Relation::Members), "memberOf").await
}

async fn count_member_of(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    Related { of: &of, way: Way::In(Relation::Members), name: "memberOf", cast: None }.counted(&call).await
}

async fn transitive_member_of(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::AllIn(Relation::Members), "transitiveMemberOf").await
}

async fn owned(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::In(Relation::Owners), "ownedObjects").await
}

async fn related(call: &Call, way: Way, name: &str) -> Result<Answer, Refusal> {
    let of = found(call).await?;
    Related { of: &of, way, name, cast: None }.page(call).await
}

async fn member_groups(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    membership::member_groups(&call, &of).await
}

async fn check_member_groups(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    membership::check_member_groups(&call, &of).await
}

/// The user that the path names by object id, user principal name or alternate key.
async fn found(call: &Call) -> Result<Entry, Refusal> {
    let id = call.parameter("id");
    if crate::path::alternate_key(id).is_some() {
        return call.named(EntryKind::User, id).await;
    }
    Ok(call.state.engine.user(id).await?)
}
