//! A client for services that speak like Microsoft Graph: a token for each request, requests as they are given,
//! answers as they come.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use url::Url;
use usher_core::Secret;
use usher_core::ports::Clock;

pub use crate::http::{AddressError, HttpOptions, HttpOptionsError, ProxyOptions};
use crate::http::{Http, Lost, Reply, exchange, safe_address};
use crate::identity::{Authority, Identity, hidden};
pub use crate::identity::{DeviceCode, IdentityError, Prompt, SignIn};
use crate::token::bearer;

/// A published cloud.
#[derive(Clone, Copy, Debug)]
pub struct Cloud {
    /// The name, as `Connect-MgGraph -Environment` takes it.
    pub name: &'static str,
    /// The address of the authority.
    pub authority: &'static str,
    /// The address of Microsoft Graph.
    pub graph: &'static str,
}

/// The published clouds; the first is the usual one.
pub const CLOUDS: &[Cloud] = &[
    Cloud {
        name: "Global",
        authority: "https://login.microsoftonline.com",
        graph: "https://graph.microsoft.com",
    },
    Cloud {
        name: "USGov",
        authority: "https://login.microsoftonline.us",
        graph: "https://graph.microsoft.us",
    },
    Cloud {
        name: "USGovDoD",
        authority: "https://login.microsoftonline.us",
        graph: "https://dod-graph.microsoft.us",
    },
    Cloud {
        name: "China",
        authority: "https://login.chinacloudapi.cn",
        graph: "https://microsoftgraph.chinacloudapi.cn",
    },
];

impl Cloud {
    /// The cloud of a name; case does not count.
    pub fn named(name: &str) -> Option<Self> {
        CLOUDS.iter().find(|cloud| cloud.name.eq_ignore_ascii_case(name)).copied()
    }
}

/// Where the service is and who gives tokens for it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address of the service, without version, such as `https://graph.microsoft.com`.
    pub base_url: String,
    /// The address of the authority, such as `https://login.microsoftonline.com`; empty where the service is its own.
    pub authority: String,
    /// The tenant: id or domain.
    pub tenant: String,
}

/// An answer of the service, whatever its status.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, in order; bytes that are no text are replaced.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Bytes,
    /// How long the service asks us to wait.
    pub retry_after: Option<Duration>,
}

