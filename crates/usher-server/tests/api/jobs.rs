//! Jobs that run, as the API tells of them.

use std::time::Duration;

use serde_json::{Value, json};
use usher_core::ports::{ConnectorError, ConnectorErrorKind};

use crate::stage::Stage;

const NEVER: &str = "0001-01-01T00:00:00Z";

#[tokio::test]
async fn a_job_tells_how_it_is_before_while_and_after_it_runs() {
    let stage = Stage::new().await;
    let (_, path, _) = stage.application().await;
    for name in ["ann", "bob"] {
        stage.person(name);
    }
    let status = || async { stage.must("GET", &path, Value::Null, 200).await["status"].clone() };
    let new = status().await;
    assert_eq!((&new["code"], &new["lastExecution"]), (&json!("Paused"), &Value::Null));
    assert_eq!((&new["steadyStateFirstAchievedTime"], &new["progress"]), (&json!(NEVER), &json!([])));

    stage.must("POST", &format!("{path}/start"), Value::Null, 204).await;
    let started = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(started["schedule"]["state"], "Active");
    let last = &started["status"]["lastExecution"];
    assert_eq!(started["status"]["code"], "NotRun");
    assert_eq!((&last["state"], &last["error"]["code"]), (&json!("Failed"), &json!("None")));

    stage.run(&path).await;
    let ran = status().await;
    assert_eq!(ran["code"], "Active");
    let last = &ran["lastExecution"];
    assert_eq!(last["state"], "Succeeded");
    for (count, value) in [
        ("countImported", 2),
        ("countEntitled", 2),
        ("countEntitledForProvisioning", 2),
        ("countExports", 2),
        ("countExported", 2),
        ("countEscrowed", 0),
        ("countImportedDeltas", 0),
    ] {
        assert_eq!(last[count], value, "{count}");
    }
    assert_eq!(ran["lastSuccessfulExecutionWithExports"], *last);
    let key = "User to urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(ran["synchronizedEntryCountByType"], json!([{ "key": key, "value": 2 }]));
    assert_ne!(ran["steadyStateLastAchievedTime"], NEVER);

    stage.clock.advance(Duration::from_secs(2400));
    stage.run(&path).await;
    let again = status().await;
    assert_eq!(again["lastExecution"]["countImported"], 0);
    assert_eq!(again["lastSuccessfulExecutionWithExports"], *last, "the run that wrote something is kept");

    stage.must("POST", &format!("{path}/pause"), Value::Null, 204).await;
    let paused = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(
        (&paused["schedule"]["state"], &paused["status"]["code"]),
        (&json!("Disabled"), &json!("Paused"))
    );
}

#[tokio::test]
async fn a_quarantine_is_told_with_its_reason_and_lifted_by_a_restart() {
    let stage = Stage::new().await;
    let (_, path, _) = stage.application().await;
    stage.person("ann");
    stage.must("POST", &format!("{path}/start"), Value::Null, 204).await;
    let refusal =
        ConnectorError::new(ConnectorErrorKind::Unauthorised, "Unauthorized", "the credentials are refused");
    stage.target.fail_read(refusal);
    stage.run(&path).await;
    let job = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(job["status"]["code"], "Quarantine");
    let quarantine = &job["status"]["quarantine"];
    assert_eq!(quarantine["reason"], "EncounteredQuarantineException");
    assert_eq!(
        (&quarantine["seriesCount"], &quarantine["nextAttempt"]),
        (&json!(1), &json!("1970-01-01T06:00:00.0000000Z"))
    );
    assert_eq!(
        quarantine["error"],
        json!({ "code": "Unauthorized", "message": "the credentials are refused", "tenantActionable": true })
    );
    assert_eq!(job["status"]["lastExecution"]["state"], "Failed");
    assert_eq!(job["status"]["countSuccessiveCompleteFailures"], 1);

    let body = json!({ "criteria": { "resetScope": "Watermark, Escrows, QuarantineState" } });
    stage.must("POST", &format!("{path}/restart"), body, 204).await;
    let lifted = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(lifted["status"]["quarantine"], Value::Null, "also before the next run");
    stage.run(&path).await;
    let job = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(job["status"]["lastExecution"]["state"], "Succeeded");
}

#[tokio::test]
async fn a_restart_without_body_looks_at_everybody_again() {
    let stage = Stage::new().await;
    let (_, path, _) = stage.application().await;
    stage.person("ann");
    stage.must("POST", &format!("{path}/start"), Value::Null, 204).await;
    stage.run(&path).await;
    stage.must("POST", &format!("{path}/restart"), Value::Null, 204).await;
    stage.run(&path).await;
    let job = stage.must("GET", &path, Value::Null, 200).await;
    let last = &job["status"]["lastExecution"];
    assert_eq!((&last["countImported"], &last["countExported"]), (&json!(1), &json!(0)));
    let log = "/v1.0/auditLogs/provisioning?$filter=";
    let cycle = last["activityIdentifier"].as_str().expect("it is a text");
    let events = stage.must("GET", &format!("{log}cycleId%20eq%20'{cycle}'"), Value::Null, 200).await;
    assert_eq!(events["value"].as_array().map(Vec::len), Some(1));
    assert_eq!(events["value"][0]["initiatedBy"]["initiatorType"], "system");
}

#[tokio::test]
async fn interval_and_settings_can_be_changed() {
    let stage = Stage::new().await;
    let (_, path, _) = stage.application().await;
    let body = json!({
        "schedule": { "interval": "PT5M" },
        "synchronizationJobSettings": [
            { "name": "QuarantineTooManyDeletesThreshold", "value": "10" },
            { "name": "lookaheadqueryenabled", "value": "True" },
        ],
    });
    let job = stage.must("PATCH", &path, body, 200).await;
    assert_eq!(job["schedule"]["interval"], "PT5M");
    let settings = job["synchronizationJobSettings"].as_array().expect("it is a list");
    assert!(settings.contains(&json!({ "name": "QuarantineTooManyDeletesThreshold", "value": "10" })));
    assert!(settings.contains(&json!({ "name": "LookaheadQueryEnabled", "value": "True" })));
    assert_eq!(settings.len(), 3, "what is not named stays");
    assert_eq!(stage.must("GET", &path, Value::Null, 200).await["schedule"]["interval"], "PT5M");
}
