//! What fails while a plan is applied, and what goes on.

use std::time::Duration;

use jiff::SignedDuration;
use usher_core::ports::{Clock, ConnectorError, ConnectorErrorKind, Effect};
use usher_core::saved::applied::{Applied, Outcome, State};
use usher_engine::PlanRequest;
use usher_expr::Value;
use usher_testkit::Fault;

use crate::stage::Stage;

/// What came of each object of an application: name, outcome, code.
fn told(applied: &Applied) -> Vec<String> {
    let objects = applied.objects.iter();
    objects
        .map(|object| {
            let code = object.failure.as_ref().map(|failure| format!(" {}", failure.code));
            format!("{} {:?}{}", object.reportable, object.outcome, code.unwrap_or_default())
        })
        .collect()
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_and_the_application_goes_on() {
    let stage = Stage::new().await;
    stage.person("boss", &[]);
    stage.person("adele", &[("manager", Value::Reference("boss".into()))]);
    let plan = stage.plan_cycle().await;
    let lost = ConnectorError {
        effect: Effect::Unknown,
        ..ConnectorError::new(ConnectorErrorKind::Unreachable, "Timeout", "no answer")
    };
    stage.target.fail_write(Fault::After(lost));
    let applied = stage.apply(&plan).await.expect("it can be applied");
    assert_eq!(applied.state, State::Applied, "{:#?}", applied.objects);
    assert_eq!(stage.target.objects().len(), 2, "there is no second account");
    assert!(!stage.plan_cycle().await.plan.has_changes());
}

#[tokio::test]
async fn an_application_that_a_failure_interrupted_goes_on_without_doing_anything_twice() {
    let stage = Stage::new().await;
    for name in ["a", "b", "c"] {
        stage.person(name, &[]);
    }
    let plan = stage.plan_cycle().await;
    let down = ConnectorError::new(ConnectorErrorKind::Unreachable, "Down", "the target does not answer");
    stage.target.fail_write(Fault::Before(down));
    let applied = stage.apply(&plan).await.expect("the answer says so");
    assert_eq!((applied.state, applied.done, applied.objects.len()), (State::Stopped, 0, 1));
    assert_eq!((applied.counts.failed, applied.counts.not_reached), (1, 2));
    assert_eq!(applied.objects[0].failure.as_ref().map(|failure| failure.code.as_str()), Some("Down"));
    // Between the write of an object and the note of it the service may end: the object is in step then.
    let first = &plan.plan.objects[0];
    stage.apply_exactly(&stage.plan_of(&[first.named.as_str()]).await).await;
    let applied = stage.apply(&plan).await.expect("it goes on");
    assert_eq!((applied.state, applied.objects[0].outcome), (State::Applied, Outcome::AlreadyDone));
    assert_eq!(stage.target.objects().len(), 3);
}

#[tokio::test]
async fn an_account_that_was_made_before_a_failure_gets_the_rest_of_what_was_planned() {
    let stage = Stage::new().await;
    stage.person("zoe", &[("manager", Value::Reference("bob".into()))]);
    stage.person("bob", &[("manager", Value::Reference("zoe".into()))]);
    let plan = stage.plan_cycle().await;
    let many = plan.plan.objects.iter().position(|object| object.requests.len() > 1);
    let many = many.expect("each is the other's manager, so that one gets it afterwards");
    let writes: usize = plan.plan.objects[..many].iter().map(|object| object.requests.len()).sum();
    let refuses = ConnectorError::new(ConnectorErrorKind::Rejected, "Nope", "the target does not like it");
    stage.target.fail_write_after(writes + 1, Fault::Before(refuses));
    let applied = stage.apply(&plan).await.expect("the answer says so");
    let left = (State::Incomplete, plan.plan.objects.len() - 1);
    assert_eq!((applied.state, applied.done), left, "{:#?}", applied.objects);
    let applied = stage.apply(&plan).await.expect("it goes on");
    assert_eq!(applied.state, State::Applied, "{:#?}", applied.objects);
    assert_eq!(applied.objects[0].outcome, Outcome::Done);
    assert_eq!(applied.objects[0].requests.len(), plan.plan.objects[many].requests.len() - 1);
    assert_eq!(stage.target.objects().len(), 2, "there is no second account");
}

#[tokio::test]
async fn one_person_whom_the_target_refuses_keeps_no_other_from_being_applied() {
    let stage = Stage::new().await;
    for name in ["a", "b", "c"] {
        stage.person(name, &[]);
    }
    stage.person("d", &[("manager", Value::Reference("b".into()))]);
    stage.group("Sales", &["d"]);
    let plan = stage.plan_cycle().await;
    let refuses = || ConnectorError::new(ConnectorErrorKind::Rejected, "Nope", "the target does not like it");
    stage.target.fail_write_after(1, Fault::Before(refuses()));
    let applied = stage.apply(&plan).await.expect("the answer says so");
    let waits = "UnableToResolveReferenceAttributeValue";
    assert_eq!(
        told(&applied),
        [
            "a@x Done",
            "b@x Failed Nope",
            "c@x Done",
            &format!("d@x Failed {waits}"),
            &format!("Sales Failed {waits}")
        ]
    );
    let reason = applied.objects[3].failure.as_ref().map(|failure| failure.reason.clone());
    assert_eq!(
        reason.as_deref(),
        Some("it refers to the account of User 'b@x', which could not be made; nothing was sent")
    );
    assert_eq!((applied.state, applied.done, applied.total), (State::Incomplete, 2, 5));
    assert_eq!((applied.counts.applied, applied.counts.failed), (2, 3));
    assert!(!applied.is_complete());
    let (before, accounts) = (stage.target.written().len(), stage.target.objects().len());
    assert_eq!(accounts, 2);

    // As long as he is refused nothing else changes; then what is left is done, and the plan is over.
    stage.target.fail_write(Fault::Before(refuses()));
    let applied = stage.apply(&plan).await.expect("what failed is tried again");
    assert_eq!((applied.state, applied.objects.len(), applied.counts.applied), (State::Incomplete, 3, 2));
    assert_eq!(stage.target.objects().len(), accounts);
    let applied = stage.apply(&plan).await.expect("what failed is tried again");
    assert_eq!(told(&applied), ["b@x Done", "d@x Done", "Sales Done"]);
    assert_eq!((applied.state, applied.done, applied.counts.applied), (State::Applied, 5, 5));
    assert!(applied.is_complete() && stage.target.written().len() > before);
    assert!(!stage.plan_cycle().await.plan.has_changes());
    stage.apply(&plan).await.expect_err("it is over");
}

#[tokio::test]
async fn a_failing_target_ends_the_application_and_one_person_at_whom_it_always_fails_does_so_once() {
    let stage = Stage::new().await;
    for name in ["a", "b", "c"] {
        stage.person(name, &[]);
    }
    for kind in [
        ConnectorErrorKind::Unreachable,
        ConnectorErrorKind::Throttled,
        ConnectorErrorKind::Unauthorised,
        ConnectorErrorKind::Protocol,
    ] {
        let fails = || ConnectorError::new(kind, "Down", "it fails");
        let break_writes = || (0..9).for_each(|_| stage.target.fail_write(Fault::Before(fails())));
        let plan = stage.plan_cycle().await;
        break_writes();
        let applied = stage.apply(&plan).await.expect("the answer says so");
        assert_eq!(
            (applied.state, told(&applied)),
            (State::Stopped, vec!["a@x Failed Down".to_owned()]),
            "{kind:?}"
        );
        // It fails altogether: nobody else is tried. (A test of the connection that is throttled is tried again.)
        if kind != ConnectorErrorKind::Throttled {
            stage.target.fail_check_after(0, fails());
            let applied = stage.apply(&plan).await.expect("the answer says so");
            assert_eq!((applied.state, applied.objects.len()), (State::Stopped, 1), "{kind:?}");
        }
        stage.target.forget_faults();
    }
    let plan = stage.plan_cycle().await;
    for expected in [&["a@x Failed Down"][..], &["a@x Failed Down", "b@x Done", "c@x Done"]] {
        let fails = ConnectorError::new(ConnectorErrorKind::Unauthorised, "Down", "not him");
        stage.target.fail_write(Fault::Before(fails));
        let applied = stage.apply(&plan).await.expect("the answer says so");
        assert_eq!(told(&applied), expected);
    }
    assert_eq!(told(&stage.apply(&plan).await.expect("he is tried again")), ["a@x Done"]);
}

#[tokio::test]
async fn a_target_or_a_source_that_cannot_be_asked_is_no_difference() {
    let stage = Stage::new().await;
    for name in ["a", "b"] {
        stage.person(name, &[]);
    }
    let down = || ConnectorError::new(ConnectorErrorKind::Unauthorised, "Down", "it fails");
    for side in [&stage.source, &stage.target] {
        let plan = stage.plan_cycle().await;
        side.fail_read(down());
        let applied = stage.apply(&plan).await.expect("the answer says so");
        assert_eq!((applied.state, told(&applied)), (State::Stopped, vec!["a@x Failed Down".to_owned()]));
        assert!(applied.objects[0].differences.is_empty(), "{:?}", applied.objects[0].differences);
    }
    assert!(stage.target.written().is_empty());
}

#[tokio::test]
async fn who_was_refused_and_is_another_by_now_keeps_no_other_waiting() {
    let stage = Stage::new().await;
    for name in ["a", "b", "c"] {
        stage.person(name, &[]);
    }
    let plan = stage.plan_cycle().await;
    let refuses = ConnectorError::new(ConnectorErrorKind::Rejected, "Nope", "the target does not like it");
    let down = ConnectorError::new(ConnectorErrorKind::Protocol, "Down", "it fails");
    stage.target.fail_write(Fault::Before(refuses));
    stage.target.fail_write(Fault::Before(down));
    let applied = stage.apply(&plan).await.expect("the answer says so");
    assert_eq!(told(&applied), ["a@x Failed Nope", "b@x Failed Down"]);
    assert_eq!((applied.state, applied.counts.failed, applied.counts.not_reached), (State::Stopped, 2, 1));
    // He is mended at the source, so that the plan is none for him any more.
    stage.person("a", &[("jobTitle", Value::from("Boss"))]);
    let applied = stage.apply(&plan).await.expect("the answer says so");
    assert_eq!(told(&applied), ["a@x Refused", "b@x Done", "c@x Done"]);
    assert_eq!((applied.state, applied.counts.different, applied.counts.applied), (State::Incomplete, 1, 2));
}

#[tokio::test]
async fn what_somebody_else_did_is_not_taken_for_our_own_however_often_it_is_applied() {
    let stage = Stage::new().await;
    stage.person("a", &[]);
    let plan = stage.plan_cycle().await;
    // The same account is made by another plan, before anything of this one was sent.
    stage.apply_exactly(&stage.plan_of(&["a"]).await).await;
    for _ in 0..2 {
        let applied = stage.apply(&plan).await.expect("the answer says so");
        assert_eq!(told(&applied), ["a@x Refused"]);
        assert_eq!((applied.state, applied.counts.different), (State::Stopped, 1));
    }
}

#[tokio::test]
async fn a_create_of_which_nobody_knows_keeps_no_other_waiting() {
    let stage = Stage::new().await;
    for name in ["a", "b"] {
        stage.person(name, &[]);
    }
    let plan = stage.plan_cycle().await;
    let lost = ConnectorError {
        effect: Effect::Unknown,
        ..ConnectorError::new(ConnectorErrorKind::Protocol, "Down", "it fails")
    };
    stage.target.fail_write(Fault::Before(lost));
    let applied = stage.apply(&plan).await.expect("the answer says so");
    assert_eq!(told(&applied), ["a@x Failed Down"]);
    let applied = stage.apply(&plan).await.expect("it goes on");
    assert_eq!(told(&applied), ["a@x Failed Timeout", "b@x Done"]);
    assert_eq!((applied.state, applied.counts.failed, applied.counts.different), (State::Incomplete, 1, 0));
}

#[tokio::test]
async fn a_target_that_wants_to_be_left_alone_is_asked_by_no_plan() {
    let stage = Stage::new().await;
    for name in ["a", "b"] {
        stage.person(name, &[]);
    }
    let plan = stage.plan_cycle().await;
    let mut throttled = ConnectorError::new(ConnectorErrorKind::Throttled, "TooManyRequests", "too many");
    throttled.retry_after = Some(Duration::from_secs(3600));
    stage.target.fail_write(Fault::Before(throttled));
    let until = stage.clock.now().checked_add(SignedDuration::from_hours(1)).expect("it is near");
    stage.engine.run_job(&stage.job).await.expect("the store works");
    // Whoever asks is told so.
    stage.target.fail_read(ConnectorError::new(ConnectorErrorKind::Unreachable, "Asked", "it was asked"));
    let cycle = PlanRequest { cycle: true, ..stage.request() };
    for request in [cycle, stage.request_of(&["a"])] {
        let refused = stage.engine.plan(&stage.application, &request).await.expect_err("it rests");
        assert!(refused.to_string().contains(&format!("throttled until {until}")), "{refused}");
    }
    let refused = stage.apply(&plan).await.expect_err("it rests");
    assert!(refused.to_string().contains(&format!("throttled until {until}")), "{refused}");
    let stored = stage.engine.stored_plan(&stage.application, &stage.job, &plan.plan.id).await;
    assert_eq!(stored.expect("it is there").progress.state, State::Planned);
    stage.clock.advance(Duration::from_secs(3600));
    let said = stage.engine.plan(&stage.application, &stage.request_of(&["a"])).await.expect_err("it fails");
    assert!(said.to_string().contains("it was asked"), "{said}");
    stage.apply_exactly(&plan).await;
}
