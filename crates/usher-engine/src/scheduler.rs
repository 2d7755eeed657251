//! The scheduler: looks which jobs are due, runs them side by side, and looks again when something changes.
//!
//! It keeps nothing of its own: what is due follows from what jobs remember. After a crash it goes on where they were.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use usher_core::{Job, JobId, ScheduleState};

use crate::Engine;
use crate::cases::CaseError;

/// How many jobs run at once.
const AT_ONCE: usize = 16;
/// The longest the scheduler sleeps.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How long a job rests whose run the store broke off.
const REST: SignedDuration = SignedDuration::from_secs(30);
/// How often the log is pruned.
const PRUNE_EVERY: SignedDuration = SignedDuration::from_secs(3600);
/// How many events are pruned in one go.
const PRUNE: usize = 10_000;

impl Engine {
    /// Runs jobs on their schedules until `shutdown`; then lets every run finish what is in flight.
    pub async fn run_jobs(&self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        self.runs.open();
        let mut runs = JoinSet::new();
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut resting: HashMap<JobId, Timestamp> = HashMap::new();
        let mut pruned_at = None;
        loop {
            let now = self.clock.now();
            if pruned_at.is_none_or(|at: Timestamp| now.duration_since(at) >= PRUNE_EVERY) {
                pruned_at = Some(now);
                self.tidy_up(now).await;
            }
            resting.retain(|_, until| *until > now);
            let mut next = later(now, SignedDuration::try_from(LOOK_AGAIN).expect("a minute is short"));
            match self.due(now, &resting).await {
                Ok((due, first)) => {
                    next = first.map_or(next, |first| first.min(next));
                    for job in due {
                        let (engine, room) = (self.clone(), room.clone());
                        resting.insert(job.clone(), Timestamp::MAX);
                        runs.spawn(async move {
                            let _room = room.acquire_owned().await;
                            let outcome = engine.run_job(&job).await;
                            (job, outcome)
                        });
                    }
                }
                Err(error) => tracing::error!("cannot look which jobs are due: {}", chain(&error)),
            }
            let wait = Duration::try_from(next.duration_since(now)).unwrap_or(LOOK_AGAIN);
            tokio::select! {
                () = &mut shutdown => break,
                () = self.runs.bell.notified() => {}
                () = self.clock.wait(wait) => {}
                Some(ended) = runs.join_next() => match ended {
                    Ok((job, Ok(_))) => drop(resting.remove(&job)),
                    Ok((job, Err(error))) => {
                        tracing::error!(job.id = %job, "the run broke off: {}", chain(&error));
                        resting.insert(job, later(self.clock.now(), REST));
                    }
                    // A bug in one run must not stop the others; the job rests until the next start.
                    Err(error) => tracing::error!("a run ended unexpectedly: {error}"),
                },
            }
        }
        self.runs.stop_all();
        while runs.join_next().await.is_some() {}
        self.runs.open();
    }

    /// The jobs that are due, and when the next one is.
    async fn due(
        &self,
        now: Timestamp,
        resting: &HashMap<JobId, Timestamp>,
    ) -> Result<(Vec<JobId>, Option<Timestamp>), CaseError> {
        let (mut due, mut next) = (Vec::new(), None::<Timestamp>);
        for job in self.store.jobs(None).await? {
            if job.state != ScheduleState::Active {
                continue;
            }
            let at = match resting.get(&job.id) {
                Some(until) => *until,
                None => match self.due_at(&job, now).await? {
                    Some(at) => at,
                    None => continue,
                },
            };
            if at <= now {
                due.push(job.id);
            } else if at < Timestamp::MAX {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        }
        Ok((due, next))
    }

    /// When a job that runs on its schedule is due; `None` when it has given up.
    async fn due_at(&self, job: &Job, now: Timestamp) -> Result<Option<Timestamp>, CaseError> {
        let state = self.store.job_state(&job.id).await?.unwrap_or_default();
        let has_restart = job.restart.is_some_and(|request| request.number > state.applied_restart);
        Ok(match (has_restart, state.has_given_up) {
            (true, _) => Some(now),
            (false, true) => None,
            (false, false) => Some(state.next_run_at.unwrap_or(now)),
        })
    }

    async fn tidy_up(&self, now: Timestamp) {
        let Some(before) = SignedDuration::try_from(self.settings.log_retention)
            .ok()
            .and_then(|kept| now.checked_sub(kept).ok())
        else {
            return;
        };
        loop {
            match self.store.prune_events(before, PRUNE).await {
                Ok(count) if count == PRUNE => {}
                Ok(_) => break,
                Err(error) => return tracing::error!("cannot prune the provisioning log: {}", chain(&error)),
            }
        }
        loop {
            match self.store.prune_audits(before, PRUNE).await {
                Ok(count) if count == PRUNE => {}
                Ok(_) => break,
                Err(error) => return tracing::error!("cannot prune the audit log: {}", chain(&error)),
            }
        }
        if let Err(error) = self.prune_plans(before).await {
            tracing::error!("cannot prune the plans: {}", chain(&error));
        }
        if let Err(error) = self.prune_recordings(now).await {
            tracing::error!("cannot prune recorded source objects: {}", chain(&error));
        }
        if let Err(error) = self.empty_bin().await {
            tracing::error!("cannot empty the bin: {}", chain(&error));
        }
    }
}

fn later(now: Timestamp, duration: SignedDuration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
