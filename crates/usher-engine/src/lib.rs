//! The only place with time, concurrency and retry: asks the connectors, lets the core decide, does what the plan says.

mod ahead;
pub mod cases;
mod cycle;
mod failures;
mod finish;
mod holder;
mod locks;
mod on_demand;
mod pace;
mod plans;
mod prepared;
mod questions;
mod record;
mod scheduler;
mod subject;
mod target;
mod unsettled;

use std::sync::Arc;
use std::time::Duration;

use usher_core::ports::{Clock, Connectors, Store};

use cycle::Runs;
use locks::Locks;
pub use on_demand::{LinkedObjects, OnDemandAnswer, OnDemandRequest, Parameters, Subject};
pub use plans::PlanRequest;
use prepared::PreparedJobs;

/// The service without its front doors: everything a caller may ask for goes through `cases`.
#[derive(Clone)]
pub struct Engine {
    /// Everything that must survive a crash.
    pub store: Arc<dyn Store>,
    /// Makes connectors.
    pub connectors: Arc<dyn Connectors>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// The tenant and its limits.
    pub settings: Arc<Settings>,
    prepared: Arc<PreparedJobs>,
    locks: Arc<Locks>,
    runs: Arc<Runs>,
}

impl Engine {
    /// An engine over these ports.
    pub fn new(
        store: Arc<dyn Store>,
        connectors: Arc<dyn Connectors>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        Self {
            store,
            connectors,
            clock,
            settings: Arc::new(settings),
            prepared: Arc::default(),
            locks: Arc::default(),
            runs: Arc::default(),
        }
    }
}

impl Engine {
    /// The same engine, keeping events of the provisioning log for so long.
    #[must_use]
    pub fn keeping_log(mut self, retention: Duration) -> Self {
        self.settings = Arc::new(Settings { log_retention: retention, ..(*self.settings).clone() });
        self
    }
}

/// What is fixed for the life of the process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tenant id, a GUID.
    pub tenant: String,
    /// The tenant's default verified domain, which `DefaultDomain()` answers.
    pub default_domain: Option<String>,
    /// How many members one on-demand request may name; the published figure is 5.
    pub on_demand_members: usize,
    /// How long events of the provisioning log are kept; the published figure is 30 days.
    pub log_retention: Duration,
}

impl Settings {
    /// The settings of a tenant, with the published figures.
    pub fn new(tenant: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            default_domain: None,
            on_demand_members: 5,
            log_retention: Duration::from_secs(30 * 24 * 3600),
        }
    }
}
