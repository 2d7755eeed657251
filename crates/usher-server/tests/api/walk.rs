//! From nothing to a provisioned person, by REST alone.

use http::StatusCode;
use serde_json::{Value, json};

use crate::stage::{ROLE, Stage, on_demand};

fn decoded(body: &Value, name: &str) -> Value {
    serde_json::from_str(body[name].as_str().expect("it is a text")).expect("the text is JSON")
}

#[tokio::test]
async fn the_whole_walk() {
    let stage = Stage::new().await;
    let (base, path, rule) = stage.application().await;
    let principal = base.split('/').nth(3).expect("the path names it").to_owned();

    let templates = stage.must("GET", &format!("{base}/templates"), Value::Null, 200).await;
    assert_eq!(templates["value"][0]["id"], "scim");
    let job = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(job["schedule"], json!({ "expiration": null, "interval": "PT40M", "state": "Disabled" }));
    assert_eq!(job["status"]["code"], "Paused");
    assert_eq!(job["status"]["steadyStateFirstAchievedTime"], "0001-01-01T00:00:00Z");
    let credentials =
        json!({ "templateId": "scim", "credentials": [{ "key": "BaseAddress", "value": "x" }] });
    stage.must("POST", &format!("{base}/jobs/validateCredentials"), credentials, 204).await;

    let user = json!({
        "accountEnabled": true, "displayName": "Adele", "mailNickname": "adele",
        "userPrincipalName": "adele@contoso.example", "passwordProfile": { "password": "Aa1!aaaa" },
    });
    let user = stage.must("POST", "/v1.0/users", user, 201).await;
    assert!(!user.to_string().contains("Aa1!aaaa"), "the password is not given back");
    let assignment = json!({ "principalId": user["id"], "resourceId": principal, "appRoleId": ROLE });
    let assigned = format!("/v1.0/servicePrincipals/{principal}/appRoleAssignedTo");
    stage.must("POST", &assigned, assignment.clone(), 201).await;
    let again = stage.send("POST", &assigned, assignment).await;
    assert_eq!(
        (again.status, again.message()),
        (StatusCode::BAD_REQUEST, "Permission being assigned already exists on the object")
    );

    stage.person("adele");
    let answer =
        stage.must("POST", &format!("{path}/provisionOnDemand"), on_demand(&rule, "adele"), 200).await;
    assert_eq!(
        answer["@odata.context"],
        "https://usher.test/v1.0/$metadata#microsoft.graph.stringKeyStringValuePair"
    );
    assert_eq!(decoded(&answer, "key"), json!({ "result": "Success", "details": {} }));
    let value = decoded(&answer, "value");
    assert_eq!((&value["action"], &value["sourceIdentity"]["type"]), (&json!("Create"), &json!("User")));
    assert_eq!(stage.target.objects().len(), 1);

    let answer =
        stage.must("POST", &format!("{path}/provisionOnDemand"), on_demand(&rule, "adele"), 200).await;
    assert_eq!(decoded(&answer, "key")["details"]["errorCode"], "RedundantExport");

    let log = stage.must("GET", "/v1.0/auditLogs/provisioning", Value::Null, 200).await;
    assert_eq!(log["value"].as_array().map(Vec::len), Some(2));
    stage.must("DELETE", &path, Value::Null, 204).await;
    assert_eq!(stage.send("GET", &path, Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stage.target.objects().len(), 1, "accounts stay when a job goes");
}

#[tokio::test]
async fn every_path_form_means_the_same_job() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    stage.person("adele");
    let parts: Vec<&str> = path.split('/').collect();
    let (principal, job) = (parts[3], parts[6]);
    let application = stage
        .must("GET", "/v1.0/applications?$filter=displayName%20eq%20'HR%20Portal'", Value::Null, 200)
        .await["value"][0]["id"]
        .as_str()
        .expect("it is there")
        .to_owned();
    for form in [
        format!("/beta/servicePrincipals/{principal}/synchronization/jobs/{job}/provisionOnDemand"),
        format!(
            "/v1.0/applications/{application}/synchronization/jobs/{job}/microsoft.graph.provisionOnDemand"
        ),
        format!("/v1.0/servicePrincipals('{principal}')/synchronization/jobs('{job}')/provisionOnDemand"),
        format!(
            "/v1.0/SERVICEPRINCIPALS/{principal}/Synchronization/Jobs/{}/provisionondemand/",
            job.to_uppercase()
        ),
    ] {
        let reply = stage.send("POST", &form, on_demand(&rule, "adele")).await;
        assert_eq!(reply.status, StatusCode::OK, "{form}: {}", reply.body);
    }
    assert_eq!(stage.target.objects().len(), 1);
}

