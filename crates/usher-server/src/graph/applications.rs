//! `/applications`: registrations of applications.

use usher_core::EntryKind;
use usher_engine::cases::applications::APPLICATION as PROPERTIES;

use super::operation::{Operation, run};
use super::permissions::{APP_READ, APP_WRITE};
use super::types::{
    APPLICATION, DIRECTORY_OBJECT, IDS, NEW_PASSWORD, OLD_PASSWORD, PASSWORD, REFERENCE, TEXT_REFERENCE,
};
use super::{membership, owners, passwords};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{Collection, only};

/// What `/applications` may be asked.
pub static APPLICATIONS: Collection = Collection {
    kind: EntryKind::Application,
    name: "applications",
    shown: &[
        "id",
        "deletedDateTime",
        "appId",
        "createdDateTime",
        "displayName",
        "description",
        "identifierUris",
        "notes",
        "signInAudience",
        "tags",
        "appRoles",
        "passwordCredentials",
    ],
    extra: &[],
    expands: &["owners"],
    delta_link: None,
    known: PROPERTIES,
};

pub const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/applications", APP_READ, "List applications", run!(list)).many(&APPLICATION),
    Operation::new("POST", "/applications", APP_WRITE, "Create an application", run!(create))
        .for_owners()
        .takes(&APPLICATION)
        .created(&APPLICATION),
    Operation::new("GET", "/applications/$count", APP_READ, "Count applications", run!(count)).count(),
    Operation::new("GET", "/applications/delta", APP_READ, "List changes of applications", run!(delta))
        .many(&APPLICATION),
    Operation::new("POST", "/applications/getByIds", APP_READ, "Get applications by ids", run!(by_ids))
        .reads()
        .takes(&IDS)
        .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/applications/{id}", APP_READ, "Get an application", run!(get))
        .for_owners()
        .one(&APPLICATION),
    Operation::new("PATCH", "/applications/{id}", APP_WRITE, "Update an application", run!(update))
        .for_owners()
        .takes(&APPLICATION),
    Operation::new("DELETE", "/applications/{id}", APP_WRITE, "Delete an application", run!(delete))
        .for_owners(),
    Operation::new(
        "GET",
        "/applications/{id}/owners",
        APP_READ,
        "List owners of an application",
        run!(owners::list),
    )
    .for_owners()
    .many(&DIRECTORY_OBJECT),
    Operation::new(
        "GET",
        "/applications/{id}/owners/$ref",
        APP_READ,
        "List addresses of owners of an application",
        run!(owners::references),
    )
    .for_owners()
    .many(&TEXT_REFERENCE),
    Operation::new(
        "POST",
        "/applications/{id}/owners/$ref",
        APP_WRITE,
        "Add an owner of an application",
        run!(owners::add),
    )
    .for_owners()
    .takes(&REFERENCE),
    Operation::new(
        "DELETE",
        "/applications/{id}/owners/$ref",
        APP_WRITE,
        "Remove the owner of an application named in the query",
        run!(owners::remove),
    )
    .for_owners(),
    Operation::new(
        "DELETE",
        "/applications/{id}/owners/{member}/$ref",
        APP_WRITE,
        "Remove an owner of an application",
        run!(owners::remove),
    )
    .for_owners(),
    Operation::new(
        "POST",
        "/applications/{id}/addPassword",
        APP_WRITE,
        "Add a client secret of an application",
        run!(passwords::add),
    )
    .for_owners()
    .takes(&NEW_PASSWORD)
    .one(&PASSWORD),
    Operation::new(
        "POST",
        "/applications/{id}/removePassword",
        APP_WRITE,
        "Remove a client secret of an application",
        run!(passwords::remove),
    )
    .for_owners()
    .takes(&OLD_PASSWORD),
];

async fn list(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::ok(APPLICATIONS.page(&call).await?))
}

async fn count(call: Call) -> Result<Answer, Refusal> {
    Ok(Answer::count(APPLICATIONS.counted(&call).await?))
}

async fn delta(call: Call) -> Result<Answer, Refusal> {
    APPLICATIONS.delta(&call).await
}

async fn by_ids(call: Call) -> Result<Answer, Refusal> {
    membership::by_ids(&call, Some(EntryKind::Application)).await
}

async fn create(call: Call) -> Result<Answer, Refusal> {
    let owner = call.own_principal().await?;
    let entry = call.state.engine.create_application(call.object()?, owner.as_ref()).await?;
    let location = format!("{}/{}/{}", call.base(), APPLICATIONS.name, entry.id);
    Ok(Answer::created(APPLICATIONS.one(&call, &entry).await?, location))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select", "$expand"])?;
    let entry = call.named(EntryKind::Application, call.parameter("id")).await?;
    Ok(Answer::ok(APPLICATIONS.one(&call, &entry).await?))
}

async fn update(call: Call) -> Result<Answer, Refusal> {
    let engine = &call.state.engine;
    let owner = call.own_principal().await?;
    membership::upsert(
        &call,
        EntryKind::Application,
        async |body| Ok(engine.create_application(body, owner.as_ref()).await?),
        async |entry, body| {
            Ok(engine.update_application(EntryKind::Application, entry.id.as_str(), body).await?)
        },
    )
    .await
}

async fn delete(call: Call) -> Result<Answer, Refusal> {
    let entry = call.named(EntryKind::Application, call.parameter("id")).await?;
    call.state.engine.delete_entry(EntryKind::Application, entry.id.as_str()).await?;
    Ok(Answer::done())
}
