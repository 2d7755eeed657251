//! The cmdlets, made from the table of the API's operations: a new operation brings its cmdlet.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use usher_server::{Members, Operation, Type};

use super::names::{Named, capital, cmdlets_of, placeholder};
use super::parameters::{Parameter, Sets, parameters};
use super::syntax::is_dash;

/// A cmdlet of the Graph SDK that this program has.
pub struct Cmdlet {
    /// Its name.
    pub name: &'static str,
    /// The version of the API it calls: the first segment of the path.
    pub version: &'static str,
    /// The namespace of its types, up to `.Models`.
    pub namespace: &'static str,
    /// What it calls: a collection and one of its members, or one operation.
    pub routes: Vec<Route>,
    /// Its parameter sets, the default first.
    pub sets: Vec<Set>,
    /// Its parameters: its own by alphabet, then those that other cmdlets have as well.
    pub parameters: Vec<Parameter>,
}

/// An operation that a cmdlet calls.
pub struct Route {
    /// The operation.
    pub operation: &'static Operation,
    /// The path below the version, with the ids' parameters in braces.
    pub path: &'static str,
    /// The parameters of the ids, in the order of the path.
    pub ids: Vec<&'static str>,
}

/// A parameter set.
pub struct Set {
    /// Its name.
    pub name: &'static str,
    /// The route that it calls, by its place in the cmdlet's list.
    pub route: usize,
    /// Whether the ids come in one value.
    pub is_by_identity: bool,
    /// Whether there is a body, and it comes in one value.
    pub is_whole: bool,
    /// Whether there is a body, and its members are parameters.
    pub is_by_member: bool,
}

static CMDLETS: LazyLock<Vec<Cmdlet>> = LazyLock::new(made);

/// All cmdlets, by name.
pub fn cmdlets() -> &'static [Cmdlet] {
    &CMDLETS
}

/// Finds a cmdlet by name: case does not matter, any dash will do, and the module's name may stand in front.
pub fn find_cmdlet(name: &str) -> Option<&'static Cmdlet> {
    let bare = name.rsplit('\\').next().unwrap_or(name);
    let plain: String =
        bare.chars().map(|character| if is_dash(character) { '-' } else { character }).collect();
    CMDLETS.iter().find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(&plain))
}

/// Names that live as long as the table they stand in, which is as long as the program.
pub fn lasting(text: String) -> &'static str {
    String::leak(text)
}

