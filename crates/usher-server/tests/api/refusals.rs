//! Bad input: the published error or a clear one of ours, and nothing is changed.

use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::stage::{Stage, on_demand};

const NOBODY: &str = "22222222-2222-2222-2222-222222222222";
const CREDENTIALS: &str = "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable";

async fn refused(stage: &Stage, method: &str, path: &str, body: Value, status: u16, code: &str) -> String {
    let reply = stage.send(method, path, body).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (status, code), "{method} {path}: {}", reply.body);
    for member in ["date", "request-id", "client-request-id"] {
        assert!(reply.body["error"]["innerError"][member].is_string());
    }
    reply.message().to_owned()
}

#[tokio::test]
async fn unknown_things_are_not_found() {
    let stage = Stage::new().await;
    let (base, path, rule) = stage.application().await;
    let body = on_demand(&rule, "adele");
    for unknown in [
        format!("/v1.0/servicePrincipals/{NOBODY}/synchronization/jobs/x/provisionOnDemand"),
        format!("/v1.0/applications/{NOBODY}/synchronization/jobs/x/provisionOnDemand"),
        format!("{base}/jobs/nojob/provisionOnDemand"),
    ] {
        let message = refused(&stage, "POST", &unknown, body.clone(), 404, "Request_ResourceNotFound").await;
        assert!(
            message.ends_with(
                "does not exist or one of its queried reference-property objects are not present."
            )
        );
    }
    let job = path.rsplit('/').next().expect("the path ends in the job");
    let message = refused(
        &stage,
        "POST",
        &format!("{path}/provisionOnDemand"),
        on_demand("no-rule", "adele"),
        400,
        "RequestParameterInvalid",
    )
    .await;
    assert_eq!(
        message,
        format!(
            "The request identified this synchronization job: {job}.  The request also identified this \
             synchronization rule: no-rule.  However, the job does not include the rule."
        )
    );
    refused(&stage, "GET", "/v1.0/nothing", Value::Null, 400, "BadRequest").await;
    refused(&stage, "PUT", "/v1.0/users", Value::Null, 405, "Request_BadRequest").await;
}

#[tokio::test]
async fn bodies_that_are_wrong_are_told_apart() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    stage.person("adele");
    let path = format!("{path}/provisionOnDemand");
    let subject = json!({ "objectId": "adele", "objectTypeName": "User" });
    let with = |subjects: Value| json!({ "parameters": [{ "ruleId": rule, "subjects": subjects }] });
    let six: Vec<Value> = std::iter::repeat_n(subject.clone(), 6).collect();
    for (body, says) in [
        (json!([{ "ruleId": rule }]), "the body is a list"),
        (json!({}), "A required parameter is missing: 'parameters'"),
        (json!({ "parameters": [] }), "a required parameter is missing"),
        (json!({ "parameters": [{ "ruleId": rule }] }), "A required parameter is missing: 'subjects'"),
        (with(json!([])), "'subjects' must hold one subject"),
        (with(json!([subject, subject])), "takes one user or one group"),
        (with(json!([{ "objectTypeName": "User" }])), "a subject needs 'objectId'"),
        (with(json!([{ "objectId": "adele", "objectTypeName": "Device" }])), "no enabled object mapping"),
        (
            with(json!([{ "objectId": "g", "objectTypeName": "Group", "links": { "members": six } }])),
            "at most 5",
        ),
    ] {
        // Each in a window of its own, so that the limit stays out of it.
        stage.clock.advance(Duration::from_secs(11));
        let message = refused(&stage, "POST", &path, body, 400, "Request_BadRequest").await;
        assert!(message.contains(says), "{message}");
    }
    assert!(stage.target.written().is_empty());
}

