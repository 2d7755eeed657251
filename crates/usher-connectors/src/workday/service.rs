//! Sends requests, one at a time, and tells apart what comes back: workers, faults, pages of something else.

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use tokio::sync::Mutex;
use usher_core::ports::{Clock, ConnectorError, ConnectorErrorKind};

use super::page::{self, Answer, Fault, PageError, Totals};
use super::request::{Credentials, GetWorkers};
use super::settings::WorkdaySettings;
use crate::http::{Http, Lost, Reply, exchange};

/// Answers take seconds for each page, and minutes under load.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long to wait before each further try, unless the other side says how long.
const PAUSES: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(8), Duration::from_secs(30)];
/// The longest wait that the other side may ask for; what takes longer is for the next run.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// How much of somebody's words a failure repeats.
const LONGEST_DETAIL: usize = 500;

/// The web service of one tenant.
pub(super) struct Service {
    http: Arc<Http>,
    clock: Arc<dyn Clock>,
    pub(super) settings: WorkdaySettings,
    /// The service is slow and publishes no limit: one request at a time.
    turn: Mutex<()>,
}

impl Service {
    pub(super) fn new(http: Arc<Http>, clock: Arc<dyn Clock>, settings: WorkdaySettings) -> Self {
        Self { http, clock, settings, turn: Mutex::new(()) }
    }

    /// Sends a request and hands each worker of the answer on. All requests read, so what failed for the moment may
    /// be sent again.
    pub(super) async fn ask(
        &self,
        request: &GetWorkers,
        mut each: impl FnMut(roxmltree::Node<'_, '_>) -> Result<(), ConnectorError> + Send,
    ) -> Result<Totals, ConnectorError> {
        let _turn = self.turn.lock().await;
        let mut pauses = PAUSES.into_iter();
        loop {
            let sent = self.send(request).await;
            let answer = sent.and_then(|reply| self.open(reply));
            let error = match answer {
                Ok(reply) => return self.workers(&reply, &mut each),
                Err(error) => error,
            };
            let is_passing =
                matches!(error.kind, ConnectorErrorKind::Unreachable | ConnectorErrorKind::Throttled);
            let pause = pauses.next().filter(|_| is_passing).map(|pause| error.retry_after.unwrap_or(pause));
            match pause.filter(|pause| *pause <= LONGEST_PAUSE) {
                Some(pause) => self.clock.wait(pause).await,
                None => return Err(error),
            }
        }
    }

    async fn send(&self, request: &GetWorkers) -> Result<Reply, ConnectorError> {
        let settings = &self.settings;
        let credentials = Credentials { user: &settings.user, password: &settings.password };
        let client = self.http.client(&settings.endpoint).map_err(|error| ConnectorError {
            source: Some(Box::new(error)),
            ..failure(ConnectorErrorKind::Rejected, "Request_BadRequest", "the HTTP settings cannot be used")
        })?;
        let builder = client
            .post(settings.endpoint.clone())
            .timeout(PATIENCE)
            .header(CONTENT_TYPE, "text/xml; charset=UTF-8")
            .header("SOAPAction", "\"\"")
            .body(request.envelope(&settings.version, &credentials));
        exchange(builder).await.map_err(|lost| self.lost(lost))
    }

    /// Lets through what may hold workers.
    fn open(&self, reply: Reply) -> Result<Reply, ConnectorError> {
        if reply.status.as_u16() == 429 {
            return Err(ConnectorError {
                retry_after: reply.retry_after(),
                ..self.failure(ConnectorErrorKind::Throttled, "TooManyRequests", "wants fewer requests")
            });
        }
        if reply.status.is_success() && !is_html(&reply) {
            return Ok(reply);
        }
        match page::read(&reply.body, |_| Ok::<(), PageError>(())) {
            Ok(Answer::Fault(fault)) => Err(self.fault(&fault)),
            _ => Err(self.status(&reply)),
        }
    }

    fn workers(
        &self,
        reply: &Reply,
        each: &mut impl FnMut(roxmltree::Node<'_, '_>) -> Result<(), ConnectorError>,
    ) -> Result<Totals, ConnectorError> {
        match page::read(&reply.body, |node| each(node).map_err(Unreadable::Worker)) {
            Ok(Answer::Workers(totals)) => Ok(totals),
            Ok(Answer::Fault(fault)) => Err(self.fault(&fault)),
            Err(Unreadable::Worker(error)) => Err(error),
            Err(Unreadable::Page(error)) => Err(ConnectorError {
                source: Some(Box::new(error.clone())),
                ..self.failure(
                    ConnectorErrorKind::Protocol,
                    "WebExceptionProtocolError",
                    &format!("gave an answer that cannot be read: {error}"),
                )
            }),
        }
    }

