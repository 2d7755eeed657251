//! Requests as values: what an operation looks like on the wire, in both dialects. Nothing here knows the network.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, GetRequest, MatchQuery, PreparedRequest};
use usher_core::{Anchor, AttributeChange, Change};
use usher_expr::Value;

use super::path::AttributePath;
use super::resource::{self, ROLE_TYPE};

/// The media type of bodies.
pub(crate) const MEDIA_TYPE: &str = "application/scim+json; charset=utf-8";
/// The schema of users.
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups.
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The extension of users that every create names.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The second schema that a create of a group names.
const LEGACY_GROUP: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// What stays as it is in a path segment.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b':');

/// How PATCH requests look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The older default: capitalised operations, booleans as text, one operation per attribute.
    Entra,
    /// With `aadOptscim062020`: as RFC 7644 says.
    Rfc7644,
}

/// How a manager is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ManagerForm {
    /// The id as text, as real traffic has it.
    Text,
    /// An object with the id as `value`.
    Object,
}

/// How requests to one service look: what the settings say, corrected by what the service refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The dialect of PATCH.
    pub(crate) dialect: Dialect,
    /// The most members in one request.
    pub(crate) members_per_request: usize,
    /// How a manager is sent.
    pub(crate) manager: ManagerForm,
    /// Several plain attributes go into one operation without path.
    pub(crate) group_by_value: bool,
    /// Members are removed by path in the default dialect too.
    pub(crate) removes_members_by_path: bool,
    /// A create of a group names the core schema alone.
    pub(crate) plain_groups: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            dialect: Dialect::Entra,
            members_per_request: 100,
            manager: ManagerForm::Text,
            group_by_value: false,
            removes_members_by_path: false,
            plain_groups: false,
        }
    }
}

/// The two kinds of resource that are provisioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Group,
}

impl Kind {
    /// The kind that a target object's name stands for: `User`, or a schema URN that ends so.
    pub(crate) fn of(object_type: &str) -> Result<Self, ConnectorError> {
        match object_type.rsplit(':').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "user" => Ok(Self::User),
            "group" => Ok(Self::Group),
            _ => Err(ConnectorError::new(
                ConnectorErrorKind::Unsupported,
                "NotImplemented",
                format!("a SCIM service has users and groups, but no '{object_type}'"),
            )),
        }
    }

    /// The collection below the base address.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }
}

/// The path of one resource.
pub(crate) fn resource_path(kind: Kind, anchor: &Anchor) -> Result<String, ConnectorError> {
    // `DELETE /Users/..` would be a request to something else entirely.
    if matches!(anchor.as_str(), "" | "." | "..") {
        return Err(ConnectorError::new(
            ConnectorErrorKind::Rejected,
            "InvalidAnchor",
            format!("'{anchor}' is not the id of a resource"),
        ));
    }
    Ok(format!("{}/{}", kind.collection(), utf8_percent_encode(anchor.as_str(), SEGMENT)))
}

/// `GET` of one resource.
pub(crate) fn get(request: &GetRequest) -> Result<PreparedRequest, ConnectorError> {
    let kind = Kind::of(&request.object_type)?;
    let path = resource_path(kind, &request.anchor)?;
    let path = if leaves_members_out(kind, &request.attributes) {
        format!("{path}?excludedAttributes=members")
    } else {
        path
    };
    Ok(prepared("GET", path, None))
}

/// `GET` of the resources that have a value; `start` of above one asks for a later page.
pub(crate) fn find(query: &MatchQuery, start: usize) -> Result<PreparedRequest, ConnectorError> {
    let kind = Kind::of(&query.object_type)?;
    let path = parse(&query.attribute)?;
    let mut parameters = Vec::new();
    if leaves_members_out(kind, &query.attributes) {
        parameters.push("excludedAttributes=members".to_owned());
    }
    let filter = format!("{} eq {}", query.attribute, operand(&path, &query.value));
    parameters.push(format!(
        "filter={}",
        url::form_urlencoded::byte_serialize(filter.as_bytes()).collect::<String>()
    ));
    if start > 1 {
        parameters.push(format!("startIndex={start}"));
    }
    Ok(prepared("GET", format!("{}?{}", kind.collection(), parameters.join("&")), None))
}

/// One page of all resources of a kind.
pub(crate) fn list(
    object_type: &str,
    attributes: &[SmolStr],
    start: usize,
    count: usize,
) -> Result<PreparedRequest, ConnectorError> {
    let kind = Kind::of(object_type)?;
    let mut parameters = vec![format!("startIndex={start}"), format!("count={count}")];
    if leaves_members_out(kind, attributes) {
        parameters.insert(0, "excludedAttributes=members".to_owned());
    }
    Ok(prepared("GET", format!("{}?{}", kind.collection(), parameters.join("&")), None))
}