#[tokio::test]
async fn bodies_that_are_no_json_or_too_much_are_refused() {
    let stage = Stage::new().await;
    let (_, path, _) = stage.application().await;
    let send = |body: String, media: &'static str| {
        stage.clock.advance(Duration::from_secs(11));
        let request = Request::post(format!("{path}/provisionOnDemand"))
            .header("authorization", format!("Bearer {}", stage.token))
            .header("content-type", media)
            .body(Body::from(body))
            .expect("it can be sent");
        stage.raw(request)
    };
    let json = "application/json";
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let deeper = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, media, status) in [
        (String::new(), json, StatusCode::BAD_REQUEST),
        ("{\"parameters\": [}".to_owned(), json, StatusCode::BAD_REQUEST),
        ("\"text\"".to_owned(), json, StatusCode::BAD_REQUEST),
        (deep, json, StatusCode::BAD_REQUEST),
        (deeper, json, StatusCode::BAD_REQUEST),
        ("{}".to_owned(), "text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (" ".repeat(5 * 1024 * 1024), json, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let reply = send(body, media).await;
        assert_eq!(reply.status, status, "{}", reply.body);
        assert!(!reply.code().is_empty());
    }
}

#[tokio::test]
async fn the_sixth_request_in_ten_seconds_is_refused() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    stage.person("adele");
    let path = format!("{path}/provisionOnDemand");
    for _ in 0..5 {
        stage.must("POST", &path, on_demand(&rule, "adele"), 200).await;
    }
    let reply = stage.send("POST", &path, on_demand(&rule, "adele")).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"));
    assert_eq!(reply.body["error"]["innerError"]["code"], "429");
    let seconds: u64 = reply.header("retry-after").parse().expect("it is a number of seconds");
    stage.clock.advance(Duration::from_secs(seconds));
    stage.must("POST", &path, on_demand(&rule, "adele"), 200).await;
}

