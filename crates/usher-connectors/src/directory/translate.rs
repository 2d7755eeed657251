//! Between the attribute names of synchronization schemas, which stem from Azure AD Graph, and the Microsoft Graph
//! properties under which the directory inside keeps its values.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind};
use usher_core::{Entry, EntryKind, Relation};
use usher_expr::Value;

/// Names of schemas that are called otherwise in Graph. The last four are those of Active Directory to Entra ID.
const RENAMED: &[(&str, &str)] = &[
    ("mobile", "mobilePhone"),
    ("telephoneNumber", "businessPhones[0]"),
    ("physicalDeliveryOfficeName", "officeLocation"),
    ("facsimileTelephoneNumber", "faxNumber"),
    ("dirSyncEnabled", "onPremisesSyncEnabled"),
    ("immutableId", "onPremisesImmutableId"),
    ("sipProxyAddress", "imAddresses[0]"),
    ("sourceAnchor", "onPremisesImmutableId"),
    ("alias", "mailNickname"),
    ("company", "companyName"),
    ("title", "jobTitle"),
];

/// Graph properties that are truth values.
const BOOLEANS: &[&str] = &[
    "accountEnabled",
    "hideFromAddressLists",
    "hideFromOutlookClients",
    "isAssignableToRole",
    "isResourceAccount",
    "mailEnabled",
    "onPremisesSyncEnabled",
    "securityEnabled",
    "showInAddressList",
];

/// Graph properties that are instants.
const INSTANTS: &[&str] = &[
    "birthday",
    "employeeHireDate",
    "employeeLeaveDateTime",
    "expirationDateTime",
    "externalUserStateChangeDateTime",
    "hireDate",
    "onPremisesLastSyncDateTime",
    "renewedDateTime",
];

/// Graph properties that are lists of texts.
const LISTS: &[&str] = &[
    "businessPhones",
    "groupTypes",
    "imAddresses",
    "interests",
    "otherMails",
    "pastProjects",
    "proxyAddresses",
    "resourceBehaviorOptions",
    "resourceProvisioningOptions",
    "responsibilities",
    "schools",
    "skills",
];

/// Graph properties that are one text.
const TEXTS: &[&str] = &[
    "aboutMe",
    "ageGroup",
    "city",
    "classification",
    "companyName",
    "consentProvidedForMinor",
    "country",
    "creationType",
    "department",
    "description",
    "displayName",
    "employeeId",
    "employeeType",
    "externalUserState",
    "faxNumber",
    "givenName",
    "jobTitle",
    "mail",
    "mailNickname",
    "membershipRule",
    "membershipRuleProcessingState",
    "mobilePhone",
    "mySite",
    "officeLocation",
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesImmutableId",
    "onPremisesNetBiosName",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesUserPrincipalName",
    "postalCode",
    "preferredDataLocation",
    "preferredLanguage",
    "preferredName",
    "securityIdentifier",
    "state",
    "streetAddress",
    "surname",
    "theme",
    "uniqueName",
    "usageLocation",
    "userPrincipalName",
    "userType",
    "visibility",
];

/// The fifteen attributes for everything else, which Graph keeps together in one property.
const EXTENSIONS: &str = "onPremisesExtensionAttributes";

/// Where the value of an attribute is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The object id.
    Id,
    /// A property.
    Property(SmolStr),
    /// The only value of a property that is a list.
    First(SmolStr),
    /// A member of a property that is an object.
    Member(SmolStr, SmolStr),
    /// Links to other entries.
    Link(Relation),
    /// Computed: in the bin, or switched off.
    IsSoftDeleted,
    /// Computed: the roles in the application on whose behalf is read.
    AppRoleAssignments,
    /// Computed: a guest's name as the directory keeps it.
    OriginalUserPrincipalName,
    /// When the entry was made.
    CreatedAt,
    /// Taken, but not kept: nobody signs in here.
    Password,
    /// The name is known, but the directory has no place for it.
    Nowhere,
}

/// What values an attribute takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Boolean,
    Instant,
    List,
    /// Any: the attribute is not one of Graph's own.
    Any,
}

