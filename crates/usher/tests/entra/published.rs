//! What Microsoft publishes of the operations that the connector uses, written down by hand from the pages that are
//! named: methods, addresses, query options, and what may be filtered by. It shares nothing with the connector, so that
//! the two do not merely agree with each other.

use serde_json::Value;
use url::Url;

/// The reference that a page belongs to.
const PAGES: &str = "https://learn.microsoft.com/graph/api/";
/// The rules of advanced queries, with the tables of properties that can be filtered by.
const ADVANCED_QUERIES: &str = "https://learn.microsoft.com/graph/aad-advanced-queries";
/// The largest page.
const LARGEST_PAGE: u32 = 999;
/// The most parts of a batch, and the most links that one request binds.
const MOST: usize = 20;

/// How a property may be filtered by.
type Filters = &'static [(&'static str, &'static str, Query)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Query {
    /// At once.
    Default,
    /// With `$count=true` and `ConsistencyLevel: eventual` alone.
    Advanced,
}

use Query::{Advanced, Default};

/// One published operation.
struct Operation {
    method: &'static str,
    /// Below the version; `{}` is an id.
    path: &'static str,
    /// Query options.
    options: &'static [&'static str],
    /// What may be filtered by.
    filters: Filters,
    /// Members that the body must have.
    required: &'static [&'static str],
    /// Where it is described.
    page: &'static str,
}

const fn operation(method: &'static str, path: &'static str, page: &'static str) -> Operation {
    Operation { method, path, options: &[], filters: &[], required: &[], page }
}

const USER: Filters = &[
    ("accountEnabled", "eq", Default),
    ("businessPhones", "any", Advanced),
    ("city", "eq", Default),
    ("companyName", "eq", Advanced),
    ("department", "eq", Default),
    ("displayName", "eq", Default),
    ("employeeId", "eq", Default),
    ("employeeType", "eq", Advanced),
    ("faxNumber", "eq", Advanced),
    ("givenName", "eq", Default),
    ("jobTitle", "eq", Default),
    ("mail", "eq", Default),
    ("mailNickname", "eq", Default),
    ("mobilePhone", "eq", Advanced),
    ("officeLocation", "eq", Advanced),
    ("onPremisesExtensionAttributes/extensionAttribute1", "eq", Advanced),
    ("onPremisesImmutableId", "eq", Default),
    ("onPremisesSamAccountName", "eq", Advanced),
    ("otherMails", "any", Default),
    ("postalCode", "eq", Advanced),
    ("proxyAddresses", "any", Default),
    ("streetAddress", "eq", Advanced),
    ("surname", "eq", Default),
    ("userPrincipalName", "endsWith", Advanced),
    ("userPrincipalName", "eq", Default),
];
const GROUP: Filters = &[
    ("description", "eq", Advanced),
    ("displayName", "eq", Default),
    ("mail", "eq", Default),
    ("mailNickname", "eq", Default),
    ("uniqueName", "eq", Default),
];
const ASSIGNMENT: Filters = &[("resourceId", "eq", Default)];
const LIST: &[&str] = &["$select", "$filter", "$top", "$count", "$skiptoken"];
const PEOPLE: &[&str] = &["$select", "$expand", "$filter", "$top", "$count", "$skiptoken"];
const LINKS: &[&str] = &["$select", "$top", "$skiptoken"];
const DELTA: &[&str] = &["$select", "$deltatoken", "$skiptoken"];
const NEW_USER: &[&str] =
    &["accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"];
const NEW_GROUP: &[&str] = &["displayName", "mailEnabled", "mailNickname", "securityEnabled"];
const REFERENCE: &[&str] = &["@odata.id"];

