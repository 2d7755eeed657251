//! The schemas of the discovery documents themselves (RFC 7643 §5 to §7).

use super::{Attribute, Schema, Type};

/// The schemas a client may read although no resource of them can be written.
pub(crate) const DISCOVERY_SCHEMAS: &[Schema] = &[
    Schema {
        urn: "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
        name: "ServiceProviderConfig",
        description: "What the application supports.",
        attributes: SERVICE_PROVIDER_CONFIG,
    },
    Schema {
        urn: "urn:ietf:params:scim:schemas:core:2.0:ResourceType",
        name: "ResourceType",
        description: "A kind of resource.",
        attributes: RESOURCE_TYPE,
    },
    Schema {
        urn: "urn:ietf:params:scim:schemas:core:2.0:Schema",
        name: "Schema",
        description: "A named set of attributes.",
        attributes: SCHEMA,
    },
];

const SUPPORTED: Attribute =
    Attribute::boolean("supported", "Whether it is supported.").required().read_only();

const fn count(name: &'static str, description: &'static str) -> Attribute {
    Attribute::new(name, Type::Integer, description).required().read_only()
}

const SERVICE_PROVIDER_CONFIG: &[Attribute] = &[
    Attribute::reference("documentationUri", &["external"], "Where to read more.").read_only(),
    Attribute::complex("patch", &[SUPPORTED], "Partial changes.").required().read_only(),
    Attribute::complex(
        "bulk",
        &[
            SUPPORTED,
            count("maxOperations", "The largest number of operations."),
            count("maxPayloadSize", "The largest size in bytes."),
        ],
        "Several operations in one request.",
    )
    .required()
    .read_only(),
    Attribute::complex(
        "filter",
        &[SUPPORTED, count("maxResults", "The largest number of resources in one answer.")],
        "Filters.",
    )
    .required()
    .read_only(),
    Attribute::complex("changePassword", &[SUPPORTED], "Changing a password.").required().read_only(),
    Attribute::complex("sort", &[SUPPORTED], "Sorting.").required().read_only(),
    Attribute::complex("etag", &[SUPPORTED], "Entity tags.").required().read_only(),
    Attribute::complex(
        "authenticationSchemes",
        &[
            Attribute::text("type", "The way to authenticate.").required().read_only(),
            Attribute::text("name", "Its name.").required().read_only(),
            Attribute::text("description", "What it is.").required().read_only(),
            Attribute::reference("specUri", &["external"], "Where it is defined.").read_only(),
            Attribute::reference("documentationUri", &["external"], "Where to read more.").read_only(),
            Attribute::boolean("primary", "Whether it is the preferred one.").read_only(),
        ],
        "The ways to authenticate.",
    )
    .many()
    .required()
    .read_only(),
];

const RESOURCE_TYPE: &[Attribute] = &[
    Attribute::text("id", "The identifier.").read_only(),
    Attribute::text("name", "The name.").required().read_only(),
    Attribute::text("description", "What the resources are.").read_only(),
    Attribute::reference("endpoint", &["uri"], "The address of the collection.").required().read_only(),
    Attribute::reference("schema", &["uri"], "The schema of the resources.").required().read_only(),
    Attribute::complex(
        "schemaExtensions",
        &[
            Attribute::reference("schema", &["uri"], "The extension.").required().read_only(),
            Attribute::boolean("required", "Whether every resource has it.").required().read_only(),
        ],
        "The extensions of the schema.",
    )
    .many()
    .read_only(),
];

const SCHEMA: &[Attribute] = &[
    Attribute::text("id", "The identifier.").required().read_only(),
    Attribute::text("name", "The name.").required().read_only(),
    Attribute::text("description", "What the attributes are about.").read_only(),
    Attribute::complex("attributes", NESTED, "The attributes.").many().required().read_only(),
];

const NESTED: &[Attribute] = &[
    NAME,
    TYPE,
    MULTI_VALUED,
    DESCRIPTION,
    REQUIRED,
    CANONICAL_VALUES,
    CASE_EXACT,
    MUTABILITY,
    RETURNED,
    UNIQUENESS,
    REFERENCE_TYPES,
    Attribute::complex(
        "subAttributes",
        &[
            NAME,
            TYPE,
            MULTI_VALUED,
            DESCRIPTION,
            REQUIRED,
            CANONICAL_VALUES,
            CASE_EXACT,
            MUTABILITY,
            RETURNED,
            UNIQUENESS,
            REFERENCE_TYPES,
        ],
        "The parts of a complex attribute.",
    )
    .many()
    .read_only(),
];

const NAME: Attribute = Attribute::text("name", "The name.").required().case_exact().read_only();
const TYPE: Attribute = Attribute::text("type", "The data type.")
    .required()
    .suggesting(&["string", "complex", "boolean", "decimal", "integer", "dateTime", "reference", "binary"])
    .read_only();
const MULTI_VALUED: Attribute =
    Attribute::boolean("multiValued", "Whether there is a list of values.").required().read_only();
const DESCRIPTION: Attribute = Attribute::text("description", "What it means.").read_only();
const REQUIRED: Attribute = Attribute::boolean("required", "Whether it must be there.").read_only();
const CANONICAL_VALUES: Attribute =
    Attribute::text("canonicalValues", "Suggested values.").many().read_only();
const CASE_EXACT: Attribute =
    Attribute::boolean("caseExact", "Whether upper and lower case differ.").read_only();
const MUTABILITY: Attribute = Attribute::text("mutability", "Who may change it.")
    .suggesting(&["readOnly", "readWrite", "immutable", "writeOnly"])
    .read_only();
const RETURNED: Attribute = Attribute::text("returned", "When it is part of an answer.")
    .suggesting(&["always", "never", "default", "request"])
    .read_only();
const UNIQUENESS: Attribute = Attribute::text("uniqueness", "Whether two may be equal.")
    .suggesting(&["none", "server", "global"])
    .read_only();
const REFERENCE_TYPES: Attribute =
    Attribute::text("referenceTypes", "What it may point at.").many().read_only();
