//! The group (RFC 7643 §4.2).

use super::{Attribute, Kind, ResourceType, Schema};

/// Groups.
pub(super) static GROUP: ResourceType = ResourceType {
    name: "Group",
    endpoint: "Groups",
    description: "Sets of users and groups.",
    core: Schema {
        urn: "urn:ietf:params:scim:schemas:core:2.0:Group",
        name: "Group",
        description: "A set of users and groups.",
        attributes: ATTRIBUTES,
    },
    extension: None,
    tolerated: &["http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
    key: "displayName",
};

const ATTRIBUTES: &[Attribute] = &[
    Attribute::text("displayName", "The name of the group.").required().unique(),
    Attribute::complex(
        "members",
        &[
            Attribute::text("value", "The identifier of the member.").case_exact().immutable(),
            Attribute::reference("$ref", &["User", "Group"], "Where the member is read.").immutable(),
            Attribute::text("type", "The kind of the member.").suggesting(&["User", "Group"]).immutable(),
        ],
        "Who belongs to the group.",
    )
    .many()
    .linking(&[Kind::User, Kind::Group]),
];
