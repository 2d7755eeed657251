//! `provisionOnDemand`: one subject, now, and the answer in one of the two published forms.

use http::StatusCode;
use serde_json::{Map, Value, json};
use usher_core::{Action, ErrorCategory, JobId, ProvisioningEvent, RuleId, Status, StepKind};
use usher_engine::{LinkedObjects, OnDemandAnswer, OnDemandRequest, Parameters, Subject};

use super::operation::{Operation, run};
use super::permissions::SYNC_WRITE;
use super::types::{ON_DEMAND, PAIR};
use crate::call::{Answer, Call};
use crate::errors::Refusal;
use crate::pipeline::initiator;

/// The key of the form that live tenants answer with.
const TENANT_KEY: &str = "Microsoft.Identity.Health.CPP.Common.DataContracts.SyncFabric.StatusInfo";

pub const OPERATIONS: &[Operation] = &[Operation::new(
    "POST",
    "/{applications|servicePrincipals}/{id}/synchronization/jobs/{job}/provisionOnDemand",
    SYNC_WRITE,
    "Provision on demand",
    run!(provision),
)
.for_owners()
.takes(&ON_DEMAND)
.one(&PAIR)];

async fn provision(call: Call) -> Result<Answer, Refusal> {
    let state = &call.state;
    state.throttle.take(&call.caller.app_id, state.engine.clock.now()).map_err(Refusal::throttled)?;
    let principal = call.service_principal().await?;
    let body = call.object()?;
    let request = OnDemandRequest {
        job: JobId::new(call.parameter("job")),
        parameters: parameters(&body)?,
        dry_run: dry_run(call.option("dryRun"))?,
        initiated_by: initiator(&call.caller),
    };
    let is_dry = request.dry_run;
    let answer = state.engine.provision_on_demand(&principal.id, request).await?;
    let value = value(&answer, is_dry);
    let (key, value) = if state.options.tenant_form {
        (TENANT_KEY.to_owned(), Value::Array(vec![value]).to_string())
    } else {
        (key(&answer.event).to_string(), value.to_string())
    };
    Ok(Answer::ok(json!({
        "@odata.context": call.context("microsoft.graph.stringKeyStringValuePair"),
        "key": key,
        "value": value,
    })))
}

/// Whoever asks for a dry run, however wrongly spelled, must never get a write.
fn dry_run(option: Option<&str>) -> Result<bool, Refusal> {
    let Some(value) = option else { return Ok(false) };
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "Request_BadRequest",
            format!("dryRun is true or false, not '{value}'; nothing was done."),
        )),
    }
}

