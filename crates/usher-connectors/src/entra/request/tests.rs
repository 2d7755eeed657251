//! Requests as values, and what is sent for whole operations, against answers in the published form.

use std::sync::Arc;

use expect_test::{Expect, expect};
use serde_json::json;
use smol_str::SmolStr;
use usher_core::ports::{
    Connector, ConnectorError, ConnectorSettings, GetRequest, MatchQuery, PreparedRequest,
};
use usher_core::{Anchor, AttributeChange, Change, EntryKind, Operation, OperationKind, Secret};
use usher_expr::Value;
use usher_testkit::suites::connector::{add, change};
use usher_testkit::{ManualClock, MemoryStore};
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::super::request;
use crate::{AllConnectors, HttpOptions};
use usher_core::ports::Connectors;

const ROOT: &str = "https://graph.example/v1.0";
const ID: &str = "5d4c3b2a-0000-4000-8000-000000000001";
const OTHER: &str = "5d4c3b2a-0000-4000-8000-000000000002";

fn names(names: &[&str]) -> Vec<SmolStr> {
    names.iter().map(|name| SmolStr::from(*name)).collect()
}

fn text(requests: &[PreparedRequest]) -> String {
    let mut text = String::new();
    for request in requests {
        text.push_str(&format!("{} {}\n", request.method, request.path));
        if let Some(body) = &request.body {
            text.push_str(&format!("  {body}\n"));
        }
    }
    text
}

fn check(requests: &[PreparedRequest], expected: &Expect) {
    expected.assert_eq(&text(requests));
}

fn operation(kind: OperationKind, object_type: &str, changes: Vec<AttributeChange>) -> Operation {
    let anchor = (kind != OperationKind::Create).then(|| Anchor::new(ID));
    Operation { kind, object_type: object_type.into(), anchor, changes }
}

fn link(attribute: &str, wanted: fn(Vec<Value>) -> Change, ids: &[&str]) -> AttributeChange {
    let values = ids.iter().map(|id| Value::Reference((*id).into())).collect();
    AttributeChange {
        attribute: attribute.into(),
        change: wanted(values),
        is_reference: true,
        is_multivalued: true,
    }
}

