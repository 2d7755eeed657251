//! A strict SCIM 2.0 application in memory: a target to try Usher against, that shows every request it gets
//! and can be told to fail.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use usher_sandbox::{Options, Sandbox};
//!
//! let running = Sandbox::start(Options::new("secret"), ([127, 0, 0, 1], 0).into()).await.unwrap();
//! assert!(running.base_address().ends_with("/scim/v2"));
//! running.stop().await;
//! # });
//! ```

mod answer;
mod api;
mod call;
mod check;
mod discovery;
mod exchange;
mod fault;
mod filter;
mod patch;
mod path;
mod refusal;
mod represent;
mod schema;
mod server;
mod store;
pub mod workday;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub use exchange::Exchange;
pub use fault::{Answer, Fault, Faults, Gate, When};
pub use server::Running;

use represent::{Projection, represent};
use schema::Kind;
use store::Store;

/// The path under which the application answers.
pub const BASE_PATH: &str = "/scim/v2";

/// Is told of every exchange, after the answer is made and before it leaves.
pub type Observer = Arc<dyn Fn(&Exchange) + Send + Sync>;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What a sandbox is made with.
#[derive(Clone)]
pub struct Options {
    /// The bearer token every request has to carry.
    pub token: String,
    /// Is told of every exchange.
    pub observer: Option<Observer>,
    /// Tells the time for `meta`. Without it each change is one second after the one before, beginning with
    /// the year 2026, so that the same requests get the same answers.
    pub clock: Option<Clock>,
    /// The most resources in one page of a list.
    pub page_limit: usize,
    /// What should go wrong; keep a clone to add faults while the sandbox runs.
    pub faults: Faults,
}

impl Options {
    /// A sandbox that knows one token and has no faults.
    pub fn new(token: impl Into<String>) -> Options {
        Options {
            token: token.into(),
            observer: None,
            clock: None,
            page_limit: 100,
            faults: Faults::default(),
        }
    }
}

/// The application. Clones share their resources.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

impl Sandbox {
    /// An application without resources.
    pub fn new(options: Options) -> Sandbox {
        let shared = Shared { options, store: RwLock::default(), ticks: AtomicI64::new(0) };
        Sandbox { shared: Arc::new(shared) }
    }

    /// The application as a service, without a network; it answers under [`BASE_PATH`].
    pub fn router(&self) -> axum::Router {
        api::router(self.shared.clone())
    }

    /// Starts an application of its own on a TCP address; port 0 takes a free one.
    pub async fn start(options: Options, address: SocketAddr) -> std::io::Result<Running> {
        Running::start(Sandbox::new(options), address).await
    }

    /// The handle to make requests fail.
    pub fn faults(&self) -> &Faults {
        &self.shared.options.faults
    }

    /// All users as answers show them, in the order of creation, with addresses that begin at [`BASE_PATH`].
    pub fn users(&self) -> Vec<Value> {
        self.snapshot(Kind::User)
    }

    /// All groups as answers show them, in the order of creation, with addresses that begin at [`BASE_PATH`].
    pub fn groups(&self) -> Vec<Value> {
        self.snapshot(Kind::Group)
    }

    fn snapshot(&self, kind: Kind) -> Vec<Value> {
        let store = self.shared.read();
        store
            .all(kind)
            .map(|record| Value::Object(represent(&store, record, BASE_PATH, &Projection::Default)))
            .collect()
    }
}

pub(crate) struct Shared {
    pub(crate) options: Options,
    store: RwLock<Store>,
    ticks: AtomicI64,
}

impl Shared {
    // A change is either complete or was refused before it began, so a poisoned store is still whole.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        match &self.options.clock {
            Some(clock) => clock(),
            None => {
                let first = Timestamp::constant(1_767_225_600, 0);
                let ticks = self.ticks.fetch_add(1, Ordering::Relaxed);
                first.checked_add(SignedDuration::from_secs(ticks)).unwrap_or(first)
            }
        }
    }
}
