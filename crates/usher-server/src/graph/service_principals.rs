//! `/servicePrincipals`: the instances of applications in the tenant.

use usher_core::{Entry, EntryKind, Relation};
use usher_engine::cases::applications::SERVICE_PRINCIPAL as PROPERTIES;
use usher_engine::cases::related::Way;

use super::membership::{self, Related};
use super::operation::{Operation, run};
use super::permissions::{APP_READ, APP_WRITE, ASSIGN_READ, ASSIGN_WRITE};
use super::types::{
    ASSIGNMENT, DIRECTORY_OBJECT, GROUP, IDS, NEW_PASSWORD, OLD_PASSWORD, PASSWORD, REFERENCE,
    SERVICE_PRINCIPAL, TEXT_REFERENCE,
};
use super::{assignments, owners, passwords};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{Collection, only};

/// What `/servicePrincipals` may be asked.
pub static PRINCIPALS: Collection = Collection {
    kind: EntryKind::ServicePrincipal,
    name: "servicePrincipals",
    shown: &[
        "id",
        "deletedDateTime",
        "accountEnabled",
        "appId",
        "appRoleAssignmentRequired",
        "createdDateTime",
        "description",
        "displayName",
        "servicePrincipalType",
        "tags",
        "appRoles",
    ],
    extra: &[],
    expands: &["owners", "memberOf", "ownedObjects", "appRoleAssignments", "appRoleAssignedTo"],
    delta_link: None,
    known: PROPERTIES,
};

pub const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/servicePrincipals", APP_READ, "List service principals", run!(list))
        .many(&SERVICE_PRINCIPAL),
    Operation::new("POST", "/servicePrincipals", APP_WRITE, "Create a service principal", run!(create))
        .for_owners()
        .takes(&SERVICE_PRINCIPAL)
        .created(&SERVICE_PRINCIPAL),
    Operation::new("GET", "/servicePrincipals/$count", APP_READ, "Count service principals", run!(count))
        .count(),
    Operation::new(
        "GET",
        "/servicePrincipals/delta",
        APP_READ,
        "List changes of service principals",
        run!(delta),
    )
    .many(&SERVICE_PRINCIPAL),
    Operation::new(
        "POST",
        "/servicePrincipals/getByIds",
        APP_READ,
        "Get service principals by ids",
        run!(by_ids),
    )
    .reads()
    .takes(&IDS)
    .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/servicePrincipals/{id}", APP_READ, "Get a service principal", run!(get))
        .for_owners()
        .one(&SERVICE_PRINCIPAL),
    Operation::new("PATCH", "/servicePrincipals/{id}", APP_WRITE, "Update a service principal", run!(update))
        .for_owners()
        .takes(&SERVICE_PRINCIPAL),
    Operation::new(
        "DELETE",
        "/servicePrincipals/{id}",
        APP_WRITE,
        "Delete a service principal",
        run!(delete),
    )
    .for_owners(),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/owners",
        APP_READ,
        "List owners of a service principal",
        run!(owners::list),
    )
    .for_owners()
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/owners/$ref",
        APP_READ,
        "List addresses of owners of a service principal",
        run!(owners::references),
    )
    .for_owners()
    .many(&TEXT_REFERENCE),
    Operation::new(
        "POST",
        "/servicePrincipals/{id}/owners/$ref",
        APP_WRITE,
        "Add an owner of a service principal",
        run!(owners::add),
    )
    .for_owners()
    .takes(&REFERENCE),
    Operation::new(
        "DELETE",
        "/servicePrincipals/{id}/owners/$ref",
        APP_WRITE,
        "Remove the owner of a service principal named in the query",
        run!(owners::remove),
    )
    .for_owners(),
    Operation::new(
        "DELETE",
        "/servicePrincipals/{id}/owners/{member}/$ref",
        APP_WRITE,
        "Remove an owner of a service principal",
        run!(owners::remove),
    )
    .for_owners(),
    Operation::new(
        "POST",
        "/servicePrincipals/{id}/addPassword",
        APP_WRITE,
        "Add a client secret of a service principal",
        run!(passwords::add),
    )
    .for_owners()
    .takes(&NEW_PASSWORD)
    .one(&PASSWORD),
    Operation::new(
        "POST",
        "/servicePrincipals/{id}/removePassword",
        APP_WRITE,
        "Remove a client secret of a service principal",
        run!(passwords::remove),
    )
    .for_owners()
    .takes(&OLD_PASSWORD),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/memberOf",
        APP_READ,
        "List the groups of a service principal",
        run!(member_of),
    )
    .for_owners()
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/transitiveMemberOf",
        APP_READ,
        "List all groups that a service principal is in",
        run!(transitive_member_of),
    )
    .for_owners()
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/ownedObjects",
        APP_READ,
        "List what a service principal owns",
        run!(owned),
    )
    .for_owners()
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/appRoleAssignedTo",
        ASSIGN_READ,
        "List who is assigned to an application",
        run!(assignments::of_resource),
    )
    .for_owners()
    .many(&ASSIGNMENT),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/appRoleAssignedTo/$count",
        ASSIGN_READ,
        "Count who is assigned to an application",
        run!(assignments::count_of_resource),
    )
    .for_owners()
    .count(),
    Operation::new(
        "POST",
        "/servicePrincipals/{id}/appRoleAssignedTo",
        ASSIGN_WRITE,
        "Assign somebody to an application",
        run!(assignments::create),
    )
    .takes(&ASSIGNMENT)
    .created(&ASSIGNMENT),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/appRoleAssignedTo/{assignment}",
        ASSIGN_READ,
        "Get an assignment to an application",
        run!(assignments::get_of_resource),
    )
    .for_owners()
    .one(&ASSIGNMENT),
    Operation::new(
        "DELETE",
        "/servicePrincipals/{id}/appRoleAssignedTo/{assignment}",
        ASSIGN_WRITE,
        "Remove an assignment to an application",
        run!(assignments::remove_from_resource),
    ),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/appRoleAssignments",
        ASSIGN_READ,
        "List a service principal's app role assignments",
        run!(assignments::of_principal),
    )
    .for_owners()
    .many(&ASSIGNMENT),
    Operation::new(
        "POST",
        "/servicePrincipals/{id}/appRoleAssignments",
        ASSIGN_WRITE,
        "Grant a service principal an app role",
        run!(assignments::create),
    )
    .takes(&ASSIGNMENT)
    .created(&ASSIGNMENT),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/appRoleAssignments/{assignment}",
        ASSIGN_READ,
        "Get a service principal's app role assignment",
        run!(assignments::get_of_principal),
    )
    .for_owners()
    .one(&ASSIGNMENT),
    Operation::new(
        "DELETE",
        "/servicePrincipals/{id}/appRoleAssignments/{assignment}",
        ASSIGN_WRITE,
        "Remove a service principal's app role assignment",
        run!(assignments::remove_from_principal),
    ),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/memberOf/group",
        APP_READ,
        "List the groups in a service principal's memberships",
        run!(groups_of),
    )
    .many(&GROUP)
    .unpublished(),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/transitiveMemberOf/group",
        APP_READ,
        "List the groups in a service principal's memberships by any number of steps",
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
    let of = call.named(EntryKind::ServicePrincipal, call.parameter("id")).await?;
    Related { of: &of, way, name, cast: Some(EntryKind::Group) }.page(call).await
}

