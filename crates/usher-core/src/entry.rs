//! The directory inside: entries, links between them, app role assignments.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{AssignmentId, EntryId};

/// What an entry of the directory inside is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntryKind {
    /// A person's account.
    User,
    /// A group.
    Group,
    /// An application registration.
    Application,
    /// The instance of an application in the tenant.
    ServicePrincipal,
    /// Somebody outside who is in the address book.
    Contact,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::User, Self::Group, Self::Application, Self::ServicePrincipal, Self::Contact];

    /// The Graph type name, such as `servicePrincipal`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Application => "application",
            Self::ServicePrincipal => "servicePrincipal",
            Self::Contact => "orgContact",
        }
    }
}

/// A user, group, application or service principal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The object id.
    pub id: EntryId,
    /// What it is.
    pub kind: EntryKind,
    /// Its properties under their Graph names, without `id`. Properties without value are absent.
    pub properties: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was put into the bin; `None` while it is alive.
    pub deleted_at: Option<Timestamp>,
}

impl Entry {
    /// A property that is a text.
    pub fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property).and_then(Value::as_str)
    }

    /// A property that is true; absent means false.
    pub fn is_true(&self, property: &str) -> bool {
        self.properties.get(property).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The names of the properties that differ from another set, those that only one of them has included.
    pub fn differing_properties(&self, others: &Map<String, Value>) -> BTreeSet<String> {
        let names = self.properties.keys().chain(others.keys());
        names.filter(|name| self.properties.get(*name) != others.get(*name)).cloned().collect()
    }

    /// The values that no two living entries of a kind may share: property and value in lower case.
    pub fn unique_keys(&self) -> Vec<(&'static str, String)> {
        let properties: &[&'static str] = match self.kind {
            EntryKind::User => &["userPrincipalName"],
            EntryKind::Group => &["uniqueName"],
            EntryKind::Application => &["appId", "uniqueName"],
            EntryKind::ServicePrincipal => &["appId"],
            EntryKind::Contact => &[],
        };
        properties
            .iter()
            .filter_map(|property| self.text(property).map(|value| (*property, value.to_lowercase())))
            .collect()
    }
}

/// How one entry is linked to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Relation {
    /// From a group to its member.
    Members,
    /// From a group or application to its owner.
    Owners,
    /// From a user to the manager.
    Manager,
}

impl Relation {
    /// The kinds of entries that such a link may point to; a kind that stands more than once fills the list up.
    pub fn kinds(self) -> [EntryKind; 3] {
        match self {
            Self::Members => [EntryKind::User, EntryKind::Group, EntryKind::ServicePrincipal],
            Self::Owners => [EntryKind::User, EntryKind::ServicePrincipal, EntryKind::User],
            Self::Manager => [EntryKind::User; 3],
        }
    }

    /// The Graph navigation property.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Owners => "owners",
            Self::Manager => "manager",
        }
    }
}

/// A link between two entries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// The entry that holds the reference.
    pub from: EntryId,
    /// The kind of reference.
    pub relation: Relation,
    /// The entry referred to.
    pub to: EntryId,
}

/// The assignment of a user or group to an application, with a role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppRoleAssignment {
    /// Identifies the assignment.
    pub id: AssignmentId,
    /// Who is assigned.
    pub principal_id: EntryId,
    /// What `principal_id` is: user, group or service principal.
    pub principal_kind: EntryKind,
    /// The service principal of the application.
    pub resource_id: EntryId,
    /// The role; all zeros is the default role.
    pub app_role_id: String,
    /// When it was made.
    pub created_at: Timestamp,
}