/// Addresses with fixed segments stand before those with an id in their place.
const OPERATIONS: &[Operation] = &[
    Operation { options: DELTA, ..operation("GET", "/users/delta", "user-delta") },
    Operation { options: DELTA, ..operation("GET", "/groups/delta", "group-delta") },
    Operation { options: PEOPLE, filters: USER, ..operation("GET", "/users", "user-list") },
    Operation { options: &["$select", "$expand"], ..operation("GET", "/users/{}", "user-get") },
    Operation { options: LIST, filters: GROUP, ..operation("GET", "/groups", "group-list") },
    Operation { options: &["$select"], ..operation("GET", "/groups/{}", "group-get") },
    Operation { options: LINKS, ..operation("GET", "/groups/{}/members", "group-list-members") },
    Operation { options: LINKS, ..operation("GET", "/groups/{}/owners", "group-list-owners") },
    Operation { options: LINKS, ..operation("GET", "/users/{}/memberOf", "user-list-memberof") },
    Operation {
        options: LIST,
        filters: ASSIGNMENT,
        ..operation("GET", "/users/{}/appRoleAssignments", "user-list-approleassignments")
    },
    Operation {
        options: LIST,
        filters: ASSIGNMENT,
        ..operation("GET", "/groups/{}/appRoleAssignments", "group-list-approleassignments")
    },
    Operation { options: &["$select"], ..operation("GET", "/servicePrincipals/{}", "serviceprincipal-get") },
    Operation {
        options: LINKS,
        ..operation(
            "GET",
            "/servicePrincipals/{}/appRoleAssignedTo",
            "serviceprincipal-list-approleassignedto",
        )
    },
    Operation {
        options: LIST,
        filters: USER,
        ..operation("GET", "/directory/deletedItems/microsoft.graph.user", "directory-deleteditems-list")
    },
    operation("GET", "/directory/deletedItems/{}", "directory-deleteditems-get"),
    operation("POST", "/directory/deletedItems/{}/restore", "directory-deleteditems-restore"),
    Operation { required: NEW_USER, ..operation("POST", "/users", "user-post-users") },
    operation("PATCH", "/users/{}", "user-update"),
    operation("DELETE", "/users/{}", "user-delete"),
    Operation { required: REFERENCE, ..operation("PUT", "/users/{}/manager/$ref", "user-post-manager") },
    operation("DELETE", "/users/{}/manager/$ref", "user-delete-manager"),
    Operation { required: NEW_GROUP, ..operation("POST", "/groups", "group-post-groups") },
    operation("PATCH", "/groups/{}", "group-update"),
    operation("DELETE", "/groups/{}", "group-delete"),
    Operation { required: REFERENCE, ..operation("POST", "/groups/{}/members/$ref", "group-post-members") },
    Operation { required: REFERENCE, ..operation("POST", "/groups/{}/owners/$ref", "group-post-owners") },
    operation("DELETE", "/groups/{}/members/{}/$ref", "group-delete-members"),
    operation("DELETE", "/groups/{}/owners/{}/$ref", "group-delete-owners"),
    operation(
        "POST",
        "/directoryObjects/getAvailableExtensionProperties",
        "directoryobject-getavailableextensionproperties",
    ),
];

/// Why a request, or a part of a batch, is not one that Microsoft publishes. `path` begins below the version.
pub fn check(method: &str, path: &str, is_eventual: bool, body: &Value) -> Result<(), String> {
    let told = |why: String| format!("{method} {path}: {why}");
    let url = Url::parse(&format!("https://graph.example{path}")).map_err(|error| told(error.to_string()))?;
    if (method, url.path()) == ("POST", "/$batch") {
        return batch(body).map_err(told);
    }
    let operation = OPERATIONS
        .iter()
        .find(|one| one.method == method && is_at(one.path, url.path()))
        .ok_or_else(|| told("it is not in the table of published operations".to_owned()))?;
    query(operation, &url, is_eventual).map_err(told)?;
    content(operation, body).map_err(told)
}

fn is_at(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let is_same = |(one, other): (&&str, &&str)| one == other || (*one == "{}" && !other.is_empty());
    template.len() == path.len() && template.iter().zip(&path).all(is_same)
}

fn query(operation: &Operation, url: &Url, is_eventual: bool) -> Result<(), String> {
    let page = operation.page;
    let options: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let value =
        |wanted: &str| options.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    if let Some((name, _)) = options.iter().find(|(name, _)| !operation.options.contains(&name.as_str())) {
        return Err(format!("{PAGES}{page} does not name the option {name}"));
    }
    let counts = value("$count") == Some("true");
    if counts != is_eventual {
        return Err(format!("{ADVANCED_QUERIES}: $count=true and ConsistencyLevel: eventual go together"));
    }
    let mut needed = Default;
    if let Some(filter) = value("$filter") {
        let (property, operator) =
            parts(filter).ok_or_else(|| format!("the filter {filter} is not understood"))?;
        let known = operation.filters.iter().find(|(name, by, _)| *name == property && *by == operator);
        let (_, _, query) =
            known.ok_or_else(|| format!("{ADVANCED_QUERIES} does not list {operator} for {property}"))?;
        if *query == Advanced {
            needed = Advanced;
        }
    }
    // Pages that follow were asked for by the first.
    if needed == Advanced && !counts && value("$skiptoken").is_none() {
        return Err(format!("{ADVANCED_QUERIES}: this is supported by advanced queries alone"));
    }
    match value("$expand") {
        Some(_) if counts => return Err(format!("{ADVANCED_QUERIES}: an advanced query expands nothing")),
        Some(expand) if expand != "manager($select=id)" => return Err(format!("it expands {expand}")),
        _ => {}
    }
    match value("$top").map(str::parse) {
        Some(Ok(top)) if (1..=LARGEST_PAGE).contains(&top) => Ok(()),
        None => Ok(()),
        Some(_) => Err(format!("$top is from 1 to {LARGEST_PAGE}")),
    }
}

