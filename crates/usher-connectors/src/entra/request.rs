//! The requests that are sent to Microsoft Graph, as values. Paths begin below the version (`/users`), or are whole
//! addresses where Graph gave them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, MatchQuery, PreparedRequest};
use usher_core::{EntryKind, Relation};

use super::properties;
use crate::directory::request::{Edit, PropertyEdit, rejected};
use crate::directory::translate::{self, Place, Shape};

/// The largest page of users, groups and members.
pub(super) const PAGE: usize = 999;
/// How many requests a batch takes, and how many links one request may bind.
pub(super) const BLOCK: usize = 20;
/// The header of advanced queries.
pub(super) const CONSISTENCY: (&str, &str) = ("ConsistencyLevel", "eventual");
/// What makes a query an advanced one, together with the header `ConsistencyLevel`.
const ADVANCED: &str = "&$count=true";
/// RFC 3986 unreserved, and the sign that symbols of plans begin with: a path may hold it.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');
/// A query keeps what makes it readable and cannot be misread.
const QUERY: &AsciiSet = &SEGMENT
    .add(b'@')
    .remove(b'$')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b'\'')
    .remove(b'/')
    .remove(b':');

/// The collection of a kind.
pub(super) fn collection(kind: EntryKind) -> &'static str {
    if kind == EntryKind::Group { "/groups" } else { "/users" }
}

fn send(method: &'static str, path: String, body: Option<Json>) -> PreparedRequest {
    PreparedRequest { method: method.into(), path, body }
}

/// `GET` of a path or a link that Graph gave.
pub(super) fn get(path: impl Into<String>) -> PreparedRequest {
    send("GET", path.into(), None)
}

/// The address of one object, by id or user principal name. A leading `$` would be read as an operator.
pub(super) fn address(kind: EntryKind, id: &str) -> String {
    let collection = collection(kind);
    if id.starts_with('$') {
        format!("{collection}('{}')", utf8_percent_encode(&id.replace('\'', "''"), SEGMENT))
    } else {
        format!("{collection}/{}", utf8_percent_encode(id, SEGMENT))
    }
}

/// `$select`, and `$expand` for the manager, with what the attributes need and nothing else.
fn wanted(kind: EntryKind, attributes: &[SmolStr]) -> String {
    let basic: &[&str] = match kind {
        EntryKind::Group => &["id", "deletedDateTime"],
        _ => &["id", "accountEnabled", "deletedDateTime", "onPremisesSyncEnabled"],
    };
    let mut names: Vec<SmolStr> = basic.iter().map(|name| SmolStr::new_static(name)).collect();
    let mut expands = false;
    for name in attributes {
        let place = translate::attribute(name).place;
        expands |= kind == EntryKind::User && place == Place::Link(Relation::Manager);
        if let Some(property) = properties::selected(kind, &place)
            && !names.contains(&property)
        {
            names.push(property);
        }
    }
    let expand = if expands { "&$expand=manager($select=id)" } else { "" };
    format!("$select={}{expand}", names.join(","))
}

/// One object.
pub(super) fn one(kind: EntryKind, id: &str, attributes: &[SmolStr]) -> PreparedRequest {
    get(format!("{}?{}", address(kind, id), wanted(kind, attributes)))
}

/// One object in the recycle bin, whole: nothing says that it may be selected from.
pub(super) fn binned(id: &str) -> PreparedRequest {
    get(format!("/directory/deletedItems/{}", utf8_percent_encode(id, SEGMENT)))
}

/// The first page of all objects.
pub(super) fn list(kind: EntryKind, attributes: &[SmolStr]) -> PreparedRequest {
    get(format!("{}?{}&$top={PAGE}", collection(kind), wanted(kind, attributes)))
}

/// The first page of users in the recycle bin.
pub(super) fn list_binned(attributes: &[SmolStr]) -> PreparedRequest {
    let wanted = wanted(EntryKind::User, &without_links(attributes));
    get(format!("/directory/deletedItems/microsoft.graph.user?{wanted}&$top={PAGE}"))
}

