//! Faults that tests inject: refused requests, lost answers, delays, broken bodies.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use crate::server::Line;

/// What should go wrong. Clones share their list.
#[derive(Clone, Default)]
pub struct Faults {
    planned: Arc<Mutex<Vec<Planned>>>,
}

struct Planned {
    when: When,
    fault: Fault,
}

impl Faults {
    /// Plans a fault. Of several that fit a request, the one planned first happens.
    pub fn inject(&self, when: When, fault: Fault) {
        self.locked().push(Planned { when, fault });
    }

    /// Plans to hold requests until the gate is opened.
    pub fn hold(&self, when: When) -> Gate {
        let gate = Gate::new();
        self.inject(when, Fault::Hold(gate.clone()));
        gate
    }

    /// Forgets all plans and opens all gates.
    pub fn clear(&self) {
        for planned in self.locked().drain(..) {
            if let Fault::Hold(gate) = planned.fault {
                gate.open();
            }
        }
    }

    /// How many planned faults have not happened as often as they should; those without limit count.
    pub fn pending(&self) -> usize {
        self.locked().iter().filter(|planned| planned.when.times != Some(0)).count()
    }

    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut planned = self.locked();
        planned.iter_mut().find_map(|planned| planned.when.fires(method, path).then(|| planned.fault.clone()))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Planned>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which requests a fault hits: the next one that fits, unless said otherwise.
#[derive(Clone, Debug)]
pub struct When {
    method: Option<String>,
    path: String,
    skip: usize,
    times: Option<usize>,
}

impl When {
    /// Requests with this method, whose path and query after [`crate::BASE_PATH`] begin with this text.
    pub fn new(method: &str, path: &str) -> When {
        When { method: Some(method.to_owned()), ..When::any(path) }
    }

    /// Requests with any method, whose path and query after [`crate::BASE_PATH`] begin with this text.
    pub fn any(path: &str) -> When {
        When { method: None, path: path.to_owned(), skip: 0, times: Some(1) }
    }

    /// Lets this many fitting requests pass first.
    pub fn after(self, skip: usize) -> When {
        When { skip, ..self }
    }

    /// Hits this many requests.
    pub fn times(self, times: usize) -> When {
        When { times: Some(times), ..self }
    }

    /// Hits every request from then on.
    pub fn always(self) -> When {
        When { times: None, ..self }
    }

    fn fires(&mut self, method: &str, path: &str) -> bool {
        let fits = self.times != Some(0)
            && self.method.as_ref().is_none_or(|expected| expected.eq_ignore_ascii_case(method))
            && path.starts_with(&self.path);
        if fits && self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if fits && let Some(times) = &mut self.times {
            *times -= 1;
        }
        fits
    }
}

/// Something that goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// This answer instead of the application's; nothing is changed.
    Answer(Answer),
    /// The application does what it is asked, then this answer goes out instead of its own.
    AnswerAfter(Answer),
    /// The connection closes without an answer; nothing is changed.
    Cut,
    /// The application does what it is asked, and the connection closes without an answer.
    CutAfter,
    /// The request waits until the gate opens, then goes on as usual.
    Hold(Gate),
    /// The usual answer under a wrong content type.
    ContentType(String),
    /// The usual answer, of which the second half of the body is missing.
    Truncate,
}

/// A ready-made answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// An answer with this status and no body.
    pub fn new(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: String::new() }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body; the content type is SCIM's unless a header says otherwise.
    pub fn body(mut self, body: &str) -> Answer {
        body.clone_into(&mut self.body);
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let scim = HeaderValue::from_static(crate::answer::SCIM_JSON);
        response.headers_mut().insert(header::CONTENT_TYPE, scim);
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Holds requests back. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    arrived: Arc<watch::Sender<usize>>,
    is_open: Arc<watch::Sender<bool>>,
}

impl Gate {
    /// A closed gate.
    fn new() -> Gate {
        Gate { arrived: Arc::new(watch::Sender::new(0)), is_open: Arc::new(watch::Sender::new(false)) }
    }

    /// Waits until this many requests have come to the gate.
    pub async fn arrived(&self, requests: usize) {
        // The sender lives as long as this gate, so waiting cannot fail.
        let _ = self.arrived.subscribe().wait_for(|arrived| *arrived >= requests).await;
    }

    /// Lets everything pass from now on.
    pub fn open(&self) {
        self.is_open.send_replace(true);
    }

    pub(crate) async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        let _ = self.is_open.subscribe().wait_for(|is_open| *is_open).await;
    }
}

/// Marks the answer that nobody gets.
#[derive(Clone)]
struct CutMark;

/// Closes the connection before anything of the answer is written. Without a connection, in process, reading
/// the answer's body fails instead.
pub(crate) fn cut(line: Option<Line>) -> Response {
    if let Some(line) = line {
        line.cut();
    }
    let error = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the connection is cut");
    let mut response =
        Response::new(Body::from_stream(futures::stream::once(async { Err::<axum::body::Bytes, _>(error) })));
    response.extensions_mut().insert(CutMark);
    response
}

/// Whether the answer is one that nobody gets.
pub(crate) fn is_cut(response: &Response) -> bool {
    response.extensions().get::<CutMark>().is_some()
}

pub(crate) fn with_content_type(mut response: Response, content_type: &str) -> Response {
    match content_type.parse::<HeaderValue>() {
        Ok(value) => response.headers_mut().insert(header::CONTENT_TYPE, value),
        Err(_) => response.headers_mut().remove(header::CONTENT_TYPE),
    };
    response
}

pub(crate) async fn truncated(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = body.slice(..body.len() / 2);
    Response::from_parts(parts, Body::from(half))
}
