//! The query options on collections (`$select`, `$filter`, `$top`, …), and how entries are shown.

mod delta;
mod expand;
mod order;
mod page;
mod search;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use usher_core::{Entry, EntryKind, Relation};
use usher_engine::cases::directory::Kind;

use crate::call::Call;
use crate::errors::Refusal;
use crate::filter::{Filter, Form, TextTest};
use crate::graph::types::Type;

/// The page size when nobody says.
const PAGE: usize = 100;
/// The largest page.
const LARGEST: usize = 999;

pub use delta::Feed;
pub use page::Entries;

/// What a collection of entries may be asked.
#[derive(Debug)]
pub struct Collection {
    /// The kind of entry.
    pub kind: EntryKind,
    /// The segment in contexts and links, such as `users`.
    pub name: &'static str,
    /// The properties that are shown when `$select` does not say.
    pub shown: &'static [&'static str],
    /// Properties beyond the writable ones that may be selected and filtered on.
    pub extra: &'static [&'static str],
    /// The relations that `$expand` takes.
    pub expands: &'static [&'static str],
    /// The relation that deltas tell of, such as `members`.
    pub delta_link: Option<Relation>,
    /// The writable properties.
    pub known: &'static [(&'static str, Kind)],
}

/// The properties that `endsWith` takes (Graph, advanced query capabilities).
const ENDS_WITH: &[&str] = &["mail", "userPrincipalName", "otherMails", "proxyAddresses"];
/// Collections that are no properties here, and that filters may ask whether they are empty.
const COUNTED: &[(&str, &str)] =
    &[("groups", OWNERS), ("users", "assignedLicenses"), ("applications", "createdOnBehalfOf")];
/// The owners of a group.
const OWNERS: &str = "owners";

/// Properties that are lists of objects: without a value they are empty.
const LISTS: &[&str] = &["appRoles", "passwordCredentials", "keyCredentials", "identities"];

/// The filter in a text, held against the forms of what it names.
///
/// # Errors
/// 400.
pub fn parsed(text: &str, form: &dyn Fn(&[String]) -> Option<Form>) -> Result<Filter, Refusal> {
    let filter = Filter::parse(text)
        .map_err(|error| Refusal::bad_request(format!("Invalid filter clause: {error}.")))?;
    match filter.misfit(form) {
        None => Ok(filter),
        Some(wrong) => Err(Refusal::bad_request(format!("Invalid filter clause: {wrong}"))),
    }
}

/// Of an object, what `$select` names; all of it without.
///
/// # Errors
/// 400 for a property that there is not.
pub fn keep(call: &Call, of: &Type, view: &mut Value) -> Result<(), Refusal> {
    let Some(names) = call.option("$select") else { return Ok(()) };
    let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let wrong = names
        .iter()
        .find(|name| **name != "*" && !of.listed().iter().any(|(known, _)| known.eq_ignore_ascii_case(name)));
    if let Some(name) = wrong {
        return Err(Refusal::bad_request(format!(
            "Could not find a property named '{name}' on type 'microsoft.graph.{}'.",
            of.name
        )));
    }
    if let Some(members) = view.as_object_mut().filter(|_| !names.contains(&"*")) {
        members.retain(|member, _| {
            member.starts_with('@') || names.iter().any(|name| name.eq_ignore_ascii_case(member))
        });
    }
    Ok(())
}

/// The page size that was asked for.
///
/// # Errors
/// 400.
pub fn top(call: &Call, most: usize) -> Result<usize, Refusal> {
    match call.option("$top") {
        None => {
            let wished = preference(call, "odata.maxpagesize").and_then(|text| text.parse::<usize>().ok());
            Ok(wished.unwrap_or(PAGE).clamp(1, most))
        }
        Some(text) => {
            text.parse::<usize>().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
                Refusal::bad_request(format!(
                    "Invalid page size specified: '{text}'. Must be between 1 and {most} inclusive."
                ))
            })
        }
    }
}

/// The query options of a request. The dollar sign may be left out; each may be given once.
///
/// # Errors
/// 400.
pub fn query(text: &str) -> Result<Vec<(String, String)>, Refusal> {
    const OPTIONS: &[&str] = &[
        "select",
        "filter",
        "orderby",
        "top",
        "skip",
        "skiptoken",
        "deltatoken",
        "count",
        "search",
        "expand",
        "apply",
        "compute",
    ];
    let mut query: Vec<(String, String)> = Vec::new();
    for (mut name, value) in url::form_urlencoded::parse(text.as_bytes()).into_owned() {
        if OPTIONS.iter().any(|option| option.eq_ignore_ascii_case(&name)) {
            name.insert(0, '$');
        }
        if name.starts_with('$') && query.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            return Err(Refusal::bad_request(format!(
                "Query option '{name}' was specified more than once, but it must be specified at most once."
            )));
        }
        query.push((name, value));
    }
    Ok(query)
}

