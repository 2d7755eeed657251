//! The parameters of the cmdlets: one record each. Binding, help and prompts all read this table.

use usher_engine::cases::directory::Kind as PropertyKind;
use usher_server::{Form, Gives, Members, Type};

use super::cmdlets::{Cmdlet, Set, lasting, model_name};
use super::names::capital;

/// Parameter sets of a cmdlet, as bits: more than one can still be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sets(u16);

impl Sets {
    /// No set.
    pub const NONE: Self = Self(0);
    /// Every set.
    pub const ALL: Self = Self(u16::MAX);

    /// The set at a place of the cmdlet's list; a cmdlet has a handful.
    pub const fn at(place: usize) -> Self {
        Self(1 << place)
    }

    /// The sets in both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of the other sets are in this.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether none is left.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The places of the sets in the cmdlet's list.
    pub fn places(self) -> impl Iterator<Item = usize> {
        (0..16).filter(move |place| self.0 & (1 << place) != 0)
    }

    /// The sets one by one.
    pub fn each(self) -> impl Iterator<Item = Self> {
        self.places().map(Self::at)
    }
}

impl FromIterator<Sets> for Sets {
    fn from_iter<I: IntoIterator<Item = Sets>>(all: I) -> Self {
        Self(all.into_iter().fold(0, |bits, set| bits | set.0))
    }
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, as it stands.
    Text,
    /// An instant: a text, or a date of a script.
    Instant,
    /// A list of texts.
    Texts,
    /// The whole body.
    Body,
    /// A list of hashtables.
    Tables,
    /// A hashtable.
    Table,
    /// An identity: a hashtable with the ids of the path.
    Identity,
    /// Header names and values.
    Dictionary,
    /// Given or not.
    Switch,
    /// An address.
    Uri,
    /// A user name and a password.
    Credential,
    /// Code around the HTTP call; there is none to give.
    Steps,
    /// What to do with messages of a kind.
    Action,
    /// A count.
    Count,
    /// The name of a variable, without `$`.
    VariableName,
}

impl Kind {
    /// Whether an argument of this kind is written as a literal, JSON or `@file`.
    pub fn is_literal(self) -> bool {
        matches!(
            self,
            Self::Body
                | Self::Tables
                | Self::Table
                | Self::Identity
                | Self::Dictionary
                | Self::Credential
                | Self::Steps
        )
    }
}

/// Who brought the parameter: the cmdlet itself wins over the others when a shortened name is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The cmdlet.
    Declared,
    /// `-WhatIf` and `-Confirm`.
    ShouldProcess,
    /// Every cmdlet has it.
    Common,
}

/// A parameter of a cmdlet.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it takes.
    pub kind: Kind,
    /// The sets it is part of.
    pub sets: Sets,
    /// The sets that cannot do without it.
    pub mandatory: Sets,
    /// Whether a pipeline item can be its value.
    pub from_pipeline: bool,
    /// Who brought it.
    pub origin: Origin,
    /// What it is for.
    pub summary: &'static str,
    /// The member of the body that it sets; empty when it sets none.
    pub member: &'static str,
    /// The type of its tables, where that is known.
    pub of: Option<&'static Type>,
}

impl Parameter {
    /// The .NET name of its type.
    pub fn type_name(&self, cmdlet: &Cmdlet) -> String {
        let table = || {
            self.of.map_or_else(|| "System.Collections.Hashtable".into(), |of| cmdlet.model(&model_name(of)))
        };
        match self.kind {
            Kind::Text | Kind::VariableName => "System.String".into(),
            Kind::Texts => "System.String[]".into(),
            Kind::Instant => "System.DateTime".into(),
            Kind::Body => cmdlet.model(&cmdlet.body_type()),
            Kind::Tables => format!("{}[]", table()),
            Kind::Table => table(),
            Kind::Identity => cmdlet.model(&format!("I{}", cmdlet.identity())),
            Kind::Dictionary => "System.Collections.IDictionary".into(),
            Kind::Switch => "System.Management.Automation.SwitchParameter".into(),
            Kind::Uri => "System.Uri".into(),
            Kind::Credential => "System.Management.Automation.PSCredential".into(),
            Kind::Steps => format!("{}.Runtime.SendAsyncStep[]", cmdlet.namespace),
            Kind::Action => "System.Management.Automation.ActionPreference".into(),
            Kind::Count => "System.Int32".into(),
        }
    }

    /// The last part of the type's name, as help shows it.
    pub fn short_type_name(&self, cmdlet: &Cmdlet) -> String {
        let full = self.type_name(cmdlet);
        full.rsplit('.').next().unwrap_or(&full).to_owned()
    }
}

