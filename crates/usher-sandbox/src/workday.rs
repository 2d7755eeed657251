//! A test double of Workday Human_Resources: strict about requests, with workers whose history is dated twice, by when
//! something was entered and when it takes effect. Nobody's tenant: it stands in where no public server exists.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use usher_sandbox::workday::{Workday, WorkdayOptions};
//!
//! let running = Workday::start(WorkdayOptions::new("acme", "secret"), ([127, 0, 0, 1], 0).into()).await.unwrap();
//! assert!(running.address("v43.0").ends_with("/ccx/service/acme/Human_Resources/v43.0"));
//! # });
//! ```

mod answer;
mod history;
mod request;
mod server;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

pub use history::{Event, Fields};
pub use server::RunningWorkday;

use history::{Organisation, Worker};

/// Is told of every request: what was asked in a line, the status, and how many workers were in the answer.
pub type WorkdayObserver = Arc<dyn Fn(&str, u16, usize) + Send + Sync>;

/// What a double is made with.
#[derive(Clone)]
pub struct WorkdayOptions {
    /// The tenant in addresses and user names.
    pub tenant: String,
    /// The integration system user, without the tenant.
    pub user: String,
    /// Its password.
    pub password: String,
    /// The prefix of the Workday namespace in answers.
    pub prefix: String,
    /// Elements below `Worker_Data` that the user may not see: they are simply absent.
    pub hidden: Vec<String>,
    /// Is told of every request.
    pub observer: Option<WorkdayObserver>,
}

impl WorkdayOptions {
    /// A tenant whose user is `isu_usher`.
    pub fn new(tenant: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            user: "isu_usher".to_owned(),
            password: password.into(),
            prefix: "wd".to_owned(),
            hidden: Vec::new(),
            observer: None,
        }
    }
}

/// What goes wrong with the next request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Status 429 with this many seconds to wait.
    Throttle(u64),
    /// A status with a page of HTML in place of SOAP.
    Page(u16),
    /// A fault of this code and text.
    Fault(String, String),
    /// The answer ends in its middle.
    CutOff,
    /// The page begins so many workers too early, as when others were entered in front of them.
    Shift(usize),
}

/// The tenant. Clones share its workers.
#[derive(Clone)]
pub struct Workday {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    options: WorkdayOptions,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    workers: Vec<Worker>,
    organisations: Vec<Organisation>,
    troubles: VecDeque<Trouble>,
    requests: Vec<String>,
}

impl Workday {
    /// A tenant without workers.
    pub fn new(options: WorkdayOptions) -> Self {
        Self { shared: Arc::new(Shared { options, state: Mutex::default() }) }
    }

    /// Starts a tenant of its own on a TCP address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(options: WorkdayOptions, address: SocketAddr) -> std::io::Result<RunningWorkday> {
        RunningWorkday::start(Self::new(options), address).await
    }

    /// Makes or changes a supervisory organisation: its name, the one above it, and the worker id of its manager.
    pub fn organisation(&self, id: &str, name: &str, above: Option<&str>, manager: Option<&str>) {
        let mut state = self.state();
        state.organisations.retain(|one| one.id != id);
        state.organisations.push(Organisation {
            id: id.to_owned(),
            name: name.to_owned(),
            above: above.map(str::to_owned),
            manager: manager.map(str::to_owned),
        });
    }

    /// Enters something that happens to an employee of this worker id, who is made when there is none. `effective` is
    /// the day from which it counts.
    pub fn employee(&self, id: &str, entered: Timestamp, effective: Date, event: Event) {
        self.enter(id, false, entered, effective, event);
    }

    /// The same for a contingent worker: another profile, even with the same worker id.
    pub fn contingent_worker(&self, id: &str, entered: Timestamp, effective: Date, event: Event) {
        self.enter(id, true, entered, effective, event);
    }

    /// Takes back what was entered last for a worker that took effect or will on this day, as of `entered`.
    pub fn rescind(&self, id: &str, is_contingent: bool, entered: Timestamp, effective: Date) {
        if let Some(worker) = self.state().worker(id, is_contingent) {
            worker.rescind(entered, effective);
        }
    }

    /// Makes a second profile of a worker id that is taken, as a data error does.
    pub fn duplicate(&self, id: &str, entered: Timestamp, effective: Date, fields: Fields) {
        let mut state = self.state();
        let mut worker = Worker::new(id, false);
        worker.wid = history::wid(&format!("duplicate {id}"));
        worker.enter(entered, effective, Event::Hire(fields));
        state.workers.push(worker);
    }

    /// The WID of a worker.
    pub fn wid(id: &str, is_contingent: bool) -> String {
        history::wid_of(id, is_contingent)
    }

    /// Lets something go wrong: with the next request, or the one after those that are to go wrong already.
    pub fn trouble(&self, trouble: Trouble) {
        self.state().troubles.push_back(trouble);
    }

    /// Every request so far, a line each: what was asked, as of when.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    fn enter(&self, id: &str, is_contingent: bool, entered: Timestamp, effective: Date, event: Event) {
        let mut state = self.state();
        if state.worker(id, is_contingent).is_none() {
            state.workers.push(Worker::new(id, is_contingent));
        }
        if let Some(worker) = state.worker(id, is_contingent) {
            worker.enter(entered, effective, event);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Shared {
    // Every change is whole before the lock is let go.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn worker(&mut self, id: &str, is_contingent: bool) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|worker| worker.id == id && worker.is_contingent == is_contingent)
    }
}
