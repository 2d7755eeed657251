//! A whole job: from a tenant through Microsoft Graph into a SCIM application.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{Store, StoredSecret};
use usher_core::{Entry, EntryId, EntryKind, JobId, Secret};
use usher_engine::{Engine, Settings};
use usher_sandbox::{Options, Running, Sandbox};
use usher_testkit::{ManualClock, MemoryStore, suites};

use crate::stage::Tenant;

/// The job and what it writes to.
struct Story {
    engine: Engine,
    clock: Arc<ManualClock>,
    application: Running,
    principal: EntryId,
    job: JobId,
}

impl Story {
    async fn start(tenant: &Tenant, assigned_to: &str) -> Self {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let application = Sandbox::start(Options::new("t"), anywhere).await.expect("the sandbox starts");
        let clock = Arc::new(ManualClock::at(tenant.engine.clock.now()));
        let store = Arc::new(MemoryStore::default());
        let http = HttpOptions::default();
        let connectors = AllConnectors::new(store.clone(), clock.clone(), http).expect("good options");
        let engine = Engine::new(store.clone(), Arc::new(connectors), clock.clone(), Settings::new("ours"));
        let properties = json!({ "appId": "app", "displayName": "Portal" });
        let entry: Entry = suites::store::entry(EntryKind::ServicePrincipal, "sp", properties);
        store.put_entry(&entry).await.expect("the store takes it");
        let mut secrets = tenant.settings().to_vec();
        secrets.push(("ServicePrincipalId", assigned_to.to_owned()));
        secrets.push(("BaseAddress", application.base_address()));
        secrets.push(("SecretToken", "t".to_owned()));
        let secrets: Vec<StoredSecret> = secrets
            .into_iter()
            .map(|(key, value)| StoredSecret { key: key.to_owned(), value: Secret::new(value) })
            .collect();
        store.put_secrets(&entry.id, &secrets).await.expect("they are stored");
        let job = engine.create_job(&entry.id, "Entra2Scim").await.expect("the job is made").id;
        engine.start_job(&entry.id, &job).await.expect("it starts");
        Self { engine, clock, application, principal: entry.id, job }
    }

    /// The service starts again, with what is in the store.
    fn restart(&mut self) {
        let store = self.engine.store.clone();
        let connectors = AllConnectors::new(store.clone(), self.clock.clone(), HttpOptions::default());
        let connectors = Arc::new(connectors.expect("good options"));
        self.engine = Engine::new(store, connectors, self.clock.clone(), Settings::new("ours"));
    }

    /// Runs the job, and tells how that ended and which accounts there are then.
    async fn run(&self) -> String {
        self.clock.advance(Duration::from_secs(3_600));
        let state = self.engine.run_job(&self.job).await.expect("the store works");
        let execution = state.last_execution.as_ref().expect("it ran");
        let error = execution.error.as_ref().map(|error| format!(" {}: {}", error.code, error.message));
        let mut accounts: Vec<String> = self
            .application
            .sandbox()
            .users()
            .iter()
            .map(|user| {
                let name = user["userName"].as_str().unwrap_or_default();
                let manager = match user.get("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User") {
                    Some(enterprise) if !enterprise["manager"].is_null() => " with manager",
                    _ => "",
                };
                format!(
                    "{name} {}{manager}",
                    if user["active"] == json!(true) { "active" } else { "inactive" }
                )
            })
            .collect();
        accounts.sort();
        format!(
            "{} {:?}{}: {}",
            execution.kind.as_str(),
            execution.state,
            error.unwrap_or_default(),
            accounts.join(", ")
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_assigned_in_the_tenant_gets_an_account_and_loses_it_with_the_assignment() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let (ann, bob) = (tenant.user("ann").await, tenant.user("bob").await);
    tenant.user("cleo").await;
    let reference = json!({ "@odata.id": format!("https://graph.example/v1.0/users/{bob}") });
    tenant
        .client
        .put(&format!("/v1.0/users/{ann}/manager/$ref"), &reference)
        .await
        .expect("he is her manager");
    let group = tenant.group("Retail", &[&ann]).await;
    tenant.assign(&hr, &group).await;
    let direct = tenant.assign(&hr, &bob).await;
    let story = Story::start(&tenant, &hr).await;
    let tested = story.engine.validate_credentials(&story.principal, Some(&story.job), None, None).await;
    tested.expect("both sides are reached, although they know other objects");

    let told = story.run().await;
    assert_eq!(
        told,
        "initial Succeeded: ann@contoso.example active with manager, bob@contoso.example active"
    );
    let groups = story.application.sandbox().groups();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0]["members"].as_array().map(Vec::len), Some(1));

