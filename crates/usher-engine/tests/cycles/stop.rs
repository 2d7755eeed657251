//! Stop means stop: what is not written when the order comes stays as it is, and nobody waits for a target in vain.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use futures::FutureExt;
use jiff::SignedDuration;
use usher_core::cycle::Counts;
use usher_core::ports::ConnectorErrorKind;
use usher_core::{EntryId, JobId};
use usher_engine::Engine;
use usher_testkit::{Call, Fault, Interference, Verdict};

use crate::stage::{Stage, ends, failure};

const PEOPLE: [&str; 6] = ["ann", "bob", "cid", "dan", "eve", "fay"];

/// Pauses the job when the target is first asked so.
struct Pauses {
    engine: Engine,
    application: EntryId,
    job: JobId,
    at: Mutex<Option<Call>>,
}

impl Interference for Pauses {
    fn judge(&self, call: Call) -> Verdict {
        if self.at.lock().expect("nobody panics").take_if(|at| *at == call).is_some() {
            let paused = self.engine.pause_job(&self.application, &self.job).now_or_never();
            paused.expect("nobody waits").expect("it pauses");
        }
        Verdict::Go
    }
}

fn pause_at(stage: &Stage, call: Call) {
    stage.target.interfere(Arc::new(Pauses {
        engine: stage.engine.clone(),
        application: stage.application.clone(),
        job: stage.job.clone(),
        at: Mutex::new(Some(call)),
    }));
}

#[tokio::test]
async fn who_is_not_written_when_a_pause_comes_stays_for_the_next_run() {
    for (call, written) in [(Call::Find, 0), (Call::Create, 1)] {
        let stage = Stage::new().await;
        stage.source.page_size(6);
        stage.people(&PEOPLE);
        pause_at(&stage, call);
        stage.run().await;
        assert_eq!(stage.target.objects().len(), written, "{call:?}: only the request in flight is finished");
        assert!(stage.store.escrows().is_empty(), "nobody has failed, and no create is on its way");
        let state = stage.state().await;
        let counts = state.cycle.expect("the cycle is not over").counts;
        assert_eq!((counts.imported, counts.failed), (written as u64, 0));
        assert!(state.last_execution.is_none(), "a pause is no failure");
        stage.engine.start_job(&stage.application, &stage.job).await.expect("it starts");
        assert!(stage.run().await.ends_with("Succeeded\n"));
        assert_eq!(stage.target.objects().len(), PEOPLE.len());
        let counts = stage.state().await.last_execution.expect("it ran").counts;
        assert_eq!((counts.imported, counts.exported), (6, 6), "nobody is counted twice");
    }
}

/// A job whose target wants a rest, in which time stands still.
async fn resting() -> Stage {
    let stage = Stage::new().await;
    stage.people(&PEOPLE);
    let mut throttled = failure(ConnectorErrorKind::Throttled);
    throttled.retry_after = Some(Duration::from_secs(500));
    stage.target.fail_write(Fault::Before(throttled));
    stage.waits.stand_still.store(true, Ordering::SeqCst);
    stage
}

#[tokio::test]
async fn a_pause_is_heeded_while_the_target_rests() {
    let stage = resting().await;
    let (engine, job) = (stage.engine.clone(), stage.job.clone());
    let run = tokio::spawn(async move { engine.run_job(&job).await });
    ends(stage.waits.begun.notified()).await;
    stage.engine.pause_job(&stage.application, &stage.job).await.expect("it pauses");
    let state = ends(run).await.expect("it does not panic").expect("the store works");
    assert!(stage.target.objects().is_empty() && stage.store.escrows().is_empty());
    assert_eq!(state.cycle.expect("the cycle is not over").counts, Counts::default());
    stage.waits.stand_still.store(false, Ordering::SeqCst);
    stage.engine.start_job(&stage.application, &stage.job).await.expect("it starts");
    assert!(stage.run().await.ends_with("Succeeded\n"));
}

