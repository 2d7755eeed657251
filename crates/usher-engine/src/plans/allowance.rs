//! What plans of a job have disabled and deleted lately: the deletion guard holds for all of them together, or two plans
//! would do what one may not.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use usher_core::saved::applied::Deprovisioned;
use usher_core::{Job, JobId, Secret};

use crate::Engine;
use crate::cases::CaseError;
use crate::finish::interval;

/// What is taken of the threshold. Every cycle has the threshold to itself; so have all plans of an interval together.
pub(super) struct Allowance<'a> {
    engine: &'a Engine,
    job: JobId,
    window: Duration,
    taken: Vec<Deprovisioned>,
}

fn name_of(job: &JobId) -> String {
    format!("plan-deprovisioned/{}", job.as_str().to_lowercase())
}

impl Engine {
    /// What plans of a job have disabled and deleted within one interval.
    pub(super) async fn allowance(&self, job: &Job) -> Result<Allowance<'_>, CaseError> {
        let text = self.store.setting(&name_of(&job.id)).await?;
        let taken = text.and_then(|text| serde_json::from_str(text.expose()).ok()).unwrap_or_default();
        let window = interval(&job.interval);
        let mut allowance = Allowance { engine: self, job: job.id.clone(), window, taken };
        let now = self.clock.now();
        allowance.taken.retain(|one| ends(one.at, window) > now);
        Ok(allowance)
    }

    /// Forgets it, with the job.
    pub(crate) async fn forget_allowance(&self, job: &JobId) -> Result<(), CaseError> {
        self.store.remove_setting(&name_of(job)).await?;
        Ok(())
    }
}

impl Allowance<'_> {
    /// How many were disabled and deleted, without some objects of a plan that are still to be.
    pub(super) fn taken_without(&self, plan: &str, open: &[usize]) -> u64 {
        self.taken.iter().filter(|one| !(one.plan == plan && open.contains(&one.place))).count() as u64
    }

    /// When the first of them counts no more.
    pub(super) fn frees_at(&self) -> Option<Timestamp> {
        self.taken.iter().map(|one| one.at).min().map(|at| ends(at, self.window))
    }

    /// Notes an object that is about to be disabled or deleted.
    pub(super) async fn take(&mut self, plan: &str, place: usize) -> Result<(), CaseError> {
        self.taken.retain(|one| !(one.plan == plan && one.place == place));
        self.taken.push(Deprovisioned { at: self.engine.clock.now(), plan: plan.into(), place });
        self.write().await
    }

    /// Strikes out one for which nothing was sent.
    pub(super) async fn give_back(&mut self, plan: &str, place: usize) -> Result<(), CaseError> {
        self.taken.retain(|one| !(one.plan == plan && one.place == place));
        self.write().await
    }

    async fn write(&self) -> Result<(), CaseError> {
        let text = serde_json::to_string(&self.taken).expect("times and numbers have a JSON form");
        Ok(self.engine.store.put_setting(&name_of(&self.job), &Secret::new(text)).await?)
    }
}

fn ends(at: Timestamp, window: Duration) -> Timestamp {
    let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
    at.checked_add(window).unwrap_or(Timestamp::MAX)
}
