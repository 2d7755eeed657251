//! Source objects that a job keeps with its events, to try other schemas on. They are personal data: kept only when
//! the job says so, sealed, and forgotten when their time is over or the job says so no longer.

use jiff::{SignedDuration, Timestamp};
use usher_core::explain;
use usher_core::ports::Exchange;
use usher_core::program::MappingProgram;
use usher_core::recording::{Recording, kept, person};
use usher_core::{EntryId, Job, JobId, Secret};

use super::CaseError;
use super::plans::made_at;
use crate::Engine;
use crate::subject::{Looked, Mode, Run, Worked};

/// The most recordings of one page.
const MOST: usize = 200;

fn name_of(job: &JobId, event: &str) -> String {
    format!("recording/{}/{event}", job.as_str().to_lowercase())
}

impl Run<'_> {
    /// What would be kept of a subject; `None` when the job keeps nothing.
    pub(crate) fn recording(&self, mapping: &MappingProgram, looked: &Looked) -> Option<Recording> {
        if matches!(self.mode, Mode::DryRun | Mode::Plan(_)) || kept(self.job).is_none() {
            return None;
        }
        let Looked { facts, plan, context, .. } = looked;
        Some(Recording {
            event: Default::default(),
            at: context.now,
            schema: self.prepared.fingerprint().clone(),
            person: person(mapping, facts, plan),
            explanation: explain::explain(mapping, facts, plan.target.as_ref(), context),
            requests: Vec::new(),
        })
    }

    /// Keeps a recording under the event that came of it.
    pub(crate) async fn keep(&self, recording: Option<Recording>, worked: &Worked) -> Result<(), CaseError> {
        let Some(recording) = recording.filter(|_| !worked.is_held) else { return Ok(()) };
        let recording =
            Recording { event: worked.event.id.clone(), requests: worked.requests.clone(), ..recording };
        let text = serde_json::to_string(&recording).expect("a recording has a JSON form");
        let name = name_of(&self.job.id, &recording.event);
        Ok(self.engine.store.put_setting(&name, &Secret::new(text)).await?)
    }
}

impl Engine {
    /// A page of the recordings of a job, newest first, those before an event; and whether there are more.
    ///
    /// # Errors
    /// There is no such job.
    pub async fn recordings(
        &self,
        service_principal: &EntryId,
        job: &JobId,
        before: Option<&str>,
    ) -> Result<(Vec<Recording>, bool), CaseError> {
        let job = self.job(service_principal, job).await?;
        let mut names = self.store.setting_names(&name_of(&job.id, "")).await?;
        if let Some(before) = before {
            let before = name_of(&job.id, before);
            names.retain(|name| *name < before);
        }
        let mut found = Vec::new();
        for name in names.iter().rev().take(MOST) {
            found.extend(self.read_recording(name).await?);
        }
        Ok((found, names.len() > MOST))
    }

    /// The recording of an event.
    ///
    /// # Errors
    /// There is no such job, or it kept nothing of the event.
    pub async fn recording(
        &self,
        service_principal: &EntryId,
        job: &JobId,
        event: &str,
    ) -> Result<Recording, CaseError> {
        let job = self.job(service_principal, job).await?;
        let found = self.read_recording(&name_of(&job.id, &event.to_lowercase())).await?;
        found.ok_or_else(|| CaseError::not_found("recording", event))
    }

    /// What was sent and what came back for an event of a job, as far as the log keeps it.
    ///
    /// # Errors
    /// There is no such job, or the log has no such event of it.
    pub async fn exchanges(
        &self,
        service_principal: &EntryId,
        job: &JobId,
        event: &str,
    ) -> Result<Vec<Exchange>, CaseError> {
        let job = self.job(service_principal, job).await?;
        let found = self.store.event(&event.to_lowercase()).await?;
        let of_the_job = found.filter(|found| found.job == job.id);
        of_the_job.map(|found| found.requests).ok_or_else(|| CaseError::not_found("event", event))
    }

    async fn read_recording(&self, name: &str) -> Result<Option<Recording>, CaseError> {
        let Some(text) = self.store.setting(name).await? else { return Ok(None) };
        serde_json::from_str(text.expose())
            .map(Some)
            .map_err(|_| CaseError::invalid("BadRequest", format!("'{name}' cannot be read")))
    }

    /// Forgets all recordings of a job.
    pub(crate) async fn forget_recordings(&self, job: &JobId) -> Result<(), CaseError> {
        for name in self.store.setting_names(&name_of(job, "")).await? {
            self.store.remove_setting(&name).await?;
        }
        Ok(())
    }

    /// Forgets recordings whose time is over.
    pub(crate) async fn prune_recordings(&self, now: Timestamp) -> Result<(), CaseError> {
        for job in self.store.jobs(None).await? {
            let before = oldest(&job, now);
            for name in self.store.setting_names(&name_of(&job.id, "")).await? {
                let at = made_at(name.rsplit('/').next().unwrap_or_default());
                if before.is_none_or(|before| at.is_none_or(|at| at < before)) {
                    self.store.remove_setting(&name).await?;
                }
            }
        }
        Ok(())
    }
}

/// The instant before which a job keeps nothing; `None` when it keeps nothing at all.
fn oldest(job: &Job, now: Timestamp) -> Option<Timestamp> {
    let kept = SignedDuration::try_from(kept(job)?).ok()?;
    Some(now.checked_sub(kept).unwrap_or(Timestamp::MIN))
}
