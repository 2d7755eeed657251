//! Plans, over every connector: what is sent is what was planned, to the byte on the wire; what somebody else changed in
//! between is refused; and a plan of a plan's result is empty. What happens to people and groups is drawn.

#[path = "../entra/published.rs"]
mod published;
mod story;
mod target;
#[expect(dead_code, reason = "the tests of the tenant use more of it")]
#[path = "../entra/stage.rs"]
mod tenant;

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use usher_core::saved::VERSION_HEADER;
use usher_testkit::suites::plans::{
    PlanSite, a_plan_of_a_plans_result_is_empty, apply_after_an_outside_change_refuses,
    what_is_sent_is_what_was_planned,
};

use story::{Round, Stage};
use target::Target;

/// How many stories are drawn where a story costs little, and where a server of its own takes part.
const MANY: u32 = 24;
#[cfg(feature = "real-servers")]
const FEW: u32 = 5;

#[test]
fn over_scim() {
    holds(Target::sandbox(""), MANY);
    holds(Target::sandbox("?aadOptscim062020"), MANY);
}

#[test]
fn over_the_directory_inside() {
    holds(Target::directory(), MANY);
}

#[test]
fn over_microsoft_graph() {
    holds(Target::graph(), MANY);
}

#[cfg(feature = "real-servers")]
#[test]
fn over_active_directory() {
    holds(Target::active_directory(), FEW);
}

#[cfg(feature = "real-servers")]
#[test]
fn over_openldap() {
    holds(Target::openldap(), FEW);
}

#[cfg(feature = "real-servers")]
#[test]
fn over_scim2_server() {
    holds(Target::scim2_server(), FEW);
}

#[cfg(feature = "real-servers")]
#[test]
fn over_better_auth() {
    holds(Target::better_auth(), FEW);
}

#[cfg(feature = "real-servers")]
#[test]
fn over_django() {
    holds(Target::django(), FEW);
}

/// A service may count versions up for what no mapping looks at: the account is still as planned, and the version that
/// was read right before the write is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_no_mapping_looks_at_refuses_nothing() {
    let target = Target::sandbox("").await;
    let mut stage = Stage::new(&target, 0).await;
    what_is_sent_is_what_was_planned(&stage).await;
    stage.promote_all();
    let plan = stage.plan().await;
    let planned = versions(
        plan.objects
            .iter()
            .flat_map(|object| &object.requests)
            .map(|request| request.headers.get(VERSION_HEADER).cloned()),
    );
    for object in &plan.objects {
        let account = object.target_anchor.as_ref().expect("they have accounts");
        stage.change(account, ("nickName", "by hand")).await;
    }
    stage.sent();
    let applied = stage.apply(&plan).await;
    assert!(applied.is_complete(), "{:#?}", applied.objects.last());
    let sent = stage.sent().expect("the wire is read along");
    let sent = versions(sent.iter().map(|sent| sent.header("if-match").map(str::to_owned)));
    assert_eq!((planned.len(), sent.len()), (2, 2), "the sandbox tells versions");
    assert!(planned.iter().zip(&sent).all(|(planned, sent)| planned != sent), "{planned:?} {sent:?}");
}

fn versions(all: impl Iterator<Item = Option<String>>) -> Vec<String> {
    all.flatten().collect()
}

/// The property: the same stories in every run, and the shortest one that fails.
fn holds(target: impl Future<Output = Target>, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let target = runtime.block_on(target);
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (number, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let held = runner.run(&story::rounds(), |rounds| {
        // Each story has people of its own, so that one server is enough for all.
        let number = number.fetch_add(1, Ordering::SeqCst);
        if runtime.block_on(live(&target, number, &rounds)) {
            refused.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    if let Err(error) = held {
        panic!("{error}");
    }
    assert!(refused.load(Ordering::SeqCst) > 0, "no story had an account that somebody else could change");
    runtime.block_on(async { drop(target) });
}

/// One story. Says whether an outside change was refused in it.
async fn live(target: &Target, number: usize, rounds: &[Round]) -> bool {
    let mut stage = Stage::new(target, number).await;
    for round in rounds {
        stage.stir(round);
        what_is_sent_is_what_was_planned(&stage).await;
        a_plan_of_a_plans_result_is_empty(&stage).await;
    }
    stage.promote_all();
    apply_after_an_outside_change_refuses(&stage).await
}
