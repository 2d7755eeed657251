//! What is written is what was meant: the rest is refused, and nothing is changed.

use serde_json::{Value, json};

use crate::stage::{Stage, TEMPLATE};

async fn refused(stage: &Stage, method: &str, path: &str, body: Value, says: &str) {
    let reply = stage.send(method, path, body.clone()).await;
    assert_eq!(reply.status.as_u16(), 400, "{method} {path} {body}: {}", reply.body);
    assert!(reply.message().contains(says), "{}", reply.message());
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is a text").to_owned()
}

async fn user(stage: &Stage, name: &str) -> String {
    let body = json!({
        "accountEnabled": true, "displayName": name, "mailNickname": name,
        "userPrincipalName": format!("{name}@x"), "passwordProfile": { "password": "x" },
    });
    text(&stage.must("POST", "/v1.0/users", body, 201).await["id"])
}

#[tokio::test]
async fn a_job_is_made_as_it_was_wished_or_not_at_all() {
    let stage = Stage::new().await;
    let (base, ..) = stage.application().await;
    let jobs = format!("{base}/jobs");
    let before = stage.must("GET", &format!("{jobs}/$count"), Value::Null, 200).await;
    for (body, says) in [
        (json!({ "templateId": "scim", "foo": 1 }), "Property 'foo' does not exist"),
        (json!({ "templateId": "scim", "id": "mine" }), "'id' is read-only"),
        (json!({ "templateId": "scim", "schedule": { "state": "Active" } }), "call start or pause"),
        (json!({ "templateId": "scim", "schedule": { "interval": "often" } }), "no interval"),
        (json!({ "templateId": "scim", "synchronizationJobSettings": [{ "name": "A" }] }), "must be a list"),
    ] {
        refused(&stage, "POST", &jobs, body, says).await;
    }
    assert_eq!(stage.must("GET", &format!("{jobs}/$count"), Value::Null, 200).await, before);
    let body = json!({ "templateId": "API2AAD", "schedule": { "interval": "PT5M" } });
    let made = stage.must("POST", &jobs, body, 201).await;
    assert_eq!(made["schedule"]["interval"], "PT5M");
}

#[tokio::test]
async fn what_is_read_only_of_a_job_may_be_sent_back_and_not_changed() {
    let stage = Stage::new().await;
    let (_, job, _) = stage.application().await;
    for (body, says) in [
        (json!({ "templateId": "API2AAD" }), "'templateId' is read-only"),
        (json!({ "id": "other" }), "'id' is read-only"),
        (json!({ "status": { "code": "Active" } }), "'status' is read-only"),
        (json!({ "schema": {} }), "'schema' is read-only"),
    ] {
        refused(&stage, "PATCH", &job, body, says).await;
    }
    let mut same = stage.must("GET", &job, Value::Null, 200).await;
    stage.must("PATCH", &job, same.clone(), 200).await;
    same["schedule"] = json!({ "interval": "PT1H" });
    let changed = stage.must("PATCH", &job, same, 200).await;
    assert_eq!(changed["schedule"]["interval"], "PT1H");
}

#[tokio::test]
async fn what_a_user_must_have_is_not_cleared() {
    let stage = Stage::new().await;
    let path = format!("/v1.0/users/{}", user(&stage, "adele").await);
    for name in ["displayName", "accountEnabled", "mailNickname", "userPrincipalName"] {
        refused(&stage, "PATCH", &path, json!({ name: null }), name).await;
    }
    refused(&stage, "PATCH", &path, json!({ "displayName": "a".repeat(300_000) }), "longer than 256").await;
    refused(&stage, "PATCH", &path, json!({ "jobTitle": "a".repeat(2_000) }), "longer than 1024").await;
    refused(&stage, "PATCH", &path, json!({ "displayName": "a\u{0}b" }), "NUL").await;
    refused(&stage, "PATCH", &path, json!({ "otherMails": ["a\u{0}b"] }), "NUL").await;
    stage.must("PATCH", &path, json!({ "jobTitle": null, "displayName": "a".repeat(256) }), 204).await;
}

#[tokio::test]
async fn only_a_user_is_somebodys_manager() {
    let stage = Stage::new().await;
    let (a, b) = (user(&stage, "a").await, user(&stage, "b").await);
    let group = json!({
        "displayName": "g", "mailEnabled": false, "mailNickname": "g", "securityEnabled": true,
    });
    let group = text(&stage.must("POST", "/v1.0/groups", group, 201).await["id"]);
    let manager = format!("/v1.0/users/{a}/manager/$ref");
    let link = |id: &str| json!({ "@odata.id": format!("https://usher.test/v1.0/directoryObjects/{id}") });
    refused(&stage, "PUT", &manager, link(&group), "only a user can be a manager").await;
    stage.must("GET", &manager, Value::Null, 404).await;
    stage.must("PUT", &manager, link(&b), 204).await;
}

#[tokio::test]
async fn a_schema_that_no_job_could_run_by_is_not_saved() {
    let stage = Stage::new().await;
    let (base, job, _) = stage.application().await;
    for path in [format!("{job}/schema"), format!("{base}/templates/scim/schema")] {
        let before = stage.must("GET", &path, Value::Null, 200).await;
        for end in ["sourceDirectoryName", "targetDirectoryName"] {
            for (name, says) in [(json!("zzz"), "there is no directory 'zzz'"), (json!(""), end)] {
                let mut broken = before.clone();
                broken["synchronizationRules"][0][end] = name;
                refused(&stage, "PUT", &path, broken, says).await;
            }
        }
        let empty = json!({ "directories": [], "synchronizationRules": [] });
        refused(&stage, "PUT", &path, empty, "there is no rule").await;
        refused(&stage, "PATCH", &path, json!({}), "neither").await;
        assert_eq!(stage.must("GET", &path, Value::Null, 200).await, before);
    }
}

#[tokio::test]
async fn an_application_goes_and_comes_back_with_its_service_principal() {
    let stage = Stage::new().await;
    let path = format!("/v1.0/applicationTemplates/{TEMPLATE}/instantiate");
    let made = stage.must("POST", &path, json!({ "displayName": "HR" }), 201).await;
    assert_eq!(
        (&made["application"]["appRoles"], &made["application"]["passwordCredentials"]),
        (&json!([]), &json!([]))
    );
    let application = text(&made["application"]["id"]);
    let principal = format!("/v1.0/servicePrincipals/{}", text(&made["servicePrincipal"]["id"]));
    let jobs = format!("{principal}/synchronization/jobs");
    let job = text(&stage.must("POST", &jobs, json!({ "templateId": "scim" }), 201).await["id"]);
    stage.must("DELETE", &format!("/v1.0/applications/{application}"), Value::Null, 204).await;
    stage.must("GET", &principal, Value::Null, 404).await;
    stage.must("GET", &format!("{jobs}/{job}"), Value::Null, 404).await;
    let restore = format!("/v1.0/directory/deletedItems/{application}/restore");
    stage.must("POST", &restore, Value::Null, 200).await;
    stage.must("GET", &principal, Value::Null, 200).await;
    stage.must("GET", &format!("{jobs}/{job}"), Value::Null, 200).await;
}
