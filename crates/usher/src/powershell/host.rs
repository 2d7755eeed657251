//! What the cmdlets need from outside: a console with its streams and files, and the way to the service.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use serde_json::Value;
use usher_core::Secret;
use usher_core::ports::Clock;

/// Where a line goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Results.
    Output,
    /// What is said to whoever sits at the console: `What if:` lines and questions.
    Host,
    /// Errors.
    Error,
    /// Warnings, verbose and debug messages.
    Message,
}

/// The console, and the files next to it.
pub trait Host: Send {
    /// Whether someone can be asked.
    fn is_interactive(&self) -> bool;

    /// Asks for a line; `None` when no more can be read.
    fn prompt(&mut self, text: &str) -> Option<String>;

    /// Asks for a line that is not shown while it is typed.
    fn prompt_secret(&mut self, text: &str) -> Option<Secret>;

    /// Writes lines; the text has no line break at its end.
    fn write(&mut self, stream: Stream, text: &str);

    /// The whole of standard input, unless it is a console.
    fn read_input(&mut self) -> io::Result<Option<String>>;

    /// The text of a file.
    fn read_file(&self, path: &str) -> io::Result<String>;

    /// Writes a file, or adds to its end.
    fn write_file(&mut self, path: &str, text: &str, append: bool) -> io::Result<()>;
}

/// The way to the service, with the saved connection behind it.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request, once. Every answer of the service is a response, whatever its status.
    async fn send(&self, request: &Request) -> Result<Response, TransportError>;

    /// The connection that requests go over, for the debug stream and for `Connect-MgGraph`.
    fn connection(&self) -> Option<Connection>;

    /// Whether that is a connection to the cloud of this name; the text says how to get there. Without a connection
    /// there is nothing to compare, and the call itself says so.
    fn is_to(&self, environment: &str) -> Result<(), String>;
}

/// A request to the service.
pub struct Request {
    /// The method.
    pub method: http::Method,
    /// `v1.0` or `beta`.
    pub version: &'static str,
    /// The path below the version, escaped, beginning with `/`.
    pub path: String,
    /// Headers; authorization is the transport's own affair.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Content,
    /// The proxy to use for this request.
    pub proxy: Option<Proxy>,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// There is none.
    None,
    /// JSON.
    Json(Value),
    /// A file, as it is.
    File(String),
}

impl Content {
    /// What goes over the wire.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::None => None,
            Self::Json(json) => Some(json.to_string().into_bytes()),
            Self::File(text) => Some(text.clone().into_bytes()),
        }
    }
}

/// A proxy.
#[derive(Clone)]
pub struct Proxy {
    /// Its address.
    pub uri: url::Url,
    /// Who asks.
    pub credential: Option<Credential>,
    /// Whether the credentials of the account that runs the program are to be used.
    pub use_default_credentials: bool,
}

/// A user name and a password.
#[derive(Clone)]
pub struct Credential {
    /// The user name.
    pub user_name: String,
    /// The password.
    pub password: Secret,
}

/// An answer of the service.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, repeated ones one by one.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// There is no saved connection; the text is the SDK's.
    #[error("Authentication needed. Please call Connect-MgGraph.")]
    NotConnected,
    /// The request did not get through.
    #[error("{message}")]
    Failed {
        /// What failed.
        message: String,
        /// Why.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// A saved connection, as far as it may be shown.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The address in front of the version, without a slash at its end.
    pub endpoint: String,
    /// How it authenticates, such as `Delegated` or `AppOnly`.
    pub auth_type: String,
    /// What it may do.
    pub scopes: Vec<String>,
}

/// How results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Key and Value side by side, cut to the width of the window.
    Table,
    /// One property a line, wrapped.
    List,
    /// JSON.
    Json,
}

impl Output {
    /// Reads the value of `--output`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "table" => Some(Self::Table),
            "list" => Some(Self::List),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// What holds for a whole run.
#[derive(Clone)]
pub struct Options {
    /// How results are shown, unless the call says otherwise.
    pub output: Output,
    /// The width of the window in columns.
    pub width: usize,
    /// The zone that dates without one are in.
    pub zone: TimeZone,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
}
