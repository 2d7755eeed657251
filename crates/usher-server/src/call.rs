//! One call of an operation: what came in, and what goes out.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};
use usher_core::saved::doubled_member;
use usher_core::{Entry, EntryKind};

use crate::access::Caller;
use crate::errors::Refusal;
use crate::fit;
use crate::graph::Operation;
use crate::graph::types::{Members, Type};
use crate::path::{Version, alternate_key};
use crate::server::State;

/// How deep a body may nest.
const DEPTH: usize = 64;
/// What cannot stand as it is between the quotes of a header.
const QUOTED: &AsciiSet = &CONTROLS.add(b'"').add(b'\\').add(b'%');

/// What came in, after the caller was let through.
pub struct Call {
    /// The service.
    pub state: Arc<State>,
    /// The version of the API.
    pub version: Version,
    /// The operation.
    pub operation: &'static Operation,
    /// The path below the version, as it was written.
    pub path: String,
    /// The variable segments of the path, by name.
    pub parameters: HashMap<&'static str, String>,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// Who calls.
    pub caller: Caller,
    /// The body.
    pub body: Vec<u8>,
}

impl Call {
    /// A variable segment of the path.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The collection that the path begins with, such as `users`.
    pub fn collection(&self) -> &'static str {
        self.operation.path.split('/').find(|part| !part.is_empty()).unwrap_or_default()
    }

    /// The value of a query option; names are compared without regard to case.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 400 that says what is wrong with it.
    pub fn object(&self) -> Result<Map<String, Value>, Refusal> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                "the request has no body; a JSON object is required",
            ));
        }
        check_content_type(&self.headers)?;
        let value: Value = serde_json::from_slice(&self.body).map_err(|error| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                format!("Unable to read JSON request payload: {error}"),
            )
        })?;
        // The parser keeps the last of two; whoever wrote or reviewed the body may have meant the first.
        if let Some(path) = std::str::from_utf8(&self.body).ok().and_then(doubled_member) {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                format!("Unable to read JSON request payload: {path} stands twice"),
            ));
        }
        if is_too_deep(&value, DEPTH) {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                format!("the body nests deeper than {DEPTH} levels"),
            ));
        }
        match value {
            Value::Object(members) => {
                self.check_members(&members)?;
                Ok(members)
            }
            Value::Array(_) => Err(Refusal::bad_request(
                "the body is a list, but an object is required; put the list under its name, such as \
                 {\"parameters\": [...]} or {\"value\": [...]}",
            )),
            _ => Err(Refusal::bad_request("the body is not a JSON object")),
        }
    }

    /// What is sent has the types that it should have; parameters of actions are those that there are.
    fn check_members(&self, members: &Map<String, Value>) -> Result<(), Refusal> {
        /// Types whose documents are checked whole, with places and remedies, by the core.
        const CHECKED: [&str; 2] = ["synchronizationSchema", "directoryDefinition"];
        let method = self.operation.path.rsplit('/').next().unwrap_or_default();
        let wrong = match self.operation.takes {
            Some(Type { members: Members::Exactly(known), .. }) => fit::misfit(members, known, method),
            Some(Type { members: Members::Listed(known), name }) if !CHECKED.contains(name) => {
                fit::mistyped(members, known)
            }
            _ => None,
        };
        wrong.map_or(Ok(()), |wrong| Err(Refusal::bad_request(wrong)))
    }

    /// The body as a JSON object; an empty body is an empty object.
    ///
    /// # Errors
    /// 400 that says what is wrong with it.
    pub fn object_or_empty(&self) -> Result<Map<String, Value>, Refusal> {
        if self.body.iter().all(u8::is_ascii_whitespace) { Ok(Map::new()) } else { self.object() }
    }

    /// The service principal that the path is about, whichever parent names it.
    ///
    /// # Errors
    /// 404.
    pub async fn service_principal(&self) -> Result<Entry, Refusal> {
        let kind = match self.parameter("parent") {
            parent if parent.eq_ignore_ascii_case("applications") => EntryKind::Application,
            _ => EntryKind::ServicePrincipal,
        };
        let entry = self.named(kind, self.parameter("id")).await?;
        Ok(self.state.engine.service_principal_of(kind, entry.id.as_str()).await?)
    }

    /// The application or service principal with this object id or alternate key.
    ///
    /// # Errors
    /// 404.
    pub async fn named(&self, kind: EntryKind, id: &str) -> Result<Entry, Refusal> {
        let Some((property, value)) = alternate_key(id) else {
            return Ok(self.state.engine.entry(kind, id).await?);
        };
        let keys: &[&str] = match kind {
            EntryKind::User => &["userPrincipalName"],
            EntryKind::Group => &["uniqueName"],
            EntryKind::Application => &["appId", "uniqueName"],
            EntryKind::ServicePrincipal => &["appId"],
            EntryKind::Contact => &[],
        };
        let Some(known) = keys.iter().find(|known| property.eq_ignore_ascii_case(known)) else {
            return Err(Refusal::bad_request(format!(
                "'{property}' is not an alternate key of {}; {} is",
                kind.as_str(),
                keys.join(" or ")
            )));
        };
        let found = self
            .state
            .engine
            .store
            .entry_by_key(kind, known, &value)
            .await
            .map_err(|error| Refusal::from(usher_engine::cases::CaseError::from(error)))?;
        found.ok_or_else(|| Refusal::not_found(&value))
    }

    /// The caller's own service principal, when it is one of ours.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn own_principal(&self) -> Result<Option<Entry>, Refusal> {
        match self.state.engine.entry(EntryKind::ServicePrincipal, &self.caller.object_id).await {
            Ok(entry) => Ok(Some(entry)),
            Err(usher_engine::cases::CaseError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The address of the service with the version.
    pub fn base(&self) -> String {
        format!("{}/{}", self.state.options.address, self.version.as_str())
    }

    /// An `@odata.context`.
    pub fn context(&self, path: &str) -> Value {
        json!(format!("{}/$metadata#{path}", self.base()))
    }

    /// How the path names its parent and id in contexts: `servicePrincipals('…')`.
    pub fn parent_context(&self) -> String {
        let parent = match self.parameter("parent") {
            parent if parent.eq_ignore_ascii_case("applications") => "applications",
            _ => "servicePrincipals",
        };
        let id = self.parameter("id");
        match alternate_key(id) {
            Some(_) => format!("{parent}({id})"),
            None => format!("{parent}('{id}')"),
        }
    }
}

/// What goes out.
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The JSON body; none for 204.
    pub body: Option<Value>,
    /// A body that is plain text, such as a count.
    pub text: Option<String>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body), text: None, headers: Vec::new() }
    }

    /// 201 with the new thing and where it is.
    pub fn created(body: Value, location: String) -> Self {
        Self {
            status: StatusCode::CREATED,
            body: Some(body),
            text: None,
            headers: vec![("Location", location)],
        }
    }

    /// 204.
    pub fn done() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, text: None, headers: Vec::new() }
    }

    /// The same with what to beware of although it succeeded, in `Warning` headers (RFC 7234 §5.5, code 299). The texts
    /// are percent-encoded: headers are ASCII.
    pub fn with_warnings(mut self, warnings: &[String]) -> Self {
        let header =
            |text: &String| ("Warning", format!("299 usher \"{}\"", utf8_percent_encode(text, QUOTED)));
        self.headers.extend(warnings.iter().map(header));
        self
    }

    /// 200 with a number as plain text.
    pub fn count(number: usize) -> Self {
        Self { status: StatusCode::OK, body: None, text: Some(number.to_string()), headers: Vec::new() }
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(value) = headers.get(http::header::CONTENT_TYPE) else {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            "a body needs the header Content-Type: application/json",
        ));
    };
    let media =
        value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media == "application/json" || media.ends_with("+json") {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "BadRequest",
        format!("the media type '{media}' is not supported; send application/json"),
    ))
}

fn is_too_deep(value: &Value, left: usize) -> bool {
    match value {
        _ if left == 0 => true,
        Value::Array(items) => items.iter().any(|item| is_too_deep(item, left - 1)),
        Value::Object(members) => members.values().any(|member| is_too_deep(member, left - 1)),
        _ => false,
    }
}
