//! `POST …/jobs/{job}/start`: lets a job run on its schedule.

use usher_core::JobId;

use crate::call::{Answer, Call};
use crate::errors::Refusal;

/// Starts the job, or lets it go on; lifts a quarantine. 204.
pub async fn start(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    call.state.engine.start_job(&principal.id, &JobId::new(call.parameter("job"))).await?;
    Ok(Answer::done())
}