#[test]
fn one_object_is_asked_for_what_the_schema_needs_and_nothing_else() {
    let wanted =
        names(&["userPrincipalName", "mobile", "extensionAttribute3", "manager", "MSExchHomeServer"]);
    check(
        &[
            request::one(EntryKind::User, ID, &wanted),
            request::one(EntryKind::User, "ina_home.example#EXT#@tenant.example", &[]),
            request::one(EntryKind::User, "$ina@tenant.example", &[]),
            request::one(EntryKind::Group, ID, &names(&["displayName", "members"])),
            request::links(EntryKind::Group, ID, usher_core::Relation::Members),
        ],
        &expect![[r#"
            GET /users/5d4c3b2a-0000-4000-8000-000000000001?$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,userPrincipalName,mobilePhone,onPremisesExtensionAttributes&$expand=manager($select=id)
            GET /users/ina_home.example%23EXT%23@tenant.example?$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled
            GET /users('%24ina@tenant.example')?$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled
            GET /groups/5d4c3b2a-0000-4000-8000-000000000001?$select=id,deletedDateTime,displayName
            GET /groups/5d4c3b2a-0000-4000-8000-000000000001/members?$select=id&$top=999
        "#]],
    );
}

#[test]
fn values_are_searched_as_graph_searches() {
    let find = |attribute: &str, value: Value| {
        let query = MatchQuery {
            object_type: "User".into(),
            attribute: attribute.into(),
            value,
            attributes: names(&["displayName"]),
        };
        request::find(EntryKind::User, &query)
    };
    let good = |attribute: &str, value: &str| find(attribute, Value::from(value)).unwrap();
    check(
        &[
            good("userPrincipalName", "miles.o'brien+x@contoso.example"),
            good("immutableId", "q83vEjRWeJA="),
            good("employeeId", "10003"),
            good("mail", "a&b@contoso.example"),
            good("proxyAddresses", "smtp:ann@contoso.example"),
            good("extensionAttribute1", "red"),
            good("telephoneNumber", "+49 30 1"),
            good("accountEnabled", "True"),
            good("mobile", "1"),
            request::groups_of(ID),
        ],
        &expect![[r#"
            GET /users?$filter=userPrincipalName%20eq%20'miles.o''brien%2Bx%40contoso.example'&$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName&$top=2
            GET /users?$filter=onPremisesImmutableId%20eq%20'q83vEjRWeJA%3D'&$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName&$top=2
            GET /users?$filter=employeeId%20eq%20'10003'&$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName&$top=2
            GET /users?$filter=mail%20eq%20'a%26b%40contoso.example'&$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName&$top=2
            GET /users?$filter=proxyAddresses/any(p:p%20eq%20'smtp:ann%40contoso.example')&$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName&$top=2
            GET /users?$filter=onPremisesExtensionAttributes/extensionAttribute1%20eq%20'red'&$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName&$top=2&$count=true
            GET /users?$filter=businessPhones/any(p:p%20eq%20'%2B49%2030%201')&$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName&$top=2&$count=true
            GET /users?$filter=accountEnabled%20eq%20true&$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName&$top=2
            GET /users?$filter=mobilePhone%20eq%20'1'&$select=id,accountEnabled,deletedDateTime,onPremisesSyncEnabled,displayName&$top=2&$count=true
            GET /users/5d4c3b2a-0000-4000-8000-000000000001/memberOf?$select=id,securityEnabled&$top=999
        "#]],
    );
    // Within a batch, an advanced query says so in its part.
    let batch = request::batch(&[&good("mobile", "1")]);
    assert_eq!(batch.body.unwrap()["requests"][0]["headers"], json!({"ConsistencyLevel": "eventual"}));
    let error = find("manager", Value::from(ID)).unwrap_err();
    expect!["Microsoft Graph cannot find objects by manager; match by another attribute"]
        .assert_eq(&error.to_string());
}

#[test]
fn an_account_gets_what_graph_demands_and_its_password_is_not_shown() {
    let create = operation(
        OperationKind::Create,
        "User",
        vec![
            add("userPrincipalName", "ina@contoso.example"),
            add("displayName", "Ina Wolf"),
            add("telephoneNumber", "+49 30 1"),
            add("extensionAttribute1", "red"),
            add("passwordProfile.password", "Sommer-2026"),
            add("MSExchRecipientTypeDetails", "1"),
            link("manager", Change::Add, &[OTHER]),
        ],
    );
    check(
        &super::super::write::preview(ROOT, &create, false),
        &expect![[r#"
        POST /users
          {"userPrincipalName":"ina@contoso.example","displayName":"Ina Wolf","businessPhones":["+49 30 1"],"onPremisesExtensionAttributes":{"extensionAttribute1":"red"},"passwordProfile":{"password":"[Redact]"},"mailNickname":"ina","accountEnabled":true}
        PUT /users/%28id%20of%20the%20new%20object%29/manager/$ref
          {"@odata.id":"https://graph.example/v1.0/users/5d4c3b2a-0000-4000-8000-000000000002"}
    "#]],
    );
    let group = operation(
        OperationKind::Create,
        "Group",
        vec![add("displayName", "Retail (Köln)"), link("members", Change::Add, &[ID, OTHER])],
    );
    check(
        &super::super::write::preview(ROOT, &group, false),
        &expect![[r#"
        POST /groups
          {"displayName":"Retail (Köln)","mailNickname":"RetailKln","mailEnabled":false,"securityEnabled":true,"groupTypes":[]}
        PATCH /groups/%28id%20of%20the%20new%20object%29
          {"members@odata.bind":["https://graph.example/v1.0/directoryObjects/5d4c3b2a-0000-4000-8000-000000000001","https://graph.example/v1.0/directoryObjects/5d4c3b2a-0000-4000-8000-000000000002"]}
    "#]],
    );
}

#[test]
fn changes_are_sent_alone_and_what_is_cleared_is_null_or_empty() {
    let update = operation(
        OperationKind::Update,
        "User",
        vec![
            change("jobTitle", Change::Replace(vec![Value::from("Architect")])),
            change("mobile", Change::Remove(Vec::new())),
            change("telephoneNumber", Change::Remove(Vec::new())),
            change("extensionAttribute2", Change::Remove(Vec::new())),
            change("accountEnabled", Change::Replace(vec![Value::from("False")])),
            change("employeeHireDate", Change::Replace(vec![Value::from("2026-05-04")])),
            change("city", Change::Replace(vec![Value::from("")])),
            link("manager", Change::Remove, &[OTHER]),
        ],
    );
    check(
        &super::super::write::preview(ROOT, &update, false),
        &expect![[r#"
        PATCH /users/5d4c3b2a-0000-4000-8000-000000000001
          {"jobTitle":"Architect","mobilePhone":null,"businessPhones":[],"onPremisesExtensionAttributes":{"extensionAttribute2":null},"accountEnabled":false,"employeeHireDate":"2026-05-04T00:00:00Z","city":null}
        DELETE /users/5d4c3b2a-0000-4000-8000-000000000001/manager/$ref
    "#]],
    );
    let members = operation(
        OperationKind::Update,
        "Group",
        vec![link("members", Change::Add, &[OTHER]), link("members", Change::Remove, &[ID])],
    );
    check(
        &super::super::write::preview(ROOT, &members, false),
        &expect![[r#"
        POST /groups/5d4c3b2a-0000-4000-8000-000000000001/members/$ref
          {"@odata.id":"https://graph.example/v1.0/directoryObjects/5d4c3b2a-0000-4000-8000-000000000002"}
        DELETE /groups/5d4c3b2a-0000-4000-8000-000000000001/members/5d4c3b2a-0000-4000-8000-000000000001/$ref
    "#]],
    );
    let delete = operation(OperationKind::Delete, "User", Vec::new());
    check(
        &super::super::write::preview(ROOT, &delete, false),
        &expect![[r#"
        DELETE /users/5d4c3b2a-0000-4000-8000-000000000001
    "#]],
    );
}

/// A connector to a server that answers as published.
fn connector(server: &MockServer) -> Arc<dyn Connector> {
    let mut settings = ConnectorSettings::default();
    for (key, value) in [
        ("GraphAddress", server.uri().as_str()),
        ("Authority", server.uri().as_str()),
        ("TenantId", "contoso.example"),
        ("AccessToken", "a-token-of-somebody"),
    ] {
        settings.set(key, Secret::new(value));
    }
    let clock = Arc::new(ManualClock::at("2026-05-04T08:00:00Z".parse().unwrap()));
    let all = AllConnectors::new(Arc::new(MemoryStore::default()), clock, HttpOptions::default());
    all.unwrap().build("entra", &settings).unwrap()
}

async fn answer(server: &MockServer, verb: &str, place: &str, template: ResponseTemplate) {
    Mock::given(method(verb)).and(path_regex(place)).respond_with(template).mount(server).await;
}

/// A refusal in the published form.
fn refusal(status: u16, code: &str, message: &str, details: serde_json::Value) -> ResponseTemplate {
    let inner = json!({
        "date": "2026-05-04T08:00:00",
        "request-id": "0a0b0c0d-0000-4000-8000-00000000abcd",
        "client-request-id": "ignored",
    });
    let mut error = json!({ "code": code, "message": message, "innerError": inner });
    if !details.is_null() {
        error["details"] = details;
    }
    ResponseTemplate::new(status)
        .insert_header("request-id", "0a0b0c0d-0000-4000-8000-00000000abcd")
        .set_body_json(json!({ "error": error }))
}

fn shown(error: &ConnectorError) -> String {
    let ConnectorError { kind, code, message, detail, effect, attribute, retry_after, .. } = error;
    let detail = detail.as_deref().unwrap_or_default();
    format!(
        "{kind:?} {code} effect {effect:?} attribute {attribute:?} after {retry_after:?}\n{message}\n{detail}\n"
    )
}

async fn refused(template: ResponseTemplate, expected: &Expect) {
    let server = MockServer::start().await;
    answer(&server, "PATCH", "^/v1.0/users/", template).await;
    let update = operation(OperationKind::Update, "User", vec![add("jobTitle", "Clerk")]);
    let error = connector(&server).write(&update).await.unwrap_err();
    let text = shown(&error);
    // The id of ours is drawn anew for every request.
    let id = text.split_once("client-request-id ").map(|(_, rest)| rest[..36].to_owned()).unwrap_or_default();
    expected.assert_eq(&text.replace(&id, "(ours)"));
}

#[tokio::test]
async fn refusals_become_the_kinds_that_the_engine_knows() {
    refused(
        refusal(
            400,
            "Request_BadRequest",
            "Another object with the same value for property userPrincipalName already exists.",
            json!([{ "code": "ObjectConflict", "target": "userPrincipalName", "message": "…" }]),
        ),
        &expect![[r#"
            AlreadyExists EntryConflict effect None attribute Some("userPrincipalName") after None
            PATCH /users/5d4c3b2a-0000-4000-8000-000000000001 was answered with status 400
            Request_BadRequest: Another object with the same value for property userPrincipalName already exists. (request-id 0a0b0c0d-0000-4000-8000-00000000abcd, client-request-id (ours))
        "#]],
    )
    .await;
    refused(
        refusal(
            400,
            "Request_BadRequest",
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects \
             currently undergoing migration.",
            json!(null),
        ),
        &expect![[r#"
            Rejected SchemaPropertyCanOnlyAcceptValue effect None attribute None after None
            PATCH /users/5d4c3b2a-0000-4000-8000-000000000001 was refused: the object is mastered on premises, and only there can these properties be changed
            Request_BadRequest: Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration. (request-id 0a0b0c0d-0000-4000-8000-00000000abcd, client-request-id (ours))
        "#]],
    )
    .await;
    refused(
        refusal(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
            json!(null),
        ),
        &expect![[r#"
            Unauthorised InsufficientRights effect None attribute None after None
            PATCH /users/5d4c3b2a-0000-4000-8000-000000000001 was answered with status 403: the application lacks a permission (or a role, when the account holds an administrator's role)
            Authorization_RequestDenied: Insufficient privileges to complete the operation. (request-id 0a0b0c0d-0000-4000-8000-00000000abcd, client-request-id (ours))
        "#]],
    )
    .await;
    refused(
        refusal(404, "Request_ResourceNotFound", "Resource 'x' does not exist.", json!(null)),
        &expect![[r#"
            NotFound InvalidAnchor effect None attribute None after None
            PATCH /users/5d4c3b2a-0000-4000-8000-000000000001 was answered with status 404
            Request_ResourceNotFound: Resource 'x' does not exist. (request-id 0a0b0c0d-0000-4000-8000-00000000abcd, client-request-id (ours))
        "#]],
    )
    .await;
    refused(
        refusal(429, "TooManyRequests", "Too many requests.", json!(null)).insert_header("retry-after", "90"),
        &expect![[r#"
            Throttled TooManyRequests effect None attribute None after Some(90s)
            PATCH /users/5d4c3b2a-0000-4000-8000-000000000001 was answered with status 429
            TooManyRequests: Too many requests. (request-id 0a0b0c0d-0000-4000-8000-00000000abcd, client-request-id (ours))
        "#]],
    )
    .await;
    refused(refusal(503, "Service_ServiceUnavailable", "Busy.", json!(null)), &expect![[r#"
        Unreachable InternalServerError effect Unknown attribute None after None
        PATCH /users/5d4c3b2a-0000-4000-8000-000000000001 was answered with status 503
        Service_ServiceUnavailable: Busy. (request-id 0a0b0c0d-0000-4000-8000-00000000abcd, client-request-id (ours))
    "#]]).await;
    refused(
        ResponseTemplate::new(502).set_body_string("<html>Bad gateway</html>"),
        &expect![[r#"
        Unreachable InternalServerError effect Unknown attribute None after None
        PATCH /users/5d4c3b2a-0000-4000-8000-000000000001 was answered with status 502
        (client-request-id (ours))
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_list_is_read_before_something_is_added_to_it() {
    let server = MockServer::start().await;
    let held = json!({
        "@odata.context": format!("{ROOT}/$metadata#users(id,otherMails)/$entity"),
        "id": ID, "otherMails": ["Old@home.example"],
    });
    answer(&server, "GET", "^/v1.0/users/", ResponseTemplate::new(200).set_body_json(held)).await;
    answer(&server, "PATCH", "^/v1.0/users/", ResponseTemplate::new(204)).await;
    let more = AttributeChange {
        is_multivalued: true,
        ..change(
            "otherMails",
            Change::Add(vec![Value::from("old@home.example"), Value::from("new@home.example")]),
        )
    };
    let update = operation(OperationKind::Update, "User", vec![more]);
    connector(&server).write(&update).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let sent = requests.last().unwrap();
    expect![[r#"{"otherMails":["Old@home.example","new@home.example"]}"#]]
        .assert_eq(&String::from_utf8_lossy(&sent.body));
    assert!(sent.headers.contains_key("client-request-id"));
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed_with_our_token() {
    let server = MockServer::start().await;
    let page = json!({ "value": [], "@odata.nextLink": "https://elsewhere.example/v1.0/users?$skiptoken=x" });
    answer(&server, "GET", "^/v1.0/groups/.*/members", ResponseTemplate::new(200).set_body_json(page)).await;
    answer(&server, "GET", "^/v1.0/groups/", ResponseTemplate::new(200).set_body_json(json!({ "id": ID })))
        .await;
    let get =
        GetRequest { object_type: "Group".into(), anchor: Anchor::new(ID), attributes: names(&["members"]) };
    let error = connector(&server).get(&get).await.unwrap_err();
    assert!(error.to_string().contains("elsewhere.example"), "{error}");
}

#[tokio::test]
async fn a_graph_that_asks_to_wait_is_left_alone_for_so_long() {
    let server = MockServer::start().await;
    let wait =
        refusal(429, "TooManyRequests", "Too many requests.", json!(null)).insert_header("retry-after", "7");
    Mock::given(method("GET")).respond_with(wait).up_to_n_times(1).mount(&server).await;
    answer(&server, "GET", "^/v1.0/users/", ResponseTemplate::new(200).set_body_json(json!({ "id": ID })))
        .await;
    let get = GetRequest { object_type: "User".into(), anchor: Anchor::new(ID), attributes: Vec::new() };
    let found = connector(&server).get(&get).await.unwrap();
    assert_eq!(found.map(|object| object.anchor), Some(Anchor::new(ID)));
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}
