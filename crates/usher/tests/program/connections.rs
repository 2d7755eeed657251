//! Callers who hold connections: many of them, silent ones, slow ones.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usher_server::{Server, ServerOptions, bootstrap};

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

#[tokio::test(flavor = "multi_thread")]
async fn who_never_ends_a_request_is_let_go() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let http = usher_connectors::HttpOptions::default();
    let engine = usher::wiring::engine(folder.path(), None, None, http).await.expect("the engine starts");
    bootstrap(&engine).await.expect("the store works");
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = tokio::net::TcpListener::bind(anywhere).await.expect("a port is free");
    let target = listener.local_addr().expect("it has an address");
    let mut options = ServerOptions::new(&format!("http://{target}"));
    options.head_time = Duration::from_millis(200);
    options.body_time = Duration::from_millis(200);
    let server = Server::new(engine, options).await.expect("the server starts");
    tokio::spawn(server.serve_plain(listener, std::future::pending()));
    for (sent, says) in [
        (&b""[..], ""),
        (b"GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ", ""),
        (b"POST /v1.0/users HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{", "HTTP/1.1 408"),
        // Answered, then silent.
        (b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200"),
    ] {
        let mut connection = TcpStream::connect(target).await.expect("it is accepted");
        connection.write_all(sent).await.expect("it is taken");
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut answer)).await;
        ended.expect("it is closed").expect("it is closed cleanly");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(says), "{answer}");
    }
}
