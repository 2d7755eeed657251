//! `PATCH …/jobs/{job}`: changes the interval and the settings of a job.

use serde_json::{Map, Value};
use usher_core::JobId;

use super::entity;
use crate::call::{Answer, Call};
use crate::errors::Refusal;

/// Changes what may be changed, and answers the job. 200.
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let job = JobId::new(call.parameter("job"));
    let body = call.object()?;
    let now = entity(&call, call.state.engine.job(&principal.id, &job).await?).await?;
    let (interval, settings) = changes(&body, Some(&now))?;
    let job = call.state.engine.update_job(&principal.id, &job, interval.as_deref(), &settings).await?;
    Ok(Answer::ok(entity(&call, job).await?))
}

/// The interval, when one is given, and settings by name.
pub type Changes = (Option<String>, Vec<(String, String)>);

/// The interval and the settings that a body gives. What is read-only may be there as it is now: no harm is in sending
/// back what was read.
///
/// # Errors
/// 400.
pub fn changes(body: &Map<String, Value>, now: Option<&Value>) -> Result<Changes, Refusal> {
    let (mut interval, mut settings) = (None, Vec::new());
    for (name, value) in body {
        let is_as_it_is = now.is_some_and(|now| now.get(name) == Some(value));
        match name.as_str() {
            _ if is_as_it_is => {}
            "schedule" => interval = interval_of(value)?,
            "synchronizationJobSettings" => settings = settings_of(value)?,
            name if name.contains('@') => {}
            "templateId" if now.is_none() => {}
            "id" | "templateId" | "status" | "schema" | "bulkUpload" => {
                return Err(Refusal::bad_request(format!(
                    "Property '{name}' is read-only and cannot be set."
                )));
            }
            name => {
                return Err(Refusal::bad_request(format!(
                    "Property '{name}' does not exist on type 'microsoft.graph.synchronizationJob' or cannot be \
                     changed; 'schedule' (its 'interval') and 'synchronizationJobSettings' can."
                )));
            }
        }
    }
    Ok((interval, settings))
}

fn interval_of(value: &Value) -> Result<Option<String>, Refusal> {
    let Value::Object(schedule) = value else {
        return Err(Refusal::bad_request("'schedule' must be an object with 'interval'"));
    };
    if let Some(name) = schedule.keys().find(|name| *name != "interval" && !name.starts_with('@')) {
        return Err(Refusal::bad_request(match name.as_str() {
            "state" => "'state' of the schedule is read-only: call start or pause".to_owned(),
            name => format!("'{name}' of the schedule cannot be changed"),
        }));
    }
    match schedule.get("interval") {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::bad_request("'interval' must be an ISO 8601 duration, such as \"PT40M\"")),
    }
}

fn settings_of(value: &Value) -> Result<Vec<(String, String)>, Refusal> {
    let bad = || {
        Refusal::bad_request(
            "'synchronizationJobSettings' must be a list of objects with the texts 'name' and 'value'",
        )
    };
    let pair = |setting: &Map<String, Value>| {
        let name = setting.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty())?;
        let value = setting.get("value").and_then(Value::as_str)?;
        Some((name.to_owned(), value.to_owned()))
    };
    value
        .as_array()
        .ok_or_else(bad)?
        .iter()
        .map(|setting| setting.as_object().and_then(pair).ok_or_else(bad))
        .collect()
}
