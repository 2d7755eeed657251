//! `/users`: people of the directory inside.

use serde_json::Value;
use usher_core::EntryKind;
use usher_engine::cases::directory::id_of_link;
use usher_engine::cases::users::PROPERTIES;

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{Collection, only};

/// What `/users` may be asked.
pub const USERS: Collection = Collection {
    kind: EntryKind::User,
    name: "users",
    shown: &[
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    ],
    extra: &["createdDateTime", "deletedDateTime"],
    known: PROPERTIES,
};

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(USERS.page(&call).await?))
}

pub async fn count(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$filter", "$count"])?;
    let consents = call
        .headers
        .get("consistencylevel")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.eq_ignore_ascii_case("eventual"));
    if !consents {
        return Err(Refusal::unsupported_query("$count needs the header ConsistencyLevel: eventual"));
    }
    let filter = USERS.filter(&call)?;
    Ok(Answer::count(USERS.count(&call, filter.as_ref()).await?))
}

pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let entry = call.state.engine.create_user(call.object()?).await?;
    let location = format!("{}/users/{}", call.base(), entry.id);
    Ok(Answer::created(USERS.one(&call, &entry)?, location))
}

pub async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select"])?;
    let entry = found(&call).await?;
    Ok(Answer::ok(USERS.one(&call, &entry)?))
}

pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.update_user(entry.id.as_str(), call.object()?).await?;
    Ok(Answer::done())
}

pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.delete_entry(EntryKind::User, entry.id.as_str()).await?;
    Ok(Answer::done())
}

pub async fn manager(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select"])?;
    let entry = found(&call).await?;
    let manager = call.state.engine.manager(entry.id.as_str()).await?;
    let mut view = USERS.one(&call, &manager)?;
    view["@odata.context"] = call.context("directoryObjects/$entity");
    view["@odata.type"] = Value::from("#microsoft.graph.user");
    Ok(Answer::ok(view))
}

pub async fn set_manager(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    let body = call.object()?;
    let manager = linked(&body)?;
    call.state.engine.set_manager(entry.id.as_str(), &manager).await?;
    Ok(Answer::done())
}

pub async fn clear_manager(call: Call) -> Result<Answer, Refusal> {
    let entry = found(&call).await?;
    call.state.engine.clear_manager(entry.id.as_str()).await?;
    Ok(Answer::done())
}

/// The user that the path names by object id, user principal name or alternate key.
pub async fn found(call: &Call) -> Result<usher_core::Entry, Refusal> {
    let id = call.parameter("id");
    if crate::path::alternate_key(id).is_some() {
        return call.named(EntryKind::User, id).await;
    }
    Ok(call.state.engine.user(id).await?)
}

/// The id that an `@odata.id` of a body ends in.
pub fn linked(body: &serde_json::Map<String, Value>) -> Result<String, Refusal> {
    let link = body.get("@odata.id").and_then(Value::as_str).ok_or_else(|| {
        Refusal::bad_request("the body needs '@odata.id' with the address of the object to refer to")
    })?;
    Ok(id_of_link(link)?.to_owned())
}
