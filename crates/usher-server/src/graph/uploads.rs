//! `bulkUpload`: records come in as a SCIM bulk request, are staged, and a job provisions them.

use http::StatusCode;
use serde_json::{Value, json};
use smol_str::SmolStr;
use usher_core::{Job, JobId};

use super::operation::{Gives, Operation, run};
use super::permissions::{SYNC_READ, SYNC_WRITE, UPLOAD, UPLOAD_OWNED};
use super::types::{BULK, BULK_REQUEST};
use crate::call::{Answer, Call};
use crate::errors::Refusal;

/// How many operations one request may have (Graph, bulkUpload).
const MOST: usize = 50;
/// What the body must be.
const BULK_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

pub const OPERATIONS: &[Operation] = &[
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/bulkUpload",
        UPLOAD,
        "Upload records for a job",
        run!(upload),
    )
    .for_owners_with(UPLOAD_OWNED)
    .takes(&BULK_REQUEST)
    .gives(Gives::Accepted),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/bulkUpload",
        SYNC_READ,
        "Get the bulk upload of a job",
        run!(get),
    )
    .for_owners()
    .one(&BULK),
    Operation::new(
        "PATCH",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/bulkUpload",
        SYNC_WRITE,
        "Update the bulk upload of a job",
        run!(update),
    )
    .for_owners()
    .takes(&BULK)
    .one(&BULK),
    Operation::new(
        "DELETE",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/bulkUpload",
        SYNC_WRITE,
        "Forget what was uploaded for a job",
        run!(delete),
    )
    .for_owners(),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/bulkUpload/$value",
        SYNC_READ,
        "Get what was uploaded for a job",
        run!(content),
    )
    .for_owners()
    .gives(Gives::Content),
    Operation::new(
        "PUT",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/bulkUpload/$value",
        UPLOAD,
        "Upload records for a job",
        run!(upload_content),
    )
    .for_owners_with(UPLOAD_OWNED),
    Operation::new(
        "DELETE",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/bulkUpload/$value",
        SYNC_WRITE,
        "Forget the records that were uploaded for a job",
        run!(delete),
    )
    .for_owners(),
];

async fn job(call: &Call) -> Result<Job, Refusal> {
    let principal = call.service_principal().await?;
    Ok(call.state.engine.job(&principal.id, &JobId::new(call.parameter("job"))).await?)
}

async fn upload(call: Call) -> Result<Answer, Refusal> {
    call.state
        .upload_throttle
        .take(&call.caller.app_id, call.state.engine.clock.now())
        .map_err(Refusal::throttled)?;
    let job = job(&call).await?;
    is_scim(&call)?;
    stage(&call, &job).await?;
    let location = format!("{}/auditLogs/provisioning/?$filter=jobid%20eq%20'{}'", call.base(), job.id);
    Ok(Answer { status: StatusCode::ACCEPTED, body: None, text: None, headers: vec![("Location", location)] })
}

/// The same as an upload, in the form that the metadata has.
async fn upload_content(call: Call) -> Result<Answer, Refusal> {
    call.state
        .upload_throttle
        .take(&call.caller.app_id, call.state.engine.clock.now())
        .map_err(Refusal::throttled)?;
    let job = job(&call).await?;
    stage(&call, &job).await?;
    Ok(Answer::done())
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    let job = job(&call).await?;
    let context = format!("{}/synchronization/jobs('{}')/bulkUpload/$entity", call.parent_context(), job.id);
    Ok(Answer::ok(json!({ "@odata.context": call.context(&context), "id": job.id.as_str() })))
}

/// It has nothing that could be changed; what a caller read and sends back is no harm.
async fn update(call: Call) -> Result<Answer, Refusal> {
    let body = call.object()?;
    if let Some(name) = body.keys().find(|name| *name != "id" && !name.starts_with('@')) {
        return Err(Refusal::bad_request(format!(
            "Property '{name}' does not exist on type 'microsoft.graph.bulkUpload'."
        )));
    }
    get(call).await
}

async fn delete(call: Call) -> Result<Answer, Refusal> {
    let job = job(&call).await?;
    call.state.engine.forget_uploads(&job).await?;
    Ok(Answer::done())
}

