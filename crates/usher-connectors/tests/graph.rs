//! The client for Graph style services, against services that the test plays.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use usher_connectors::ProxyOptions;
use usher_connectors::graph::{Endpoint, GraphClient, GraphError, HttpOptions, SignIn};
use usher_core::Secret;
use usher_testkit::ManualClock;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn endpoint(base: &str, authority: &str) -> Endpoint {
    Endpoint {
        base_url: base.to_owned(),
        authority: authority.to_owned(),
        tenant: "contoso.example".to_owned(),
    }
}

fn client(server: &MockServer) -> GraphClient {
    let sign_in = SignIn::Secret { client_id: "app".to_owned(), secret: Secret::new("s3cr3t~+/") };
    made(&server.uri(), sign_in, HttpOptions::default()).unwrap()
}

fn made(base: &str, sign_in: SignIn, options: HttpOptions) -> Result<GraphClient, GraphError> {
    GraphClient::new(endpoint(base, base), sign_in, Arc::new(ManualClock::default()), options)
}

fn holder(base: &str, options: HttpOptions) -> GraphClient {
    made(base, SignIn::Token(Secret::new("tok")), options).unwrap()
}

async fn gives(server: &MockServer, template: ResponseTemplate, times: u64) {
    Mock::given(method("POST"))
        .and(path("/contoso.example/oauth2/v2.0/token"))
        .respond_with(template)
        .up_to_n_times(times)
        .mount(server)
        .await;
}

fn token(token: &str) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}))
}

/// The failure with its causes, the played server's address taken out.
fn failure(error: &GraphError, address: &str) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!("\n  {inner}"));
        cause = inner.source();
    }
    text.replace(address, "server")
}

