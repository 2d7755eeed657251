//! Connections that break, hang or are never made.

use std::time::Duration;

use expect_test::expect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use usher_connectors::HttpOptions;
use usher_core::ports::{Connector, ConnectorErrorKind, Effect};
use wiremock::{MockServer, ResponseTemplate};

use crate::support::*;

fn at(address: &str) -> std::sync::Arc<dyn Connector> {
    connector_with(
        &[("BaseAddress", address), ("SecretToken", "tok-123456")],
        HttpOptions { timeout: Duration::from_millis(300), ..HttpOptions::default() },
    )
}

/// A server that reads one request, sends this, and hangs up.
async fn hangs_up_after(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/scim", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
        }
    });
    address
}

#[tokio::test]
async fn no_connection_means_nothing_was_written() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/scim", listener.local_addr().unwrap());
    drop(listener);
    let mut error = at(&address).write(&create(vec![add("userName", "ann")])).await.unwrap_err();
    let cause = error.detail.take().unwrap();
    assert!(cause.contains("refused"), "{cause}");
    let address = address.trim_start_matches("http://").trim_end_matches("/scim");
    expect![[r#"
        Unreachable WebExceptionProtocolError effect None
        POST /Users: no connection to server
    "#]]
    .assert_eq(&failure(&error).replace(address, "server"));
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn a_lost_answer_leaves_open_whether_it_was_written() {
    for answer in [&b""[..], b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"id\":"] {
        let address = hangs_up_after(answer).await;
        let error = at(&address).write(&create(vec![add("userName", "ann")])).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str()),
            (ConnectorErrorKind::Unreachable, "WebExceptionProtocolError")
        );
        assert_eq!(error.effect, Effect::Unknown);
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_read_leaves_nothing_open() {
    let address = hangs_up_after(b"").await;
    let error = at(&address).get(&get("u1")).await.unwrap_err();
    assert_eq!(error.effect, Effect::None);
}

#[tokio::test]
async fn no_answer_in_time_leaves_open_whether_it_was_written() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(201).set_delay(Duration::from_secs(30));
    answer(&server, "POST", "/Users", slow).await;
    let address = server.address().to_string();
    let error =
        at(&format!("{}/scim", server.uri())).write(&create(vec![add("userName", "ann")])).await.unwrap_err();
    expect![[r#"
        Unreachable Timeout effect Unknown
        POST /Users: server did not answer in time
        detail: operation timed out
    "#]]
    .assert_eq(&failure(&error).replace(&address, "server"));
}

#[tokio::test]
async fn who_waits_for_the_budget_may_stop_waiting_and_nothing_was_sent() {
    let server = MockServer::start().await;
    answer(&server, "GET", "/Users", scim(200, list(serde_json::json!([])))).await;
    let address = format!("{}/scim", server.uri());
    let connector = connector_with(
        &[("BaseAddress", &address), ("SecretToken", "t"), ("TargetRequestsPerSecond", "1")],
        HttpOptions::default(),
    );
    connector.admit().await;
    let waits = connector.admit();
    tokio::pin!(waits);
    assert!(futures::poll!(waits.as_mut()).is_pending(), "a second has room for one");
    // The one that was admitted is sent without another wait.
    let wanted = query("userName", "ann");
    let found = tokio::time::timeout(Duration::from_millis(500), connector.find(&wanted));
    assert!(found.await.expect("it has room").unwrap().is_empty());
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}
