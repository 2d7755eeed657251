//! `/directory/deletedItems`: what was deleted, for 30 days.

use serde_json::Value;
use usher_core::EntryKind;

use super::operation::{Operation, run};
use super::permissions::{DIRECTORY_READ, DIRECTORY_WRITE};
use super::types::{APPLICATION, DIRECTORY_OBJECT, GROUP, SERVICE_PRINCIPAL, USER};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{Collection, Entries, mixed, only};

pub const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/directory/deletedItems", DIRECTORY_READ, "List deleted items", run!(untyped))
        .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/directory/deletedItems/user", DIRECTORY_READ, "List deleted users", run!(users))
        .many(&USER),
    Operation::new(
        "GET",
        "/directory/deletedItems/group",
        DIRECTORY_READ,
        "List deleted groups",
        run!(groups),
    )
    .many(&GROUP),
    Operation::new(
        "GET",
        "/directory/deletedItems/application",
        DIRECTORY_READ,
        "List deleted applications",
        run!(applications),
    )
    .many(&APPLICATION),
    Operation::new(
        "GET",
        "/directory/deletedItems/servicePrincipal",
        DIRECTORY_READ,
        "List deleted service principals",
        run!(principals),
    )
    .many(&SERVICE_PRINCIPAL),
    Operation::new("GET", "/directory/deletedItems/{id}", DIRECTORY_READ, "Get a deleted item", run!(get))
        .one(&DIRECTORY_OBJECT),
    Operation::new(
        "DELETE",
        "/directory/deletedItems/{id}",
        DIRECTORY_WRITE,
        "Remove a deleted item for good",
        run!(remove),
    ),
    Operation::new(
        "POST",
        "/directory/deletedItems/{id}/restore",
        DIRECTORY_WRITE,
        "Restore a deleted item",
        run!(restore),
    )
    .one(&DIRECTORY_OBJECT),
];

async fn untyped(_: Call) -> Result<Answer, Refusal> {
    Err(Refusal::bad_request(
        "deleted items are listed by type: /directory/deletedItems/microsoft.graph.user, .group, .application or \
         .servicePrincipal",
    ))
}

async fn users(call: Call) -> Result<Answer, Refusal> {
    page(&call, EntryKind::User).await
}

async fn groups(call: Call) -> Result<Answer, Refusal> {
    page(&call, EntryKind::Group).await
}

async fn applications(call: Call) -> Result<Answer, Refusal> {
    page(&call, EntryKind::Application).await
}

async fn principals(call: Call) -> Result<Answer, Refusal> {
    page(&call, EntryKind::ServicePrincipal).await
}

async fn page(call: &Call, kind: EntryKind) -> Result<Answer, Refusal> {
    let path = format!("directory/deletedItems/microsoft.graph.{}", kind.as_str());
    Ok(Answer::ok(Entries { of: Collection::of(kind), deleted: true, path: &path }.page(call).await?))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &[])?;
    let entry = call.state.engine.deleted_item(call.parameter("id")).await?;
    let mut view = mixed(&entry, None);
    view.insert("deletedDateTime".to_owned(), entry.deleted_at.map(|at| at.to_string()).into());
    view.shift_insert(0, "@odata.context".to_owned(), call.context("directoryObjects/$entity"));
    Ok(Answer::ok(Value::Object(view)))
}

async fn remove(call: Call) -> Result<Answer, Refusal> {
    call.state.engine.remove_deleted(call.parameter("id")).await?;
    Ok(Answer::done())
}

async fn restore(call: Call) -> Result<Answer, Refusal> {
    let entry = call.state.engine.restore(call.parameter("id")).await?;
    let mut view = mixed(&entry, None);
    view.shift_insert(0, "@odata.context".to_owned(), call.context("directoryObjects/$entity"));
    Ok(Answer::ok(Value::Object(view)))
}
