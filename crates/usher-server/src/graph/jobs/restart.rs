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
    // Other forms than these were refused with the parameters.
    let scope = body.get("criteria").and_then(|criteria| criteria["resetScope"].as_str());
    scope.map_or(Ok(ResetScope::DEFAULT), |text| {
        ResetScope::parse(text).map_err(|flag| {
            Refusal::bad_request(format!(
                "'{flag}' is no reset scope; combine with commas: None, ConnectorDataStore, Escrows, Watermark, \
                 QuarantineState, Full, ForceDeletes"
            ))
        })
    })
}