#[tokio::test]
async fn a_job_is_removed_while_the_target_rests() {
    let stage = resting().await;
    let (engine, job) = (stage.engine.clone(), stage.job.clone());
    let run = tokio::spawn(async move { engine.run_job(&job).await });
    ends(stage.waits.begun.notified()).await;
    ends(stage.engine.remove_job(&stage.application, &stage.job)).await.expect("it is removed");
    drop(ends(run).await);
    assert!(stage.target.objects().is_empty());
}

#[tokio::test]
async fn a_service_that_is_to_end_waits_for_no_target() {
    let stage = resting().await;
    ends(stage.engine.run_jobs(async {
        // The scheduler waits for the next look, and a run for its target.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }))
    .await;
    assert!(stage.target.objects().is_empty() && stage.store.escrows().is_empty());
    assert!(stage.state().await.cycle.is_some(), "the next start goes on there");
}

/// Counts what the target is asked.
#[derive(Default)]
struct Asked(Mutex<usize>);

impl Interference for Asked {
    fn judge(&self, _: Call) -> Verdict {
        *self.0.lock().expect("nobody panics") += 1;
        Verdict::Go
    }
}

#[tokio::test]
async fn a_target_that_wants_a_long_rest_is_not_asked_before() {
    let stage = Stage::new().await;
    let asked = Arc::new(Asked::default());
    stage.target.interfere(asked.clone());
    let count = || *asked.0.lock().expect("nobody panics");
    stage.people(&PEOPLE);
    let mut throttled = failure(ConnectorErrorKind::Throttled);
    throttled.retry_after = Some(Duration::from_secs(3600));
    stage.target.fail_write_after(1, Fault::Before(throttled));
    let told_at = stage.engine.clock.now();
    expect![[r#"
        cycle initial
          ann    create       success
        Failed TooManyRequests
    "#]]
    .assert_eq(&stage.run().await);
    let state = stage.state().await;
    let until = told_at.checked_add(SignedDuration::from_secs(3600)).expect("it is near");
    assert_eq!((state.next_run_at, state.throttled_until), (Some(until), Some(until)));
    let message = state.last_execution.and_then(|run| run.error).expect("it broke off").message;
    assert!(message.contains(&format!("throttled until {until}")), "{message}");
    assert!(stage.store.escrows().is_empty() && state.quarantine.is_none(), "nobody has failed");
    let before = count();
    // Whoever starts it.
    stage.restart("Watermark").await;
    stage.clock.advance(Duration::from_secs(3599));
    stage.run().await;
    assert_eq!(count(), before, "the target is left alone");
    assert_eq!(stage.state().await.next_run_at, Some(until));
    stage.clock.advance(Duration::from_secs(1));
    assert!(stage.run().await.ends_with("Succeeded\n"));
    assert_eq!(stage.target.objects().len(), PEOPLE.len());
    assert_eq!(stage.state().await.throttled_until, None);
}

#[tokio::test]
async fn a_source_that_wants_a_long_rest_is_left_alone_by_the_next_run() {
    for (rest, expected) in [(30, 2400), (7200, 7200), (999_999_999, 24 * 3600)] {
        let stage = Stage::new().await;
        stage.people(&PEOPLE);
        let mut throttled = failure(ConnectorErrorKind::Throttled);
        throttled.retry_after = Some(Duration::from_secs(rest));
        stage.source.fail_read(throttled);
        let now = stage.engine.clock.now();
        stage.run().await;
        let state = stage.state().await;
        let until = now.checked_add(SignedDuration::from_secs(expected)).expect("it is near");
        assert_eq!(state.next_run_at, Some(until), "{rest} seconds");
        let message = state.last_execution.and_then(|run| run.error).expect("it broke off").message;
        assert_eq!(message.contains(&format!("left alone until {until}")), rest > 2400, "{message}");
        assert!(state.quarantine.is_none());
    }
}
