//! `POST …/jobs/{job}/restart`: forgets what the reset scope says, and runs the job at once.

use serde_json::Value;
use usher_core::{JobId, ResetScope};

use crate::call::{Answer, Call};
use crate::errors::Refusal;

/// Restarts the job. Without a body, criteria or scope it is the portal's restart: all objects again, pairs kept. 204.
pub async fn restart(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let job = JobId::new(call.parameter("job"));
    // Whoever names a job that is not there learns that first.
    call.state.engine.job(&principal.id, &job).await?;
    let scope = scope(&call.object_or_empty()?)?;
    call.state.engine.restart_job(&principal.id, &job, scope).await?;
    Ok(Answer::done())
}

fn scope(body: &serde_json::Map<String, Value>) -> Result<ResetScope, Refusal> {
    if let Some(unknown) = body.keys().find(|name| *name != "criteria" && !name.starts_with('@')) {
        return Err(Refusal::bad_request(format!(
            "The parameter '{unknown}' does not exist in method 'restart'; it takes 'criteria'."
        )));
    }
    let scope = match body.get("criteria") {
        None | Some(Value::Null) => return Ok(ResetScope::DEFAULT),
        Some(Value::Object(criteria)) => criteria.get("resetScope"),
        Some(_) => return Err(Refusal::bad_request("'criteria' must be an object with 'resetScope'")),
    };
    match scope {
        None | Some(Value::Null) => Ok(ResetScope::DEFAULT),
        Some(Value::String(text)) => ResetScope::parse(text).map_err(|flag| {
            Refusal::bad_request(format!(
                "'{flag}' is no reset scope; combine with commas: None, ConnectorDataStore, Escrows, Watermark, \
                 QuarantineState, Full, ForceDeletes"
            ))
        }),
        Some(_) => Err(Refusal::bad_request(
            "'resetScope' must be a text, such as \"Watermark, Escrows, QuarantineState\"",
        )),
    }
}