    /// A status without a SOAP answer: somebody in between speaks, or the tenant is down.
    fn status(&self, reply: &Reply) -> ConnectorError {
        let status = reply.status.as_u16();
        let (kind, code, what) = match status {
            401 | 403 | 404 => (
                ConnectorErrorKind::Unauthorised,
                "Unauthorized",
                format!(
                    "answered with status {status} and a page in place of SOAP; correct host and tenant of the \
                     address, or let this machine's address in"
                ),
            ),
            300..=399 => (
                ConnectorErrorKind::Rejected,
                "Request_BadRequest",
                format!("answered with status {status}, which leads elsewhere; correct the address"),
            ),
            200..=299 => (
                ConnectorErrorKind::Unreachable,
                "InternalServerError",
                "answered with a page in place of SOAP, as tenants do that are under maintenance".to_owned(),
            ),
            400..=499 => {
                (ConnectorErrorKind::Rejected, "Request_BadRequest", format!("answered with status {status}"))
            }
            _ => (
                ConnectorErrorKind::Unreachable,
                "InternalServerError",
                format!("answered with status {status}"),
            ),
        };
        let said = self.shown(&plain(&String::from_utf8_lossy(&reply.body)));
        ConnectorError {
            detail: Some(said).filter(|text| !text.is_empty()),
            retry_after: reply.retry_after(),
            ..self.failure(kind, code, &what)
        }
    }

    /// A SOAP fault. Codes are told apart by who is to blame, then by text; the exact suffixes are not published.
    fn fault(&self, fault: &Fault) -> ConnectorError {
        let text = fault.text.to_lowercase();
        let is_client = fault.code.starts_with("Client");
        let is_login = fault.code.to_ascii_lowercase().contains("authentication")
            || text.contains("invalid username or password")
            || text.contains("account is locked");
        let (kind, code, what) = if is_login {
            (
                ConnectorErrorKind::Unauthorised,
                "Unauthorized",
                "does not let the integration user in; correct user name and password, and look whether the account is \
                 locked or expired",
            )
        } else if is_client && text.contains("not a valid id value") {
            (ConnectorErrorKind::NotFound, "EntryNotFound", "has no such worker")
        } else if is_client {
            (ConnectorErrorKind::Rejected, "Request_BadRequest", "does not take the request in this version")
        } else if text.contains("not authorized") || text.contains("not authorised") {
            (
                ConnectorErrorKind::Unauthorised,
                "InsufficientRights",
                "refuses the task; give the integration user's security group Get on the worker data domains, and \
                 activate the pending changes",
            )
        } else {
            (ConnectorErrorKind::Unreachable, "InternalServerError", "failed to carry out the request")
        };
        let mut said = vec![fault.text.clone()];
        said.extend(fault.details.iter().filter(|one| !fault.text.contains(one.as_str())).cloned());
        said.extend(fault.xpath.as_ref().map(|xpath| format!("at {xpath}")));
        let said = said.join("; ");
        // Something in between may have put its page into the fault.
        let said = if said.contains("</") { plain(&said) } else { said };
        ConnectorError { detail: Some(self.shown(&said)), ..self.failure(kind, code, what) }
    }

    fn lost(&self, lost: Lost) -> ConnectorError {
        let unreachable = |what: &str, source: Option<reqwest::Error>| ConnectorError {
            source: source.map(|error| Box::new(error) as _),
            ..self.failure(ConnectorErrorKind::Unreachable, "InternalServerError", what)
        };
        match lost {
            Lost::NotConnected(error) => unreachable("cannot be reached", Some(error)),
            Lost::UnknownIssuer(error) => {
                unreachable("shows a certificate that nobody we trust has signed", Some(error))
            }
            Lost::Timeout(error) => ConnectorError {
                code: "Timeout".into(),
                ..unreachable("gave no answer in time", Some(error))
            },
            Lost::Broken(error) => unreachable("broke the connection off", Some(error)),
            Lost::TooLong => self.failure(
                ConnectorErrorKind::Protocol,
                "WebExceptionProtocolError",
                "gave an answer that is too long; set WorkersPerPage lower",
            ),
            Lost::NotMade(error) => ConnectorError {
                source: Some(error),
                ..self.failure(ConnectorErrorKind::Rejected, "Request_BadRequest", "cannot be sent a request")
            },
        }
    }

    fn failure(&self, kind: ConnectorErrorKind, code: &str, what: &str) -> ConnectorError {
        failure(kind, code, &format!("Workday at {} {what}", self.settings.endpoint))
    }

    /// Somebody's words, shortened and without our password.
    fn shown(&self, text: &str) -> String {
        let password = self.settings.password.expose();
        let text = if password.is_empty() { text.to_owned() } else { text.replace(password, "[Redact]") };
        text.chars().take(LONGEST_DETAIL).collect()
    }
}

pub(super) fn failure(kind: ConnectorErrorKind, code: &str, message: &str) -> ConnectorError {
    ConnectorError::new(kind, code, message)
}

enum Unreadable {
    Page(PageError),
    Worker(ConnectorError),
}

impl From<PageError> for Unreadable {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

fn is_html(reply: &Reply) -> bool {
    let is_said = reply.header("content-type").is_some_and(|kind| kind.contains("html"));
    let start = reply.body.get(..reply.body.len().min(256)).unwrap_or_default();
    let start = String::from_utf8_lossy(start).trim_start().to_ascii_lowercase();
    is_said || start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// The words of a page, without its tags.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for character in html.chars().take(8 * LONGEST_DETAIL) {
        match character {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            other if !is_tag => text.push(other),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
