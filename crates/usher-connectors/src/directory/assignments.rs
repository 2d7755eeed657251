//! Who is assigned to an application, and with which roles. Groups count for their direct members only.

use serde_json::{Value as Json, json};
use usher_core::ports::{AssignmentQuery, Entitlement, Store, StoreError};
use usher_core::{AppRoleAssignment, Entry, EntryId, EntryKind, Relation};
use usher_expr::Value;

/// The role of applications that declare none.
const DEFAULT_ROLE: &str = "00000000-0000-0000-0000-000000000000";
/// How many links are read at once.
const PAGE: usize = 500;

/// Whether an entry may be provisioned for the application.
pub(super) async fn entitlement(
    store: &dyn Store,
    entry: &EntryId,
    kind: EntryKind,
    application: &EntryId,
) -> Result<Entitlement, StoreError> {
    let nobody = Entitlement { is_assigned: false, has_role: false };
    let Some(principal) = application_of(store, application).await? else { return Ok(nobody) };
    let assignments = assignments(store, entry, kind, application).await?;
    Ok(Entitlement {
        is_assigned: !assignments.is_empty(),
        has_role: assignments.iter().any(|assignment| role(&principal, &assignment.app_role_id).is_some()),
    })
}

/// The attribute `appRoleAssignments`: the roles of an entry in the application, each once; null when there are none.
pub(super) async fn roles(
    store: &dyn Store,
    entry: &EntryId,
    kind: EntryKind,
    application: &EntryId,
) -> Result<Value, StoreError> {
    let Some(principal) = application_of(store, application).await? else { return Ok(Value::Null) };
    let mut ids: Vec<String> = Vec::new();
    let mut roles = Vec::new();
    for assignment in assignments(store, entry, kind, application).await? {
        let id = assignment.app_role_id.to_ascii_lowercase();
        if ids.contains(&id) {
            continue;
        }
        if let Some(role) = role(&principal, &id) {
            roles.push(Value::Object(role.into()));
            ids.push(id);
        }
    }
    Ok(if roles.is_empty() { Value::Null } else { Value::list(roles) })
}

pub(super) async fn application_of(store: &dyn Store, id: &EntryId) -> Result<Option<Entry>, StoreError> {
    let found = store.entry(EntryKind::ServicePrincipal, id).await?;
    Ok(found.filter(|entry| entry.deleted_at.is_none()))
}

/// The assignments that reach an entry: its own, then those of the groups that it is a direct member of. A group gives
/// its members nothing unless it is security-enabled, and is never expanded into the groups inside it.
async fn assignments(
    store: &dyn Store,
    entry: &EntryId,
    kind: EntryKind,
    application: &EntryId,
) -> Result<Vec<AppRoleAssignment>, StoreError> {
    if !matches!(kind, EntryKind::User | EntryKind::Group) {
        return Ok(Vec::new());
    }
    let mut found = of_principal(store, entry, application).await?;
    if kind == EntryKind::User {
        for group in all_links_to(store, entry, Relation::Members).await? {
            let assigned = of_principal(store, &group, application).await?;
            if !assigned.is_empty() && is_security_group(store, &group).await? {
                found.extend(assigned);
            }
        }
    }
    Ok(found)
}

async fn of_principal(
    store: &dyn Store,
    principal: &EntryId,
    application: &EntryId,
) -> Result<Vec<AppRoleAssignment>, StoreError> {
    let mut assignments = store.assignments(&AssignmentQuery::Principal(principal.clone())).await?;
    assignments.retain(|assignment| assignment.resource_id == *application);
    Ok(assignments)
}

async fn is_security_group(store: &dyn Store, id: &EntryId) -> Result<bool, StoreError> {
    let group = store.entry(EntryKind::Group, id).await?;
    Ok(group.is_some_and(|group| group.deleted_at.is_none() && group.is_true("securityEnabled")))
}

/// A role of the application, as the role functions read it; `None` when the application does not have it, or no more.
pub(super) fn role(application: &Entry, id: &str) -> Option<Json> {
    if id == DEFAULT_ROLE {
        return Some(json!({"id": DEFAULT_ROLE, "value": null, "displayName": "Default Access"}));
    }
    let roles = application.properties.get("appRoles")?.as_array()?;
    let role = roles.iter().find(|role| {
        role.get("id").and_then(Json::as_str).is_some_and(|known| known.eq_ignore_ascii_case(id))
    })?;
    let is_enabled = role.get("isEnabled").and_then(Json::as_bool).unwrap_or(true);
    let field = |name: &str| role.get(name).cloned().unwrap_or(Json::Null);
    is_enabled.then(|| json!({"id": id, "value": field("value"), "displayName": field("displayName")}))
}

/// All that an entry links to.
pub(super) async fn all_links_from(
    store: &dyn Store,
    entry: &EntryId,
    relation: Relation,
) -> Result<Vec<EntryId>, StoreError> {
    let mut all: Vec<EntryId> = Vec::new();
    loop {
        let page = store.links_from(entry, relation, all.last(), PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// All that links to an entry.
pub(super) async fn all_links_to(
    store: &dyn Store,
    entry: &EntryId,
    relation: Relation,
) -> Result<Vec<EntryId>, StoreError> {
    let mut all: Vec<EntryId> = Vec::new();
    loop {
        let page = store.links_to(entry, relation, all.last(), PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}
