//! A started job between two directories in memory: what tests of cycles and tests of plans begin with.

use std::sync::Arc;

use usher_core::ports::{Clock, Store, StoredSecret};
use usher_core::{Entry, EntryId, EntryKind, JobId, Secret};
use usher_engine::{Engine, Settings};
use usher_expr::Value;
use usher_testkit::{ManualClock, MemoryConnector, MemoryConnectors, MemoryStore, suites};

/// The target's name of people.
pub const ACCOUNT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The job, and what is around it.
pub struct Stage {
    pub engine: Engine,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub source: Arc<MemoryConnector>,
    pub target: Arc<MemoryConnector>,
    pub application: EntryId,
    pub job: JobId,
}

impl Stage {
    /// A started job over empty directories; objects come by twos. `time` makes the engine's clock of the one that
    /// tests move.
    pub async fn with(time: impl FnOnce(Arc<ManualClock>) -> Arc<dyn Clock>) -> Self {
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()));
        let source = Arc::new(MemoryConnector::new(&[]).with_assignments());
        let target = Arc::new(MemoryConnector::new(&["userName"]));
        source.page_size(2);
        let connectors =
            MemoryConnectors::default().with("directory", source.clone()).with("scim", target.clone());
        let time = time(clock.clone());
        let engine = Engine::new(store.clone(), Arc::new(connectors), time, Settings::new("tenant"));
        let properties = serde_json::json!({ "appId": "app", "displayName": "HR Portal" });
        let entry: Entry = suites::store::entry(EntryKind::ServicePrincipal, "sp", properties);
        store.put_entry(&entry).await.expect("the store takes it");
        let job = engine.create_job(&entry.id, "scim").await.expect("the job is made").id;
        engine.start_job(&entry.id, &job).await.expect("it starts");
        Self { engine, store, clock, source, target, application: entry.id, job }
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

    /// The secrets of the job, in place of those that there are.
    pub async fn secrets(&self, secrets: &[(&str, &str)]) {
        let secrets: Vec<StoredSecret> = secrets
            .iter()
            .map(|(key, value)| StoredSecret { key: (*key).to_owned(), value: Secret::new(*value) })
            .collect();
        self.store.put_secrets(&self.application, &secrets).await.expect("they are stored");
    }
}
