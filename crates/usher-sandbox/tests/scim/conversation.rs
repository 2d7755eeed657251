//! Requests and answers as text.
//!
//! A request is a line with method and path, lines with headers, and a body in one or more lines; a blank line
//! ends it. `$1` is the id of the first resource that was created, and so on. `@user`, `@patch` and the like
//! stand for URNs.

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use expect_test::Expect;
use serde_json::Value;
use tower::ServiceExt;
use usher_sandbox::{BASE_PATH, Options, Sandbox};

pub const TOKEN: &str = "open-sesame";

const URNS: [(&str, &str); 7] = [
    ("@enterprise", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"),
    ("@user", "urn:ietf:params:scim:schemas:core:2.0:User"),
    ("@group", "urn:ietf:params:scim:schemas:core:2.0:Group"),
    ("@patch", "urn:ietf:params:scim:api:messages:2.0:PatchOp"),
    ("@list", "urn:ietf:params:scim:api:messages:2.0:ListResponse"),
    ("@error", "urn:ietf:params:scim:api:messages:2.0:Error"),
    ("@legacy", "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"),
];

/// Runs the requests on a new application and compares the answers.
#[track_caller]
pub fn check(requests: &str, expected: Expect) {
    check_on(&Sandbox::new(Options::new(TOKEN)), requests, expected);
}

/// Runs the requests and compares the answers.
#[track_caller]
pub fn check_on(sandbox: &Sandbox, requests: &str, expected: Expect) {
    expected.assert_eq(&run(sandbox, requests));
}

/// Runs the requests: one line for each answer, without `meta`.
pub fn run(sandbox: &Sandbox, requests: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut answers = String::new();
    let mut ids: Vec<String> = Vec::new();
    for request in requests.split("\n\n").map(str::trim).filter(|request| !request.is_empty()) {
        let mut request = request.to_owned();
        for (at, id) in ids.iter().enumerate().rev() {
            request = request.replace(&format!("${}", at + 1), id);
        }
        for (short, urn) in URNS {
            request = request.replace(short, urn);
        }
        let is_post = request.starts_with("POST");
        let (status, body) = runtime.block_on(async {
            let response = sandbox.router().oneshot(parse(&request)).await.unwrap();
            describe(response).await
        });
        if let (true, "201", Some(id)) = (is_post, status.as_str(), body["id"].as_str()) {
            ids.push(id.to_owned());
        }
        let mut line = match body {
            Value::Null => status,
            Value::String(text) => format!("{status} {text}"),
            body => format!("{status} {body}"),
        };
        for (at, id) in ids.iter().enumerate() {
            line = line.replace(id, &format!("${}", at + 1));
        }
        for (short, urn) in URNS {
            line = line.replace(urn, short);
        }
        answers.push_str(line.trim_end());
        answers.push('\n');
    }
    answers
}

fn parse(text: &str) -> Request<Body> {
    let (head, body) = match text.find("\n{").or(text.find("\n[")) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let path = match path.strip_prefix('!') {
        Some(path) => path.to_owned(),
        None => format!("{BASE_PATH}{}", path.replace(' ', "+").replace('"', "%22")),
    };
    let mut request = Request::builder().method(method).uri(path);
    let mut has_authorization = false;
    let mut has_content_type = false;
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        has_authorization |= name == "Authorization";
        has_content_type |= name == "Content-Type";
        request = request.header(name, value);
    }
    if !has_authorization {
        request = request.header("Authorization", format!("Bearer {TOKEN}"));
    }
    if !has_content_type && !body.is_empty() {
        request = request.header("Content-Type", "application/scim+json; charset=utf-8");
    }
    request.body(Body::from(body.trim().to_owned())).unwrap()
}

async fn describe(response: Response<Body>) -> (String, Value) {
    let status = response.status().as_u16().to_string();
    let Ok(bytes) = to_bytes(response.into_body(), usize::MAX).await else {
        return ("cut".into(), Value::Null);
    };
    let mut body = match serde_json::from_slice(&bytes) {
        Ok(body) => body,
        Err(_) => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
    };
    if body == Value::String(String::new()) {
        return (status, Value::Null);
    }
    forget_meta(&mut body);
    // An error repeats its status, and always has the same schema.
    if body.pointer("/schemas/0").and_then(Value::as_str)
        == Some("urn:ietf:params:scim:api:messages:2.0:Error")
    {
        let kind = body["scimType"].as_str().map_or_else(String::new, |kind| format!("{kind}: "));
        return (status, Value::String(format!("{kind}{}", body["detail"].as_str().unwrap())));
    }
    if let Some(resources) = body.get_mut("Resources").and_then(Value::as_array_mut) {
        resources.iter_mut().for_each(forget_meta);
    }
    (status, body)
}

fn forget_meta(body: &mut Value) {
    if let Some(parts) = body.as_object_mut() {
        parts.shift_remove("meta");
    }
}
