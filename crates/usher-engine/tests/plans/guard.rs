//! The deletion guard and plans: what one plan may do, and what several may do together.

use std::time::Duration;

use usher_core::saved::applied::{Outcome, State};
use usher_engine::cases::CaseError;
use usher_expr::Value;

use crate::stage::{Stage, lines};

impl Stage {
    /// Three people with accounts, and a guard that lets one go.
    async fn guarded(&self) {
        for name in ["a", "b", "c"] {
            self.person(name, &[]);
        }
        self.apply_exactly(&self.plan_cycle().await).await;
        let settings = [("QuarantineTooManyDeletesThreshold".to_owned(), "1".to_owned())];
        self.engine.update_job(&self.application, &self.job, None, &settings).await.expect("it is set");
    }
}

#[tokio::test]
async fn deletions_beyond_the_guard_are_held_back_in_the_plan() {
    let stage = Stage::new().await;
    for name in ["a", "b", "c"] {
        stage.person(name, &[]);
    }
    stage.apply_exactly(&stage.plan_cycle().await).await;
    stage.engine.run_job(&stage.job).await.expect("the store works");
    let settings = [("QuarantineTooManyDeletesThreshold".to_owned(), "1".to_owned())];
    stage.engine.update_job(&stage.application, &stage.job, None, &settings).await.expect("it is set");
    stage.source.entitle("a", false, false);
    let plan = stage.plan_cycle().await.plan;
    assert_eq!((plan.guard.count, plan.guard.holds_back, plan.counts.disable), (1, false, 1));
    stage.source.entitle("b", false, false);
    let plan = stage.plan_cycle().await;
    let guard = plan.plan.guard;
    assert_eq!((guard.threshold, guard.count, guard.holds_back), (Some(1), 2, true));
    assert_eq!(lines(&plan.plan), ["StagedDelete a@x", "StagedDelete b@x"]);
    assert!(!plan.plan.has_changes());
}

#[tokio::test]
async fn deletions_beyond_the_guard_are_held_back_in_a_plan_of_several_subjects_too() {
    let stage = Stage::new().await;
    for name in ["a", "b", "c"] {
        stage.person(name, &[]);
    }
    stage.apply_exactly(&stage.plan_cycle().await).await;
    let settings = [("QuarantineTooManyDeletesThreshold".to_owned(), "1".to_owned())];
    stage.engine.update_job(&stage.application, &stage.job, None, &settings).await.expect("it is set");
    for name in ["a", "b"] {
        stage.source.entitle(name, false, false);
    }
    stage.person("c", &[("jobTitle", Value::from("Boss"))]);
    let plan = stage.plan_of(&["a"]).await.plan;
    assert_eq!((plan.guard.threshold, plan.guard.count, plan.guard.holds_back), (Some(1), 1, false));
    let plan = stage.plan_of(&["a", "b", "c"]).await;
    assert_eq!((plan.plan.guard.count, plan.plan.guard.holds_back, plan.plan.counts.held_back), (2, true, 2));
    assert_eq!(lines(&plan.plan)[1..], ["StagedDelete a@x", "StagedDelete b@x"]);
    let applied = stage.apply(&plan).await.expect("it can be applied");
    assert_eq!((applied.state, applied.counts.applied, applied.counts.held_back), (State::Applied, 1, 2));
    for name in ["a@x", "b@x"] {
        let accounts = stage.target.objects();
        let account =
            accounts.iter().find(|one| one.attributes.value("userName") == Some(&Value::from(name)));
        let active = account.and_then(|account| account.attributes.value("active").map(Value::to_text));
        assert_eq!(active.as_deref(), Some("True"), "{name}");
    }
}

#[tokio::test]
async fn two_plans_do_not_take_away_what_one_may_not() {
    let stage = Stage::new().await;
    stage.guarded().await;
    for name in ["a", "b"] {
        stage.source.entitle(name, false, false);
    }
    let (first, second) = (stage.plan_of(&["a"]).await, stage.plan_of(&["b"]).await);
    assert!(!first.plan.guard.holds_back && !second.plan.guard.holds_back, "each alone is allowed");
    stage.apply_exactly(&first).await;
    let written = stage.target.written().len();
    let refused = stage.apply(&second).await.expect_err("together they are too many");
    let said = refused.to_string();
    assert!(matches!(refused, CaseError::Conflict { .. }), "{said}");
    assert!(
        said.contains("allows 1")
            && said.contains("out 1 of them")
            && said.contains("apply the plan again after"),
        "{said}"
    );
    assert_eq!(stage.target.written().len(), written, "nothing was sent");

    // A new plan says so itself.
    let plan = stage.plan_of(&["b"]).await.plan;
    assert_eq!((plan.guard.count, plan.guard.recent, plan.guard.holds_back), (1, 1, true));
    assert_eq!(lines(&plan), ["StagedDelete b@x"]);
    // What takes nothing away is not kept waiting.
    stage.person("c", &[("jobTitle", Value::from("Boss"))]);
    stage.apply_exactly(&stage.plan_of(&["c"]).await).await;
    // The next interval has the threshold again, as the next cycle has.
    stage.clock.advance(Duration::from_secs(40 * 60));
    stage.apply_exactly(&second).await;
}

#[tokio::test]
async fn what_was_not_sent_takes_nothing_of_the_threshold() {
    let stage = Stage::new().await;
    stage.guarded().await;
    stage.source.entitle("a", false, false);
    let plan = stage.plan_of(&["a"]).await;
    // He is assigned again: the plan is none for him any more.
    stage.source.entitle("a", true, true);
    for _ in 0..2 {
        let applied = stage.apply(&plan).await.expect("the answer says so");
        assert_eq!((applied.state, applied.objects[0].outcome), (State::Stopped, Outcome::Refused));
    }
    stage.source.entitle("b", false, false);
    stage.apply_exactly(&stage.plan_of(&["b"]).await).await;
    // The plan that goes on is not held against itself.
    stage.clock.advance(Duration::from_secs(40 * 60));
    stage.source.entitle("a", false, false);
    stage.apply_exactly(&plan).await;
}
