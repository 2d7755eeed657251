//! Synchronization secrets, and the test whether they work.

use serde_json::{Map, Value, json};
use usher_core::ports::{ConnectorSettings, StoredSecret};
use usher_core::{Entry, JobId, Secret};
use usher_engine::cases::secrets::masked;

use super::operation::{Operation, run};
use super::permissions::{SYNC_READ, SYNC_WRITE};
use super::types::{CREDENTIALS, SECRET, SECRETS, VALIDATION};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::whole;

pub const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/secrets",
        SYNC_READ,
        "List synchronization secrets, masked",
        run!(list),
    )
    .for_owners()
    .many(&SECRET)
    .unpublished(),
    Operation::new(
        "PUT",
        "/{applications|servicePrincipals}/{id}/synchronization/secrets",
        SYNC_WRITE,
        "Set synchronization secrets",
        run!(replace),
    )
    .for_owners()
    .takes(&SECRETS),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/secrets/$count",
        SYNC_READ,
        "Count synchronization secrets",
        run!(count),
    )
    .for_owners()
    .count(),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/acquireAccessToken",
        SYNC_WRITE,
        "Acquire an access token for a target",
        run!(acquire),
    )
    .for_owners()
    .takes(&CREDENTIALS),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/validateCredentials",
        SYNC_WRITE,
        "Validate credentials before there is a job",
        run!(validate),
    )
    .for_owners()
    .takes(&VALIDATION)
    .reads(),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/validateCredentials",
        SYNC_WRITE,
        "Validate credentials of a job",
        run!(validate),
    )
    .for_owners()
    .takes(&VALIDATION)
    .reads(),
];

async fn list(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let context = format!("{}/synchronization/secrets", call.parent_context());
    Ok(Answer::ok(whole(&call, &context, views(&call, &principal).await?)?))
}

/// The secrets, credentials and what addresses carry masked.
pub async fn views(call: &Call, principal: &Entry) -> Result<Vec<Value>, Refusal> {
    let secrets = call.state.engine.secrets(&principal.id).await?;
    Ok(secrets
        .iter()
        .map(|secret| {
            let value = masked(&secret.key, secret.value.expose());
            json!({ "key": secret.key, "value": value })
        })
        .collect())
}

async fn count(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    Ok(Answer::count(call.state.engine.secrets(&principal.id).await?.len()))
}

async fn replace(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let body = call.object()?;
    let Some(list) = body.get("value").and_then(Value::as_array) else {
        return Err(Refusal::bad_request("the body needs 'value', a list of objects with 'key' and 'value'"));
    };
    store(&call, &principal, list).await?;
    Ok(Answer::done())
}

/// Replaces the set.
pub async fn store(call: &Call, principal: &Entry, list: &[Value]) -> Result<(), Refusal> {
    let mut secrets = Vec::with_capacity(list.len());
    for (key, value) in pairs(list)? {
        secrets.push(StoredSecret { key, value: Secret::new(value) });
    }
    Ok(call.state.engine.replace_secrets(&principal.id, secrets).await?)
}

/// Trades the given credentials for a token and keeps both. 204.
async fn acquire(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let body = call.object()?;
    let given = match body.get("credentials") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => pairs(list)?,
        Some(_) => {
            return Err(Refusal::bad_request(
                "'credentials' must be a list of objects with 'key' and 'value'",
            ));
        }
    };
    let given = given.into_iter().map(|(key, value)| StoredSecret { key, value: Secret::new(value) });
    call.state.engine.acquire_access_token(&principal, given.collect()).await?;
    Ok(Answer::done())
}

async fn validate(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let body = call.object_or_empty()?;
    let saved = body.get("useSavedCredentials").and_then(Value::as_bool).unwrap_or(false);
    let given = match body.get("credentials").and_then(Value::as_array) {
        Some(list) if !saved => {
            let mut settings = ConnectorSettings::default();
            for (key, value) in pairs(list)? {
                settings.set(key, Secret::new(value));
            }
            Some(settings)
        }
        _ => None,
    };
    let job = Some(call.parameter("job")).filter(|job| !job.is_empty()).map(JobId::new);
    let template = text(&body, "templateId");
    let engine = &call.state.engine;
    let warnings = engine.validate_credentials(&principal.id, job.as_ref(), template, given).await?;
    Ok(Answer::done().with_warnings(&warnings))
}

/// Keys and values of a list; `None` of a value is an empty one. Nothing of a value is ever repeated in an error.
fn pairs(list: &[Value]) -> Result<Vec<(String, String)>, Refusal> {
    list.iter()
        .map(|item| {
            let key = item.get("key").and_then(Value::as_str);
            let value = match item.get("value") {
                None | Some(Value::Null) => Some(""),
                Some(Value::String(text)) => Some(text.as_str()),
                Some(_) => None,
            };
            match (key, value) {
                (Some(key), Some(value)) => Ok((key.to_owned(), value.to_owned())),
                _ => Err(Refusal::bad_request("each secret is an object with two texts, 'key' and 'value'")),
            }
        })
        .collect()
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}
