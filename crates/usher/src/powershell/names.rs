//! The names of cmdlets, after the rules by which the Graph SDK for PowerShell names them: the verb from the method or
//! the action, the noun from the segments of the path.

use usher_server::{Gives, Operation};

/// What an action or function makes of a name: verb, what stands before the noun, what stands after it, set.
type Naming = (&'static str, &'static str, &'static str, &'static str);

const ACTIONS: &[(&str, Naming)] = &[
    ("start", ("Start", "", "", "Start")),
    ("pause", ("Suspend", "", "", "Pause")),
    ("restart", ("Restart", "", "", "Restart")),
    ("provisionOnDemand", ("New", "", "OnDemand", "Provision")),
    ("validateCredentials", ("Test", "", "Credential", "Validate")),
    ("discover", ("Find", "", "", "Discover")),
    ("acquireAccessToken", ("Get", "", "AccessToken", "Acquire")),
    ("filterOperators", ("Invoke", "Filter", "Operator", "Filter")),
    ("functions", ("Invoke", "Function", "", "Functions")),
    ("parseExpression", ("Invoke", "Parse", "Expression", "Parse")),
    ("instantiate", ("Invoke", "Instantiate", "", "Instantiate")),
    ("Ping", ("Invoke", "Ping", "", "Ping")),
    ("delta", ("Get", "", "Delta", "Delta")),
    ("restore", ("Restore", "", "", "Restore")),
    ("addPassword", ("Add", "", "Password", "Add")),
    ("removePassword", ("Remove", "", "Password", "Remove")),
    ("getByIds", ("Get", "", "ById", "Get")),
    ("checkMemberGroups", ("Confirm", "", "MemberGroup", "Check")),
    ("getMemberGroups", ("Get", "", "MemberGroup", "Get")),
    ("getMemberObjects", ("Get", "", "MemberObject", "Get")),
];

/// Ids whose names are not made of the collection's.
const IDS: &[(&str, &str)] = &[
    ("jobs", "SynchronizationJobId"),
    ("templates", "SynchronizationTemplateId"),
    ("directories", "DirectoryDefinitionId"),
    ("appRoleAssignedTo", "AppRoleAssignmentId"),
    ("members", "DirectoryObjectId"),
    ("owners", "DirectoryObjectId"),
    ("deletedItems", "DirectoryObjectId"),
    ("provisioning", "ProvisioningObjectSummaryId"),
];

/// An operation as a cmdlet calls it.
pub struct Named {
    /// The cmdlet's name.
    pub name: String,
    /// The base of the names of its parameter sets.
    pub set: &'static str,
    /// The path below the version, with the ids' parameters in braces.
    pub path: String,
    /// The parameters of the ids, in the order of the path.
    pub ids: Vec<String>,
}

/// The cmdlets of an operation in a version, `Mg` or `MgBeta` being the prefix of their nouns: one for each parent that
/// its path takes, one more where the object has a second key, or where a reference has a short form.
pub fn cmdlets_of(operation: &'static Operation, prefix: &str) -> Vec<Named> {
    let mut all = Vec::new();
    for path in spelt_out(operation.path) {
        let named = named(operation, &path, prefix);
        if let Some(name) = named.name.strip_suffix("ByRef")
            && operation.method == "POST"
        {
            all.push(Named { name: name.to_owned(), ..named_again(&named) });
        }
        for (object, of) in [("ApplicationId", "applications"), ("ServicePrincipalId", "servicePrincipals")] {
            if named.path == format!("/{of}/{{{object}}}") {
                all.push(Named {
                    name: format!("{}ByAppId", named.name),
                    set: named.set,
                    path: format!("/{of}(appId='{{AppId}}')"),
                    ids: vec!["AppId".to_owned()],
                });
            }
        }
        all.push(named);
    }
    all
}

fn named_again(named: &Named) -> Named {
    Named { name: named.name.clone(), set: named.set, path: named.path.clone(), ids: named.ids.clone() }
}

/// A path for each choice in braces with bars.
fn spelt_out(path: &str) -> Vec<String> {
    let Some((before, rest)) = path
        .split_once("/{")
        .filter(|(_, rest)| rest.split_once('}').is_some_and(|(choice, _)| choice.contains('|')))
    else {
        return vec![path.to_owned()];
    };
    let (choices, after) = rest.split_once('}').unwrap_or((rest, ""));
    choices.split('|').map(|choice| format!("{before}/{choice}{after}")).collect()
}

fn named(operation: &Operation, path: &str, prefix: &str) -> Named {
    let (mut verb, mut before, mut after, mut set) = match operation.method {
        "GET" => ("Get", "", String::new(), "Get"),
        "POST" => ("New", "", String::new(), "Create"),
        "PATCH" => ("Update", "", String::new(), "Update"),
        "PUT" => ("Set", "", String::new(), "Set"),
        _ => ("Remove", "", String::new(), "Delete"),
    };
    if operation.method == "GET" && matches!(operation.gives, Gives::Many(_)) {
        set = "List";
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (mut noun, mut ids, mut called) = (String::new(), Vec::new(), String::new());
    for (place, segment) in segments.iter().enumerate() {
        let is_last = place + 1 == segments.len();
        let previous =
            place.checked_sub(1).and_then(|place| segments.get(place)).copied().unwrap_or_default();
        if segment.starts_with('{') {
            let id = id_name(previous);
            called.push_str(&format!("/{{{id}}}"));
            ids.push(id);
            continue;
        }
        let action = ACTIONS.iter().find(|(name, _)| is_last && name == segment);
        called.push('/');
        match (*segment, action) {
            (_, Some((name, naming))) => {
                (verb, before, set) = (naming.0, naming.1, naming.3);
                after.push_str(naming.2);
                let is_function = operation.method == "GET";
                called.push_str(&format!("microsoft.graph.{name}{}", if is_function { "()" } else { "" }));
            }
            ("$count", _) => {
                after.insert_str(0, "Count");
                called.push_str(segment);
            }
            ("$ref", _) => {
                after.push_str("ByRef");
                called.push_str(segment);
            }
            ("$value", _) => {
                after.push_str("Content");
                called.push_str(segment);
            }
            ("user" | "group" | "application" | "servicePrincipal", _) => {
                after.push_str(&format!("As{}", capital(segment)));
                called.push_str(&format!("microsoft.graph.{segment}"));
            }
            _ => {
                noun.push_str(&singular(segment));
                called.push_str(segment);
            }
        }
    }
    Named { name: format!("{verb}-{prefix}{before}{noun}{after}"), set, path: called, ids }
}

fn id_name(collection: &str) -> String {
    IDS.iter()
        .find(|(known, _)| *known == collection)
        .map_or_else(|| format!("{}Id", singular(collection)), |(_, id)| (*id).to_owned())
}

/// A segment as a noun: with a capital, and one of many.
fn singular(segment: &str) -> String {
    let text = capital(segment);
    match (text.strip_suffix("ies"), text.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) if !stem.ends_with('s') => stem.to_owned(),
        _ => text,
    }
}

/// A name with a capital.
pub fn capital(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// `SynchronizationJobId` as a published path has it: `synchronizationJob-id`.
pub fn placeholder(id: &str) -> String {
    let stem = id.strip_suffix("Id").unwrap_or(id);
    let mut characters = stem.chars();
    let start: String = characters.next().map(|first| first.to_lowercase().collect()).unwrap_or_default();
    if id == "AppId" { "appId".to_owned() } else { format!("{start}{}-id", characters.as_str()) }
}
