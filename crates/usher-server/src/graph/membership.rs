//! Pages of what an object is related to: members, owners, groups, direct reports, owned objects.

use http::StatusCode;
use serde_json::{Map, Value, json};
use usher_core::{Entry, EntryId, EntryKind, Relation};
use usher_engine::cases::related::Way;

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::filter::Filter;
use crate::odata::{self, Collection, is_eventual, mixed, only, wants_count};

/// The largest page.
const LARGEST: usize = 999;
/// How many groups `checkMemberGroups` takes.
const CHECKED: usize = 20;

/// What is asked: from which object, which way, and only which kind.
pub struct Related<'a> {
    /// The object.
    pub of: &'a Entry,
    /// The way.
    pub way: Way,
    /// The name of the relation in the path.
    pub name: &'a str,
    /// Only this kind, as a cast asks.
    pub cast: Option<EntryKind>,
}

impl Related<'_> {
    fn path(&self) -> String {
        let cast = self.cast.map(|kind| format!("/microsoft.graph.{}", kind.as_str())).unwrap_or_default();
        format!("{}/{}/{}{cast}", Collection::of(self.of.kind).name, self.of.id, self.name)
    }

    /// A page as an answer.
    pub async fn page(&self, call: &Call) -> Result<Answer, Refusal> {
        only(call, &["$select", "$top", "$skiptoken", "$count", "$filter"])?;
        let collection = Collection::of(self.cast.unwrap_or(EntryKind::User));
        let filter = self.filter(call, collection)?;
        let selected = call.option("$select").map(names);
        if self.cast.is_some() {
            collection.selected(call)?;
        }
        let top = odata::top(call, LARGEST)?;
        let (found, next) = self.entries(call, filter.as_ref(), top).await?;
        let mut page = Map::new();
        let mut context = match self.cast {
            Some(_) => collection.name.to_owned(),
            None => "directoryObjects".to_owned(),
        };
        if let Some(names) = call.option("$select") {
            context.push_str(&format!("({names})"));
        }
        page.insert("@odata.context".to_owned(), call.context(&context));
        if wants_count(call) {
            page.insert("@odata.count".to_owned(), json!(self.count(call, filter.as_ref()).await?));
        }
        if let Some(after) = next {
            page.insert("@odata.nextLink".to_owned(), odata::next_link(call, &self.path(), after.as_str()));
        }
        let views = found.iter().map(|entry| {
            Value::Object(match self.cast {
                Some(_) => collection.view(entry, selected.as_deref()),
                None => mixed(entry, selected.as_deref()),
            })
        });
        page.insert("value".to_owned(), views.collect());
        Ok(Answer::ok(Value::Object(page)))
    }

    /// The addresses of a page of objects, as `/$ref` asks.
    pub async fn references(&self, call: &Call) -> Result<Answer, Refusal> {
        only(call, &["$top", "$skiptoken"])?;
        let top = odata::top(call, LARGEST)?;
        let (found, next) = self.entries(call, None, top).await?;
        let mut page = Map::new();
        page.insert("@odata.context".to_owned(), call.context("Collection($ref)"));
        if let Some(after) = next {
            let path = format!("{}/$ref", self.path());
            page.insert("@odata.nextLink".to_owned(), odata::next_link(call, &path, after.as_str()));
        }
        let links = found.iter().map(|entry| json!(format!("{}/directoryObjects/{}", call.base(), entry.id)));
        page.insert("value".to_owned(), links.collect());
        Ok(Answer::ok(Value::Object(page)))
    }

    /// The number of objects as plain text, as `/$count` asks.
    pub async fn counted(&self, call: &Call) -> Result<Answer, Refusal> {
        only(call, &["$filter"])?;
        if !is_eventual(call) {
            return Err(Refusal::unsupported_query("$count needs the header ConsistencyLevel: eventual"));
        }
        let filter = self.filter(call, Collection::of(self.cast.unwrap_or(EntryKind::User)))?;
        Ok(Answer::count(self.count(call, filter.as_ref()).await?))
    }

    /// A filter on related objects is an advanced query.
    fn filter(&self, call: &Call, collection: &Collection) -> Result<Option<Filter>, Refusal> {
        let filter = collection.any_filter(call)?;
        if filter.is_some() && !is_eventual(call) {
            return Err(Refusal::unsupported_query(
                "$filter on related objects needs the header ConsistencyLevel: eventual and the query option \
                 $count=true.",
            ));
        }
        Ok(filter)
    }

    async fn entries(
        &self,
        call: &Call,
        filter: Option<&Filter>,
        top: usize,
    ) -> Result<(Vec<Entry>, Option<EntryId>), Refusal> {
        let engine = &call.state.engine;
        let mut after = odata::skipped(call)?.map(EntryId::new);
        let mut found = Vec::new();
        loop {
            let ids = engine.related_ids(&self.of.id, self.way, after.as_ref(), LARGEST).await?;
            let is_end = ids.len() < LARGEST;
            for id in ids {
                if found.len() == top {
                    return Ok((found, after));
                }
                if let Some(entry) = self.passes(call, &id, filter).await? {
                    found.push(entry);
                }
                after = Some(id);
            }
            if is_end {
                return Ok((found, None));
            }
        }
    }

    async fn count(&self, call: &Call, filter: Option<&Filter>) -> Result<usize, Refusal> {
        let (mut after, mut count) = (None, 0);
        loop {
            let ids = call.state.engine.related_ids(&self.of.id, self.way, after.as_ref(), LARGEST).await?;
            let is_end = ids.len() < LARGEST;
            for id in &ids {
                count += usize::from(self.passes(call, id, filter).await?.is_some());
            }
            if is_end {
                return Ok(count);
            }
            after = ids.last().cloned();
        }
    }

    async fn passes(
        &self,
        call: &Call,
        id: &EntryId,
        filter: Option<&Filter>,
    ) -> Result<Option<Entry>, Refusal> {
        let found = call.state.engine.living(std::slice::from_ref(id)).await?.pop();
        Ok(found.filter(|entry| self.cast.is_none_or(|kind| kind == entry.kind)).filter(|entry| {
            filter.is_none_or(|filter| filter.holds(&Collection::of(entry.kind).whole(entry), true))
        }))
    }
}