const DECLARED: Parameter = Parameter {
    name: "",
    aliases: &[],
    kind: Kind::Text,
    sets: Sets::ALL,
    mandatory: Sets::NONE,
    from_pipeline: false,
    origin: Origin::Declared,
    summary: "",
    member: "",
    of: None,
};
const COMMON: Parameter = Parameter { origin: Origin::Common, kind: Kind::Action, ..DECLARED };
const NAME: Parameter = Parameter { kind: Kind::VariableName, ..COMMON };

/// The parameters of a cmdlet: its own by alphabet, then the others.
pub fn parameters(cmdlet: &Cmdlet) -> Vec<Parameter> {
    let mut table = ids(cmdlet);
    let taken: Vec<&str> = table.iter().map(|parameter| parameter.name).collect();
    if cmdlet.takes().is_some() {
        let members = members(cmdlet, &taken);
        table.extend(body(cmdlet));
        table.extend(members);
    }
    table.extend(query(cmdlet));
    let gives = cmdlet.operation().gives;
    if matches!(gives, Gives::Nothing | Gives::Accepted) {
        table.push(Parameter {
            name: "PassThru",
            kind: Kind::Switch,
            summary: "Gives True when it is done.",
            ..DECLARED
        });
    }
    if matches!(gives, Gives::Content) {
        table.push(Parameter {
            name: "OutFile",
            mandatory: Sets::ALL,
            summary: "The file to write the content to.",
            ..DECLARED
        });
    }
    if takes_content(cmdlet) {
        table.push(Parameter {
            name: "InFile",
            mandatory: Sets::ALL,
            summary: "The file with the content.",
            ..DECLARED
        });
    }
    table.extend(CONNECTION);
    table.sort_by_key(|parameter| parameter.name);
    let has_questions = !cmdlet.only_reads();
    table.extend(OTHERS.into_iter().filter(|other| has_questions || other.origin != Origin::ShouldProcess));
    table
}

/// Whether what it sends is a file, not a body with members.
pub fn takes_content(cmdlet: &Cmdlet) -> bool {
    let operation = cmdlet.operation();
    operation.method == "PUT" && operation.path.ends_with("/$value")
}

/// The ids of the paths, and the value that can hold them all.
fn ids(cmdlet: &Cmdlet) -> Vec<Parameter> {
    let mut table: Vec<Parameter> = Vec::new();
    for route in &cmdlet.routes {
        for id in &route.ids {
            if table.iter().any(|known| known.name == *id) {
                continue;
            }
            let has_it = |set: &Set| !set.is_by_identity && cmdlet.routes[set.route].ids.contains(id);
            let sets = cmdlet.sets_that(has_it);
            let is_parent = ["ApplicationId", "ServicePrincipalId"].contains(id);
            let what = lasting(words(id.strip_suffix("Id").unwrap_or(id)));
            table.push(Parameter {
                name: id,
                aliases: if is_parent { &["ObjectId"] } else { &[] },
                sets,
                mandatory: sets,
                summary: match *id {
                    "AppId" => "The application (client) id.",
                    "UserId" => "The id of the user, or the user principal name.",
                    _ if is_parent => lasting(format!("The object id of the {what} (not its appId).")),
                    _ => lasting(format!("The id of the {what}.")),
                },
                ..DECLARED
            });
        }
    }
    let by_identity = cmdlet.sets_that(|set| set.is_by_identity);
    if !by_identity.is_empty() {
        let keys: Vec<String> = table.iter().map(|id| format!("{} = '…'", id.name)).collect();
        table.push(Parameter {
            name: "InputObject",
            kind: Kind::Identity,
            sets: by_identity,
            mandatory: by_identity,
            from_pipeline: true,
            summary: lasting(format!("The ids of the path in one value: @{{ {} }}.", keys.join("; "))),
            ..DECLARED
        });
    }
    table
}

/// `SynchronizationJob` as words.
fn words(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.extend(character.to_lowercase());
    }
    text
}

/// The whole body, and what has no parameter of its own.
fn body(cmdlet: &Cmdlet) -> Vec<Parameter> {
    let whole = cmdlet.sets_that(|set| set.is_whole);
    let shape = cmdlet.takes().map(|takes| shape(takes, 1)).unwrap_or_default();
    vec![
        Parameter {
            name: "AdditionalProperties",
            kind: Kind::Table,
            sets: cmdlet.sets_that(|set| set.is_by_member),
            summary: "Further members for the root of the body.",
            ..DECLARED
        },
        Parameter {
            name: "BodyParameter",
            kind: Kind::Body,
            sets: whole,
            mandatory: whole,
            from_pipeline: true,
            summary: lasting(format!("The whole body: {shape}.")),
            ..DECLARED
        },
    ]
}

