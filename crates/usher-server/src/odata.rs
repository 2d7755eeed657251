//! `$select`, `$top`, `$skiptoken` and `$filter` on collections: pages and views.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use usher_core::ports::EntryQuery;
use usher_core::{Entry, EntryId, EntryKind};

use crate::call::Call;
use crate::errors::Refusal;
use crate::filter::Filter;

/// The page size when nobody says.
const PAGE: usize = 100;
/// The largest page.
const LARGEST: usize = 999;
/// How many entries one filtered page looks at before it is handed out, however few match.
const LOOKED_AT: usize = 20_000;

/// What a collection of entries may be asked.
pub struct Collection {
    /// The kind of entry.
    pub kind: EntryKind,
    /// The segment in contexts and links, such as `users`.
    pub name: &'static str,
    /// The properties that are shown when `$select` does not say.
    pub shown: &'static [&'static str],
    /// Properties beyond the writable ones that may be selected and filtered on.
    pub extra: &'static [&'static str],
    /// The writable properties.
    pub known: &'static [(&'static str, usher_engine::cases::directory::Kind)],
}

/// The page size that was asked for.
///
/// # Errors
/// 400.
pub fn top(call: &Call, most: usize) -> Result<usize, Refusal> {
    match call.option("$top") {
        None => Ok(PAGE.min(most)),
        Some(text) => {
            text.parse::<usize>().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
                Refusal::bad_request(format!(
                    "Invalid page size specified: '{text}'. Must be between 1 and {most} inclusive."
                ))
            })
        }
    }
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

impl Collection {
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
                    let is_list = self.known.iter().any(|(known, kind)| {
                        *known == other && *kind == usher_engine::cases::directory::Kind::Texts
                    });
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
    fn whole(&self, entry: &Entry) -> Value {
        let mut whole = entry.properties.clone();
        whole.insert("id".to_owned(), json!(entry.id.as_str()));
        whole.insert("createdDateTime".to_owned(), json!(entry.created_at.to_string()));
        Value::Object(whole)
    }

    /// The filter that was asked for.
    ///
    /// # Errors
    /// 400.
    pub fn filter(&self, call: &Call) -> Result<Option<Filter>, Refusal> {
        let Some(text) = call.option("$filter") else { return Ok(None) };
        let filter = Filter::parse(text)
            .map_err(|error| Refusal::bad_request(format!("Invalid filter clause: {error}.")))?;
        for path in filter.paths() {
            if !path.first().is_some_and(|name| self.is_known(name)) {
                return Err(Refusal::bad_request(format!(
                    "Could not find a property named '{}' on this resource.",
                    path.join("/")
                )));
            }
        }
        let has_consent = call
            .headers
            .get("consistencylevel")
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.eq_ignore_ascii_case("eventual"))
            && call.option("$count").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if filter.is_advanced() && !has_consent {
            return Err(Refusal::unsupported_query(
                "Operator 'not', 'ne' or 'endsWith' is not supported because the request does not have the header \
                 ConsistencyLevel: eventual and the query option $count=true.",
            ));
        }
        Ok(Some(filter))
    }

    /// A page of the collection as an answer.
    ///
    /// # Errors
    /// 400 for what is not understood.
    pub async fn page(&self, call: &Call) -> Result<Value, Refusal> {
        only(call, &["$select", "$top", "$skiptoken", "$filter", "$count"])?;
        let (selected, filter, top) = (self.selected(call)?, self.filter(call)?, top(call, LARGEST)?);
        let mut after = skipped(call)?.map(EntryId::new);
        let equals = filter
            .as_ref()
            .and_then(Filter::as_equality)
            .filter(|(property, _)| {
                self.known.iter().any(|(known, _)| known == property) || *property == "appId"
            })
            .map(|(property, text)| (property.into(), text.into()));
        let mut found = Vec::new();
        let mut looked = 0;
        let mut is_end = false;
        while found.len() < top && looked < LOOKED_AT && !is_end {
            let query = EntryQuery {
                kind: self.kind,
                deleted: false,
                after: after.clone(),
                limit: top,
                equals: equals.clone(),
            };
            let entries = call.state.engine.entries(&query).await?;
            is_end = entries.len() < top;
            for entry in entries {
                looked += 1;
                after = Some(entry.id.clone());
                if filter.as_ref().is_none_or(|filter| filter.holds(&self.whole(&entry), true)) {
                    found.push(entry);
                }
                if found.len() == top {
                    is_end = false;
                    break;
                }
            }
        }
        let mut page = Map::new();
        let context = match call.option("$select") {
            Some(names) => format!("{}({names})", self.name),
            None => self.name.to_owned(),
        };
        page.insert("@odata.context".to_owned(), call.context(&context));
        if call.option("$count").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            page.insert("@odata.count".to_owned(), json!(self.count(call, filter.as_ref()).await?));
        }
        if let Some(after) = after.filter(|_| !is_end) {
            page.insert("@odata.nextLink".to_owned(), next_link(call, self.name, after.as_str()));
        }
        let views: Vec<Value> =
            found.iter().map(|entry| Value::Object(self.view(entry, selected.as_deref()))).collect();
        page.insert("value".to_owned(), Value::Array(views));
        Ok(Value::Object(page))
    }

    /// How many entries pass.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn count(&self, call: &Call, filter: Option<&Filter>) -> Result<usize, Refusal> {
        let mut query =
            EntryQuery { kind: self.kind, deleted: false, after: None, limit: LARGEST, equals: None };
        let mut count = 0;
        loop {
            let entries = call.state.engine.entries(&query).await?;
            count += entries
                .iter()
                .filter(|entry| filter.is_none_or(|filter| filter.holds(&self.whole(entry), true)))
                .count();
            match entries.last() {
                Some(last) if entries.len() == LARGEST => query.after = Some(last.id.clone()),
                _ => return Ok(count),
            }
        }
    }

    /// One entry as an answer.
    ///
    /// # Errors
    /// 400 for a property that there is not.
    pub fn one(&self, call: &Call, entry: &Entry) -> Result<Value, Refusal> {
        let selected = self.selected(call)?;
        let mut view = self.view(entry, selected.as_deref());
        let context = match call.option("$select") {
            Some(names) => format!("{}({names})/$entity", self.name),
            None => format!("{}/$entity", self.name),
        };
        view.shift_insert(0, "@odata.context".to_owned(), call.context(&context));
        Ok(Value::Object(view))
    }
}

/// A whole collection that is not paged.
pub fn whole(call: &Call, context: &str, values: Vec<Value>) -> Value {
    json!({ "@odata.context": call.context(context), "value": values })
}
