//! `POST …/jobs/{job}/pause`: stops a job and keeps its place.

use usher_core::JobId;

use crate::call::{Answer, Call};
use crate::errors::Refusal;

/// Stops the job after what is in flight. 204.
pub async fn pause(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    call.state.engine.pause_job(&principal.id, &JobId::new(call.parameter("job"))).await?;
    Ok(Answer::done())
}