fn names(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The groups that an object is in, by any number of steps, as `getMemberGroups` and `getMemberObjects` ask.
pub async fn member_groups(call: &Call, of: &Entry) -> Result<Answer, Refusal> {
    let body = call.object()?;
    let only_security = body
        .get("securityEnabledOnly")
        .and_then(Value::as_bool)
        .ok_or_else(|| Refusal::bad_request("the body needs 'securityEnabledOnly', true or false"))?;
    let groups = groups_of(call, of).await?;
    let ids: Vec<Value> = groups
        .iter()
        .filter(|group| !only_security || group.is_true("securityEnabled"))
        .map(|group| json!(group.id.as_str()))
        .collect();
    Ok(Answer::ok(odata::whole(call, "Collection(Edm.String)", ids)?))
}

/// Which of some groups an object is in, as `checkMemberGroups` asks.
pub async fn check_member_groups(call: &Call, of: &Entry) -> Result<Answer, Refusal> {
    let body = call.object()?;
    let asked: Option<Vec<&str>> = body
        .get("groupIds")
        .and_then(Value::as_array)
        .and_then(|ids| ids.iter().map(Value::as_str).collect());
    let asked = asked.filter(|ids| ids.len() <= CHECKED).ok_or_else(|| {
        Refusal::bad_request(format!("the body needs 'groupIds', a list of at most {CHECKED} ids"))
    })?;
    let groups = groups_of(call, of).await?;
    let ids = groups
        .iter()
        .filter(|group| asked.iter().any(|id| id.eq_ignore_ascii_case(group.id.as_str())))
        .map(|group| json!(group.id.as_str()));
    Ok(Answer::ok(odata::whole(call, "Collection(Edm.String)", ids.collect())?))
}

async fn groups_of(call: &Call, of: &Entry) -> Result<Vec<Entry>, Refusal> {
    let way = Way::AllIn(Relation::Members);
    let ids = call.state.engine.related_ids(&of.id, way, None, usize::MAX).await?;
    Ok(call.state.engine.living(&ids).await?)
}

/// The living objects with these ids, of these kinds, as `getByIds` asks.
pub async fn by_ids(call: &Call, only_kind: Option<EntryKind>) -> Result<Answer, Refusal> {
    let body = call.object()?;
    let list = |name: &str| -> Option<Vec<String>> {
        body.get(name)?.as_array()?.iter().map(|one| one.as_str().map(str::to_lowercase)).collect()
    };
    let ids = list("ids")
        .filter(|ids| !ids.is_empty() && ids.len() <= 1_000)
        .ok_or_else(|| Refusal::bad_request("the body needs 'ids', a list of one to 1,000 ids"))?;
    let types = list("types");
    let ids: Vec<EntryId> = ids.into_iter().map(EntryId::new).collect();
    let found = call.state.engine.living(&ids).await?;
    let values = found
        .iter()
        .filter(|entry| only_kind.is_none_or(|kind| kind == entry.kind))
        .filter(|entry| {
            types
                .as_ref()
                .is_none_or(|types| types.iter().any(|name| entry.kind.as_str().eq_ignore_ascii_case(name)))
        })
        .map(|entry| Value::Object(mixed(entry, None)));
    Ok(Answer::ok(odata::whole(call, "directoryObjects", values.collect())?))
}

/// Adds what a body refers to.
pub async fn add(call: &Call, of: &Entry, relation: Relation) -> Result<Answer, Refusal> {
    let object = linked(&call.object()?)?;
    call.state.engine.link(&of.id, relation, &object).await?;
    Ok(Answer::done())
}

/// Removes what the path names, or `?@id=` / `?$id=`.
pub async fn remove(call: &Call, of: &Entry, relation: Relation) -> Result<Answer, Refusal> {
    let named = call.parameter("member");
    let object = if named.is_empty() {
        let link = call.option("@id").or_else(|| call.option("$id")).ok_or_else(|| {
            Refusal::bad_request("name the object in the path, or with ?@id= and its address")
        })?;
        usher_engine::cases::directory::id_of_link(link)?.to_owned()
    } else {
        named.to_owned()
    };
    call.state.engine.unlink(&of.id, relation, &object).await?;
    Ok(Answer::done())
}

/// The id that an `@odata.id` of a body ends in.
pub fn linked(body: &Map<String, Value>) -> Result<String, Refusal> {
    let link = body.get("@odata.id").and_then(Value::as_str).ok_or_else(|| {
        Refusal::bad_request("the body needs '@odata.id' with the address of the object to refer to")
    })?;
    Ok(usher_engine::cases::directory::id_of_link(link)?.to_owned())
}

/// What an upsert on an alternate key says to make: `Prefer: create-if-missing` (Graph, upsert).
pub fn creates_if_missing(call: &Call) -> bool {
    let preferences = call.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    preferences
        .flat_map(|text| text.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case("create-if-missing"))
}

/// Changes the object that the path names; with an alternate key and `Prefer: create-if-missing` it is made when it is
/// not there.
pub async fn upsert<C, U>(
    call: &Call,
    kind: EntryKind,
    create: impl FnOnce(Map<String, Value>) -> C,
    update: impl FnOnce(Entry, Map<String, Value>) -> U,
) -> Result<Answer, Refusal>
where
    C: Future<Output = Result<Entry, Refusal>>,
    U: Future<Output = Result<(), Refusal>>,
{
    let id = call.parameter("id");
    let mut body = call.object()?;
    match call.named(kind, id).await {
        Ok(entry) => {
            update(entry, body).await?;
            Ok(Answer::done())
        }
        Err(refusal) if refusal.status == StatusCode::NOT_FOUND && creates_if_missing(call) => {
            let Some((property, value)) = crate::path::alternate_key(id) else { return Err(refusal) };
            let property = property.to_owned();
            body.entry(property).or_insert(json!(value));
            let entry = create(body).await?;
            let collection = Collection::of(kind);
            let location = format!("{}/{}/{}", call.base(), collection.name, entry.id);
            Ok(Answer::created(collection.one(call, &entry).await?, location))
        }
        Err(refusal) => Err(refusal),
    }
}