/// An attribute of a schema, found in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) place: Place,
    pub(crate) shape: Shape,
}

/// The kind that an object's name in the schema stands for.
pub(crate) fn kind(object_type: &str) -> Result<EntryKind, ConnectorError> {
    [EntryKind::User, EntryKind::Group, EntryKind::ServicePrincipal, EntryKind::Application]
        .into_iter()
        .find(|kind| kind.as_str().eq_ignore_ascii_case(object_type))
        .or_else(|| object_type.eq_ignore_ascii_case("Contact").then_some(EntryKind::Contact))
        .ok_or_else(|| {
            ConnectorError::new(
                ConnectorErrorKind::Unsupported,
                "NotImplemented",
                format!("the directory inside has users, groups and contacts, but no '{object_type}'"),
            )
        })
}

/// Where the directory keeps an attribute. Names are compared without regard to case; one that is not known stands for
/// a property of that name.
pub(crate) fn attribute(name: &str) -> Attribute {
    let computed = |place| Attribute { place, shape: Shape::Text };
    match name.to_ascii_lowercase().as_str() {
        "objectid" | "id" => return computed(Place::Id),
        "issoftdeleted" => return computed(Place::IsSoftDeleted),
        "approleassignments" => return computed(Place::AppRoleAssignments),
        "originaluserprincipalname" => return computed(Place::OriginalUserPrincipalName),
        "createddatetime" => return computed(Place::CreatedAt),
        "passwordprofile.password" | "password" => return computed(Place::Password),
        "manager" => return computed(Place::Link(Relation::Manager)),
        "members" | "member" => return computed(Place::Link(Relation::Members)),
        "owners" | "owner" => return computed(Place::Link(Relation::Owners)),
        "assistant" | "photo" | "thumbnailphoto" => return computed(Place::Nowhere),
        _ => {}
    }
    if let Some(number) = extension_number(name) {
        let member = smol_str::format_smolstr!("extensionAttribute{number}");
        return Attribute { place: Place::Member(EXTENSIONS.into(), member), shape: Shape::Text };
    }
    let graph = RENAMED
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map_or(name, |(_, property)| *property);
    if let Some(list) = graph.strip_suffix("[0]") {
        return Attribute { place: Place::First(property(list).0), shape: Shape::Text };
    }
    // Directory extensions and schema URNs may hold points that are part of the name.
    if let Some((object, member)) = graph.split_once('.').filter(|_| !graph.contains(':')) {
        let object =
            if object.eq_ignore_ascii_case(EXTENSIONS) { EXTENSIONS.into() } else { property(object).0 };
        return Attribute { place: Place::Member(object, member.into()), shape: Shape::Text };
    }
    let (property, shape) = property(graph);
    Attribute { place: Place::Property(property), shape }
}

/// A property's own spelling and shape. Properties outside Graph's list begin with a small letter, as Graph's do, so
/// that two schemas with different spellings mean the same one; names of directory extensions keep theirs.
fn property(name: &str) -> (SmolStr, Shape) {
    let tables =
        [(TEXTS, Shape::Text), (BOOLEANS, Shape::Boolean), (LISTS, Shape::List), (INSTANTS, Shape::Instant)];
    for (table, shape) in tables {
        if let Some(known) = table.iter().find(|known| known.eq_ignore_ascii_case(name)) {
            return (SmolStr::new_static(known), shape);
        }
    }
    let mut letters = name.chars();
    let spelled = match letters.next() {
        Some(first) if !name.starts_with("extension_") => {
            first.to_lowercase().chain(letters).collect::<SmolStr>()
        }
        _ => name.into(),
    };
    (spelled, Shape::Any)
}

fn extension_number(name: &str) -> Option<u8> {
    const PREFIX: &str = "extensionAttribute";
    let number = name
        .get(..PREFIX.len())
        .filter(|start| start.eq_ignore_ascii_case(PREFIX))
        .map(|_| &name[PREFIX.len()..])?;
    number.parse().ok().filter(|number| (1..=15).contains(number))
}

