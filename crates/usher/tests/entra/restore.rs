//! Who comes back from the recycle bin, where it goes wrong on the way: nobody stays switched on who should not be, and
//! nobody is switched off whom somebody else brought back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use expect_test::expect;
use serde_json::{Value as Json, json};
use usher_connectors::HttpOptions;
use usher_core::ports::{Clock, ConnectorErrorKind, Effect, MatchQuery};
use usher_core::{Operation, OperationKind};
use usher_expr::Value;
use usher_sandbox::workday::{Event, Fields, Workday, WorkdayOptions};
use usher_testkit::ManualClock;
use usher_testkit::suites::connector::add;

use crate::job::Job;
use crate::stage::Tenant;

const RESTORES: (&str, &str) = ("RestoreDeletedUsers", "True");

fn query() -> MatchQuery {
    MatchQuery {
        object_type: "User".into(),
        attribute: "userPrincipalName".into(),
        value: Value::from("ina@contoso.example"),
        attributes: vec!["userPrincipalName".into(), "accountEnabled".into()],
    }
}

/// Title and switch of a user.
async fn state(tenant: &Tenant, id: &str) -> (Json, Json) {
    let path = format!("/v1.0/users/{id}?$select=jobTitle,accountEnabled");
    let user = tenant.client.get(&path).await.expect("the user is there");
    (user["jobTitle"].clone(), user["accountEnabled"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_somebody_else_brought_back_is_not_touched_before_the_account_was_looked_at_again() {
    let tenant = Tenant::start().await;
    let ina = tenant.user("ina").await;
    tenant.client.delete(&format!("/v1.0/users/{ina}")).await.expect("she is deleted");
    let connector = tenant.connector(&[RESTORES]);
    let found = connector.find(&query()).await.expect("it is answered");
    let update = Operation {
        kind: OperationKind::Update,
        object_type: "User".into(),
        anchor: Some(found[0].anchor.clone()),
        changes: vec![add("jobTitle", "Head")],
    };
    let restore = format!("/v1.0/directory/deletedItems/{ina}/restore");
    tenant.client.post(&restore, &Json::Null).await.expect("an administrator brings her back");
    tenant.seen();
    let error = connector.write(&update).await.expect_err("she is in the bin no more");
    assert_eq!((error.kind, error.effect), (ConnectorErrorKind::Conflict, Effect::None), "{error}");
    assert_eq!(tenant.seen(), [format!("POST {restore}")]);
    assert_eq!(state(&tenant, &ina).await, (json!("Clerk"), json!(true)));
    let found = connector.find(&query()).await.expect("it is answered");
    assert_eq!(found[0].attributes.value("accountEnabled").map(Value::to_text).as_deref(), Some("True"));
    connector.write(&update).await.expect("she is changed");
    assert_eq!(state(&tenant, &ina).await, (json!("Head"), json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_whose_answer_was_lost_is_followed_by_what_was_to_be_written() {
    let tenant = Tenant::start().await;
    let ina = tenant.user("ina").await;
    tenant.client.delete(&format!("/v1.0/users/{ina}")).await.expect("she is deleted");
    let connector = tenant.connector(&[RESTORES]);
    let found = connector.find(&query()).await.expect("it is answered");
    let update = Operation {
        kind: OperationKind::Update,
        object_type: "User".into(),
        anchor: Some(found[0].anchor.clone()),
        changes: vec![add("jobTitle", "Head")],
    };
    tenant.faults.lost_restores.store(1, Ordering::SeqCst);
    let error = connector.write(&update).await.expect_err("the answer is lost");
    assert_eq!(error.effect, Effect::Unknown, "{error}");
    assert_eq!(state(&tenant, &ina).await, (json!("Clerk"), json!(true)), "she is back, as she was");
    // She is seen among the living; whether she is to be switched on is open until it is written.
    let found = connector.find(&query()).await.expect("it is answered");
    assert_eq!(found[0].attributes.value("accountEnabled").filter(|value| !value.is_null_or_empty()), None);
    connector.write(&update).await.expect("what was left is written");
    assert_eq!(state(&tenant, &ina).await, (json!("Head"), json!(false)));
    // From now on she is like anybody else.
    tenant
        .client
        .patch(&format!("/v1.0/users/{ina}"), &json!({ "accountEnabled": true }))
        .await
        .expect("changed");
    connector.write(&update).await.expect("she is changed");
    assert_eq!(state(&tenant, &ina).await, (json!("Head"), json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_graph_refuses_leaves_nobody_switched_on_who_comes_back() {
    let tenant = Tenant::start().await;
    let ina = tenant.user("ina").await;
    tenant.client.delete(&format!("/v1.0/users/{ina}")).await.expect("she is deleted");
    let connector = tenant.connector(&[RESTORES]);
    let found = connector.find(&query()).await.expect("it is answered");
    let update = Operation {
        kind: OperationKind::Update,
        object_type: "User".into(),
        anchor: Some(found[0].anchor.clone()),
        changes: vec![add("jobTitle", "Head"), add("userPrincipalName", "nobody")],
    };
    connector.write(&update).await.expect_err("that is no name");
    assert_eq!(state(&tenant, &ina).await, (json!("Clerk"), json!(false)));
}

/// A job from Workday that brings back users, and says nothing of whether accounts are switched on.
async fn job<'a>(tenant: &'a Tenant, workday: &'a usher_sandbox::workday::RunningWorkday) -> Job<'a> {
    let day = "2020-01-01".parse().expect("a day");
    let clock = Arc::new(ManualClock::at("2026-03-02T20:00:00Z".parse().expect("an instant")));
    let person: Fields = [("first_name", "Bo"), ("last_name", "Sand"), ("title", "Seller")]
        .map(|(name, value)| (name, value.to_owned()))
        .into_iter()
        .collect();
    workday.workday().employee("3", clock.now(), day, Event::Hire(person));
    let (address, user) = (workday.address("v43.0"), workday.user());
    let source = [("BaseAddress", address.as_str()), ("UserName", &user), ("Password", "secret"), RESTORES];
    let job = Job::new(tenant, "Workday2Entra", &source, HttpOptions::default(), clock).await;
    job.unmap("accountEnabled").await;
    job.start().await;
    job
}

async fn workday() -> usher_sandbox::workday::RunningWorkday {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Workday::start(WorkdayOptions::new("acme", "secret"), anywhere).await.expect("it listens")
}

const SHOWN: &[&str] = &["accountEnabled", "employeeId", "jobTitle"];

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_a_cycle_between_restore_and_change_leaves_nobody_switched_on() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let bo = tenant.user("bo").await;
    let path = format!("/v1.0/users/{bo}");
    tenant.client.patch(&path, &json!({ "employeeId": "3" })).await.expect("it is changed");
    tenant.client.delete(&path).await.expect("he is deleted");
    let mut job = job(&tenant, &workday).await;
    tenant.dies_after_restore(job.run()).await;
    assert_eq!(state(&tenant, &bo).await, (json!("Clerk"), json!(true)), "he is back, as he was");
    job.restart();
    expect![[r#"
        3 update success
        initial Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        bo@contoso.example accountEnabled=false employeeId=3 jobTitle=Seller
    "#]]
    .assert_eq(&job.users(SHOWN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_back_halfway_and_needs_no_change_any_more_is_switched_off_all_the_same() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let bo = tenant.user("bo").await;
    let path = format!("/v1.0/users/{bo}");
    tenant.client.patch(&path, &json!({ "employeeId": "3" })).await.expect("it is changed");
    tenant.client.delete(&path).await.expect("he is deleted");
    let mut job = job(&tenant, &workday).await;
    tenant.dies_after_restore(job.run()).await;
    // All that the job maps is there by now, but for the switch, of which it says nothing.
    let all = json!({
        "jobTitle": "Seller", "givenName": "Bo", "surname": "Sand", "displayName": "Bo Sand",
        "mailNickname": "Bo.Sand",
    });
    tenant.client.patch(&path, &all).await.expect("it is changed");
    job.restart();
    let told = job.run().await;
    assert_eq!(state(&tenant, &bo).await, (json!("Seller"), json!(false)), "{told}");
    assert!(job.store.escrows().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_on_demand_between_restore_and_change_is_mended_by_the_next_cycle() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let mut job = job(&tenant, &workday).await;
    expect![[r#"
        3 create success
        initial Succeeded
    "#]]
    .assert_eq(&job.run().await);
    let made = tenant.client.list("/v1.0/users?$filter=employeeId%20eq%20'3'").await.expect("it is listed");
    let path = format!("/v1.0/users/{}", made[0]["id"].as_str().expect("it has an id"));
    tenant.client.patch(&path, &json!({ "jobTitle": "?" })).await.expect("it is changed");
    tenant.client.delete(&path).await.expect("he is deleted");
    tenant.dies_after_restore(job.provision("Worker", "3")).await;
    job.restart();
    // Nothing changed in Workday: only what was written down before leads there.
    expect![[r#"
        3 update success
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        Bo.Sand@contoso.com accountEnabled=false employeeId=3 jobTitle=Seller
    "#]]
    .assert_eq(&job.users(SHOWN).await);
    expect![[r#"
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
}
