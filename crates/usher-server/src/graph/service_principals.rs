//! `/servicePrincipals`: the instances of applications in the tenant.

use usher_core::EntryKind;
use usher_engine::cases::applications::SERVICE_PRINCIPAL as PROPERTIES;

use super::operation::{Operation, run};
use super::permissions::{APP_READ, APP_WRITE, ASSIGN_READ, ASSIGN_WRITE};
use super::types::{
    ASSIGNMENT, DIRECTORY_OBJECT, GROUP, IDS, NEW_PASSWORD, OLD_PASSWORD, PASSWORD, REFERENCE,
    SERVICE_PRINCIPAL, TEXT_REFERENCE,
};
use super::{assignments, entries, membership, owners, passwords};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::Collection;

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
    Operation::new("GET", "/servicePrincipals", APP_READ, "List service principals", run!(entries::list))
        .many(&SERVICE_PRINCIPAL),
    Operation::new("POST", "/servicePrincipals", APP_WRITE, "Create a service principal", run!(create))
        .for_owners()
        .takes(&SERVICE_PRINCIPAL)
        .created(&SERVICE_PRINCIPAL),
    Operation::new(
        "GET",
        "/servicePrincipals/$count",
        APP_READ,
        "Count service principals",
        run!(entries::count),
    )
    .count(),
    Operation::new(
        "GET",
        "/servicePrincipals/delta",
        APP_READ,
        "List changes of service principals",
        run!(entries::delta),
    )
    .many(&SERVICE_PRINCIPAL),
    Operation::new(
        "POST",
        "/servicePrincipals/getByIds",
        APP_READ,
        "Get service principals by ids",
        run!(entries::by_ids),
    )
    .reads()
    .takes(&IDS)
    .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/servicePrincipals/{id}", APP_READ, "Get a service principal", run!(entries::get))
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
        run!(entries::delete),
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
        run!(entries::member_of),
    )
    .for_owners()
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/transitiveMemberOf",
        APP_READ,
        "List all groups that a service principal is in",
        run!(entries::transitive_member_of),
    )
    .for_owners()
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/ownedObjects",
        APP_READ,
        "List what a service principal owns",
        run!(entries::owned),
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
        run!(entries::groups_of),
    )
    .many(&GROUP)
    .unpublished(),
    Operation::new(
        "GET",
        "/servicePrincipals/{id}/transitiveMemberOf/group",
        APP_READ,
        "List the groups in a service principal's memberships by any number of steps",
        run!(entries::all_groups_of),
    )
    .many(&GROUP)
    .unpublished(),
];

async fn create(call: Call) -> Result<Answer, Refusal> {
    let owner = call.own_principal().await?;
    let entry = call.state.engine.create_service_principal(call.object()?, owner.as_ref()).await?;
    entries::created(&call, &entry).await
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