#[tokio::test]
async fn a_dry_run_shows_requests_and_writes_nothing() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    stage.person("adele");
    let path = format!("{path}/provisionOnDemand?dryRun=true");
    let value = decoded(&stage.must("POST", &path, on_demand(&rule, "adele"), 200).await, "value");
    assert_eq!(value["dryRun"], true);
    assert_eq!(value["requests"].as_array().map(Vec::len), Some(1));
    assert!(stage.target.written().is_empty());
}

#[tokio::test]
async fn a_dry_run_that_is_spelled_wrongly_is_refused_and_writes_nothing() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    stage.person("adele");
    for option in ["dryRun=1", "dryRun=banana", "dryRun", "dryRun=", "DRYRUN=yes"] {
        let path = format!("{path}/provisionOnDemand?{option}");
        let refused = stage.must("POST", &path, on_demand(&rule, "adele"), 400).await;
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("dryRun is true or false"), "{option}: {message}");
    }
    assert!(stage.target.written().is_empty());
}

#[tokio::test]
async fn the_log_is_filtered_and_paged() {
    let stage = Stage::new().await;
    let (_, path, rule) = stage.application().await;
    for name in ["adele", "megan", "alex"] {
        stage.person(name);
        stage.must("POST", &format!("{path}/provisionOnDemand"), on_demand(&rule, name), 200).await;
    }
    stage.must("POST", &format!("{path}/provisionOnDemand"), on_demand(&rule, "alex"), 200).await;
    let count = |filter: &str| {
        let path = format!("/v1.0/auditLogs/provisioning?$filter={}", filter.replace(' ', "%20"));
        let stage = &stage;
        async move {
            let body = stage.must("GET", &path, Value::Null, 200).await;
            body["value"].as_array().map(Vec::len).unwrap_or_default()
        }
    };
    let job = path.rsplit('/').next().expect("the path ends in the job");
    assert_eq!(count(&format!("jobid eq '{job}'")).await, 4);
    assert_eq!(count("provisioningAction eq 'create'").await, 3);
    assert_eq!(count("provisioningStatusInfo/status eq 'skipped'").await, 1);
    assert_eq!(count("contains(tolower(sourceIdentity/displayName), 'adele')").await, 1);
    assert_eq!(count("jobId eq 'other'").await, 0);
    assert_eq!(count("servicePrincipal/name eq 'HR Portal'").await, 4);
    assert_eq!(count("servicePrincipal/name eq 'Other'").await, 0);
    assert_eq!(
        count("servicePrincipal/displayName eq 'HR Portal' and activityDateTime ge 1970-01-01").await,
        4
    );

    let log = "/v1.0/auditLogs/provisioning";
    let counted = stage.must("GET", &format!("{log}?$count=true&$top=1"), Value::Null, 200).await;
    assert_eq!(counted["@odata.count"], 4);
    let some = stage.must("GET", &format!("{log}?$select=id,jobId&$top=1"), Value::Null, 200).await;
    let members: Vec<&String> = some["value"][0].as_object().expect("it is an object").keys().collect();
    assert_eq!(members, ["id", "jobId"]);
    let one = format!("{log}/{}?$select=jobId", some["value"][0]["id"].as_str().expect("it has an id"));
    let one = stage.must("GET", &one, Value::Null, 200).await;
    assert_eq!((&one["jobId"], one.get("changeId")), (&json!(job), None));

    let walk = async |query: &str| {
        let mut seen = Vec::new();
        let mut next = Some(format!("/v1.0/auditLogs/provisioning?$top=3{query}"));
        while let Some(path) = next {
            let page = stage.must("GET", &path, Value::Null, 200).await;
            seen.extend(page["value"].as_array().cloned().unwrap_or_default());
            next = page["@odata.nextLink"].as_str().map(|link| link.replace("https://usher.test", ""));
        }
        seen
    };
    let newest = walk("").await;
    assert_eq!(newest.len(), 4);
    let mut oldest = walk("&$orderby=activityDateTime").await;
    assert_eq!(oldest[0]["sourceIdentity"]["displayName"], "adele");
    oldest.reverse();
    assert_eq!(oldest, newest);
    assert_eq!(walk("&$orderby=activityDateTime%20desc").await, newest);
}