#[tokio::test]
async fn a_schema_with_errors_is_refused_whole() {
    let stage = Stage::new().await;
    let (_, path, _) = stage.application().await;
    let path = format!("{path}/schema");
    let before = stage.must("GET", &path, Value::Null, 200).await;
    let mut broken = before.clone();
    let mapping =
        &mut broken["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][8]["source"];
    mapping["expression"] = json!("Join(\" \", [givenName]");
    let message = refused(&stage, "PUT", &path, broken, 400, "Request_BadRequest").await;
    assert!(
        message.contains("$.synchronizationRules[0].objectMappings[0].attributeMappings[8]"),
        "{message}"
    );
    assert_eq!(stage.must("GET", &path, Value::Null, 200).await, before);

    let mut changed = before.clone();
    changed["synchronizationRules"][0]["name"] = json!("MINE");
    stage.must("PATCH", &path, changed, 204).await;
    let after = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(after["synchronizationRules"][0]["name"], "MINE");
    assert_ne!(after["version"], before["version"]);
    stage.must("DELETE", &path, Value::Null, 204).await;
    assert_eq!(stage.must("GET", &path, Value::Null, 200).await, before);
}

#[tokio::test]
async fn people_that_cannot_be_are_not_made() {
    let stage = Stage::new().await;
    let right = json!({
        "accountEnabled": true, "displayName": "A", "mailNickname": "a", "userPrincipalName": "a@x.example",
        "passwordProfile": { "password": "x" },
    });
    stage.must("POST", "/v1.0/users", right.clone(), 201).await;
    for (member, value, says) in [
        ("displayName", Value::Null, "A value is required for property 'displayName' of resource 'User'."),
        (
            "userPrincipalName",
            json!("A@X.example"),
            "Another object with the same value for property userPrincipalName",
        ),
        ("userPrincipalName", json!("nobody"), "Property userPrincipalName is invalid."),
        ("shoeSize", json!(43), "Invalid property 'shoeSize' on resource 'User'."),
        ("accountEnabled", json!("yes"), "Invalid value specified for property 'accountEnabled'"),
        ("id", json!("x"), "Property 'id' is read-only and cannot be set."),
    ] {
        let mut body = right.clone();
        if member != "userPrincipalName" {
            body["userPrincipalName"] = json!("b@x.example");
        }
        body[member] = value;
        let message = refused(&stage, "POST", "/v1.0/users", body, 400, "Request_BadRequest").await;
        assert!(message.starts_with(says), "{message}");
    }
    let users = stage.must("GET", "/v1.0/users", Value::Null, 200).await;
    assert_eq!(users["value"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn queries_that_are_not_understood_are_refused() {
    let stage = Stage::new().await;
    for (query, code) in [
        ("$orderby=displayName&$filter=displayName%20eq%20'x'", "Request_UnsupportedQuery"),
        ("$orderby=shoeSize", "Request_BadRequest"),
        ("$orderby=displayName%20sideways", "Request_BadRequest"),
        ("$search=x", "Request_UnsupportedQuery"),
        ("$skip=1", "Request_UnsupportedQuery"),
        ("$expand=shoes", "Request_BadRequest"),
        ("$expand=manager($select=id", "Request_BadRequest"),
        ("$filter=shoeSize%20eq%201", "Request_BadRequest"),
        ("$filter=displayName%20ne%20'x'", "Request_UnsupportedQuery"),
        ("$filter=displayName%20like%20'x'", "Request_BadRequest"),
        ("$top=0", "Request_BadRequest"),
        ("$top=many", "Request_BadRequest"),
        ("$select=shoeSize", "Request_BadRequest"),
        ("$skiptoken=%25", "Request_BadRequest"),
        ("$filter=accountEnabled%20eq%20'true'", "Request_BadRequest"),
        ("$filter=jobTitle%20eq%205", "Request_BadRequest"),
        ("$filter=createdDateTime%20gt%20'soon'", "Request_BadRequest"),
        ("$filter=proxyAddresses%20eq%20'smtp:a@x'", "Request_BadRequest"),
        ("$filter=displayName/first%20eq%20'a'", "Request_BadRequest"),
        ("$filter=jobTitle%20eq%20'a'&$filter=jobTitle%20eq%20'b'", "Request_BadRequest"),
        ("$top=1&%24TOP=2", "Request_BadRequest"),
        ("top=1&$top=2", "Request_BadRequest"),
        ("filter=shoeSize%20eq%201", "Request_BadRequest"),
        ("$filter=contains(displayName,'a')", "Request_UnsupportedQuery"),
        ("$expand=manager($levels=max)", "Request_UnsupportedQuery"),
        ("$filter=assignedLicenses/$count%20eq%200", "Request_UnsupportedQuery"),
    ] {
        refused(&stage, "GET", &format!("/v1.0/users?{query}"), Value::Null, 400, code).await;
    }
    let eventual = async |query: &str| {
        let request = Request::get(format!("/v1.0/users?$count=true&{query}"))
            .header("authorization", format!("Bearer {}", stage.token))
            .header("consistencylevel", "eventual");
        stage.raw(request.body(Body::empty()).expect("it can be sent")).await
    };
    for query in ["$filter=endsWith(displayName,'a')", "$filter=contains(mail,'a')"] {
        let reply = eventual(query).await;
        assert_eq!(reply.code(), "Request_UnsupportedQuery", "{query}: {}", reply.body);
    }
    for query in ["$filter=endsWith(mail,'a')", "$filter=otherMails/any(m:endsWith(m,'a'))"] {
        let reply = eventual(query).await;
        assert_eq!(reply.status, StatusCode::OK, "{query}: {}", reply.body);
    }
}

#[tokio::test]
async fn queries_of_the_log_that_are_not_understood_are_refused() {
    let stage = Stage::new().await;
    for (path, status) in [
        ("v1.0/auditLogs/provisioning?$filter=statusInfo/status%20eq%20'success'", 400),
        ("v1.0/auditLogs/provisioning?$filter=action%20eq%20'Create'", 400),
        ("beta/auditLogs/provisioning?$filter=statusInfo/status%20eq%20'success'", 200),
        ("beta/auditLogs/provisioning?$filter=action%20eq%20'Create'", 200),
        ("v1.0/auditLogs/provisioning?$filter=servicePrincipal/nickname%20eq%20'x'", 400),
        ("v1.0/auditLogs/provisioning?$filter=servicePrincipal%20eq%20'x'", 400),
        ("v1.0/auditLogs/provisioning?$filter=durationInMilliseconds%20gt%20'5'", 400),
        ("v1.0/auditLogs/provisioning?$filter=activityDateTime%20gt%20'soon'", 400),
        ("v1.0/auditLogs/provisioning?$filter=modifiedProperties/any(m:m/displayName%20eq%20'x')", 400),
        ("v1.0/auditLogs/provisioning?$orderby=jobId", 400),
        ("v1.0/auditLogs/provisioning?$select=shoeSize", 400),
        ("v1.0/auditLogs/provisioning/none?$filter=jobId%20eq%20'x'", 400),
        ("v1.0/applicationTemplates?$filter=displayName%20eq%205", 400),
    ] {
        stage.must("GET", &format!("/{path}"), Value::Null, status).await;
    }
}

#[tokio::test]
async fn orders_to_a_job_that_make_no_sense_are_refused() {
    let stage = Stage::new().await;
    let (base, path, _) = stage.application().await;
    for verb in ["start", "pause", "restart"] {
        let unknown = format!("{base}/jobs/nojob/{verb}");
        refused(&stage, "POST", &unknown, Value::Null, 404, "Request_ResourceNotFound").await;
    }
    for (body, says) in [
        (json!({ "criteria": { "resetScope": "Watermark, Everything" } }), "'Everything' is no reset scope"),
        (json!({ "criteria": { "resetScope": 7 } }), "must be a text"),
        (json!({ "criteria": "Full" }), "must be an object"),
        (json!({ "scope": "Full" }), "does not exist in method 'restart'"),
    ] {
        let restart = format!("{path}/restart");
        let message = refused(&stage, "POST", &restart, body, 400, "Request_BadRequest").await;
        assert!(message.contains(says), "{message}");
    }
    for (body, says) in [
        (json!({ "schedule": { "state": "Active" } }), "call start or pause"),
        (json!({ "schedule": { "interval": "often" } }), "no interval"),
        (json!({ "schedule": { "interval": "PT1S" } }), "at least ten seconds"),
        (json!({ "schedule": "PT5M" }), "must be an object"),
        (json!({ "synchronizationJobSettings": [{ "name": "A" }] }), "must be a list"),
        (json!({ "interval": "PT5M" }), "does not exist on type"),
    ] {
        let message = refused(&stage, "PATCH", &path, body, 400, "Request_BadRequest").await;
        assert!(message.contains(says), "{message}");
    }
    let job = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(job["schedule"], json!({ "expiration": null, "interval": "PT40M", "state": "Disabled" }));
}

#[tokio::test]
async fn known_properties_of_the_wrong_type_are_refused_not_lost() {
    let stage = Stage::new().await;
    let (base, ..) = stage.application().await;
    for (body, says) in [
        (json!({ "templates": null }), "'templates' must be a list"),
        (json!({ "jobs": {} }), "'jobs' must be a list"),
        (json!({ "secrets": [7] }), "'secrets[0]' must be an object"),
    ] {
        let message = refused(&stage, "PUT", &base, body, 400, "Request_BadRequest").await;
        assert!(message.contains(says), "{message}");
    }
}

#[tokio::test]
async fn a_job_whose_connection_does_not_work_is_not_started() {
    let stage = Stage::new().await;
    let (_, path, _) = stage.application().await;
    let refusal = usher_core::ports::ConnectorError::new(
        usher_core::ports::ConnectorErrorKind::Unauthorised,
        "Unauthorized",
        "the target refuses the credentials",
    );
    stage.target.fail_read(refusal);
    let message = refused(&stage, "POST", &format!("{path}/start"), Value::Null, 400, CREDENTIALS).await;
    assert!(message.contains("refuses the credentials"), "{message}");
    let job = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(job["schedule"]["state"], "Disabled");
}
