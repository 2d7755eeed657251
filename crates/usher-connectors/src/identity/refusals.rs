//! Why there is no token, with the authority's own codes and what to do about the common ones.

use std::error::Error;
use std::time::Duration;

use url::Url;

use crate::http::Lost;
use crate::token::TokenError;

/// What the authority's codes mean for whoever set the connection up.
const ADVICE: &[(&str, &str)] = &[
    ("AADSTS7000215", "the client secret is wrong; give the secret's value, not its id"),
    ("AADSTS7000222", "the client secret has expired; make a new one for the application"),
    ("AADSTS700016", "the tenant has no application with this client id; look at both"),
    ("AADSTS700027", "the certificate is not one of the application's, or its key is another's"),
    ("AADSTS700213", "no federated credential of the application has this subject and issuer"),
    ("AADSTS70021", "no federated credential of the application has this subject and issuer"),
    ("AADSTS700024", "the assertion is out of date; look at the clock of this machine"),
    ("AADSTS900023", "the tenant is no id and no domain"),
    ("AADSTS90002", "there is no such tenant in this cloud"),
    ("AADSTS50034", "the account is not there"),
    ("AADSTS50055", "the password of the account has expired"),
    ("AADSTS50173", "the sign-in was revoked; connect again"),
    ("AADSTS700082", "the sign-in has expired; connect again"),
    ("AADSTS65001", "nobody has consented to what the application asks for"),
    ("AADSTS53003", "a conditional access policy forbids it"),
    ("AADSTS7000112", "the application is disabled"),
];

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The credential of this machine is missing or cannot be used.
    #[error("{0}")]
    Credential(String),
    /// No answer.
    #[error("asking {host} for a token: {why}")]
    Lost {
        /// Who was asked.
        host: String,
        /// What happened.
        why: String,
        /// The cause.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// The authority asks us to wait, or has failed.
    #[error("{host} gives no token for now (status {status})")]
    Unavailable {
        /// Who was asked.
        host: String,
        /// The HTTP status.
        status: u16,
        /// How long to wait.
        retry_after: Option<Duration>,
    },
    /// The authority says no.
    #[error("{host} gave no token: {}", advice(code, description))]
    Refused {
        /// Who was asked.
        host: String,
        /// The OAuth error, such as `invalid_client`.
        code: String,
        /// What the authority said.
        description: String,
    },
}

impl IdentityError {
    /// What the other side said in its own words.
    pub(crate) fn said(&self) -> Option<String> {
        match self {
            Self::Refused { code, description, .. } => {
                Some(if description.is_empty() { code.clone() } else { format!("{code}: {description}") })
            }
            Self::Lost { source: Some(source), .. } => Some(source.to_string()),
            _ => None,
        }
    }
}

/// The service's own code, in front of `:` in what it said.
fn own_code(description: &str) -> Option<&str> {
    let start = description.find("AADSTS")?;
    let rest = &description[start..];
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
    Some(&rest[..end])
}

fn advice(code: &str, description: &str) -> String {
    let own = own_code(description);
    let known = own.and_then(|own| ADVICE.iter().find(|(known, _)| *known == own));
    match (known, own, code) {
        (Some((own, advice)), _, _) => format!("{advice} ({own})"),
        (None, _, "authorization_declined" | "access_denied") => "the sign-in was declined".to_owned(),
        (None, _, "expired_token") => "nobody signed in in time".to_owned(),
        (None, Some(_), _) => first_sentence(description),
        (None, None, "") => first_sentence(description),
        (None, None, code) if description.is_empty() => code.to_owned(),
        (None, None, code) => format!("{} ({code})", first_sentence(description)),
    }
}

/// Trace ids and time stamps follow on lines of their own.
fn first_sentence(description: &str) -> String {
    let line = description.lines().next().unwrap_or_default().trim();
    line.split(" Trace ID:").next().unwrap_or_default().trim().to_owned()
}

/// Host and port.
pub(super) fn host(url: &Url) -> String {
    url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}

/// The authority did not answer.
pub(super) fn of_silence(url: &Url, lost: Lost) -> IdentityError {
    let (why, source): (&str, Option<Box<dyn Error + Send + Sync>>) = match lost {
        Lost::NotConnected(error) => ("no connection", Some(Box::new(error))),
        Lost::UnknownIssuer(error) => {
            ("its certificate is signed by an authority that is not trusted here", Some(Box::new(error)))
        }
        Lost::Timeout(error) => ("it did not answer in time", Some(Box::new(error))),
        Lost::Broken(error) => ("the connection broke", Some(Box::new(error))),
        Lost::TooLong => ("its answer is too long to be read", None),
        Lost::NotMade(error) => ("the request cannot be sent", Some(error)),
    };
    IdentityError::Lost { host: host(url), why: why.to_owned(), source }
}

/// The authority answered without a token. `hide` is cut out of what it said.
pub(super) fn of_answer(url: &Url, error: TokenError, hide: &[&str]) -> IdentityError {
    let host = host(url);
    match error {
        TokenError::Lost(lost) => of_silence(url, lost),
        TokenError::Refused { status, code, description } => {
            let (code, description) = (hidden(code, hide), hidden(description, hide));
            let description = match description.trim() {
                // A page of whatever stands there in place of an authority says nothing to anybody.
                "" if code.is_empty() => no_authority(status),
                text if text.starts_with('<') => no_authority(status),
                text => text.to_owned(),
            };
            IdentityError::Refused { host, code, description }
        }
        TokenError::Unavailable { status, retry_after } => {
            IdentityError::Unavailable { host, status, retry_after }
        }
        TokenError::Unreadable => IdentityError::Refused {
            host,
            code: String::new(),
            description: "its answer holds no access token".to_owned(),
        },
    }
}

fn no_authority(status: u16) -> String {
    format!(
        "it answered with status {status} and not as an authority does; look at its address and the tenant"
    )
}

/// A text without the secrets that it repeats, be it as they are or as they were sent.
pub(crate) fn hidden(mut text: String, hide: &[&str]) -> String {
    for secret in hide.iter().filter(|secret| secret.len() >= 4) {
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let percent = form.replace('+', "%20");
        for sent in [*secret, &form, &percent] {
            text = text.replace(sent, "[Redact]");
        }
    }
    text
}
