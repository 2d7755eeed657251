//! Listening, with the limits that keep slow and silent callers from holding what others need.

use std::future::{Future, Ready, ready};
use std::io;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::{Accept, NoDelayAcceptor};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;

/// How long requests in flight may take to end after the service was told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(30);
/// What a connection may have sent without being understood, in bytes: a head that does not fit is cut off. It is more
/// than what requests may have (`pipeline`), so that whoever is a little above is told so.
const LARGEST_HEAD: usize = 128 * 1024;

/// How long callers may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until the head of the next request is there.
    pub head: Duration,
    /// Until anything of an answer is taken.
    pub answer: Duration,
}

/// Serves until `shutdown` ends, then lets requests in flight end. A connection that does not send the head of its
/// next request in time, or takes nothing of its answer for too long, is closed; it costs no more than its socket until
/// then.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    router: Router,
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    patience: Patience,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle = Handle::new();
    let stopper = handle.clone();
    tokio::spawn(async move {
        shutdown.await;
        stopper.graceful_shutdown(Some(LAST_REQUESTS));
    });
    let mut server = axum_server::from_tcp(listener.into_std()?)?
        .acceptor(PatientAcceptor { answer: patience.answer })
        .first_request_timeout(patience.head)
        .handle(handle);
    let http = server.http_builder();
    http.http1().header_read_timeout(patience.head).max_buf_size(LARGEST_HEAD);
    http.http2().max_header_list_size(LARGEST_HEAD as u32);
    let service = router.into_make_service();
    match tls {
        None => server.serve(service).await,
        Some(config) => {
            let server = server.map(|plain| RustlsAcceptor::new(config).acceptor(plain));
            server.serve(service).await
        }
    }
}

/// Ends a connection whose answers nobody takes.
#[derive(Clone, Copy, Debug)]
struct PatientAcceptor {
    answer: Duration,
}

impl<S> Accept<TcpStream, S> for PatientAcceptor {
    type Stream = Pin<Box<TimeoutStream<TcpStream>>>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = NoDelayAcceptor::new().accept(stream, service).into_inner();
        ready(accepted.map(|(stream, service)| {
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(self.answer));
            (Box::pin(stream), service)
        }))
    }
}
