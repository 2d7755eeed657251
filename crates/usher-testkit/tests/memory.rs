//! The fakes obey the same contracts as the real things, and fail as a test tells them.

use usher_core::ports::{Connector, ConnectorError, ConnectorErrorKind, Effect, MatchQuery};
use usher_core::{Operation, OperationKind};
use usher_expr::Value;
use usher_testkit::suites::connector::{Vocabulary, add};
use usher_testkit::{Fault, MemoryConnector, MemoryStore, suites};

#[tokio::test]
async fn memory_store_obeys_the_contract() {
    suites::store::run(&MemoryStore::default()).await;
}

#[tokio::test]
async fn memory_connector_obeys_the_contract() {
    let connector = MemoryConnector::new(&["userName"]);
    suites::connector::run(&connector, Vocabulary::SCIM, "").await;
    suites::connector::run(&connector, Vocabulary::SCIM, "again-").await;
}

fn create(name: &str) -> Operation {
    Operation {
        kind: OperationKind::Create,
        object_type: "User".into(),
        anchor: None,
        changes: vec![add("userName", name)],
    }
}

fn lost() -> ConnectorError {
    let mut error = ConnectorError::new(ConnectorErrorKind::Unreachable, "Timeout", "no answer");
    error.effect = Effect::Unknown;
    error
}

async fn hits(connector: &MemoryConnector, name: &str) -> usize {
    let query = MatchQuery {
        object_type: "User".into(),
        attribute: "userName".into(),
        value: Value::from(name),
        attributes: Vec::new(),
    };
    connector.find(&query).await.expect("the search is answered").len()
}

#[tokio::test]
async fn faults_come_in_the_order_in_which_they_were_asked_for() {
    let connector = MemoryConnector::new(&["userName"]);
    connector.fail_write(Fault::Before(lost()));
    connector.fail_write(Fault::After(lost()));
    connector.write(&create("a")).await.expect_err("the first write fails");
    assert_eq!(hits(&connector, "a").await, 0, "nothing was written");
    connector.write(&create("a")).await.expect_err("the answer to the second is lost");
    assert_eq!(hits(&connector, "a").await, 1, "but it was written");
    connector.write(&create("b")).await.expect("the third goes through");
    assert_eq!(connector.written(), [create("a"), create("b")]);
}

#[tokio::test]
async fn new_object_is_found_late_when_searches_lag() {
    let connector = MemoryConnector::new(&[]);
    connector.lag_finds(2);
    connector.write(&create("a")).await.expect("it is written");
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(hits(&connector, "a").await);
    }
    assert_eq!(seen, [0, 0, 1]);
}
