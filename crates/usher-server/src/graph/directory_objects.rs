//! `/directoryObjects`: any object by its id.

use serde_json::Value;
use usher_core::EntryKind;

use super::membership;
use super::operation::{Operation, run};
use super::permissions::{DIRECTORY_READ, DIRECTORY_WRITE};
use super::types::{DIRECTORY_OBJECT, IDS};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{Feed, mixed, only};

pub const OPERATIONS: &[Operation] = &[
    Operation::new("POST", "/directoryObjects/getByIds", DIRECTORY_READ, "Get objects by ids", run!(by_ids))
        .reads()
        .takes(&IDS)
        .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/directoryObjects/delta", DIRECTORY_READ, "List changes of objects", run!(delta))
        .many(&DIRECTORY_OBJECT),
    Operation::new("GET", "/directoryObjects/{id}", DIRECTORY_READ, "Get an object", run!(get))
        .one(&DIRECTORY_OBJECT),
    Operation::new("DELETE", "/directoryObjects/{id}", DIRECTORY_WRITE, "Delete an object", run!(delete)),
];

async fn by_ids(call: Call) -> Result<Answer, Refusal> {
    membership::by_ids(&call, None).await
}

async fn delta(call: Call) -> Result<Answer, Refusal> {
    Feed { kinds: &EntryKind::ALL, name: "directoryObjects" }.page(&call).await
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select"])?;
    let entry = call.state.engine.any_object(call.parameter("id")).await?;
    let selected: Option<Vec<String>> =
        call.option("$select").map(|text| text.split(',').map(|name| name.trim().to_owned()).collect());
    let mut view = mixed(&entry, selected.as_deref());
    view.shift_insert(0, "@odata.context".to_owned(), call.context("directoryObjects/$entity"));
    Ok(Answer::ok(Value::Object(view)))
}

async fn delete(call: Call) -> Result<Answer, Refusal> {
    let entry = call.state.engine.any_object(call.parameter("id")).await?;
    call.state.engine.delete_entry(entry.kind, entry.id.as_str()).await?;
    Ok(Answer::done())
}
