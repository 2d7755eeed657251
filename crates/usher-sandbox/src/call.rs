//! What a handler knows of a request besides its body: addresses, query parameters, preconditions.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::answer::SCIM_JSON;
use crate::represent::Projection;
use crate::schema::Kind;
use crate::store::Record;
use crate::{BASE_PATH, refusal::Refusal};

/// The head of a request.
pub(crate) struct Call {
    /// The address before `/Users`, as the client wrote it.
    pub(crate) base: String,
    query: String,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Call, Infallible> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or(parts.uri.authority().map(|authority| authority.as_str())).unwrap_or("localhost");
        Ok(Call {
            base: format!("http://{host}{BASE_PATH}"),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
        })
    }
}

impl Call {
    /// A query parameter; blanks may come as `+` or `%20`.
    pub(crate) fn parameter(&self, name: &str) -> Result<Option<String>, Refusal> {
        for pair in self.query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key == name {
                let value = value.replace('+', " ");
                let decoded = percent_decode_str(&value).decode_utf8();
                return match decoded {
                    Ok(text) => Ok(Some(text.into_owned())),
                    Err(_) => Err(Refusal::value(format!("query parameter \"{name}\" is no UTF-8"))),
                };
            }
        }
        Ok(None)
    }

    /// A query parameter that is a whole number.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.parameter(name)? else { return Ok(None) };
        match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Refusal::value(format!("query parameter \"{name}\" is no whole number"))),
        }
    }

    /// Which attributes the answer should show.
    pub(crate) fn projection(&self, kind: Kind) -> Result<Projection, Refusal> {
        let only = self.parameter("attributes")?.filter(|list| !list.trim().is_empty());
        let without = self.parameter("excludedAttributes")?.filter(|list| !list.trim().is_empty());
        match (only, without) {
            (None, None) => Ok(Projection::Default),
            (Some(only), None) => Ok(Projection::Only(Projection::names(kind, &only))),
            (None, Some(without)) => Ok(Projection::Without(Projection::names(kind, &without))),
            (Some(_), Some(_)) => {
                Err(Refusal::value("\"attributes\" and \"excludedAttributes\" exclude one another"))
            }
        }
    }

    /// Refuses a change of a version the client has not seen.
    pub(crate) fn check_if_match(&self, record: &Record) -> Result<(), Refusal> {
        match self.headers.get(header::IF_MATCH) {
            Some(tags) if !names_tag(tags.as_bytes(), &record.entity_tag()) => Err(Refusal::plain(
                StatusCode::PRECONDITION_FAILED,
                format!("the resource is at version {}", record.entity_tag()),
            )),
            _ => Ok(()),
        }
    }

    /// Whether the client has this version already.
    pub(crate) fn has_current(&self, record: &Record) -> bool {
        let tags = self.headers.get(header::IF_NONE_MATCH);
        tags.is_some_and(|tags| names_tag(tags.as_bytes(), &record.entity_tag()))
    }

    /// Reads the body.
    pub(crate) fn json(&self, body: &Bytes) -> Result<Value, Refusal> {
        let content_type = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if ![SCIM_JSON, "application/json"].iter().any(|accepted| media_type.eq_ignore_ascii_case(accepted)) {
            return Err(Refusal::plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("the content type \"{media_type}\" is not {SCIM_JSON}"),
            ));
        }
        serde_json::from_slice(body).map_err(|error| Refusal::syntax(format!("the body is no JSON: {error}")))
    }
}

fn names_tag(header: &[u8], tag: &str) -> bool {
    let strong = tag.trim_start_matches("W/");
    String::from_utf8_lossy(header).split(',').any(|given| {
        let given = given.trim();
        given == "*" || given.trim_start_matches("W/") == strong
    })
}
