//! The user and its enterprise extension (RFC 7643 §4.1 and §4.3).

use super::{Attribute, Kind, ResourceType, Schema, Type};

/// Users.
pub(super) static USER: ResourceType = ResourceType {
    name: "User",
    endpoint: "Users",
    description: "The accounts of people.",
    core: Schema {
        urn: "urn:ietf:params:scim:schemas:core:2.0:User",
        name: "User",
        description: "An account of a person.",
        attributes: ATTRIBUTES,
    },
    extension: Some(Schema {
        urn: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        name: "EnterpriseUser",
        description: "What an employer adds to an account.",
        attributes: ENTERPRISE,
    }),
    tolerated: &[],
    key: "userName",
};

const DISPLAY: Attribute = Attribute::text("display", "The value as people read it.");
const PRIMARY: Attribute = Attribute::boolean("primary", "Whether it is the preferred one.");
const KIND: Attribute = Attribute::text("type", "What it is used for.");

const ATTRIBUTES: &[Attribute] = &[
    Attribute::text("userName", "The name to sign in with.").required().unique(),
    Attribute::complex(
        "name",
        &[
            Attribute::text("formatted", "The whole name."),
            Attribute::text("familyName", "The family name."),
            Attribute::text("givenName", "The given name."),
            Attribute::text("middleName", "The middle names."),
            Attribute::text("honorificPrefix", "The title before the name."),
            Attribute::text("honorificSuffix", "The title after the name."),
        ],
        "The parts of the name.",
    ),
    Attribute::text("displayName", "The name to show."),
    Attribute::text("nickName", "The name friends use."),
    Attribute::reference("profileUrl", &["external"], "The address of a profile page."),
    Attribute::text("title", "The job title."),
    Attribute::text("userType", "The relation to the organization."),
    Attribute::text("preferredLanguage", "The language to speak."),
    Attribute::text("locale", "How to write numbers and dates."),
    Attribute::text("timezone", "The time zone."),
    Attribute::boolean("active", "Whether the account may be used."),
    Attribute::text("password", "The password, which is checked for its type and not kept.")
        .case_exact()
        .secret(),
    Attribute::complex(
        "emails",
        &[
            Attribute::text("value", "The mail address."),
            DISPLAY,
            KIND.suggesting(&["work", "home", "other"]),
            PRIMARY,
        ],
        "Mail addresses.",
    )
    .many(),
    Attribute::complex(
        "phoneNumbers",
        &[
            Attribute::text("value", "The number."),
            DISPLAY,
            KIND.suggesting(&["work", "home", "mobile", "fax", "pager", "other"]),
            PRIMARY,
        ],
        "Telephone numbers.",
    )
    .many(),
    Attribute::complex(
        "ims",
        &[
            Attribute::text("value", "The address of the messenger."),
            DISPLAY,
            KIND.suggesting(&["xmpp", "skype", "sip"]),
            PRIMARY,
        ],
        "Messenger addresses.",
    )
    .many(),
    Attribute::complex(
        "photos",
        &[
            Attribute::reference("value", &["external"], "The address of the picture."),
            DISPLAY,
            KIND.suggesting(&["photo", "thumbnail"]),
            PRIMARY,
        ],
        "Pictures of the person.",
    )
    .many(),
    Attribute::complex(
        "addresses",
        &[
            Attribute::text("formatted", "The whole address."),
            Attribute::text("streetAddress", "Street and number."),
            Attribute::text("locality", "Town."),
            Attribute::text("region", "State or region."),
            Attribute::text("postalCode", "Postal code."),
            Attribute::text("country", "Country."),
            KIND.suggesting(&["work", "home", "other"]),
            PRIMARY,
        ],
        "Postal addresses.",
    )
    .many(),
    Attribute::complex(
        "groups",
        &[
            Attribute::text("value", "The identifier of the group.").read_only(),
            Attribute::reference("$ref", &["Group"], "Where the group is read.").read_only(),
            DISPLAY.read_only(),
            KIND.suggesting(&["direct"]).read_only(),
        ],
        "The groups the user is a direct member of.",
    )
    .many()
    .read_only(),
    Attribute::complex(
        "entitlements",
        &[Attribute::text("value", "The entitlement."), DISPLAY, KIND, PRIMARY],
        "What the person is entitled to.",
    )
    .many(),
    Attribute::complex(
        "roles",
        &[Attribute::text("value", "The role."), DISPLAY, KIND, PRIMARY],
        "What the person may do.",
    )
    .many(),
    Attribute::complex(
        "x509Certificates",
        &[
            Attribute::new("value", Type::Binary, "The certificate in DER, as base64.").case_exact(),
            DISPLAY,
            KIND,
            PRIMARY,
        ],
        "Certificates of the person.",
    )
    .many(),
];

const ENTERPRISE: &[Attribute] = &[
    Attribute::text("employeeNumber", "The number the employer gave."),
    Attribute::text("costCenter", "The cost center."),
    Attribute::text("organization", "The organization."),
    Attribute::text("division", "The division."),
    Attribute::text("department", "The department."),
    Attribute::complex(
        "manager",
        &[
            Attribute::text("value", "The identifier of the manager's account.").case_exact(),
            Attribute::reference("$ref", &["User"], "Where the manager is read."),
            Attribute::text("displayName", "The manager's name.").read_only(),
        ],
        "The person reported to.",
    )
    .linking(&[Kind::User]),
];