/// The staged records, newest of each, as a SCIM bulk request that could be uploaded again.
async fn content(call: Call) -> Result<Answer, Refusal> {
    let job = job(&call).await?;
    let operations: Vec<Value> = call
        .state
        .engine
        .uploads(&job)
        .await?
        .into_iter()
        .map(|one| json!({ "method": "POST", "bulkId": one.id, "path": "/Users", "data": one.document }))
        .collect();
    let body = json!({ "schemas": [BULK_SCHEMA], "Operations": operations });
    Ok(Answer {
        status: StatusCode::OK,
        body: None,
        text: Some(body.to_string()),
        headers: vec![("Content-Type", "application/scim+json".to_owned())],
    })
}

fn is_scim(call: &Call) -> Result<(), Refusal> {
    let media = call.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = media.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("application/scim+json") {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "BadRequest",
        "bulkUpload needs the header Content-Type: application/scim+json",
    ))
}

/// Reads the whole request before anything is staged: all of it or nothing.
async fn stage(call: &Call, job: &Job) -> Result<(), Refusal> {
    let body = call.object()?;
    let schemas = body.get("schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|list| list.iter().any(|one| one == BULK_SCHEMA)) {
        return Err(Refusal::bad_request(format!("the body needs 'schemas' with \"{BULK_SCHEMA}\"")));
    }
    let operations = body
        .get("Operations")
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::bad_request("the body needs 'Operations', a list"))?;
    if operations.is_empty() || operations.len() > MOST {
        return Err(Refusal::bad_request(format!(
            "'Operations' has {} entries; one request takes 1 to {MOST}",
            operations.len()
        )));
    }
    let records = operations
        .iter()
        .enumerate()
        .map(|(place, operation)| {
            record(operation).map_err(|what| Refusal::bad_request(format!("Operations[{place}]: {what}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(call.state.engine.stage_uploads(job, &records).await?)
}

/// A record and its id.
fn record(operation: &Value) -> Result<(SmolStr, Value), String> {
    let text = |name: &str| operation[name].as_str().filter(|text| !text.trim().is_empty());
    match text("method") {
        Some(method) if method.eq_ignore_ascii_case("POST") => {}
        other => return Err(format!("'method' must be \"POST\", not {}", other.unwrap_or("missing"))),
    }
    text("bulkId").ok_or("'bulkId' is missing")?;
    match text("path") {
        Some("/Users") => {}
        other => return Err(format!("'path' must be \"/Users\", not {}", other.unwrap_or("missing"))),
    }
    let data = operation["data"].as_object().ok_or("'data' must be a SCIM user")?;
    if !data.get("schemas").is_some_and(Value::is_array) {
        return Err("'data' needs 'schemas', a list".to_owned());
    }
    let id = data.get("externalId").and_then(Value::as_str).filter(|id| !id.trim().is_empty());
    let id = id.ok_or("'data' needs 'externalId', which tells the record from others")?;
    if let Some(wrong) = mistyped(data) {
        return Err(wrong);
    }
    Ok((id.into(), Value::Object(data.clone())))
}

/// What of the core attributes of a SCIM user has the wrong type (RFC 7643 §4.1), if anything has.
fn mistyped(data: &serde_json::Map<String, Value>) -> Option<String> {
    const TEXTS: &[&str] = &[
        "userName",
        "externalId",
        "displayName",
        "nickName",
        "profileUrl",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
        "password",
    ];
    const LISTS: &[&str] = &[
        "schemas",
        "emails",
        "phoneNumbers",
        "ims",
        "photos",
        "addresses",
        "groups",
        "entitlements",
        "roles",
        "x509Certificates",
    ];
    let is_one_of = |names: &[&str], name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    data.iter().filter(|(_, value)| !value.is_null()).find_map(|(name, value)| {
        let (fits, what) = match name.as_str() {
            name if is_one_of(TEXTS, name) => (value.is_string(), "a text"),
            name if is_one_of(LISTS, name) => (value.is_array(), "a list"),
            name if is_one_of(&["name", "meta"], name) => (value.is_object(), "an object"),
            name if is_one_of(&["active"], name) => {
                // Systems that write texts alone are common; other texts than these would be read as nothing.
                let is_text = value.as_str().is_some_and(|text| is_one_of(&["true", "false"], text));
                (value.is_boolean() || is_text, "true or false")
            }
            // Extensions are objects under the name of their schema.
            name if name.starts_with("urn:") => (value.is_object(), "an object"),
            _ => (true, ""),
        };
        (!fits).then(|| format!("'{name}' of 'data' must be {what}"))
    })
}