#[tokio::test]
async fn groups_members_and_managers_by_reference() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for name in ["a", "b"] {
        let user = json!({
            "accountEnabled": true, "displayName": name, "mailNickname": name,
            "userPrincipalName": format!("{name}@x.example"), "passwordProfile": { "password": "x" },
        });
        ids.push(
            stage.must("POST", "/v1.0/users", user, 201).await["id"].as_str().expect("an id").to_owned(),
        );
    }
    let link = |id: &str| json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/users/{id}") });
    let manager = format!("/v1.0/users/{}/manager", ids[0]);
    assert_eq!(stage.send("GET", &manager, Value::Null).await.status, StatusCode::NOT_FOUND);
    stage.must("PUT", &format!("{manager}/$ref"), link(&ids[1]), 204).await;
    assert_eq!(stage.must("GET", &manager, Value::Null, 200).await["id"], ids[1].as_str());
    stage.must("DELETE", &format!("{manager}/$ref"), Value::Null, 204).await;

    let group = json!({
        "displayName": "Team", "mailEnabled": false, "mailNickname": "team", "securityEnabled": true,
        "members@odata.bind": [format!("https://graph.microsoft.com/v1.0/directoryObjects/{}", ids[0])],
    });
    let group = stage.must("POST", "/v1.0/groups", group, 201).await;
    let members = format!("/v1.0/groups/{}/members", group["id"].as_str().expect("an id"));
    stage.must("POST", &format!("{members}/$ref"), link(&ids[1]), 204).await;
    assert_eq!(
        stage.send("POST", &format!("{members}/$ref"), link(&ids[1])).await.status,
        StatusCode::BAD_REQUEST
    );
    let page = stage.must("GET", &format!("{members}?$top=1"), Value::Null, 200).await;
    assert!(page["@odata.nextLink"].is_string());
    stage.must("DELETE", &format!("{members}/{}/$ref", ids[1]), Value::Null, 204).await;
    let rest = stage.must("GET", &members, Value::Null, 200).await;
    assert_eq!(rest["value"].as_array().map(Vec::len), Some(1));
    assert_eq!(rest["value"][0]["@odata.type"], "#microsoft.graph.user");
}

#[tokio::test]
async fn answers_carry_the_published_headers() {
    let stage = Stage::new().await;
    let request = http::Request::get("/v1.0/users")
        .header("authorization", format!("Bearer {}", stage.token))
        .header("client-request-id", "my-own-id")
        .body(axum::body::Body::empty())
        .expect("it can be sent");
    let reply = stage.raw(request).await;
    assert_eq!(reply.header("client-request-id"), "my-own-id");
    assert_eq!(reply.header("odata-version"), "4.0");
    assert!(reply.header("content-type").starts_with("application/json;odata.metadata=minimal"));
    assert_eq!(reply.header("request-id").len(), 36);
    assert_eq!(reply.body["@odata.context"], "https://usher.test/v1.0/$metadata#users");
}
