//! Tokens by OAuth client credentials.

use expect_test::expect;
use serde_json::json;
use usher_connectors::HttpOptions;
use wiremock::matchers::{body_string_contains, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::*;

fn client(server: &MockServer) -> std::sync::Arc<dyn usher_core::ports::Connector> {
    let address = format!("{}/scim", server.uri());
    let authority = format!("{}/token?scope=scim.write", server.uri());
    connector_with(
        &[
            ("BaseAddress", &address),
            ("Oauth2ClientId", "usher"),
            ("Oauth2ClientSecret", "s3cr3t&more"),
            ("Oauth2TokenExchangeUri", &authority),
        ],
        HttpOptions::default(),
    )
}

fn token(token: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"access_token": token, "expires_in": "3600"}))
}

async fn gives(server: &MockServer, template: ResponseTemplate, times: u64) {
    Mock::given(method("POST"))
        .and(path("/token"))
        .respond_with(template)
        .up_to_n_times(times)
        .mount(server)
        .await;
}

async fn takes(server: &MockServer, token: &str) {
    Mock::given(method("GET"))
        .and(path("/scim/Users/u1"))
        .and(header("authorization", format!("Bearer {token}")))
        .respond_with(scim(200, json!({"id": "u1"})))
        .mount(server)
        .await;
    Mock::given(method("GET"))
        .and(path("/scim/Users/u1"))
        .respond_with(error(401, "", "expired"))
        .with_priority(200)
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_kept() {
    let server = MockServer::start().await;
    gives(&server, token("t1"), 10).await;
    takes(&server, "t1").await;
    let connector = client(&server);
    for _ in 0..3 {
        connector.get(&get("u1")).await.unwrap().unwrap();
    }
    check(
        &server,
        "",
        &expect![[r#"
        --
        POST /token grant_type=client_credentials&client_id=usher&client_secret=s3cr3t%26more&scope=scim.write
        GET /Users/u1
        GET /Users/u1
        GET /Users/u1
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_token_that_is_refused_is_asked_for_anew_once() {
    let server = MockServer::start().await;
    gives(&server, token("old"), 1).await;
    gives(&server, token("new"), 1).await;
    takes(&server, "new").await;
    assert!(client(&server).get(&get("u1")).await.unwrap().is_some());

    let server = MockServer::start().await;
    gives(&server, token("old"), 10).await;
    takes(&server, "new").await;
    let error = client(&server).get(&get("u1")).await.unwrap_err();
    check(
        &server,
        &failure(&error),
        &expect![[r#"
        Unauthorised Unauthorized effect None
        GET /Users/u1 was answered with status 401 Unauthorized: the service does not accept the credentials
        detail: expired
        --
        POST /token grant_type=client_credentials&client_id=usher&client_secret=s3cr3t%26more&scope=scim.write
        GET /Users/u1
        POST /token grant_type=client_credentials&client_id=usher&client_secret=s3cr3t%26more&scope=scim.write
        GET /Users/u1
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_short_lived_token_is_not_used_to_its_end() {
    let server = MockServer::start().await;
    let ends = ResponseTemplate::new(200).set_body_json(json!({"access_token": "t1", "expires_in": 0}));
    gives(&server, ends, 10).await;
    takes(&server, "t1").await;
    let connector = client(&server);
    for _ in 0..2 {
        connector.get(&get("u1")).await.unwrap().unwrap();
    }
    let asked = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .filter(|request| request.url.path() == "/token")
        .count();
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn an_authority_that_wants_the_credentials_in_a_header_gets_them_there() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/token"))
        .and(body_string_contains("client_secret"))
        .respond_with(ResponseTemplate::new(401).set_body_json(json!({"error": "invalid_client"})))
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/token"))
        // usher:s3cr3t%26more
        .and(header("authorization", "Basic dXNoZXI6czNjcjN0JTI2bW9yZQ=="))
        .respond_with(token("t1"))
        .mount(&server)
        .await;
    takes(&server, "t1").await;
    assert!(client(&server).get(&get("u1")).await.unwrap().is_some());
}

#[tokio::test]
async fn an_authority_that_gives_no_token_is_named_with_its_reason() {
    let cases = [
        (
            ResponseTemplate::new(400).set_body_json(
                json!({"error": "invalid_scope", "error_description": "no scope for s3cr3t&more"}),
            ),
            expect![[r#"
                Unauthorised Unauthorized effect None
                http://server/token gave no token (status 400); correct Oauth2ClientId, Oauth2ClientSecret or the scope
                detail: invalid_scope: no scope for [Redact]
            "#]],
        ),
        (
            ResponseTemplate::new(429).insert_header("Retry-After", "3"),
            expect![[r#"
            Throttled TooManyRequests effect None
            http://server/token gives no more tokens for now
            retry after: 3s
        "#]],
        ),
        (
            ResponseTemplate::new(500),
            expect![[r#"
            Unreachable InternalServerError effect None
            http://server/token was asked for a token and answered with status 500
        "#]],
        ),
        (
            ResponseTemplate::new(200).set_body_string("hello"),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementBadResponse effect None
            the answer of http://server/token holds no access token
        "#]],
        ),
    ];
    for (template, expected) in cases {
        let server = MockServer::start().await;
        gives(&server, template, 10).await;
        let error = client(&server).get(&get("u1")).await.unwrap_err();
        expected.assert_eq(&failure(&error).replace(&server.uri(), "http://server"));
    }
}
