//! Accounts of the job that the tenant does not find: nobody gets a second one, and nobody keeps one that was to go,
//! because a part of the tenant lags behind.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use serde_json::Value as Json;
use usher_connectors::HttpOptions;
use usher_core::ResetScope;
use usher_core::ports::Clock;
use usher_sandbox::workday::{Event, Fields, RunningWorkday, Workday, WorkdayOptions};
use usher_testkit::ManualClock;

use crate::job::Job;
use crate::stage::Tenant;

const SHOWN: &[&str] = &["accountEnabled", "employeeId"];

async fn workday() -> RunningWorkday {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Workday::start(WorkdayOptions::new("acme", "secret"), anywhere).await.expect("it listens")
}

/// A job from Workday that has made an account, and the id of that.
async fn job<'a>(tenant: &'a Tenant, workday: &'a RunningWorkday) -> (Job<'a>, String) {
    let clock = Arc::new(ManualClock::at("2026-03-02T20:00:00Z".parse().expect("an instant")));
    let fields: Fields =
        [("first_name", "Bo"), ("last_name", "Sand")].map(|(name, value)| (name, value.to_owned())).into();
    let day = "2020-01-01".parse().expect("a day");
    workday.workday().employee("3", clock.now(), day, Event::Hire(fields));
    let (address, user) = (workday.address("v43.0"), workday.user());
    let source = [("BaseAddress", address.as_str()), ("UserName", &user), ("Password", "secret")];
    let job = Job::new(tenant, "Workday2Entra", &source, HttpOptions::default(), clock).await;
    job.start().await;
    expect![[r#"
        3 create success
        initial Succeeded
    "#]]
    .assert_eq(&job.run().await);
    let made = tenant.client.list("/v1.0/users?$filter=employeeId%20eq%20'3'").await.expect("it is listed");
    let id = made[0]["id"].as_str().expect("it has an id").to_owned();
    // What was made long ago is waited for no more.
    job.clock.advance(Duration::from_secs(3_600));
    (job, id)
}

async fn reads_everything(job: &Job<'_>) {
    let scope = ResetScope::parse("Watermark").expect("it is one");
    job.engine.restart_job(&job.principal, &job.id, scope).await.expect("it is restarted");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_lags_behind_in_an_initial_cycle_is_neither_forgotten_nor_made_again() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let (job, bo) = job(&tenant, &workday).await;
    // Neither a read of the account nor the index that matching asks knows it.
    tenant.hide(Some(&bo));
    tenant.faults.index_lags.store(true, std::sync::atomic::Ordering::SeqCst);
    reads_everything(&job).await;
    tenant.seen();
    let ran = job.run().await;
    assert!(ran.contains("3 other failure EntryNotFound: the object "), "{ran}");
    assert!(ran.ends_with("initial EntryLevelErrors\n"), "{ran}");
    assert!(!tenant.seen().iter().any(|line| line == "POST /v1.0/users"), "nobody is made");
    tenant.hide(None);
    tenant.faults.index_lags.store(false, std::sync::atomic::Ordering::SeqCst);
    expect![[r#"
        3 other skipped RedundantExport
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        Bo.Sand@contoso.com accountEnabled=true employeeId=3
    "#]]
    .assert_eq(&job.users(SHOWN).await);
    assert!(job.store.escrows().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_gone_for_good_is_made_again_when_that_has_been_so_for_ten_minutes() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let (job, bo) = job(&tenant, &workday).await;
    tenant.client.delete(&format!("/v1.0/users/{bo}")).await.expect("it is deleted");
    tenant.client.delete(&format!("/v1.0/directory/deletedItems/{bo}")).await.expect("and for good");
    reads_everything(&job).await;
    let ran = job.run().await;
    assert!(ran.contains("3 other failure EntryNotFound: the object "), "{ran}");
    expect![[r#"
        3 create success
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_recycle_bin_is_gone_at_once() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let (job, bo) = job(&tenant, &workday).await;
    tenant.client.delete(&format!("/v1.0/users/{bo}")).await.expect("it is deleted");
    reads_everything(&job).await;
    expect![[r#"
        3 create success
        initial Succeeded
    "#]]
    .assert_eq(&job.run().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_loses_an_account_that_lags_behind_when_it_is_found_again() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let (job, bo) = job(&tenant, &workday).await;
    leaves_the_scope(&job).await;
    tenant.hide(Some(&bo));
    let ran = job.run().await;
    assert!(ran.contains("3 other failure EntryNotFound: the object "), "{ran}");
    tenant.hide(None);
    let ran = job.run().await;
    assert!(ran.contains("3 disable success"), "{ran}");
    expect![[r#"
        Bo.Sand@contoso.com accountEnabled=false employeeId=3
    "#]]
    .assert_eq(&job.users(SHOWN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_and_whose_account_is_gone_for_good_is_forgotten_after_ten_minutes() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let (job, bo) = job(&tenant, &workday).await;
    leaves_the_scope(&job).await;
    tenant.client.delete(&format!("/v1.0/users/{bo}")).await.expect("it is deleted");
    tenant.client.delete(&format!("/v1.0/directory/deletedItems/{bo}")).await.expect("and for good");
    let ran = job.run().await;
    assert!(ran.contains("3 other failure EntryNotFound: the object "), "{ran}");
    expect![[r#"
        3 other skipped NotEffectivelyEntitled
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
    assert!(job.store.escrows().is_empty());
}

/// A scoping filter drops everybody, and the job reads everything.
async fn leaves_the_scope(job: &Job<'_>) {
    let schema = job.engine.schema(&job.principal, &job.id).await.expect("it has a schema");
    let mut document: Json = schema.to_json();
    let mapping = &mut document["synchronizationRules"][0]["objectMappings"][0];
    mapping["scope"] = serde_json::json!({ "groups": [{ "clauses": [{
        "operatorName": "EQUALS", "sourceOperandName": "WorkerID", "targetOperand": { "values": ["none"] },
    }] }] });
    let document = document.to_string();
    let replaced = job.engine.replace_schema(&job.principal, &job.id, document.as_bytes()).await;
    replaced.expect("it is a schema");
}
