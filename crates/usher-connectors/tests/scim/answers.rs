//! What the answers of a service mean.

use std::time::Duration;

use expect_test::expect;
use serde_json::json;
use usher_core::Change;
use usher_core::ports::SubjectRequest;
use wiremock::{MockServer, ResponseTemplate};

use crate::support::*;

#[tokio::test]
async fn requests_carry_token_and_media_type() {
    let server = MockServer::start().await;
    answer(&server, "POST", "/Users", scim(201, json!({"id": "u1"}))).await;
    let result = connector(&server, "").write(&create(vec![add("userName", "ann")])).await;
    assert_eq!(result.unwrap().anchor.as_str(), "u1");
    let request = &server.received_requests().await.unwrap()[0];
    let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("authorization"), "Bearer tok-123456");
    assert_eq!(header("content-type"), "application/scim+json; charset=utf-8");
    assert!(header("user-agent").starts_with("usher/"));
}

#[tokio::test]
async fn the_flag_is_not_sent_but_the_service_s_own_parameters_are() {
    let server = MockServer::start().await;
    answer(&server, "GET", "/Users", scim(200, list(json!([])))).await;
    let connector = connector(&server, "?aadOptscim062020&tenant=a+b");
    let found = connector.find(&query("userName", "ann@x.example")).await;
    check(
        &server,
        &objects(&found),
        &expect![[r#"
        none
        --
        GET /Users?filter=userName+eq+%22ann%40x.example%22&tenant=a+b
    "#]],
    )
    .await;
}

#[tokio::test]
async fn connection_test_is_good_when_nothing_is_found() {
    let server = MockServer::start().await;
    answer(&server, "GET", "/Users", scim(200, json!({"totalResults": 0, "startIndex": 1}))).await;
    assert!(connector(&server, "").check(&query("userName", "6b6a0c9e")).await.is_ok());
}

#[tokio::test]
async fn connection_test_fails_for_each_reason_in_its_own_words() {
    let cases = [
        (
            error(401, "", "token expired"),
            expect![[r#"
            Unauthorised Unauthorized effect None
            GET /Users?filter=userName+eq+%226b6a0c9e%22 was answered with status 401 Unauthorized: the service does not accept the credentials
            detail: token expired
        "#]],
        ),
        (
            error(403, "", "read only"),
            expect![[r#"
            Unauthorised InsufficientRights effect None
            GET /Users?filter=userName+eq+%226b6a0c9e%22 was answered with status 403 Forbidden: the credentials lack a right
            detail: read only
        "#]],
        ),
        (
            error(404, "", "no such thing"),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect None
            GET /Users?filter=userName+eq+%226b6a0c9e%22 was answered with status 404 Not Found: check that the BaseAddress is that of a SCIM service
            detail: no such thing
        "#]],
        ),
        (
            error(500, "", "oops"),
            expect![[r#"
            Unreachable SystemForCrossDomainIdentityManagementCredentialValidationUnavailable effect None
            GET /Users?filter=userName+eq+%226b6a0c9e%22 was answered with status 500 Internal Server Error
            detail: oops
        "#]],
        ),
        (
            scim(200, list(json!([{"id": "u1"}]))),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect None
            the answer to GET /Users?filter=userName+eq+%226b6a0c9e%22 holds a resource although none can have that value
        "#]],
        ),
        (
            scim(200, list(json!([{"id": "u1", "userName": "bob"}]))),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect None
            the answer to GET /Users?filter=userName+eq+%226b6a0c9e%22 holds a resource with another value: the service does not apply the filter
        "#]],
        ),
        (
            scim(200, json!({"id": "u1", "userName": "6b6a0c9e"})),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect None
            the answer to GET /Users?filter=userName+eq+%226b6a0c9e%22 is not a ListResponse with Resources
        "#]],
        ),
        (
            scim(200, json!([])),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect None
            the answer to GET /Users?filter=userName+eq+%226b6a0c9e%22 is JSON, but no object
        "#]],
        ),
        (
            ResponseTemplate::new(200).set_body_raw("<html>Sign in</html>", "text/html"),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementBadResponse effect None
            the answer to GET /Users?filter=userName+eq+%226b6a0c9e%22 is of type 'text/html', not application/scim+json
            detail: <html>Sign in</html>
        "#]],
        ),
        (
            ResponseTemplate::new(200).set_body_raw("<html>Sign in</html>", "application/scim+json"),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementBadResponse effect None
            the answer to GET /Users?filter=userName+eq+%226b6a0c9e%22 is not JSON
            detail: <html>Sign in</html>
        "#]],
        ),
        (
            ResponseTemplate::new(302).insert_header("location", "https://app.example/login"),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect None
            GET /Users?filter=userName+eq+%226b6a0c9e%22 was redirected to https://app.example/login; give that address as BaseAddress
        "#]],
        ),
    ];
    for (template, expected) in cases {
        let server = MockServer::start().await;
        answer(&server, "GET", "/Users", template).await;
        let error = connector(&server, "").check(&query("userName", "6b6a0c9e")).await.unwrap_err();
        expected.assert_eq(&failure(&error));
    }
}

#[tokio::test]
async fn several_hits_are_all_given() {
    let server = MockServer::start().await;
    answer(&server, "GET", "/Users", scim(200, list(json!([{"id": "u1"}, {"id": "u2"}])))).await;
    let found = connector(&server, "").find(&query("userName", "ann")).await;
    assert_eq!(objects(&found), "u1\nu2\n");
}

#[tokio::test]
async fn a_page_that_is_cut_short_is_followed_by_the_next() {
    let server = MockServer::start().await;
    respond(&server, "GET", "/Users", |request| {
        let start = request.url.query_pairs().find(|(name, _)| name == "startIndex").map(|(_, value)| value.into_owned());
        let id = start.unwrap_or_else(|| "1".to_owned());
        scim(200, json!({"totalResults": 3, "itemsPerPage": 1, "Resources": [{"id": format!("u{id}"), "userName": "Ann"}]}))
    })
    .await;
    let found = connector(&server, "").find(&query("userName", "ann")).await;
    check(
        &server,
        &objects(&found),
        &expect![[r#"
        u1
        u2
        --
        GET /Users?filter=userName+eq+%22ann%22
        GET /Users?filter=userName+eq+%22ann%22&startIndex=2
    "#]],
    )
    .await;
}

#[tokio::test]
async fn strangers_in_the_answer_to_a_filter_are_never_matched() {
    let server = MockServer::start().await;
    let everybody = json!([{"id": "u1", "userName": "ann"}, {"id": "u2", "userName": "bob"}]);
    answer(&server, "GET", "/Users", scim(200, list(everybody))).await;
    let found = connector(&server, "").find(&query("userName", "ann")).await;
    expect![[r#"
        Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect None
        the answer to GET /Users?filter=userName+eq+%22ann%22 holds a resource with another value: the service does not apply the filter
    "#]].assert_eq(&objects(&found));
}

#[tokio::test]
async fn get_gives_the_object_or_says_that_it_is_gone() {
    let server = MockServer::start().await;
    answer(&server, "GET", "/Users/u1", scim(200, json!({"id": "U1", "userName": "ann"}))).await;
    answer(&server, "GET", "/Users/u2", error(404, "", "gone")).await;
    answer(&server, "GET", "/Users/u3", scim(200, json!({"id": "u4"}))).await;
    answer(&server, "GET", "/Users/u5", scim(200, list(json!([{"id": "u5"}])))).await;
    let connector = connector(&server, "");
    assert_eq!(connector.get(&get("u1")).await.unwrap().unwrap().anchor.as_str(), "U1");
    assert!(connector.get(&get("u2")).await.unwrap().is_none());
    expect![[r#"
        Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect None
        the answer to GET /Users/u3 is another resource
    "#]]
    .assert_eq(&failure(&connector.get(&get("u3")).await.unwrap_err()));
    expect![[r#"
        Protocol SystemForCrossDomainIdentityManagementMultipleEntriesInResponse effect None
        the answer to GET /Users/u5 is a list, not one resource
    "#]]
    .assert_eq(&failure(&connector.get(&get("u5")).await.unwrap_err()));
}

#[tokio::test]
async fn a_subject_is_read_by_its_id() {
    let server = MockServer::start().await;
    answer(&server, "GET", "/Users/u1", scim(200, json!({"id": "u1", "active": "True"}))).await;
    let request = SubjectRequest {
        object_type: "User".into(),
        id: "u1".into(),
        attributes: vec!["active".into()],
        application: None,
    };
    let object = connector(&server, "").subject(&request).await.unwrap().unwrap();
    assert_eq!(object.attributes.value("active"), Some(&usher_expr::Value::Boolean(true)));
}

#[tokio::test]
async fn each_refusal_of_a_create_has_its_kind_code_and_effect() {
    let cases = [
        (
            error(400, "invalidValue", "userName: must be an e-mail"),
            expect![[r#"
            Rejected SchemaPropertyCanOnlyAcceptValue effect None
            POST /Users was answered with status 400 Bad Request
            detail: invalidValue: userName: must be an e-mail
            attribute: userName
        "#]],
        ),
        (
            error(400, "uniqueness", "taken"),
            expect![[r#"
            AlreadyExists EntryConflict effect None
            POST /Users was answered with status 400 Bad Request
            detail: uniqueness: taken
        "#]],
        ),
        (
            error(401, "", "no"),
            expect![[r#"
            Unauthorised Unauthorized effect None
            POST /Users was answered with status 401 Unauthorized: the service does not accept the credentials
            detail: no
        "#]],
        ),
        (
            error(404, "", "no such endpoint"),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect None
            POST /Users was answered with status 404 Not Found: check that the BaseAddress is that of a SCIM service
            detail: no such endpoint
        "#]],
        ),
        (
            error(405, "", "no"),
            expect![[r#"
            Unsupported MethodNotAllowed effect None
            POST /Users was answered with status 405 Method Not Allowed
            detail: no
        "#]],
        ),
        (
            error(409, "uniqueness", "userName is taken"),
            expect![[r#"
            AlreadyExists EntryConflict effect None
            POST /Users was answered with status 409 Conflict
            detail: uniqueness: userName is taken
        "#]],
        ),
        (
            ResponseTemplate::new(409).set_body_string("duplicate"),
            expect![[r#"
            AlreadyExists EntryConflict effect None
            POST /Users was answered with status 409 Conflict
            detail: duplicate
        "#]],
        ),
        (
            error(422, "", "cannot be processed"),
            expect![[r#"
            Rejected UnprocessableEntity effect None
            POST /Users was answered with status 422 Unprocessable Entity
            detail: cannot be processed
        "#]],
        ),
        (
            error(429, "", "slow down").insert_header("Retry-After", "2.5"),
            expect![[r#"
            Throttled TooManyRequests effect None
            POST /Users was answered with status 429 Too Many Requests
            detail: slow down
            retry after: 2.5s
        "#]],
        ),
        (
            error(500, "", "oops"),
            expect![[r#"
            Unreachable InternalServerError effect Unknown
            POST /Users was answered with status 500 Internal Server Error
            detail: oops
        "#]],
        ),
        (
            error(501, "", "not yet"),
            expect![[r#"
            Unsupported NotImplemented effect None
            POST /Users was answered with status 501 Not Implemented
            detail: not yet
        "#]],
        ),
        (
            error(503, "", "down").insert_header("Retry-After", "7"),
            expect![[r#"
            Unreachable InternalServerError effect Unknown
            POST /Users was answered with status 503 Service Unavailable
            detail: down
            retry after: 7s
        "#]],
        ),
        (
            scim(201, json!({"userName": "ann"})),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementServiceIncompatible effect Unknown
            the answer to POST /Users is a resource without 'id'
        "#]],
        ),
        (
            ResponseTemplate::new(200).set_body_raw("hello", "text/plain"),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementBadResponse effect Unknown
            the answer to POST /Users is of type 'text/plain', not application/scim+json
            detail: hello
        "#]],
        ),
        (
            ResponseTemplate::new(201),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementBadResponse effect Unknown
            the answer to POST /Users is not JSON
        "#]],
        ),
    ];
    for (template, expected) in cases {
        let server = MockServer::start().await;
        answer(&server, "POST", "/Users", template).await;
        let result = connector(&server, "").write(&create(vec![add("userName", "ann")])).await;
        expected.assert_eq(&failure(&result.unwrap_err()));
    }
}

#[tokio::test]
async fn a_create_answered_with_200_counts_too() {
    let server = MockServer::start().await;
    answer(&server, "POST", "/Users", scim(200, json!({"id": 17}))).await;
    let result = connector(&server, "").write(&create(vec![add("userName", "ann")])).await;
    assert_eq!(written(&result), "written 17\n");
}

#[tokio::test]
async fn each_refusal_of_an_update_has_its_kind_code_and_effect() {
    let cases = [
        (
            error(400, "invalidPath", "Unknown attribute 'nickName'"),
            expect![[r#"
            Rejected SchemaPropertyCanOnlyAcceptValue effect None
            PATCH /Users/u1 was answered with status 400 Bad Request
            detail: invalidPath: Unknown attribute 'nickName'
            attribute: nickName
        "#]],
        ),
        (
            error(404, "", "gone"),
            expect![[r#"
            NotFound InvalidAnchor effect None
            PATCH /Users/u1 was answered with status 404 Not Found
            detail: gone
        "#]],
        ),
        (
            error(409, "uniqueness", "taken"),
            expect![[r#"
            AlreadyExists EntryConflict effect None
            PATCH /Users/u1 was answered with status 409 Conflict
            detail: uniqueness: taken
        "#]],
        ),
        (
            error(409, "mutability", "no"),
            expect![[r#"
            Conflict Conflict effect None
            PATCH /Users/u1 was answered with status 409 Conflict
            detail: mutability: no
        "#]],
        ),
        (
            error(412, "", "changed"),
            expect![[r#"
            Conflict Conflict effect None
            PATCH /Users/u1 was answered with status 412 Precondition Failed
            detail: changed
        "#]],
        ),
        (
            error(429, "", "slow down"),
            expect![[r#"
            Throttled TooManyRequests effect None
            PATCH /Users/u1 was answered with status 429 Too Many Requests
            detail: slow down
        "#]],
        ),
        (
            error(502, "", "oops"),
            expect![[r#"
            Unreachable InternalServerError effect Unknown
            PATCH /Users/u1 was answered with status 502 Bad Gateway
            detail: oops
        "#]],
        ),
        (
            ResponseTemplate::new(200).set_body_raw("<html>Sign in</html>", "text/html; charset=utf-8"),
            expect![[r#"
            Protocol SystemForCrossDomainIdentityManagementBadResponse effect Unknown
            the answer to PATCH /Users/u1 is a web page
            detail: <html>Sign in</html>
        "#]],
        ),
    ];
    for (template, expected) in cases {
        let server = MockServer::start().await;
        answer(&server, "PATCH", "/Users/u1", template).await;
        let changes = vec![add("nickName", "Annie"), replace("title", "Boss")];
        let result = connector(&server, "").write(&update("User", "u1", changes)).await;
        expected.assert_eq(&failure(&result.unwrap_err()));
    }
}

#[tokio::test]
async fn delete_of_what_is_gone_is_done() {
    let server = MockServer::start().await;
    answer(&server, "DELETE", "/Users/u1", ResponseTemplate::new(204)).await;
    answer(&server, "DELETE", "/Users/u2", error(404, "", "gone")).await;
    answer(&server, "DELETE", "/Users/u3", error(500, "", "oops")).await;
    let connector = connector(&server, "");
    assert_eq!(written(&connector.write(&delete("u1")).await), "written u1\n");
    assert_eq!(written(&connector.write(&delete("u2")).await), "written u2\n");
    expect![[r#"
        Unreachable InternalServerError effect Unknown
        DELETE /Users/u3 was answered with status 500 Internal Server Error
        detail: oops
    "#]]
    .assert_eq(&written(&connector.write(&delete("u3")).await));
}

#[tokio::test]
async fn throttling_says_how_long_to_wait() {
    let server = MockServer::start().await;
    let template = error(429, "", "slow down")
        .insert_header("Retry-After", "Tue, 24 Nov 2026 10:00:12 GMT")
        .insert_header("Date", "Tue, 24 Nov 2026 10:00:00 GMT");
    answer(&server, "GET", "/Users/u1", template).await;
    let error = connector(&server, "").get(&get("u1")).await.unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(12)));
}

#[tokio::test]
async fn what_the_service_repeats_of_our_secrets_is_not_shown() {
    let server = MockServer::start().await;
    answer(
        &server,
        "POST",
        "/Users",
        error(400, "invalidValue", "bad password Pa55word! (token tok-123456)"),
    )
    .await;
    let operation = create(vec![add("userName", "ann"), add("password", "Pa55word!")]);
    let connector = connector(&server, "");
    let error = connector.write(&operation).await.unwrap_err();
    expect![[r#"
        Rejected SchemaPropertyCanOnlyAcceptValue effect None
        POST /Users was answered with status 400 Bad Request
        detail: invalidValue: bad password [Redact] (token [Redact])
        attribute: password
    "#]]
    .assert_eq(&failure(&error));
    expect![[r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ann","password":"[Redact]","meta":{"resourceType":"User"}}"#]].assert_eq(&connector.preview(&operation)[0].body.as_ref().unwrap().to_string());
    let patch = connector.preview(&update("User", "u1", vec![replace("password", "Pa55word!")]));
    expect![[r#"[{"op":"Replace","path":"password","value":"[Redact]"}]"#]]
        .assert_eq(&patch[0].body.as_ref().unwrap()["Operations"].to_string());
}

#[tokio::test]
async fn preview_is_what_is_sent() {
    let server = MockServer::start().await;
    answer(&server, "PATCH", "/Groups/g1", ResponseTemplate::new(204)).await;
    let operation = update(
        "Group",
        "g1",
        vec![replace("displayName", "Sales"), members(Change::Add(ids(&["u1", "u2"])))],
    );
    let connector = connector(&server, "?aadOptscim062020");
    let preview = connector.preview(&operation);
    connector.write(&operation).await.unwrap();
    let sent = server.received_requests().await.unwrap();
    assert_eq!(preview.len(), sent.len());
    for (preview, sent) in preview.iter().zip(&sent) {
        assert_eq!(preview.method, sent.method.as_str());
        assert_eq!(format!("/scim{}", preview.path), sent.url.path());
        assert_eq!(preview.body.as_ref().unwrap().to_string().as_bytes(), sent.body);
    }
}

#[tokio::test]
async fn discovery_reads_schemas_and_resource_types() {
    let server = MockServer::start().await;
    let user = "urn:ietf:params:scim:schemas:core:2.0:User";
    let schemas =
        json!([{"id": user, "attributes": [{"name": "userName", "type": "string", "required": true}]}]);
    answer(&server, "GET", "/Schemas", scim(200, list(schemas))).await;
    answer(&server, "GET", "/ResourceTypes", error(404, "", "none")).await;
    let found = connector(&server, "").discover().await.unwrap();
    let object = found.object("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User").unwrap();
    assert!(object.attribute("userName").unwrap().required);
    assert!(object.attribute("id").unwrap().anchor);
}

#[tokio::test]
async fn a_service_without_schemas_cannot_be_discovered_and_says_so() {
    let server = MockServer::start().await;
    answer(&server, "GET", "/Schemas", error(404, "", "none")).await;
    let error = connector(&server, "").discover().await.unwrap_err();
    expect![[r#"
        Unsupported NotImplemented effect None
        the service does not describe its schemas; attributes must be added to the schema by hand
        detail: none
    "#]]
    .assert_eq(&failure(&error));
}
