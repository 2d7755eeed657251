//! Cycles, story by story: what the source holds goes in, what was logged and what the target holds comes out.

mod changes;
mod guard;
mod pages;
mod stage;
mod stop;
mod withheld;

use std::time::Duration;

use expect_test::expect;
use usher_core::escrow::SETTLES_AFTER;
use usher_core::ports::{AuditQuery, Audits, ConnectorError, ConnectorErrorKind, Effect, Store};
use usher_expr::Value;
use usher_testkit::Fault;

use stage::{ACCOUNT, Stage, failure, lost_answer};

#[tokio::test]
async fn the_first_cycle_takes_everybody_and_the_next_one_nobody() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob", "cid"]);
    stage.source.entitle("cid", false, false);
    stage.group("team", &["ann", "bob", "cid"]);
    expect![[r#"
        cycle initial
          ann    create       success
          bob    create       success
          cid    other        skipped  NotEffectivelyEntitled
          team   create       warning
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    expect![[r#"
        ann@x active
        bob@x active
        group team: m-1 m-2
    "#]]
    .assert_eq(&stage.accounts());
    expect![[r#"
        cycle incremental
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    let counts = stage.state().await.last_execution.expect("it ran").counts;
    assert_eq!((counts.imported, counts.exports), (0, 0));
}

#[tokio::test]
async fn changes_are_followed_and_leavers_are_switched_off() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob", "cid", "dan"]);
    stage.run().await;
    stage.person("ann", &[("jobTitle", Value::from("Lead"))]);
    stage.source.entitle("bob", false, false);
    stage.person("cid", &[("accountEnabled", Value::from(false))]);
    stage.source.remove("dan");
    expect![[r#"
        cycle incremental
          ann    update       success
          bob    disable      success
          cid    disable      success
          dan    delete       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    expect![[r#"
        ann@x active
        bob@x disabled
        cid@x disabled
    "#]]
    .assert_eq(&stage.accounts());
    stage.source.entitle("bob", true, true);
    stage.person("cid", &[]);
    expect![[r#"
        cycle incremental
          bob    update       success
          cid    update       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    expect![[r#"
        ann@x active
        bob@x active
        cid@x active
    "#]]
    .assert_eq(&stage.accounts());
}

#[tokio::test]
async fn who_was_switched_off_for_leaving_the_scope_is_left_alone_when_deleted() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    stage.run().await;
    stage.source.entitle("ann", false, false);
    stage.next().await;
    stage.source.remove("ann");
    expect![[r#"
        cycle incremental
          ann    other        skipped  NotEffectivelyEntitled
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    expect![[r#"
        ann@x disabled
    "#]]
    .assert_eq(&stage.accounts());
    assert!(stage.store.pairings().is_empty(), "the pair is forgotten with the person");
}

#[tokio::test]
async fn an_initial_cycle_finds_who_is_gone() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob", "cid"]);
    stage.run().await;
    stage.source.remove("bob");
    stage.restart("").await;
    expect![[r#"
        cycle initial
          ann    other        skipped  RedundantExport
          cid    other        skipped  RedundantExport
          bob    delete       success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
}

#[tokio::test]
async fn a_manager_who_comes_later_heals_the_reference() {
    let stage = Stage::new().await;
    stage.person("ann", &[("manager", Value::Reference("zoe".into()))]);
    stage.person("zoe", &[("manager", Value::Reference("guest".into()))]);
    stage.person("guest", &[]);
    stage.source.entitle("guest", false, false);
    expect![[r#"
        cycle initial
          ann    create       warning
          guest  other        skipped  NotEffectivelyEntitled
          zoe    create       warning
          ann    update       success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    stage.source.entitle("guest", true, true);
    expect![[r#"
        cycle incremental
          guest  create       success
          zoe    update       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    expect![[r#"
        ann@x active manager m-2
        guest@x active
        zoe@x active manager m-3
    "#]]
    .assert_eq(&stage.accounts());
}

#[tokio::test]
async fn a_failing_person_stops_nobody_and_is_tried_again() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob", "cid"]);
    stage.target.fail_write(Fault::Before(failure(ConnectorErrorKind::Rejected)));
    expect![[r#"
        cycle initial
          ann    create       failure  InternalServerError
          bob    create       success
          cid    create       success
        EntryLevelErrors
    "#]]
    .assert_eq(&stage.run().await);
    assert_eq!(stage.store.count_escrows(&stage.job).await.expect("it counts"), 1);
    expect![[r#"
        cycle incremental
          ann    create       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    assert!(stage.store.escrows().is_empty());
}

#[tokio::test]
async fn a_person_who_fails_again_and_again_comes_back_at_growing_distance() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    let mut tried = Vec::new();
    for cycle in 0..16 {
        stage.target.fail_write(Fault::Before(failure(ConnectorErrorKind::Rejected)));
        let transcript = if cycle == 0 { stage.run().await } else { stage.next().await };
        if transcript.contains("ann") {
            tried.push(cycle);
        }
        // What was not needed must not fail a later write.
        stage.target.forget_faults();
    }
    assert_eq!(tried, [0, 1, 3, 7, 15], "the random part never makes a try later");
}

#[tokio::test]
async fn an_interrupted_page_is_neither_worked_on_nor_counted_twice() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob", "cid", "dan"]);
    stage.source.page_size(4);
    let setting = [("TargetConcurrency".to_owned(), "1".to_owned())];
    stage.engine.update_job(&stage.application, &stage.job, None, &setting).await.expect("it is set");
    // Ann and bob are made; cid fails, and so does the test of the connection that follows.
    stage.target.fail_write_after(2, Fault::Before(failure(ConnectorErrorKind::Unauthorised)));
    stage.target.fail_check_after(1, failure(ConnectorErrorKind::Unauthorised));
    assert!(stage.run().await.contains("Failed Unauthorized"));
    stage.engine.start_job(&stage.application, &stage.job).await.expect("it starts");
    let transcript = stage.run().await;
    assert!(!transcript.contains("RedundantExport"), "{transcript}");
    let counts = stage.state().await.last_execution.expect("it ran").counts;
    assert_eq!((counts.imported, counts.entitled, counts.exports, counts.exported), (4, 4, 4, 4));
    assert_eq!(counts.failed, 0, "what failed was tried again and came out right");
}

#[tokio::test]
async fn counts_tell_healed_creates_and_count_nobody_twice() {
    let stage = Stage::new().await;
    stage.person("ann", &[("manager", Value::Reference("zoe".into()))]);
    stage.people(&["zoe"]);
    stage.target.fail_write(Fault::After(lost_answer()));
    expect![[r#"
        cycle initial
          ann    create       warning
          zoe    create       success
          ann    update       success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    let counts = stage.state().await.last_execution.expect("it ran").counts;
    assert_eq!((counts.imported, counts.entitled, counts.entitled_for_provisioning), (2, 2, 2));
    assert_eq!((counts.exports, counts.exported, counts.imported_reference_deltas), (3, 3, 1));
}

#[tokio::test]
async fn a_run_that_leaves_somebody_waiting_says_so() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    for _ in 0..2 {
        stage.target.fail_write(Fault::Before(failure(ConnectorErrorKind::Rejected)));
        stage.next().await;
    }
    assert_eq!(stage.next().await, "cycle incremental\nEntryLevelErrors\n");
    assert_eq!(stage.state().await.last_execution.expect("it ran").escrowed, 1);
}

#[tokio::test]
async fn progress_is_seen_before_a_page_is_over() {
    let stage = Stage::new().await;
    let names: Vec<String> = (0..250).map(|number| format!("p{number:03}")).collect();
    stage.people(&names.iter().map(String::as_str).collect::<Vec<_>>());
    stage.source.page_size(500);
    let mut seen = Vec::new();
    stage.watch(&mut seen).await;
    assert!(seen.iter().any(|(done, total)| (1..250).contains(done) && *total == Some(250)), "{seen:?}");
}

#[tokio::test]
async fn a_target_that_does_not_answer_at_the_start_is_asked_again_before_it_means_quarantine() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    let mut ends = Vec::new();
    for _ in 0..3 {
        // A run asks three times before it gives up.
        for _ in 0..3 {
            stage.target.fail_read(failure(ConnectorErrorKind::Unreachable));
        }
        let transcript = stage.next().await;
        ends.push(transcript.lines().last().unwrap_or_default().to_owned());
        stage.target.forget_faults();
    }
    assert_eq!(
        ends,
        [
            "Failed InternalServerError",
            "Failed InternalServerError",
            "Failed InternalServerError, quarantine EncounteredQuarantineException"
        ]
    );
    stage.clock.advance(Duration::from_secs(6 * 3600));
    assert!(stage.run().await.ends_with("Succeeded\n"));
}

#[tokio::test]
async fn wrong_credentials_put_the_job_into_quarantine_until_they_work() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    stage.target.fail_read(failure(ConnectorErrorKind::Unauthorised));
    expect![[r#"
        cycle initial
        Failed Unauthorized, quarantine EncounteredQuarantineException
    "#]]
    .assert_eq(&stage.run().await);
    let state = stage.state().await;
    let quarantine = state.quarantine.expect("it is in quarantine");
    assert_eq!(quarantine.next_attempt.as_second(), 6 * 3600);
    assert_eq!(state.next_run_at, Some(quarantine.next_attempt));
    stage.clock.advance(Duration::from_secs(6 * 3600));
    expect![[r#"
        cycle initial
          ann    create       success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    assert_eq!(stage.state().await.quarantine, None);
    let audits =
        stage.store.audits(&AuditQuery { limit: 9, ..AuditQuery::default() }).await.expect("they list");
    let told: Vec<_> = audits
        .iter()
        .map(|(_, one)| (one.activity.as_str(), one.reason.as_deref(), one.target.as_deref()))
        .collect();
    assert_eq!(told, [("Quarantine", Some("EncounteredQuarantineException"), Some(stage.job.as_str()))]);
}

#[tokio::test]
async fn a_job_gives_up_after_four_weeks_of_quarantine_and_starts_again_when_told() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    let mut runs = 0;
    while !stage.state().await.has_given_up {
        stage.target.fail_read(failure(ConnectorErrorKind::Unauthorised));
        stage.run().await;
        runs += 1;
        let next = stage.state().await.next_run_at.expect("there is a next run");
        let wait = next.duration_since(usher_core::ports::Clock::now(&*stage.clock));
        stage.clock.advance(wait.unsigned_abs());
    }
    assert_eq!(runs, 31, "at once, after 6 and 12 hours, then daily for 28 days");
    stage.engine.start_job(&stage.application, &stage.job).await.expect("it starts");
    assert!(stage.run().await.ends_with("Succeeded\n"));
}

#[tokio::test]
async fn a_target_that_fails_in_mid_cycle_stops_it_and_the_next_run_goes_on() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob", "cid", "dan"]);
    stage.target.fail_write(Fault::Before(failure(ConnectorErrorKind::Unauthorised)));
    stage.target.fail_check_after(1, failure(ConnectorErrorKind::Unauthorised));
    let transcript = stage.run().await;
    assert!(
        transcript.ends_with("Failed Unauthorized, quarantine EncounteredQuarantineException\n"),
        "{transcript}"
    );
    assert_eq!(stage.target.objects().len(), 1, "bob was in flight; nobody after him was begun");
    let cycle = stage.state().await.cycle.expect("it is kept").id;
    stage.engine.start_job(&stage.application, &stage.job).await.expect("it starts");
    stage.run().await;
    assert_eq!(stage.target.objects().len(), 4);
    assert_eq!(stage.state().await.last_execution.expect("it ran").id, cycle, "it was the same cycle");
}

#[tokio::test]
async fn pause_keeps_the_place_and_start_goes_on_there() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob", "cid", "dan", "eve"]);
    stage.engine.pause_job(&stage.application, &stage.job).await.expect("it pauses");
    assert_eq!(stage.run().await, "nothing ran\n");
    stage.engine.start_job(&stage.application, &stage.job).await.expect("it starts");
    assert!(stage.run().await.ends_with("Succeeded\n"));
}

#[tokio::test]
async fn a_changed_schema_leads_to_an_initial_cycle() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    stage.run().await;
    let schema = stage.engine.schema(&stage.application, &stage.job).await.expect("it reads");
    let document = schema.to_json().to_string();
    stage
        .engine
        .replace_schema(&stage.application, &stage.job, document.as_bytes())
        .await
        .expect("it is taken");
    expect![[r#"
        cycle initial
          ann    other        skipped  RedundantExport
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
}

#[tokio::test]
async fn an_account_deleted_by_hand_is_made_again_by_a_restart() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob"]);
    stage.run().await;
    stage.target.remove("m-1");
    stage.person("ann", &[("jobTitle", Value::from("Lead"))]);
    expect![[r#"
        cycle incremental
          ann    other        failure  InvalidAnchor
        EntryLevelErrors
    "#]]
    .assert_eq(&stage.next().await);
    stage.restart("").await;
    expect![[r#"
        cycle initial
          ann    create       success
          bob    other        skipped  RedundantExport
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
}

#[tokio::test]
async fn a_full_restart_matches_again_and_doubles_nobody() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob"]);
    stage.run().await;
    stage.restart("Full").await;
    expect![[r#"
        cycle initial
          ann    other        skipped  RedundantExport
          bob    other        skipped  RedundantExport
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    assert_eq!((stage.store.pairings().len(), stage.target.objects().len()), (2, 2));
}

#[tokio::test]
async fn a_throttling_target_is_waited_for_and_nobody_fails() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob", "cid"]);
    for _ in 0..4 {
        let mut throttled = failure(ConnectorErrorKind::Throttled);
        throttled.retry_after = Some(Duration::from_secs(30));
        stage.target.fail_write(Fault::Before(throttled));
    }
    assert!(stage.run().await.ends_with("Succeeded\n"));
    assert!(stage.clock.waited().iter().sum::<Duration>() >= Duration::from_secs(30));
}

#[tokio::test]
async fn two_people_with_one_name_lead_to_one_account() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    stage.source.put(
        "User",
        "twin",
        [("userPrincipalName", Value::from("ANN@x")), ("displayName", Value::from("twin"))],
    );
    stage.source.entitle("twin", true, true);
    let transcript = stage.run().await;
    assert!(transcript.contains("DuplicateSourceEntries"), "{transcript}");
    assert_eq!(stage.target.objects().len(), 1);
}

#[tokio::test]
async fn somebody_deleted_and_made_again_under_one_name_has_the_new_account_in_the_same_cycle() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    stage.run().await;
    stage.source.remove("ann");
    stage.source.put(
        "User",
        "again",
        [("userPrincipalName", Value::from("ann@x")), ("displayName", Value::from("Ann"))],
    );
    stage.source.entitle("again", true, true);
    expect![[r#"
        cycle incremental
          ann    other        failure  DuplicateSourceEntries
          ann    delete       success
          ann    create       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    assert_eq!(stage.accounts(), "ann@x active\n");
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_and_not_found_waits_until_it_has_settled() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    stage.target.lag_finds(2);
    let mut lost = failure(ConnectorErrorKind::Unreachable);
    lost.effect = Effect::Unknown;
    stage.target.fail_write(Fault::After(lost));
    expect![[r#"
        cycle initial
          ann    create       failure  InternalServerError
        EntryLevelErrors
    "#]]
    .assert_eq(&stage.run().await);
    stage.clock.advance(SETTLES_AFTER);
    let transcript = stage.next().await;
    assert!(transcript.contains("ann    other        skipped  RedundantExport"), "{transcript}");
    assert_eq!(stage.target.objects().len(), 1);
    assert_eq!(stage.target.objects()[0].object_type, ACCOUNT);
}

#[tokio::test]
async fn a_watermark_that_the_source_forgot_leads_to_an_initial_cycle_in_the_same_run() {
    let stage = Stage::new().await;
    stage.people(&["ann", "bob"]);
    stage.run().await;
    stage.source.remove("bob");
    let forgotten =
        || ConnectorError::new(ConnectorErrorKind::NotFound, "InvalidWatermark", "it is forgotten");
    stage.source.fail_read(forgotten());
    expect![[r#"
        cycle initial
          ann    other        skipped  RedundantExport
          bob    delete       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
    assert_eq!(stage.state().await.complete_failures_in_a_row, 0);
    // A source that forgets at once is not asked without end.
    stage.source.fail_read(forgotten());
    stage.source.fail_read(forgotten());
    expect![[r#"
        cycle initial
        Failed InvalidWatermark
    "#]]
    .assert_eq(&stage.next().await);
}
