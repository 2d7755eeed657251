//! Authorization, media types, versions, discovery and unknown addresses.

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use expect_test::expect;
use tower::ServiceExt;
use usher_sandbox::{BASE_PATH, Exchange, Options, Sandbox};

use crate::conversation::{TOKEN, check, run};

#[test]
fn only_the_right_bearer_gets_in() {
    check(
        r#"
GET /Users
Authorization: Bearer open-sesam

GET /Users
Authorization: Bearer open-sesame2

GET /Users
Authorization: Basic b3Blbi1zZXNhbWU=

GET /Schemas
Authorization: open-sesame

GET /Nowhere
Authorization: Bearer wrong

GET /Users
Authorization: bearer open-sesame
"#,
        expect![[r#"
            401 the bearer token is missing or wrong
            401 the bearer token is missing or wrong
            401 the bearer token is missing or wrong
            401 the bearer token is missing or wrong
            401 the bearer token is missing or wrong
            200 {"schemas":["@list"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}
        "#]],
    );
}

#[test]
fn malformed_bodies_are_refused() {
    let deep = "[".repeat(200);
    check(
        &format!(
            r#"
POST /Users
{{"schemas":

POST /Users
{deep}

POST /Users
[]

POST /Users
Content-Type: application/scim+json

POST /Users
Content-Type: text/plain
{{"schemas":["@user"],"userName":"ann"}}

POST /Users
Content-Type: application/json
{{"schemas":["@user"],"userName":"ann"}}
"#
        ),
        expect![[r#"
            400 invalidSyntax: the body is no JSON: EOF while parsing a value at line 1 column 11
            400 invalidSyntax: the body is no JSON: recursion limit exceeded at line 1 column 128
            400 invalidSyntax: the body is no object
            400 invalidSyntax: the body is no JSON: EOF while parsing a value at line 1 column 0
            415 the content type "text/plain" is not application/scim+json
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
        "#]],
    );
}

#[test]
fn a_body_has_a_largest_size() {
    let sandbox = Sandbox::new(Options::new(TOKEN));
    let body = |size: usize| format!("POST /Users\n{{\"userName\":\"{}\"}}", "x".repeat(size));
    assert!(run(&sandbox, &body(1024 * 1024)).starts_with("413 the body is larger"));
    assert!(run(&sandbox, &body(1024 * 1000)).starts_with("400 invalidValue"));
}

#[test]
fn unknown_addresses_and_methods_have_scim_errors() {
    check(
        r#"
GET /Nowhere

GET !/

PUT /Users
{}

DELETE /Schemas

POST /Bulk
{}

GET /Me

POST /.search
{}

GET /Users/nobody

GET /Users?filter=title%20eq%20%ff
"#,
        expect![[r#"
            404 there is no /scim/v2/Nowhere
            404 there is no /
            405 PUT is not allowed on /Users
            405 DELETE is not allowed on /Schemas
            501 /Bulk is not supported
            501 /Me is not supported
            501 /.search is not supported
            404 User "nobody" does not exist
            400 invalidValue: query parameter "filter" is no UTF-8
        "#]],
    );
}

#[test]
fn versions_guard_changes() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

PATCH /Users/$1
If-Match: W/"1"
{"schemas":["@patch"],"Operations":[{"op":"add","path":"title","value":"Clerk"}]}

PATCH /Users/$1
If-Match: W/"1"
{"schemas":["@patch"],"Operations":[{"op":"add","path":"title","value":"Chief"}]}

PATCH /Users/$1
If-Match: *
{"schemas":["@patch"],"Operations":[{"op":"add","path":"title","value":"Clerk"}]}

GET /Users/$1
If-None-Match: W/"2"

PUT /Users/$1
If-Match: "7", W/"1"
{"schemas":["@user"],"userName":"ann"}

DELETE /Users/$1
If-Match: W/"3"

DELETE /Users/$1
If-Match: W/"2"
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
            200 {"schemas":["@user"],"id":"$1","userName":"ann","title":"Clerk"}
            412 the resource is at version W/"2"
            200 {"schemas":["@user"],"id":"$1","userName":"ann","title":"Clerk"}
            304
            412 the resource is at version W/"2"
            412 the resource is at version W/"2"
            204
        "#]],
    );
}

#[tokio::test]
async fn a_new_resource_has_location_version_and_media_type() {
    let request = Request::post(format!("{BASE_PATH}/Users"))
        .header("Host", "scim.example:81")
        .header("Authorization", format!("Bearer {TOKEN}"))
        .header("Content-Type", "application/scim+json")
        .body(Body::from(r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}"#))
        .unwrap();
    let response = Sandbox::new(Options::new(TOKEN)).router().oneshot(request).await.unwrap();
    let headers = format!("{:#?}", response.headers());
    expect![[r#"
        {
            "content-type": "application/scim+json",
            "etag": "W/\"1\"",
            "location": "http://scim.example:81/scim/v2/Users/7cc9ae9d-6107-50c1-9c65-5f0e8a95675a",
            "content-length": "328",
        }"#]]
    .assert_eq(&headers);
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    expect![[r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"7cc9ae9d-6107-50c1-9c65-5f0e8a95675a","userName":"ann","meta":{"resourceType":"User","created":"2026-01-01T00:00:00Z","lastModified":"2026-01-01T00:00:00Z","location":"http://scim.example:81/scim/v2/Users/7cc9ae9d-6107-50c1-9c65-5f0e8a95675a","version":"W/\"1\""}}"#]].assert_eq(std::str::from_utf8(&body).unwrap());
}

#[test]
fn discovery_describes_what_is_checked() {
    let sandbox = Sandbox::new(Options::new(TOKEN));
    let answers = run(
        &sandbox,
        r#"
GET /ServiceProviderConfig

GET /ResourceTypes

GET /ResourceTypes/Group

GET /Schemas/@group

GET /Schemas/nothing

GET /ResourceTypes/nothing

GET /Schemas?filter=name eq "x"
"#,
    );
    expect![[r#"
        200 {"schemas":["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],"patch":{"supported":true},"bulk":{"supported":false,"maxOperations":0,"maxPayloadSize":0},"filter":{"supported":true,"maxResults":100},"changePassword":{"supported":false},"sort":{"supported":false},"etag":{"supported":true},"authenticationSchemes":[{"type":"oauthbearertoken","name":"Bearer token","description":"The token the sandbox was started with, in the header Authorization.","primary":true}]}
        200 {"schemas":["@list"],"totalResults":2,"startIndex":1,"itemsPerPage":2,"Resources":[{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],"id":"User","name":"User","description":"The accounts of people.","endpoint":"/Users","schema":"@user","schemaExtensions":[{"schema":"@enterprise","required":false}]},{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],"id":"Group","name":"Group","description":"Sets of users and groups.","endpoint":"/Groups","schema":"@group","schemaExtensions":[]}]}
        200 {"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],"id":"Group","name":"Group","description":"Sets of users and groups.","endpoint":"/Groups","schema":"@group","schemaExtensions":[]}
        200 {"schemas":["urn:ietf:params:scim:schemas:core:2.0:Schema"],"id":"@group","name":"Group","description":"A set of users and groups.","attributes":[{"name":"displayName","type":"string","multiValued":false,"description":"The name of the group.","required":true,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"server"},{"name":"members","type":"complex","multiValued":true,"description":"Who belongs to the group.","required":false,"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none","subAttributes":[{"name":"value","type":"string","multiValued":false,"description":"The identifier of the member.","required":false,"caseExact":true,"mutability":"immutable","returned":"default","uniqueness":"none"},{"name":"$ref","type":"reference","multiValued":false,"description":"Where the member is read.","required":false,"caseExact":true,"mutability":"immutable","returned":"default","uniqueness":"none","referenceTypes":["User","Group"]},{"name":"type","type":"string","multiValued":false,"description":"The kind of the member.","required":false,"canonicalValues":["User","Group"],"caseExact":false,"mutability":"immutable","returned":"default","uniqueness":"none"}]}]}
        404 Schema "nothing" does not exist
        404 ResourceType "nothing" does not exist
        403 discovery documents cannot be filtered
    "#]].assert_eq(&answers);
    let schemas = run(&sandbox, "GET /Schemas");
    assert!(schemas.starts_with(r#"200 {"schemas":["@list"],"totalResults":6,"#), "{schemas}");
}

#[test]
fn the_observer_sees_bodies_but_neither_token_nor_password() {
    let seen: Arc<Mutex<Vec<Exchange>>> = Arc::default();
    let notes = seen.clone();
    let observer: usher_sandbox::Observer =
        Arc::new(move |exchange| notes.lock().unwrap().push(exchange.clone()));
    let sandbox = Sandbox::new(Options { observer: Some(observer), ..Options::new(TOKEN) });
    run(
        &sandbox,
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann","password":"s3cret!"}

PATCH /Users/$1
{"schemas":["@patch"],"Operations":[{"op":"replace","path":"password","value":"s3cret!"},{"op":"replace","value":{"password":"s3cret!"}}]}

GET /Users?filter=userName eq "ann"&attributes=userName

POST /Users
{"not json

DELETE /Users/$1
"#,
    );
    let lines: Vec<String> =
        seen.lock().unwrap().iter().map(|exchange| serde_json::to_string(exchange).unwrap()).collect();
    let text = lines.join("\n");
    assert!(!text.contains("s3cret") && !text.contains(TOKEN));
    expect![[r#"
        {"method":"POST","path":"/scim/v2/Users","request":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","password":"***"},"status":201,"response":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"7cc9ae9d-6107-50c1-9c65-5f0e8a95675a","userName":"ann","meta":{"resourceType":"User","created":"2026-01-01T00:00:00Z","lastModified":"2026-01-01T00:00:00Z","location":"http://localhost/scim/v2/Users/7cc9ae9d-6107-50c1-9c65-5f0e8a95675a","version":"W/\"1\""}}}
        {"method":"PATCH","path":"/scim/v2/Users/7cc9ae9d-6107-50c1-9c65-5f0e8a95675a","request":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"password","value":"***"},{"op":"replace","value":{"password":"***"}}]},"status":200,"response":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"7cc9ae9d-6107-50c1-9c65-5f0e8a95675a","userName":"ann","meta":{"resourceType":"User","created":"2026-01-01T00:00:00Z","lastModified":"2026-01-01T00:00:00Z","location":"http://localhost/scim/v2/Users/7cc9ae9d-6107-50c1-9c65-5f0e8a95675a","version":"W/\"1\""}}}
        {"method":"GET","path":"/scim/v2/Users?filter=userName+eq+%22ann%22&attributes=userName","request":null,"status":200,"response":{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"7cc9ae9d-6107-50c1-9c65-5f0e8a95675a","userName":"ann"}]}}
        {"method":"POST","path":"/scim/v2/Users","request":"{\"not json","status":400,"response":{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidSyntax","detail":"the body is no JSON: EOF while parsing a string at line 1 column 10"}}
        {"method":"DELETE","path":"/scim/v2/Users/7cc9ae9d-6107-50c1-9c65-5f0e8a95675a","request":null,"status":204,"response":null}"#]].assert_eq(&text);
}

#[test]
fn snapshots_show_what_is_stored() {
    let sandbox = Sandbox::new(Options::new(TOKEN));
    run(
        &sandbox,
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

POST /Groups
{"schemas":["@group"],"displayName":"Retail","members":[{"value":"$1"}]}
"#,
    );
    assert_eq!(sandbox.users()[0]["groups"][0]["display"], "Retail");
    assert_eq!(sandbox.groups()[0]["members"][0]["value"], sandbox.users()[0]["id"]);
}