/// Groups can be huge: members come only when somebody asks for them.
fn leaves_members_out(kind: Kind, attributes: &[SmolStr]) -> bool {
    kind == Kind::Group && !attributes.iter().any(|name| name.eq_ignore_ascii_case("members"))
}

/// Everything but a truth value stands in double quotes.
fn operand(path: &AttributePath, value: &Value) -> String {
    match simple(path, value.single()) {
        Json::Bool(truth) => truth.to_string(),
        Json::String(text) => Json::from(text).to_string(),
        other => Json::from(other.to_string()).to_string(),
    }
}

/// `POST` of a new resource. References are not in it: the resource must be there before anything refers to it.
pub(crate) fn create(
    shape: &Shape,
    kind: Kind,
    changes: &[AttributeChange],
) -> Result<PreparedRequest, ConnectorError> {
    let schemas = match kind {
        Kind::User => json!([USER, ENTERPRISE]),
        Kind::Group if shape.plain_groups => json!([GROUP]),
        Kind::Group => json!([GROUP, LEGACY_GROUP]),
    };
    let mut body = Map::from_iter([("schemas".to_owned(), schemas)]);
    let mut extensions = Map::new();
    for change in changes.iter().filter(|change| !change.is_reference) {
        let path = writable(change)?;
        if matches!(change.change, Change::Remove(_)) {
            continue;
        }
        let part = if path.urn.is_some() { &mut extensions } else { &mut body };
        apply(part, &path, change);
    }
    body.insert("meta".to_owned(), json!({ "resourceType": kind.name() }));
    body.extend(extensions);
    Ok(prepared("POST", kind.collection().to_owned(), Some(Json::Object(body))))
}

/// Carries a change out on a resource: for a create on an empty one, for a PUT on the one that was read.
pub(crate) fn apply(resource: &mut Map<String, Json>, path: &AttributePath, change: &AttributeChange) {
    let is_list = path.selector.is_empty() && path.sub.is_none() && change.is_multivalued;
    let entries = |values: &[Value]| -> Vec<Json> {
        values
            .iter()
            .map(|value| match simple(path, value) {
                id @ Json::String(_) if change.is_reference => json!({ "value": id }),
                other => resource::entry(&path.attribute, other),
            })
            .collect()
    };
    match &change.change {
        Change::Add(values) if is_list => resource::add(resource, path, entries(values)),
        Change::Replace(values) if is_list => resource::set(resource, path, Json::from(entries(values))),
        Change::Add(values) | Change::Replace(values) => match values.first() {
            None => resource::remove(resource, path, &[]),
            Some(value) if change.is_reference && path.sub.is_none() => {
                resource::set(resource, path, json!({ "value": simple(path, value) }));
            }
            Some(value) => resource::set(resource, path, simple(path, value)),
        },
        Change::Remove(values) => resource::remove(resource, path, &entries(values)),
    }
}

/// `PATCH` of the plain attributes: one request for all of them. `None` when there is nothing to send.
pub(crate) fn update(
    shape: &Shape,
    path: &str,
    changes: &[AttributeChange],
) -> Result<Option<PreparedRequest>, ConnectorError> {
    let mut operations = Vec::new();
    let mut groups: [Vec<(String, Json)>; 2] = Default::default();
    for change in changes {
        let target = writable(change)?;
        let (index, values) = match &change.change {
            Change::Add(values) => (0, values),
            Change::Replace(values) => (1, values),
            Change::Remove(values) => {
                operations.push(removal(shape, &target, change, values));
                continue;
            }
        };
        let value = patch_value(shape, &target, change, values);
        let is_plain = target.selector.is_empty() && !change.is_multivalued;
        if shape.group_by_value && is_plain {
            groups[index].push((change.attribute.to_string(), value));
        } else {
            operations.push(operation(shape, ["Add", "Replace"][index], &target, change, value));
        }
    }
    for (verb, group) in ["Add", "Replace"].into_iter().zip(groups) {
        match <[(String, Json); 1]>::try_from(group) {
            Ok([(attribute, value)]) => {
                operations.push(json!({ "op": op(shape, verb), "path": attribute, "value": value }));
            }
            Err(group) if group.is_empty() => {}
            Err(group) => {
                let values: Map<String, Json> = group.into_iter().collect();
                operations.push(json!({ "op": op(shape, verb), "value": values }));
            }
        }
    }
    Ok((!operations.is_empty()).then(|| patch(path, operations)))
}

