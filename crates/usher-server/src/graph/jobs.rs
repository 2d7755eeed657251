//! Synchronization jobs: list, make, look at, remove; the other operations have files of their own.

pub mod pause;
pub mod restart;
pub mod start;
pub mod update;

use serde_json::{Value, json};
use usher_core::{Job, JobId};

use super::status;

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{only, whole};

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$top"])?;
    let principal = call.service_principal().await?;
    let jobs = call.state.engine.jobs(&principal.id).await?;
    let context = format!("{}/synchronization/jobs", call.parent_context());
    let mut views = Vec::with_capacity(jobs.len());
    for job in jobs {
        views.push(view(&call, job).await?);
    }
    Ok(Answer::ok(whole(&call, &context, views)))
}

pub async fn count(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    Ok(Answer::count(call.state.engine.jobs(&principal.id).await?.len()))
}

pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let body = call.object()?;
    let template =
        body.get("templateId").and_then(Value::as_str).filter(|id| !id.is_empty()).ok_or_else(|| {
            Refusal::bad_request(
                "A value is required for property 'templateId' of resource 'synchronizationJob'.",
            )
        })?;
    let job = call.state.engine.create_job(&principal.id, template).await?;
    let location =
        format!("{}/servicePrincipals/{}/synchronization/jobs/{}", call.base(), principal.id, job.id);
    Ok(Answer::created(entity(&call, job).await?, location))
}

pub async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select"])?;
    let job = found(&call).await?;
    Ok(Answer::ok(entity(&call, job).await?))
}

pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    call.state.engine.remove_job(&principal.id, &JobId::new(call.parameter("job"))).await?;
    Ok(Answer::done())
}

async fn found(call: &Call) -> Result<Job, Refusal> {
    let principal = call.service_principal().await?;
    Ok(call.state.engine.job(&principal.id, &JobId::new(call.parameter("job"))).await?)
}

/// The job as the answer of a call about it alone.
async fn entity(call: &Call, job: Job) -> Result<Value, Refusal> {
    let mut body = view(call, job).await?;
    if let Some(members) = body.as_object_mut() {
        let context = format!("{}/synchronization/jobs/$entity", call.parent_context());
        members.shift_insert(0, "@odata.context".to_owned(), call.context(&context));
    }
    Ok(body)
}

async fn view(call: &Call, job: Job) -> Result<Value, Refusal> {
    let engine = &call.state.engine;
    let status = engine.job_status(job).await?;
    let job = &status.job;
    let settings: Vec<Value> =
        job.settings.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    Ok(json!({
        "id": job.id.as_str(),
        "templateId": job.template.as_str(),
        "schedule": status::schedule(&status),
        "status": status::status(&status, engine.clock.now()),
        "synchronizationJobSettings": settings,
    }))
}
