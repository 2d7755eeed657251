//! What of requests and answers the provisioning log keeps: enough to see what was sent and why it was refused, and
//! nothing about people that the log does not hold anyway.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::{Map, Value as Json};

use crate::ports::{Exchange, PreparedRequest, Reply};

/// So many requests of one event are kept.
const MOST: usize = 100;
/// So many bytes of bodies of one event are kept.
const LARGEST: usize = 16 * 1024;
/// What stands for what an answer told that nobody had sent.
pub const NOT_KEPT: &str = "[not kept]";
/// Members of an answer that tell of the resource, and not of a person.
const OF_THE_RESOURCE: &[&str] =
    &["id", "schemas", "meta", "@odata.context", "@odata.type", "error", "status"];

/// The requests and answers as the log keeps them.
pub fn logged(exchanges: &[Exchange]) -> Vec<Exchange> {
    let mut left = LARGEST;
    let mut bounded = |body: Cow<'_, Json>| {
        let size = size(&body);
        match left.checked_sub(size) {
            Some(rest) => {
                left = rest;
                body.into_owned()
            }
            None => Json::String(format!("[not kept: {size} bytes]")),
        }
    };
    let mut kept: Vec<Exchange> = exchanges
        .iter()
        .take(MOST)
        .map(|Exchange { request, answer }| {
            let sent = request.body.as_ref();
            let answer = answer.as_ref().map(|Reply { status, body: told }| {
                let is_success = *status == 0 || (200..300).contains(status);
                let told = told.as_ref();
                let told = told.map(|told| if is_success { known(told, sent) } else { Cow::Borrowed(told) });
                Reply { status: *status, body: told.map(&mut bounded) }
            });
            let body = sent.map(|sent| bounded(Cow::Borrowed(sent)));
            let request =
                PreparedRequest { method: request.method.clone(), path: request.path.clone(), body };
            Exchange { request, answer }
        })
        .collect();
    if let Some(more) = exchanges.len().checked_sub(MOST).filter(|more| *more > 0) {
        let request = PreparedRequest { method: "…".into(), path: format!("{more} more"), body: None };
        kept.push(Exchange { request, answer: None });
    }
    kept
}

/// Of an answer to something that went well, what was sent: the rest of the account is not the log's business.
fn known<'a>(told: &Json, sent: Option<&Json>) -> Cow<'a, Json> {
    let Json::Object(members) = told else { return Cow::Owned(Json::from(NOT_KEPT)) };
    let is_sent = |name: &str| sent.and_then(|sent| sent.get(name)).is_some();
    let members: Map<String, Json> = members
        .iter()
        .map(|(name, value)| {
            let is_known = OF_THE_RESOURCE.contains(&name.as_str()) || is_sent(name) || value.is_null();
            (name.clone(), if is_known { value.clone() } else { Json::from(NOT_KEPT) })
        })
        .collect();
    Cow::Owned(members.into())
}

/// How many bytes a document takes as text.
fn size(document: &Json) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, document).expect("counting never fails, and every document has a text");
    count.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exchange(method: &str, body: Json, status: u16, answer: Json) -> Exchange {
        let request = PreparedRequest { method: method.into(), path: "/Users".to_owned(), body: Some(body) };
        Exchange { request, answer: Some(Reply { status, body: Some(answer) }) }
    }

    #[test]
    fn of_an_answer_only_what_was_sent_is_kept_and_refusals_whole() {
        let sent = json!({ "userName": "adele", "name": { "givenName": "Adele" } });
        let told = json!({
            "id": "7", "meta": { "version": "1" }, "userName": "adele", "name": { "givenName": "Adele" },
            "phoneNumbers": [{ "value": "+49" }],
        });
        let refusal = json!({ "detail": "adele is taken", "scimType": "uniqueness" });
        let kept = logged(&[
            exchange("POST", sent.clone(), 201, told),
            exchange("POST", sent.clone(), 409, refusal.clone()),
            exchange("PATCH", json!({ "Operations": [] }), 200, json!({ "id": "7", "title": "Boss" })),
            exchange("ADD", sent.clone(), 0, json!("a text")),
        ]);
        let bodies: Vec<Json> = kept.iter().filter_map(|one| one.answer.as_ref()?.body.clone()).collect();
        assert_eq!(
            bodies,
            [
                json!({
                    "id": "7", "meta": { "version": "1" }, "userName": "adele", "name": { "givenName": "Adele" },
                    "phoneNumbers": NOT_KEPT,
                }),
                refusal,
                json!({ "id": "7", "title": NOT_KEPT }),
                json!(NOT_KEPT),
            ]
        );
        assert_eq!(kept[0].request.body, Some(sent));
    }

    #[test]
    fn an_event_stays_small_whatever_was_sent() {
        let large = json!({ "members": vec!["x".repeat(100); 100] });
        let all = vec![exchange("PATCH", large.clone(), 204, Json::Null); 250];
        let kept = logged(&all);
        assert_eq!((kept.len(), kept[0].request.body.as_ref()), (MOST + 1, Some(&large)));
        assert_eq!(kept[1].request.body, Some(json!("[not kept: 10313 bytes]")));
        assert_eq!(kept[MOST].request.path, "150 more");
        let size = serde_json::to_vec(&kept).expect("it has a form").len();
        assert!(size < 40_000, "{size}");
    }
}
