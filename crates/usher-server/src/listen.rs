//! Listening, with the limits that keep slow and silent callers from holding what others need.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tokio::net::TcpListener;

/// How long requests in flight may take to end after the service was told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(30);

/// Serves until `shutdown` ends, then lets requests in flight end. A connection that does not send the head of its
/// next request within `head_time` is closed; it costs no more than its socket until then.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    head_time: Duration,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle = Handle::new();
    let stopper = handle.clone();
    tokio::spawn(async move {
        shutdown.await;
        stopper.graceful_shutdown(Some(LAST_REQUESTS));
    });
    let mut server = axum_server::from_tcp(listener.into_std()?)?
        .acceptor(NoDelayAcceptor::new())
        .first_request_timeout(head_time)
        .handle(handle);
    server.http_builder().http1().header_read_timeout(head_time);
    let service = router.into_make_service();
    match tls {
        None => server.serve(service).await,
        Some(config) => {
            let server = server.map(|plain| RustlsAcceptor::new(config).acceptor(plain));
            server.serve(service).await
        }
    }
}
