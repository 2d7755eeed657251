//! A job between the double and the directory inside, with a transcript of what its cycles did.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{Clock, EntryQuery, EventQuery, Store, StoredSecret};
use usher_core::{
    Entry, EntryId, EntryKind, Initiator, JobId, ProvisioningEvent, Relation, ResetScope, Secret, Status,
};
use usher_engine::{Engine, LinkedObjects, OnDemandRequest, Parameters, Settings, Subject};
use usher_sandbox::workday::{Event, Fields, RunningWorkday, Workday, WorkdayOptions};
use usher_testkit::{ManualClock, MemoryStore, suites};

/// Noon in Pacific time, so that days are what they seem.
const NOON: &str = "2026-03-02T20:00:00Z";
const DAY: Duration = Duration::from_secs(24 * 3600);

pub struct Stage {
    pub engine: Engine,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub running: RunningWorkday,
    pub application: EntryId,
    pub job: JobId,
}

/// Texts of a worker by name.
pub fn fields(pairs: &[(&'static str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(WorkdayOptions::new("acme", "secret"), "Workday2AAD", "v43.0").await
    }

    /// A started job of a template over a tenant at an address of this version.
    pub async fn with(options: WorkdayOptions, template: &str, version: &str) -> Self {
        let stage = Self::unstarted(options, template, HttpOptions::default()).await;
        stage.secrets(&stage.running.address(version), &stage.running.user(), "secret").await;
        stage.start().await;
        stage
    }

    /// A job of a template that has no secrets yet.
    pub async fn unstarted(options: WorkdayOptions, template: &str, http: HttpOptions) -> Self {
        let clock = Arc::new(ManualClock::at(NOON.parse().expect("an instant")));
        let store = Arc::new(MemoryStore::default());
        let running = Workday::start(options, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .await
            .expect("the double listens");
        let connectors = AllConnectors::new(store.clone(), clock.clone(), http).expect("good options");
        let engine = Engine::new(store.clone(), Arc::new(connectors), clock.clone(), Settings::new("tenant"));
        let properties = serde_json::json!({ "appId": "app", "displayName": "HR" });
        let entry: Entry = suites::store::entry(EntryKind::ServicePrincipal, "sp", properties);
        store.put_entry(&entry).await.expect("the store takes it");
        Self {
            job: engine.create_job(&entry.id, template).await.expect("the job is made").id,
            engine,
            store,
            clock,
            application: entry.id,
            running,
        }
    }

    /// Starts the job of a company with three departments.
    pub async fn start(&self) {
        self.engine.start_job(&self.application, &self.job).await.expect("it starts");
        self.workday().organisation("exec", "Executive Office", None, Some("1"));
        self.workday().organisation("sales", "Sales", Some("exec"), Some("2"));
        self.workday().organisation("eng", "Engineering", Some("exec"), None);
    }

    pub async fn secrets(&self, address: &str, user: &str, password: &str) {
        self.store_secrets(&[("BaseAddress", address), ("UserName", user), ("Password", password)]).await;
    }

    pub async fn store_secrets(&self, pairs: &[(&str, &str)]) {
        let secrets: Vec<StoredSecret> = pairs
            .iter()
            .map(|(key, value)| StoredSecret { key: (*key).to_owned(), value: Secret::new(*value) })
            .collect();
        self.store.put_secrets(&self.application, &secrets).await.expect("they are stored");
    }

    /// Sets one setting of the job.
    pub async fn set(&self, name: &str, value: &str) {
        let settings = [(name.to_owned(), value.to_owned())];
        let set = self.engine.update_job(&self.application, &self.job, None, &settings).await;
        set.expect("it is a setting");
    }

    /// Has everything read again.
    pub async fn restart(&self) {
        let again = self.engine.restart_job(&self.application, &self.job, ResetScope::WATERMARK).await;
        again.expect("it restarts");
    }

    pub fn workday(&self) -> &Workday {
        self.running.workday()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Hires somebody as of a day, entered now.
    pub fn hire(&self, id: &str, day: &str, first: &str, last: &str, more: &[(&'static str, &str)]) {
        let mut all = fields(&[("first_name", first), ("last_name", last), ("organisation", "sales")]);
        all.extend(fields(more));
        self.happens(id, day, Event::Hire(all));
    }

    /// Something happens to an employee as of a day, entered now.
    pub fn happens(&self, id: &str, day: &str, event: Event) {
        self.workday().employee(id, self.now(), day.parse().expect("a day"), event);
    }

    /// A minute passes, then the job runs; tells what was logged, then how the run ended.
    pub async fn run(&self) -> String {
        self.clock.advance(Duration::from_secs(60));
        let state = self.engine.run_job(&self.job).await.expect("the store works");
        let Some(execution) = state.last_execution.as_ref() else { return "nothing ran\n".to_owned() };
        let mut text = format!("cycle {}\n", execution.kind.as_str());
        let query = EventQuery { cycle: Some(execution.id.clone()), limit: 1000, ..EventQuery::default() };
        let mut events = self.store.events(&query).await.expect("they list");
        events.retain(|event| event.ended_at >= execution.began_at);
        events.reverse();
        let mut lines: Vec<String> = events.iter().map(told).collect();
        lines.sort();
        lines.iter().for_each(|line| text.push_str(line));
        let _ = write!(text, "{:?}", execution.state);
        if let Some(error) = &execution.error {
            let _ = write!(text, " {}: {}", error.code, self.without_port(&error.message));
        }
        if let Some(quarantine) = &state.quarantine {
            let _ = write!(text, ", quarantine {}", quarantine.reason.as_str());
        }
        text + "\n"
    }

    /// A day passes, then the job runs.
    pub async fn next_day(&self) -> String {
        self.clock.advance(DAY - Duration::from_secs(60));
        self.run().await
    }

    /// Provisions one worker now and tells what came of it.
    pub async fn provision(&self, id: &str) -> String {
        told(&self.event(id).await).trim_start().to_owned()
    }

    /// Provisions one worker now and gives the event.
    pub async fn event(&self, id: &str) -> ProvisioningEvent {
        let schema = self.engine.schema(&self.application, &self.job).await.expect("it has a schema");
        let subject = Subject {
            object_id: id.to_owned(),
            object_type: "Worker".to_owned(),
            links: LinkedObjects::default(),
        };
        let request = OnDemandRequest {
            job: self.job.clone(),
            parameters: vec![Parameters {
                rule: usher_core::RuleId::new(schema.synchronization_rules[0].id.as_str()),
                subjects: vec![subject],
            }],
            dry_run: false,
            initiated_by: Initiator {
                id: String::new(),
                display_name: "test".to_owned(),
                initiator_type: "system".to_owned(),
            },
        };
        self.engine.provision_on_demand(&self.application, request).await.expect("a good request").event
    }

    /// The accounts in the directory inside, sorted: name, whether enabled, employee id, title, department, manager.
    pub async fn accounts(&self) -> String {
        let query =
            EntryQuery { kind: EntryKind::User, deleted: false, after: None, limit: 1000, equals: None };
        let mut lines = Vec::new();
        let users = self.store.entries(&query).await.expect("they list");
        let name = |entry: &Entry| {
            entry.text("userPrincipalName").unwrap_or_default().trim_end_matches("@contoso.com").to_owned()
        };
        for user in &users {
            let switch = if user.is_true("accountEnabled") { "enabled" } else { "disabled" };
            let mut line = format!("{} {switch}", name(user));
            for property in ["employeeId", "jobTitle", "department", "city", "mail"] {
                if let Some(value) = user.text(property) {
                    let _ = write!(line, " {value}");
                }
            }
            let managers = self.store.links_from(&user.id, Relation::Manager, None, 9).await;
            for link in managers.expect("they list") {
                if let Some(manager) = users.iter().find(|other| other.id == link) {
                    let _ = write!(line, " under {}", name(manager));
                }
            }
            lines.push(line + "\n");
        }
        lines.sort();
        lines.concat()
    }

    /// What a failure says, without the port, which is another one every time.
    pub fn without_port(&self, text: &str) -> String {
        text.replace(&self.running.listens.to_string(), "tenant")
    }
}

/// An event in a line.
fn told(event: &ProvisioningEvent) -> String {
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
    format!("  {} {} {status}{why}\n", event.reportable_identifier, action.as_str().unwrap_or_default())
}