/// The first page of what an object is linked to.
pub(super) fn links(kind: EntryKind, id: &str, relation: Relation) -> PreparedRequest {
    get(format!("{}/{}?$select=id&$top={PAGE}", address(kind, id), relation.as_str()))
}

/// A link to follow changes of these properties from now on.
pub(super) fn latest(kind: EntryKind, properties: &[SmolStr]) -> PreparedRequest {
    let link = if kind == EntryKind::Group { "members" } else { "manager" };
    let names = properties.iter().map(SmolStr::as_str).chain([link]).collect::<Vec<_>>().join(",");
    get(format!("{}/delta?$select={names}&$deltatoken=latest", collection(kind)))
}

/// All objects with a value; two suffice.
///
/// # Errors
/// `Rejected` for an attribute that Graph cannot search by.
pub(super) fn find(kind: EntryKind, query: &MatchQuery) -> Result<PreparedRequest, ConnectorError> {
    let attribute = translate::attribute(&query.attribute);
    let refuse = || {
        rejected(
            &query.attribute,
            format!("Microsoft Graph cannot find objects by {}; match by another attribute", query.attribute),
        )
    };
    if properties::selected(kind, &attribute.place).is_none() {
        return Err(refuse());
    }
    let single = query.value.single();
    let text = format!("'{}'", single.to_text().replace('\'', "''"));
    let literal = match attribute.shape {
        Shape::Boolean | Shape::Instant => match translate::json(attribute.shape, single) {
            Ok(Json::Bool(flag)) => flag.to_string(),
            Ok(Json::String(instant)) => instant,
            _ => return Err(refuse()),
        },
        _ => text.clone(),
    };
    let filter = match &attribute.place {
        Place::Property(property) if attribute.shape == Shape::List => {
            format!("{property}/any(p:p eq {text})")
        }
        Place::Property(property) => format!("{property} eq {literal}"),
        Place::First(property) => format!("{property}/any(p:p eq {text})"),
        Place::Member(property, member) => format!("{property}/{member} eq {text}"),
        _ => return Err(refuse()),
    };
    let filter = utf8_percent_encode(&filter, QUERY);
    let collection = collection(kind);
    if finds_at_once(kind, &attribute.place) {
        return Ok(get(format!("{collection}?$filter={filter}&{}&$top=2", wanted(kind, &query.attributes))));
    }
    // An advanced query expands nothing; the manager is asked for when somebody was found.
    let wanted = wanted(kind, &without_links(&query.attributes));
    Ok(get(format!("{collection}?$filter={filter}&{wanted}&$top=2{ADVANCED}")))
}

/// Whether the search for an attribute is not an advanced query, so that it may expand, and finds what was just written.
pub(super) fn finds_at_once(kind: EntryKind, place: &Place) -> bool {
    match place {
        Place::Property(property) => properties::finds_at_once(kind, property),
        _ => false,
    }
}

fn without_links(attributes: &[SmolStr]) -> Vec<SmolStr> {
    let is_link = |name: &&SmolStr| matches!(translate::attribute(name).place, Place::Link(_));
    attributes.iter().filter(|name| !is_link(name)).cloned().collect()
}

/// Whether a path, or a link that Graph gave, is an advanced query: one of the index that lags behind.
pub(super) fn is_advanced(path: &str) -> bool {
    path.contains("$count=true") || path.contains("%24count=true")
}

/// All users in the recycle bin with a value; `None` where nobody is looked for there by the attribute. In the bin,
/// names begin with the id of the object.
pub(super) fn find_binned(query: &MatchQuery) -> Option<PreparedRequest> {
    let text = query.value.single().to_text().replace('\'', "''");
    let filter = match translate::attribute(&query.attribute).place {
        Place::Property(property) if property == "userPrincipalName" => {
            format!("endsWith({property},'{text}')")
        }
        Place::Property(property)
            if matches!(property.as_str(), "onPremisesImmutableId" | "employeeId" | "mail") =>
        {
            format!("{property} eq '{text}'")
        }
        _ => return None,
    };
    Some(get(format!(
        "/directory/deletedItems/microsoft.graph.user?$filter={}&{}{ADVANCED}",
        utf8_percent_encode(&filter, QUERY),
        wanted(EntryKind::User, &without_links(&query.attributes)),
    )))
}