/// Where to go on: the text that `skip_token` hid.
///
/// # Errors
/// 400.
pub fn skipped(call: &Call) -> Result<Option<String>, Refusal> {
    let Some(token) = call.option("$skiptoken") else { return Ok(None) };
    URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).map(Some).ok_or_else(
        || Refusal::bad_request("the $skiptoken is not one of ours; follow @odata.nextLink as it stands"),
    )
}

/// The link to the next page: the same query, going on after this place.
pub fn next_link(call: &Call, path: &str, place: &str) -> Value {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken")) {
        query.append_pair(name, value);
    }
    query.append_pair("$skiptoken", &URL_SAFE_NO_PAD.encode(place));
    let query = query.finish().replace("%24", "$").replace('+', "%20");
    json!(format!("{}/{path}?{query}", call.base()))
}

/// Refuses query options that are not understood here: a wrong result would be worse.
///
/// # Errors
/// 400.
pub fn only(call: &Call, allowed: &[&str]) -> Result<(), Refusal> {
    for (name, _) in &call.query {
        if name.starts_with('$') && !allowed.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(Refusal::unsupported_query(format!("the query option {name} is not supported here")));
        }
    }
    Ok(())
}

/// Whether the caller takes an answer that may lag behind writes (`ConsistencyLevel: eventual`).
pub fn is_eventual(call: &Call) -> bool {
    let level = call.headers.get("consistencylevel").and_then(|value| value.to_str().ok());
    level.is_some_and(|value| value.trim().eq_ignore_ascii_case("eventual"))
}

/// Whether the caller asked for the number of all (`$count=true`).
pub fn wants_count(call: &Call) -> bool {
    call.option("$count").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// What a preference of the `Prefer` header says, such as `odata.maxpagesize`.
fn preference<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .find_map(|one| {
            let (known, value) = one.trim().split_once('=')?;
            known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
        })
}

/// An entry in a collection of mixed kinds: it says what it is.
pub fn mixed(entry: &Entry, selected: Option<&[String]>) -> Map<String, Value> {
    let collection = Collection::of(entry.kind);
    let mut view = collection.view(entry, selected);
    let name = json!(format!("#microsoft.graph.{}", entry.kind.as_str()));
    view.shift_insert(0, "@odata.type".to_owned(), name);
    view
}

