//! From Workday into a tenant through Microsoft Graph.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use expect_test::expect;
use usher_connectors::HttpOptions;
use usher_core::Status;
use usher_core::ports::Clock;
use usher_sandbox::workday::{Event, Fields, Workday, WorkdayOptions};
use usher_testkit::ManualClock;

use crate::job::Job;
use crate::stage::Tenant;

fn fields(pairs: &[(&'static str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_get_accounts_in_the_tenant_with_their_managers() {
    const SHOWN: &[&str] = &["accountEnabled", "employeeId", "jobTitle", "department", "mail"];
    let tenant = Tenant::start().await;
    let clock = Arc::new(ManualClock::at("2026-03-02T20:00:00Z".parse().expect("an instant")));
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running = Workday::start(WorkdayOptions::new("acme", "secret"), anywhere).await.expect("it listens");
    let workday = running.workday();
    workday.organisation("exec", "Executive Office", None, Some("1"));
    workday.organisation("sales", "Sales", Some("exec"), Some("2"));
    let hire = |id: &str, day: &str, pairs: &[(&'static str, &str)]| {
        workday.employee(id, clock.now(), day.parse().expect("a day"), Event::Hire(fields(pairs)));
    };
    let chief = [("first_name", "Ada"), ("last_name", "Boss"), ("organisation", "exec"), ("title", "Chief")];
    hire("1", "2020-01-01", &chief);
    let head = [("first_name", "Zoë"), ("last_name", "Lead"), ("organisation", "sales"), ("title", "Head")];
    hire("2", "2021-01-01", &head);
    let (address, user) = (running.address("v43.0"), running.user());
    let source = [("BaseAddress", address.as_str()), ("UserName", &user), ("Password", "secret")];
    let job = Job::new(&tenant, "Workday2Entra", &source, HttpOptions::default(), clock.clone()).await;
    job.start().await;
    expect![[r#"
        1 create success
        2 create success
        initial Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        Ada.Boss@contoso.com accountEnabled=true employeeId=1 jobTitle=Chief department=Executive Office
        Zoe.Lead@contoso.com accountEnabled=true employeeId=2 jobTitle=Head department=Sales
    "#]]
    .assert_eq(&job.users(SHOWN).await);

    // Somebody begins next week, somebody is promoted, somebody leaves.
    let new = [
        ("first_name", "Bo"),
        ("last_name", "Sand"),
        ("organisation", "sales"),
        ("email", "bo@acme.example"),
    ];
    hire("3", "2026-03-09", &new);
    let day = "2026-03-02".parse().expect("a day");
    workday.employee("2", clock.now(), day, Event::Change(fields(&[("title", "Director")])));
    workday.employee("1", clock.now(), day, Event::Terminate);
    expect![[r#"
        1 disable success
        2 update success
        3 create success
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        Ada.Boss@contoso.com accountEnabled=false employeeId=1 jobTitle=Chief department=Executive Office
        Bo.Sand@contoso.com accountEnabled=false employeeId=3 department=Sales mail=bo@acme.example under Zoe.Lead@contoso.com
        Zoe.Lead@contoso.com accountEnabled=true employeeId=2 jobTitle=Director department=Sales
    "#]].assert_eq(&job.users(SHOWN).await);
    expect![[r#"
        incremental Succeeded
    "#]]
    .assert_eq(&job.run().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_that_graph_never_takes_are_told_for_the_job_and_not_for_each_person() {
    let tenant = Tenant::start().await;
    let clock = Arc::new(ManualClock::at("2026-03-02T20:00:00Z".parse().expect("an instant")));
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running = Workday::start(WorkdayOptions::new("acme", "secret"), anywhere).await.expect("it listens");
    for (id, last) in [("1", "Boss"), ("2", "Lead")] {
        let person = fields(&[("first_name", "Ada"), ("last_name", last)]);
        let day = "2020-01-01".parse().expect("a day");
        running.workday().employee(id, clock.now(), day, Event::Hire(person));
    }
    let (address, user) = (running.address("v43.0"), running.user());
    let source = [("BaseAddress", address.as_str()), ("UserName", &user), ("Password", "secret")];
    let job = Job::new(&tenant, "Workday2Entra", &source, HttpOptions::default(), clock).await;
    job.map("onPremisesSamAccountName", "WorkerID").await;
    job.map("proxyAddresses", "EmailAddress").await;
    job.start().await;
    expect![[r#"
        1 create success
        2 create success
        Cloud other warning
        initial Succeeded
    "#]]
    .assert_eq(&job.run().await);
    let warnings = job
        .engine
        .validate_credentials(&job.principal, Some(&job.id), None, None)
        .await
        .expect("the connections work");
    expect!["never written to a User: onPremisesSamAccountName, proxyAddresses (Microsoft Graph does not let applications write it); take them out of the mapping"].assert_eq(&warnings.join("\n"));
    let event = job.provision("Worker", "1").await;
    assert_eq!(event.steps[0].step.description, warnings[0]);
    assert_eq!(event.steps[0].step.status, Status::Warning);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_gets_the_account_out_of_the_recycle_bin() {
    let tenant = Tenant::start().await;
    let bo = tenant.user("bo").await;
    let path = format!("/v1.0/users/{bo}");
    tenant.client.patch(&path, &serde_json::json!({ "employeeId": "3" })).await.expect("it is changed");
    tenant.client.delete(&path).await.expect("he is deleted");
    let clock = Arc::new(ManualClock::at("2026-03-02T20:00:00Z".parse().expect("an instant")));
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running = Workday::start(WorkdayOptions::new("acme", "secret"), anywhere).await.expect("it listens");
    let person = fields(&[("first_name", "Bo"), ("last_name", "Sand"), ("title", "Seller")]);
    let day = "2020-01-01".parse().expect("a day");
    running.workday().employee("3", clock.now(), day, Event::Hire(person));
    let (address, user) = (running.address("v43.0"), running.user());
    let source = [
        ("BaseAddress", address.as_str()),
        ("UserName", &user),
        ("Password", "secret"),
        ("RestoreDeletedUsers", "True"),
    ];
    let job = Job::new(&tenant, "Workday2Entra", &source, HttpOptions::default(), clock).await;
    job.start().await;
    expect![[r#"
        3 update success
        initial Succeeded
    "#]]
    .assert_eq(&job.run().await);
    expect![[r#"
        bo@contoso.example accountEnabled=true employeeId=3 jobTitle=Seller
    "#]]
    .assert_eq(&job.users(&["accountEnabled", "employeeId", "jobTitle"]).await);
}
