//! What is reviewed is what is sent: the requests that a connector tells before it writes are those that it sends.

mod facts;

pub use facts::{
    PlanSite, a_plan_of_a_plans_result_is_empty, apply_after_an_outside_change_refuses,
    what_is_sent_is_what_was_planned,
};

use serde_json::Value as Json;
use usher_core::Operation;
use usher_core::ports::{Connector, ConnectorError, Exchange, PreparedRequest, Written};

/// What a plan says where only the server knows how an entry is at that time.
const AS_IT_IS: &str = "(as it is";
/// What a plan says of an entry whose name only the server knows.
const ENTRY: &str = "(the entry ";
/// What a plan says of a password that is drawn when it is sent; what is told of it afterwards is that it is hidden.
const DRAWN: &str = "@drawn-password";

/// Carries out an operation as a plan is applied, and holds what was sent against what was planned, byte for byte.
/// Where the target refuses a request, those after it are not sent, and not told as if they were.
///
/// # Panics
/// When something else was sent.
pub async fn sends_as_planned(
    connector: &dyn Connector,
    operation: &Operation,
) -> (Result<Written, ConnectorError>, Vec<Exchange>) {
    let planned = connector.preview(operation);
    assert!(!planned.is_empty(), "there is a plan for {operation:?}");
    let (written, told) = connector.write_told(operation, true).await;
    let sent: Vec<&PreparedRequest> = told.iter().map(|one| &one.request).collect();
    let known = planned.get(..sent.len()).unwrap_or(&planned);
    assert_eq!(sent.len(), known.len(), "more was sent than planned: {told:#?}\n{planned:#?}");
    for (planned, sent) in known.iter().zip(&sent) {
        let is_body = match (&planned.body, &sent.body) {
            (Some(planned), Some(sent)) => fits(planned, sent),
            (planned, sent) => planned == sent,
        };
        let is_path = planned.path == sent.path || planned.path.starts_with(ENTRY);
        assert!(
            planned.method == sent.method && is_path && is_body,
            "planned: {planned:#?}\nsent: {sent:#?}"
        );
    }
    match &written {
        Ok(_) => assert_eq!(sent.len(), planned.len(), "all of it was sent: {planned:#?}\n{told:#?}"),
        Err(error) => {
            let last = told.last().and_then(|one| one.answer.as_ref());
            assert!(last.is_none_or(|answer| !(200..300).contains(&answer.status)), "{error}: {told:#?}");
        }
    }
    assert!(told.iter().all(|one| one.answer.is_some()), "every request has its answer: {told:#?}");
    (written, told)
}

/// The same text of JSON, but for what only the server knows.
fn fits(planned: &Json, sent: &Json) -> bool {
    match (planned, sent) {
        (Json::String(planned), Json::String(sent)) => {
            planned == sent
                || planned.starts_with(AS_IT_IS)
                || planned.starts_with(ENTRY)
                || planned == DRAWN && sent == "[Redact]"
        }
        (Json::Array(planned), Json::Array(sent)) => {
            planned.len() == sent.len() && planned.iter().zip(sent).all(|(planned, sent)| fits(planned, sent))
        }
        (Json::Object(planned), Json::Object(sent)) => {
            planned.len() == sent.len()
                && planned
                    .iter()
                    .zip(sent)
                    .all(|(planned, sent)| planned.0 == sent.0 && fits(planned.1, sent.1))
        }
        (planned, sent) => planned == sent,
    }
}
