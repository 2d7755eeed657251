//! A job between two directories in memory, with a transcript of what its cycles did.

#[path = "../stage/mod.rs"]
mod base;

use std::fmt::Write as _;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;
use usher_core::cycle::JobState;
use usher_core::ports::{Clock, ConnectorError, ConnectorErrorKind, Effect, EventQuery, Store};
use usher_core::{ResetScope, Status};
use usher_testkit::ManualClock;
use uuid::Uuid;

pub use base::ACCOUNT;

/// The job, and a clock that may stand still.
pub struct Stage {
    base: base::Stage,
    pub waits: Arc<Waits>,
}

impl Deref for Stage {
    type Target = base::Stage;

    fn deref(&self) -> &base::Stage {
        &self.base
    }
}

/// A clock on which waiting may take for ever.
pub struct Waits {
    clock: Arc<ManualClock>,
    pub stand_still: AtomicBool,
    /// Somebody waits, and time stands still.
    pub begun: Notify,
}

#[async_trait]
impl Clock for Waits {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn wait(&self, duration: Duration) {
        if self.stand_still.load(Ordering::SeqCst) {
            self.begun.notify_one();
            std::future::pending::<()>().await;
        }
        self.clock.wait(duration).await;
    }

    fn guid(&self) -> Uuid {
        self.clock.guid()
    }
}

/// Gives whoever else is at work the time to end, then the value.
pub async fn ends<T>(work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    for _ in 0..10_000 {
        tokio::select! {
            biased;
            ended = &mut work => return ended,
            () = tokio::task::yield_now() => {}
        }
    }
    panic!("it does not end");
}

impl Stage {
    /// A started job over empty directories.
    pub async fn new() -> Self {
        let mut waits = None;
        let base = base::Stage::with(|clock| {
            let made = Arc::new(Waits { clock, stand_still: AtomicBool::new(false), begun: Notify::new() });
            waits.insert(made).clone()
        })
        .await;
        Self { base, waits: waits.expect("a clock was made") }
    }

    /// People in the source, assigned.
    pub fn people(&self, names: &[&str]) {
        for name in names {
            self.person(name, &[]);
        }
    }

    /// Runs the job and tells what was logged, then how the run ended.
    pub async fn run(&self) -> String {
        let state = self.engine.run_job(&self.job).await.expect("the store works");
        self.transcript(&state).await
    }

    /// Runs the job and looks at its progress whenever something is stored: objects done, and in all.
    pub async fn watch(&self, seen: &mut Vec<(u64, Option<u64>)>) {
        let run = self.engine.run_job(&self.job);
        tokio::pin!(run);
        loop {
            tokio::select! {
                biased;
                ended = &mut run => return drop(ended.expect("the store works")),
                () = tokio::task::yield_now() => {
                    let cycle = self.state().await.cycle;
                    seen.extend(cycle.map(|cycle| (cycle.counts.imported, cycle.total)));
                }
            }
        }
    }

    /// Waits for the next interval, then runs the job.
    pub async fn next(&self) -> String {
        self.clock.advance(Duration::from_secs(40 * 60));
        self.run().await
    }

    pub async fn state(&self) -> JobState {
        self.store.job_state(&self.job).await.expect("it reads").unwrap_or_default()
    }

    pub async fn restart(&self, scope: &str) {
        let scope = ResetScope::parse(scope).expect("a scope");
        self.engine.restart_job(&self.application, &self.job, scope).await.expect("it restarts");
    }

    /// The accounts in the target, sorted: name, whether active, manager.
    pub fn accounts(&self) -> String {
        let mut lines: Vec<String> = self
            .target
            .objects()
            .iter()
            .map(|object| {
                let text = |name: &str| {
                    let value = object.attributes.value(name);
                    value.map(|value| value.to_text().to_string()).unwrap_or_default()
                };
                if object.object_type == ACCOUNT {
                    let switch = if text("active") == "True" { "active" } else { "disabled" };
                    let manager = text(&format!("{ACCOUNT}:manager"));
                    let manager =
                        if manager.is_empty() { String::new() } else { format!(" manager {manager}") };
                    format!("{} {switch}{manager}", text("userName"))
                } else {
                    let members = object.attributes.value("members");
                    let members: Vec<String> = members
                        .map(|members| members.values().iter().map(|one| one.to_text().to_string()).collect())
                        .unwrap_or_default();
                    format!("group {}: {}", text("displayName"), members.join(" "))
                }
            })
            .collect();
        lines.sort();
        lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    async fn transcript(&self, state: &JobState) -> String {
        let Some(execution) = state.last_execution.as_ref() else { return "nothing ran\n".to_owned() };
        let mut text = format!("cycle {}\n", execution.kind.as_str());
        let query = EventQuery { cycle: Some(execution.id.clone()), limit: 1000, ..EventQuery::default() };
        let mut events = self.store.events(&query).await.expect("they list");
        events.retain(|event| event.ended_at >= execution.began_at);
        events.reverse();
        for event in events {
            let action = serde_json::to_value(event.action).expect("it is text");
            let status = match event.status {
                Status::Success => "success",
                Status::Warning => "warning",
                Status::Failure => "failure",
                Status::Skipped => "skipped",
            };
            let why = match (&event.skip_reason, &event.failure) {
                (Some(reason), _) => format!("  {}", reason.as_str()),
                (_, Some(failure)) => format!("  {}", failure.code),
                _ => String::new(),
            };
            let name = event.reportable_identifier.trim_end_matches("@x");
            let _ = writeln!(text, "  {name:<6} {:<12} {status}{why}", action.as_str().unwrap_or_default());
        }
        let _ = write!(text, "{:?}", execution.state);
        if let Some(error) = &execution.error {
            let _ = write!(text, " {}", error.code);
        }
        if let Some(quarantine) = &state.quarantine {
            let _ = write!(text, ", quarantine {}", quarantine.reason.as_str());
        }
        text + "\n"
    }
}

/// A write took effect, and nobody knows.
pub fn lost_answer() -> ConnectorError {
    ConnectorError { effect: Effect::Unknown, ..failure(ConnectorErrorKind::Unreachable) }
}

pub fn failure(kind: ConnectorErrorKind) -> ConnectorError {
    let code = match kind {
        ConnectorErrorKind::Unauthorised => "Unauthorized",
        ConnectorErrorKind::Throttled => "TooManyRequests",
        _ => "InternalServerError",
    };
    ConnectorError::new(kind, code, "the target failed")
}
