//! `recordings` and `exchanges`: source objects that a job keeps with its events, and what was sent for them. A part of the API that only Usher has.

use serde_json::{Value, json};
use usher_core::JobId;
use usher_core::recording::Recording;

use super::on_demand::stamp;
use super::operation::{Operation, run};
use super::permissions::LOG_READ;
use super::types::{EXCHANGES, RECORDING};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{self, only};

pub const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/recordings",
        LOG_READ,
        "List recorded source objects",
        run!(list),
    )
    .extension()
    .many(&RECORDING),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/recordings/{event}",
        LOG_READ,
        "Get a recorded source object",
        run!(get),
    )
    .extension()
    .one(&RECORDING),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/exchanges/{event}",
        LOG_READ,
        "Get what was sent for an event",
        run!(exchanges),
    )
    .extension()
    .one(&EXCHANGES),
];

async fn list(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$skiptoken"])?;
    let principal = call.service_principal().await?;
    let job = JobId::new(call.parameter("job"));
    let before = odata::skipped(&call)?;
    let (found, has_more) = call.state.engine.recordings(&principal.id, &job, before.as_deref()).await?;
    let mut page = json!({ "@odata.context": context(&call, "") });
    if let Some(last) = found.last().filter(|_| has_more) {
        page["@odata.nextLink"] = odata::next_link(&call, &call.path, &last.event);
    }
    page["value"] = found.iter().map(view).collect();
    Ok(Answer::ok(page))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &[])?;
    let principal = call.service_principal().await?;
    let job = JobId::new(call.parameter("job"));
    let recording = call.state.engine.recording(&principal.id, &job, call.parameter("event")).await?;
    let mut body = view(&recording);
    if let Some(members) = body.as_object_mut() {
        members.shift_insert(0, "@odata.context".to_owned(), context(&call, "/$entity"));
    }
    Ok(Answer::ok(body))
}

/// What was sent for an event of the provisioning log, and what came back.
async fn exchanges(call: Call) -> Result<Answer, Refusal> {
    only(&call, &[])?;
    let principal = call.service_principal().await?;
    let job = JobId::new(call.parameter("job"));
    let event = call.parameter("event");
    let requests = call.state.engine.exchanges(&principal.id, &job, event).await?;
    Ok(Answer::ok(json!({
        "@odata.context": below(&call, "exchanges/$entity"),
        "id": event.to_lowercase(),
        "requests": requests,
    })))
}

fn context(call: &Call, more: &str) -> Value {
    below(call, &format!("recordings{more}"))
}

fn below(call: &Call, more: &str) -> Value {
    let job = call.parameter("job");
    call.context(&format!("{}/synchronization/jobs('{job}')/{more}", call.parent_context()))
}

fn view(recording: &Recording) -> Value {
    json!({
        "id": recording.event.as_str(),
        "recordedDateTime": stamp(recording.at),
        "schema": recording.schema.as_str(),
        "person": recording.person,
        "explanation": recording.explanation,
        "requests": recording.requests,
    })
}
