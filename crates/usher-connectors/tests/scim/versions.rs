//! Versions of resources: sent back where the service offers and checks them.

use expect_test::expect;
use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

use crate::support::*;

async fn service(checks_versions: bool) -> MockServer {
    let server = MockServer::start().await;
    answer(
        &server,
        "GET",
        "/ServiceProviderConfig",
        scim(200, json!({"etag": {"supported": checks_versions}})),
    )
    .await;
    let user = json!({"id": "u1", "userName": "ann", "meta": {"version": "W/\"1\""}});
    answer(&server, "GET", "/Users", scim(200, list(json!([user])))).await;
    answer(&server, "GET", "/Users/u1", scim(200, user).insert_header("ETag", "W/\"2\"")).await;
    server
}

#[tokio::test]
async fn a_change_names_the_version_it_is_based_on() {
    let server = service(true).await;
    answer(&server, "PATCH", "/Users/u1", ResponseTemplate::new(204)).await;
    let connector = connector(&server, "");
    connector.find(&query("userName", "ann")).await.unwrap();
    connector.write(&update("User", "u1", vec![replace("title", "Boss")])).await.unwrap();
    // The first change made the version old, and the service did not tell the new one.
    connector.write(&update("User", "u1", vec![manager("m1")])).await.unwrap();
    connector.get(&get("u1")).await.unwrap();
    connector.write(&update("User", "u1", vec![replace("title", "Clerk")])).await.unwrap();
    check(&server, "", &expect![[r#"
        --
        GET /Users?filter=userName+eq+%22ann%22
        GET /ServiceProviderConfig
        PATCH /Users/u1 If-Match: W/"1" [{"op":"Replace","path":"title","value":"Boss"}]
        PATCH /Users/u1 [{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m1"}]
        GET /Users/u1
        PATCH /Users/u1 If-Match: W/"2" [{"op":"Replace","path":"title","value":"Clerk"}]
    "#]]).await;
}

#[tokio::test]
async fn a_plan_shows_the_version_that_will_be_named() {
    for (checks, shown) in [(true, Some("W/\"1\"")), (false, None)] {
        let server = service(checks).await;
        let connector = connector(&server, "");
        connector.find(&query("userName", "ann")).await.unwrap();
        let requests = connector.preview(&update("User", "u1", vec![replace("title", "Boss")]));
        let headers = connector.envelope(&requests[0]).await.headers;
        let version = headers.iter().find(|(name, _)| name == "If-Match").map(|(_, value)| value.as_str());
        assert_eq!(version, shown);
        let other = connector.preview(&update("User", "u2", vec![replace("title", "Boss")]));
        let headers = connector.envelope(&other[0]).await.headers;
        assert!(headers.iter().all(|(name, _)| name != "If-Match"), "nothing is known of the other");
    }
}

#[tokio::test]
async fn a_service_that_does_not_check_versions_gets_none() {
    let server = service(false).await;
    answer(&server, "PATCH", "/Users/u1", ResponseTemplate::new(204)).await;
    let connector = connector(&server, "");
    for _ in 0..2 {
        connector.get(&get("u1")).await.unwrap();
        connector.write(&update("User", "u1", vec![replace("title", "Boss")])).await.unwrap();
    }
    check(
        &server,
        "",
        &expect![[r#"
        --
        GET /Users/u1
        GET /ServiceProviderConfig
        PATCH /Users/u1 [{"op":"Replace","path":"title","value":"Boss"}]
        GET /Users/u1
        PATCH /Users/u1 [{"op":"Replace","path":"title","value":"Boss"}]
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_resource_that_changed_in_between_is_a_conflict_once() {
    let server = service(true).await;
    respond(&server, "PATCH", "/Users/u1", |request| {
        if request.headers.contains_key("if-match") {
            error(412, "", "changed")
        } else {
            ResponseTemplate::new(204)
        }
    })
    .await;
    let connector = connector(&server, "");
    connector.get(&get("u1")).await.unwrap();
    let first = connector.write(&update("User", "u1", vec![replace("title", "Boss")])).await;
    let second = connector.write(&update("User", "u1", vec![replace("title", "Boss")])).await;
    check(
        &server,
        &(written(&first) + &written(&second)),
        &expect![[r#"
        Conflict Conflict effect None
        PATCH /Users/u1 was answered with status 412 Precondition Failed
        detail: changed
        written u1
        --
        GET /Users/u1
        GET /ServiceProviderConfig
        PATCH /Users/u1 If-Match: W/"2" [{"op":"Replace","path":"title","value":"Boss"}]
        PATCH /Users/u1 [{"op":"Replace","path":"title","value":"Boss"}]
    "#]],
    )
    .await;
}

#[tokio::test]
async fn the_version_told_by_an_answer_is_used_for_the_next_change() {
    let server = service(true).await;
    let told = scim(200, json!({"id": "u1", "meta": {"version": "W/\"7\""}}));
    answer(&server, "PATCH", "/Users/u1", told).await;
    let connector = connector(&server, "");
    connector.get(&get("u1")).await.unwrap();
    connector.write(&update("User", "u1", vec![replace("title", "Boss"), manager("m1")])).await.unwrap();
    check(&server, "", &expect![[r#"
        --
        GET /Users/u1
        GET /ServiceProviderConfig
        PATCH /Users/u1 If-Match: W/"2" [{"op":"Replace","path":"title","value":"Boss"}]
        PATCH /Users/u1 If-Match: W/"7" [{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m1"}]
    "#]]).await;
}

#[tokio::test]
async fn the_version_in_the_header_of_an_empty_answer_counts_too() {
    let server = service(true).await;
    answer(&server, "PATCH", "/Users/u1", ResponseTemplate::new(204).insert_header("ETag", "W/\"8\"")).await;
    let connector = connector(&server, "");
    connector.get(&get("u1")).await.unwrap();
    connector.write(&update("User", "u1", vec![replace("title", "Boss"), manager("m1")])).await.unwrap();
    let sent = server.received_requests().await.unwrap();
    assert_eq!(sent.last().unwrap().headers.get("if-match").unwrap(), "W/\"8\"");
}
