//! What Microsoft Graph's answers mean: documents, pages, and refusals as the errors that the engine knows. Status and
//! code decide; the text only where Graph has nothing else to tell cases apart.

use serde_json::Value as Json;
use usher_core::ports::{ConnectorError, ConnectorErrorKind as Kind, Effect, PreparedRequest};

use super::request;
use crate::http::Reply;

/// The longest part of what Graph said that is kept.
const LONGEST_DETAIL: usize = 600;

/// An answer that is not a success, or none at all.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The HTTP status; `None` when there was no answer.
    pub(super) status: Option<u16>,
    /// Graph's error code.
    pub(super) code: String,
    /// Graph's message.
    pub(super) message: String,
    /// The failure for the engine.
    pub(super) error: ConnectorError,
}

impl Refusal {
    /// The object is not there, or not yet.
    pub(super) fn is_missing(&self) -> bool {
        self.status == Some(404)
    }

    /// One of the links to add is there already.
    pub(super) fn is_already_linked(&self) -> bool {
        self.status == Some(400) && self.message.contains("added object references already exist")
    }

    /// The link or the token that we follow is of no use any more.
    pub(super) fn is_expired(&self) -> bool {
        const CODES: [&str; 5] = [
            "Directory_ExpiredPageToken",
            "syncStateNotFound",
            "syncStateInvalid",
            "resyncRequired",
            "SyncStateNotFound",
        ];
        self.status == Some(410)
            || (self.status == Some(400)
                && (CODES.iter().any(|code| self.code.eq_ignore_ascii_case(code))
                    || self.message.contains("Badly formed token")
                    || self.message.contains("skipToken")))
    }

    /// The request is refused because of a property that is not known.
    pub(super) fn names(&self, property: &str) -> bool {
        self.status == Some(400) && self.message.contains(&format!("'{property}'"))
    }

    /// This cloud does not know what was asked.
    pub(super) fn is_unknown_here(&self) -> bool {
        matches!(self.status, Some(400 | 404 | 405 | 501))
    }
}

impl From<ConnectorError> for Refusal {
    fn from(error: ConnectorError) -> Self {
        Self { status: None, code: String::new(), message: String::new(), error }
    }
}

impl From<Refusal> for ConnectorError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// What a request was, for the sentence about it.
pub(super) fn named(request: &PreparedRequest) -> String {
    let path = request.path.split('?').next().unwrap_or_default();
    format!("{} {path}", request.method)
}

/// An answer, be it of its own or a part of a batch.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: Option<&'a Json>,
    /// The ids by which Microsoft's support finds a request.
    pub(super) ids: String,
    pub(super) retry_after: Option<std::time::Duration>,
    /// What the side says about claims that a token lacks, and such.
    pub(super) challenge: Option<&'a str>,
}

/// The ids of a request, as errors show them.
pub(super) fn ids(reply: &Reply, client_request_id: &str) -> String {
    match reply.header("request-id") {
        Some(id) => format!("request-id {id}, client-request-id {client_request_id}"),
        None => format!("client-request-id {client_request_id}"),
    }
}