/// A call of an operation as names say it.
type Call = (Named, &'static Operation);

fn made() -> Vec<Cmdlet> {
    let mut by_name: BTreeMap<String, (&'static str, Vec<Call>)> = BTreeMap::new();
    for operation in usher_server::operations().filter(|operation| !operation.is_extension) {
        for (prefix, version) in [("Mg", "v1.0"), ("MgBeta", "beta")] {
            if operation.is_beta && version != "beta" {
                continue;
            }
            for named in cmdlets_of(operation, prefix) {
                by_name.entry(named.name.clone()).or_insert((version, Vec::new())).1.push((named, operation));
            }
        }
    }
    by_name.into_iter().map(|(name, (version, routes))| cmdlet(name, version, routes)).collect()
}

fn cmdlet(name: String, version: &'static str, mut all: Vec<Call>) -> Cmdlet {
    // A collection comes before its members. Of two ways to do the same, the module keeps the one that says more.
    all.sort_by_key(|(named, _)| (named.set != "List", std::cmp::Reverse(named.ids.len())));
    all.dedup_by(|later, first| later.0.set == first.0.set);
    let namespace =
        if version == "beta" { "Microsoft.Graph.Beta.PowerShell" } else { "Microsoft.Graph.PowerShell" };
    let mut cmdlet = Cmdlet {
        name: lasting(name),
        version,
        namespace,
        routes: Vec::new(),
        sets: Vec::new(),
        parameters: Vec::new(),
    };
    for (place, (named, operation)) in all.into_iter().enumerate() {
        let has_body = operation.takes.is_some();
        let identities =
            if named.ids.is_empty() || named.set == "List" { &[false][..] } else { &[false, true] };
        for is_by_identity in identities {
            let wholes = if has_body { &[false, true][..] } else { &[false] };
            for is_whole in wholes {
                cmdlet.sets.push(Set {
                    name: lasting(format!(
                        "{}{}{}",
                        named.set,
                        if *is_by_identity { "ViaIdentity" } else { "" },
                        if has_body && !is_whole { "Expanded" } else { "" }
                    )),
                    route: place,
                    is_by_identity: *is_by_identity,
                    is_whole: *is_whole,
                    is_by_member: has_body && !is_whole,
                });
            }
        }
        cmdlet.routes.push(Route {
            operation,
            path: lasting(named.path),
            ids: named.ids.into_iter().map(lasting).collect(),
        });
    }
    cmdlet.parameters = parameters(&cmdlet);
    cmdlet
}

impl Cmdlet {
    /// The operation that stands for all: of the default set.
    pub fn operation(&self) -> &'static Operation {
        self.routes[0].operation
    }

    /// The set behind a single bit.
    pub fn set(&self, set: Sets) -> &Set {
        set.places().next().and_then(|place| self.sets.get(place)).unwrap_or(&self.sets[0])
    }

    /// What a set calls.
    pub fn route(&self, set: Sets) -> &Route {
        &self.routes[self.set(set).route]
    }

    /// The sets of which something holds.
    pub fn sets_that(&self, holds: impl Fn(&Set) -> bool) -> Sets {
        self.sets.iter().enumerate().filter(|(_, set)| holds(set)).map(|(place, _)| Sets::at(place)).collect()
    }

    /// The type of the body, if it takes one.
    pub fn takes(&self) -> Option<&'static Type> {
        self.routes.iter().find_map(|route| route.operation.takes)
    }

    /// Whether it changes nothing by its method, and so is never asked about.
    pub fn only_reads(&self) -> bool {
        self.operation().method == "GET"
    }

    /// What it does, in one sentence.
    pub fn summary(&self) -> String {
        let beta = if self.version == "beta" { " (beta)" } else { "" };
        format!("{}{beta}.", self.operation().summary)
    }

    /// The method and path as published, with placeholders: the target of `-WhatIf` and `-Confirm`.
    pub fn template(&self, set: Sets) -> String {
        let route = self.route(set);
        let mut path = route.path.to_owned();
        for id in &route.ids {
            path = path.replace(&format!("{{{id}}}"), &format!("{{{}}}", placeholder(id)));
        }
        format!("{} {path}", route.operation.method)
    }

    /// The name of the class behind the cmdlet and a parameter set, as error ids carry it.
    pub fn class_name(&self, set: &str) -> String {
        format!("{}.Cmdlets.{}_{set}", self.namespace, self.name.replace('-', ""))
    }

    /// The full name of one of its model types.
    pub fn model(&self, name: &str) -> String {
        format!("{}.Models.{name}", self.namespace)
    }

    /// The name of the type of values that hold all ids of a path, without its `I`.
    pub fn identity(&self) -> &'static str {
        match self.operation().path.split('/').nth(1).unwrap_or_default() {
            "users" => "UsersIdentity",
            "groups" => "GroupsIdentity",
            "auditLogs" => "ReportsIdentity",
            "directory" => "IdentityDirectoryManagementIdentity",
            "directoryObjects" => "DirectoryObjectsIdentity",
            _ => "ApplicationsIdentity",
        }
    }

    /// The name of the body's type. The names of those that belong to one action carry a checksum in the original; the
    /// speaking part is enough here.
    pub fn body_type(&self) -> String {
        let Some(takes) = self.takes() else { return String::new() };
        let is_action = matches!(takes.members, Members::Exactly(_)) || takes.name == "provisionOnDemand";
        if !is_action {
            return model_name(takes);
        }
        let words: String = self.routes[0]
            .path
            .split('/')
            .filter(|segment| !segment.is_empty() && !segment.starts_with('{'))
            .map(|segment| capital(&segment.trim_start_matches("microsoft.graph.").to_lowercase()))
            .collect();
        let method = capital(&self.operation().method.to_lowercase());
        format!("IPaths{words}{method}RequestbodyContentApplicationJsonSchema")
    }
}

/// The name of the interface of a model.
pub fn model_name(of: &Type) -> String {
    format!("IMicrosoftGraph{}", capital(of.name))
}
