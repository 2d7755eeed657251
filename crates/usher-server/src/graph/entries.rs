//! What users, groups, contacts, applications and service principals have in common. The collection is the one that the path
//! begins with.

use usher_core::{Entry, EntryKind, Relation};
use usher_engine::cases::related::Way;

use super::membership::{self, Related};
use super::{APPLICATIONS, CONTACTS, GROUPS, PRINCIPALS, USERS};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{Collection, only};

/// The collection that the path begins with.
pub fn collection(call: &Call) -> &'static Collection {
    match call.collection() {
        "users" => &USERS,
        "groups" => &GROUPS,
        "contacts" => &CONTACTS,
        "applications" => &APPLICATIONS,
        _ => &PRINCIPALS,
    }
}

/// The entry that the path names by object id or alternate key; a user also by user principal name.
///
/// # Errors
/// 404.
pub async fn found(call: &Call) -> Result<Entry, Refusal> {
    let (kind, id) = (collection(call).kind, call.parameter("id"));
    if kind == EntryKind::User && crate::path::alternate_key(id).is_none() {
        return Ok(call.state.engine.user(id).await?);
    }
    call.named(kind, id).await
}

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(collection(&call).page(&call).await?))
}

pub async fn count(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::count(collection(&call).counted(&call).await?))
}

pub async fn delta(call: Call) -> Result<Answer, Refusal> {
    collection(&call).delta(&call).await
}

pub async fn by_ids(call: Call) -> Result<Answer, Refusal> {
    membership::by_ids(&call, Some(collection(&call).kind)).await
}

pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let collection = collection(&call);
    let options: &[&str] = match collection.kind {
        // Managers by levels ask for it (Graph, list manager).
        EntryKind::User => &["$select", "$expand", "$count"],
        _ => &["$select", "$expand"],
    };
    only(&call, options)?;
    let entry = found(&call).await?;
    Ok(Answer::ok(collection.one(&call, &entry).await?))
}

/// The answer to a request that made an entry.
///
/// # Errors
/// Only the store's.
pub async fn created(call: &Call, entry: &Entry) -> Result<Answer, Refusal> {
    let collection = collection(call);
    let location = format!("{}/{}/{}", call.base(), collection.name, entry.id);
    Ok(Answer::created(collection.one(call, entry).await?, location))
}

pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.delete_entry(entry.kind, entry.id.as_str()).await?;
    Ok(Answer::done())
}

/// A page of what an entry is related to.
///
/// # Errors
/// 404, and what is wrong with the options.
pub async fn related(call: &Call, way: Way, name: &str, cast: Option<EntryKind>) -> Result<Answer, Refusal> {
    let of = found(call).await?;
    Related { of: &of, way, name, cast }.page(call).await
}

/// How many an entry is related to.
///
/// # Errors
/// As for a page.
pub async fn counted(call: &Call, way: Way, name: &str, cast: Option<EntryKind>) -> Result<Answer, Refusal> {
    let of = found(call).await?;
    Related { of: &of, way, name, cast }.counted(call).await
}

pub async fn member_of(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::In(Relation::Members), "memberOf", None).await
}

pub async fn groups_of(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::In(Relation::Members), "memberOf", Some(EntryKind::Group)).await
}

pub async fn transitive_member_of(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::AllIn(Relation::Members), "transitiveMemberOf", None).await
}

pub async fn all_groups_of(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::AllIn(Relation::Members), "transitiveMemberOf", Some(EntryKind::Group)).await
}

pub async fn owned(call: Call) -> Result<Answer, Refusal> {
    related(&call, Way::In(Relation::Owners), "ownedObjects", None).await
}

pub async fn member_groups(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    membership::member_groups(&call, &of).await
}

pub async fn check_member_groups(call: Call) -> Result<Answer, Refusal> {
    let of = found(&call).await?;
    membership::check_member_groups(&call, &of).await
}
