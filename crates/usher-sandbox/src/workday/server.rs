//! The double on a TCP port.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State as Shares};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::answer::{fault, page};
use super::request::{Asked, Refusal, Selection, read};
use super::{Shared, Trouble, Workday};

/// A double that answers on the network until it is dropped.
pub struct RunningWorkday {
    /// The address it listens on.
    pub listens: SocketAddr,
    workday: Workday,
    task: JoinHandle<()>,
}

impl RunningWorkday {
    pub(crate) async fn start(workday: Workday, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let listens = listener.local_addr()?;
        let router = router(workday.shared.clone());
        let task = tokio::spawn(async move {
            // Accepting connections retries by itself; the end of the task ends it.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { listens, workday, task })
    }

    /// The address to give to a connector that speaks this version; an empty text for the address without one.
    pub fn address(&self, version: &str) -> String {
        let tenant = &self.workday.shared.options.tenant;
        let base = format!("http://{}/ccx/service/{tenant}", self.listens);
        match version {
            "" => base,
            version => format!("{base}/Human_Resources/{version}"),
        }
    }

    /// The user name to give to a connector.
    pub fn user(&self) -> String {
        self.workday.shared.user()
    }

    /// The tenant itself, to enter things or let some go wrong.
    pub fn workday(&self) -> &Workday {
        &self.workday
    }
}

impl Drop for RunningWorkday {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn user(&self) -> String {
        format!("{}@{}", self.options.user, self.options.tenant)
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/ccx/service/{tenant}/Human_Resources", post(without_version))
        .route("/ccx/service/{tenant}/Human_Resources/{version}", post(with_version))
        .layer(DefaultBodyLimit::max(4 * 1024 * 1024))
        .fallback(|| async { html(404) })
        .with_state(shared)
}

async fn without_version(
    Shares(shared): Shares<Arc<Shared>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    answer(&shared, &tenant, "v21.1", &headers, &body)
}

async fn with_version(
    Shares(shared): Shares<Arc<Shared>>,
    Path((tenant, version)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    answer(&shared, &tenant, &version, &headers, &body)
}

fn answer(shared: &Shared, tenant: &str, version: &str, headers: &HeaderMap, body: &str) -> Response {
    let options = &shared.options;
    if tenant != options.tenant {
        return html(404);
    }
    let mut state = shared.state();
    let trouble = state.troubles.pop_front();
    match &trouble {
        Some(Trouble::Throttle(seconds)) => {
            let wait = [(header::RETRY_AFTER, seconds.to_string())];
            return (StatusCode::TOO_MANY_REQUESTS, wait, "").into_response();
        }
        Some(Trouble::Page(status)) => return html(*status),
        Some(Trouble::Fault(code, text)) => return xml(500, fault(code, text)),
        Some(Trouble::CutOff | Trouble::Shift(_)) | None => {}
    }
    let shift = if let Some(Trouble::Shift(count)) = trouble { count } else { 0 };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let read = match kind.starts_with("text/xml") {
        true => read(body, version, &shared.user(), &options.password),
        false => Err(Refusal { code: "Client", text: "SOAP 1.1 is sent as text/xml".to_owned() }),
    };
    let (line, made) = match read {
        Ok(asked) => {
            let line = told(&asked);
            state.requests.push(line.clone());
            (line, page(&state, options, &asked, version, shift))
        }
        Err(refusal) => ("refused".to_owned(), Err(refusal)),
    };
    drop(state);
    let (status, count, mut text) = match made {
        Ok((text, count)) => (200, count, text),
        Err(refusal) => (500, 0, fault(refusal.code, &refusal.text)),
    };
    if trouble == Some(Trouble::CutOff) {
        let half = (0..=text.len() / 2).rev().find(|place| text.is_char_boundary(*place)).unwrap_or_default();
        text.truncate(half);
    }
    if let Some(observer) = &options.observer {
        observer(&line, status, count);
    }
    xml(status, text)
}

/// What is asked, in a line.
fn told(asked: &Asked) -> String {
    let what = match &asked.selection {
        Selection::References(ids, _) => {
            ids.iter().map(|(kind, id)| format!("{kind} {id}")).collect::<Vec<_>>().join(", ")
        }
        Selection::Criteria(criteria) => {
            let mut parts = criteria.processes.clone();
            for (name, range) in [("updated", criteria.updated), ("effective", criteria.effective)] {
                parts.extend(range.map(|(from, through)| format!("{name} {from} to {through}")));
            }
            parts.join(", ")
        }
    };
    format!("Get_Workers {what} as of {} page {}", asked.as_of_effective, asked.page)
}

fn xml(status: u16, text: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "text/xml; charset=UTF-8")], text).into_response()
}

fn html(status: u16) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = "<!DOCTYPE html><html><head><title>Workday</title></head><body><h1>We will be back soon</h1></body></html>";
    (code, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}
