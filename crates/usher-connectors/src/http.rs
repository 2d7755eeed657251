//! What every HTTP connector shares: clients with our TLS settings, addresses that are safe to send a credential to,
//! answers read whole but not without end, and transport failures told apart.

use std::error::Error;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use reqwest::{Certificate, Client, ClientBuilder, Proxy};
use url::{Host, Url};
use usher_core::Secret;

/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;
/// The longest wait for a connection, when the time limit of the whole request is longer.
const LONGEST_CONNECT: Duration = Duration::from_secs(30);

/// How HTTP is spoken: trust, time limits, who we say we are.
#[derive(Clone)]
pub struct HttpOptions {
    /// PEM certificates of authorities to trust besides the system's.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// The time limit of one request, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// The `User-Agent`.
    pub user_agent: String,
    /// The proxy to go through. Without one the environment's (`HTTPS_PROXY`, `NO_PROXY`), but not to this machine.
    pub proxy: Option<ProxyOptions>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            extra_ca_pem: None,
            timeout: Duration::from_secs(100),
            user_agent: concat!("usher/", env!("CARGO_PKG_VERSION")).to_owned(),
            proxy: None,
        }
    }
}

impl HttpOptions {
    /// Whether clients can be made from the options; nothing is connected to.
    ///
    /// # Errors
    /// What of them cannot be used.
    pub fn check(&self) -> Result<(), HttpOptionsError> {
        Http::new(self.clone()).map(drop)
    }
}

/// A proxy and who we are there.
#[derive(Clone)]
pub struct ProxyOptions {
    /// Its address, such as `http://proxy.example:8080`.
    pub url: String,
    /// User name and password.
    pub credentials: Option<(String, Secret)>,
}

/// Why no client could be made from the options.
#[derive(Debug, thiserror::Error)]
pub enum HttpOptionsError {
    /// The extra certificates cannot be read.
    #[error("there are no PEM certificates in the file of authorities to trust")]
    Certificates(#[source] Option<reqwest::Error>),
    /// The proxy's address cannot be read.
    #[error("the proxy address '{url}' cannot be used")]
    Proxy {
        /// The address.
        url: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The client could not be set up.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// The clients of one set of options. Connections are reused by everybody who shares it.
pub(crate) struct Http {
    options: HttpOptions,
    certificates: Vec<Certificate>,
    proxy: Option<Proxy>,
    has_local_proxy: bool,
    clear: OnceLock<Client>,
    local: OnceLock<Client>,
    outside: OnceLock<Client>,
}

impl Http {
    /// Checks the options; clients are made when they are first needed.
    pub(crate) fn new(options: HttpOptions) -> Result<Self, HttpOptionsError> {
        // Fails when a provider is there already, which is just as well.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let certificates = match &options.extra_ca_pem {
            None => Vec::new(),
            Some(pem) => {
                let found = Certificate::from_pem_bundle(pem)
                    .map_err(|error| HttpOptionsError::Certificates(Some(error)))?;
                if found.is_empty() {
                    return Err(HttpOptionsError::Certificates(None));
                }
                found
            }
        };
        let proxy = options.proxy.as_ref().map(explicit_proxy).transpose()?;
        let has_local_proxy = options
            .proxy
            .as_ref()
            .and_then(|proxy| Url::parse(&proxy.url).ok())
            .is_some_and(|url| is_loopback(&url));
        Ok(Self {
            options,
            certificates,
            proxy,
            has_local_proxy,
            clear: OnceLock::new(),
            local: OnceLock::new(),
            outside: OnceLock::new(),
        })
    }

    /// The options, for connectors that speak another protocol over the same TLS settings.
    pub(crate) fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// The client for an address. Clear text needs no certificates, and never leaves this machine.
    pub(crate) fn client(&self, url: &Url) -> Result<&Client, HttpOptionsError> {
        let (slot, builder) = match (url.scheme(), is_loopback(url)) {
            ("http", _) => (&self.clear, self.builder().no_proxy().tls_certs_only([])),
            (_, true) => (&self.local, self.trusting(self.builder().no_proxy())),
            (_, false) => (&self.outside, self.trusting(self.builder())),
        };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let proxy = self.proxy.clone().filter(|_| url.scheme() != "http" || self.has_local_proxy);
        let builder = match proxy {
            Some(proxy) => builder.proxy(proxy),
            None => builder,
        };
        let client = builder.build().map_err(HttpOptionsError::Client)?;
        Ok(slot.get_or_init(|| client))
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder()
            .timeout(self.options.timeout)
            .connect_timeout(self.options.timeout.min(LONGEST_CONNECT))
            .user_agent(&self.options.user_agent)
            // A redirected POST would become a GET, and a credential could go where nobody sent it.
            .redirect(reqwest::redirect::Policy::none())
    }

    fn trusting(&self, builder: ClientBuilder) -> ClientBuilder {
        if self.certificates.is_empty() {
            builder
        } else {
            builder.tls_certs_merge(self.certificates.clone())
        }
    }
}

fn explicit_proxy(options: &ProxyOptions) -> Result<Proxy, HttpOptionsError> {
    let proxy = Proxy::all(&options.url).map_err(|source| HttpOptionsError::Proxy {
        url: options.url.clone(),
        source: source.without_url(),
    })?;
    Ok(match &options.credentials {
        Some((user, password)) => proxy.basic_auth(user, password.expose()),
        None => proxy,
    })
}

/// Why an address is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is not an absolute address.
    #[error("it is not an absolute address such as https://app.example/scim/v2")]
    Malformed,
    /// A credential would cross the network in the clear.
    #[error(
        "it must begin with https://; plain http is spoken only with this machine (localhost, 127.0.0.1)"
    )]
    NotEncrypted,
    /// It carries user name or password.
    #[error("it must not carry a user name or password; addresses are shown and logged")]
    Credentials,
}

