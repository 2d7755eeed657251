//! Injected faults, in process and over a real connection.

use expect_test::expect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usher_sandbox::{Answer, Fault, Options, Running, Sandbox, When};

use crate::conversation::{TOKEN, check_on};

const ANN: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}"#;

#[test]
fn a_fault_hits_the_requests_it_names() {
    let sandbox = Sandbox::new(Options::new(TOKEN));
    let busy = Answer::new(429).header("Retry-After", "2").body("busy");
    sandbox.faults().inject(When::new("GET", "/Users").after(1).times(2), Fault::Answer(busy));
    sandbox.faults().inject(When::any("/Groups").always(), Fault::Answer(Answer::new(503)));
    check_on(
        &sandbox,
        r#"
GET /Users?count=0

DELETE /Users/nobody

GET /Users?count=0

GET /Users/nobody

GET /Users?count=0

GET /Groups

GET /Groups
"#,
        expect![[r#"
            200 {"schemas":["@list"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}
            404 User "nobody" does not exist
            429 busy
            429 busy
            200 {"schemas":["@list"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}
            503
            503
        "#]],
    );
    assert_eq!(sandbox.faults().pending(), 1);
    sandbox.faults().clear();
    check_on(
        &sandbox,
        "GET /Groups?count=0",
        expect![[r#"
        200 {"schemas":["@list"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}
    "#]],
    );
}

#[test]
fn lost_answers_come_after_the_effect() {
    let sandbox = Sandbox::new(Options::new(TOKEN));
    sandbox.faults().inject(When::new("POST", "/Users"), Fault::AnswerAfter(Answer::new(500)));
    sandbox.faults().inject(When::new("POST", "/Users"), Fault::CutAfter);
    sandbox.faults().inject(When::new("POST", "/Users"), Fault::Cut);
    check_on(
        &sandbox,
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

POST /Users
{"schemas":["@user"],"userName":"bob"}

POST /Users
{"schemas":["@user"],"userName":"cy"}

GET /Users?attributes=userName&filter=userName pr&count=0
"#,
        expect![[r#"
            500
            cut
            cut
            200 {"schemas":["@list"],"totalResults":2,"startIndex":1,"itemsPerPage":0,"Resources":[]}
        "#]],
    );
    let names: Vec<_> = sandbox.users().iter().map(|user| user["userName"].clone()).collect();
    assert_eq!(names, ["ann", "bob"]);
}

#[test]
fn bodies_break() {
    let sandbox = Sandbox::new(Options::new(TOKEN));
    sandbox.faults().inject(When::new("GET", "/Users"), Fault::Truncate);
    check_on(
        &sandbox,
        "GET /Users",
        expect![[r#"
        200 {"schemas":["@list"]
    "#]],
    );
}

#[tokio::test]
async fn a_wrong_content_type_is_sent() {
    let running = start().await;
    running.sandbox().faults().inject(When::any("/Users"), Fault::ContentType("text/html".into()));
    let answer = send(&running, "GET", "/Users", "").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("content-type: text/html"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_cut_connection_gives_no_answer_but_the_effect_stays() {
    let running = start().await;
    running.sandbox().faults().inject(When::new("POST", "/Users"), Fault::CutAfter);
    assert_eq!(send(&running, "POST", "/Users", ANN).await, "");
    assert!(send(&running, "POST", "/Users", ANN).await.starts_with("HTTP/1.1 409"));
    assert_eq!(running.sandbox().users().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_held_request_waits_for_the_gate() {
    let running = start().await;
    let gate = running.sandbox().faults().hold(When::new("POST", "/Users"));
    let (answer, ()) = tokio::join!(send(&running, "POST", "/Users", ANN), async {
        gate.arrived(1).await;
        assert!(running.sandbox().users().is_empty());
        gate.open();
    });
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn stopping_lets_held_requests_go_and_closes_the_port() {
    let running = start().await;
    let address = running.address;
    let gate = running.sandbox().faults().hold(When::any("/Users"));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request("GET", "/Users", "").as_bytes()).await.unwrap();
    gate.arrived(1).await;
    running.stop().await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(TcpStream::connect(address).await.is_err());
}

async fn start() -> Running {
    Sandbox::start(Options::new(TOKEN), ([127, 0, 0, 1], 0).into()).await.unwrap()
}

async fn send(running: &Running, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(request(method, path, body).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A cut connection may end in an error; what came before it is the answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} /scim/v2{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {TOKEN}\r\nContent-Type: application/scim+json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
