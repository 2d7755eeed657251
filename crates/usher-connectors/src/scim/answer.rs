//! What the service's answers mean: resources, lists, and refusals as the errors that the engine knows.

use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use usher_core::ports::{ConnectorError, ConnectorErrorKind as Kind, Effect, PreparedRequest};

use super::resource::member;
use crate::http::Reply;
use crate::transcript;

/// The longest part of what the service said that is kept.
const LONGEST_DETAIL: usize = 400;

const BAD_RESPONSE: &str = "SystemForCrossDomainIdentityManagementBadResponse";
const INCOMPATIBLE: &str = "SystemForCrossDomainIdentityManagementServiceIncompatible";
const SEVERAL: &str = "SystemForCrossDomainIdentityManagementMultipleEntriesInResponse";

/// An answer that is not a success, or none at all.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The HTTP status; `None` when there was no answer.
    pub(crate) status: Option<u16>,
    /// The kind of error within a 400 or 409 (RFC 7644 table 9), such as `noTarget`.
    pub(crate) scim_type: Option<SmolStr>,
    /// The failure for the engine.
    pub(crate) error: ConnectorError,
}

impl Refusal {
    /// Whether the service took offence at what was sent, so that saying it otherwise may help.
    pub(crate) fn is_about_content(&self) -> bool {
        matches!(self.status, Some(400 | 413 | 422))
    }

    /// Whether the service does not know the method, here or at all.
    pub(crate) fn is_about_method(&self) -> bool {
        matches!(self.status, Some(405 | 501))
    }

    /// Whether the service says that a path points to nothing.
    pub(crate) fn is_no_target(&self) -> bool {
        self.scim_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("noTarget"))
    }
}

impl From<ConnectorError> for Refusal {
    fn from(error: ConnectorError) -> Self {
        Self { status: None, scim_type: None, error }
    }
}

impl From<Refusal> for ConnectorError {
    fn from(refusal: Refusal) -> Self {
        refusal.error
    }
}

/// What a failed request was, for the sentence about it.
pub(crate) fn named(request: &PreparedRequest) -> String {
    format!("{} {}", request.method, request.path)
}

/// The failure that an answer without success stands for. `hide` is cut out of what the service said.
pub(crate) fn refusal(request: &PreparedRequest, reply: &Reply, hide: &[&str]) -> Refusal {
    let status = reply.status.as_u16();
    let document: Option<Json> = serde_json::from_slice(&reply.body).ok();
    let body = document.as_ref().and_then(Json::as_object);
    let scim_type = body.and_then(|body| text(body, "scimType")).map(SmolStr::from);
    let is_read = request.method == "GET";
    let is_unique = scim_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("uniqueness"));
    let is_list = is_read && !is_one_resource(&request.path);
    let (kind, code) = match status {
        401 => (Kind::Unauthorised, "Unauthorized"),
        403 => (Kind::Unauthorised, "InsufficientRights"),
        404 if is_list || request.method == "POST" => (Kind::Protocol, INCOMPATIBLE),
        404 => (Kind::NotFound, "InvalidAnchor"),
        405 => (Kind::Unsupported, "MethodNotAllowed"),
        408 => (Kind::Unreachable, "Timeout"),
        409 if is_unique || request.method == "POST" => (Kind::AlreadyExists, "EntryConflict"),
        409 | 412 => (Kind::Conflict, "Conflict"),
        422 => (Kind::Rejected, "UnprocessableEntity"),
        429 => (Kind::Throttled, "TooManyRequests"),
        400 if is_unique => (Kind::AlreadyExists, "EntryConflict"),
        501 => (Kind::Unsupported, "NotImplemented"),
        400..=499 => (Kind::Rejected, "SchemaPropertyCanOnlyAcceptValue"),
        500..=599 => (Kind::Unreachable, "InternalServerError"),
        _ => (Kind::Protocol, INCOMPATIBLE),
    };
    let is_open = !is_read && matches!(kind, Kind::Unreachable);
    let detail = detail(reply, body, hide);
    let mut error = ConnectorError::new(kind, code, transcript::without(&sentence(request, reply), hide));
    error.attribute = matches!(kind, Kind::Rejected | Kind::Unsupported)
        .then(|| refused_attribute(request, detail.as_deref()))
        .flatten();
    error.detail = detail;
    error.effect = if is_open { Effect::Unknown } else { Effect::None };
    error.retry_after = if matches!(status, 429 | 503) { reply.retry_after() } else { None };
    Refusal { status: Some(status), scim_type, error }
}

fn is_one_resource(path: &str) -> bool {
    path.split('?').next().unwrap_or_default().trim_matches('/').contains('/')
}

fn sentence(request: &PreparedRequest, reply: &Reply) -> String {
    let status = reply.status;
    let what = named(request);
    match (status.as_u16(), reply.header("location")) {
        (300..=399, Some(place)) => {
            format!("{what} was redirected to {place}; give that address as BaseAddress")
        }
        (401, _) => {
            format!("{what} was answered with status {status}: the service does not accept the credentials")
        }
        (403, _) => format!("{what} was answered with status {status}: the credentials lack a right"),
        (404, _) if !is_one_resource(&request.path) => {
            format!(
                "{what} was answered with status {status}: check that the BaseAddress is that of a SCIM service"
            )
        }
        _ => format!("{what} was answered with status {status}"),
    }
}