impl Response {
    /// The first header of a name; case does not count.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// An address cannot be used.
    #[error("the address '{address}' of the {what} cannot be used")]
    Address {
        /// Whose address it is.
        what: &'static str,
        /// The address.
        address: String,
        /// What is wrong with it.
        #[source]
        source: AddressError,
    },
    /// Certificates or proxy cannot be used.
    #[error("the HTTP settings cannot be used")]
    Options(#[from] HttpOptionsError),
    /// Method, header or token cannot be sent.
    #[error("the request cannot be sent: {0}")]
    Request(String),
    /// No connection.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nobody we trust signed the certificate.
    #[error(
        "the certificate of {host} is signed by an authority that is not trusted here; name the file with the \
             authority's certificate when you connect"
    )]
    UnknownAuthority {
        /// Host and port.
        host: String,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// No answer in time; what was sent may have taken effect.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Host and port.
        host: String,
    },
    /// The connection broke; what was sent may have taken effect.
    #[error("the connection to {host} broke before the answer was complete")]
    Broken {
        /// Host and port.
        host: String,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer is longer than anybody needs.
    #[error("the answer of {host} is too long to be read")]
    TooLong {
        /// Host and port.
        host: String,
    },
    /// The way to sign in led to no token.
    #[error("there is no token")]
    Identity(#[from] IdentityError),
}

/// A connection to a service. Cheap to use from many tasks at once.
pub struct GraphClient {
    http: Arc<Http>,
    base: Url,
    identity: Identity,
}

impl GraphClient {
    /// Checks addresses and options; does not connect.
    ///
    /// # Errors
    /// `Address` or `Options`.
    pub fn new(
        endpoint: Endpoint,
        sign_in: SignIn,
        clock: Arc<dyn Clock>,
        options: HttpOptions,
    ) -> Result<Self, GraphError> {
        let base = address("service", &endpoint.base_url)?;
        let http = Arc::new(Http::new(options)?);
        let address = match endpoint.authority.as_str() {
            "" => base.clone(),
            named => address("authority", named)?,
        };
        let authority = Authority { address, tenant: endpoint.tenant.clone() };
        let identity = Identity::new(http.clone(), clock, authority, &base, sign_in)?;
        Ok(Self { http, base, identity })
    }

    /// Host and port of the service.
    pub fn host(&self) -> &str {
        &self.base[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// Sends a request. `path` begins with the version (`/v1.0/users?$top=5`), or is a whole address of the service,
    /// as next links are. An `Authorization` among the headers stands in place of ours.
    ///
    /// # Errors
    /// When there is no answer; an answer of any status is none.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<Vec<u8>>,
    ) -> Result<Response, GraphError> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| GraphError::Request(format!("'{method}' is not an HTTP method")))?;
        let url = self.url(path)?;
        let is_given = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let mut renewed = false;
        loop {
            let mut request = self.http.client(&url)?.request(method.clone(), url.clone());
            for (name, value) in headers {
                request = request.header(name.as_str(), value.as_str());
            }
            let has_length = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            request = match &body {
                Some(body) => request.body(body.clone()),
                None if !has_length && matches!(method, Method::POST | Method::PUT | Method::PATCH) => {
                    request.header("content-length", "0")
                }
                None => request,
            };
            let token = if is_given { None } else { Some(self.identity.token().await?) };
            if let Some(token) = &token {
                let (name, value) = bearer(token).ok_or_else(|| {
                    GraphError::Request("the token holds characters that no token has".to_owned())
                })?;
                request = request.header(name, value);
            }
            let reply = exchange(request).await.map_err(|lost| failed(&url, lost))?;
            if let (401, Some(token), false) = (reply.status.as_u16(), &token, renewed)
                && self.identity.can_renew()
            {
                self.identity.refused(token, reply.header("www-authenticate")).await;
                renewed = true;
                continue;
            }
            let mut secrets = self.identity.secrets();
            secrets.extend(token);
            return Ok(response(reply, &secrets));
        }
    }

    fn url(&self, path: &str) -> Result<Url, GraphError> {
        let text = if path.starts_with('/') {
            format!("{}{path}", self.base.as_str().trim_end_matches('/'))
        } else {
            path.to_owned()
        };
        let url = Url::parse(&text).map_err(|_| GraphError::Request(format!("'{path}' is not a path")))?;
        if url.origin() != self.base.origin() {
            // Our token is for the service alone.
            return Err(GraphError::Request(format!("'{path}' is not an address of {}", self.host())));
        }
        Ok(url)
    }
}

/// An answer without our secrets where it repeats them: whatever is no data is shown to people.
fn response(reply: Reply, secrets: &[Secret]) -> Response {
    let secrets: Vec<&str> = secrets.iter().map(Secret::expose).collect();
    let retry_after = reply.retry_after();
    let headers = reply
        .headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), hidden(value, &secrets))
        })
        .collect();
    let is_data =
        reply.status.is_success() && serde_json::from_slice::<serde::de::IgnoredAny>(&reply.body).is_ok();
    let body = match std::str::from_utf8(&reply.body) {
        Ok(text) if !is_data && !text.is_empty() => Bytes::from(hidden(text.to_owned(), &secrets)),
        _ => reply.body,
    };
    Response { status: reply.status.as_u16(), headers, body, retry_after }
}

fn address(what: &'static str, text: &str) -> Result<Url, GraphError> {
    safe_address(text).map_err(|source| GraphError::Address {
        what,
        address: without_credentials(text),
        source,
    })
}

/// An address as it may be shown: nothing between `//` and `@`.
fn without_credentials(text: &str) -> String {
    match (text.find("//"), text.rfind('@')) {
        (Some(start), Some(at)) if start < at => format!("{}{}", &text[..start + 2], &text[at + 1..]),
        _ => text.to_owned(),
    }
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn failed(url: &Url, lost: Lost) -> GraphError {
    let host = host(url);
    match lost {
        Lost::NotConnected(error) => GraphError::Unreachable { host, source: Box::new(error) },
        Lost::UnknownIssuer(error) => GraphError::UnknownAuthority { host, source: Box::new(error) },
        Lost::Timeout(_) => GraphError::Timeout { host },
        Lost::Broken(error) => GraphError::Broken { host, source: Box::new(error) },
        Lost::TooLong => GraphError::TooLong { host },
        Lost::NotMade(error) => {
            let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            GraphError::Request(cause)
        }
    }
}
