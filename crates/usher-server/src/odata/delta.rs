//! Delta queries: what changed since a token (Graph, delta query overview). Tokens hold the first query's options.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use usher_core::ports::{EntryChange, LinkChange};
use usher_core::{Entry, EntryId, EntryKind, Relation};

use super::{Collection, only, preference};
use crate::call::{Answer, Call};
use crate::errors::Refusal;

/// How long a token is good: seven days.
const LIFE: i64 = 7 * 24 * 3_600;
/// The page size when nobody says, and the largest.
const PAGE: usize = 200;
const LARGEST: usize = 999;
/// How many links one object tells of in a page; it comes again with the rest.
const LINKS: usize = 2_000;
/// How many objects a filter may name.
const NAMED: usize = 50;

/// What a `$skiptoken` or `$deltatoken` holds.
#[derive(Clone, Serialize, Deserialize)]
struct Token {
    /// The collection.
    c: String,
    /// Changes up to this number are known to the caller.
    a: u64,
    /// This round ends with this number; none in a delta token.
    u: Option<u64>,
    /// Links of the next object up to this one are known.
    l: Option<String>,
    /// When it was made, in seconds.
    t: i64,
    /// The properties.
    s: Option<String>,
    /// The objects; none means all.
    i: Option<Vec<String>>,
    /// The number with which the round began; the caller knows links up to it.
    b: u64,
}

impl Token {
    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_string(self).unwrap_or_default())
    }
}

impl Collection {
    /// A page of changes as an answer.
    ///
    /// # Errors
    /// 400 for what is not understood, 410 for a token that is too old.
    pub async fn delta(&self, call: &Call) -> Result<Answer, Refusal> {
        Feed { kinds: &[self.kind], name: self.name }.page(call).await
    }
}

/// What changes are told of: one kind of objects, or all, which then say what they are.
pub struct Feed<'a> {
    /// The kinds.
    pub kinds: &'a [EntryKind],
    /// The segment in contexts and links.
    pub name: &'a str,
}