/// An address that a credential may be sent to: https, or http on this machine.
pub(crate) fn safe_address(text: &str) -> Result<Url, AddressError> {
    let url = Url::parse(text.trim()).map_err(|_| AddressError::Malformed)?;
    if url.host().is_none() {
        return Err(AddressError::Malformed);
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(AddressError::NotEncrypted),
        _ => return Err(AddressError::Malformed),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An answer, read whole.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// A header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// How long the other side asks us to wait. A date is taken relative to the answer's own date, so that clocks
    /// need not agree.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
        }
        let then = http_date(text)?;
        let now = http_date(self.header("date")?)?;
        Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
    }
}

fn http_date(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Lost {
    /// There never was a connection: nothing was sent.
    NotConnected(reqwest::Error),
    /// Likewise, because nobody we trust signed the certificate.
    UnknownIssuer(reqwest::Error),
    /// No answer in time; what was sent may have taken effect.
    Timeout(reqwest::Error),
    /// The connection broke; what was sent may have taken effect.
    Broken(reqwest::Error),
    /// The answer has no end.
    TooLong,
    /// The request or the client could not be made.
    NotMade(Box<dyn Error + Send + Sync>),
}

/// Sends and reads the whole answer.
pub(crate) async fn exchange(request: reqwest::RequestBuilder) -> Result<Reply, Lost> {
    let mut response = request.send().await.map_err(lost)?;
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Lost::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body: body.freeze(),
    })
}

fn lost(error: reqwest::Error) -> Lost {
    // The address may carry a person's name in its query, and whoever shows the failure names the address anyway.
    let error = error.without_url();
    if error.is_builder() {
        return Lost::NotMade(Box::new(error));
    }
    if has_unknown_issuer(&error) {
        Lost::UnknownIssuer(error)
    } else if error.is_connect() {
        Lost::NotConnected(error)
    } else if error.is_timeout() {
        Lost::Timeout(error)
    } else {
        Lost::Broken(error)
    }
}

fn has_unknown_issuer(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(error, rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer));
    }
    // The source of an I/O error is its inner error's source: the inner error itself would be passed over.
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match (inner, error.source()) {
        (Some(inner), _) => has_unknown_issuer(inner),
        (None, Some(cause)) => has_unknown_issuer(cause),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(headers: &[(&'static str, &str)]) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Reply { status: StatusCode::TOO_MANY_REQUESTS, headers: map, body: Bytes::new() }
    }

    #[test]
    fn retry_after_takes_decimal_seconds() {
        assert_eq!(reply(&[("retry-after", "2.128")]).retry_after(), Some(Duration::from_millis(2128)));
        assert_eq!(reply(&[("retry-after", "-3")]).retry_after(), Some(Duration::ZERO));
        assert_eq!(reply(&[("retry-after", "soon")]).retry_after(), None);
        assert_eq!(reply(&[("retry-after", "NaN")]).retry_after(), Some(Duration::ZERO));
        assert_eq!(reply(&[("retry-after", "inf")]).retry_after(), None);
    }

    #[test]
    fn retry_after_as_a_date_counts_from_the_date_of_the_answer() {
        let answer = reply(&[
            ("retry-after", "Tue, 24 Nov 2026 10:00:30 GMT"),
            ("date", "Tue, 24 Nov 2026 10:00:00 GMT"),
        ]);
        assert_eq!(answer.retry_after(), Some(Duration::from_secs(30)));
        assert_eq!(reply(&[("retry-after", "Tue, 24 Nov 2026 10:00:30 GMT")]).retry_after(), None);
    }

    #[test]
    fn credentials_go_only_to_encrypted_or_local_addresses() {
        assert!(safe_address("https://app.example/scim").is_ok());
        for local in
            ["http://localhost:8080/scim", "http://127.0.0.9/", "http://[::1]:1/", "http://a.localhost/"]
        {
            assert!(safe_address(local).is_ok(), "{local}");
        }
        for (text, error) in [
            ("http://app.example/scim", AddressError::NotEncrypted),
            ("http://localhost.example/scim", AddressError::NotEncrypted),
            ("https://me:secret@app.example/scim", AddressError::Credentials),
            ("app.example/scim", AddressError::Malformed),
            ("ftp://app.example/scim", AddressError::Malformed),
            ("", AddressError::Malformed),
        ] {
            assert_eq!(safe_address(text), Err(error), "{text}");
        }
    }

    #[test]
    fn extra_certificates_must_be_certificates() {
        let options =
            HttpOptions { extra_ca_pem: Some(b"no certificate".to_vec()), ..HttpOptions::default() };
        assert!(matches!(Http::new(options), Err(HttpOptionsError::Certificates(_))));
    }
}
