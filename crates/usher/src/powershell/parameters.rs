//! The parameters of the cmdlets: one record each. Binding, help and prompts all read this table.

use super::cmdlets::Cmdlet;

/// Parameter sets, as bits: more than one can still be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sets(u8);

impl Sets {
    /// No set.
    pub const NONE: Self = Self(0);
    /// `Provision`.
    pub const PROVISION: Self = Self(1);
    /// `ProvisionExpanded`, the default.
    pub const EXPANDED: Self = Self(2);
    /// `ProvisionViaIdentity`.
    pub const VIA_IDENTITY: Self = Self(4);
    /// `ProvisionViaIdentityExpanded`.
    pub const VIA_IDENTITY_EXPANDED: Self = Self(8);
    /// The two sets that name the job by ids.
    pub const BY_ID: Self = Self(1 | 2);
    /// The two sets that name the job by an identity.
    pub const BY_IDENTITY: Self = Self(4 | 8);
    /// The two sets with a whole body.
    pub const WHOLE: Self = Self(1 | 4);
    /// The two sets with a parameter for each member of the body.
    pub const BY_MEMBER: Self = Self(2 | 8);
    /// Every set.
    pub const ALL: Self = Self(15);

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

    /// The sets one by one.
    pub fn each(self) -> impl Iterator<Item = Self> {
        [Self::EXPANDED, Self::PROVISION, Self::VIA_IDENTITY_EXPANDED, Self::VIA_IDENTITY]
            .into_iter()
            .filter(move |set| self.contains(*set))
    }

    /// The name of a single set.
    pub fn name(self) -> &'static str {
        match self {
            Self::PROVISION => "Provision",
            Self::EXPANDED => "ProvisionExpanded",
            Self::VIA_IDENTITY => "ProvisionViaIdentity",
            Self::VIA_IDENTITY_EXPANDED => "ProvisionViaIdentityExpanded",
            _ => "__AllParameterSets",
        }
    }
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, as it stands.
    Text,
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
}

impl Parameter {
    /// The .NET name of its type.
    pub fn type_name(&self, cmdlet: &Cmdlet) -> String {
        match self.kind {
            Kind::Text | Kind::VariableName => "System.String".into(),
            Kind::Body => cmdlet.model(cmdlet.body_type),
            Kind::Tables => cmdlet.model("IMicrosoftGraphSynchronizationJobApplicationParameters[]"),
            Kind::Table => "System.Collections.Hashtable".into(),
            Kind::Identity => cmdlet.model("IApplicationsIdentity"),
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
};
const COMMON: Parameter = Parameter { origin: Origin::Common, kind: Kind::Action, ..DECLARED };
const NAME: Parameter = Parameter { kind: Kind::VariableName, ..COMMON };

/// The parameters of a cmdlet: its own by alphabet, then the others.
pub fn parameters(cmdlet: &Cmdlet) -> Vec<Parameter> {
    let by_id = Parameter { sets: Sets::BY_ID, mandatory: Sets::BY_ID, ..DECLARED };
    let id = Parameter {
        name: cmdlet.id_parameter,
        aliases: &["ObjectId"],
        summary: cmdlet.id_meaning,
        ..by_id.clone()
    };
    let mut table = vec![
        Parameter {
            name: "AdditionalProperties",
            kind: Kind::Table,
            sets: Sets::BY_MEMBER,
            summary: "Further members for the root of the body.",
            ..DECLARED
        },
        Parameter {
            name: "BodyParameter",
            kind: Kind::Body,
            sets: Sets::WHOLE,
            mandatory: Sets::WHOLE,
            from_pipeline: true,
            summary: "The whole body: @{ parameters = @( … ) }.",
            ..DECLARED
        },
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
            name: "InputObject",
            kind: Kind::Identity,
            sets: Sets::BY_IDENTITY,
            mandatory: Sets::BY_IDENTITY,
            from_pipeline: true,
            summary: "The ids of the path in one value: @{ ApplicationId = '…'; SynchronizationJobId = '…' }.",
            ..DECLARED
        },
        Parameter {
            name: "Parameters",
            kind: Kind::Tables,
            sets: Sets::BY_MEMBER,
            summary: "What to provision: @(@{ ruleId = '…'; subjects = @(@{ objectId = '…'; objectTypeName = 'User' }) }).",
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
        Parameter { name: "SynchronizationJobId", summary: "The id of the synchronization job.", ..by_id },
    ];
    table.push(id);
    table.sort_by_key(|parameter| parameter.name);
    table.extend(OTHERS);
    table
}

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