    // The assignment goes, somebody new comes, somebody is renamed.
    let path = format!("/v1.0/servicePrincipals/{hr}/appRoleAssignedTo/{direct}");
    tenant.client.delete(&path).await.expect("he is assigned no more");
    let dora = tenant.user("dora").await;
    tenant.assign(&hr, &dora).await;
    let told = story.run().await;
    assert!(told.starts_with("incremental Succeeded: ann@contoso.example active"), "{told}");
    assert!(told.contains("bob@contoso.example inactive, dora@contoso.example active"), "{told}");

    // The tenant has forgotten where we were: everything is read again, and nobody is made twice.
    tenant.faults.forgets.store(1, std::sync::atomic::Ordering::SeqCst);
    tenant.client.delete(&format!("/v1.0/users/{dora}")).await.expect("she is deleted");
    let told = story.run().await;
    assert!(told.starts_with("initial Succeeded: "), "in the same run: {told}");
    assert!(told.contains("bob@contoso.example inactive, dora@contoso.example inactive"), "{told}");
    assert_eq!(told.matches('@').count(), 3, "{told}");
    assert_eq!(story.principal.as_str(), "sp");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_whom_the_tenant_does_not_know_everywhere_yet_gets_the_account_a_cycle_later() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let ann = tenant.user("ann").await;
    tenant.assign(&hr, &ann).await;
    let story = Story::start(&tenant, &hr).await;
    assert_eq!(story.run().await, "initial Succeeded: ann@contoso.example active");
    let bob = tenant.user("bob").await;
    tenant.assign(&hr, &bob).await;
    // Nor is ann, who has an account: that must not cost her the account.
    tenant
        .client
        .patch(&format!("/v1.0/users/{ann}"), &json!({ "jobTitle": "Head" }))
        .await
        .expect("changed");
    for user in [&ann, &bob] {
        tenant.faults.hidden.lock().expect("nobody panics with it").push(user.clone());
    }
    let told = story.run().await;
    assert_eq!(told, "incremental EntryLevelErrors: ann@contoso.example active");
    tenant.hide(None);
    story.clock.advance(Duration::from_secs(3_600));
    let told = story.run().await;
    assert_eq!(told, "incremental Succeeded: ann@contoso.example active, bob@contoso.example active");
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_assignment_changed_while_the_service_was_down_is_known_without_reading_everything() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let (ann, bob) = (tenant.user("ann").await, tenant.user("bob").await);
    let direct = tenant.assign(&hr, &ann).await;
    let mut story = Story::start(&tenant, &hr).await;
    assert_eq!(story.run().await, "initial Succeeded: ann@contoso.example active");
    story.restart();
    let path = format!("/v1.0/servicePrincipals/{hr}/appRoleAssignedTo/{direct}");
    tenant.client.delete(&path).await.expect("she is assigned no more");
    tenant.assign(&hr, &bob).await;
    let told = story.run().await;
    assert_eq!(told, "incremental Succeeded: ann@contoso.example inactive, bob@contoso.example active");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_assigned_no_more_and_not_known_everywhere_is_not_gone_before_ten_minutes() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let ann = tenant.user("ann").await;
    let direct = tenant.assign(&hr, &ann).await;
    let story = Story::start(&tenant, &hr).await;
    assert_eq!(story.run().await, "initial Succeeded: ann@contoso.example active");
    let path = format!("/v1.0/servicePrincipals/{hr}/appRoleAssignedTo/{direct}");
    tenant.client.delete(&path).await.expect("she is assigned no more");
    tenant.hide(Some(&ann));
    assert_eq!(story.run().await, "incremental EntryLevelErrors: ann@contoso.example active");
    tenant.hide(None);
    story.clock.advance(Duration::from_secs(3_600));
    assert_eq!(story.run().await, "incremental Succeeded: ann@contoso.example inactive");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_proxy_puts_no_job_into_quarantine() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let ann = tenant.user("ann").await;
    tenant.assign(&hr, &ann).await;
    let story = Story::start(&tenant, &hr).await;
    tenant.faults.page_status.store(403, std::sync::atomic::Ordering::SeqCst);
    tenant.faults.pages.store(1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(story.run().await, "initial Succeeded: ann@contoso.example active");
}
