//! Objects that the source tells of and does not give, and runs that end in the midst of the work.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use expect_test::expect;
use futures::FutureExt;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, Store};
use usher_expr::Value;
use usher_testkit::{Call, Interference, Verdict};

use crate::stage::{Stage, failure};

/// What happens to one kind of call while a test says so.
type Judge = Box<dyn Fn(Call) -> Verdict + Send>;

#[derive(Default)]
struct Switch(Mutex<Option<Judge>>);

impl Switch {
    /// A switch at a directory; nothing happens until it is set.
    fn at(connector: &usher_testkit::MemoryConnector) -> Arc<Self> {
        let switch = Arc::new(Self::default());
        connector.interfere(switch.clone());
        switch
    }

    fn set(&self, judge: Option<Judge>) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = judge;
    }
}

impl Interference for Switch {
    fn judge(&self, call: Call) -> Verdict {
        let judge = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        judge.as_ref().map_or(Verdict::Go, |judge| judge(call))
    }
}

/// A stage whose job runs every two minutes.
async fn quick() -> Stage {
    let stage = Stage::new().await;
    stage
        .engine
        .update_job(&stage.application, &stage.job, Some("PT2M"), &[])
        .await
        .expect("the interval is taken");
    stage
}

async fn minutes_later(stage: &Stage, minutes: u64) -> String {
    stage.clock.advance(Duration::from_secs(60 * minutes));
    stage.run().await
}

