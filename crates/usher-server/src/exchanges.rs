//! Recorded exchanges: one JSON line each, secrets and tokens masked, for whoever debugs a client.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use futures::StreamExt;
use http::Response;
use serde_json::{Value, json};

use crate::masking::mask;

/// The file that exchanges go to.
#[derive(Debug)]
pub struct Exchanges {
    file: Mutex<File>,
}

impl Exchanges {
    /// Appends to a file that only the owner may read; makes it when it is not there.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn append_to(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        Ok(Self { file: Mutex::new(options.open(path)?) })
    }

    /// Lets a request be answered and writes both down. Of the body that is written which the answer read: it is read
    /// when it would be read otherwise, within the same limits of size and time.
    pub(crate) async fn record<F>(&self, request: Request, answer: F) -> Response<Body>
    where
        F: AsyncFnOnce(Request) -> Response<Body>,
    {
        let method = request.method().to_string();
        let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        let (parts, body) = request.into_parts();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let copy = sent.clone();
        let body = Body::from_stream(body.into_data_stream().inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                copy.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(chunk);
            }
        }));
        let response = answer(Request::from_parts(parts, body)).await;
        let (parts, body) = response.into_parts();
        // Answers are made whole before they are handed on.
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let sent = std::mem::take(&mut *sent.lock().unwrap_or_else(PoisonError::into_inner));
        let line = json!({
            "method": method,
            "path": path,
            "status": parts.status.as_u16(),
            "request": read(&sent),
            "response": read(&bytes),
        });
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            tracing::warn!(%error, "an exchange could not be recorded");
        }
        drop(file);
        Response::from_parts(parts, Body::from(bytes))
    }
}

/// A JSON body with its secrets masked; null for anything else.
fn read(bytes: &[u8]) -> Value {
    let mut body = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    mask(&mut body);
    body
}
