//! A request that is refused: status, SCIM error type and the sentence for the developer (RFC 7644 §3.12).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::answer;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The status of the answer.
    pub(crate) status: StatusCode,
    /// The `scimType`, where RFC 7644 has one.
    pub(crate) scim_type: Option<&'static str>,
    /// What is wrong, for the developer of the client.
    pub(crate) detail: String,
}

impl Refusal {
    /// The body is no JSON, has the wrong shape or an unknown attribute.
    pub(crate) fn syntax(detail: impl Into<String>) -> Refusal {
        Refusal::bad("invalidSyntax", detail)
    }

    /// A value is missing or does not fit its attribute.
    pub(crate) fn value(detail: impl Into<String>) -> Refusal {
        Refusal::bad("invalidValue", detail)
    }

    /// The path of a patch operation is malformed or names nothing known.
    pub(crate) fn path(detail: impl Into<String>) -> Refusal {
        Refusal::bad("invalidPath", detail)
    }

    /// The filter is malformed or names nothing known.
    pub(crate) fn filter(detail: impl Into<String>) -> Refusal {
        Refusal::bad("invalidFilter", detail)
    }

    /// The path of a patch operation hits nothing that could be changed.
    pub(crate) fn no_target(detail: impl Into<String>) -> Refusal {
        Refusal::bad("noTarget", detail)
    }

    /// The attribute belongs to the application, or is fixed once it is set.
    pub(crate) fn mutability(attribute: &str) -> Refusal {
        Refusal::bad("mutability", format!("attribute \"{attribute}\" cannot be changed"))
    }

    /// Another resource has this value already.
    pub(crate) fn uniqueness(attribute: &str, value: &str) -> Refusal {
        Refusal {
            status: StatusCode::CONFLICT,
            scim_type: Some("uniqueness"),
            detail: format!("{attribute} \"{value}\" is taken"),
        }
    }

    /// There is no such resource.
    pub(crate) fn not_found(what: &str, id: &str) -> Refusal {
        Refusal::plain(StatusCode::NOT_FOUND, format!("{what} \"{id}\" does not exist"))
    }

    /// A refusal that its status alone explains to a program.
    pub(crate) fn plain(status: StatusCode, detail: impl Into<String>) -> Refusal {
        Refusal { status, scim_type: None, detail: detail.into() }
    }

    fn bad(scim_type: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal { status: StatusCode::BAD_REQUEST, scim_type: Some(scim_type), detail: detail.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        body.insert("schemas".into(), Value::from(vec!["urn:ietf:params:scim:api:messages:2.0:Error"]));
        body.insert("status".into(), Value::from(self.status.as_u16().to_string()));
        if let Some(scim_type) = self.scim_type {
            body.insert("scimType".into(), Value::from(scim_type));
        }
        body.insert("detail".into(), Value::from(self.detail));
        answer::json(self.status, &Value::Object(body))
    }
}
