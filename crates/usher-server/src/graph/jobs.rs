//! Synchronization jobs: list, make, look at, remove.

use http::StatusCode;
use serde_json::{Value, json};
use usher_core::{Job, JobId, ScheduleState};

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{only, whole};

/// "Never", in properties that cannot be null.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub async fn list(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$top"])?;
    let principal = call.service_principal().await?;
    let jobs = call.state.engine.jobs(&principal.id).await?;
    let context = format!("{}/synchronization/jobs", call.parent_context());
    Ok(Answer::ok(whole(&call, &context, jobs.iter().map(view).collect())))
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
    Ok(Answer::created(entity(&call, &job), location))
}

pub async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select"])?;
    let job = found(&call).await?;
    Ok(Answer::ok(entity(&call, &job)))
}

pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    call.state.engine.remove_job(&principal.id, &JobId::new(call.parameter("job"))).await?;
    Ok(Answer::done())
}

/// `start`, `pause` and `restart`: jobs do not run on a schedule yet, and nothing may look as if they did.
pub async fn no_cycles_yet(call: Call) -> Result<Answer, Refusal> {
    found(&call).await?;
    Err(Refusal::new(
        StatusCode::NOT_IMPLEMENTED,
        "NotImplemented",
        "Jobs do not run on a schedule in this version; provision subjects with provisionOnDemand.",
    ))
}

async fn found(call: &Call) -> Result<Job, Refusal> {
    let principal = call.service_principal().await?;
    Ok(call.state.engine.job(&principal.id, &JobId::new(call.parameter("job"))).await?)
}

fn entity(call: &Call, job: &Job) -> Value {
    let mut body = view(job);
    if let Some(members) = body.as_object_mut() {
        let context = format!("{}/synchronization/jobs/$entity", call.parent_context());
        members.shift_insert(0, "@odata.context".to_owned(), call.context(&context));
    }
    body
}

fn view(job: &Job) -> Value {
    let state = match job.state {
        ScheduleState::Active => "Active",
        ScheduleState::Disabled => "Disabled",
        ScheduleState::Paused => "Paused",
    };
    let settings: Vec<Value> =
        job.settings.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "id": job.id.as_str(),
        "templateId": job.template.as_str(),
        "schedule": { "expiration": null, "interval": job.interval.as_str(), "state": state },
        "status": {
            "countSuccessiveCompleteFailures": 0,
            "escrowsPruned": false,
            "code": "Paused",
            "lastExecution": null,
            "lastSuccessfulExecution": null,
            "lastSuccessfulExecutionWithExports": null,
            "quarantine": null,
            "steadyStateFirstAchievedTime": NEVER,
            "steadyStateLastAchievedTime": NEVER,
            "troubleshootingUrl": null,
            "progress": [],
            "synchronizedEntryCountByType": [],
        },
        "synchronizationJobSettings": settings,
    })
}
