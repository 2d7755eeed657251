//! A SCIM service as a source of cycles: everything, page by page.

use serde_json::json;
use usher_core::ports::{ConnectorErrorKind, ReadRequest, Watermark};
use wiremock::{MockServer, Request};

use crate::support::*;

fn request() -> ReadRequest {
    ReadRequest {
        object_type: "User".into(),
        attributes: vec!["userName".into()],
        application: None,
        since: None,
        until: Watermark("0".into()),
        cursor: None,
    }
}

#[tokio::test]
async fn pages_follow_one_another_until_all_have_come() {
    let server = MockServer::start().await;
    respond(&server, "GET", "/Users", |request: &Request| {
        let start: usize = request
            .url
            .query_pairs()
            .find(|(name, _)| name == "startIndex")
            .and_then(|(_, value)| value.parse().ok())
            .unwrap_or(1);
        // The service gives two at a time, whatever is asked for.
        let resources: Vec<_> = (start..=5)
            .take(2)
            .map(|number| json!({"id": format!("u{number}"), "userName": format!("n{number}")}))
            .collect();
        scim(200, json!({"totalResults": 5, "startIndex": start, "itemsPerPage": 2, "Resources": resources}))
    })
    .await;
    let connector = connector(&server, "");
    let mut request = request();
    let mut names = Vec::new();
    loop {
        let page = connector.read(&request).await.expect("it reads");
        assert_eq!(page.total, Some(5));
        names.extend(page.objects.into_iter().filter_map(|one| one.object).map(|one| one.anchor.to_string()));
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(names, ["u1", "u2", "u3", "u4", "u5"]);
}

#[tokio::test]
async fn there_are_no_deltas() {
    let server = MockServer::start().await;
    let connector = connector(&server, "");
    assert!(!connector.capabilities().deltas);
    let request = ReadRequest { since: Some(Watermark("0".into())), ..request() };
    let error = connector.read(&request).await.expect_err("it is refused");
    assert_eq!(error.kind, ConnectorErrorKind::Unsupported);
}
