//! What was sent for an operation and what came back, without credentials and passwords.

use std::cell::RefCell;

use serde_json::Value as Json;
use usher_core::ports::{Exchange, PreparedRequest, Reply};

/// What stands for what is not shown.
const HIDDEN: &str = "[Redact]";
/// What stands in a plan for a password that is drawn when the account is made. It is no part of what is reviewed or
/// signed, and nobody is told of it.
pub(crate) const DRAWN: &str = "@drawn-password";
/// The longest text of an answer that is kept.
const LONGEST: usize = 2000;

tokio::task_local! {
    static TRANSCRIPT: RefCell<Vec<Exchange>>;
}

/// Does something, and tells what was noted meanwhile.
pub(crate) async fn told<F: Future>(work: F) -> (F::Output, Vec<Exchange>) {
    let with_notes = async {
        let output = work.await;
        (output, TRANSCRIPT.with(RefCell::take))
    };
    TRANSCRIPT.scope(RefCell::default(), with_notes).await
}

/// Notes a write over HTTP, where somebody asked for it. `hide` are texts that are not shown wherever they stand.
pub(crate) fn note(request: &PreparedRequest, reply: Option<(u16, &[u8])>, hide: &[&str]) {
    let is_read = request.method == "GET" || request.path == "/$batch";
    if is_read || TRANSCRIPT.try_with(|_| ()).is_err() {
        return;
    }
    let reply = reply.map(|(status, body)| Reply { status, body: read(body) });
    keep(hidden(Exchange { request: request.clone(), answer: reply }, hide));
}

/// Notes a write of another protocol; nothing in it is secret.
pub(crate) fn keep(exchange: Exchange) {
    // Nobody asked for it: a cycle of a job that keeps nothing.
    let _ = TRANSCRIPT.try_with(|all| all.borrow_mut().push(exchange));
}

fn read(body: &[u8]) -> Option<Json> {
    if body.is_empty() {
        return None;
    }
    let document = serde_json::from_slice(body).ok().filter(|_| body.len() <= LONGEST * 10);
    document.or_else(|| {
        let text = String::from_utf8_lossy(body);
        Some(Json::String(text.chars().take(LONGEST).collect()))
    })
}

fn hidden(mut exchange: Exchange, hide: &[&str]) -> Exchange {
    if let Some(body) = &mut exchange.request.body {
        redact(body, hide);
    }
    if let Some(body) = exchange.answer.as_mut().and_then(|answer| answer.body.as_mut()) {
        redact(body, hide);
    }
    exchange
}

fn redact(value: &mut Json, hide: &[&str]) {
    match value {
        Json::String(text) => {
            for secret in hide.iter().filter(|secret| !secret.is_empty()) {
                *text = text.replace(secret, HIDDEN);
            }
        }
        Json::Array(values) => values.iter_mut().for_each(|value| redact(value, hide)),
        Json::Object(members) => members.values_mut().for_each(|value| redact(value, hide)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn post(body: Json) -> PreparedRequest {
        PreparedRequest { method: "POST".into(), path: "/Users".to_owned(), body: Some(body) }
    }

    #[tokio::test]
    async fn what_is_noted_holds_no_secret_and_no_reads() {
        let ((), told) = told(async {
            let get = PreparedRequest { method: "GET".into(), path: "/Users".to_owned(), body: None };
            note(&get, Some((200, b"{}")), &[]);
            let answer = br#"{"detail": "the password p4ss is weak"}"#;
            note(&post(json!({ "password": "p4ss", "title": "Boss" })), Some((400, answer)), &["p4ss", ""]);
            note(&post(json!({})), None, &[]);
        })
        .await;
        let told = serde_json::to_value(told).expect("it has a form");
        let path = "/Users";
        assert_eq!(
            told,
            json!([
                {
                    "method": "POST", "path": path, "body": { "password": HIDDEN, "title": "Boss" },
                    "answer": { "status": 400, "body": { "detail": "the password [Redact] is weak" } },
                },
                { "method": "POST", "path": path, "body": {} },
            ])
        );
    }

    #[tokio::test]
    async fn nothing_is_kept_where_nobody_asked() {
        note(&post(json!({})), None, &[]);
        let ((), told) = told(async {}).await;
        assert!(told.is_empty());
    }
}
