//! Synchronization jobs: make, look at, list, start, pause, restart, change, remove.

use std::collections::BTreeSet;

use smol_str::SmolStr;
use usher_core::recording;
use usher_core::{
    EntryId, EntryKind, Job, JobId, JobState, ResetScope, RestartRequest, SETTINGS, ScheduleState,
};

use super::CaseError;
use super::on_demand::{probe, test_connection};
use super::secrets::is_secret_key;
use crate::Engine;
use crate::target::Target;

impl Engine {
    /// Makes a job of a template for a service principal; it is `Disabled` until started.
    ///
    /// # Errors
    /// The service principal or the template does not exist.
    pub async fn create_job(&self, service_principal: &EntryId, template_id: &str) -> Result<Job, CaseError> {
        let principal = self
            .store
            .entry(EntryKind::ServicePrincipal, service_principal)
            .await?
            .filter(|entry| entry.deleted_at.is_none())
            .ok_or_else(|| CaseError::not_found("service principal", service_principal.as_str()))?;
        let own = self.template(&principal, template_id).await?;
        let template = own.base;
        let id = format!("{}.{}.{}", own.id, self.settings.tenant.replace('-', ""), self.clock.guid());
        let job = Job {
            id: JobId::new(id),
            service_principal: service_principal.clone(),
            factory: (own.id != template.id).then(|| template.id.into()),
            template: own.id.as_str().into(),
            interval: template.interval.into(),
            state: ScheduleState::Disabled,
            settings: template
                .settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            created_at: self.clock.now(),
            restart: None,
        };
        if let Some(document) = self.changed_template_schema(&principal, &own.id).await? {
            self.store.put_schema(&job.id, &document).await?;
        }
        self.store.put_job(&job).await?;
        Ok(job)
    }

    /// The job of this service principal with this id; ids are compared without regard to case.
    ///
    /// # Errors
    /// There is no such job under this service principal.
    pub async fn job(&self, service_principal: &EntryId, id: &JobId) -> Result<Job, CaseError> {
        self.store
            .job(id)
            .await?
            .filter(|job| job.service_principal == *service_principal)
            .ok_or_else(|| CaseError::not_found("synchronization job", id.as_str()))
    }

