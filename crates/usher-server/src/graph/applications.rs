//! `/applications`: registrations of applications.

use usher_core::EntryKind;
use usher_engine::cases::applications::APPLICATION as PROPERTIES;

use super::operation::{Operation, run};
use super::permissions::{APP_READ, APP_WRITE};
use super::types::{
    APPLICATION, DIRECTORY_OBJECT, IDS, NEW_PASSWORD, OLD_PASSWORD, PASSWORD, REFERENCE, TEXT_REFERENCE,
};
use super::{entries, membership, owners, passwords};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::Collection;

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
    Operation::new("GET", "/applications", APP_READ, "List applications", run!(entries::list))
        .many(&APPLICATION),
    Operation::new("POST", "/applications", APP_WRITE, "Create an application", run!(create))
        .for_owners()
        .takes(&APPLICATION)
        .created(&APPLICATION),
    Operation::new("GET", "/applications/$count", APP_READ, "Count applications", run!(entries::count))
        .count(),
    Operation::new(
        "GET",
        "/applications/delta",
        APP_READ,
        "List changes of applications",
        run!(entries::delta),
    )
    .many(&APPLICATION),
    Operation::new(
        "POST",
        "/applications/getByIds",
        APP_READ,
        "Get applications by ids",
        run!(entries::by_ids),
    )
    .reads()
    .takes(&IDS)
    .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/applications/{id}", APP_READ, "Get an application", run!(entries::get))
        .for_owners()
        .one(&APPLICATION),
    Operation::new("PATCH", "/applications/{id}", APP_WRITE, "Update an application", run!(update))
        .for_owners()
        .takes(&APPLICATION),
    Operation::new("DELETE", "/applications/{id}", APP_WRITE, "Delete an application", run!(entries::delete))
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

async fn create(call: Call) -> Result<Answer, Refusal> {
    let owner = call.own_principal().await?;
    let entry = call.state.engine.create_application(call.object()?, owner.as_ref()).await?;
    entries::created(&call, &entry).await
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