/// The value of an attribute that the entry itself holds; null for links, roles and what is not kept.
pub(crate) fn read(entry: &Entry, place: &Place) -> Value {
    match place {
        Place::Id => Value::text(entry.id.as_str()),
        Place::Property(property) => entry.properties.get(property.as_str()).map_or(Value::Null, value),
        Place::First(property) => match entry.properties.get(property.as_str()) {
            Some(Json::Array(values)) => values.first().map_or(Value::Null, value),
            Some(other) => value(other),
            None => Value::Null,
        },
        Place::Member(property, member) => {
            let members = entry.properties.get(property.as_str()).and_then(Json::as_object);
            let found = members.and_then(|members| {
                members.iter().find(|(known, _)| known.eq_ignore_ascii_case(member)).map(|(_, found)| found)
            });
            found.map_or(Value::Null, value)
        }
        Place::IsSoftDeleted => truth(is_soft_deleted(entry)),
        Place::OriginalUserPrincipalName => entry
            .text("userPrincipalName")
            .filter(|name| guest_name(name).is_some())
            .map_or(Value::Null, Value::text),
        Place::CreatedAt => Value::text(entry.created_at.to_string()),
        Place::Link(_) | Place::AppRoleAssignments | Place::Password | Place::Nowhere => Value::Null,
    }
}

/// The value of an attribute as provisioning imports it: guests go by the name that they have at home.
pub(crate) fn import(entry: &Entry, place: &Place) -> Value {
    let value = read(entry, place);
    match (place, &value) {
        (Place::Property(property), Value::Text(name)) if property == "userPrincipalName" => {
            guest_name(name).map_or(value, Value::from)
        }
        _ => value,
    }
}

/// Whether the account is to be switched off: in the bin, or switched off here.
fn is_soft_deleted(entry: &Entry) -> bool {
    entry.deleted_at.is_some()
        || entry.properties.get("accountEnabled").and_then(Json::as_bool) == Some(false)
}

/// `adele_home.example#EXT#@tenant.example` is `adele@home.example` at home.
fn guest_name(name: &str) -> Option<String> {
    let marker = name.to_ascii_uppercase().find("#EXT#@")?;
    let (alias, domain) = name[..marker].rsplit_once('_')?;
    (!alias.is_empty() && !domain.is_empty()).then(|| format!("{alias}@{domain}"))
}

/// A property's value as expressions see it. Truth values are texts, as Entra sources give them; nothing is null.
fn value(json: &Json) -> Value {
    match json {
        Json::Bool(value) => truth(*value),
        Json::Array(values) if values.is_empty() => Value::Null,
        Json::Array(values) => Value::list(values.iter().map(value)),
        other => Value::from_json(other),
    }
}

fn truth(value: bool) -> Value {
    Value::text(if value { "True" } else { "False" })
}

/// A value as the property of this shape takes it, or what it should have been.
pub(crate) fn json(shape: Shape, value: &Value) -> Result<Json, &'static str> {
    match (shape, value) {
        (Shape::Any, Value::DateTime(instant)) => Ok(Json::from(instant.to_string())),
        (Shape::Any, other) => Ok(other.to_json()),
        (_, Value::Object(_)) => Err("a plain value"),
        (Shape::Boolean, other) => match other.to_text().to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Json::Bool(true)),
            "false" | "0" => Ok(Json::Bool(false)),
            _ => Err("True or False"),
        },
        (Shape::Instant, Value::DateTime(instant)) => Ok(Json::from(instant.to_string())),
        (Shape::Instant, other) => instant(&other.to_text())
            .map(|instant| Json::from(instant.to_string()))
            .ok_or("a date and time (ISO 8601)"),
        (Shape::Text | Shape::List, Value::DateTime(instant)) => Ok(Json::from(instant.to_string())),
        (Shape::Text | Shape::List, other) => Ok(Json::from(other.to_text().as_str())),
    }
}

/// An instant in ISO 8601; without an offset it is UTC, without a time the beginning of the day.
fn instant(text: &str) -> Option<Timestamp> {
    let utc = |civil: DateTime| TimeZone::UTC.to_timestamp(civil).ok();
    let text = text.trim();
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(utc))
        .or_else(|| text.parse::<Date>().ok().and_then(|date| utc(date.into())))
}
