//! App role assignments, seen from the resource and from the principal.

use serde_json::{Value, json};
use usher_core::EntryKind;
use usher_core::ports::AssignmentQuery;
use usher_engine::cases::assignments::NamedAssignment;

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{only, whole};

pub async fn of_user(call: Call) -> Result<Answer, Refusal> {
    of(&call, EntryKind::User, "users").await
}

pub async fn of_group(call: Call) -> Result<Answer, Refusal> {
    of(&call, EntryKind::Group, "groups").await
}

pub async fn of_principal(call: Call) -> Result<Answer, Refusal> {
    of(&call, EntryKind::ServicePrincipal, "servicePrincipals").await
}

pub async fn of_resource(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$top"])?;
    let resource = call.named(EntryKind::ServicePrincipal, call.parameter("id")).await?;
    let named = call.state.engine.assignments(&AssignmentQuery::Resource(resource.id.clone())).await?;
    let context = format!("servicePrincipals('{}')/appRoleAssignedTo", resource.id);
    Ok(Answer::ok(whole(&call, &context, named.iter().map(view).collect())))
}

pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let body = call.object()?;
    let get = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::bad_request(format!("A value is required for property '{name}'.")))
    };
    let (principal, resource, role) = (get("principalId")?, get("resourceId")?, get("appRoleId")?);
    let at_hand = call.parameter("id");
    if !at_hand.eq_ignore_ascii_case(principal) && !at_hand.eq_ignore_ascii_case(resource) {
        let names_user =
            call.state.engine.user(at_hand).await.is_ok_and(|user| user.id.as_str() == principal);
        if !names_user {
            return Err(Refusal::bad_request(
                "the path names neither the principal nor the resource of the body",
            ));
        }
    }
    let named = call.state.engine.assign(principal, resource, role).await?;
    let mut body = view(&named);
    body["@odata.context"] =
        call.context(&format!("servicePrincipals('{resource}')/appRoleAssignedTo/$entity"));
    let location =
        format!("{}/servicePrincipals/{resource}/appRoleAssignedTo/{}", call.base(), named.assignment.id);
    Ok(Answer::created(body, location))
}

pub async fn remove_from_resource(call: Call) -> Result<Answer, Refusal> {
    let resource = call.named(EntryKind::ServicePrincipal, call.parameter("id")).await?;
    let of = AssignmentQuery::Resource(resource.id);
    call.state.engine.unassign(&of, call.parameter("assignment")).await?;
    Ok(Answer::done())
}

async fn of(call: &Call, kind: EntryKind, name: &str) -> Result<Answer, Refusal> {
    only(call, &["$top"])?;
    let id = call.state.engine.principal_id(kind, call.parameter("id")).await?;
    let named = call.state.engine.assignments(&AssignmentQuery::Principal(id.clone())).await?;
    let context = format!("{name}('{id}')/appRoleAssignments");
    Ok(Answer::ok(whole(call, &context, named.iter().map(view).collect())))
}

fn view(named: &NamedAssignment) -> Value {
    let one = &named.assignment;
    let kind = match one.principal_kind {
        EntryKind::User => "User",
        EntryKind::Group => "Group",
        EntryKind::Application | EntryKind::ServicePrincipal => "ServicePrincipal",
    };
    json!({
        "id": one.id.as_str(),
        "deletedDateTime": null,
        "appRoleId": one.app_role_id,
        "createdDateTime": one.created_at.to_string(),
        "principalDisplayName": named.principal,
        "principalId": one.principal_id.as_str(),
        "principalType": kind,
        "resourceDisplayName": named.resource,
        "resourceId": one.resource_id.as_str(),
    })
}
