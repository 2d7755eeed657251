//! One call: its headers, its retries, and what its answer means.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use usher_core::ports::Clock;

use super::cmdlets::Cmdlet;
use super::host::{Request, Response, Transport, TransportError};
use super::record::{Category, ErrorRecord};
use super::value::{PsValue, Table, TableKind};

/// How often a throttled or unavailable service is asked again.
const RETRIES: u32 = 3;
/// The first pause; each further one is twice as long, unless the service names one.
const FIRST_PAUSE: Duration = Duration::from_secs(3);
/// The longest time to spend on pauses.
const PAUSE_LIMIT: Duration = Duration::from_secs(300);

/// The headers of every request, before those of `-Headers`: a caller's header of the same name takes the place of ours.
/// `media` is the type of the body, if there is one.
pub fn request_headers(
    clock: &dyn Clock,
    media: Option<&str>,
    own: Option<&PsValue>,
) -> Result<Vec<(String, String)>, String> {
    let version = env!("CARGO_PKG_VERSION");
    let mut headers: Vec<(String, String)> = [
        ("Accept", "application/json".to_owned()),
        ("Content-Type", media.unwrap_or_default().to_owned()),
        ("Cache-Control", "no-store, no-cache".to_owned()),
        ("User-Agent", format!("usher/{version}")),
        ("SdkVersion", format!("usher/{version}")),
        ("client-request-id", clock.guid().hyphenated().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    headers.retain(|(_, value)| !value.is_empty());
    let Some(PsValue::Table(table)) = own else { return Ok(headers) };
    headers.retain(|(name, _)| !table.contains(name));
    for (name, value) in table.iter() {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(format!("The header name '{name}' has an invalid format."));
        }
        let values = match value {
            PsValue::List(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values {
            let text = value.to_text();
            if HeaderValue::from_str(&text).is_err() {
                return Err(format!("The format of value '{text}' is invalid."));
            }
            headers.push((name.to_owned(), text));
        }
    }
    Ok(headers)
}

/// Sends the request, again after 429, 503 and 504; `note` hears of every pause.
pub async fn send(
    request: &mut Request,
    transport: &dyn Transport,
    clock: &dyn Clock,
    note: &mut (dyn FnMut(String) + Send),
) -> Result<Response, TransportError> {
    let mut waited = Duration::ZERO;
    for attempt in 1..=RETRIES {
        let response = transport.send(request).await?;
        if !matches!(response.status, 429 | 503 | 504) {
            return Ok(response);
        }
        let pause = retry_after(&response, clock.now()).unwrap_or(FIRST_PAUSE * 2_u32.pow(attempt - 1));
        if waited.saturating_add(pause) > PAUSE_LIMIT {
            return Ok(response);
        }
        waited += pause;
        note(format!(
            "The service answered {}. Trying again in {} seconds ({attempt} of {RETRIES}).",
            status_text(response.status),
            pause.as_secs()
        ));
        clock.wait(pause).await;
        request.headers.retain(|(name, _)| name != "Retry-Attempt");
        request.headers.push(("Retry-Attempt".into(), attempt.to_string()));
    }
    transport.send(request).await
}

/// The pause that the service asks for: seconds, or a date.
fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let (_, value) = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Retry-After"))?;
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// The response's headers as a variable holds them: a name to a list of values.
pub fn response_headers(response: &Response) -> PsValue {
    let mut table = Table::new(TableKind::Hash);
    for (name, value) in &response.headers {
        let name = header_name(name);
        let mut values = match table.get(&name) {
            Some(PsValue::List(values)) => values.clone(),
            _ => Vec::new(),
        };
        values.push(PsValue::text(value));
        table.insert(name, PsValue::List(values));
    }
    PsValue::Table(table)
}

/// The error record of an answer that is none of success.
pub fn http_error(cmdlet: &Cmdlet, set: &str, target: String, response: &Response) -> ErrorRecord {
    let envelope: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let error = &envelope["error"];
    let inner = match &error["innerError"] {
        Value::Null => &error["innererror"],
        inner => inner,
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let status = status_text(response.status);
    let code = text(&error["code"]).unwrap_or_else(|| "UnknownError".into());
    let message = text(&error["message"])
        .unwrap_or_else(|| format!("Response status code does not indicate success: {status}."));
    let mut details = format!(
        "{message}\n\nStatus: {status}\nErrorCode: {code}\nDate: {}\n\nHeaders:",
        text(&inner["date"]).unwrap_or_default()
    );
    if let PsValue::Table(headers) = response_headers(response) {
        for (name, values) in headers.iter() {
            let values = match values {
                PsValue::List(values) => values.iter().map(PsValue::to_text).collect::<Vec<_>>().join(","),
                other => other.to_text(),
            };
            details.push_str(&format!("\n{name:<30}: {values}"));
        }
    }
    details.push_str("\n\nRecommendation: See service error codes: https://learn.microsoft.com/graph/errors");
    ErrorRecord {
        source: format!("{}_{set}", cmdlet.name).into(),
        id: format!("{code},{}", cmdlet.class_name(set)).into(),
        category: Category::InvalidOperation,
        target: target.into(),
        exception: "Exception",
        message: message.into(),
        details: Some(details.into()),
        hint: None,
    }
}

/// The error record of anything else that goes wrong in a call: category `NotSpecified`, no id.
pub fn other_error(cmdlet: &Cmdlet, set: &str, target: String, message: String) -> ErrorRecord {
    ErrorRecord {
        source: format!("{}_{set}", cmdlet.name).into(),
        id: format!(",{}", cmdlet.class_name(set)).into(),
        category: Category::NotSpecified,
        target: target.into(),
        exception: "Exception",
        message: message.into(),
        details: None,
        hint: None,
    }
}

/// An error with its causes, in one line; a cause that only repeats what has been said is left out.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(&format!(": {more}"));
        }
        cause = error.source();
    }
    text
}

/// `404 (NotFound)`.
fn status_text(status: u16) -> String {
    format!("{status} ({})", status_name(status))
}

/// The name of a status, without blanks.
pub fn status_name(status: u16) -> String {
    StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .map_or_else(|| status.to_string(), |reason| reason.replace([' ', '-', '\''], ""))
}

/// Well-known names in their usual spelling, whatever the transport makes of them; others as they came.
fn header_name(name: &str) -> String {
    const KNOWN: [&str; 18] = [
        "Age",
        "Cache-Control",
        "Connection",
        "Content-Encoding",
        "Content-Length",
        "Content-Type",
        "Date",
        "ETag",
        "Expires",
        "Location",
        "OData-Version",
        "Retry-After",
        "Server",
        "Strict-Transport-Security",
        "Transfer-Encoding",
        "Vary",
        "Via",
        "WWW-Authenticate",
    ];
    KNOWN
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .map_or_else(|| name.to_owned(), |known| (*known).to_owned())
}
