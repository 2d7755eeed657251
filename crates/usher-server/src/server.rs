//! The server: its options, what requests share, and where it listens.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use usher_engine::Engine;

use crate::access::OutsideIssuer;
use crate::exchanges::Exchanges;
use crate::keys::{KeyError, SigningKey};
use crate::listen::{self, Patience};
use crate::pipeline;
use crate::throttle::Throttle;
use crate::tls::{ReadyTls, TlsError};
use crate::verified::Verified;

/// What the server needs to know.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address by which callers know the service, without a slash at its end.
    pub address: String,
    /// How many on-demand requests one caller may send in ten seconds; the published figure is 5.
    pub on_demand_limit: usize,
    /// The largest body, in bytes.
    pub largest_body: usize,
    /// How long a connection may take until the head of its next request is there.
    pub head_time: Duration,
    /// How long a body may take.
    pub body_time: Duration,
    /// How long a caller may take nothing of an answer.
    pub answer_time: Duration,
    /// An outside issuer whose tokens are taken as well.
    pub outside_issuer: Option<OutsideIssuer>,
    /// How many uploads one caller may send in a second; the published figure is 40.
    pub upload_limit: usize,
    /// Where exchanges are written to, for whoever debugs a client.
    pub exchanges: Option<Arc<Exchanges>>,
    /// Answer on-demand requests in the form that live tenants use: a type name and a list.
    pub tenant_form: bool,
}

impl ServerOptions {
    /// The published figures, at this address.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.trim_end_matches('/').to_owned(),
            on_demand_limit: 5,
            upload_limit: 40,
            exchanges: None,
            largest_body: 4 * 1024 * 1024,
            // As long as common clients keep unused connections.
            head_time: Duration::from_secs(90),
            body_time: Duration::from_secs(30),
            answer_time: Duration::from_secs(60),
            outside_issuer: None,
            tenant_form: false,
        }
    }
}

/// What every request shares.
pub struct State {
    /// The service behind.
    pub engine: Engine,
    /// The options.
    pub options: ServerOptions,
    /// The key that signs tokens.
    pub key: SigningKey,
    /// The issuer in our tokens.
    pub issuer: String,
    /// Tokens of ours that were verified.
    pub verified: Verified,
    /// On-demand requests of each caller.
    pub throttle: Throttle,
    /// Uploads of each caller.
    pub upload_throttle: Throttle,
}

/// The server.
pub struct Server {
    state: Arc<State>,
}

impl Server {
    /// A server over an engine.
    ///
    /// # Errors
    /// The signing key cannot be read or made.
    pub async fn new(engine: Engine, options: ServerOptions) -> Result<Self, KeyError> {
        let key = SigningKey::load(engine.store.as_ref()).await?;
        let issuer = format!("{}/{}/v2.0", options.address, engine.settings.tenant);
        let throttle = Throttle::new(options.on_demand_limit, 10);
        let upload_throttle = Throttle::new(options.upload_limit, 1);
        let verified = Verified::default();
        let state = State { engine, options, key, issuer, verified, throttle, upload_throttle };
        Ok(Self { state: Arc::new(state) })
    }

    /// The router; tests drive it in process.
    pub fn router(&self) -> Router {
        Router::new().fallback(pipeline::handle).with_state(self.state.clone())
    }

    /// Serves until `shutdown` ends, then finishes what is in flight.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn serve(
        self,
        listener: TcpListener,
        tls: ReadyTls,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), TlsError> {
        listen::serve(self.router(), listener, tls.0, self.patience(), shutdown)
            .await
            .map_err(TlsError::Serve)
    }

    /// Serves plain HTTP; for loopback addresses only.
    ///
    /// # Errors
    /// The listener cannot be used.
    pub async fn serve_plain(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        listen::serve(self.router(), listener, None, self.patience(), shutdown).await
    }

    fn patience(&self) -> Patience {
        Patience { head: self.state.options.head_time, answer: self.state.options.answer_time }
    }
}
