//! `/groups`: groups of the directory inside, their members and owners.

use usher_core::{EntryKind, Relation};
use usher_engine::cases::groups::PROPERTIES;
use usher_engine::cases::related::Way;

use super::entries::{self, counted, found, related};
use super::membership::{self, Related};
use super::operation::{Operation, run};
use super::permissions::{ASSIGN_READ, ASSIGN_WRITE, GROUP_READ, GROUP_WRITE, MEMBER_WRITE};
use super::types::{
    ASSIGNMENT, DIRECTORY_OBJECT, GROUP, GROUP_ID, GROUP_IDS, IDS, REFERENCE, SECURITY_ONLY, TEXT_REFERENCE,
    USER,
};
use super::{assignments, owners};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::Collection;

/// What `/groups` may be asked.
pub static GROUPS: Collection = Collection {
    kind: EntryKind::Group,
    name: "groups",
    shown: &[
        "id",
        "deletedDateTime",
        "classification",
        "createdDateTime",
        "description",
        "displayName",
        "groupTypes",
        "mail",
        "mailEnabled",
        "mailNickname",
        "membershipRule",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
        "proxyAddresses",
        "securityEnabled",
        "visibility",
    ],
    extra: &[],
    expands: &["members", "owners", "memberOf", "appRoleAssignments"],
    delta_link: Some(Relation::Members),
    known: PROPERTIES,
};

pub const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/groups", GROUP_READ, "List groups", run!(entries::list)).many(&GROUP),
    Operation::new("POST", "/groups", GROUP_WRITE, "Create a group", run!(create))
        .takes(&GROUP)
        .created(&GROUP),
    Operation::new("GET", "/groups/$count", GROUP_READ, "Count groups", run!(entries::count)).count(),
    Operation::new("GET", "/groups/delta", GROUP_READ, "List changes of groups", run!(entries::delta))
        .many(&GROUP),
    Operation::new("POST", "/groups/getByIds", GROUP_READ, "Get groups by ids", run!(entries::by_ids))
        .reads()
        .takes(&IDS)
        .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/groups/{id}", GROUP_READ, "Get a group", run!(entries::get)).one(&GROUP),
    Operation::new("PATCH", "/groups/{id}", GROUP_WRITE, "Update a group", run!(update)).takes(&GROUP),
    Operation::new("DELETE", "/groups/{id}", GROUP_WRITE, "Delete a group", run!(entries::delete)),
    Operation::new("GET", "/groups/{id}/members", GROUP_READ, "List members", run!(members))
        .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/groups/{id}/members/$count", GROUP_READ, "Count members", run!(count_members))
        .count(),
    Operation::new(
        "GET",
        "/groups/{id}/members/$ref",
        GROUP_READ,
        "List addresses of members",
        run!(member_refs),
    )
    .many(&TEXT_REFERENCE),
    Operation::new(
        "GET",
        "/groups/{id}/members/user",
        GROUP_READ,
        "List members that are users",
        run!(members_user),
    )
    .many(&USER),
    Operation::new(
        "GET",
        "/groups/{id}/members/group",
        GROUP_READ,
        "List members that are groups",
        run!(members_group),
    )
    .many(&GROUP),
    Operation::new(
        "GET",
        "/groups/{id}/members/user/$count",
        GROUP_READ,
        "Count members that are users",
        run!(count_members_user),
    )
    .count()
    .unpublished(),
    Operation::new("POST", "/groups/{id}/members/$ref", MEMBER_WRITE, "Add a member", run!(add_member))
        .takes(&REFERENCE),
    Operation::new(
        "DELETE",
        "/groups/{id}/members/$ref",
        MEMBER_WRITE,
        "Remove the member named in the query",
        run!(remove_member),
    ),
    Operation::new(
        "DELETE",
        "/groups/{id}/members/{member}/$ref",
        MEMBER_WRITE,
        "Remove a member",
        run!(remove_member),
    ),
    Operation::new(
        "GET",
        "/groups/{id}/transitiveMembers",
        GROUP_READ,
        "List all members, those of member groups included",
        run!(transitive),
    )
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/groups/{id}/transitiveMembers/$count",
        GROUP_READ,
        "Count all members",
        run!(count_transitive),
    )
    .count(),
    Operation::new(
        "GET",
        "/groups/{id}/transitiveMembers/user",
        GROUP_READ,
        "List all members that are users",
        run!(transitive_user),
    )
    .many(&USER),
    Operation::new(
        "GET",
        "/groups/{id}/transitiveMembers/group",
        GROUP_READ,
        "List all members that are groups",
        run!(transitive_group),
    )
    .many(&GROUP),
    Operation::new(
        "GET",
        "/groups/{id}/memberOf",
        GROUP_READ,
        "List the groups that a group is in",
        run!(entries::member_of),
    )
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/groups/{id}/transitiveMemberOf",
        GROUP_READ,
        "List all groups that a group is in",
        run!(entries::transitive_member_of),
    )
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "POST",
        "/groups/{id}/getMemberGroups",
        GROUP_READ,
        "Get the ids of the groups that a group is in",
        run!(entries::member_groups),
    )
    .reads()
    .takes(&SECURITY_ONLY)
    .many(&GROUP_ID),
    Operation::new(
        "POST",
        "/groups/{id}/checkMemberGroups",
        GROUP_READ,
        "Check the groups that a group is in",
        run!(entries::check_member_groups),
    )
    .reads()
    .takes(&GROUP_IDS)
    .many(&GROUP_ID),
    Operation::new("GET", "/groups/{id}/owners", GROUP_READ, "List owners of a group", run!(owners::list))
        .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/groups/{id}/owners/$count",
        GROUP_READ,
        "Count owners of a group",
        run!(owners::count),
    )
    .count(),
    Operation::new(
        "GET",
        "/groups/{id}/owners/$ref",
        GROUP_READ,
        "List addresses of owners of a group",
        run!(owners::references),
    )
    .many(&TEXT_REFERENCE),
    Operation::new(
        "POST",
        "/groups/{id}/owners/$ref",
        GROUP_WRITE,
        "Add an owner of a group",
        run!(owners::add),
    )
    .takes(&REFERENCE),
    Operation::new(
        "DELETE",
        "/groups/{id}/owners/$ref",
        GROUP_WRITE,
        "Remove the owner of a group named in the query",
        run!(owners::remove),
    ),
    Operation::new(
        "DELETE",
        "/groups/{id}/owners/{member}/$ref",
        GROUP_WRITE,
        "Remove an owner of a group",
        run!(owners::remove),
    ),
    Operation::new(
        "GET",
        "/groups/{id}/appRoleAssignments",
        ASSIGN_READ,
        "List a group's app role assignments",
        run!(assignments::of_principal),
    )
    .many(&ASSIGNMENT),
    Operation::new(
        "POST",
        "/groups/{id}/appRoleAssignments",
        ASSIGN_WRITE,
        "Assign a group to an application",
        run!(assignments::create),
    )
    .takes(&ASSIGNMENT)
    .created(&ASSIGNMENT),
    Operation::new(
        "GET",
        "/groups/{id}/appRoleAssignments/{assignment}",
        ASSIGN_READ,
        "Get a group's app role assignment",
        run!(assignments::get_of_principal),
    )
    .one(&ASSIGNMENT),
    Operation::new(
        "DELETE",
        "/groups/{id}/appRoleAssignments/{assignment}",
        ASSIGN_WRITE,
        "Remove a group's app role assignment",
        run!(assignments::remove_from_principal),
    ),
    Operation::new(
        "GET",
        "/groups/{id}/memberOf/group",
        GROUP_READ,
        "List the groups in a group's memberships",
        run!(entries::groups_of),
    )
    .many(&GROUP)
    .unpublished(),
    Operation::new(
        "GET",
        "/groups/{id}/transitiveMemberOf/group",
        GROUP_READ,
        "List the groups in a group's memberships by any number of steps",
        run!(entries::all_groups_of),
    )
    .many(&GROUP)
    .unpublished(),
];