pub(super) fn parameters(body: &Map<String, Value>) -> Result<Vec<Parameters>, Refusal> {
    let missing = |name: &str| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "Request_BadRequest",
            format!(
                "A required parameter is missing: '{name}'. The body is {{\"parameters\": [{{\"ruleId\": \"…\", \"subjects\": [{{\"objectId\": \"…\", \"objectTypeName\": \"User\"}}]}}]}}."
            ),
        )
    };
    let list = body.get("parameters").and_then(Value::as_array).ok_or_else(|| missing("parameters"))?;
    list.iter()
        .map(|item| {
            let rule = text(item, "ruleId").unwrap_or_default();
            let subjects =
                item.get("subjects").and_then(Value::as_array).ok_or_else(|| missing("subjects"))?;
            Ok(Parameters {
                rule: RuleId::new(rule),
                subjects: subjects.iter().map(subject).collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

fn subject(item: &Value) -> Result<Subject, Refusal> {
    let required = |name: &str| {
        text(item, name).filter(|text| !text.trim().is_empty()).map(str::to_owned).ok_or_else(|| {
            Refusal::bad_request(format!("a subject needs '{name}', a text that is not empty"))
        })
    };
    let mut links = LinkedObjects::default();
    if let Some(given) = item.get("links").filter(|links| !links.is_null()) {
        let list = |name: &str| -> Result<Vec<Subject>, Refusal> {
            match given.get(name) {
                None | Some(Value::Null) => Ok(Vec::new()),
                Some(Value::Array(items)) => items.iter().map(subject).collect(),
                Some(_) => Err(Refusal::bad_request(format!("'links.{name}' must be a list of subjects"))),
            }
        };
        links.members = list("members")?;
        links.owners = list("owners")?;
        links.manager = match given.get("manager") {
            None | Some(Value::Null) => None,
            Some(manager) => Some(Box::new(subject(manager)?)),
        };
    }
    Ok(Subject { object_id: required("objectId")?, object_type: required("objectTypeName")?, links })
}

fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    item.get(name).and_then(Value::as_str)
}

/// The result, as the reference pages print it.
fn key(event: &ProvisioningEvent) -> Value {
    let details = match (&event.failure, event.skip_reason) {
        (Some(failure), _) => json!({ "errorCode": failure.code.as_str(), "errorMessage": failure.reason }),
        (None, Some(reason)) => {
            json!({ "errorCode": reason.as_str(), "errorMessage": event.skip_description })
        }
        (None, None) => json!({}),
    };
    json!({ "result": capital(event.status), "details": details })
}

fn value(answer: &OnDemandAnswer, is_dry: bool) -> Value {
    let mut value = summary(&answer.event);
    if !answer.linked.is_empty() {
        value["linkedObjects"] = answer.linked.iter().map(summary).collect();
    }
    if is_dry {
        value["dryRun"] = json!(true);
        value["requests"] = json!(answer.requests);
    }
    value
}

/// The summary object of an on-demand run: other names than the log's, on purpose.
fn summary(event: &ProvisioningEvent) -> Value {
    let identity = |one: &usher_core::Identity| json!({ "id": one.id, "type": one.identity_type, "displayName": one.display_name, "details": one.details });
    let system = |one: &usher_core::Identity| json!({ "id": one.id, "name": one.display_name, "details": one.details });
    let steps: Vec<Value> = event
        .steps
        .iter()
        .map(|timed| {
            json!({
                "name": timed.step.name.as_str(),
                "type": step_type(timed.step.kind),
                "status": capital(timed.step.status),
                "description": timed.step.description,
                "timestamp": stamp(timed.at),
                "details": timed.step.details,
            })
        })
        .collect();
    let modified: Vec<Value> = event
        .modified_properties
        .iter()
        .map(|one| {
            let mut row = Map::from_iter([("displayName".to_owned(), json!(one.name.as_str()))]);
            if let Some(old) = &one.old_value {
                row.insert("oldValue".to_owned(), json!(old));
            }
            row.insert("newValue".to_owned(), json!(one.new_value));
            Value::Object(row)
        })
        .collect();
    json!({
        "action": action(event.action),
        "changeId": event.change.as_str(),
        "startTime": stamp(event.began_at),
        "endTime": stamp(event.ended_at),
        "reportableIdentifier": event.reportable_identifier,
        "statusInfo": status_info(event),
        "sourceIdentity": identity(&event.source_identity),
        "targetIdentity": identity(&event.target_identity),
        "sourceSystem": system(&event.source_system),
        "targetSystem": system(&event.target_system),
        "modifiedProperties": modified,
        "provisioningSteps": steps,
    })
}

fn status_info(event: &ProvisioningEvent) -> Value {
    let mut info = json!({ "status": capital(event.status) });
    if let Some(failure) = &event.failure {
        info["errorCode"] = json!(failure.code.as_str());
        info["reason"] = json!(failure.reason);
        info["additionalDetails"] = json!(failure.additional_details);
        info["errorCategory"] = json!(category(failure.category));
        info["recommendedAction"] = json!(failure.recommended_action);
    } else if let Some(reason) = event.skip_reason {
        info["errorCode"] = json!(reason.as_str());
        info["reason"] = json!(event.skip_description);
    }
    info
}

/// An error category as the log writes it.
pub fn category(category: ErrorCategory) -> &'static str {
    match category {
        ErrorCategory::Failure => "failure",
        ErrorCategory::NonServiceFailure => "nonServiceFailure",
    }
}

/// Seven fractional digits, as .NET prints them.
pub fn stamp(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()
}

fn capital(status: Status) -> &'static str {
    match status {
        Status::Success => "Success",
        Status::Warning => "Warning",
        Status::Failure => "Failure",
        Status::Skipped => "Skipped",
    }
}

/// An action with a capital, as beta's log and the on-demand answer write it.
pub fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "Create",
        Action::Update => "Update",
        Action::Delete => "Delete",
        Action::Disable => "Disable",
        Action::StagedDelete => "StagedDelete",
        Action::Other => "Other",
    }
}

fn step_type(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Import => "Import",
        StepKind::Scoping => "Scoping",
        StepKind::Matching => "Matching",
        StepKind::Processing => "Processing",
        StepKind::ReferenceResolution => "ReferenceResolution",
        StepKind::Export => "Export",
    }
}
