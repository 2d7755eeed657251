//! The one place where status codes and Graph's error envelope are made.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use usher_core::ports::ConnectorError;
use usher_engine::cases::CaseError;

/// A refusal: status, Graph code, message, and when to come back.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The Graph error code, the stable part.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
    /// Seconds to wait.
    pub retry_after: Option<u64>,
    /// Challenges the caller to authenticate.
    pub challenges: bool,
    /// Where to go instead.
    pub location: Option<String>,
}

impl Refusal {
    /// A refusal with this status.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, challenges: false, location: None }
    }

    /// The request is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    /// The query cannot be answered; a wrong result would be worse.
    pub fn unsupported_query(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
    }

    /// The caller is not known.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self {
            challenges: true,
            ..Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
        }
    }

    /// The caller may not do this.
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    }

    /// The named thing is not there.
    pub fn not_found(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    /// The delta token is too old; begin anew at the location.
    pub fn gone(location: String) -> Self {
        Self {
            location: Some(location),
            ..Self::new(
                StatusCode::GONE,
                "syncStateNotFound",
                "The sync state generation is not found; begin anew without a token.",
            )
        }
    }

    /// Too many requests.
    pub fn throttled(seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Please retry again later.")
        }
    }

    /// The error envelope.
    pub fn body(&self, now: Timestamp, request_id: &str, client_request_id: &str) -> Value {
        let date = now.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let mut inner = json!({
            "date": date,
            "request-id": request_id,
            "client-request-id": client_request_id,
        });
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            inner["code"] = json!("429");
            inner["status"] = json!("429");
            inner["message"] = json!("Please retry after");
        }
        json!({ "error": { "code": self.code, "message": self.message, "innerError": inner } })
    }
}

impl From<CaseError> for Refusal {
    fn from(error: CaseError) -> Self {
        match error {
            CaseError::NotFound { id, .. } => Self::not_found(&id),
            CaseError::Invalid { code, message } => Self::new(StatusCode::BAD_REQUEST, code, message),
            CaseError::Conflict { code, message } => Self::new(StatusCode::CONFLICT, code, message),
            CaseError::Connection(error) => connection(&error),
            CaseError::Store(error) => {
                let mut text = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(inner) = cause {
                    text.push_str(": ");
                    text.push_str(&inner.to_string());
                    cause = inner.source();
                }
                tracing::error!(error = %text, "the store failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "generalException",
                    "The service could not complete the request; its log says why.",
                )
            }
        }
    }
}

/// A target that cannot be used is the caller's to mend: a 4xx with what the target said.
fn connection(error: &ConnectorError) -> Refusal {
    let message = match &error.detail {
        Some(detail) => format!("{} ({}): {detail}", error.message, error.code),
        None => format!("{} ({})", error.message, error.code),
    };
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable",
        message,
    )
}