async fn create(call: Call) -> Result<Answer, Refusal> {
    let entry = call.state.engine.create_group(call.object()?).await?;
    entries::created(&call, &entry).await
}

async fn update(call: Call) -> Result<Answer, Refusal> {
    let engine = &call.state.engine;
    membership::upsert(
        &call,
        EntryKind::Group,
        async |body| Ok(engine.create_group(body).await?),
        async |entry, body| Ok(engine.update_group(entry.id.as_str(), body).await?),
    )
    .await
}

const MEMBERS: Relation = Relation::Members;

async fn members(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::Out(MEMBERS), "members", None).await
}

async fn members_user(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::Out(MEMBERS), "members", Some(EntryKind::User)).await
}

async fn members_group(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::Out(MEMBERS), "members", Some(EntryKind::Group)).await
}

async fn count_members(call: Call) -> Result<Answer, Refusal> {
    counted(&call, Way::Out(MEMBERS), "members", None).await
}

async fn count_members_user(call: Call) -> Result<Answer, Refusal> {
    counted(&call, Way::Out(MEMBERS), "members", Some(EntryKind::User)).await
}

async fn member_refs(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    Related { of: &of, way: Way::Out(MEMBERS), name: "members", cast: None }.references(&call).await
}

async fn transitive(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::AllOut(MEMBERS), "transitiveMembers", None).await
}

async fn count_transitive(call: Call) -> Result<Answer, Refusal> {
    counted(&call, Way::AllOut(MEMBERS), "transitiveMembers", None).await
}

async fn transitive_user(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::AllOut(MEMBERS), "transitiveMembers", Some(EntryKind::User)).await
}

async fn transitive_group(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::AllOut(MEMBERS), "transitiveMembers", Some(EntryKind::Group)).await
}

async fn add_member(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    membership::add(&call, &of, MEMBERS).await
}

async fn remove_member(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    membership::remove(&call, &of, MEMBERS).await
}