/// A parameter for each member of the body; a name that an id has taken gets a number, as the generator of the SDK does.
fn members(cmdlet: &Cmdlet, taken: &[&str]) -> Vec<Parameter> {
    let Some(takes) = cmdlet.takes() else { return Vec::new() };
    let sets = cmdlet.sets_that(|set| set.is_by_member);
    let is_short_reference = takes.name == "reference" && !cmdlet.name.ends_with("ByRef");
    let mut table = Vec::new();
    for (member, form) in forms(takes) {
        let name = match member {
            "@odata.id" if is_short_reference => "DirectoryObjectId".to_owned(),
            "@odata.id" => "OdataId".to_owned(),
            member => capital(member),
        };
        let name = if taken.contains(&name.as_str()) { format!("{name}1") } else { name };
        let (kind, of) = kind(&form);
        let example = match of {
            Some(of) if kind == Kind::Tables => format!(": @({})", shape(of, 2)),
            Some(of) => format!(": {}", shape(of, 2)),
            None => String::new(),
        };
        let summary = match member {
            "@odata.id" if is_short_reference => "The id of the object to refer to.".to_owned(),
            "@odata.id" => "The address of the object to refer to.".to_owned(),
            member => format!("The body's '{member}'{example}."),
        };
        table.push(Parameter {
            name: lasting(name),
            kind,
            sets,
            summary: lasting(summary),
            member,
            of,
            ..DECLARED
        });
    }
    table
}

/// The members of a type and their forms.
pub fn forms(of: &'static Type) -> Vec<(&'static str, Form)> {
    match of.members {
        Members::Exactly(known) | Members::Listed(known) => known.to_vec(),
        Members::Of(collection) => collection
            .known
            .iter()
            .map(|(name, kind)| {
                let form = match kind {
                    PropertyKind::Text => Form::Text,
                    PropertyKind::Flag => Form::Flag,
                    PropertyKind::Texts => Form::Many(&Form::Text),
                    PropertyKind::Any => Form::Any,
                };
                (*name, form)
            })
            .chain((collection.name == "users").then_some(("passwordProfile", Form::Any)))
            .collect(),
        Members::Open => Vec::new(),
    }
}

fn kind(form: &Form) -> (Kind, Option<&'static Type>) {
    match form {
        Form::Flag => (Kind::Switch, None),
        Form::Integer => (Kind::Count, None),
        Form::Instant => (Kind::Instant, None),
        Form::Text | Form::Span | Form::Guid | Form::Words(_) => (Kind::Text, None),
        Form::Any => (Kind::Table, None),
        Form::One(of) => (Kind::Table, Some(of)),
        Form::Many(Form::One(of)) => (Kind::Tables, Some(of)),
        Form::Many(_) => (Kind::Texts, None),
        Form::Maybe(form) => kind(form),
    }
}

/// What a value of a type looks like, so many levels deep.
fn shape(of: &'static Type, depth: usize) -> String {
    const SHOWN: usize = 6;
    if depth == 0 {
        return "@{ … }".to_owned();
    }
    let known = forms(of);
    let mut members: Vec<String> = known
        .iter()
        .take(SHOWN)
        .map(|(name, form)| {
            let value = match kind(form) {
                (Kind::Tables, Some(of)) => format!("@({})", shape(of, depth - 1)),
                (Kind::Table, Some(of)) => shape(of, depth - 1),
                (Kind::Switch, _) => "$true".to_owned(),
                (Kind::Count, _) => "1".to_owned(),
                (Kind::Texts, _) => "@('…')".to_owned(),
                _ => "'…'".to_owned(),
            };
            let is_plain = name.chars().all(char::is_alphanumeric);
            if is_plain { format!("{name} = {value}") } else { format!("'{name}' = {value}") }
        })
        .collect();
    if known.len() > SHOWN || known.is_empty() {
        members.push("…".to_owned());
    }
    format!("@{{ {} }}", members.join("; "))
}

/// What a collection, or an object, is asked with.
fn query(cmdlet: &Cmdlet) -> Vec<Parameter> {
    if !cmdlet.only_reads() {
        return Vec::new();
    }
    let gives = |set: &Set| cmdlet.routes[set.route].operation.gives;
    let lists = cmdlet.sets_that(|set| matches!(gives(set), Gives::Many(_)));
    let counts = cmdlet.sets_that(|set| matches!(gives(set), Gives::Count));
    let things = cmdlet.sets_that(|set| matches!(gives(set), Gives::Many(_) | Gives::One(_)));
    let filtered: Sets = [lists, counts].into_iter().collect();
    let all: [(&'static [&'static str], Kind, Sets, &'static str); 11] = [
        (&["Filter"], Kind::Text, filtered, "Which items: an OData filter."),
        (&["Search"], Kind::Text, filtered, "Items in which these words are found; quotes are added."),
        (&["ConsistencyLevel"], Kind::Text, filtered, "eventual, for advanced queries."),
        (&["Property", "Select"], Kind::Texts, things, "The properties to give."),
        (&["ExpandProperty", "Expand"], Kind::Texts, things, "Related objects to give as well."),
        (&["Sort", "OrderBy"], Kind::Texts, lists, "The properties to order by."),
        (&["Top", "Limit"], Kind::Count, lists, "At most so many items."),
        (&["Skip"], Kind::Count, lists, "Leave out so many of the first items."),
        (&["All"], Kind::Switch, lists, "All pages, not only the first."),
        (&["PageSize"], Kind::Count, lists, "The size of a page, with -All."),
        (&["CountVariable", "CV"], Kind::VariableName, lists, "Where the number of all items goes."),
    ];
    all.into_iter()
        .filter(|(_, _, sets, _)| !sets.is_empty())
        .map(|(names, kind, sets, summary)| Parameter {
            name: names[0],
            aliases: &names[1..],
            kind,
            sets,
            summary,
            ..DECLARED
        })
        .collect()
}

