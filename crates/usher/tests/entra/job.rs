//! A job whose target is the tenant.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{EventQuery, Store, StoredSecret};
use usher_core::{EntryId, EntryKind, Initiator, JobId, ProvisioningEvent, RuleId, Secret, Status};
use usher_engine::{Engine, LinkedObjects, OnDemandRequest, Parameters, Settings, Subject};
use usher_testkit::{ManualClock, MemoryStore, suites};

use crate::stage::Tenant;

/// A job of a template, and the tenant that it writes to.
pub struct Job<'a> {
    pub tenant: &'a Tenant,
    pub engine: Engine,
    pub store: Arc<MemoryStore>,
    pub clock: Arc<ManualClock>,
    pub principal: EntryId,
    pub id: JobId,
}

impl<'a> Job<'a> {
    /// A job that has its secrets and is not started. `source` says where people come from.
    pub async fn new(
        tenant: &'a Tenant,
        template: &str,
        source: &[(&str, &str)],
        http: HttpOptions,
        clock: Arc<ManualClock>,
    ) -> Self {
        let store = Arc::new(MemoryStore::default());
        let connectors = AllConnectors::new(store.clone(), clock.clone(), http).expect("good options");
        let engine = Engine::new(store.clone(), Arc::new(connectors), clock.clone(), Settings::new("ours"));
        let properties = json!({ "appId": "app", "displayName": "Cloud" });
        let entry = suites::store::entry(EntryKind::ServicePrincipal, "sp", properties);
        store.put_entry(&entry).await.expect("the store takes it");
        let of_tenant = tenant.settings().iter().map(|(key, value)| (*key, value.as_str()));
        let secrets: Vec<StoredSecret> = of_tenant
            .chain(source.iter().copied())
            .map(|(key, value)| StoredSecret { key: key.to_owned(), value: Secret::new(value) })
            .collect();
        store.put_secrets(&entry.id, &secrets).await.expect("they are stored");
        let id = engine.create_job(&entry.id, template).await.expect("the job is made").id;
        Self { tenant, engine, store, clock, principal: entry.id, id }
    }

    pub async fn start(&self) {
        self.engine.start_job(&self.principal, &self.id).await.expect("it starts");
    }

    /// One attribute more, mapped directly.
    pub async fn map(&self, target: &str, source: &str) {
        let schema = self.engine.schema(&self.principal, &self.id).await.expect("it has a schema");
        let mut document = schema.to_json();
        let mappings = &mut document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"];
        let mut mapping = mappings[1].clone();
        mapping["targetAttributeName"] = target.into();
        mapping["matchingPriority"] = 0.into();
        mapping["source"] = json!({
            "expression": format!("[{source}]"), "name": source, "type": "Attribute", "parameters": [],
        });
        mappings.as_array_mut().expect("it is a list").push(mapping);
        let document = document.to_string();
        let replaced = self.engine.replace_schema(&self.principal, &self.id, document.as_bytes()).await;
        replaced.expect("it is a schema");
    }

    /// An attribute less.
    pub async fn unmap(&self, target: &str) {
        let schema = self.engine.schema(&self.principal, &self.id).await.expect("it has a schema");
        let mut document = schema.to_json();
        let mappings = &mut document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"];
        let mappings = mappings.as_array_mut().expect("it is a list");
        let before = mappings.len();
        mappings.retain(|mapping| mapping["targetAttributeName"] != target);
        assert!(mappings.len() < before, "{target} is mapped");
        let document = document.to_string();
        let replaced = self.engine.replace_schema(&self.principal, &self.id, document.as_bytes()).await;
        replaced.expect("it is a schema");
    }

    /// The service starts again, with what is in the store.
    pub fn restart(&mut self) {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let connectors = AllConnectors::new(store.clone(), clock.clone(), HttpOptions::default());
        let connectors = Arc::new(connectors.expect("good options"));
        self.engine = Engine::new(store, connectors, clock, Settings::new("ours"));
    }

    /// Provisions one object now.
    pub async fn provision(&self, object_type: &str, id: &str) -> ProvisioningEvent {
        let schema = self.engine.schema(&self.principal, &self.id).await.expect("it has a schema");
        let subject = Subject {
            object_id: id.to_owned(),
            object_type: object_type.to_owned(),
            links: LinkedObjects::default(),
        };
        let rule = RuleId::new(schema.synchronization_rules[0].id.as_str());
        let request = OnDemandRequest {
            job: self.id.clone(),
            parameters: vec![Parameters { rule, subjects: vec![subject] }],
            dry_run: false,
            initiated_by: Initiator {
                id: String::new(),
                display_name: "test".to_owned(),
                initiator_type: "system".to_owned(),
            },
        };
        self.engine.provision_on_demand(&self.principal, request).await.expect("a good request").event
    }

    /// Some time passes, then the job runs: how that ended, and every event in a line.
    pub async fn run(&self) -> String {
        self.clock.advance(Duration::from_secs(3_600));
        let state = self.engine.run_job(&self.id).await.expect("the store works");
        let execution = state.last_execution.as_ref().expect("it ran");
        let query = EventQuery { cycle: Some(execution.id.clone()), limit: 1_000, ..EventQuery::default() };
        let events = self.store.events(&query).await.expect("they list");
        let mut lines: Vec<String> = events.iter().map(told).collect();
        lines.sort();
        let error = execution.error.as_ref().map(|error| format!(" {}: {}", error.code, error.message));
        let state = format!("{:?}{}", execution.state, error.unwrap_or_default());
        format!("{}{} {state}\n", lines.concat(), execution.kind.as_str())
    }

    /// What the log says of an object, from the first event to the last.
    pub async fn events(&self, reportable: &str) -> Vec<String> {
        let events = self.store.events(&EventQuery { limit: 1_000, ..EventQuery::default() }).await;
        let mut events = events.expect("they list");
        events.retain(|event| event.reportable_identifier == reportable);
        events.sort_by_key(|event| event.began_at);
        let said = |event: &ProvisioningEvent| {
            let steps = event.steps.iter().map(|step| step.step.description.as_str());
            steps.collect::<Vec<_>>().join("\n")
        };
        events.iter().map(said).collect()
    }

    /// The users that the tenant has besides those it began with, with these properties.
    pub async fn users(&self, properties: &[&str]) -> String {
        let path = format!("/v1.0/users?$select=userPrincipalName,{}&$expand=manager", properties.join(","));
        let users = self.tenant.client.list(&path).await.expect("they are listed");
        let mut lines: Vec<String> = users
            .iter()
            .map(|user| {
                let text = |value: &Value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let mut line = text(&user["userPrincipalName"]);
                for property in properties.iter().filter(|property| !user[**property].is_null()) {
                    let _ = write!(line, " {property}={}", text(&user[*property]));
                }
                if let Some(manager) = user["manager"]["userPrincipalName"].as_str() {
                    let _ = write!(line, " under {manager}");
                }
                line + "\n"
            })
            .collect();
        lines.sort();
        lines.concat()
    }
}

fn told(event: &ProvisioningEvent) -> String {
    let action = serde_json::to_value(event.action).expect("it is text");
    let status = match event.status {
        Status::Success => "success",
        Status::Warning => "warning",
        Status::Failure => "failure",
        Status::Skipped => "skipped",
    };
    let why = match (&event.skip_reason, &event.failure) {
        (Some(reason), _) => format!(" {}", reason.as_str()),
        (_, Some(failure)) => format!(" {}: {}", failure.code, failure.reason),
        _ => String::new(),
    };
    format!("{} {} {status}{why}\n", event.reportable_identifier, action.as_str().unwrap_or_default())
}
