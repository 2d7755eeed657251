//! `bulkUpload`: what is taken, what is refused, and who may.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::stage::{Reply, Stage};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn operation(id: &str) -> Value {
    let data = json!({ "schemas": [USER], "externalId": id, "userName": id });
    json!({ "method": "POST", "bulkId": id, "path": "/Users", "data": data })
}

fn bulk(operations: Vec<Value>) -> Value {
    json!({ "schemas": [BULK], "Operations": operations, "failOnErrors": null })
}

async fn send(stage: &Stage, token: &str, path: &str, media: &str, body: &Value) -> Reply {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", media)
        .body(Body::from(body.to_string()))
        .expect("it can be sent");
    stage.raw(request).await
}

/// A principal with a job that takes uploads, and the address to send them to.
async fn feed(stage: &Stage, principal: &str) -> (String, String) {
    let base = format!("/v1.0/servicePrincipals/{principal}/synchronization/jobs");
    let job = stage.must("POST", &base, json!({ "templateId": "API2AAD" }), 201).await;
    let id = job["id"].as_str().expect("it has an id").to_owned();
    (format!("{base}/{id}/bulkUpload"), id)
}

#[tokio::test]
async fn records_are_staged_whole_and_read_back() {
    let stage = Stage::new().await;
    let (principal, _) = stage.client("HR feed", &[]).await;
    let (path, job) = feed(&stage, &principal).await;
    let body = bulk(vec![operation("1"), operation("2")]);
    let taken = send(&stage, &stage.token, &path, "application/scim+json; charset=utf-8", &body).await;
    assert_eq!((taken.status, &taken.body), (StatusCode::ACCEPTED, &json!("")));
    let location = taken.headers["location"].to_str().expect("it is a text");
    assert!(
        location.ends_with(&format!("/auditLogs/provisioning/?$filter=jobid%20eq%20'{job}'")),
        "{location}"
    );
    let staged = stage.must("GET", &format!("{path}/$value"), Value::Null, 200).await;
    assert_eq!(staged["Operations"].as_array().map(Vec::len), Some(2));
    assert_eq!(staged["Operations"][0]["data"]["externalId"], "1");
    let entity = stage.must("GET", &path, Value::Null, 200).await;
    assert_eq!(entity["id"], job.as_str());
    stage.must("DELETE", &path, Value::Null, 204).await;
    let staged = stage.must("GET", &format!("{path}/$value"), Value::Null, 200).await;
    assert_eq!(staged["Operations"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_an_upload_is_said_and_nothing_of_it_is_staged() {
    let stage = Stage::new().await;
    let (principal, _) = stage.client("HR feed", &[]).await;
    let (path, _) = feed(&stage, &principal).await;
    let scim = "application/scim+json";
    let with = |name: &str, value: Value| {
        let mut wrong = operation("2");
        wrong[name] = value;
        bulk(vec![operation("1"), wrong])
    };
    let of = |name: &str, value: Value| {
        let mut wrong = operation("2");
        wrong["data"][name] = value;
        bulk(vec![operation("1"), wrong])
    };
    let many = (0..51).map(|id| operation(&id.to_string())).collect();
    for (media, body, says) in [
        ("application/json", bulk(vec![operation("1")]), "application/scim+json"),
        (scim, bulk(many), "'Operations' has 51 entries"),
        (scim, bulk(vec![]), "'Operations' has 0 entries"),
        (scim, json!({ "Operations": [operation("1")] }), "the body needs 'schemas'"),
        (scim, json!([operation("1")]), "the body is a list"),
        (scim, with("method", json!("PATCH")), "Operations[1]: 'method' must be \"POST\""),
        (scim, with("path", json!("/Groups")), "Operations[1]: 'path' must be \"/Users\""),
        (scim, with("bulkId", json!("")), "Operations[1]: 'bulkId' is missing"),
        (scim, with("data", json!({ "schemas": [USER] })), "Operations[1]: 'data' needs 'externalId'"),
        (scim, of("userName", json!(7)), "Operations[1]: 'userName' of 'data' must be a text"),
        (scim, of("active", json!("perhaps")), "'active' of 'data' must be true or false"),
        (scim, of("emails", json!("a@x")), "'emails' of 'data' must be a list"),
        (scim, of("name", json!("Adele")), "'name' of 'data' must be an object"),
        (scim, of("urn:x", json!([])), "'urn:x' of 'data' must be an object"),
    ] {
        let refused = send(&stage, &stage.token, &path, media, &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(refused.message().contains(says), "{}", refused.message());
    }
    let staged = stage.must("GET", &format!("{path}/$value"), Value::Null, 200).await;
    assert_eq!(staged["Operations"], json!([]));
    let (_, scim_job, _) = stage.application().await;
    let other = format!("{scim_job}/bulkUpload");
    let refused = send(&stage, &stage.token, &other, scim, &bulk(vec![operation("1")])).await;
    assert!(
        refused.status.is_client_error() && refused.message().contains("API-driven"),
        "{}",
        refused.message()
    );
}

#[tokio::test]
async fn uploading_needs_its_own_permission_and_owners_may_only_their_own() {
    let stage = Stage::new().await;
    let (principal, token) = stage.client("HR feed", &["SynchronizationData-User.Upload"]).await;
    let (path, _) = feed(&stage, &principal).await;
    let (mine, owner) = stage.client("its own feed", &["SynchronizationData-User.Upload.OwnedBy"]).await;
    let (_, writer) = stage.client("a manager of jobs", &["Synchronization.ReadWrite.All"]).await;
    let body = bulk(vec![operation("1")]);
    let status = async |token: &str, path: &str| {
        send(&stage, token, path, "application/scim+json", &body).await.status
    };
    assert_eq!(status(&token, &path).await, StatusCode::ACCEPTED);
    assert_eq!(
        status(&writer, &path).await,
        StatusCode::FORBIDDEN,
        "jobs may be managed, people not be sent"
    );
    assert_eq!(status(&owner, &path).await, StatusCode::FORBIDDEN, "it is somebody else's");
    let link = json!({ "@odata.id": format!("https://usher.test/v1.0/directoryObjects/{mine}") });
    stage.must("POST", &format!("/v1.0/servicePrincipals/{principal}/owners/$ref"), link, 204).await;
    assert_eq!(status(&owner, &path).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn more_than_forty_uploads_in_a_second_are_held_back() {
    let stage = Stage::new().await;
    let (principal, token) = stage.client("HR feed", &["SynchronizationData-User.Upload"]).await;
    let (path, _) = feed(&stage, &principal).await;
    let body = bulk(vec![operation("1")]);
    for _ in 0..40 {
        let taken = send(&stage, &token, &path, "application/scim+json", &body).await;
        assert_eq!(taken.status, StatusCode::ACCEPTED);
    }
    let held = send(&stage, &token, &path, "application/scim+json", &body).await;
    assert_eq!(held.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(held.headers["retry-after"], "1");
    stage.clock.advance(std::time::Duration::from_secs(1));
    let taken = send(&stage, &token, &path, "application/scim+json", &body).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED);
}