/// Whether a PATCH has an operation without path.
pub(crate) fn has_group(request: &PreparedRequest) -> bool {
    operations(request).iter().any(|operation| operation.get("path").is_none())
}

/// The operations of a PATCH.
fn operations(request: &PreparedRequest) -> &[Json] {
    request
        .body
        .as_ref()
        .and_then(|body| body.get("Operations"))
        .and_then(Json::as_array)
        .map_or(&[], Vec::as_slice)
}

fn operation(
    shape: &Shape,
    verb: &'static str,
    path: &AttributePath,
    change: &AttributeChange,
    value: Json,
) -> Json {
    let is_role = is_single_role(path);
    let is_assertive =
        verb == "Replace" && path.attribute.eq_ignore_ascii_case("roles") && change.is_multivalued;
    let op = if is_assertive { "replace" } else { op(shape, verb) };
    if is_role && verb == "Add" {
        return json!({ "op": op, "path": path.whole(), "value": value });
    }
    json!({ "op": op, "path": change.attribute, "value": value })
}

fn removal(shape: &Shape, path: &AttributePath, change: &AttributeChange, values: &[Value]) -> Json {
    let mut operation = json!({ "op": op(shape, "Remove"), "path": change.attribute });
    if !values.is_empty() && change.is_multivalued {
        operation["value"] =
            values.iter().map(|value| resource::entry(&path.attribute, simple(path, value))).collect();
    }
    operation
}

fn patch_value(shape: &Shape, path: &AttributePath, change: &AttributeChange, values: &[Value]) -> Json {
    if change.is_multivalued && path.selector.is_empty() && path.sub.is_none() {
        // Role entries that name themselves `displayName` are added as documents in texts (the older default).
        let as_text = shape.dialect == Dialect::Entra
            && matches!(change.change, Change::Add(_))
            && path.attribute.eq_ignore_ascii_case("roles");
        return values
            .iter()
            .map(|value| match value {
                Value::Object(role) if as_text && role.get("displayName").is_some() => role_text(role),
                other => resource::entry(&path.attribute, simple(path, other)),
            })
            .collect();
    }
    let value = values.first().map_or(Json::Null, |value| simple(path, value));
    if is_single_role(path) && matches!(change.change, Change::Add(_)) {
        return match shape.dialect {
            Dialect::Entra => Json::from(vec![role_text(&json!({ "value": value, "displayName": value }))]),
            Dialect::Rfc7644 => {
                json!([{ "primary": true, "type": ROLE_TYPE, path.last(): value }])
            }
        };
    }
    match value {
        Json::Bool(truth) if shape.dialect == Dialect::Entra => {
            Json::from(if truth { "True" } else { "False" })
        }
        other => other,
    }
}

/// `roles[primary eq "True"].value`, which a single app role feeds.
fn is_single_role(path: &AttributePath) -> bool {
    path.attribute.eq_ignore_ascii_case("roles")
        && path.last().eq_ignore_ascii_case("value")
        && path.selector.iter().any(|term| term.attribute.eq_ignore_ascii_case("primary"))
}

fn role_text(role: &Json) -> Json {
    let document: Map<String, Json> = ["id", "value", "displayName"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), role.get(*name)?.clone())))
        .collect();
    json!({ "value": Json::Object(document).to_string() })
}

/// `PATCH` of a reference to one object.
pub(crate) fn refer(shape: &Shape, path: &str, change: &AttributeChange) -> PreparedRequest {
    let (verb, values) = match &change.change {
        Change::Add(values) => ("Add", values),
        Change::Replace(values) => ("Replace", values),
        Change::Remove(_) => {
            return patch(path, vec![json!({ "op": op(shape, "Remove"), "path": change.attribute })]);
        }
    };
    let id = values.first().map(Value::to_text).unwrap_or_default();
    let value = match shape.manager {
        ManagerForm::Text => json!(id),
        ManagerForm::Object => json!({ "value": id }),
    };
    patch(path, vec![json!({ "op": op(shape, verb), "path": change.attribute, "value": value })])
}

