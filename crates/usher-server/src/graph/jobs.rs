//! Synchronization jobs: list, make, look at, remove; the other operations have files of their own.

pub mod pause;
pub mod restart;
pub mod start;
pub mod update;

use serde_json::{Value, json};
use usher_core::{Entry, Job, JobId};

use super::operation::{Operation, run};
use super::permissions::{SYNC_READ, SYNC_WRITE};
use super::status;
use super::types::{JOB, RESTART};

use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::{only, whole};

pub const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs",
        SYNC_READ,
        "List synchronization jobs",
        run!(list),
    )
    .for_owners()
    .many(&JOB),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs",
        SYNC_WRITE,
        "Create a synchronization job",
        run!(create),
    )
    .for_owners()
    .takes(&JOB)
    .created(&JOB),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/$count",
        SYNC_READ,
        "Count synchronization jobs",
        run!(count),
    )
    .for_owners()
    .count(),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}",
        SYNC_READ,
        "Get a synchronization job",
        run!(get),
    )
    .for_owners()
    .one(&JOB),
    Operation::new(
        "PATCH",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}",
        SYNC_WRITE,
        "Update a synchronization job",
        run!(update::update),
    )
    .takes(&JOB)
    .one(&JOB),
    Operation::new(
        "DELETE",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}",
        SYNC_WRITE,
        "Delete a synchronization job",
        run!(delete),
    )
    .for_owners(),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/start",
        SYNC_WRITE,
        "Start a synchronization job",
        run!(start::start),
    )
    .for_owners(),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/pause",
        SYNC_WRITE,
        "Pause a synchronization job",
        run!(pause::pause),
    )
    .for_owners(),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/restart",
        SYNC_WRITE,
        "Restart a synchronization job",
        run!(restart::restart),
    )
    .for_owners()
    .takes(&RESTART),
];

async fn list(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$top", "$count"])?;
    let principal = call.service_principal().await?;
    let context = format!("{}/synchronization/jobs", call.parent_context());
    Ok(Answer::ok(whole(&call, &context, views(&call, &principal).await?)?))
}

/// All jobs of a service principal.
pub async fn views(call: &Call, principal: &Entry) -> Result<Vec<Value>, Refusal> {
    let mut views = Vec::new();
    for job in call.state.engine.jobs(&principal.id).await? {
        views.push(view(call, job).await?);
    }
    Ok(views)
}

async fn count(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    Ok(Answer::count(call.state.engine.jobs(&principal.id).await?.len()))
}

async fn create(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let body = call.object()?;
    let template =
        body.get("templateId").and_then(Value::as_str).filter(|id| !id.is_empty()).ok_or_else(|| {
            Refusal::bad_request(
                "A value is required for property 'templateId' of resource 'synchronizationJob'.",
            )
        })?;
    let (interval, settings) = update::changes(&body, None)?;
    let engine = &call.state.engine;
    let mut job = engine.create_job(&principal.id, template).await?;
    if interval.is_some() || !settings.is_empty() {
        let changed = engine.update_job(&principal.id, &job.id, interval.as_deref(), &settings).await;
        job = match changed {
            Ok(job) => job,
            Err(error) => {
                engine.remove_job(&principal.id, &job.id).await?;
                return Err(error.into());
            }
        };
    }
    let location =
        format!("{}/servicePrincipals/{}/synchronization/jobs/{}", call.base(), principal.id, job.id);
    Ok(Answer::created(entity(&call, job).await?, location))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &["$select", "$expand"])?;
    let job = found(&call).await?;
    let (id, owner) = (job.id.clone(), job.service_principal.clone());
    let mut body = entity(&call, job).await?;
    match call.option("$expand") {
        None => {}
        Some(name) if name.trim().eq_ignore_ascii_case("schema") => {
            let context = format!("{}/synchronization/jobs('{id}')/schema/$entity", call.parent_context());
            body["schema@odata.context"] = call.context(&context);
            body["schema"] = call.state.engine.schema(&owner, &id).await?.to_json();
        }
        Some(name) => return Err(Refusal::bad_request(format!("'{name}' cannot be expanded; 'schema' can"))),
    }
    if let Some(names) = call.option("$select") {
        keep(&mut body, names)?;
    }
    Ok(Answer::ok(body))
}

async fn delete(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    call.state.engine.remove_job(&principal.id, &JobId::new(call.parameter("job"))).await?;
    Ok(Answer::done())
}

/// Keeps what was selected.
fn keep(body: &mut Value, names: &str) -> Result<(), Refusal> {
    const KNOWN: &[&str] =
        &["id", "templateId", "schedule", "status", "synchronizationJobSettings", "schema"];
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    if let Some(name) = names.iter().find(|name| !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name)))
    {
        return Err(Refusal::bad_request(format!(
            "Could not find a property named '{name}' on this resource."
        )));
    }
    if let Some(members) = body.as_object_mut() {
        members.retain(|member, _| {
            member.starts_with('@') || names.iter().any(|name| name.eq_ignore_ascii_case(member))
        });
    }
    Ok(())
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
