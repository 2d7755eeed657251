//! Which properties Microsoft Graph has for users and groups, and which of them it lets others write.

use smol_str::SmolStr;
use usher_core::EntryKind;
use usher_core::schema::ObjectDefinition;

use crate::directory::translate::{self, Place};

/// Whether a property can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Write,
    Read,
}

use Access::{Read, Write};

const USER: &[(&str, Access)] = &[
    ("accountEnabled", Write),
    ("ageGroup", Write),
    ("businessPhones", Write),
    ("city", Write),
    ("companyName", Write),
    ("consentProvidedForMinor", Write),
    ("country", Write),
    ("createdDateTime", Read),
    ("creationType", Read),
    ("deletedDateTime", Read),
    ("department", Write),
    ("displayName", Write),
    ("employeeHireDate", Write),
    ("employeeId", Write),
    ("employeeLeaveDateTime", Write),
    ("employeeOrgData", Write),
    ("employeeType", Write),
    ("externalUserState", Read),
    ("externalUserStateChangeDateTime", Read),
    ("faxNumber", Write),
    ("givenName", Write),
    ("identities", Write),
    ("imAddresses", Read),
    ("isResourceAccount", Read),
    ("jobTitle", Write),
    ("lastPasswordChangeDateTime", Read),
    ("legalAgeGroupClassification", Read),
    ("mail", Write),
    ("mailNickname", Write),
    ("mobilePhone", Write),
    ("officeLocation", Write),
    ("onPremisesDistinguishedName", Read),
    ("onPremisesDomainName", Read),
    ("onPremisesExtensionAttributes", Write),
    ("onPremisesImmutableId", Write),
    ("onPremisesLastSyncDateTime", Read),
    ("onPremisesSamAccountName", Read),
    ("onPremisesSecurityIdentifier", Read),
    ("onPremisesSyncEnabled", Read),
    ("onPremisesUserPrincipalName", Read),
    ("otherMails", Write),
    ("passwordPolicies", Write),
    ("postalCode", Write),
    ("preferredDataLocation", Write),
    ("preferredLanguage", Write),
    ("proxyAddresses", Read),
    ("securityIdentifier", Read),
    ("showInAddressList", Write),
    ("signInSessionsValidFromDateTime", Read),
    ("state", Write),
    ("streetAddress", Write),
    ("surname", Write),
    ("usageLocation", Write),
    ("userPrincipalName", Write),
    ("userType", Write),
];

const GROUP: &[(&str, Access)] = &[
    ("classification", Write),
    ("createdDateTime", Read),
    ("deletedDateTime", Read),
    ("description", Write),
    ("displayName", Write),
    ("expirationDateTime", Read),
    ("groupTypes", Write),
    ("isAssignableToRole", Write),
    ("mail", Read),
    ("mailEnabled", Write),
    ("mailNickname", Write),
    ("membershipRule", Write),
    ("membershipRuleProcessingState", Write),
    ("onPremisesDomainName", Read),
    ("onPremisesLastSyncDateTime", Read),
    ("onPremisesNetBiosName", Read),
    ("onPremisesSamAccountName", Read),
    ("onPremisesSecurityIdentifier", Read),
    ("onPremisesSyncEnabled", Read),
    ("preferredDataLocation", Write),
    ("preferredLanguage", Write),
    ("proxyAddresses", Read),
    ("renewedDateTime", Read),
    ("resourceBehaviorOptions", Write),
    ("resourceProvisioningOptions", Write),
    ("securityEnabled", Write),
    ("securityIdentifier", Read),
    ("theme", Write),
    ("uniqueName", Write),
    ("visibility", Write),
];

/// Users are found by these without an advanced query (Microsoft Graph, "Advanced query capabilities", `eq`).
const USER_FOUND: &[&str] = &[
    "accountEnabled",
    "ageGroup",
    "city",
    "consentProvidedForMinor",
    "country",
    "createdDateTime",
    "creationType",
    "department",
    "displayName",
    "employeeId",
    "externalUserState",
    "givenName",
    "id",
    "imAddresses",
    "isResourceAccount",
    "jobTitle",
    "mail",
    "mailNickname",
    "onPremisesImmutableId",
    "onPremisesLastSyncDateTime",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "otherMails",
    "proxyAddresses",
    "state",
    "surname",
    "usageLocation",
    "userPrincipalName",
    "userType",
];

/// And groups by these.
const GROUP_FOUND: &[&str] = &[
    "classification",
    "displayName",
    "id",
    "isAssignableToRole",
    "mail",
    "mailEnabled",
    "mailNickname",
    "membershipRule",
    "membershipRuleProcessingState",
    "onPremisesLastSyncDateTime",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "proxyAddresses",
    "renewedDateTime",
    "resourceBehaviorOptions",
    "resourceProvisioningOptions",
    "securityEnabled",
    "uniqueName",
];

/// Whether objects are found by a property without an advanced query. Of what Microsoft does not list, advanced queries
/// know more.
pub(super) fn finds_at_once(kind: EntryKind, property: &str) -> bool {
    let found = if kind == EntryKind::Group { GROUP_FOUND } else { USER_FOUND };
    is_extension(property) || found.contains(&property)
}

