//! What was sent for an operation and what came back, without credentials and passwords.

use std::cell::RefCell;

use serde_json::{Map, Value as Json};
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
    let mut exchange = Exchange { request: request.clone(), answer: None };
    redact_text(&mut exchange.request.path, hide);
    if let Some(body) = &mut exchange.request.body {
        redact(body, hide);
    }
    exchange.answer = reply.map(|(status, body)| Reply { status, body: read(body, hide) });
    keep(exchange);
}

/// Notes a write of another protocol; nothing in it is secret.
pub(crate) fn keep(exchange: Exchange) {
    // Nobody asked for it: a cycle of a job that keeps nothing.
    let _ = TRANSCRIPT.try_with(|all| all.borrow_mut().push(exchange));
}

/// A text without secrets: `[Redact]` stands in their place. One of few characters stands in other texts by chance: it
/// is hidden where it is a word of its own.
pub(crate) fn without(text: &str, hide: &[&str]) -> String {
    let mut text = text.to_owned();
    redact_text(&mut text, hide);
    text
}

fn read(body: &[u8], hide: &[&str]) -> Option<Json> {
    if body.is_empty() {
        return None;
    }
    if let Some(mut document) = serde_json::from_slice(body).ok().filter(|_| body.len() <= LONGEST * 10) {
        redact(&mut document, hide);
        return Some(document);
    }
    // What is cut off must not leave half a secret.
    let text = without(&String::from_utf8_lossy(body), hide);
    Some(Json::String(text.chars().take(LONGEST).collect()))
}

fn redact(value: &mut Json, hide: &[&str]) {
    match value {
        Json::String(text) => redact_text(text, hide),
        Json::Array(values) => values.iter_mut().for_each(|value| redact(value, hide)),
        Json::Object(members) => {
            members.values_mut().for_each(|value| redact(value, hide));
            redact_names(members, |name| redact_text(name, hide));
        }
        _ => {}
    }
}

/// Puts other names in the place of those that hold a secret.
fn redact_names(members: &mut Map<String, Json>, redact: impl Fn(&mut String)) {
    let named: Vec<String> = members
        .keys()
        .cloned()
        .map(|mut name| {
            redact(&mut name);
            name
        })
        .collect();
    if named.iter().eq(members.keys()) {
        return;
    }
    *members = named.into_iter().zip(std::mem::take(members).into_iter().map(|(_, value)| value)).collect();
}

/// A secret of so many characters is hidden inside of words, too.
const TELLING: usize = 4;

fn redact_text(text: &mut String, hide: &[&str]) {
    // The longest first: one may be the beginning of another.
    let mut secrets: Vec<&str> = hide.iter().copied().filter(|secret| text.contains(secret)).collect();
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        *text = if secret.chars().count() >= TELLING {
            text.replace(secret, HIDDEN)
        } else {
            without_word(text, secret)
        };
    }
}

fn without_word(text: &str, word: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        out.push_str(before);
        let is_word = !out.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
        out.push_str(if is_word { HIDDEN } else { word });
        rest = after;
    }
    out + rest
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
    async fn no_form_of_an_answer_gives_a_secret_back() {
        let answered = async |answer: Vec<u8>| {
            let ((), told) = told(async {
                note(&post(json!({})), Some((400, &answer)), &["abc", "abc=", "s3cret", "s3cret-and-more"]);
            })
            .await;
            told[0].answer.as_ref().expect("it was answered").body.clone().expect("it has a body")
        };
        assert_eq!(
            answered(br#"{"s3cret": 1, "xs3cretx": ["abc"], "abc": {"abcd": "(abc) abcd"}}"#.to_vec()).await,
            json!({ "[Redact]": 1, "x[Redact]x": ["[Redact]"], "[Redact]": { "abcd": "([Redact]) abcd" } }),
        );
        assert_eq!(answered(br#""s3cret-and-more""#.to_vec()).await, json!(HIDDEN));
        let cut = format!("{}s3cret", "x".repeat(LONGEST - 3));
        assert!(!answered(cut.into_bytes()).await.to_string().contains("s3c"));
    }

    #[tokio::test]
    async fn nothing_is_kept_where_nobody_asked() {
        note(&post(json!({})), None, &[]);
        let ((), told) = told(async {}).await;
        assert!(told.is_empty());
    }
}
