//! The real servers start, answer their own token only, behave as their options say, and end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usher_testkit::servers::{RealServer, Scim2Options};

const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann@b.example"}"#;
const PATCH: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[]}"#;

#[tokio::test]
async fn scim2_server_starts_and_ends() {
    check(RealServer::scim2_server(&Scim2Options::default()).await.unwrap()).await;
}

#[tokio::test]
async fn better_auth_starts_and_ends() {
    check(RealServer::better_auth().await.unwrap()).await;
}

#[tokio::test]
async fn django_starts_and_ends() {
    check(RealServer::django().await.unwrap()).await;
}

#[tokio::test]
async fn scim2_server_can_be_without_patch() {
    let server =
        RealServer::scim2_server(&Scim2Options { is_without_patch: true, page_limit: None }).await.unwrap();
    assert_eq!(status(&send(&server, &server.token, "PATCH", "/Users/1", PATCH).await), "501");
}

#[tokio::test]
async fn scim2_server_can_have_short_pages() {
    let server = RealServer::scim2_server(&Scim2Options { is_without_patch: false, page_limit: Some(1) })
        .await
        .unwrap();
    for user in [USER.to_owned(), USER.replace("ann", "bob")] {
        assert_eq!(status(&send(&server, &server.token, "POST", "/Users", &user).await), "201");
    }
    let page = send(&server, &server.token, "GET", "/Users?count=50", "").await;
    assert!(page.contains(r#""totalResults":2"#) || page.contains(r#""totalResults": 2"#), "{page}");
    assert_eq!(page.matches("@b.example").count(), 1, "{page}");
}

async fn check(server: RealServer) {
    assert_eq!(status(&send(&server, &server.token, "POST", "/Users", USER).await), "201");
    assert_eq!(status(&send(&server, &server.token, "POST", "/Users", USER).await), "409");
    assert_eq!(status(&send(&server, "another token", "GET", "/Users", "").await), "401");
    let address = address(&server);
    drop(server);
    assert!(TcpStream::connect(address).await.is_err(), "the server is still there");
}

fn address(server: &RealServer) -> SocketAddr {
    let authority = server.base_address.split('/').nth(2).unwrap();
    authority.parse().unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or(answer)
}

async fn send(server: &RealServer, token: &str, method: &str, path: &str, body: &str) -> String {
    let address = address(server);
    let base_path = server.base_address.split_once(&address.to_string()).unwrap().1;
    let request = format!(
        "{method} {base_path}{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/scim+json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