async fn list(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(PRINCIPALS.page(&call).await?))
}

async fn count(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::count(PRINCIPALS.counted(&call).await?))
}

async fn delta(call: Call) -> Result<Answer, Refusal> {
    PRINCIPALS.delta(&call).await
}

async fn by_ids(call: Call) -> Result<Answer, Refusal> {
    membership::by_ids(&call, Some(EntryKind::ServicePrincipal)).await
}

async fn create(call: Call) -> Result<Answer, Refusal> {
    let owner = call.own_principal().await?;
    let entry = call.state.engine.create_service_principal(call.object()?, owner.as_ref()).await?;
    let location = format!("{}/{}/{}", call.base(), PRINCIPALS.name, entry.id);
    Ok(Answer::created(PRINCIPALS.one(&call, &entry).await?, location))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select", "$expand"])?;
    let entry = call.named(EntryKind::ServicePrincipal, call.parameter("id")).await?;
    Ok(Answer::ok(PRINCIPALS.one(&call, &entry).await?))
}

async fn update(call: Call) -> Result<Answer, Refusal> {
    let engine = &call.state.engine;
    let owner = call.own_principal().await?;
    membership::upsert(
        &call,
        EntryKind::ServicePrincipal,
        async |body| Ok(engine.create_service_principal(body, owner.as_ref()).await?),
        async |entry, body| {
            Ok(engine.update_application(EntryKind::ServicePrincipal, entry.id.as_str(), body).await?)
        },
    )
    .await
}

async fn delete(call: Call) -> Result<Answer, Refusal> {
    let entry = call.named(EntryKind::ServicePrincipal, call.parameter("id")).await?;
    call.state.engine.delete_entry(EntryKind::ServicePrincipal, entry.id.as_str()).await?;
    Ok(Answer::done())
}

async fn member_of(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::In(Relation::Members), "memberOf").await
}

async fn transitive_member_of(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::AllIn(Relation::Members), "transitiveMemberOf").await
}

async fn owned(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::In(Relation::Owners), "ownedObjects").await
}

async fn related(call: &Call, way: Way, name: &str) -> Result<Answer, Refusal> {
    let of: Entry = call.named(EntryKind::ServicePrincipal, call.parameter("id")).await?;
    Related { of: &of, way, name, cast: None }.page(call).await
}