/// `PATCH` of a reference to several objects, such as a group's members. The caller keeps to the block size.
pub(crate) fn refer_to_several(shape: &Shape, path: &str, change: &AttributeChange) -> PreparedRequest {
    let attribute = &change.attribute;
    let entries = |values: &[Value]| -> Json {
        values
            .iter()
            .map(|value| match shape.dialect {
                Dialect::Entra => json!({ "$ref": null, "value": value.to_text() }),
                Dialect::Rfc7644 => json!({ "value": value.to_text() }),
            })
            .collect()
    };
    let operations = match &change.change {
        Change::Add(values) => {
            vec![json!({ "op": op(shape, "Add"), "path": attribute, "value": entries(values) })]
        }
        Change::Replace(values) => {
            vec![json!({ "op": op(shape, "Replace"), "path": attribute, "value": entries(values) })]
        }
        Change::Remove(values) if values.is_empty() => {
            vec![json!({ "op": op(shape, "Remove"), "path": attribute })]
        }
        Change::Remove(values) if shape.dialect == Dialect::Rfc7644 || shape.removes_members_by_path => {
            values
                .iter()
                .map(|value| {
                    let chosen = format!("{attribute}[value eq {}]", Json::from(value.to_text().as_str()));
                    json!({ "op": op(shape, "Remove"), "path": chosen })
                })
                .collect()
        }
        Change::Remove(values) => {
            vec![json!({ "op": op(shape, "Remove"), "path": attribute, "value": entries(values) })]
        }
    };
    patch(path, operations)
}

/// A change of a reference to several objects, cut into blocks.
pub(crate) fn blocks(change: &AttributeChange, size: usize) -> Vec<AttributeChange> {
    let cut = |values: &[Value], make: fn(Vec<Value>) -> Change| -> Vec<AttributeChange> {
        values
            .chunks(size.max(1))
            .map(|block| AttributeChange { change: make(block.to_vec()), ..change.clone() })
            .collect()
    };
    match &change.change {
        Change::Add(values) => cut(values, Change::Add),
        Change::Remove(values) if !values.is_empty() => cut(values, Change::Remove),
        Change::Remove(_) | Change::Replace(_) => vec![change.clone()],
    }
}

/// `PUT` of a whole resource.
pub(crate) fn replace(path: &str, resource: Map<String, Json>) -> PreparedRequest {
    prepared("PUT", path.to_owned(), Some(Json::Object(resource)))
}

/// `DELETE` of a resource.
pub(crate) fn delete(path: String) -> PreparedRequest {
    prepared("DELETE", path, None)
}

/// The path of a change, when it may be written.
pub(crate) fn writable(change: &AttributeChange) -> Result<AttributePath, ConnectorError> {
    let path = parse(&change.attribute)?;
    if path.urn.is_none() && path.attribute.eq_ignore_ascii_case("id") {
        return Err(refused(
            &change.attribute,
            "the service gives the id itself; take it out of the mappings",
        ));
    }
    Ok(path)
}

/// The parts of a target attribute name.
pub(crate) fn parse(attribute: &SmolStr) -> Result<AttributePath, ConnectorError> {
    AttributePath::parse(attribute).map_err(|error| refused(attribute, &error.to_string()))
}

fn refused(attribute: &SmolStr, reason: &str) -> ConnectorError {
    ConnectorError {
        attribute: Some(attribute.clone()),
        ..ConnectorError::new(
            ConnectorErrorKind::Rejected,
            "SchemaPropertyCanOnlyAcceptValue",
            format!("the target attribute '{attribute}' cannot be used: {reason}"),
        )
    }
}

/// A value as SCIM writes it: truth values and numbers as such, date-times as RFC 3339.
fn simple(path: &AttributePath, value: &Value) -> Json {
    match value {
        Value::DateTime(instant) => Json::from(instant.to_string()),
        Value::Text(text) if path.is_boolean() => match text.to_ascii_lowercase().as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ => Json::from(text.as_str()),
        },
        Value::List(values) => values.iter().map(|value| simple(path, value)).collect(),
        other => other.to_json(),
    }
}

fn op(shape: &Shape, verb: &'static str) -> &'static str {
    match (shape.dialect, verb) {
        (Dialect::Entra, verb) => verb,
        (Dialect::Rfc7644, "Add") => "add",
        (Dialect::Rfc7644, "Replace") => "replace",
        (Dialect::Rfc7644, _) => "remove",
    }
}

fn patch(path: &str, operations: Vec<Json>) -> PreparedRequest {
    prepared("PATCH", path.to_owned(), Some(json!({ "schemas": [PATCH], "Operations": operations })))
}

fn prepared(method: &'static str, path: String, body: Option<Json>) -> PreparedRequest {
    PreparedRequest { method: method.into(), path, body }
}

#[cfg(test)]
mod tests;
