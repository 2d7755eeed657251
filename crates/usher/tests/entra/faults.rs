//! What goes wrong on the way: throttling, lag after a create, lost answers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use usher_core::ports::{Clock, ConnectorErrorKind, Effect, MatchQuery, ReadRequest};
use usher_core::{Anchor, AttributeChange, Change, Operation, OperationKind};
use usher_expr::Value;
use usher_testkit::suites::connector::{Vocabulary, add, run};

use crate::stage::Tenant;

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
    assert_eq!(error.kind, ConnectorErrorKind::Protocol);
    assert!(error.to_string().contains(&host) && error.to_string().contains("text/html"), "{error}");
}
