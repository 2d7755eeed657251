//! What an operation changes: properties and links, and the Graph requests that would do the same. Nothing here reads
//! or writes the store.

use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, PreparedRequest};
use usher_core::{AttributeChange, Change, EntryId, EntryKind, Operation, OperationKind, Relation};
use usher_expr::Value;

use super::translate::{self, Place, Shape};

/// Properties that an entry cannot be without.
const INDISPENSABLE: &[&str] = &["accountEnabled", "displayName", "usageLocation", "userPrincipalName"];
/// What stands for the id of an object that is yet to be made.
const UNKNOWN_ID: &str = "(id of the new object)";

/// Everything that an operation changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Edits {
    pub(crate) properties: Vec<PropertyEdit>,
    pub(crate) links: Vec<LinkEdit>,
    /// What the directory does not take, and why.
    pub(crate) left_out: Vec<(SmolStr, String)>,
    takes_password: bool,
}

/// A change of one property.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PropertyEdit {
    pub(crate) attribute: SmolStr,
    pub(crate) place: Place,
    pub(crate) edit: Edit<Json>,
}

/// A change of one kind of link.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LinkEdit {
    pub(crate) attribute: SmolStr,
    pub(crate) relation: Relation,
    pub(crate) edit: Edit<EntryId>,
}

/// What happens to values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Edit<T> {
    /// These, and no others.
    Set(Vec<T>),
    /// These as well.
    Add(Vec<T>),
    /// These no more.
    Take(Vec<T>),
    /// None.
    Clear,
}

impl Edits {
    /// What the changes of an operation mean for an entry of this kind.
    ///
    /// # Errors
    /// `Rejected` for a value that the directory cannot take; nothing may be written then.
    pub(crate) fn of(kind: EntryKind, changes: &[AttributeChange]) -> Result<Self, ConnectorError> {
        let mut edits = Self::default();
        for change in changes {
            let name = &change.attribute;
            let attribute = translate::attribute(name);
            match attribute.place {
                Place::Link(relation) if has(kind, relation) => {
                    let edit = link_edit(change, relation);
                    edits.links.push(LinkEdit { attribute: name.clone(), relation, edit });
                }
                Place::Link(_) => {
                    edits.left_out.push((name.clone(), format!("a {} has no {name}", kind.as_str())));
                }
                Place::Password => edits.takes_password = true,
                Place::Nowhere => {
                    edits
                        .left_out
                        .push((name.clone(), "the directory inside has no place for it".to_owned()));
                }
                Place::Id
                | Place::IsSoftDeleted
                | Place::AppRoleAssignments
                | Place::OriginalUserPrincipalName
                | Place::CreatedAt => edits.left_out.push((name.clone(), "it is read-only".to_owned())),
                place => {
                    let edit = property_edit(change, &place, attribute.shape)?;
                    edits.properties.push(PropertyEdit { attribute: name.clone(), place, edit });
                }
            }
        }
        Ok(edits)
    }