/// Brings an object back from the recycle bin.
pub(super) fn restore(id: &str) -> PreparedRequest {
    send("POST", format!("/directory/deletedItems/{}/restore", utf8_percent_encode(id, SEGMENT)), None)
}

/// Up to twenty requests in one.
pub(super) fn batch(requests: &[&PreparedRequest]) -> PreparedRequest {
    let parts: Vec<Json> = requests
        .iter()
        .enumerate()
        .map(|(index, request)| {
            let mut part = json!({"id": index.to_string(), "method": request.method, "url": request.path});
            if let Some(body) = &request.body {
                part["headers"] = json!({"Content-Type": "application/json"});
                part["body"] = body.clone();
            } else if is_advanced(&request.path) {
                part["headers"] = json!({CONSISTENCY.0: CONSISTENCY.1});
            }
            part
        })
        .collect();
    send("POST", "/$batch".to_owned(), Some(json!({ "requests": parts })))
}

/// Whether a request changes nothing: it reads, or is a batch of reads.
pub(super) fn is_read(request: &PreparedRequest) -> bool {
    let parts = request.body.as_ref().and_then(|body| body.get("requests")).and_then(Json::as_array);
    let is_batch_of_reads = request.path == "/$batch"
        && parts.is_some_and(|parts| parts.iter().all(|part| part["method"] == "GET"));
    request.method == "GET" || is_batch_of_reads
}