/// What the service said: the detail of a SCIM error, else the beginning of the body.
fn detail(reply: &Reply, body: Option<&Map<String, Json>>, hide: &[&str]) -> Option<String> {
    let said = body.and_then(|body| {
        let detail =
            text(body, "detail").or_else(|| text(body, "message")).or_else(|| text(body, "error"))?;
        Some(match text(body, "scimType") {
            Some(kind) => format!("{kind}: {detail}"),
            None => detail.to_owned(),
        })
    });
    let said = said.unwrap_or_else(|| String::from_utf8_lossy(&reply.body).into_owned());
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut said = transcript::without(&said, hide);
    if said.chars().count() > LONGEST_DETAIL {
        said = said.chars().take(LONGEST_DETAIL).chain(['…']).collect();
    }
    (!said.is_empty()).then_some(said)
}

fn text<'a>(body: &'a Map<String, Json>, name: &str) -> Option<&'a str> {
    member(body, name).and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// The attribute of the request that the service names; the longest, so that `name` does not hide `name.givenName`.
fn refused_attribute(request: &PreparedRequest, detail: Option<&str>) -> Option<SmolStr> {
    let body = request.body.as_ref()?;
    let mut names: Vec<&str> = Vec::new();
    match body.get("Operations").and_then(Json::as_array) {
        Some(operations) => {
            for operation in operations {
                names.extend(operation.get("path").and_then(Json::as_str));
                if operation.get("path").is_none() {
                    names.extend(
                        operation
                            .get("value")
                            .and_then(Json::as_object)
                            .into_iter()
                            .flat_map(Map::keys)
                            .map(String::as_str),
                    );
                }
            }
            if let [only] = names.as_slice() {
                return Some((*only).into());
            }
        }
        None => names.extend(
            body.as_object()?.keys().map(String::as_str).filter(|name| !matches!(*name, "schemas" | "meta")),
        ),
    }
    let detail = detail?.to_lowercase();
    let is_named = |name: &&str| {
        let name = name.to_lowercase();
        let last = name.rsplit(':').next().unwrap_or_default();
        let words = |one: &str| {
            detail.match_indices(one).any(|(start, _)| {
                let is_free = |character: Option<char>| character.is_none_or(|one| !one.is_alphanumeric());
                is_free(detail[..start].chars().next_back())
                    && is_free(detail[start + one.len()..].chars().next())
            })
        };
        !last.is_empty() && (words(&name) || words(last))
    };
    names.into_iter().filter(is_named).max_by_key(|name| name.len()).map(SmolStr::from)
}

/// The JSON object in a good answer.
///
/// # Errors
/// `Protocol` when it is something else, whatever it calls itself.
pub(crate) fn document(
    request: &PreparedRequest,
    reply: &Reply,
    hide: &[&str],
) -> Result<Map<String, Json>, Refusal> {
    let media_type = reply.header("content-type").unwrap_or_default();
    if !media_type.is_empty() && !media_type.to_ascii_lowercase().contains("json") {
        return Err(unreadable(
            request,
            reply,
            hide,
            &format!("is of type '{media_type}', not application/scim+json"),
        ));
    }
    match serde_json::from_slice::<Json>(&reply.body) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(incompatible(request, "is JSON, but no object")),
        Err(_) => Err(unreadable(request, reply, hide, "is not JSON")),
    }
}

/// Whether an answer whose body does not matter is none of a SCIM service: a login page, for instance.
pub(crate) fn check_ignored(request: &PreparedRequest, reply: &Reply, hide: &[&str]) -> Result<(), Refusal> {
    let is_page = reply.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    if is_page && !reply.body.is_empty() {
        return Err(unreadable(request, reply, hide, "is a web page"));
    }
    Ok(())
}

fn unreadable(request: &PreparedRequest, reply: &Reply, hide: &[&str], what: &str) -> Refusal {
    let mut refusal = protocol(request, BAD_RESPONSE, format!("the answer to {} {what}", named(request)));
    refusal.error.detail = detail(reply, None, hide);
    refusal
}

/// The answer is JSON, but not what SCIM says.
pub(crate) fn incompatible(request: &PreparedRequest, what: &str) -> Refusal {
    protocol(request, INCOMPATIBLE, format!("the answer to {} {what}", named(request)))
}

fn protocol(request: &PreparedRequest, code: &'static str, message: String) -> Refusal {
    let mut error = ConnectorError::new(Kind::Protocol, code, message);
    error.effect = if request.method == "GET" { Effect::None } else { Effect::Unknown };
    error.into()
}

/// One page of a list.
pub(crate) struct Page {
    pub(crate) resources: Vec<Json>,
    pub(crate) total: usize,
}

/// The page in an answer.
pub(crate) fn page(request: &PreparedRequest, document: Map<String, Json>) -> Result<Page, Refusal> {
    let total = member(&document, "totalResults").and_then(|total| match total {
        Json::Number(number) => number.as_u64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    });
    let resources = match member(&document, "Resources") {
        Some(Json::Array(resources)) => resources.clone(),
        // RFC 7644 3.4.2: without hits the list may be left out.
        None | Some(Json::Null) if total == Some(0) => Vec::new(),
        _ => return Err(incompatible(request, "is not a ListResponse with Resources")),
    };
    let total = total.and_then(|total| usize::try_from(total).ok()).unwrap_or(resources.len());
    Ok(Page { total: total.max(resources.len()), resources })
}

/// The one resource in an answer.
pub(crate) fn one(request: &PreparedRequest, document: Map<String, Json>) -> Result<Json, Refusal> {
    if member(&document, "Resources").is_some() {
        return Err(protocol(
            request,
            SEVERAL,
            format!("the answer to {} is a list, not one resource", named(request)),
        ));
    }
    Ok(Json::Object(document))
}