    /// Carries the changes of properties out.
    ///
    /// # Errors
    /// `Rejected` when a property would be lost that the entry cannot be without.
    pub(crate) fn apply(&self, properties: &mut Map<String, Json>) -> Result<(), ConnectorError> {
        for PropertyEdit { attribute, place, edit } in &self.properties {
            match place {
                Place::Property(property)
                    if *edit == Edit::Clear && INDISPENSABLE.contains(&property.as_str()) =>
                {
                    return Err(rejected(attribute, format!("{attribute} cannot be cleared")));
                }
                Place::Property(property) => apply_to(properties, property, edit),
                Place::First(property) => {
                    let edit = match edit {
                        Edit::Set(values) => Edit::Set(vec![Json::from(values.clone())]),
                        other => other.clone(),
                    };
                    apply_to(properties, property, &edit);
                }
                Place::Member(property, member) => {
                    let members = properties.entry(property.as_str()).or_insert_with(|| json!({}));
                    if !members.is_object() {
                        *members = json!({});
                    }
                    if let Some(members) = members.as_object_mut() {
                        apply_to(members, member, edit);
                        if members.is_empty() {
                            properties.shift_remove(property.as_str());
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether entries of a kind have links of a relation.
fn has(kind: EntryKind, relation: Relation) -> bool {
    match relation {
        Relation::Manager => kind == EntryKind::User,
        Relation::Members => kind == EntryKind::Group,
        Relation::Owners => !matches!(kind, EntryKind::User | EntryKind::Contact),
    }
}

fn link_edit(change: &AttributeChange, relation: Relation) -> Edit<EntryId> {
    let ids = |values: &[Value]| -> Vec<EntryId> {
        values
            .iter()
            .flat_map(Value::values)
            .map(|value| EntryId::new(value.to_text().to_lowercase()))
            .collect()
    };
    match &change.change {
        Change::Add(values) if relation == Relation::Manager => Edit::Set(ids(values)),
        Change::Add(values) => Edit::Add(ids(values)),
        Change::Replace(values) => Edit::Set(ids(values)),
        Change::Remove(values) if values.is_empty() => Edit::Clear,
        Change::Remove(values) => Edit::Take(ids(values)),
    }
}

fn property_edit(
    change: &AttributeChange,
    place: &Place,
    shape: Shape,
) -> Result<Edit<Json>, ConnectorError> {
    let name = &change.attribute;
    let convert = |values: &[Value]| -> Result<Vec<Json>, ConnectorError> {
        values
            .iter()
            .flat_map(Value::values)
            .filter(|value| !value.is_null_or_empty())
            .map(|value| {
                translate::json(shape, value)
                    .map_err(|wanted| rejected(name, format!("{name} takes {wanted}, not {}", value.kind())))
            })
            .collect()
    };
    let is_list = shape == Shape::List
        || (shape == Shape::Any && change.is_multivalued && matches!(place, Place::Property(_)));
    match &change.change {
        Change::Add(values) if is_list => Ok(Edit::Add(convert(values)?)),
        Change::Remove(values) if is_list && !values.is_empty() => Ok(Edit::Take(convert(values)?)),
        Change::Remove(_) => Ok(Edit::Clear),
        Change::Add(values) | Change::Replace(values) => {
            let values = convert(values)?;
            match values.len() {
                // Entra takes an empty text for "no value".
                0 => Ok(Edit::Clear),
                _ if is_list => Ok(Edit::Set(vec![Json::from(values)])),
                1 => Ok(Edit::Set(values)),
                several => Err(rejected(name, format!("{name} takes one value, not {several}"))),
            }
        }
    }
}

/// `Set` holds the property's whole new value, a list where the property is one.
fn apply_to(properties: &mut Map<String, Json>, property: &str, edit: &Edit<Json>) {
    let held = || match properties.get(property) {
        Some(Json::Array(values)) => values.clone(),
        Some(Json::Null) | None => Vec::new(),
        Some(one) => vec![one.clone()],
    };
    let new = match edit {
        Edit::Clear => Vec::new(),
        Edit::Set(values) => {
            if let Some(value) = values.first() {
                properties.insert(property.to_owned(), value.clone());
            }
            return;
        }
        Edit::Add(values) => {
            let mut held = held();
            for value in values {
                if !held.iter().any(|other| same(other, value)) {
                    held.push(value.clone());
                }
            }
            held
        }
        Edit::Take(values) => {
            let mut held = held();
            held.retain(|one| !values.iter().any(|other| same(one, other)));
            held
        }
    };
    if new.is_empty() {
        properties.shift_remove(property);
    } else {
        properties.insert(property.to_owned(), Json::from(new));
    }
}

fn same(left: &Json, right: &Json) -> bool {
    match (left.as_str(), right.as_str()) {
        (Some(left), Some(right)) => left.to_lowercase() == right.to_lowercase(),
        _ => left == right,
    }
}

/// The refusal of a value.
pub(crate) fn rejected(attribute: &str, message: String) -> ConnectorError {
    let mut error =
        ConnectorError::new(ConnectorErrorKind::Rejected, "SchemaPropertyCanOnlyAcceptValue", message);
    error.attribute = Some(attribute.into());
    error
}

/// The Graph requests that would do what the operation does. A value that is refused when written is left out here.
pub(crate) fn preview(operation: &Operation) -> Vec<PreparedRequest> {
    let Ok(kind) = translate::kind(&operation.object_type) else { return Vec::new() };
    let collection = match kind {
        EntryKind::User => "/users",
        EntryKind::Group => "/groups",
        EntryKind::Application => "/applications",
        EntryKind::ServicePrincipal => "/servicePrincipals",
        EntryKind::Contact => "/contacts",
    };
    let id = operation.anchor.as_ref().map_or(UNKNOWN_ID, |anchor| anchor.as_str());
    let path = format!("{collection}/{id}");
    let edits = Edits::of(kind, &operation.changes).unwrap_or_default();
    let mut requests = Vec::new();
    let mut send = |method: &'static str, path: String, body| {
        requests.push(PreparedRequest { method: method.into(), path, body });
    };
    match operation.kind {
        OperationKind::Create => send("POST", collection.to_owned(), Some(body(&edits))),
        OperationKind::Update if !edits.properties.is_empty() || edits.takes_password => {
            send("PATCH", path.clone(), Some(body(&edits)));
        }
        OperationKind::Update => {}
        OperationKind::Delete => send("DELETE", path.clone(), None),
    }
    for LinkEdit { relation, edit, .. } in &edits.links {
        let links = format!("{path}/{}", relation.as_str());
        let (put, ids): (_, &[EntryId]) = match edit {
            Edit::Set(ids) | Edit::Add(ids) => (true, ids),
            Edit::Take(ids) => (false, ids),
            Edit::Clear => {
                send("DELETE", format!("{links}/$ref"), None);
                continue;
            }
        };
        for id in ids {
            let reference = Some(json!({"@odata.id": format!("directoryObjects/{id}")}));
            match (put, relation) {
                (true, Relation::Manager) => send("PUT", format!("{links}/$ref"), reference),
                (true, _) => send("POST", format!("{links}/$ref"), reference),
                (false, Relation::Manager) => send("DELETE", format!("{links}/$ref"), None),
                (false, _) => send("DELETE", format!("{links}/{id}/$ref"), None),
            }
        }
    }
    requests
}

/// The body that Graph would be sent. Additions to and removals from a list are written like OData annotations: what
/// the list holds already is known only when it is written.
fn body(edits: &Edits) -> Json {
    let mut body = Map::new();
    for PropertyEdit { place, edit, .. } in &edits.properties {
        match (place, edit) {
            (Place::Property(property), Edit::Add(values)) => {
                body.insert(format!("{property}@add"), Json::from(values.clone()));
            }
            (Place::Property(property), Edit::Take(values)) => {
                body.insert(format!("{property}@remove"), Json::from(values.clone()));
            }
            (Place::First(property), edit) => {
                let values = if let Edit::Set(values) = edit { values.clone() } else { Vec::new() };
                body.insert(property.to_string(), Json::from(values));
            }
            (place, edit) => {
                let value = match edit {
                    Edit::Set(values) => values.first().cloned().unwrap_or_default(),
                    _ => Json::Null,
                };
                match place {
                    Place::Property(property) => {
                        body.insert(property.to_string(), value);
                    }
                    Place::Member(property, member) => {
                        let members = body.entry(property.as_str()).or_insert_with(|| json!({}));
                        if let Some(members) = members.as_object_mut() {
                            members.insert(member.to_string(), value);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    if edits.takes_password {
        body.insert("passwordProfile".to_owned(), json!({"password": "[Redact]"}));
    }
    Json::Object(body)
}
