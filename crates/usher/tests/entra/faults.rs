//! What goes wrong on the way: throttling, lag after a create, lost answers.

use std::sync::atomic::Ordering;

use usher_core::ports::{ConnectorErrorKind, Effect, MatchQuery};
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
