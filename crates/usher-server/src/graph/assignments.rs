//! App role assignments, seen from the resource and from the principal.

use serde_json::{Value, json};
use usher_core::ports::AssignmentQuery;
use usher_core::{EntryId, EntryKind, Relation};
use usher_engine::cases::assignments::NamedAssignment;
use usher_engine::cases::related::Way;

use super::entries::found;
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::graph::types::ASSIGNMENT;
use crate::odata::{self, only};

/// The service principal that the path names.
async fn resource(call: &Call) -> Result<EntryId, Refusal> {
    Ok(call.named(EntryKind::ServicePrincipal, call.parameter("id")).await?.id)
}

pub async fn of_resource(call: Call) -> Result<Answer, Refusal> {
    let id = resource(&call).await?;
    let path = format!("servicePrincipals/{id}/appRoleAssignedTo");
    page(&call, &call.state.engine.assignments(&AssignmentQuery::Resource(id)).await?, &path)
}

pub async fn count_of_resource(call: Call) -> Result<Answer, Refusal> {
    let id = resource(&call).await?;
    Ok(Answer::count(call.state.engine.assignments(&AssignmentQuery::Resource(id)).await?.len()))
}

pub async fn get_of_resource(call: Call) -> Result<Answer, Refusal> {
    let id = resource(&call).await?;
    one(&call, &AssignmentQuery::Resource(id)).await
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

/// Those of a user tell those of the groups that it is a direct member of, too (Graph, list appRoleAssignments of a user).
pub async fn of_principal(call: Call) -> Result<Answer, Refusal> {
    let id = found(&call).await?.id;
    let path = format!("{}/{id}/appRoleAssignments", call.collection());
    let engine = &call.state.engine;
    let mut all = engine.assignments(&AssignmentQuery::Principal(id.clone())).await?;
    if call.collection() == "users" {
        for group in engine.related_ids(&id, Way::In(Relation::Members), None, usize::MAX).await? {
            all.extend(engine.assignments(&AssignmentQuery::Principal(group)).await?);
        }
    }
    page(&call, &all, &path)
}

pub async fn get_of_principal(call: Call) -> Result<Answer, Refusal> {
    let id = found(&call).await?.id;
    one(&call, &AssignmentQuery::Principal(id)).await
}

pub async fn remove_from_principal(call: Call) -> Result<Answer, Refusal> {
    let id = found(&call).await?.id;
    call.state.engine.unassign(&AssignmentQuery::Principal(id), call.parameter("assignment")).await?;
    Ok(Answer::done())
}

/// A page, in the order in which assignments were made; it goes on after the last one shown.
fn page(call: &Call, all: &[NamedAssignment], path: &str) -> Result<Answer, Refusal> {
    only(call, &["$top", "$skiptoken", "$filter", "$count"])?;
    let filter =
        call.option("$filter").map(|text| odata::parsed(text, &|path| ASSIGNMENT.at(path))).transpose()?;
    let top = odata::top(call, 999)?;
    let after = odata::skipped(call)?;
    let views: Vec<Value> = all.iter().map(view).collect();
    let passing: Vec<Value> = views
        .into_iter()
        .filter(|one| filter.as_ref().is_none_or(|filter| filter.holds(one, true)))
        .collect();
    let count = passing.len();
    let from = after.map_or(0, |after| {
        passing.iter().position(|one| one["id"] == after.as_str()).map_or(count, |place| place + 1)
    });
    let shown: Vec<Value> = passing.into_iter().skip(from).take(top).collect();
    let (collection, rest) = path.split_once('/').unwrap_or_default();
    let (id, name) = rest.split_once('/').unwrap_or_default();
    let mut body = json!({ "@odata.context": call.context(&format!("{collection}('{id}')/{name}")) });
    if odata::wants_count(call) {
        body["@odata.count"] = json!(count);
    }
    if let Some(last) = shown.last().filter(|_| from + shown.len() < count) {
        body["@odata.nextLink"] = odata::next_link(call, path, last["id"].as_str().unwrap_or_default());
    }
    body["value"] = Value::Array(shown);
    Ok(Answer::ok(body))
}

async fn one(call: &Call, of: &AssignmentQuery) -> Result<Answer, Refusal> {
    let id = call.parameter("assignment");
    let named = call.state.engine.assignments(of).await?;
    let found = named.iter().find(|one| one.assignment.id.as_str() == id);
    let mut body = view(found.ok_or_else(|| Refusal::not_found(id))?);
    body["@odata.context"] = call.context("appRoleAssignments/$entity");
    Ok(Answer::ok(body))
}

/// An assignment as it is shown.
pub fn view(named: &NamedAssignment) -> Value {
    let one = &named.assignment;
    let kind = match one.principal_kind {
        EntryKind::User => "User",
        EntryKind::Group => "Group",
        EntryKind::Application | EntryKind::ServicePrincipal | EntryKind::Contact => "ServicePrincipal",
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
