//! Callers who hold connections: many of them, silent ones, slow ones.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usher_server::{Exchanges, Server, ServerOptions, bootstrap};

use crate::local::{connect, profile, serve};

/// As long as a loaded machine may take; what never ends is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// The address of a service to connect to.
fn socket(address: &str) -> String {
    address.trim_start_matches("http://").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_held_connections_starve_nobody() {
    usher::open_files::raise_limit();
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let data = folder.path().join("data");
    let mut service = serve(&data);
    let target = socket(&profile(&data).address);
    let mut held = Vec::new();
    for number in 0..1_000 {
        let mut connection = TcpStream::connect(&target).await.expect("it is accepted");
        // Silent, in the midst of a head, in the midst of a body.
        let sent: &[u8] = match number % 3 {
            0 => b"",
            1 => b"GET /v1.0/users HTTP/1.1\r\nhost: x\r\nx-slow: ",
            _ => b"POST /v1.0/users HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{",
        };
        connection.write_all(sent).await.expect("it is taken");
        held.push(connection);
    }
    let client = connect(&data);
    for number in 0..20 {
        let user = json!({
            "accountEnabled": true, "displayName": "A", "mailNickname": "a",
            "userPrincipalName": format!("a{number}@x.example"), "passwordProfile": { "password": "x" },
        });
        client.post("/v1.0/users", &user).await.expect("the user is made");
    }
    assert_eq!(client.list("/v1.0/users").await.expect("they are listed").len(), 20);
    for connection in &mut held {
        connection.write_all(b"x").await.expect("it is still open");
    }
    service.kill().expect("it is killed");
    service.wait().expect("it is gone");
}

/// A service with little patience: where it listens, and a token of its administrator.
async fn impatient(folder: &std::path::Path, exchanges: Option<&std::path::Path>) -> (SocketAddr, String) {
    let http = usher_connectors::HttpOptions::default();
    let engine = usher::wiring::engine(folder, None, None, http).await.expect("the engine starts");
    let first = bootstrap(&engine).await.expect("the store works").expect("the directory is new");
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = tokio::net::TcpListener::bind(anywhere).await.expect("a port is free");
    let target = listener.local_addr().expect("it has an address");
    let mut options = ServerOptions::new(&format!("http://{target}"));
    options.head_time = Duration::from_millis(200);
    options.body_time = Duration::from_millis(200);
    options.answer_time = Duration::from_millis(500);
    options.exchanges =
        exchanges.map(|file| Arc::new(Exchanges::append_to(file).expect("the file can be written")));
    let tenant = engine.settings.tenant.to_string();
    let server = Server::new(engine, options).await.expect("the server starts");
    tokio::spawn(server.serve_plain(listener, std::future::pending()));
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        first.client_id,
        first.secret.expose()
    );
    let request = format!(
        "POST /{tenant}/oauth2/v2.0/token HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
        form.len()
    );
    let answer = exchanged(target, request.as_bytes()).await;
    let body = answer.split("\r\n\r\n").nth(1).expect("it has a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("it is JSON");
    (target, body["access_token"].as_str().expect("a token is given").to_owned())
}

/// What comes until the service closes the connection.
async fn exchanged(target: SocketAddr, sent: &[u8]) -> String {
    let mut connection = TcpStream::connect(target).await.expect("it is accepted");
    connection.write_all(sent).await.expect("it is taken");
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut answer)).await;
    ended.expect("it is closed").expect("it is closed cleanly");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_ends_a_request_is_let_go_whether_or_not_exchanges_are_recorded() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let file = folder.path().join("exchanges.jsonl");
    for exchanges in [None, Some(file.as_path())] {
        let data = folder.path().join(if exchanges.is_some() { "recording" } else { "plain" });
        let (target, token) = impatient(&data, exchanges).await;
        let post = |length: usize| {
            format!(
                "POST /v1.0/users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
                 content-type: application/json\r\ncontent-length: {length}\r\n\r\n{{"
            )
        };
        let unknown =
            format!("POST /v1.0/users HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{{", 1 << 20);
        let large = format!("GET /health HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(70_000));
        let long = format!("GET /health?{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(20_000));
        for (sent, says) in [
            ("", ""),
            ("GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ", ""),
            ("POST /v1.0/users HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{", "HTTP/1.1 408"),
            (&post(10), "HTTP/1.1 408"),
            (&post(1 << 20), "HTTP/1.1 408"),
            // Whoever is not known is told so before a large body is waited for.
            (&unknown, "HTTP/1.1 401"),
            (&large, "HTTP/1.1 431"),
            (&long, "HTTP/1.1 414"),
            // Answered, then silent.
            ("GET /health HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200"),
        ] {
            let answer = exchanged(target, sent.as_bytes()).await;
            assert!(answer.starts_with(says), "{answer}");
            if says > "HTTP/1.1 4" {
                assert!(answer.contains("\"error\":{\"code\":"), "{answer}");
            }
        }
    }
    let recorded = std::fs::read_to_string(&file).expect("it was written");
    assert!(recorded.lines().any(|line| line.contains("\"status\":401")), "{recorded}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_end_is_cut_off() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let (target, _) = impatient(folder.path(), None).await;
    let mut connection = TcpStream::connect(target).await.expect("it is accepted");
    let head = format!("GET /health HTTP/1.1\r\nhost: x\r\nx-endless: {}", "a".repeat(500_000));
    // The service may close before all of it is sent.
    drop(connection.write_all(head.as_bytes()).await);
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut answer)).await;
    drop(ended.expect("it is closed"));
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_answer_is_let_go() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let (target, _) = impatient(folder.path(), None).await;
    let mut connection = TcpStream::connect(target).await.expect("it is accepted");
    // Far more answers than the buffers between hold, and none of them is read: at last nothing more is taken, and the
    // connection is reset.
    let request = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    let reset = tokio::time::timeout(PATIENCE, async {
        loop {
            if connection.write_all(request.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    reset.await.expect("it is closed");
}
