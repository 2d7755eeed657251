//! `plans`: what subjects or a cycle need, kept for review and applied later. A part of the API that only Usher has.

use http::StatusCode;
use serde_json::{Value, json};
use usher_core::JobId;
use usher_engine::PlanRequest;
use usher_engine::cases::plans::StoredPlan;

use super::on_demand::{parameters, stamp};
use super::operation::{Operation, run};
use super::permissions::{SYNC_READ, SYNC_WRITE};
use super::types::{APPLIED, PLAN, PLAN_APPLICATION, PLAN_REQUEST};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::odata::only;
use crate::pipeline::initiator;

pub const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/plans",
        SYNC_READ,
        "List plans",
        run!(list),
    )
    .for_owners()
    .extension()
    .many(&PLAN),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/plans",
        SYNC_WRITE,
        "Create a plan",
        run!(create),
    )
    .for_owners()
    .extension()
    .takes(&PLAN_REQUEST)
    .created(&PLAN),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/explain",
        SYNC_READ,
        "Explain what subjects need",
        run!(explain),
    )
    .for_owners()
    .extension()
    .reads()
    .takes(&PLAN_REQUEST)
    .one(&PLAN),
    Operation::new(
        "GET",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/plans/{plan}",
        SYNC_READ,
        "Get a plan",
        run!(get),
    )
    .for_owners()
    .extension()
    .one(&PLAN),
    Operation::new(
        "DELETE",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/plans/{plan}",
        SYNC_WRITE,
        "Delete a plan",
        run!(delete),
    )
    .for_owners()
    .extension(),
    Operation::new(
        "POST",
        "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/plans/{plan}/apply",
        SYNC_WRITE,
        "Apply a plan",
        run!(apply),
    )
    .for_owners()
    .extension()
    .takes(&PLAN_APPLICATION)
    .one(&APPLIED),
];

async fn list(call: Call) -> Result<Answer, Refusal> {
    only(&call, &[])?;
    let principal = call.service_principal().await?;
    let plans = call.state.engine.plans(&principal.id, &job(&call)).await?;
    let value: Vec<Value> = plans.iter().map(|plan| view(plan, false)).collect();
    Ok(Answer::ok(json!({ "@odata.context": context(&call, ""), "value": value })))
}

async fn create(call: Call) -> Result<Answer, Refusal> {
    let state = &call.state;
    let principal = call.service_principal().await?;
    let request = request(&call)?;
    state.throttle.take(&call.caller.app_id, state.engine.clock.now()).map_err(Refusal::throttled)?;
    let plan = state.engine.plan(&principal.id, &request).await?;
    let location = format!(
        "{}/servicePrincipals/{}/synchronization/jobs/{}/plans/{}",
        call.base(),
        principal.id,
        plan.plan.job,
        plan.plan.id
    );
    Ok(Answer::created(entity(&call, &plan), location))
}

async fn explain(call: Call) -> Result<Answer, Refusal> {
    let state = &call.state;
    let principal = call.service_principal().await?;
    let request = request(&call)?;
    state.throttle.take(&call.caller.app_id, state.engine.clock.now()).map_err(Refusal::throttled)?;
    let plan = state.engine.explain(&principal.id, &request).await?;
    let document = serde_json::to_value(&plan).expect("a plan has a JSON form");
    Ok(Answer::ok(entity(&call, &StoredPlan { document, plan, progress: Default::default() })))
}

async fn get(call: Call) -> Result<Answer, Refusal> {
    only(&call, &[])?;
    let principal = call.service_principal().await?;
    let plan = call.state.engine.stored_plan(&principal.id, &job(&call), call.parameter("plan")).await?;
    Ok(Answer::ok(entity(&call, &plan)))
}

async fn delete(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    call.state.engine.remove_plan(&principal.id, &job(&call), call.parameter("plan")).await?;
    Ok(Answer::done())
}

/// Applies the plan that is kept, or the document in the body when there is one.
async fn apply(call: Call) -> Result<Answer, Refusal> {
    let principal = call.service_principal().await?;
    let body = call.object_or_empty()?;
    let document = body.get("document").filter(|document| !document.is_null());
    // A caller that hangs up must not stop the work in the middle of an account.
    let (engine, job, plan) = (call.state.engine.clone(), job(&call), call.parameter("plan").to_owned());
    let (principal, document, initiator) = (principal.id, document.cloned(), initiator(&call.caller));
    let work = tokio::spawn(async move {
        engine.apply_plan(&principal, &job, &plan, document.as_ref(), initiator).await
    });
    let applied = work.await.map_err(|error| {
        tracing::error!("the application of a plan ended unexpectedly: {error}");
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "generalException",
            "The service could not complete the request; its log says why.",
        )
    })??;
    let mut answer = serde_json::to_value(&applied).expect("an outcome has a JSON form");
    // The differences as sentences, for who only prints them.
    for (told, object) in answer["objects"].as_array_mut().into_iter().flatten().zip(&applied.objects) {
        for (told, difference) in
            told["differences"].as_array_mut().into_iter().flatten().zip(&object.differences)
        {
            told["description"] = json!(difference.to_string());
        }
    }
    answer["@odata.context"] = call.context("usher.appliedPlan");
    Ok(Answer::ok(answer))
}

fn job(call: &Call) -> JobId {
    JobId::new(call.parameter("job"))
}

fn request(call: &Call) -> Result<PlanRequest, Refusal> {
    let body = call.object()?;
    let flag = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(Refusal::bad_request(format!("'{name}' must be true or false"))),
    };
    Ok(PlanRequest {
        job: job(call),
        parameters: if body.contains_key("parameters") { parameters(&body)? } else { Vec::new() },
        cycle: flag("cycle")?,
        drift: flag("drift")?,
        explain: flag("explain")?,
        initiated_by: initiator(&call.caller),
    })
}

fn context(call: &Call, more: &str) -> Value {
    let path = format!("{}/synchronization/jobs('{}')/plans{more}", call.parent_context(), job(call));
    call.context(&path)
}

fn entity(call: &Call, plan: &StoredPlan) -> Value {
    let mut body = view(plan, true);
    if let Some(members) = body.as_object_mut() {
        members.shift_insert(0, "@odata.context".to_owned(), context(call, "/$entity"));
    }
    body
}

fn view(plan: &StoredPlan, is_whole: bool) -> Value {
    let StoredPlan { document, plan, progress } = plan;
    let mut body = json!({
        "id": plan.id.as_str(),
        "createdDateTime": stamp(plan.created_at),
        "state": progress.state,
        "appliedObjects": progress.done(),
        "hasChanges": plan.has_changes(),
        "extent": plan.extent,
        "counts": plan.counts,
        "guard": plan.guard,
    });
    if is_whole {
        body["document"] = document.clone();
    }
    body
}
