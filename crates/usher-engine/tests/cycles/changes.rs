//! What a job remembers, and what happens around it: other connections, people who come back, sources that begin anew.

use std::sync::Arc;

use expect_test::expect;
use usher_core::ports::{ConnectorErrorKind, EventQuery, Store};
use usher_core::{Entry, EntryId, EntryKind, JobId, ScheduleState};
use usher_engine::{Engine, Settings};
use usher_expr::Value;
use usher_testkit::{ManualClock, MemoryConnector, MemoryConnectors, MemoryStore, suites};

use crate::stage::{ACCOUNT, Stage, failure};

#[tokio::test]
async fn another_place_is_read_from_the_beginning_and_another_password_is_no_other_place() {
    let stage = Stage::new().await;
    let place = [("SearchBase", "OU=Staff"), ("Password", "old"), ("BaseAddress", "ldaps://one.example")];
    stage.secrets(&place).await;
    stage.people(&["ann", "bob"]);
    stage.run().await;
    stage
        .secrets(&[("Password", "new"), ("SearchBase", "OU=Staff"), ("BaseAddress", "ldaps://one.example")])
        .await;
    let setting = [("QuarantineTooManyDeletesThreshold".to_owned(), "9".to_owned())];
    stage.engine.update_job(&stage.application, &stage.job, None, &setting).await.expect("it is set");
    assert_eq!(stage.next().await, "cycle incremental\nSucceeded\n");
    for other in [
        [("SearchBase", "OU=Sales"), ("Password", "new"), ("BaseAddress", "ldaps://one.example")],
        [("SearchBase", "OU=Sales"), ("Password", "new"), ("BaseAddress", "ldaps://two.example")],
    ] {
        stage.secrets(&other).await;
        expect![[r#"
            cycle initial
              ann    other        skipped  RedundantExport
              bob    other        skipped  RedundantExport
            Succeeded
        "#]]
        .assert_eq(&stage.next().await);
    }
    assert_eq!(stage.next().await, "cycle incremental\nSucceeded\n");
}

#[tokio::test]
async fn who_comes_back_is_a_member_and_a_manager_again() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob"]);
    stage.person("zoe", &[("manager", Value::Reference("ann".into()))]);
    stage.group("team", &["ann", "bob"]);
    stage.run().await;
    stage.source.remove("ann");
    stage.next().await;
    // Neither zoe nor the team changes in the source.
    stage.people(&["ann"]);
    expect![[r#"
        cycle incremental
          ann    create       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    expect![[r#"
        cycle initial
          ann    other        skipped  RedundantExport
          bob    other        skipped  RedundantExport
          zoe    update       success
          team   update       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    expect![[r#"
        ann@x active
        bob@x active
        group team: m-2 m-5
        zoe@x active manager m-5
    "#]]
    .assert_eq(&stage.accounts());
    assert_eq!(stage.next().await, "cycle incremental\nSucceeded\n", "once is enough");
}

#[tokio::test]
async fn objects_that_come_again_because_the_source_begins_anew_are_counted_once() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob", "cid", "dan", "eve"]);
    stage.source.forget_cursor();
    assert!(stage.run().await.ends_with("Succeeded\n"));
    let counts = stage.state().await.last_execution.expect("it ran").counts;
    assert_eq!((counts.imported, counts.entitled, counts.succeeded), (5, 5, 5));
    assert_eq!(counts.exported, 5, "what was written was written");
}

/// A job out of a directory service, not started.
async fn corp() -> (Engine, EntryId, JobId, Arc<MemoryConnector>) {
    let (source, target) = (Arc::new(MemoryConnector::new(&[])), Arc::new(MemoryConnector::new(&[])));
    let connectors = MemoryConnectors::default().with("ldap", source.clone()).with("directory", target);
    let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()));
    let engine = Engine::new(store.clone(), Arc::new(connectors), clock, Settings::new("tenant"));
    let properties = serde_json::json!({ "appId": "app", "displayName": "Corp AD" });
    let entry: Entry = suites::store::entry(EntryKind::ServicePrincipal, "sp", properties);
    store.put_entry(&entry).await.expect("the store takes it");
    let job = engine.create_job(&entry.id, "AD2AADProvisioning").await.expect("it is made").id;
    (engine, entry.id, job, source)
}

#[tokio::test]
async fn a_new_job_whose_source_does_not_work_does_not_start() {
    let (engine, application, job, source) = corp().await;
    let state = async || engine.job(&application, &job).await.expect("it is there").state;
    source.fail_read(failure(ConnectorErrorKind::Unauthorised));
    let refused = engine.start_job(&application, &job).await.expect_err("the source does not work");
    assert_eq!((refused.to_string().as_str(), state().await), ("the target failed", ScheduleState::Disabled));
    engine.start_job(&application, &job).await.expect("it works now");
    assert_eq!(state().await, ScheduleState::Active);
}

#[tokio::test]
async fn settings_that_nobody_reads_are_refused_with_the_nearest_name() {
    let (engine, application, job, _) = corp().await;
    let set = async |name: &str| {
        let setting = [(name.to_owned(), "5".to_owned())];
        let set = engine.update_job(&application, &job, None, &setting).await;
        set.map(drop).map_err(|error| error.to_string())
    };
    for (name, says) in [
        ("QuarantineTooManyDeletesTreshold", "did you mean QuarantineTooManyDeletesThreshold?"),
        ("domainFQDN", "did you mean DomainFQDN?"),
        ("Nonsense", "QuarantineTooManyDeletesThreshold, TargetConcurrency"),
    ] {
        let refused = set(name).await.expect_err("nobody reads it");
        assert!(refused.contains(says), "{refused}");
    }
    set("targetConcurrency").await.expect("it is known");
    set("DomainFQDN").await.expect("a mapping refers to it");
}

#[tokio::test]
async fn two_people_who_exchange_their_names_are_told_of_each_other_and_how_to_get_through() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob"]);
    stage.run().await;
    for (anchor, name) in [("ann", "bob@x"), ("bob", "ann@x")] {
        stage.person(anchor, &[("userPrincipalName", Value::from(name))]);
    }
    let written = stage.target.written().len();
    assert!(stage.next().await.contains("EntryConflict"));
    let query = EventQuery { limit: 2, ..EventQuery::default() };
    let events = stage.store.events(&query).await.expect("they list");
    let told: Vec<(String, String)> = events
        .into_iter()
        .map(|event| {
            let failure = event.failure.expect("it failed");
            (failure.reason, failure.recommended_action.unwrap_or_default())
        })
        .collect();
    // The newest first.
    for ((reason, remedy), other) in told
        .iter()
        .zip(["'m-1', the account of User 'bob@x' ('ann'", "'m-2', the account of User 'bob@x' ('bob'"])
    {
        assert!(
            reason.contains(other) && reason.ends_with(" in the source), has the same userName"),
            "{reason}"
        );
        assert!(
            remedy.contains("give one of the accounts another userName in the target by hand"),
            "{remedy}"
        );
    }
    // Nobody but the mapping says what is written.
    let names = |value: &Value| value == &Value::from("ann@x") || value == &Value::from("bob@x");
    let accounts = stage.target.objects();
    assert!(accounts.iter().all(|one| one.attributes.value("userName").is_some_and(names)));

    // The remedy works.
    let ann = accounts.iter().find(|one| one.attributes.value("userName") == Some(&Value::from("ann@x")));
    let ann = ann.expect("she has an account");
    let renamed = ann.attributes.iter().map(|(name, value)| {
        (name.as_str(), if name == "userName" { Value::from("between@x") } else { value.clone() })
    });
    stage.target.put(ACCOUNT, ann.anchor.as_str(), renamed.collect::<Vec<_>>());
    // Bob's account gets its name in the next cycle, Ann's when she is tried after that.
    for _ in 0..4 {
        stage.next().await;
    }
    assert_eq!(stage.accounts(), "ann@x active\nbob@x active\n");
    assert!(stage.target.written().len() > written);
    let swapped = stage.target.object(ann.anchor.as_str()).expect("it is there");
    assert_eq!(swapped.attributes.value("userName"), Some(&Value::from("bob@x")));
}