impl Collection {
    /// The collection that entries of a kind are in.
    pub fn of(kind: EntryKind) -> &'static Self {
        match kind {
            EntryKind::User => &crate::graph::USERS,
            EntryKind::Group => &crate::graph::GROUPS,
            EntryKind::Application => &crate::graph::APPLICATIONS,
            EntryKind::ServicePrincipal => &crate::graph::PRINCIPALS,
            EntryKind::Contact => &crate::graph::CONTACTS,
        }
    }

    fn is_known(&self, property: &str) -> bool {
        property.eq_ignore_ascii_case("id")
            || property.starts_with("extension_")
            || self.known.iter().any(|(known, _)| known.eq_ignore_ascii_case(property))
            || self.extra.iter().chain(self.shown).any(|known| known.eq_ignore_ascii_case(property))
    }

    /// The properties that were selected.
    ///
    /// # Errors
    /// 400 for a property that there is not.
    pub fn selected(&self, call: &Call) -> Result<Option<Vec<String>>, Refusal> {
        let Some(text) = call.option("$select") else { return Ok(None) };
        let names: Vec<String> =
            text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        if let Some(name) = names.iter().find(|name| name.as_str() != "*" && !self.is_known(name)) {
            return Err(Refusal::bad_request(format!(
                "Could not find a property named '{name}' on this resource."
            )));
        }
        Ok((!names.iter().any(|name| name == "*")).then_some(names))
    }

    /// An entry as it is shown.
    pub fn view(&self, entry: &Entry, selected: Option<&[String]>) -> Map<String, Value> {
        let mut view = Map::new();
        let full = |name: &str| -> Value {
            match name {
                "id" => json!(entry.id.as_str()),
                "createdDateTime" => json!(entry.created_at.to_string()),
                "deletedDateTime" => json!(entry.deleted_at.map(|at| at.to_string())),
                other => entry.properties.get(other).cloned().unwrap_or_else(|| {
                    let is_list = LISTS.contains(&other)
                        || self.known.iter().any(|(known, kind)| *known == other && *kind == Kind::Texts);
                    if is_list { json!([]) } else { Value::Null }
                }),
            }
        };
        match selected {
            Some(names) => {
                for name in names {
                    let name = self.spelled(name);
                    view.insert(name.clone(), full(&name));
                }
            }
            None => {
                for name in self.shown {
                    view.insert((*name).to_owned(), full(name));
                }
            }
        }
        view
    }

    /// A property as the resource spells it.
    fn spelled(&self, name: &str) -> String {
        ["id"]
            .iter()
            .chain(self.shown)
            .chain(self.extra)
            .copied()
            .chain(self.known.iter().map(|(known, _)| *known))
            .find(|known| known.eq_ignore_ascii_case(name))
            .map_or_else(|| name.to_owned(), str::to_owned)
    }

    /// Every property, for filters.
    pub fn whole(&self, entry: &Entry) -> Value {
        let mut whole = entry.properties.clone();
        whole.insert("id".to_owned(), json!(entry.id.as_str()));
        whole.insert("createdDateTime".to_owned(), json!(entry.created_at.to_string()));
        whole.insert("deletedDateTime".to_owned(), json!(entry.deleted_at.map(|at| at.to_string())));
        Value::Object(whole)
    }

    /// The filter that was asked for.
    ///
    /// # Errors
    /// 400; also for one that needs the advanced query capabilities when they are not asked for.
    pub fn filter(&self, call: &Call) -> Result<Option<Filter>, Refusal> {
        let filter = self.any_filter(call)?;
        if filter.as_ref().is_some_and(Filter::is_advanced) && !(is_eventual(call) && wants_count(call)) {
            return Err(Refusal::unsupported_query(
                "Operator 'not', 'ne', 'endsWith' or '$count' is not supported because the request does not have \
                 the header ConsistencyLevel: eventual and the query option $count=true.",
            ));
        }
        Ok(filter)
    }

    /// The filter that was asked for, advanced or not.
    ///
    /// # Errors
    /// 400.
    pub fn any_filter(&self, call: &Call) -> Result<Option<Filter>, Refusal> {
        let Some(text) = call.option("$filter") else { return Ok(None) };
        let filter = parsed(text, &|path| self.form(path))?;
        for (test, path) in filter.text_tests() {
            let name = path.first().map(String::as_str).unwrap_or_default();
            let is_taken = match test {
                TextTest::StartsWith => true,
                TextTest::EndsWith => ENDS_WITH.iter().any(|known| known.eq_ignore_ascii_case(name)),
                TextTest::Contains => false,
            };
            if !is_taken {
                return Err(Refusal::unsupported_query(format!(
                    "Unsupported property filter clause: '{name}' takes no such function; startsWith is taken, \
                     endsWith on {}.",
                    ENDS_WITH.join(", ")
                )));
            }
        }
        Ok(Some(filter))
    }

    /// What a property is, for filters.
    fn form(&self, path: &[String]) -> Option<Form> {
        let (first, rest) = path.split_first()?;
        let is_counted =
            COUNTED.iter().any(|(of, name)| *of == self.name && name.eq_ignore_ascii_case(first));
        if is_counted && rest.is_empty() {
            return Some(Form::Counted);
        }
        let known = self.known.iter().find(|(known, _)| known.eq_ignore_ascii_case(first));
        Some(match known {
            Some((_, Kind::Any)) => Form::Open,
            Some(_) if !rest.is_empty() => return None,
            Some((_, Kind::Text)) => Form::Text,
            Some((_, Kind::Flag)) => Form::Flag,
            Some((_, Kind::Texts)) => Form::List,
            None if !self.is_known(first) => return None,
            None if first.to_lowercase().ends_with("datetime") => Form::Instant,
            None if ["id", "appId"].iter().any(|known| known.eq_ignore_ascii_case(first)) => Form::Text,
            None => Form::Open,
        })
    }

    /// One entry as an answer.
    ///
    /// # Errors
    /// 400 for a property or relation that there is not.
    pub async fn one(&self, call: &Call, entry: &Entry) -> Result<Value, Refusal> {
        let selected = self.selected(call)?;
        let mut view = self.view(entry, selected.as_deref());
        for expansion in self.expansions(call)? {
            expansion.add_to(call, entry, &mut view).await?;
        }
        let context = match call.option("$select") {
            Some(names) => format!("{}({names})/$entity", self.name),
            None => format!("{}/$entity", self.name),
        };
        view.shift_insert(0, "@odata.context".to_owned(), call.context(&context));
        Ok(Value::Object(view))
    }
}

/// A collection that is at hand as a whole: all of it, or the page that `$top` asks for.
///
/// # Errors
/// 400 for a `$top` or `$skiptoken` that is not right.
pub fn whole(call: &Call, context: &str, values: Vec<Value>) -> Result<Value, Refusal> {
    // What is not done here must not seem to be.
    only(call, &["$top", "$skiptoken", "$count", "$select", "$expand", "$filter"])?;
    let mut page = json!({ "@odata.context": call.context(context) });
    if wants_count(call) {
        page["@odata.count"] = json!(values.len());
    }
    let from = match skipped(call)? {
        None => 0,
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| Refusal::bad_request("the $skiptoken is not one of ours; follow @odata.nextLink"))?,
    };
    let most = if call.option("$top").is_some() { top(call, LARGEST)? } else { usize::MAX };
    let is_more = values.len().saturating_sub(from) > most;
    if is_more {
        page["@odata.nextLink"] = next_link(call, &call.path, &(from + most).to_string());
    }
    page["value"] = values.into_iter().skip(from).take(most).collect();
    Ok(page)
}

/// A failure of the store as a refusal.
pub fn failed(error: usher_core::ports::StoreError) -> Refusal {
    Refusal::from(usher_engine::cases::CaseError::from(error))
}
