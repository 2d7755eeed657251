//! What is sent again, and what comes of answers that are none of a service.

use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::profile::ProfileCredential;
use usher_core::Secret;

/// A client of a service that gives these answers, then `{}`.
async fn client(answers: Vec<ResponseTemplate>) -> (MockServer, Client) {
    let server = MockServer::start().await;
    for answer in answers {
        Mock::given(any()).respond_with(answer).up_to_n_times(1).mount(&server).await;
    }
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(json!({}))).mount(&server).await;
    let profile = Profile {
        address: server.uri(),
        authority: server.uri(),
        tenant: "contoso.example".to_owned(),
        credential: ProfileCredential::Token(Secret::new("a-token")),
        ca: None,
        timeout: None,
    };
    let client = Client::with(&profile).expect("the client is made");
    (server, client)
}

fn busy(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).insert_header("retry-after", "0")
}

async fn asked(server: &MockServer) -> usize {
    server.received_requests().await.expect("they are recorded").len()
}

#[tokio::test]
async fn every_request_is_sent_again_when_it_was_too_early() {
    let (server, client) = client(vec![busy(429), busy(503), busy(504)]).await;
    client.get("/v1.0/users/a").await.expect("it answers in the end");
    assert_eq!(asked(&server).await, 4);
    let requests = server.received_requests().await.expect("they are recorded");
    let ids: std::collections::BTreeSet<_> = requests
        .iter()
        .map(|request| request.headers["client-request-id"].clone().to_str().map(str::to_owned))
        .map(|id| id.expect("it is a text"))
        .collect();
    assert_eq!(ids.len(), 4, "each has an id of its own");
}

#[tokio::test]
async fn patience_ends() {
    let (server, client) = client(vec![busy(429), busy(429), busy(429), busy(429), busy(429)]).await;
    let error = client.get("/v1.0/users/a").await.expect_err("it gives up");
    assert_eq!(error.downcast_ref::<Refusal>().map(|refusal| refusal.status), Some(429));
    assert_eq!(asked(&server).await, 4);
}

#[tokio::test]
async fn a_pause_longer_than_anybody_waits_is_an_answer() {
    let long = ResponseTemplate::new(429).insert_header("retry-after", "86400");
    let (server, client) = client(vec![long]).await;
    client.get("/v1.0/users/a").await.expect_err("nobody waits for a day");
    assert_eq!(asked(&server).await, 1);
}

#[tokio::test]
async fn what_may_have_been_made_is_not_made_again() {
    let (server, client) = client(vec![busy(504)]).await;
    client.post("/v1.0/users", &json!({})).await.expect_err("nobody knows what came of it");
    assert_eq!(asked(&server).await, 1);
    client.act("/v1.0/x/start", &json!({})).await.expect("it starts");
    let (server, client) = self::client(vec![ResponseTemplate::new(400)]).await;
    client.get("/v1.0/users").await.expect_err("it is refused");
    assert_eq!(asked(&server).await, 1);
}

#[tokio::test]
async fn errors_show_the_ids_of_the_request() {
    let refused = ResponseTemplate::new(404)
        .insert_header("request-id", "r-1")
        .set_body_json(json!({ "error": { "code": "Request_ResourceNotFound", "message": "Gone." } }));
    let (server, client) = client(vec![refused]).await;
    let error = client.get("/v1.0/users/a").await.expect_err("it is refused").to_string();
    let requests = server.received_requests().await.expect("they are recorded");
    let id = requests[0].headers["client-request-id"].to_str().expect("it is a text").to_owned();
    let whole = format!("Gone. (404, Request_ResourceNotFound; request-id r-1, client-request-id {id})");
    assert_eq!(error, whole);
}

#[tokio::test]
async fn a_token_that_the_service_repeats_is_not_shown() {
    let told = json!({ "error": { "code": "a-token", "message": "'a-token' is not a token of ours." } });
    let refused = ResponseTemplate::new(401).insert_header("request-id", "a-token").set_body_json(told);
    let page = ResponseTemplate::new(200).set_body_raw("a-token is what you showed", "text/plain");
    let (_server, client) = client(vec![refused, page]).await;
    let error = client.get("/v1.0/users/a").await.expect_err("it is refused").to_string();
    let shown = "'[Redact]' is not a token of ours. (401, [Redact]; request-id [Redact], client-request-id ";
    assert!(error.starts_with(shown), "{error}");
    let error = client.get("/v1.0/users/a").await.expect_err("it is no JSON").to_string();
    assert!(error.contains("'[Redact] is what you showed'"), "{error}");
}

#[tokio::test]
async fn a_page_is_no_answer_of_a_service() {
    let page = || {
        let text = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>…</body></html>";
        ResponseTemplate::new(200).set_body_raw(text, "text/html")
    };
    let (_server, client) =
        client(vec![page(), page(), ResponseTemplate::new(200).set_body_json(json!({"a": 1}))]).await;
    for error in [client.get("/v1.0/users/a?$select=id").await, client.post("/v1.0/users", &json!({})).await]
    {
        let error = error.expect_err("it is a page").to_string();
        assert!(error.contains("with status 200 and a web page ('Sign in'), not with JSON"), "{error}");
    }
    let error = client.list("/v1.0/users").await.expect_err("it is no list").to_string();
    assert_eq!(error, "the answer to GET /v1.0/users has no list 'value', but a");
}
