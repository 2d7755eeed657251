//! Who is assigned to an application of the tenant, and with which roles. Groups count for their direct members only.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, Entitlement};
use usher_core::{EntryKind, Relation};
use usher_expr::Value;
use uuid::Uuid;

use super::answer::{self, Refusal};
use super::request;
use super::service::Service;
use super::translate;

/// The role of applications that declare none.
const DEFAULT_ROLE: &str = "00000000-0000-0000-0000-000000000000";
/// How many groups are read at the same time.
const AT_ONCE: usize = 4;

/// The ids of an object's roles, each once.
pub(super) type RoleIds = BTreeSet<String>;

/// Everybody who is assigned to an application, at one moment.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// The application's roles; none when the tenant has no such application.
    roles: Vec<Json>,
    principals: BTreeMap<SmolStr, (EntryKind, RoleIds)>,
}

impl Snapshot {
    /// Reads all assignments. `None` when the tenant has no such application.
    pub(super) async fn load(service: &Service, application: &str) -> Result<Option<Self>, Refusal> {
        let Some(roles) = roles(service, application).await? else { return Ok(None) };
        let mut principals: BTreeMap<SmolStr, (EntryKind, RoleIds)> = BTreeMap::new();
        let mut groups = Vec::new();
        for assignment in service.all(request::assigned(application)).await? {
            let Some((id, role)) = principal(&assignment) else { continue };
            let kind = match assignment.get("principalType").and_then(Json::as_str) {
                Some("User") => EntryKind::User,
                Some("Group") => EntryKind::Group,
                _ => continue,
            };
            if kind == EntryKind::Group {
                groups.push((id.clone(), role.clone()));
            }
            principals.entry(id).or_insert_with(|| (kind, RoleIds::new())).1.insert(role);
        }
        let found: Vec<(String, Vec<SmolStr>)> = stream::iter(groups)
            .map(|(id, role)| async move {
                let members = if is_security_group(service, &id).await? {
                    let members = service.all(request::links(EntryKind::Group, &id, Relation::Members));
                    let found = members.await.map_err(|refusal| unknown(refusal, &id))?;
                    // A group inside an assigned group gets nothing, nor does a device.
                    found
                        .iter()
                        .filter(|member| translate::is_user(member))
                        .filter_map(translate::id)
                        .map(SmolStr::from)
                        .collect()
                } else {
                    Vec::new()
                };
                Ok::<_, Refusal>((role, members))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        for (role, members) in found {
            for id in members {
                let held = principals.entry(id).or_insert_with(|| (EntryKind::User, RoleIds::new()));
                held.1.insert(role.clone());
            }
        }
        Ok(Some(Self { roles, principals }))
    }

    /// The assignments of the objects of a kind.
    pub(super) fn of(&self, kind: EntryKind) -> Assignments {
        let held = self.principals.iter().filter(|(_, (known, _))| *known == kind);
        Assignments {
            roles: self.roles.clone(),
            held: held.map(|(id, (_, roles))| (id.clone(), roles.clone())).collect(),
        }
    }
}

/// The assignments of the objects of one kind at one moment, as watermarks keep them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
pub(super) struct Assignments {
    roles: Vec<Json>,
    held: BTreeMap<SmolStr, RoleIds>,
}

impl Assignments {
    /// Objects whose assignment differs between two moments, in a fixed order.
    pub(super) fn difference(&self, other: &Self) -> Vec<SmolStr> {
        let ids: BTreeSet<&SmolStr> = self.held.keys().chain(other.held.keys()).collect();
        let differs = |id: &&SmolStr| self.roles != other.roles || self.held.get(*id) != other.held.get(*id);
        ids.into_iter().filter(differs).cloned().collect()
    }

    /// Whether anything is assigned to an object.
    pub(super) fn holds(&self, id: &str) -> bool {
        self.held.contains_key(id)
    }

    /// Whether an object may be provisioned.
    pub(super) fn entitlement(&self, id: &str) -> Entitlement {
        entitlement(self.held.get(id), &self.roles)
    }

    /// The attribute `appRoleAssignments` of an object.
    pub(super) fn attribute(&self, id: &str) -> Value {
        attribute(self.held.get(id), &self.roles)
    }
}

/// Assignments in little room: many hold the same roles, and an id takes 16 bytes instead of 36.
#[derive(Serialize, Deserialize)]
struct Packed {
    roles: Vec<Json>,
    held: Vec<Holders>,
}

/// Those who hold the same roles.
#[derive(Serialize, Deserialize)]
struct Holders {
    roles: RoleIds,
    /// The bytes of their ids, one after the other, in Base64.
    ids: String,
    /// Ids that are no GUIDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<SmolStr>,
}

impl From<Assignments> for Packed {
    fn from(assignments: Assignments) -> Self {
        let mut by_roles: BTreeMap<RoleIds, (Vec<u8>, Vec<SmolStr>)> = BTreeMap::new();
        for (id, roles) in assignments.held {
            let (ids, others) = by_roles.entry(roles).or_default();
            match Uuid::parse_str(&id) {
                Ok(guid) if guid.to_string() == id => ids.extend(guid.as_bytes()),
                _ => others.push(id),
            }
        }
        let held = by_roles.into_iter();
        let held = held.map(|(roles, (ids, others))| Holders { roles, ids: BASE64.encode(ids), others });
        Self { roles: assignments.roles, held: held.collect() }
    }
}

impl From<Packed> for Assignments {
    fn from(packed: Packed) -> Self {
        let mut held = BTreeMap::new();
        for Holders { roles, ids, others } in packed.held {
            let ids = BASE64.decode(ids).unwrap_or_default();
            let ids = ids.chunks_exact(16).filter_map(|bytes| Uuid::from_slice(bytes).ok());
            let ids = ids.map(|guid| guid.to_string().into());
            held.extend(ids.chain(others).map(|id: SmolStr| (id, roles.clone())));
        }
        Self { roles: packed.roles, held }
    }
}

/// One object's assignments.
pub(super) struct Assigned {
    roles: Vec<Json>,
    ids: RoleIds,
}

impl Assigned {
    /// Reads what is assigned to one object, by itself and as a direct member of groups. `None` when the tenant has no
    /// such application.
    pub(super) async fn load(
        service: &Service,
        kind: EntryKind,
        id: &str,
        application: &str,
    ) -> Result<Option<Self>, Refusal> {
        let Some(roles) = roles(service, application).await? else { return Ok(None) };
        let mut ids = RoleIds::new();
        let own = match service.all(request::assignments_of(kind, id, application)).await {
            Err(refusal) if refusal.is_missing() => match service.document(&request::binned(id)).await {
                // Nobody in the recycle bin is assigned.
                Ok(_) => return Ok(Some(Self { roles, ids })),
                Err(refusal) => return Err(unknown(refusal, id)),
            },
            other => other?,
        };
        // What is assigned to groups of a user comes along; whether such a group counts is another question.
        let (own, by_group): (Vec<_>, Vec<_>) = own
            .iter()
            .filter_map(principal)
            .partition(|(principal, _)| kind != EntryKind::User || principal.eq_ignore_ascii_case(id));
        ids.extend(own.into_iter().map(|(_, role)| role));
        if kind == EntryKind::User {
            let groups = service.all(request::groups_of(id)).await.map_err(|refusal| unknown(refusal, id))?;
            let mut is_security = BTreeMap::new();
            for group in groups.iter().filter(|group| translate::is_group(group)) {
                let Some(group_id) = translate::id(group) else { continue };
                // Who may not read groups is told their ids and no more.
                let known = match group.get("securityEnabled").and_then(Json::as_bool) {
                    Some(known) => known,
                    None => is_security_group(service, group_id).await?,
                };
                is_security.insert(SmolStr::from(group_id.to_ascii_lowercase()), known);
            }
            for (group_id, role) in by_group {
                let known = match is_security.get(&group_id) {
                    Some(known) => *known,
                    None => is_security_group(service, &group_id).await?,
                };
                if known {
                    ids.insert(role);
                }
            }
            let asked: Vec<_> = is_security
                .iter()
                .filter(|(_, is_security)| **is_security)
                .map(|(id, _)| request::assignments_of(EntryKind::Group, id, application))
                .collect();
            for (request, answer) in asked.iter().zip(service.batch(&asked).await?) {
                let page = answer::page(request, answer.map_err(|refusal| unknown(refusal, id))?)?;
                let found = match page.next {
                    None => page.values,
                    Some(_) => service.all(request.clone()).await.map_err(|refusal| unknown(refusal, id))?,
                };
                ids.extend(found.iter().filter_map(principal).map(|(_, role)| role));
            }
        }
        Ok(Some(Self { roles, ids }))
    }

    pub(super) fn entitlement(&self) -> Entitlement {
        entitlement(Some(&self.ids), &self.roles)
    }

    pub(super) fn attribute(&self) -> Value {
        attribute(Some(&self.ids), &self.roles)
    }
}

/// What is not found although its owner is there may be gone since, or not be copied everywhere yet: that nothing is
/// assigned does not follow.
fn unknown(mut refusal: Refusal, id: &str) -> Refusal {
    if refusal.is_missing() {
        refusal.error = ConnectorError::new(
            ConnectorErrorKind::Unreachable,
            "EntryNotFound",
            format!("what is assigned to {id} is not found now; the tenant may still be copying it"),
        );
    }
    refusal
}

/// Nobody.
pub(super) const NOT_ASSIGNED: Entitlement = Entitlement { is_assigned: false, has_role: false };

fn entitlement(ids: Option<&RoleIds>, roles: &[Json]) -> Entitlement {
    let Some(ids) = ids else { return NOT_ASSIGNED };
    Entitlement { is_assigned: !ids.is_empty(), has_role: ids.iter().any(|id| role(roles, id).is_some()) }
}

fn attribute(ids: Option<&RoleIds>, roles: &[Json]) -> Value {
    let found: Vec<Value> = ids
        .into_iter()
        .flatten()
        .filter_map(|id| role(roles, id))
        .map(|role| Value::Object(role.into()))
        .collect();
    if found.is_empty() { Value::Null } else { Value::list(found) }
}

/// A role as the role functions read it; `None` when the application does not have it, or no more.
fn role(roles: &[Json], id: &str) -> Option<Json> {
    if id == DEFAULT_ROLE {
        return Some(json!({"id": DEFAULT_ROLE, "value": null, "displayName": "Default Access"}));
    }
    let is_it = |role: &&Json| translate::id(role).is_some_and(|known| known.eq_ignore_ascii_case(id));
    let role = roles.iter().find(is_it)?;
    let is_enabled = role.get("isEnabled").and_then(Json::as_bool).unwrap_or(true);
    let field = |name: &str| role.get(name).cloned().unwrap_or(Json::Null);
    is_enabled.then(|| json!({"id": id, "value": field("value"), "displayName": field("displayName")}))
}

fn principal(assignment: &Json) -> Option<(SmolStr, String)> {
    let text = |name: &str| assignment.get(name).and_then(Json::as_str).map(str::to_ascii_lowercase);
    Some((text("principalId")?.into(), text("appRoleId").unwrap_or_else(|| DEFAULT_ROLE.to_owned())))
}

/// What matters of a role.
fn kept(role: &Json) -> Json {
    let field = |name: &str| role.get(name).cloned().unwrap_or(Json::Null);
    json!({
        "id": field("id"), "value": field("value"), "displayName": field("displayName"),
        "isEnabled": field("isEnabled"),
    })
}

async fn roles(service: &Service, application: &str) -> Result<Option<Vec<Json>>, Refusal> {
    match service.document(&request::roles(application)).await {
        Ok(document) => {
            let roles = document.get("appRoles").and_then(Json::as_array).into_iter().flatten();
            Ok(Some(roles.map(kept).collect()))
        }
        Err(refusal) if refusal.is_missing() => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

async fn is_security_group(service: &Service, id: &str) -> Result<bool, Refusal> {
    let request = request::one(EntryKind::Group, id, &["securityEnabled".into()]);
    match service.document(&request).await {
        Ok(group) => Ok(group.get("securityEnabled").and_then(Json::as_bool) == Some(true)),
        // What is in the recycle bin assigns nobody.
        Err(refusal) if refusal.is_missing() => match service.document(&request::binned(id)).await {
            Ok(_) => Ok(false),
            Err(refusal) => Err(unknown(refusal, id)),
        },
        Err(refusal) => Err(refusal),
    }
}

/// The ids of everything that an object is linked to by a relation.
pub(super) async fn links(
    service: &Service,
    kind: EntryKind,
    id: &str,
    relation: Relation,
) -> Result<Vec<SmolStr>, Refusal> {
    let found = service.all(request::links(kind, id, relation)).await?;
    Ok(found.iter().filter_map(translate::id).map(SmolStr::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watermark_keeps_assignments_whole_and_small() {
        let (ann, bob, odd) =
            ("7b5c0d3e-1111-4a4a-8888-0123456789ab", "00000000-0000-4000-8000-000000000001", "x");
        let roles = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<RoleIds>();
        let held = [(ann, roles(&["r1"])), (bob, roles(&["r1"])), (odd, roles(&["r1", "r2"]))];
        let all = Assignments {
            roles: vec![json!({"id": "r1", "value": "admin", "displayName": "Admin", "isEnabled": true})],
            held: held.into_iter().map(|(id, roles)| (id.into(), roles)).collect(),
        };
        let kept = serde_json::to_value(&all).unwrap();
        assert_eq!(
            kept["held"],
            json!([
                {"roles": ["r1"], "ids": "AAAAAAAAQACAAAAAAAAAAXtcDT4REUpKiIgBI0Vnias"},
                {"roles": ["r1", "r2"], "ids": "", "others": ["x"]},
            ])
        );
        assert_eq!(serde_json::from_value::<Assignments>(kept).unwrap(), all);
        let less = Assignments { held: all.held.clone().into_iter().skip(1).collect(), ..all.clone() };
        assert_eq!(all.difference(&less), [bob]);
        assert!(all.holds(bob) && !less.holds(bob));
    }
}
