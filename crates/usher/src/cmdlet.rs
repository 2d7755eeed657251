//! The cmdlets and scripts, wired to the real console and the saved connection.

use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;
use jiff::tz::TimeZone;
use tokio::sync::OnceCell;
use usher_connectors::graph::{GraphClient, GraphError};
use usher_connectors::{HttpOptions, ProxyOptions};

use crate::client;
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::powershell::value::PsValue;
use crate::powershell::{
    self, Connection, Console, Options, Output, Proxy, Request, Response, Script, Transport, TransportError,
};
use crate::profile::{Profile, ProfileCredential};

/// Runs a cmdlet of the command line; the number is the exit code.
pub async fn run(name: &str, arguments: Vec<String>) -> u8 {
    let transport = SavedConnection::new();
    let code =
        powershell::run_cmdlet(name, arguments, &mut Console, &transport, &options(Output::Table)).await;
    u8::try_from(code).unwrap_or(1)
}

/// Runs a script; the number is the exit code.
///
/// # Errors
/// `output` is none of the forms.
pub async fn run_script(
    name: &str,
    text: &str,
    variables: Vec<(String, String)>,
    output: Option<&str>,
) -> Result<u8> {
    let output = match output {
        None => Output::Table,
        Some(form) => Output::parse(form).ok_or_else(|| {
            Failure::usage(format!("there is no output form '{form}'"), "one of list, table, json")
        })?,
    };
    let transport = SavedConnection::new();
    let script = Script { name, text };
    let variables = variables.into_iter().map(|(name, value)| (name, PsValue::Text(value))).collect();
    let code = powershell::run_script(script, variables, &mut Console, &transport, &options(output)).await;
    Ok(u8::try_from(code).unwrap_or(1))
}

fn options(output: Output) -> Options {
    let width = console::Term::stdout().size_checked().map_or(120, |(_, columns)| usize::from(columns));
    Options { output, width, zone: TimeZone::system(), clock: Arc::new(SystemClock) }
}

/// The saved connection as the cmdlets' way to the service.
struct SavedConnection {
    profile: Result<Profile, TransportError>,
    client: OnceCell<GraphClient>,
}

impl SavedConnection {
    fn new() -> Self {
        let profile = Profile::load().map_err(|error| match error.to_string() {
            text if text == TransportError::NotConnected.to_string() => TransportError::NotConnected,
            _ => TransportError::Failed { message: format!("{error:#}"), source: None },
        });
        Self { profile, client: OnceCell::new() }
    }
}

#[async_trait]
impl Transport for SavedConnection {
    async fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let profile = self.profile.as_ref().map_err(|error| match error {
            TransportError::NotConnected => TransportError::NotConnected,
            failed => TransportError::Failed { message: failed.to_string(), source: None },
        })?;
        let path = format!("/{}{}", request.version, request.path);
        let body = request.body.bytes();
        let answer = match &request.proxy {
            Some(proxy) => {
                let client = client::graph_with(profile, through(proxy)?, client::Keep::saved(profile))
                    .map_err(failed)?;
                client.send(request.method.as_str(), &path, &request.headers, body).await
            }
            None => {
                let client =
                    self.client.get_or_try_init(|| async { client::graph(profile) }).await.map_err(failed)?;
                client.send(request.method.as_str(), &path, &request.headers, body).await
            }
        };
        let answer = answer.map_err(|error| {
            let id = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("client-request-id"));
            let message = match (&error, id) {
                // It may have arrived: the id tells what came of it.
                (
                    GraphError::Timeout { .. } | GraphError::Broken { .. } | GraphError::TooLong { .. },
                    Some((_, id)),
                ) => {
                    format!("{error} (client-request-id {id})")
                }
                _ => error.to_string(),
            };
            TransportError::Failed { message, source: Some(Box::new(error)) }
        })?;
        Ok(Response { status: answer.status, headers: answer.headers, body: answer.body.to_vec() })
    }

    fn connection(&self) -> Option<Connection> {
        self.profile.as_ref().ok().map(|profile| Connection {
            endpoint: profile.address.clone(),
            auth_type: match profile.credential {
                ProfileCredential::ClientSecret { .. } => "AppOnly".to_owned(),
                ProfileCredential::Token(_) => "UserProvidedAccessToken".to_owned(),
                ProfileCredential::ManagedIdentity(_) => "ManagedIdentity".to_owned(),
                ProfileCredential::Person { .. } | ProfileCredential::AzureCli => "Delegated".to_owned(),
                ProfileCredential::Certificate { .. }
                | ProfileCredential::WorkloadIdentity
                | ProfileCredential::Environment => "AppOnly".to_owned(),
            },
            scopes: Vec::new(),
        })
    }

    fn is_to(&self, environment: &str) -> Result<(), String> {
        let Ok(profile) = &self.profile else { return Ok(()) };
        profile.is_to(environment).map_err(|error| match error.downcast_ref::<Failure>() {
            Some(Failure { message, hint: Some(hint), .. }) => format!("{message}\nhint: {hint}"),
            _ => error.to_string(),
        })
    }
}

fn through(proxy: &Proxy) -> Result<HttpOptions, TransportError> {
    if proxy.use_default_credentials && proxy.credential.is_none() {
        return Err(TransportError::Failed {
            message: "-ProxyUseDefaultCredentials is Windows' single sign-on and cannot be used here; give \
                      -ProxyCredential"
                .to_owned(),
            source: None,
        });
    }
    let credentials = proxy.credential.as_ref().map(|one| (one.user_name.clone(), one.password.clone()));
    Ok(HttpOptions {
        proxy: Some(ProxyOptions { url: proxy.uri.to_string(), credentials }),
        ..HttpOptions::default()
    })
}

fn failed(error: anyhow::Error) -> TransportError {
    TransportError::Failed { message: error.to_string(), source: None }
}
