//! Answers that are no success, and what answers in the place of a service.

use std::time::Duration;

use serde_json::Value;
use usher_connectors::graph::{GraphError, IdentityError, Response};

use crate::failure::{Failure, UNREACHABLE};

/// How much of a text that is no answer of a service is shown.
const SHOWN: usize = 120;

/// An answer that is not a success.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The Graph error code.
    pub code: String,
    /// The Graph error message.
    pub message: String,
    /// Whether the answer is an error as Graph writes them.
    pub is_published: bool,
    /// How long to wait, when the service said so.
    pub retry_after: Option<Duration>,
    /// The ids by which the service's own people find the request.
    pub ids: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({}, {}; {})", self.message, self.status, self.code, self.ids)
    }
}

impl std::error::Error for Refusal {}

/// The refusal in an answer without success. `id` is the id that we gave the request.
pub(super) fn of(method: &str, path: &str, response: &Response, id: &str) -> Refusal {
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let error = &document["error"];
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let code = text(&error["code"]);
    let inner = if error["innerError"].is_null() { &error["innererror"] } else { &error["innerError"] };
    let named = |name: &str| response.header(name).map(str::to_owned).or_else(|| text(&inner[name]));
    let client_request_id = named("client-request-id").unwrap_or_else(|| id.to_owned());
    Refusal {
        status: response.status,
        is_published: code.is_some(),
        message: text(&error["message"]).unwrap_or_else(|| {
            format!("{method} {} was answered with {}", without_query(path), described(response))
        }),
        code: code.unwrap_or_else(|| "UnknownError".to_owned()),
        retry_after: response.retry_after,
        ids: match named("request-id") {
            Some(request_id) => format!("request-id {request_id}, client-request-id {client_request_id}"),
            None => format!("client-request-id {client_request_id}"),
        },
    }
}

/// A success that is no JSON: something else stands in the place of the service.
pub(super) fn no_json(host: &str, method: &str, path: &str, response: &Response) -> anyhow::Error {
    Failure::with_hint(
        format!(
            "{host} answered {method} {} with status {} and {}, not with JSON",
            without_query(path),
            response.status,
            described(response)
        ),
        "what answers there is no Graph service; look at --address of `usher connect`, and at proxies in between",
    )
}

/// An answer in the place of a list.
pub(super) fn no_list(path: &str, answer: &Value) -> anyhow::Error {
    let members: Vec<&str> =
        answer.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).take(5).collect();
    let what = if members.is_empty() { "nothing of the kind".to_owned() } else { members.join(", ") };
    Failure::with_hint(
        format!("the answer to GET {} has no list 'value', but {what}", without_query(path)),
        "what answers there is no Graph service, or another version of one; look at `usher connect --show`",
    )
}

/// What came in place of JSON, so that whoever reads knows it again.
fn described(response: &Response) -> String {
    let text = String::from_utf8_lossy(&response.body);
    let text = text.trim();
    let is_page = response.header("content-type").is_some_and(|media| media.contains("html"))
        || text.get(..14).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype html"))
        || text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("<html"));
    if let Some(to) = response.header("location").filter(|_| (300..400).contains(&response.status)) {
        let to = url::Url::parse(to).ok().and_then(|url| url.host_str().map(str::to_owned));
        return format!("a redirection to {}", to.as_deref().unwrap_or("elsewhere"));
    }
    let shown = |text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        text.chars().filter(|letter| !letter.is_control()).take(SHOWN).collect::<String>()
    };
    match (is_page, text.is_empty()) {
        (true, _) => match title(text) {
            Some(title) => format!("a web page ('{}')", shown(title)),
            None => "a web page".to_owned(),
        },
        (false, true) => "an empty body".to_owned(),
        (false, false) => format!("'{}'", shown(text)),
    }
}

/// The title of a page.
fn title(page: &str) -> Option<&str> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    Some(page[start..end].trim()).filter(|title| !title.is_empty())
}

/// Queries hold names of people.
fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// There is no answer, with what to do about it. `id` is the id that we gave the request.
pub(super) fn no_answer(error: GraphError, id: &str) -> anyhow::Error {
    let mut failure = failure(&error);
    if matches!(error, GraphError::Timeout { .. } | GraphError::Broken { .. } | GraphError::TooLong { .. }) {
        failure.message = format!("{} (client-request-id {id})", failure.message);
    }
    failure.into()
}

/// What no answer, or no client, means for whoever gave the command.
pub(super) fn failure(error: &GraphError) -> Failure {
    let mut text = error.to_string();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    let hint = match error {
        GraphError::Identity(IdentityError::Refused { .. } | IdentityError::Credential(_)) => {
            "look at the credential, the tenant and the authority, and connect again with `usher connect`"
        }
        GraphError::Identity(IdentityError::Unavailable { .. }) => "try again later",
        GraphError::Identity(IdentityError::Lost { .. }) => {
            "look at the network and at the authority that `usher connect --show` names"
        }
        GraphError::UnknownAuthority { .. } => "connect again with --ca FILE",
        GraphError::Options(_) => "look at --ca of `usher connect`, and at the proxy",
        _ => "check that the service is running and that `usher connect` names it",
    };
    let may_have_arrived =
        matches!(error, GraphError::Timeout { .. } | GraphError::Broken { .. } | GraphError::TooLong { .. });
    Failure { message: text, hint: Some(hint.to_owned()), code: UNREACHABLE, is_unsent: !may_have_arrived }
}
