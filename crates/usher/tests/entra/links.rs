//! References that the tenant does not know yet: they are tried again, and nobody loses them for a part that lags behind.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use expect_test::expect;
use usher_connectors::HttpOptions;
use usher_core::ports::{Clock, PutOff};
use usher_core::{Anchor, AttributeChange, Change, Operation, OperationKind};
use usher_expr::Value;
use usher_sandbox::workday::{Event, Fields, RunningWorkday, Workday, WorkdayOptions};
use usher_testkit::ManualClock;

use crate::job::Job;
use crate::stage::Tenant;

const SHOWN: &[&str] = &["jobTitle"];

/// A job from Workday, where somebody whom the first run does not see works under a chief.
async fn job<'a>(tenant: &'a Tenant, workday: &'a RunningWorkday) -> Job<'a> {
    let clock = Arc::new(ManualClock::at("2026-03-02T20:00:00Z".parse().expect("an instant")));
    workday.workday().organisation("exec", "Executive Office", None, Some("1"));
    workday.workday().organisation("sales", "Sales", Some("exec"), Some("1"));
    hire(workday, &*clock, "1", &[("first_name", "Ada"), ("last_name", "Boss"), ("organisation", "exec")]);
    let (address, user) = (workday.address("v43.0"), workday.user());
    let source = [("BaseAddress", address.as_str()), ("UserName", &user), ("Password", "secret")];
    let job = Job::new(tenant, "Workday2Entra", &source, HttpOptions::default(), clock).await;
    job.start().await;
    expect![[r#"
        1 create success
        initial Succeeded
    "#]]
    .assert_eq(&job.run().await);
    hire(
        workday,
        &*job.clock,
        "2",
        &[("first_name", "Zoe"), ("last_name", "Lead"), ("organisation", "sales")],
    );
    job
}

fn hire(workday: &RunningWorkday, clock: &dyn Clock, id: &str, pairs: &[(&'static str, &str)]) {
    let fields: Fields = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let day = "2020-01-01".parse().expect("a day");
    workday.workday().employee(id, clock.now(), day, Event::Hire(fields));
}

async fn workday() -> RunningWorkday {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Workday::start(WorkdayOptions::new("acme", "secret"), anywhere).await.expect("it listens")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_whom_the_tenant_does_not_know_yet_is_set_by_a_later_cycle() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let mut job = job(&tenant, &workday).await;
    tenant.faults.unlinked.store(true, Ordering::SeqCst);
    expect![[r#"
        2 create warning
        incremental EntryLevelErrors
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        2 update warning
        incremental EntryLevelErrors
    "#]]
    .assert_eq(&job.run().await);
    // Nothing changes in Workday, and the service starts anew: the manager is set all the same.
    tenant.faults.unlinked.store(false, Ordering::SeqCst);
    job.restart();
    job.clock.advance(Duration::from_secs(3_600));
    expect![[r#"
        2 update success
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        Ada.Boss@contoso.com
        Zoe.Lead@contoso.com under Ada.Boss@contoso.com
    "#]]
    .assert_eq(&job.users(SHOWN).await);
    assert!(job.store.escrows().is_empty());
    expect![[r#"
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_whom_the_tenant_never_knows_is_given_up_after_a_day_until_the_worker_changes() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let job = job(&tenant, &workday).await;
    tenant.faults.unlinked.store(true, Ordering::SeqCst);
    let mut tries = Vec::new();
    for hour in 1..60 {
        let ran = job.run().await;
        assert_eq!(job.users(SHOWN).await.lines().count(), 2, "nobody is made twice");
        if ran.contains("2 ") {
            tries.push(hour);
        }
    }
    // The distance doubles; the last try comes when a day is over.
    assert_eq!((&tries[..3], tries.len()), (&[1, 2, 4][..], 7), "{tries:?}");
    assert!(tries[5] <= 24 && tries[6] > 24, "{tries:?}");
    assert!(job.store.escrows().is_empty());
    let told = job.events("2").await;
    let last = told.last().expect("it was tried");
    assert!(last.contains("It was tried for a day, and is left until Worker '2' changes"), "{last}");
    assert!(told[0].contains("It is tried again by itself"), "{told:?}");
    tenant.faults.unlinked.store(false, Ordering::SeqCst);
    let day = "2026-03-02".parse().expect("a day");
    let change = Fields::from_iter([("title", "Head".to_owned())]);
    workday.workday().employee("2", job.clock.now(), day, Event::Change(change));
    expect![[r#"
        2 update success
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        Ada.Boss@contoso.com
        Zoe.Lead@contoso.com jobTitle=Head under Ada.Boss@contoso.com
    "#]]
    .assert_eq(&job.users(SHOWN).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_demand_leaves_a_manager_whom_the_tenant_does_not_know_yet_to_the_next_cycle() {
    let (tenant, workday) = (Tenant::start().await, workday().await);
    let job = job(&tenant, &workday).await;
    expect![[r#"
        2 create success
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
    let zoe = "/v1.0/users/Zoe.Lead@contoso.com/manager/$ref";
    tenant.client.delete(zoe).await.expect("somebody takes the manager away");
    tenant.faults.unlinked.store(true, Ordering::SeqCst);
    let event = job.provision("Worker", "2").await;
    assert_eq!(event.status, usher_core::Status::Warning, "{event:?}");
    tenant.faults.unlinked.store(false, Ordering::SeqCst);
    expect![[r#"
        2 update success
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        Ada.Boss@contoso.com
        Zoe.Lead@contoso.com under Ada.Boss@contoso.com
    "#]]
    .assert_eq(&job.users(SHOWN).await);
}

fn members(group: &str, change: Change) -> Operation {
    Operation {
        kind: OperationKind::Update,
        object_type: "Group".into(),
        anchor: Some(Anchor::new(group)),
        changes: vec![AttributeChange {
            attribute: "members".into(),
            change,
            is_reference: true,
            is_multivalued: true,
        }],
    }
}

fn references(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| Value::Reference((*id).into())).collect()
}

fn named(put_off: &[PutOff]) -> Vec<&str> {
    put_off.iter().map(|one| one.anchor.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_who_are_not_known_yet_are_put_off_one_by_one_and_in_blocks() {
    let tenant = Tenant::start().await;
    let (ann, bob) = (tenant.user("ann").await, tenant.user("bob").await);
    let group = tenant.group("Retail", &[]).await;
    let connector = tenant.connector(&[]);
    let held = async || {
        let path = format!("/v1.0/groups/{group}/members?$select=id");
        tenant.client.list(&path).await.expect("they are listed").len()
    };
    for ids in [&[ann.as_str()][..], &[&ann, &bob]] {
        tenant.faults.unlinked.store(true, Ordering::SeqCst);
        let add = members(&group, Change::Add(references(ids)));
        let written = connector.write(&add).await.expect("the rest is written");
        assert_eq!((named(&written.put_off), written.left_out), (ids.to_vec(), Vec::new()));
        tenant.faults.unlinked.store(false, Ordering::SeqCst);
        let written = connector.write(&add).await.expect("they are known by now");
        assert_eq!((written.put_off, held().await), (Vec::new(), ids.len()));
    }
    // Whether somebody is a member still is looked up where the tenant says that it does not know: a refused request has
    // done nothing, and the parts of a batch have done it, though the answer says otherwise.
    for (ids, left) in [(&[ann.as_str()][..], &[ann.as_str()][..]), (&[&ann, &bob], &[])] {
        let take = members(&group, Change::Remove(references(ids)));
        tenant.faults.unlinked.store(true, Ordering::SeqCst);
        let written = connector.write(&take).await.expect("it is answered");
        assert_eq!(named(&written.put_off), left);
        tenant.faults.unlinked.store(false, Ordering::SeqCst);
        let written = connector.write(&take).await.expect("they are known by now");
        assert_eq!(written.put_off, [], "who is no member needs no removal");
    }
    assert_eq!(held().await, 0);
    // Of a group that is not known nobody knows the members.
    tenant.hide(Some(&format!("/{group}/members")));
    tenant.faults.unlinked.store(true, Ordering::SeqCst);
    let written = connector.write(&members(&group, Change::Remove(references(&[&ann])))).await;
    assert_eq!(named(&written.expect("it is answered").put_off), [ann.as_str()]);
}