/// The property of a filter, and how it is compared.
fn parts(filter: &str) -> Option<(&str, &'static str)> {
    if let Some(rest) = filter.strip_prefix("endsWith(") {
        return Some((rest.strip_suffix("')")?.split_once(",'")?.0, "endsWith"));
    }
    if let Some((property, rest)) = filter.split_once("/any(p:p eq '") {
        return rest.ends_with("')").then_some((property, "any"));
    }
    let (property, value) = filter.split_once(" eq ")?;
    (!value.is_empty()).then_some((property, "eq"))
}

fn content(operation: &Operation, body: &Value) -> Result<(), String> {
    let page = operation.page;
    if let Some(missing) = operation.required.iter().find(|name| body.get(**name).is_none_or(Value::is_null))
    {
        return Err(format!("{PAGES}{page} demands {missing}"));
    }
    let has_body = matches!(operation.method, "PATCH" | "PUT") || !operation.required.is_empty();
    if has_body != body.is_object() && !matches!(operation.method, "POST") {
        return Err(format!("{PAGES}{page}: a body where none belongs, or none where one does"));
    }
    let links = body.as_object().into_iter().flatten().filter(|(name, _)| name.ends_with("@odata.bind"));
    match links.filter_map(|(_, links)| links.as_array()).find(|links| links.len() > MOST) {
        Some(links) => Err(format!("{PAGES}{page} binds {MOST} at most, not {}", links.len())),
        None => Ok(()),
    }
}

fn batch(body: &Value) -> Result<(), String> {
    let parts = body["requests"].as_array().ok_or("a batch has 'requests'")?;
    if !(1..=MOST).contains(&parts.len()) {
        return Err(format!("a batch has 1 to {MOST} parts, not {}", parts.len()));
    }
    for part in parts {
        let text = |name: &str| part[name].as_str().unwrap_or_default();
        if parts.iter().filter(|other| other["id"] == part["id"]).count() > 1 || text("id").is_empty() {
            return Err("the parts of a batch have an id each".to_owned());
        }
        if part.get("body").is_some() && part["headers"]["Content-Type"] != "application/json" {
            return Err("a part with a body names its type".to_owned());
        }
        let is_eventual = part["headers"]["ConsistencyLevel"] == "eventual";
        if text("url") == "/$batch" {
            return Err("batches do not nest".to_owned());
        }
        check(text("method"), text("url"), is_eventual, &part["body"])?;
    }
    Ok(())
}

#[test]
fn what_is_not_published_is_found() {
    let refused = |method: &str, path: &str, is_eventual: bool, body: Value| {
        check(method, path, is_eventual, &body).expect_err("it is not published")
    };
    let get = |path: &str, is_eventual: bool| refused("GET", path, is_eventual, Value::Null);
    for (path, is_eventual, why) in [
        ("/me", false, "not in the table"),
        ("/users/1/drive", false, "not in the table"),
        ("/users?$orderby=displayName", false, "does not name the option $orderby"),
        ("/users/delta?$select=id&$top=5", false, "does not name the option $top"),
        ("/users?$filter=mobilePhone%20eq%20'1'", false, "advanced queries alone"),
        ("/users?$filter=mobilePhone%20eq%20'1'&$count=true", false, "go together"),
        ("/users?$filter=aboutMe%20eq%20'1'", false, "does not list eq for aboutMe"),
        ("/users?$filter=mail%20eq%20'1'&$expand=manager($select=id)&$count=true", true, "expands nothing"),
        ("/users/1/memberOf/microsoft.graph.group?$select=id", false, "not in the table"),
        ("/users?$top=1000", false, "from 1 to 999"),
    ] {
        let told = get(path, is_eventual);
        assert!(told.contains(why), "{told}");
    }
    let links = vec!["x"; 21];
    let told = refused("PATCH", "/groups/1", false, serde_json::json!({ "members@odata.bind": links }));
    assert!(told.contains("20 at most"), "{told}");
    let told = refused("POST", "/users", false, serde_json::json!({ "displayName": "x" }));
    assert!(told.contains("demands accountEnabled"), "{told}");
    let part = serde_json::json!({ "id": "0", "method": "GET", "url": "/users?$filter=mobilePhone%20eq%20'1'&$count=true" });
    let told = refused("POST", "/$batch", false, serde_json::json!({ "requests": [part] }));
    assert!(told.contains("go together"), "{told}");
}