/// The failure that an answer without success stands for. `hide` is cut out of what Graph said.
pub(super) fn refusal(request: &PreparedRequest, answer: &Answer<'_>, hide: &[&str]) -> Refusal {
    let error = answer.body.and_then(|body| body.get("error"));
    let text =
        |name: &str| error.and_then(|error| error.get(name)).and_then(Json::as_str).unwrap_or_default();
    let (code, message) = (text("code").to_owned(), text("message").to_owned());
    let details: Vec<&Json> =
        error.and_then(|error| error.get("details")).and_then(Json::as_array).into_iter().flatten().collect();
    let is_read = request::is_read(request);
    let conflict =
        details.iter().find(|one| one.get("code").and_then(Json::as_str) == Some("ObjectConflict"));
    let is_taken = conflict.is_some()
        || message.starts_with("Another object with the same value")
        || code.contains("ObjectConflict")
        || code == "Request_MultipleObjectsWithSameKeyValue";
    let (kind, published) = match answer.status {
        400 if is_taken => (Kind::AlreadyExists, "EntryConflict"),
        400 => (Kind::Rejected, "SchemaPropertyCanOnlyAcceptValue"),
        401 => (Kind::Unauthorised, "Unauthorized"),
        403 => (Kind::Unauthorised, "InsufficientRights"),
        404 => (Kind::NotFound, "InvalidAnchor"),
        405 => (Kind::Unsupported, "MethodNotAllowed"),
        408 => (Kind::Unreachable, "Timeout"),
        409 if is_taken && request.method == "POST" => (Kind::AlreadyExists, "EntryConflict"),
        409 | 412 | 423 => (Kind::Conflict, "Conflict"),
        410 => (Kind::NotFound, "InvalidWatermark"),
        424 => (Kind::Conflict, "Conflict"),
        429 => (Kind::Throttled, "TooManyRequests"),
        501 => (Kind::Unsupported, "NotImplemented"),
        500..=599 => (Kind::Unreachable, "InternalServerError"),
        _ => (Kind::Protocol, "WebExceptionProtocolError"),
    };
    let what = named(request);
    let status = answer.status;
    let sentence = match status {
        400 if message.contains("on-premises mastered") => {
            format!(
                "{what} was refused: the object is mastered on premises, and only there can these properties be changed"
            )
        }
        401 => format!("{what} was answered with status 401: Microsoft Graph does not take the token"),
        403 if code == "Directory_QuotaExceeded" => {
            format!("{what} was answered with status 403: the tenant has as many objects as it may have")
        }
        403 => format!(
            "{what} was answered with status 403: the application lacks a permission (or a role, when the account \
             holds an administrator's role)"
        ),
        _ => format!("{what} was answered with status {status}"),
    };
    let mut failure = ConnectorError::new(kind, published, sentence);
    failure.attribute = conflict
        .or_else(|| details.iter().find(|one| one.get("target").is_some()))
        .and_then(|one| one.get("target"))
        .and_then(Json::as_str)
        .filter(|_| matches!(kind, Kind::Rejected | Kind::AlreadyExists))
        .map(Into::into)
        .or_else(|| named_property(&message));
    failure.detail = Some(detail(answer, &code, &message, hide));
    failure.effect = match kind {
        Kind::Unreachable if !is_read => Effect::Unknown,
        _ => Effect::None,
    };
    failure.retry_after = answer.retry_after;
    Refusal { status: Some(status), code, message, error: failure }
}

/// `Another object with the same value for property userPrincipalName already exists.` and its like.
fn named_property(message: &str) -> Option<smol_str::SmolStr> {
    let rest = message.split_once("property ")?.1;
    let name = rest.split([' ', '.', ',']).next()?.trim_matches(['\'', '"']);
    (!name.is_empty() && name.chars().all(char::is_alphanumeric)).then(|| name.into())
}

fn detail(answer: &Answer<'_>, code: &str, message: &str, hide: &[&str]) -> String {
    let mut said = match (code.is_empty(), message.is_empty()) {
        (false, _) => format!("{code}: {message}"),
        (true, false) => message.to_owned(),
        (true, true) => answer.challenge.unwrap_or_default().to_owned(),
    };
    said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in hide.iter().filter(|secret| secret.len() >= 4) {
        said = said.replace(secret, "[Redact]");
    }
    if said.chars().count() > LONGEST_DETAIL {
        said = said.chars().take(LONGEST_DETAIL).chain(['…']).collect();
    }
    if said.is_empty() { format!("({})", answer.ids) } else { format!("{said} ({})", answer.ids) }
}

/// The answer is not what Graph says that it is.
pub(super) fn unreadable(request: &PreparedRequest, what: &str) -> Refusal {
    let message = format!("the answer to {} {what}", named(request));
    let mut error = ConnectorError::new(Kind::Protocol, "WebExceptionProtocolError", message);
    error.effect = if request::is_read(request) { Effect::None } else { Effect::Unknown };
    error.into()
}

/// One page of a collection.
pub(super) struct Page {
    pub(super) values: Vec<Json>,
    pub(super) next: Option<String>,
    pub(super) delta: Option<String>,
}

/// The answer to a read tells of an object or of a list. One that tells of neither is no answer: nobody is gone, and
/// nothing is not assigned, because somebody on the way swallowed it.
pub(super) fn whole(request: &PreparedRequest, document: Json) -> Result<Json, Refusal> {
    let is_told = || {
        document.get("id").is_some_and(Json::is_string) || document.get("value").is_some_and(Json::is_array)
    };
    if request.method != "GET" || is_told() {
        return Ok(document);
    }
    Err(unreadable(request, "holds neither an object nor a list"))
}

/// The page in an answer.
pub(super) fn page(request: &PreparedRequest, mut document: Json) -> Result<Page, Refusal> {
    let link = |name: &str| document.get(name).and_then(Json::as_str).map(str::to_owned);
    let (next, delta) = (link("@odata.nextLink"), link("@odata.deltaLink"));
    match document.get_mut("value").map(Json::take) {
        Some(Json::Array(values)) => Ok(Page { values, next, delta }),
        _ => Err(unreadable(request, "is not a list with 'value'")),
    }
}