#[tokio::test]
async fn who_is_told_of_and_not_found_is_not_gone_before_the_directory_had_time_to_copy() {
    let stage = quick().await;
    stage.people(&["ann"]);
    stage.run().await;
    stage.person("ann", &[("jobTitle", Value::from("Lead"))]);
    stage.source.withhold("ann", false);
    for minutes in [2, 2, 4] {
        expect![[r#"
            cycle incremental
              ann    other        failure  EntryNotFound
            EntryLevelErrors
        "#]]
        .assert_eq(&minutes_later(&stage, minutes).await);
        assert_eq!(stage.accounts(), "ann@x active\n");
    }
    // The directory tells of her once more: the time begins anew.
    stage.person("ann", &[("jobTitle", Value::from("Head"))]);
    for minutes in [3, 8] {
        let told = minutes_later(&stage, minutes).await;
        assert_eq!(stage.accounts(), "ann@x active\n", "{told}");
    }
    expect![[r#"
        cycle incremental
          ann    delete       success
        Succeeded
    "#]]
    .assert_eq(&minutes_later(&stage, 60).await);
}

#[tokio::test]
async fn who_is_given_after_all_is_followed() {
    let stage = quick().await;
    stage.people(&["ann"]);
    stage.run().await;
    stage.source.entitle("ann", false, false);
    stage.source.withhold("ann", false);
    minutes_later(&stage, 2).await;
    assert_eq!(stage.accounts(), "ann@x active\n");
    stage.source.give("ann");
    expect![[r#"
        cycle incremental
          ann    disable      success
        Succeeded
    "#]]
    .assert_eq(&minutes_later(&stage, 2).await);
}

#[tokio::test]
async fn an_account_that_is_to_go_and_is_not_found_is_gone_only_when_that_was_so_for_ten_minutes() {
    let stage = quick().await;
    stage.people(&["ann"]);
    stage.run().await;
    let switch = Switch::at(&stage.target);
    switch.set(Some(Box::new(|call| match call {
        Call::Delete => Verdict::Fail(failure(ConnectorErrorKind::Unsettled)),
        _ => Verdict::Go,
    })));
    stage.source.remove("ann");
    for minutes in [2, 2, 4] {
        let told = minutes_later(&stage, minutes).await;
        assert!(told.contains("ann    delete       failure"), "{told}");
        assert_eq!(stage.store.count_held(&stage.job).await.expect("it counts"), 1);
    }
    let told = minutes_later(&stage, 60).await;
    assert!(told.contains("ann    delete       success"), "{told}");
    assert!(stage.store.escrows().is_empty());
    assert_eq!(stage.store.count_held(&stage.job).await.expect("it counts"), 0);
    assert_eq!(stage.store.count_pairings(&stage.job).await.expect("it counts"), []);
}

#[tokio::test]
async fn an_account_that_was_found_meanwhile_and_is_to_go_is_waited_for_anew() {
    let stage = quick().await;
    stage.people(&["ann"]);
    stage.run().await;
    let switch = Switch::at(&stage.target);
    let is_lost = |call| match call {
        Call::Get => Verdict::Fail(failure(ConnectorErrorKind::Unsettled)),
        _ => Verdict::Go,
    };
    switch.set(Some(Box::new(is_lost)));
    stage.source.entitle("ann", false, false);
    let told = minutes_later(&stage, 2).await;
    assert!(told.contains("ann    other        failure"), "{told}");
    // An hour later she is found and put aside, and when her turn comes she is not found again.
    let was_found = AtomicBool::new(false);
    switch.set(Some(Box::new(move |call| match call {
        Call::Get if !was_found.swap(true, Ordering::SeqCst) => Verdict::Go,
        call => is_lost(call),
    })));
    let told = minutes_later(&stage, 60).await;
    assert_eq!(stage.store.count_pairings(&stage.job).await.expect("it counts").len(), 1, "{told}");
    switch.set(None);
    let told = minutes_later(&stage, 60).await;
    assert!(told.contains("ann    disable      success"), "{told}");
}

#[tokio::test]
async fn a_group_that_is_not_given_is_not_touched_when_a_member_comes() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob"]);
    stage.source.entitle("bob", false, false);
    stage.group("team", &["ann", "bob"]);
    stage.run().await;
    stage.group("team", &["ann", "bob"]);
    stage.source.withhold("team", true);
    stage.source.entitle("bob", true, true);
    // Once: it is not asked for a second time in the same cycle.
    expect![[r#"
        cycle incremental
          bob    create       success
          team   other        failure  EntryNotFound
        EntryLevelErrors
    "#]]
    .assert_eq(&stage.next().await);
    stage.source.give("team");
    expect![[r#"
        cycle incremental
          team   update       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    assert!(stage.accounts().contains("group team: m-1 m-3"), "{}", stage.accounts());
}

#[tokio::test]
async fn what_the_source_knows_and_cannot_give_is_put_off_and_stops_nobody() {
    for error in [
        ConnectorError::new(ConnectorErrorKind::Unreachable, "EntryNotFound", "its members are not found"),
        ConnectorError::new(ConnectorErrorKind::NotFound, "InvalidAnchor", "it is not there"),
    ] {
        let stage = Stage::new().await;
        let switch = Switch::at(&stage.source);
        stage.people(&["ann", "bob"]);
        stage.target.fail_write(usher_testkit::Fault::Before(failure(ConnectorErrorKind::Rejected)));
        stage.run().await;
        let error = Mutex::new(Some(error));
        switch.set(Some(Box::new(move |call| {
            let mut error = error.lock().expect("nobody panics with it");
            match error.take_if(|_| call == Call::Subject) {
                Some(error) => Verdict::Fail(error),
                None => Verdict::Go,
            }
        })));
        stage.people(&["bob", "cid"]);
        expect![[r#"
            cycle incremental
              bob    other        skipped  RedundantExport
              cid    create       success
              ann    other        failure  EntryNotFound
            EntryLevelErrors
        "#]]
        .assert_eq(&stage.next().await);
        let escrows = stage.store.escrows();
        assert_eq!(escrows.iter().map(|escrow| escrow.attempts).collect::<Vec<_>>(), [2]);
        assert!(escrows.iter().all(|escrow| escrow.told_at.is_some()), "{escrows:?}");
    }
}

#[tokio::test]
async fn who_was_to_be_switched_off_and_is_told_of_anew_is_judged_anew() {
    let stage = Stage::new().await;
    let setting = [("QuarantineTooManyDeletesThreshold".to_owned(), "0".to_owned())];
    stage.engine.update_job(&stage.application, &stage.job, None, &setting).await.expect("it is set");
    stage.people(&["ann", "bob"]);
    stage.run().await;
    stage.source.entitle("ann", false, false);
    assert!(stage.next().await.contains("stagedDelete"));
    assert_eq!(stage.store.count_held(&stage.job).await.expect("it counts"), 1);
    // She is assigned again, but the directory does not give her yet.
    stage.source.entitle("ann", true, true);
    stage.source.withhold("ann", true);
    stage.restart("ForceDeletes").await;
    expect![[r#"
        cycle incremental
          ann    other        failure  EntryNotFound
        EntryLevelErrors
    "#]]
    .assert_eq(&stage.next().await);
    assert_eq!(stage.store.count_held(&stage.job).await.expect("it counts"), 0);
    assert!(stage.accounts().contains("ann@x active"));
}

#[tokio::test]
async fn nobody_is_at_work_any_more_when_the_work_on_an_object_panicked() {
    let stage = Stage::new().await;
    let switch = Switch::at(&stage.target);
    stage.people(&["ann", "bob"]);
    let creates = Mutex::new(0);
    switch.set(Some(Box::new(move |call| {
        if call != Call::Create {
            return Verdict::Go;
        }
        let is_first = {
            let mut creates = creates.lock().expect("nobody panics with it");
            *creates += 1;
            *creates == 1
        };
        // The first one is still under way when the second one ends.
        assert!(is_first, "a fault of ours");
        Verdict::Die
    })));
    let held = Arc::strong_count(&stage.store);
    let run = AssertUnwindSafe(stage.engine.run_job(&stage.job)).catch_unwind().await;
    run.expect_err("it panicked");
    assert_eq!(Arc::strong_count(&stage.store), held, "somebody still works with the store");
    switch.set(None);
    stage.next().await;
    assert_eq!(stage.accounts(), "ann@x active\nbob@x active\n");
}

#[test]
fn a_run_whose_work_is_cut_off_by_the_end_of_the_service_says_so_and_the_next_one_goes_on() {
    let here = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stage = here.block_on(Stage::new());
    let switch = Switch::at(&stage.target);
    stage.people(&["ann"]);
    let (began, waits) = mpsc::channel();
    switch.set(Some(Box::new(move |call| match call {
        Call::Create => {
            began.send(()).expect("somebody waits");
            Verdict::Die
        }
        _ => Verdict::Go,
    })));
    let service = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let service = service.expect("a runtime");
    let handle = service.handle().clone();
    let state = std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            let _entered = handle.enter();
            futures::executor::block_on(stage.engine.run_job(&stage.job))
        });
        waits.recv().expect("the work begins");
        service.shutdown_background();
        run.join().expect("nobody panics")
    });
    let execution = state.expect("the store works").last_execution.expect("it ran");
    assert_eq!(execution.error.map(|error| error.code).as_deref(), Some("Stopped"));
    switch.set(None);
    here.block_on(stage.next());
    assert_eq!(stage.accounts(), "ann@x active\n");
}