    /// The jobs of a service principal, in the order in which they were made.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn jobs(&self, service_principal: &EntryId) -> Result<Vec<Job>, CaseError> {
        Ok(self.store.jobs(Some(service_principal)).await?)
    }

    /// Removes a job and what it remembers; accounts in the target stay.
    ///
    /// # Errors
    /// There is no such job under this service principal.
    pub async fn remove_job(&self, service_principal: &EntryId, id: &JobId) -> Result<(), CaseError> {
        let job = self.job(service_principal, id).await?;
        let control = self.runs.control(&job.id);
        {
            // No run that only waits for its turn begins any more.
            let _order = control.order().await;
            let job = self.job(service_principal, &job.id).await?;
            self.store.put_job(&Job { state: ScheduleState::Disabled, ..job }).await?;
            control.stop();
        }
        // A run that is under way would write down its state once more.
        let _not_running = control.begin().await;
        self.store.remove_job(&job.id).await?;
        self.store.remove_uploads(&job.id).await?;
        self.forget_plans(&job.id).await?;
        self.forget_recordings(&job.id).await?;
        self.forget_prepared(&job.id);
        Ok(())
    }

    /// Lets a job run on its schedule: at once, going on where it was. Lifts a quarantine. The connection of a job
    /// that never ran is tested first, to both sides.
    ///
    /// # Errors
    /// There is no such job, or a connection of a new job does not work.
    pub async fn start_job(&self, service_principal: &EntryId, id: &JobId) -> Result<(), CaseError> {
        let job = self.job(service_principal, id).await?;
        let has_run = self.store.job_state(&job.id).await?.is_some_and(|state| state.cycles > 0);
        if !has_run {
            let prepared = self.prepare(&job).await?;
            let rule = prepared.schema.synchronization_rules.first().map(|rule| rule.id.clone());
            let rule = rule.map(|rule| prepared.rule(&job.id, &rule)).transpose()?;
            if let Some(mapping) = rule.as_ref().and_then(|rule| rule.mappings.first()) {
                let target = Target::on_demand(prepared.target.clone(), self.clock.clone());
                test_connection(self, &target, mapping).await?;
                // The directory inside and uploads need no connection.
                let is_outside = !matches!(prepared.template.source, "directory" | "api");
                if let Some(probe) = probe(self, mapping).filter(|_| is_outside) {
                    prepared.source.check(&probe).await?;
                }
            }
        }
        self.request_restart(&job.id, ResetScope::QUARANTINE_STATE, Some(ScheduleState::Active)).await
    }

    /// Stops a job after what is in flight; everything it remembers is kept.
    ///
    /// # Errors
    /// There is no such job.
    pub async fn pause_job(&self, service_principal: &EntryId, id: &JobId) -> Result<(), CaseError> {
        let job = self.job(service_principal, id).await?;
        let control = self.runs.control(&job.id);
        let _order = control.order().await;
        let job = self.job(service_principal, &job.id).await?;
        self.store.put_job(&Job { state: ScheduleState::Disabled, ..job }).await?;
        control.stop();
        self.runs.bell.notify_one();
        Ok(())
    }

    /// Restarts a job: forgets what the scope says, then runs at once.
    ///
    /// # Errors
    /// There is no such job.
    pub async fn restart_job(
        &self,
        service_principal: &EntryId,
        id: &JobId,
        scope: ResetScope,
    ) -> Result<(), CaseError> {
        let job = self.job(service_principal, id).await?;
        self.request_restart(&job.id, scope, Some(ScheduleState::Active)).await?;
        // A run under way would go on with what is to be forgotten.
        self.runs.control(&job.id).stop();
        Ok(())
    }

    /// Notes a restart. The next run carries it out, also after a crash in between.
    pub(crate) async fn request_restart(
        &self,
        id: &JobId,
        scope: ResetScope,
        state: Option<ScheduleState>,
    ) -> Result<(), CaseError> {
        let control = self.runs.control(id);
        let _order = control.order().await;
        let Some(mut job) = self.store.job(id).await? else {
            return Err(CaseError::not_found("synchronization job", id.as_str()));
        };
        let applied = self.store.job_state(&job.id).await?.map_or(0, |state| state.applied_restart);
        // One that still waits is not forgotten over this one.
        let waiting = job.restart.filter(|request| request.number > applied);
        job.restart = Some(RestartRequest {
            number: job.restart.map_or(0, |request| request.number).max(applied) + 1,
            scope: waiting.map_or(scope, |request| request.scope.with(scope)),
        });
        if let Some(state) = state {
            job.state = state;
        }
        self.store.put_job(&job).await?;
        self.runs.bell.notify_one();
        Ok(())
    }

    /// Changes the interval and settings of a job; settings that are not named stay.
    ///
    /// # Errors
    /// There is no such job, the interval is no ISO 8601 duration of at least ten seconds, or a setting is unknown or has
    /// a value that it cannot have.
    pub async fn update_job(
        &self,
        service_principal: &EntryId,
        id: &JobId,
        interval: Option<&str>,
        settings: &[(String, String)],
    ) -> Result<Job, CaseError> {
        let job = self.job(service_principal, id).await?;
        let control = self.runs.control(&job.id);
        let _order = control.order().await;
        let mut job = self.job(service_principal, &job.id).await?;
        if let Some(text) = interval {
            if !is_interval(text) {
                return Err(CaseError::invalid(
                    "Request_BadRequest",
                    format!(
                        "'{text}' is no interval: give an ISO 8601 duration of at least ten seconds, such as PT40M"
                    ),
                ));
            }
            job.interval = text.into();
        }
        for (name, value) in settings {
            if let Some(problem) = self.unknown_setting(&job, name).await? {
                return Err(CaseError::invalid("Request_BadRequest", problem));
            }
            if let Some(problem) = usher_core::setting_problem(name, value) {
                return Err(CaseError::invalid("Request_BadRequest", problem));
            }
            if name.eq_ignore_ascii_case(recording::SETTING) {
                recording::duration(value)
                    .map_err(|message| CaseError::invalid("Request_BadRequest", message))?;
            }
            match job.settings.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((_, known)) => known.clone_from(value),
                None => job.settings.push((name.clone(), value.clone())),
            }
        }
        self.store.put_job(&job).await?;
        self.runs.bell.notify_one();
        Ok(job)
    }

    /// Why a setting of this name would mean nothing. Known are those of Usher and of connectors, those that the job has,
    /// and those that a mapping refers to as `%Name%`.
    async fn unknown_setting(&self, job: &Job, name: &str) -> Result<Option<String>, CaseError> {
        let is_known = SETTINGS.iter().any(|known| known.eq_ignore_ascii_case(name))
            || job.setting(name).is_some()
            || is_secret_key(name)
            || self.connectors.reads(name);
        if is_known {
            return Ok(None);
        }
        let schema = self.schema_of(job).await?.to_json().to_string();
        let parameters: BTreeSet<&str> = parameters(&schema).collect();
        if parameters.contains(name) {
            return Ok(None);
        }
        let mut known: Vec<&str> = SETTINGS.iter().copied().chain(parameters).collect();
        known.sort_unstable();
        Ok(Some(match usher_expr::nearest(name, known.iter().copied()) {
            Some(near) => format!("there is no job setting '{name}': did you mean {near}?"),
            None => format!(
                "there is no job setting '{name}': there are {}, the settings of connectors, and those that a \
                 mapping refers to as %Name%",
                known.join(", ")
            ),
        }))
    }

    /// How a job is.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn job_status(&self, job: Job) -> Result<JobStatus, CaseError> {
        // Asked before the state is read: a run that ends in between is seen as one under way, never as none at all.
        let is_running = self.runs.control(&job.id).is_running();
        let mut state = self.store.job_state(&job.id).await?.unwrap_or_default();
        if let Some(request) = job.restart.filter(|request| request.number > state.applied_restart) {
            // What was asked for counts, even before the next run has carried it out.
            let applied = state.applied_restart;
            state = state.reset(request.number, request.scope);
            state.applied_restart = applied;
        }
        let synchronized = self.store.count_pairings(&job.id).await?;
        let now = self.clock.now();
        let is_due = job.state == ScheduleState::Active
            && !state.has_given_up
            && state.next_run_at.is_none_or(|next| next <= now);
        Ok(JobStatus { job, state, synchronized, is_under_way: is_running || is_due })
    }
}

/// The names that expressions refer to as `%Name%`.
fn parameters(schema: &str) -> impl Iterator<Item = &str> {
    let is_name = |text: &&str| {
        !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    schema.split('%').skip(1).filter(is_name)
}

fn is_interval(text: &str) -> bool {
    text.parse::<jiff::Span>()
        .ok()
        .and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok())
        .is_some_and(|duration| duration.as_secs() >= SHORTEST_INTERVAL)
}

/// The shortest interval between two cycles, in seconds.
const SHORTEST_INTERVAL: i64 = 10;

/// A job with everything that can be told of it (Graph `synchronizationStatus`).
#[derive(Clone, Debug)]
pub struct JobStatus {
    /// The job.
    pub job: Job,
    /// What it remembers.
    pub state: JobState,
    /// How many objects are paired, by source and target type.
    pub synchronized: Vec<(SmolStr, SmolStr, u64)>,
    /// A run is under way, or due at once.
    pub is_under_way: bool,
}