/// Kept by SharePoint: not told by lists or deltas, and 501 where it is selected there.
const OUTSIDE: &[&str] = &[
    "aboutMe",
    "birthday",
    "hireDate",
    "interests",
    "mySite",
    "pastProjects",
    "preferredName",
    "responsibilities",
    "schools",
    "skills",
];

fn table(kind: EntryKind) -> &'static [(&'static str, Access)] {
    if kind == EntryKind::Group { GROUP } else { USER }
}

fn access(kind: EntryKind, property: &str) -> Option<Access> {
    if is_extension(property) {
        return Some(Write);
    }
    table(kind).iter().find(|(known, _)| *known == property).map(|(_, access)| *access)
}

/// Directory extensions are properties like others, named after the application that made them.
fn is_extension(property: &str) -> bool {
    property.starts_with("extension_")
}

/// The property that has to be selected to read an attribute; `None` when Graph has none.
pub(super) fn selected(kind: EntryKind, place: &Place) -> Option<SmolStr> {
    let property = match place {
        Place::Id => return Some("id".into()),
        Place::Property(property) | Place::First(property) | Place::Member(property, _) => property.clone(),
        Place::IsSoftDeleted => "accountEnabled".into(),
        Place::OriginalUserPrincipalName => "userPrincipalName".into(),
        Place::CreatedAt => "createdDateTime".into(),
        Place::Link(_) | Place::AppRoleAssignments | Place::Password | Place::Nowhere => return None,
    };
    access(kind, &property).map(|_| property)
}

/// The properties whose changes matter: those that stand behind the attributes of a schema's object, or all that
/// somebody writes.
pub(super) fn told(kind: EntryKind, schema: Option<&ObjectDefinition>) -> Vec<SmolStr> {
    let mut told: Vec<SmolStr> = Vec::new();
    let mut add = |property: SmolStr| {
        if !matches!(property.as_str(), "id" | "createdDateTime" | "deletedDateTime")
            && !told.contains(&property)
        {
            told.push(property);
        }
    };
    match schema {
        Some(schema) => {
            let places =
                schema.attributes.iter().map(|attribute| translate::attribute(&attribute.name).place);
            places.filter_map(|place| selected(kind, &place)).for_each(&mut add);
        }
        None => table(kind)
            .iter()
            .filter(|(_, access)| *access == Write)
            .for_each(|(name, _)| add(SmolStr::new_static(name))),
    }
    // Switched off is what deprovisioning is about.
    add(if kind == EntryKind::Group { "displayName".into() } else { "accountEnabled".into() });
    told
}

/// Why an attribute cannot be written; `None` when it can.
pub(super) fn obstacle(kind: EntryKind, place: &Place) -> Option<&'static str> {
    match place {
        Place::Password | Place::Link(_) => None,
        Place::Id
        | Place::IsSoftDeleted
        | Place::AppRoleAssignments
        | Place::OriginalUserPrincipalName
        | Place::CreatedAt => Some("it is read-only"),
        Place::Nowhere => Some("Microsoft Graph takes it through another door than that of users and groups"),
        Place::Property(property) | Place::First(property) | Place::Member(property, _) => {
            match access(kind, property) {
                Some(Write) => None,
                Some(Read) => Some("Microsoft Graph does not let applications write it"),
                None if OUTSIDE.contains(&property.as_str()) => {
                    Some("it is kept by SharePoint, and an application may not write it")
                }
                None => Some("Microsoft Graph has no such property for this kind of object"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::translate::attribute;

    #[test]
    fn names_of_schemas_are_selected_under_the_names_of_graph() {
        let select = |name: &str| selected(EntryKind::User, &attribute(name).place);
        assert_eq!(select("mobile").as_deref(), Some("mobilePhone"));
        assert_eq!(select("telephoneNumber").as_deref(), Some("businessPhones"));
        assert_eq!(select("extensionAttribute7").as_deref(), Some("onPremisesExtensionAttributes"));
        assert_eq!(select("IsSoftDeleted").as_deref(), Some("accountEnabled"));
        assert_eq!(select("extension_0123_costCenter").as_deref(), Some("extension_0123_costCenter"));
        assert_eq!(select("MSExchRecipientTypeDetails"), None);
        assert_eq!(select("aboutMe"), None, "a list with it would be refused");
    }

    #[test]
    fn what_graph_does_not_take_is_known_before_it_is_sent() {
        let obstacle = |kind, name: &str| obstacle(kind, &attribute(name).place);
        assert_eq!(obstacle(EntryKind::User, "Title"), None);
        assert_eq!(obstacle(EntryKind::User, "SourceAnchor"), None);
        assert!(obstacle(EntryKind::User, "proxyAddresses").is_some());
        assert!(obstacle(EntryKind::User, "OnPremisesSamAccountName").is_some());
        assert!(obstacle(EntryKind::User, "ThumbnailPhoto").is_some());
        assert!(obstacle(EntryKind::Group, "jobTitle").is_some());
        assert!(obstacle(EntryKind::User, "LegacyExchangeDN").is_some());
    }
}