#[tokio::test]
async fn a_token_is_got_once_for_the_default_scope_of_the_service() {
    let server = MockServer::start().await;
    gives(&server, token("t1"), 10).await;
    Mock::given(header("authorization", "Bearer t1"))
        .respond_with(ResponseTemplate::new(429).insert_header("Retry-After", "2").set_body_string("wait"))
        .mount(&server)
        .await;
    let client = client(&server);
    let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
    for _ in 0..2 {
        let answer = client.send("POST", "/v1.0/users?$top=5", &headers, Some(b"{}".to_vec())).await.unwrap();
        assert_eq!((answer.status, answer.body.as_ref()), (429, &b"wait"[..]));
        assert!(answer.headers.contains(&("retry-after".to_owned(), "2".to_owned())));
    }
    let requests = server.received_requests().await.unwrap();
    let lines: Vec<String> = requests
        .iter()
        .map(|request| {
            let query = request.url.query().unwrap_or_default();
            format!(
                "{} {}?{query} {}\n",
                request.method,
                request.url.path(),
                String::from_utf8_lossy(&request.body)
            )
        })
        .collect();
    let port = server.address().port().to_string();
    expect![[r#"
        POST /contoso.example/oauth2/v2.0/token? client_id=app&client_secret=s3cr3t%7E%2B%2F&grant_type=client_credentials&scope=http%3A%2F%2F127.0.0.1%3APORT%2F.default
        POST /v1.0/users?$top=5 {}
        POST /v1.0/users?$top=5 {}
    "#]].assert_eq(&lines.concat().replace(&port, "PORT"));
}

#[tokio::test]
async fn a_refused_token_is_got_anew_once() {
    let server = MockServer::start().await;
    gives(&server, token("old"), 1).await;
    gives(&server, token("new"), 1).await;
    Mock::given(header("authorization", "Bearer new"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(401))
        .with_priority(200)
        .mount(&server)
        .await;
    assert_eq!(client(&server).send("GET", "/v1.0/me", &[], None).await.unwrap().status, 204);
}

#[tokio::test]
async fn an_authorization_of_the_caller_stands_in_place_of_ours() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer mine"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let headers = [("AUTHORIZATION".to_owned(), "Bearer mine".to_owned())];
    assert_eq!(client(&server).send("GET", "/v1.0/me", &headers, None).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_post_without_body_says_that_it_has_none() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(header("content-length", "0"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    let client = holder(&server.uri(), HttpOptions::default());
    assert_eq!(client.send("POST", "/v1.0/start", &[], None).await.unwrap().status, 204);
}

#[tokio::test]
async fn next_links_are_followed_within_the_service_only() {
    let server = MockServer::start().await;
    Mock::given(path("/v1.0/users")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let client = holder(&server.uri(), HttpOptions::default());
    let link = format!("{}/v1.0/users?$skiptoken=x", server.uri());
    assert_eq!(client.send("GET", &link, &[], None).await.unwrap().status, 200);
    let error = client.send("GET", "https://elsewhere.example/v1.0/users", &[], None).await.unwrap_err();
    expect!["the request cannot be sent: 'https://elsewhere.example/v1.0/users' is not an address of server"]
        .assert_eq(&failure(&error, &server.address().to_string()));
}

#[tokio::test]
async fn an_authority_that_gives_no_token_is_quoted_without_the_secret_that_is_sent_once() {
    let refused = |description: &str| {
        let body = json!({ "error": "invalid_client", "error_description": description });
        ResponseTemplate::new(401).set_body_json(body)
    };
    let cases = [
        (
            refused("AADSTS7000215: Invalid client secret provided: s3cr3t~+/."),
            expect![[r#"
            there is no token
              server gave no token: the client secret is wrong; give the secret's value, not its id (AADSTS7000215)"#]],
        ),
        (
            refused("The secret 's3cr3t~+/' (client_secret=s3cr3t%7E%2B%2F) is not known."),
            expect![[r#"
            there is no token
              server gave no token: The secret '[Redact]' (client_secret=[Redact]) is not known. (invalid_client)"#]],
        ),
        (
            refused("<html><title>Error</title></html>"),
            expect![[r#"
            there is no token
              server gave no token: it answered with status 401 and not as an authority does; look at its address and the tenant (invalid_client)"#]],
        ),
        (
            ResponseTemplate::new(404).set_body_raw("<html></html>", "text/html"),
            expect![[r#"
            there is no token
              server gave no token: it answered with status 404 and not as an authority does; look at its address and the tenant"#]],
        ),
        (
            ResponseTemplate::new(503),
            expect![[r#"
            there is no token
              server gives no token for now (status 503)"#]],
        ),
        (
            ResponseTemplate::new(200).set_body_string("hello"),
            expect![[r#"
            there is no token
              server gave no token: its answer holds no access token"#]],
        ),
    ];
    for (template, expected) in cases {
        let server = MockServer::start().await;
        gives(&server, template, 10).await;
        let error = client(&server).send("GET", "/v1.0/me", &[], None).await.unwrap_err();
        expected.assert_eq(&failure(&error, &server.address().to_string()));
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "asked once");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_before_it_is_sent() {
    let server = MockServer::start().await;
    let address = server.address().to_string();
    let client = holder(&server.uri(), HttpOptions::default());
    let error = client.send("GE T", "/v1.0/me", &[], None).await.unwrap_err();
    expect!["the request cannot be sent: 'GE T' is not an HTTP method"].assert_eq(&failure(&error, &address));
    let headers = [("bad header".to_owned(), "x".to_owned())];
    let error = client.send("GET", "/v1.0/me", &headers, None).await.unwrap_err();
    expect!["the request cannot be sent: invalid HTTP header name"].assert_eq(&failure(&error, &address));
    let bad = |base: &str| {
        let sign_in = SignIn::Token(Secret::new("tok"));
        failure(&made(base, sign_in, HttpOptions::default()).err().unwrap(), "-")
    };
    expect![[r#"
        the address 'http://graph.example' of the service cannot be used
          it must begin with https://; plain http is spoken only with this machine (localhost, 127.0.0.1)"#]]
    .assert_eq(&bad("http://graph.example"));
    expect![[r#"
        the address 'https://graph.example' of the service cannot be used
          it must not carry a user name or password; addresses are shown and logged"#]]
    .assert_eq(&bad("https://me:s3cr3t@graph.example"));
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_service_that_is_not_there_or_too_slow_is_named_with_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = holder(&format!("http://{address}"), HttpOptions::default());
    let error = client.send("GET", "/v1.0/me", &[], None).await.unwrap_err();
    assert!(matches!(error, GraphError::Unreachable { .. }));
    let text = failure(&error, &address);
    assert!(text.starts_with("server cannot be reached\n") && text.contains("refused"), "{text}");

    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_delay(Duration::from_secs(30)))
        .mount(&server)
        .await;
    let options = HttpOptions { timeout: Duration::from_millis(200), ..HttpOptions::default() };
    let error = holder(&server.uri(), options).send("GET", "/v1.0/me", &[], None).await.unwrap_err();
    expect!["server did not answer in time"].assert_eq(&failure(&error, &server.address().to_string()));
}

fn through(proxy: &MockServer) -> HttpOptions {
    let credentials = Some(("me".to_owned(), Secret::new("pass")));
    HttpOptions { proxy: Some(ProxyOptions { url: proxy.uri(), credentials }), ..HttpOptions::default() }
}

#[tokio::test]
async fn a_proxy_gets_the_request_and_is_told_who_we_are() {
    let proxy = MockServer::start().await;
    Mock::given(path("/v1.0/me"))
        .and(header("proxy-authorization", "Basic bWU6cGFzcw=="))
        .respond_with(ResponseTemplate::new(204))
        .mount(&proxy)
        .await;
    let client = holder("http://127.0.0.1:1", through(&proxy));
    assert_eq!(client.send("GET", "/v1.0/me", &[], None).await.unwrap().status, 204);
}

#[tokio::test]
async fn a_proxy_sees_nothing_of_an_encrypted_request_but_the_tunnel() {
    let proxy = MockServer::start().await;
    let client = holder("https://graph.example", through(&proxy));
    let error = client.send("GET", "/v1.0/me", &[], None).await.unwrap_err();
    assert!(matches!(error, GraphError::Unreachable { .. }), "{error:?}");
    let seen = proxy.received_requests().await.unwrap();
    assert_eq!(seen.iter().map(|request| request.method.as_str()).collect::<Vec<_>>(), ["CONNECT"]);
    assert_eq!(seen[0].headers.get("proxy-authorization").unwrap(), "Basic bWU6cGFzcw==");
    assert!(seen[0].headers.get("authorization").is_none());
}

/// A service on this machine with a certificate of its own authority; gives its address and the authority's PEM.
fn private_service() -> (String, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.der().to_vec())],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let mut request = [0; 4096];
            // A client that does not trust us ends the handshake here.
            if stream.read(&mut request).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (address, authority.pem())
}

#[tokio::test]
async fn a_private_authority_is_refused_with_a_remedy_and_trusted_when_it_is_named() {
    let (address, authority) = private_service();
    let base = format!("https://{address}");
    let error = holder(&base, HttpOptions::default()).send("GET", "/v1.0/me", &[], None).await.unwrap_err();
    assert!(matches!(error, GraphError::UnknownAuthority { .. }), "{error:?}");
    expect!["the certificate of server is signed by an authority that is not trusted here; name the file with the authority's certificate when you connect"].assert_eq(&error.to_string().replace(&address, "server"));
    let options = HttpOptions { extra_ca_pem: Some(authority.into_bytes()), ..HttpOptions::default() };
    assert_eq!(holder(&base, options).send("GET", "/v1.0/me", &[], None).await.unwrap().status, 204);
}
