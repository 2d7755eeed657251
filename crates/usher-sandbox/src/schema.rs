//! What the application knows: the attributes of users and groups (RFC 7643 §4), as tables that checking,
//! filters, patches and discovery share.

mod discovery;
mod group;
mod user;

pub(crate) use discovery::DISCOVERY_SCHEMAS;

/// Two kinds of resources are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// A person's account.
    User,
    /// A set of users and groups.
    Group,
}

impl Kind {
    /// Both kinds, in the order of discovery answers.
    pub(crate) const ALL: [Kind; 2] = [Kind::User, Kind::Group];

    /// Everything that is fixed about resources of this kind.
    pub(crate) fn definition(self) -> &'static ResourceType {
        match self {
            Kind::User => &user::USER,
            Kind::Group => &group::GROUP,
        }
    }
}

/// A kind of resource with its address and its attributes.
pub(crate) struct ResourceType {
    /// `User` or `Group`.
    pub(crate) name: &'static str,
    /// The last part of the collection's address.
    pub(crate) endpoint: &'static str,
    /// One sentence for discovery.
    pub(crate) description: &'static str,
    /// The schema every resource of this kind has.
    pub(crate) core: Schema,
    /// The schema a resource may have in addition.
    pub(crate) extension: Option<Schema>,
    /// Schema URNs that old clients send and that carry no attributes.
    pub(crate) tolerated: &'static [&'static str],
    /// The attribute no two resources may share, compared without regard to case.
    pub(crate) key: &'static str,
}

impl ResourceType {
    /// Finds an attribute of the core schema or a common one, without regard to case.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(COMMON, name).or_else(|| find(self.core.attributes, name))
    }
}

/// A named set of attributes.
pub(crate) struct Schema {
    /// The identifier on the wire.
    pub(crate) urn: &'static str,
    /// The name people read.
    pub(crate) name: &'static str,
    /// One sentence for discovery.
    pub(crate) description: &'static str,
    /// The attributes, in the order of answers.
    pub(crate) attributes: &'static [Attribute],
}

/// The data type of an attribute's value (RFC 7643 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Characters.
    Text,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A point in time.
    DateTime,
    /// An address or the identifier of something else.
    Reference,
    /// Bytes in base64.
    Binary,
    /// A group of sub-attributes.
    Complex,
}

/// Who may change a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutability {
    /// The client.
    ReadWrite,
    /// The application alone.
    ReadOnly,
    /// The client, once.
    Immutable,
    /// The client, who never sees it again.
    WriteOnly,
}

/// When a value is part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    /// In every answer, whatever was asked for.
    Always,
    /// Unless the client asked otherwise.
    Default,
    /// In no answer.
    Never,
}

/// One attribute or sub-attribute.
#[derive(Clone, Copy)]
pub(crate) struct Attribute {
    /// The name, in the spelling of answers.
    pub(crate) name: &'static str,
    /// One sentence for discovery.
    pub(crate) description: &'static str,
    /// The type of each value.
    pub(crate) kind: Type,
    /// Whether there is a list of values.
    pub(crate) is_multivalued: bool,
    /// Whether a resource cannot be without it.
    pub(crate) is_required: bool,
    /// Whether upper and lower case differ.
    pub(crate) is_case_exact: bool,
    /// Whether no two resources may have the same value.
    pub(crate) is_unique: bool,
    /// Who may change it.
    pub(crate) mutability: Mutability,
    /// When it is part of an answer.
    pub(crate) returned: Returned,
    /// Values that discovery suggests; others are accepted as well.
    pub(crate) suggested: &'static [&'static str],
    /// What a reference may point at, in the words of discovery.
    pub(crate) reference_types: &'static [&'static str],
    /// For a complex attribute whose `value` is the id of another resource: of which kinds.
    pub(crate) links: &'static [Kind],
    /// The parts of a complex attribute.
    pub(crate) parts: &'static [Attribute],
}

impl Attribute {
    /// Finds a sub-attribute without regard to case.
    pub(crate) fn part(&self, name: &str) -> Option<&'static Attribute> {
        find(self.parts, name)
    }

    /// Whether a client's attempt to set it is in vain.
    pub(crate) fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }

    const fn new(name: &'static str, kind: Type, description: &'static str) -> Attribute {
        Attribute {
            name,
            description,
            kind,
            is_multivalued: false,
            is_required: false,
            is_case_exact: false,
            is_unique: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            suggested: &[],
            reference_types: &[],
            links: &[],
            parts: &[],
        }
    }

    const fn text(name: &'static str, description: &'static str) -> Attribute {
        Attribute::new(name, Type::Text, description)
    }

    const fn boolean(name: &'static str, description: &'static str) -> Attribute {
        Attribute::new(name, Type::Boolean, description)
    }

    const fn reference(
        name: &'static str,
        types: &'static [&'static str],
        description: &'static str,
    ) -> Attribute {
        let mut attribute = Attribute::new(name, Type::Reference, description);
        attribute.reference_types = types;
        attribute.is_case_exact = true;
        attribute
    }

    const fn complex(
        name: &'static str,
        parts: &'static [Attribute],
        description: &'static str,
    ) -> Attribute {
        let mut attribute = Attribute::new(name, Type::Complex, description);
        attribute.parts = parts;
        attribute
    }

    const fn many(mut self) -> Attribute {
        self.is_multivalued = true;
        self
    }

    const fn required(mut self) -> Attribute {
        self.is_required = true;
        self
    }

    const fn case_exact(mut self) -> Attribute {
        self.is_case_exact = true;
        self
    }

    const fn unique(mut self) -> Attribute {
        self.is_unique = true;
        self
    }

    const fn read_only(mut self) -> Attribute {
        self.mutability = Mutability::ReadOnly;
        self
    }

    const fn immutable(mut self) -> Attribute {
        self.mutability = Mutability::Immutable;
        self
    }

    const fn secret(mut self) -> Attribute {
        self.mutability = Mutability::WriteOnly;
        self.returned = Returned::Never;
        self
    }

    const fn always(mut self) -> Attribute {
        self.returned = Returned::Always;
        self
    }

    const fn suggesting(mut self, values: &'static [&'static str]) -> Attribute {
        self.suggested = values;
        self
    }

    const fn linking(mut self, kinds: &'static [Kind]) -> Attribute {
        self.links = kinds;
        self
    }
}

/// The attributes every resource has (RFC 7643 §3.1).
pub(crate) const COMMON: &[Attribute] = &[
    Attribute::reference("schemas", &["uri"], "The schemas in use.").many().read_only().always(),
    Attribute::text("id", "The identifier the application gave.").case_exact().unique().read_only().always(),
    Attribute::text("externalId", "The identifier the client gave.").case_exact(),
    Attribute::complex(
        "meta",
        &[
            Attribute::text("resourceType", "The kind of resource.").case_exact().read_only(),
            Attribute::new("created", Type::DateTime, "When it was created.").read_only(),
            Attribute::new("lastModified", Type::DateTime, "When it was last changed.").read_only(),
            Attribute::reference("location", &["uri"], "Where it is read.").read_only(),
            Attribute::text("version", "Its entity tag.").case_exact().read_only(),
        ],
        "What the application knows about the resource itself.",
    )
    .read_only(),
];

fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
