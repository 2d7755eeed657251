//! How a job is, in the published form (`synchronizationStatus`, `synchronizationSchedule`).

use jiff::Timestamp;
use serde_json::{Value, json};
use usher_core::{Execution, ExecutionState, Quarantine, RunError, ScheduleState};
use usher_engine::cases::jobs::JobStatus;

use super::on_demand::stamp;

/// "Never", in properties that cannot be null.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// `schedule`.
pub fn schedule(status: &JobStatus) -> Value {
    let state = match status.job.state {
        // Four weeks of quarantine are over.
        _ if status.state.has_given_up => "Disabled",
        ScheduleState::Active => "Active",
        ScheduleState::Disabled => "Disabled",
        ScheduleState::Paused => "Paused",
    };
    json!({ "expiration": null, "interval": status.job.interval.as_str(), "state": state })
}

/// `status`.
pub fn status(status: &JobStatus, now: Timestamp) -> Value {
    let state = &status.state;
    let code = match &state.quarantine {
        Some(_) => "Quarantine",
        None if status.job.state != ScheduleState::Active || state.has_given_up => "Paused",
        None if state.last_execution.is_none() => "NotRun",
        None => "Active",
    };
    let last = match &state.last_execution {
        Some(execution) => self::execution(execution),
        None if code == "NotRun" => never_run(),
        None => Value::Null,
    };
    let progress = if status.is_under_way {
        let (done, total) =
            state.cycle.as_ref().map_or((0, None), |cycle| (cycle.counts.imported, cycle.total));
        json!([{
            "completedUnits": done,
            // Zero where nobody knows: what is done must not look like all there is.
            "totalUnits": total.map_or(0, |total| total.max(done)),
            "progressObservationDateTime": stamp(now),
            "units": "objects",
        }])
    } else {
        json!([])
    };
    let synchronized: Vec<Value> = status
        .synchronized
        .iter()
        .map(|(source, target, count)| json!({ "key": format!("{source} to {target}"), "value": count }))
        .collect();
    let optional = |execution: &Option<Execution>| execution.as_ref().map_or(Value::Null, self::execution);
    let reached = |at: Option<Timestamp>| at.map_or_else(|| NEVER.to_owned(), stamp);
    json!({
        "countSuccessiveCompleteFailures": state.complete_failures_in_a_row,
        "escrowsPruned": false,
        "code": code,
        "lastExecution": last,
        "lastSuccessfulExecution": optional(&state.last_successful_execution),
        "lastSuccessfulExecutionWithExports": optional(&state.last_successful_execution_with_exports),
        "quarantine": state.quarantine.as_ref().map_or(Value::Null, quarantine),
        "steadyStateFirstAchievedTime": reached(state.steady_first_at),
        "steadyStateLastAchievedTime": reached(state.steady_last_at),
        "troubleshootingUrl": null,
        "progress": progress,
        "synchronizedEntryCountByType": synchronized,
    })
}

fn execution(execution: &Execution) -> Value {
    let counts = &execution.counts;
    let state = match execution.state {
        ExecutionState::Succeeded => "Succeeded",
        ExecutionState::Failed => "Failed",
        ExecutionState::EntryLevelErrors => "EntryLevelErrors",
    };
    json!({
        "activityIdentifier": execution.id.as_str(),
        "countEntitled": counts.entitled,
        "countEntitledForProvisioning": counts.entitled_for_provisioning,
        "countEscrowed": execution.escrowed,
        "countEscrowedRaw": counts.failed + counts.failed_references,
        "countExported": counts.exported,
        "countExports": counts.exports,
        "countImported": counts.imported,
        "countImportedDeltas": counts.imported_deltas,
        "countImportedReferenceDeltas": counts.imported_reference_deltas,
        "state": state,
        "error": execution.error.as_ref().map_or(Value::Null, error),
        "timeBegan": stamp(execution.began_at),
        "timeEnded": stamp(execution.ended_at),
    })
}

/// What a job shows that was started and has not finished a run.
fn never_run() -> Value {
    json!({
        "activityIdentifier": null,
        "countEntitled": 0,
        "countEntitledForProvisioning": 0,
        "countEscrowed": 0,
        "countEscrowedRaw": 0,
        "countExported": 0,
        "countExports": 0,
        "countImported": 0,
        "countImportedDeltas": 0,
        "countImportedReferenceDeltas": 0,
        "state": "Failed",
        "error": { "code": "None", "message": "", "tenantActionable": false },
        "timeBegan": NEVER,
        "timeEnded": NEVER,
    })
}

fn quarantine(quarantine: &Quarantine) -> Value {
    json!({
        "reason": quarantine.reason.as_str(),
        "currentBegan": stamp(quarantine.current_began),
        "nextAttempt": stamp(quarantine.next_attempt),
        "seriesBegan": stamp(quarantine.series_began),
        "seriesCount": quarantine.series_count,
        "error": error(&quarantine.error),
    })
}

fn error(error: &RunError) -> Value {
    json!({
        "code": error.code.as_str(),
        "message": error.message,
        "tenantActionable": error.is_tenant_actionable,
    })
}
