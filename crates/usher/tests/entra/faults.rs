//! What goes wrong on the way: throttling, lag after a create, lost answers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use usher_core::ports::{Clock, ConnectorErrorKind, Effect, GetRequest, MatchQuery, ReadRequest};
use usher_core::{Anchor, AttributeChange, Change, Operation, OperationKind};
use usher_expr::Value;
use usher_testkit::suites::connector::{Vocabulary, add, run};

use crate::stage::{Tenant, not_found};

fn ina() -> Operation {
    Operation {
        kind: OperationKind::Create,
        object_type: "User".into(),
        anchor: None,
        changes: vec![add("userPrincipalName", "ina@contoso.example"), add("displayName", "Ina")],
    }
}

fn query() -> MatchQuery {
    MatchQuery {
        object_type: "User".into(),
        attribute: "userPrincipalName".into(),
        value: Value::from("ina@contoso.example"),
        attributes: vec!["displayName".into()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_where_graph_asks_to_wait() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    tenant.faults.throttles.store(3, Ordering::SeqCst);
    run(&*connector, Vocabulary::DIRECTORY, "slow-").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_create_is_not_sent_twice_and_is_found_by_matching() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    tenant.faults.lost_creates.store(1, Ordering::SeqCst);
    let error = connector.write(&ina()).await.expect_err("the answer is lost");
    assert_eq!((error.kind, error.effect), (ConnectorErrorKind::Unreachable, Effect::Unknown), "{error}");
    assert_eq!(tenant.seen(), ["POST /v1.0/users"]);
    assert_eq!(connector.find(&query()).await.expect("it is answered").len(), 1);
    let error = connector.write(&ina()).await.expect_err("she is there already");
    assert_eq!(error.kind, ConnectorErrorKind::AlreadyExists, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_account_that_is_not_known_everywhere_yet_is_waited_for() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let chief = tenant.user("chief").await;
    let anchor = connector.write(&ina()).await.expect("she is made").anchor;
    let manager = Change::Add(vec![Value::Reference(chief.as_str().into())]);
    let manager = AttributeChange {
        attribute: "manager".into(),
        change: manager,
        is_reference: true,
        is_multivalued: false,
    };
    let update = Operation {
        kind: OperationKind::Update,
        object_type: "User".into(),
        anchor: Some(anchor.clone()),
        changes: vec![add("jobTitle", "Clerk"), manager],
    };
    tenant.faults.lag.store(2, Ordering::SeqCst);
    let written = connector.write(&update).await.expect("it is tried again");
    assert_eq!(written.left_out, []);
    let path = format!("/v1.0/users/{}?$expand=manager", anchor.as_str());
    let user = tenant.client.get(&path).await.expect("she is there");
    assert_eq!(user["manager"]["id"].as_str(), Some(chief.as_str()));
    assert_eq!(user["jobTitle"].as_str(), Some("Clerk"));
    // Of an old object the first answer counts.
    tenant.faults.lag.store(1, Ordering::SeqCst);
    let old = Operation { anchor: Some(Anchor::new(chief)), ..update };
    let error = connector.write(&old).await.expect_err("it is said not to be there");
    assert_eq!(error.kind, ConnectorErrorKind::NotFound, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_name_the_request_for_microsoft_s_support() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let taken =
        Operation { changes: vec![add("userPrincipalName", "no name"), add("displayName", "x")], ..ina() };
    let error = connector.write(&taken).await.expect_err("it is no name");
    assert_eq!(error.kind, ConnectorErrorKind::Rejected, "{error}");
    let detail = error.detail.unwrap_or_default();
    assert!(detail.contains("client-request-id "), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_batch_that_is_put_off_holds_everything_back_and_for_long_gives_up() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let mark = connector.watermark("User").await.expect("it is given");
    tenant.user("ann").await;
    let request = ReadRequest {
        object_type: "User".into(),
        attributes: vec!["displayName".into()],
        application: None,
        since: Some(mark.clone()),
        until: mark,
        cursor: None,
    };
    let read = async |seconds: usize| {
        tenant.faults.retry_after.store(seconds, Ordering::SeqCst);
        tenant.faults.throttled_parts.store(1, Ordering::SeqCst);
        tenant.seen();
        let before = tenant.clock.now();
        let page = connector.read(&request).await;
        let batches = tenant.seen().iter().filter(|one| one.ends_with("$batch")).count();
        (page, batches, tenant.clock.now().duration_since(before).as_secs())
    };
    let (page, batches, waited) = read(45).await;
    assert_eq!(page.expect("it is read").objects.len(), 1);
    assert_eq!((batches, waited), (2, 45));
    let (page, batches, waited) = read(90).await;
    let error = page.expect_err("that is too long");
    assert_eq!(error.kind, ConnectorErrorKind::Throttled, "{error}");
    assert_eq!(error.retry_after, Some(Duration::from_secs(90)));
    assert_eq!((batches, waited), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_only_reads_is_sent_again_when_graph_is_busy() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let mark = connector.watermark("User").await.expect("it is given");
    tenant.user("ann").await;
    let request = ReadRequest {
        object_type: "User".into(),
        attributes: vec!["displayName".into()],
        application: None,
        since: Some(mark.clone()),
        until: mark,
        cursor: None,
    };
    tenant.faults.busy_batches.store(2, Ordering::SeqCst);
    let page = connector.read(&request).await.expect("it is read in the end");
    assert_eq!(page.objects.len(), 1);
    // When there is no end to it, nothing was written nevertheless.
    tenant.faults.busy_batches.store(100, Ordering::SeqCst);
    let error = connector.read(&request).await.expect_err("it gives up");
    assert_eq!((error.kind, error.effect), (ConnectorErrorKind::Unreachable, Effect::None), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_proxy_in_place_of_graph_is_told_with_side_and_host() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let host = listener.local_addr().expect("it has an address").to_string();
    let address = format!("http://{host}");
    let router = axum::Router::new().fallback(async || axum::response::Html("<h1>Sign in</h1>"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let tenant = Tenant::start().await;
    let source = [
        ("GraphAddress", address.as_str()),
        ("Authority", address.as_str()),
        ("SignIn", "AccessToken"),
        ("AccessToken", "t"),
    ];
    let connector = tenant.connector(&source);
    let error = connector.find(&query()).await.expect_err("that is no Graph");
    assert_eq!((error.kind, error.effect), (ConnectorErrorKind::Unreachable, Effect::None), "{error}");
    assert!(error.to_string().contains(&host) && error.to_string().contains("text/html"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_proxy_passes_and_nobody_is_gone_or_made_twice_for_it() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let ann = tenant.user("ann").await;
    let get = GetRequest {
        object_type: "User".into(),
        anchor: Anchor::new(ann.as_str()),
        attributes: vec!["displayName".into()],
    };
    for status in [200, 302, 401, 403, 404] {
        tenant.faults.page_status.store(status, Ordering::SeqCst);
        tenant.faults.pages.store(2, Ordering::SeqCst);
        let found = connector.get(&get).await.expect("it is asked again");
        assert!(found.is_some(), "{status}");
        tenant.faults.pages.store(100, Ordering::SeqCst);
        let error = connector.get(&get).await.expect_err("it gives up");
        assert_eq!((error.kind, error.effect), (ConnectorErrorKind::Unreachable, Effect::None), "{error}");
        tenant.faults.pages.store(1, Ordering::SeqCst);
        tenant.seen();
        let error = connector.write(&ina()).await.expect_err("nobody knows what has come of it");
        assert_eq!((error.kind, error.effect), (ConnectorErrorKind::Unreachable, Effect::Unknown), "{error}");
        assert_eq!(tenant.seen(), ["POST /v1.0/users"]);
        let update = Operation {
            kind: OperationKind::Update,
            object_type: "User".into(),
            anchor: Some(Anchor::new(ann.as_str())),
            changes: vec![add("jobTitle", format!("Clerk {status}").as_str())],
        };
        tenant.faults.pages.store(1, Ordering::SeqCst);
        connector.write(&update).await.expect("it is sent again");
        let user = tenant.client.get(&format!("/v1.0/users/{ann}")).await.expect("she is there");
        assert_eq!(user["jobTitle"], format!("Clerk {status}"));
    }
    // Nor does a page in place of the authority say that the secret is wrong.
    let connector = tenant.connector(&[]);
    tenant.faults.token_pages.store(1, Ordering::SeqCst);
    let error = connector.get(&get).await.expect_err("there is no token");
    assert_eq!(error.kind, ConnectorErrorKind::Unreachable, "{error}");
    connector.get(&get).await.expect("the next time there is one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_not_written_from_nothing_known() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let ann = tenant.user("ann").await;
    let path = format!("/v1.0/users/{ann}?$select=otherMails");
    let addresses = json!({ "otherMails": ["a@contoso.example", "b@contoso.example"] });
    tenant.client.patch(&path, &addresses).await.expect("she is changed");
    let addition = AttributeChange {
        attribute: "otherMails".into(),
        change: Change::Add(vec![Value::from("c@contoso.example")]),
        is_reference: false,
        is_multivalued: true,
    };
    let update = Operation {
        kind: OperationKind::Update,
        object_type: "User".into(),
        anchor: Some(Anchor::new(ann.as_str())),
        changes: vec![addition],
    };
    for (told, kind) in [
        ((StatusCode::NOT_FOUND, not_found(&path)), ConnectorErrorKind::Unsettled),
        ((StatusCode::OK, json!({ "id": ann })), ConnectorErrorKind::Unreachable),
    ] {
        *tenant.faults.told_of_users.lock().expect("nobody panics with it") = Some(told);
        let error = connector.write(&update).await.expect_err("nobody knows what she has");
        assert_eq!((error.kind, error.effect), (kind, Effect::None), "{error}");
    }
    *tenant.faults.told_of_users.lock().expect("nobody panics with it") = None;
    let user = tenant.client.get(&path).await.expect("she is there");
    assert_eq!(user["otherMails"], addresses["otherMails"]);
    connector.write(&update).await.expect("it is added");
    let user = tenant.client.get(&path).await.expect("she is there");
    assert_eq!(user["otherMails"].as_array().map(Vec::len), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_a_good_answer_repeats_is_cut_out_of_it() {
    const TOKEN: &str = "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJtZSJ9.c2lnbmVk";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("it has an address"));
    let router = axum::Router::new().fallback(async |headers: http::HeaderMap| {
        let sent = headers["authorization"].to_str().expect("it is text").to_owned();
        axum::Json(json!({ "value": [{ "id": "1", "displayName": sent }] }))
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let tenant = Tenant::start().await;
    let echo = [
        ("GraphAddress", address.as_str()),
        ("Authority", address.as_str()),
        ("SignIn", "AccessToken"),
        ("AccessToken", TOKEN),
    ];
    let found = tenant.connector(&echo).find(&query()).await.expect("it is answered");
    let name = found[0].attributes.value("displayName").map(Value::to_text);
    assert_eq!(name.as_deref(), Some("Bearer [Redact]"));
}