/// The properties of a body. `held` has what lists hold already, by property.
pub(super) fn body(edits: &[PropertyEdit], held: &Map<String, Json>) -> Map<String, Json> {
    let mut body = Map::new();
    for PropertyEdit { place, edit, attribute } in edits {
        let is_list = translate::attribute(attribute).shape == Shape::List;
        match place {
            Place::Property(property) => {
                let value = match edit {
                    Edit::Set(values) => values.first().cloned().unwrap_or_default(),
                    Edit::Clear if is_list => json!([]),
                    Edit::Clear => Json::Null,
                    Edit::Add(values) => Json::Array(joined(held.get(property.as_str()), values)),
                    Edit::Take(values) => Json::Array(without(held.get(property.as_str()), values)),
                };
                body.insert(property.to_string(), value);
            }
            Place::First(property) => {
                let values = if let Edit::Set(values) = edit { values.clone() } else { Vec::new() };
                body.insert(property.to_string(), Json::Array(values));
            }
            Place::Member(property, member) => {
                let value = if let Edit::Set(values) = edit { values.first().cloned() } else { None };
                let members = body.entry(property.as_str()).or_insert_with(|| json!({}));
                if let Some(members) = members.as_object_mut() {
                    members.insert(member.to_string(), value.unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    body
}

/// The lists that an edit adds to or takes from, which must be read first.
pub(super) fn lists_to_read(edits: &[PropertyEdit]) -> Vec<SmolStr> {
    edits
        .iter()
        .filter(|edit| matches!(edit.edit, Edit::Add(_) | Edit::Take(_)))
        .map(|edit| edit.attribute.clone())
        .collect()
}

fn held_values(held: Option<&Json>) -> Vec<Json> {
    held.and_then(Json::as_array).cloned().unwrap_or_default()
}

fn same(left: &Json, right: &Json) -> bool {
    match (left.as_str(), right.as_str()) {
        (Some(left), Some(right)) => left.to_lowercase() == right.to_lowercase(),
        _ => left == right,
    }
}

fn joined(held: Option<&Json>, more: &[Json]) -> Vec<Json> {
    let mut all = held_values(held);
    for value in more {
        if !all.iter().any(|known| same(known, value)) {
            all.push(value.clone());
        }
    }
    all
}

fn without(held: Option<&Json>, less: &[Json]) -> Vec<Json> {
    let mut all = held_values(held);
    all.retain(|known| !less.iter().any(|value| same(known, value)));
    all
}

/// Makes an object.
pub(super) fn create(kind: EntryKind, body: Map<String, Json>) -> PreparedRequest {
    send("POST", collection(kind).to_owned(), Some(Json::Object(body)))
}

/// Changes an object.
pub(super) fn update(kind: EntryKind, id: &str, body: Map<String, Json>) -> PreparedRequest {
    send("PATCH", address(kind, id), Some(Json::Object(body)))
}

/// Puts an object into the recycle bin.
pub(super) fn delete(kind: EntryKind, id: &str) -> PreparedRequest {
    send("DELETE", address(kind, id), None)
}

/// Sets the manager. `root` is the address of Graph with the version: references must name the host that is asked.
pub(super) fn set_manager(root: &str, id: &str, manager: &str) -> PreparedRequest {
    let reference = json!({"@odata.id": format!("{root}/users/{manager}")});
    send("PUT", format!("{}/manager/$ref", address(EntryKind::User, id)), Some(reference))
}

/// Clears the manager.
pub(super) fn clear_manager(id: &str) -> PreparedRequest {
    send("DELETE", format!("{}/manager/$ref", address(EntryKind::User, id)), None)
}

/// Adds up to twenty links, all or none.
pub(super) fn add_links(root: &str, id: &str, relation: Relation, ids: &[&str]) -> PreparedRequest {
    let links: Vec<String> = ids.iter().map(|to| format!("{root}/directoryObjects/{to}")).collect();
    let mut body = Map::new();
    body.insert(format!("{}@odata.bind", relation.as_str()), json!(links));
    update(EntryKind::Group, id, body)
}

/// Adds one link.
pub(super) fn add_link(root: &str, id: &str, relation: Relation, to: &str) -> PreparedRequest {
    let reference = json!({"@odata.id": format!("{root}/directoryObjects/{to}")});
    send("POST", format!("{}/{}/$ref", address(EntryKind::Group, id), relation.as_str()), Some(reference))
}

/// Removes one link. Without `/$ref` at its end this would delete the member itself.
pub(super) fn remove_link(id: &str, relation: Relation, to: &str) -> PreparedRequest {
    let to = utf8_percent_encode(to, SEGMENT);
    send("DELETE", format!("{}/{}/{to}/$ref", address(EntryKind::Group, id), relation.as_str()), None)
}

/// Who is assigned to an application.
pub(super) fn assigned(service_principal: &str) -> PreparedRequest {
    get(format!(
        "/servicePrincipals/{}/appRoleAssignedTo?$top={PAGE}",
        utf8_percent_encode(service_principal, SEGMENT)
    ))
}

/// The roles of an application.
pub(super) fn roles(service_principal: &str) -> PreparedRequest {
    get(format!(
        "/servicePrincipals/{}?$select=id,appId,appRoles",
        utf8_percent_encode(service_principal, SEGMENT)
    ))
}

/// The assignments of a user or group to an application.
pub(super) fn assignments_of(kind: EntryKind, id: &str, service_principal: &str) -> PreparedRequest {
    get(format!(
        "{}/appRoleAssignments?$filter=resourceId%20eq%20{}&$top={PAGE}",
        address(kind, id),
        utf8_percent_encode(service_principal, SEGMENT)
    ))
}

/// The groups that a user is a direct member of, and what else holds users, such as roles. To ask for groups alone would
/// be an advanced query: its index may not know yet who just came into a group.
pub(super) fn groups_of(id: &str) -> PreparedRequest {
    get(format!("{}/memberOf?$select=id,securityEnabled&$top={PAGE}", address(EntryKind::User, id)))
}

#[cfg(test)]
mod tests;
