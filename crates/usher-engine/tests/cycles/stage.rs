//! A job between two directories in memory, with a transcript of what its cycles did.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;
use usher_core::cycle::JobState;
use usher_core::ports::{Clock, ConnectorError, ConnectorErrorKind, Effect, EventQuery, Store, StoredSecret};
use usher_core::{Entry, EntryId, EntryKind, JobId, ResetScope, Secret, Status};
use usher_engine::{Engine, Settings};
use usher_expr::Value;
use usher_testkit::{ManualClock, MemoryConnector, MemoryConnectors, MemoryStore, suites};
use uuid::Uuid;

pub const ACCOUNT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

pub struct Stage {
    pub engine: Engine,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub waits: Arc<Waits>,
    pub source: Arc<MemoryConnector>,
    pub target: Arc<MemoryConnector>,
    pub application: EntryId,
    pub job: JobId,
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
    /// A started job over empty directories; objects come by twos.
    pub async fn new() -> Self {
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()));
        let source = Arc::new(MemoryConnector::new(&[]).with_assignments());
        let target = Arc::new(MemoryConnector::new(&["userName"]));
        source.page_size(2);
        let connectors =
            MemoryConnectors::default().with("directory", source.clone()).with("scim", target.clone());
        let waits = Arc::new(Waits {
            clock: clock.clone(),
            stand_still: AtomicBool::new(false),
            begun: Notify::new(),
        });
        let engine = Engine::new(store.clone(), Arc::new(connectors), waits.clone(), Settings::new("tenant"));
        let properties = serde_json::json!({ "appId": "app", "displayName": "HR Portal" });
        let entry: Entry = suites::store::entry(EntryKind::ServicePrincipal, "sp", properties);
        store.put_entry(&entry).await.expect("the store takes it");
        let job = engine.create_job(&entry.id, "scim").await.expect("the job is made").id;
        engine.start_job(&entry.id, &job).await.expect("it starts");
        Self { engine, store, clock, waits, source, target, application: entry.id, job }
    }

    /// People in the source, assigned.
    pub fn people(&self, names: &[&str]) {
        for name in names {
            self.person(name, &[]);
        }
    }

    /// A person in the source, assigned.
    pub fn person(&self, name: &str, more: &[(&str, Value)]) {
        let upn = format!("{name}@x");
        let attributes =
            [("userPrincipalName", Value::from(upn.as_str())), ("displayName", Value::from(name))];
        self.source.put("User", name, attributes.into_iter().chain(more.iter().cloned()));
        self.source.entitle(name, true, true);
    }

    /// A group in the source, assigned.
    pub fn group(&self, name: &str, members: &[&str]) {
        let members = members.iter().map(|member| Value::Reference((*member).into()));
        self.source.put(
            "Group",
            name,
            [("displayName", Value::from(name)), ("members", Value::list(members))],
        );
        self.source.entitle(name, true, true);
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

    pub async fn secrets(&self, secrets: &[(&str, &str)]) {
        let secrets: Vec<StoredSecret> = secrets
            .iter()
            .map(|(key, value)| StoredSecret { key: (*key).to_owned(), value: Secret::new(*value) })
            .collect();
        self.store.put_secrets(&self.application, &secrets).await.expect("they are stored");
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
