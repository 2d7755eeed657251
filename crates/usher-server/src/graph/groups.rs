//! `/groups`: groups of the directory inside, their members and owners.

use serde_json::{Map, Value, json};
use usher_core::{Entry, EntryId, EntryKind, Relation};
use usher_engine::cases::directory::id_of_link;
use usher_engine::cases::groups::PROPERTIES;

use super::users::{USERS, linked};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{self, Collection, only};

/// What `/groups` may be asked.
pub const GROUPS: Collection = Collection {
    kind: EntryKind::Group,
    name: "groups",
    shown: &[
        "id",
        "deletedDateTime",
        "classification",
        "createdDateTime",
        "description",
        "displayName",
        "groupTypes",
        "mail",
        "mailEnabled",
        "mailNickname",
        "membershipRule",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
        "proxyAddresses",
        "securityEnabled",
        "visibility",
    ],
    extra: &[],
    known: PROPERTIES,
};

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(GROUPS.page(&call).await?))
}

pub async fn count(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$filter", "$count"])?;
    let filter = GROUPS.filter(&call)?;
    Ok(Answer::count(GROUPS.count(&call, filter.as_ref()).await?))
}

pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let entry = call.state.engine.create_group(call.object()?).await?;
    let location = format!("{}/groups/{}", call.base(), entry.id);
    Ok(Answer::created(GROUPS.one(&call, &entry)?, location))
}

pub async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select"])?;
    let entry = found(&call).await?;
    Ok(Answer::ok(GROUPS.one(&call, &entry)?))
}

pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.update_group(entry.id.as_str(), call.object()?).await?;
    Ok(Answer::done())
}

pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.delete_entry(EntryKind::Group, entry.id.as_str()).await?;
    Ok(Answer::done())
}

pub async fn members(call: Call) -> Result<Answer, Refusal> {
    linked_page(&call, Relation::Members).await
}

pub async fn owners(call: Call) -> Result<Answer, Refusal> {
    linked_page(&call, Relation::Owners).await
}

pub async fn add_member(call: Call) -> Result<Answer, Refusal> {
    add(&call, Relation::Members).await
}

pub async fn add_owner(call: Call) -> Result<Answer, Refusal> {
    add(&call, Relation::Owners).await
}

pub async fn remove_member(call: Call) -> Result<Answer, Refusal> {
    remove(&call, Relation::Members).await
}

pub async fn remove_owner(call: Call) -> Result<Answer, Refusal> {
    remove(&call, Relation::Owners).await
}

async fn add(call: &Call, relation: Relation) -> Result<Answer, Refusal> {
    let group = found(call).await?;
    let object = linked(&call.object()?)?;
    call.state.engine.link(&group.id, relation, &object).await?;
    Ok(Answer::done())
}

/// The object is named in the path, or in `?@id=` / `?$id=`.
async fn remove(call: &Call, relation: Relation) -> Result<Answer, Refusal> {
    let group = found(call).await?;
    let named = call.parameter("member");
    let object = if named.is_empty() {
        let link = call.option("@id").or_else(|| call.option("$id")).ok_or_else(|| {
            Refusal::bad_request("name the object in the path, or with ?@id= and its address")
        })?;
        id_of_link(link)?.to_owned()
    } else {
        named.to_owned()
    };
    call.state.engine.unlink(&group.id, relation, &object).await?;
    Ok(Answer::done())
}

async fn linked_page(call: &Call, relation: Relation) -> Result<Answer, Refusal> {
    only(call, &["$select", "$top", "$skiptoken"])?;
    let group = found(call).await?;
    let top = odata::top(call, 999)?;
    let after = odata::skipped(call)?.map(EntryId::new);
    let ids = call
        .state
        .engine
        .store
        .links_from(&group.id, relation, after.as_ref(), top)
        .await
        .map_err(|error| Refusal::from(usher_engine::cases::CaseError::from(error)))?;
    let entries = call.state.engine.linked(&group.id, relation, after.as_ref(), top).await?;
    let mut values = Vec::with_capacity(entries.len());
    for entry in &entries {
        values.push(Value::Object(mixed(call, entry)?));
    }
    let path = format!("groups/{}/{}", group.id, relation.as_str());
    let mut page = Map::new();
    page.insert("@odata.context".to_owned(), call.context("directoryObjects"));
    if let Some(last) = ids.last().filter(|_| ids.len() == top) {
        page.insert("@odata.nextLink".to_owned(), odata::next_link(call, &path, last.as_str()));
    }
    page.insert("value".to_owned(), Value::Array(values));
    Ok(Answer::ok(Value::Object(page)))
}

/// An entry in a collection of mixed kinds: it says what it is.
fn mixed(call: &Call, entry: &Entry) -> Result<Map<String, Value>, Refusal> {
    let mut view = match entry.kind {
        EntryKind::User => USERS.view(entry, USERS.selected(call)?.as_deref()),
        EntryKind::Group => GROUPS.view(entry, None),
        EntryKind::Application | EntryKind::ServicePrincipal => Map::from_iter([
            ("id".to_owned(), json!(entry.id.as_str())),
            ("displayName".to_owned(), json!(entry.text("displayName"))),
        ]),
    };
    view.shift_insert(
        0,
        "@odata.type".to_owned(),
        json!(format!("#microsoft.graph.{}", entry.kind.as_str())),
    );
    Ok(view)
}

async fn found(call: &Call) -> Result<Entry, Refusal> {
    call.named(EntryKind::Group, call.parameter("id")).await
}
