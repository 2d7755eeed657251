//! The directory's objects and attributes, under the names that synchronization schemas use.

use usher_core::EntryKind;
use usher_core::ports::{EntryQuery, Store, StoreError};
use usher_core::schema::{
    AttributeDefinition, AttributeType, DirectoryDefinition, Mutability, ObjectDefinition,
};

use super::translate::{self, Place, Shape};

/// The directory's name in schemas.
const NAME: &str = "Azure Active Directory";
/// How many entries are looked at for directory extensions.
const SAMPLE: usize = 500;

const USER: &[&str] = &[
    "objectId",
    "IsSoftDeleted",
    "accountEnabled",
    "appRoleAssignments",
    "city",
    "companyName",
    "country",
    "creationType",
    "department",
    "dirSyncEnabled",
    "displayName",
    "employeeHireDate",
    "employeeId",
    "employeeLeaveDateTime",
    "employeeOrgData.costCenter",
    "employeeOrgData.division",
    "employeeType",
    "extensionAttribute1",
    "extensionAttribute2",
    "extensionAttribute3",
    "extensionAttribute4",
    "extensionAttribute5",
    "extensionAttribute6",
    "extensionAttribute7",
    "extensionAttribute8",
    "extensionAttribute9",
    "extensionAttribute10",
    "extensionAttribute11",
    "extensionAttribute12",
    "extensionAttribute13",
    "extensionAttribute14",
    "extensionAttribute15",
    "facsimileTelephoneNumber",
    "givenName",
    "immutableId",
    "jobTitle",
    "mail",
    "mailNickname",
    "manager",
    "mobile",
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesUserPrincipalName",
    "originalUserPrincipalName",
    "otherMails",
    "passwordProfile.password",
    "physicalDeliveryOfficeName",
    "postalCode",
    "preferredLanguage",
    "proxyAddresses",
    "showInAddressList",
    "sipProxyAddress",
    "state",
    "streetAddress",
    "surname",
    "telephoneNumber",
    "usageLocation",
    "userPrincipalName",
    "userType",
];

const GROUP: &[&str] = &[
    "objectId",
    "description",
    "dirSyncEnabled",
    "displayName",
    "mail",
    "mailEnabled",
    "mailNickname",
    "members",
    "owners",
    "proxyAddresses",
    "securityEnabled",
];

/// Users and groups with Graph's attributes, and with extensions: name and the kinds that have it.
pub(crate) fn definition_of(extensions: &[(String, Vec<String>)]) -> DirectoryDefinition {
    let object = |name: &str, names: &[&str]| {
        let own = extensions.iter().filter(|(_, kinds)| kinds.iter().any(|kind| kind == name));
        let attributes = names.iter().copied().chain(own.map(|(name, _)| name.as_str())).map(definition);
        ObjectDefinition { name: name.to_owned(), attributes: attributes.collect(), metadata: Vec::new() }
    };
    DirectoryDefinition {
        id: None,
        name: NAME.to_owned(),
        objects: vec![object("User", USER), object("Group", GROUP)],
    }
}

/// What the directory has. Directory extensions are found where entries have a value for them.
pub(super) async fn discover(store: &dyn Store) -> Result<DirectoryDefinition, StoreError> {
    let mut objects = Vec::new();
    for (kind, name, names) in [(EntryKind::User, "User", USER), (EntryKind::Group, "Group", GROUP)] {
        let mut attributes: Vec<AttributeDefinition> = names.iter().map(|name| definition(name)).collect();
        attributes.extend(extensions(store, kind).await?.iter().map(|name| definition(name)));
        objects.push(ObjectDefinition { name: name.to_owned(), attributes, metadata: Vec::new() });
    }
    Ok(DirectoryDefinition { id: None, name: NAME.to_owned(), objects })
}

async fn extensions(store: &dyn Store, kind: EntryKind) -> Result<Vec<String>, StoreError> {
    let query = EntryQuery { kind, deleted: false, after: None, limit: SAMPLE, equals: None };
    let mut names: Vec<String> = store
        .entries(&query)
        .await?
        .iter()
        .flat_map(|entry| entry.properties.keys())
        .filter(|name| name.starts_with("extension_"))
        .cloned()
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

fn definition(name: &str) -> AttributeDefinition {
    let attribute = translate::attribute(name);
    let is_exact = name.starts_with("extension_");
    let (value_type, multivalued, referenced): (_, _, &[&str]) = match (&attribute.place, attribute.shape) {
        (Place::Link(usher_core::Relation::Manager), _) => (AttributeType::Reference, false, &["User"]),
        (Place::Link(usher_core::Relation::Owners), _) => (AttributeType::Reference, true, &["User"]),
        (Place::Link(usher_core::Relation::Members), _) => {
            (AttributeType::Reference, true, &["User", "Group"])
        }
        (Place::AppRoleAssignments, _) => (AttributeType::String, true, &[]),
        (Place::IsSoftDeleted, _) | (_, Shape::Boolean) => (AttributeType::Boolean, false, &[]),
        (_, Shape::Instant) => (AttributeType::DateTime, false, &[]),
        (_, Shape::List) => (AttributeType::String, true, &[]),
        (_, Shape::Text | Shape::Any) => (AttributeType::String, false, &[]),
    };
    let mutability = match attribute.place {
        Place::Id | Place::IsSoftDeleted | Place::AppRoleAssignments | Place::OriginalUserPrincipalName => {
            Mutability::ReadOnly
        }
        Place::Password => Mutability::WriteOnly,
        _ => Mutability::ReadWrite,
    };
    AttributeDefinition {
        name: name.to_owned(),
        value_type,
        anchor: attribute.place == Place::Id,
        case_exact: is_exact,
        multivalued,
        required: matches!(name, "displayName" | "userPrincipalName"),
        mutability,
        referenced_objects: referenced.iter().map(|name| (*name).to_owned()).collect(),
        ..AttributeDefinition::default()
    }
}