impl Feed<'_> {
    /// A page of changes as an answer.
    ///
    /// # Errors
    /// 400 for what is not understood, 410 for a token that is too old.
    pub async fn page(&self, call: &Call) -> Result<Answer, Refusal> {
        only(call, &["$select", "$filter", "$skiptoken", "$deltatoken"])?;
        let is_minimal = preference(call, "return").is_some_and(|one| one.eq_ignore_ascii_case("minimal"));
        let engine = &call.state.engine;
        let mut token = self.begun(call)?;
        let last = engine.last_change().await?;
        let until = *token.u.get_or_insert(last);
        if call.option("$deltatoken").is_some_and(|text| text.eq_ignore_ascii_case("latest")) {
            token.a = until;
        }
        let selected: Option<Vec<String>> =
            token.s.as_ref().map(|text| text.split(',').map(|name| name.trim().to_owned()).collect());
        let most = preference(call, "odata.maxpagesize").and_then(|text| text.parse().ok()).unwrap_or(PAGE);
        let most = most.clamp(1, LARGEST);
        let changes = self.changes(call, token.a, until, most).await?;
        let mut is_end = changes.len() < most;
        let mut values = Vec::new();
        for (kind, change) in changes {
            if let Some(ids) = &token.i
                && !ids.iter().any(|id| id == change.id.as_str())
            {
                token.a = change.number;
                continue;
            }
            let entry = match change.is_removed {
                true => None,
                false => engine.store.entry(kind, &change.id).await.map_err(super::failed)?,
            };
            let Some(entry) = entry.filter(|entry| entry.deleted_at.is_none()) else {
                // What came and went within a first round was never there for the caller.
                if token.b > 0 {
                    let reason = if change.is_removed { "deleted" } else { "changed" };
                    let mut gone = json!({ "id": change.id.as_str(), "@removed": { "reason": reason } });
                    if self.is_mixed() {
                        gone["@odata.type"] = json!(type_name(kind));
                    }
                    values.push(gone);
                }
                token.a = change.number;
                continue;
            };
            let (mut view, rest) = self.changed(call, &entry, selected.as_deref(), &token, until).await?;
            if is_minimal && token.b > 0 {
                keep_changed(call, &entry, token.b, &mut view).await?;
            }
            values.push(Value::Object(view));
            if rest.is_some() {
                token.l = rest;
                is_end = false;
                break;
            }
            token.l = None;
            token.a = change.number;
        }
        let mut page = Map::new();
        let context = match &token.s {
            Some(names) => format!("{}({names})", self.name),
            None => self.name.to_owned(),
        };
        page.insert("@odata.context".to_owned(), call.context(&context));
        let link = |option: &str, token: &Token| {
            json!(format!("{}/{}/delta?{option}={}", call.base(), self.name, token.write()))
        };
        token.t = engine.clock.now().as_second();
        if is_end {
            token = Token { a: until, b: until.max(1), u: None, l: None, ..token };
            page.insert("@odata.deltaLink".to_owned(), link("$deltatoken", &token));
        } else {
            page.insert("@odata.nextLink".to_owned(), link("$skiptoken", &token));
        }
        page.insert("value".to_owned(), Value::Array(values));
        let mut answer = Answer::ok(Value::Object(page));
        if is_minimal {
            answer.headers.push(("Preference-Applied", "return=minimal".to_owned()));
        }
        Ok(answer)
    }

    fn is_mixed(&self) -> bool {
        self.kinds.len() > 1
    }

    /// The next changes of all kinds, in their order.
    async fn changes(
        &self,
        call: &Call,
        after: u64,
        until: u64,
        most: usize,
    ) -> Result<Vec<(EntryKind, EntryChange)>, Refusal> {
        let mut all = Vec::new();
        for kind in self.kinds {
            let changes = call.state.engine.changes(*kind, after, until, most).await?;
            all.extend(changes.into_iter().map(|change| (*kind, change)));
        }
        all.sort_by_key(|(_, change)| change.number);
        all.truncate(most);
        Ok(all)
    }

    /// Whether objects that are told of have the property.
    fn knows(&self, name: &str) -> bool {
        self.kinds.iter().any(|kind| {
            let collection = Collection::of(*kind);
            collection.is_known(name) || collection.delta_link.is_some_and(|link| link.as_str() == name)
        })
    }

    /// The token that the caller gave, or that of a first call.
    fn begun(&self, call: &Call) -> Result<Token, Refusal> {
        let given = call.option("$skiptoken").or_else(|| call.option("$deltatoken"));
        let now = call.state.engine.clock.now().as_second();
        if let Some(text) = given.filter(|text| !text.eq_ignore_ascii_case("latest")) {
            if call.option("$select").is_some() || call.option("$filter").is_some() {
                return Err(Refusal::bad_request(
                    "the options of a delta query are fixed by its first call; follow the link as it stands",
                ));
            }
            let read =
                URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let token: Token = read.filter(|token: &Token| token.c == self.name).ok_or_else(|| {
                Refusal::bad_request(
                    "Badly formed token: it is none of this collection; begin anew without one.",
                )
            })?;
            if now - token.t > LIFE {
                return Err(Refusal::gone(format!("{}/{}/delta", call.base(), self.name)));
            }
            return Ok(token);
        }
        let select = call.option("$select").map(str::to_owned);
        for name in select.iter().flat_map(|names| names.split(',')).map(str::trim) {
            if !self.knows(name) {
                return Err(Refusal::bad_request(format!(
                    "Could not find a property named '{name}' on this resource."
                )));
            }
        }
        Ok(Token {
            c: self.name.to_owned(),
            a: 0,
            u: None,
            l: None,
            t: now,
            s: select,
            i: named(call)?,
            b: 0,
        })
    }

    /// An object with the links that changed, and where its links go on.
    async fn changed(
        &self,
        call: &Call,
        entry: &Entry,
        selected: Option<&[String]>,
        token: &Token,
        until: u64,
    ) -> Result<(Map<String, Value>, Option<String>), Refusal> {
        let collection = Collection::of(entry.kind);
        let mut view = match (&token.l, selected) {
            // The rest of its links: the properties were told before.
            (Some(_), _) => Map::new(),
            (None, Some(names)) => {
                let names: Vec<String> =
                    names.iter().filter(|name| collection.is_known(name)).cloned().collect();
                collection.view(entry, Some(&names))
            }
            (None, None) => collection.view(entry, None),
        };
        if self.is_mixed() {
            view.shift_insert(0, "@odata.type".to_owned(), json!(type_name(entry.kind)));
        }
        view.insert("id".to_owned(), json!(entry.id.as_str()));
        let link = collection.delta_link.filter(|link| match selected {
            Some(names) => names.iter().any(|name| name == link.as_str()),
            // Managers come only when asked for (Graph, user: delta).
            None => *link == Relation::Members,
        });
        let Some(link) = link else { return Ok((view, None)) };
        let after = token.l.as_deref().map(EntryId::new);
        let engine = &call.state.engine;
        let mut changes: Vec<LinkChange> =
            engine.link_changes(&entry.id, link, (token.b, until), after.as_ref(), LINKS).await?;
        let rest = changes.last().filter(|_| changes.len() == LINKS).map(|last| last.to.to_string());
        if token.b == 0 {
            changes.retain(|change| !change.is_removed);
        }
        if !changes.is_empty() {
            let mut links = Vec::with_capacity(changes.len());
            for change in changes {
                links.push(link_view(call, &change).await?);
            }
            view.insert(format!("{}@delta", link.as_str()), Value::Array(links));
        }
        Ok((view, rest))
    }
}

/// Leaves out the properties that are as the caller knows them (`Prefer: return=minimal`; Graph, delta query overview).
async fn keep_changed(
    call: &Call,
    entry: &Entry,
    known: u64,
    view: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    let changed = call.state.engine.property_changes(entry.kind, &entry.id, known).await?;
    if let Some(changed) = changed {
        view.retain(|name, _| name == "id" || name.contains('@') || changed.contains(name));
    }
    Ok(())
}

async fn link_view(call: &Call, change: &LinkChange) -> Result<Value, Refusal> {
    let kind = match call.state.engine.directory_object(change.to.as_str()).await {
        Ok(entry) => entry.kind.as_str(),
        Err(usher_engine::cases::CaseError::NotFound { .. }) => "user",
        Err(error) => return Err(error.into()),
    };
    let mut view = json!({ "@odata.type": format!("#microsoft.graph.{kind}"), "id": change.to.as_str() });
    if change.is_removed {
        view["@removed"] = json!({ "reason": "deleted" });
    }
    Ok(view)
}

fn type_name(kind: EntryKind) -> String {
    format!("#microsoft.graph.{}", kind.as_str())
}

/// The objects that a filter names: `id eq 'a' or id eq 'b'`.
fn named(call: &Call) -> Result<Option<Vec<String>>, Refusal> {
    let Some(text) = call.option("$filter") else { return Ok(None) };
    let filter = crate::filter::Filter::parse(text)
        .map_err(|error| Refusal::bad_request(format!("Invalid filter clause: {error}.")))?;
    let ids = filter.any_of("id").filter(|ids| ids.len() <= NAMED).ok_or_else(|| {
        Refusal::unsupported_query(format!(
            "a delta query can only be filtered by at most {NAMED} ids: id eq 'a' or id eq 'b'"
        ))
    })?;
    Ok(Some(ids.into_iter().map(str::to_lowercase).collect()))
}
