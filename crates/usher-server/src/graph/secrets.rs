//! Synchronization secrets, and the test whether they work.

use serde_json::{Map, Value, json};
use usher_core::ports::{ConnectorSettings, StoredSecret};
use usher_core::{JobId, Secret};
use usher_engine::cases::secrets::{MASK, is_sensitive};

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::whole;

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let values = call
        .state
        .engine
        .secrets(&principal.id)
        .await?
        .iter()
        .map(|secret| {
            let value = if is_sensitive(&secret.key) { MASK } else { secret.value.expose() };
            json!({ "key": secret.key, "value": value })
        })
        .collect();
    let context = format!("{}/synchronization/secrets", call.parent_context());
    Ok(Answer::ok(whole(&call, &context, values)))
}

pub async fn count(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    Ok(Answer::count(call.state.engine.secrets(&principal.id).await?.len()))
}

pub async fn replace(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let body = call.object()?;
    let Some(list) = body.get("value").and_then(Value::as_array) else {
        return Err(Refusal::bad_request("the body needs 'value', a list of objects with 'key' and 'value'"));
    };
    let mut secrets = Vec::with_capacity(list.len());
    for pair in pairs(list)? {
        secrets.push(StoredSecret { key: pair.0, value: Secret::new(pair.1) });
    }
    call.state.engine.replace_secrets(&principal.id, secrets).await?;
    Ok(Answer::done())
}

pub async fn validate(call: Call) -> Result<Answer, Refusal> {
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
    call.state.engine.validate_credentials(&principal.id, job.as_ref(), template, given).await?;
    Ok(Answer::done())
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