/// What says how the request travels.
const CONNECTION: [Parameter; 8] = [
    Parameter {
        name: "Break",
        kind: Kind::Switch,
        summary: "Waits for a .NET debugger in the original; here it only says that there is none.",
        ..DECLARED
    },
    Parameter {
        name: "Headers",
        kind: Kind::Dictionary,
        from_pipeline: true,
        summary: "Headers to add to the request.",
        ..DECLARED
    },
    Parameter {
        name: "HttpPipelineAppend",
        kind: Kind::Steps,
        summary: "Steps around the HTTP call: .NET code, so only $null and @() can be given here.",
        ..DECLARED
    },
    Parameter {
        name: "HttpPipelinePrepend",
        kind: Kind::Steps,
        summary: "Steps around the HTTP call: .NET code, so only $null and @() can be given here.",
        ..DECLARED
    },
    Parameter {
        name: "Proxy",
        kind: Kind::Uri,
        summary: "The proxy to send the request through.",
        ..DECLARED
    },
    Parameter {
        name: "ProxyCredential",
        kind: Kind::Credential,
        summary: "A user name, whose password is then asked for, or @{ UserName = '…'; Password = '…' }.",
        ..DECLARED
    },
    Parameter {
        name: "ProxyUseDefaultCredentials",
        kind: Kind::Switch,
        summary: "Uses the credentials of the account that runs the program towards the proxy.",
        ..DECLARED
    },
    Parameter {
        name: "ResponseHeadersVariable",
        aliases: &["RHV"],
        kind: Kind::VariableName,
        summary: "Where the response's headers go: a variable of the script, or a file.",
        ..DECLARED
    },
];

/// The parameters that other cmdlets have as well.
const OTHERS: [Parameter; 14] = [
    Parameter {
        name: "Confirm",
        aliases: &["cf"],
        kind: Kind::Switch,
        origin: Origin::ShouldProcess,
        summary: "Asks before the request is sent.",
        ..DECLARED
    },
    Parameter {
        name: "WhatIf",
        aliases: &["wi"],
        kind: Kind::Switch,
        origin: Origin::ShouldProcess,
        summary: "Says what would be sent, and sends nothing.",
        ..DECLARED
    },
    Parameter {
        name: "Debug",
        aliases: &["db"],
        kind: Kind::Switch,
        summary: "Shows the request and the response.",
        ..COMMON
    },
    Parameter { name: "ErrorAction", aliases: &["ea"], summary: "What an error does.", ..COMMON },
    Parameter { name: "ErrorVariable", aliases: &["ev"], summary: "Where errors are kept.", ..NAME },
    Parameter {
        name: "InformationAction",
        aliases: &["infa"],
        summary: "What an information message does; there are none.",
        ..COMMON
    },
    Parameter {
        name: "InformationVariable",
        aliases: &["iv"],
        summary: "Where information messages are kept; there are none.",
        ..NAME
    },
    Parameter {
        name: "OutBuffer",
        aliases: &["ob"],
        kind: Kind::Count,
        summary: "How many results are held back before they are shown.",
        ..COMMON
    },
    Parameter { name: "OutVariable", aliases: &["ov"], summary: "Where results are kept as well.", ..NAME },
    Parameter {
        name: "PipelineVariable",
        aliases: &["pv"],
        summary: "A name for the result in later stages of a pipeline; none of them reads it.",
        ..NAME
    },
    Parameter {
        name: "ProgressAction",
        aliases: &["proga"],
        summary: "What a progress message does; there are none.",
        ..COMMON
    },
    Parameter {
        name: "Verbose",
        aliases: &["vb"],
        kind: Kind::Switch,
        summary: "Says what is being done.",
        ..COMMON
    },
    Parameter { name: "WarningAction", aliases: &["wa"], summary: "What a warning does.", ..COMMON },
    Parameter { name: "WarningVariable", aliases: &["wv"], summary: "Where warnings are kept.", ..NAME },
];
