//! Synchronization jobs: make, look at, list, remove.

use usher_core::{EntryId, EntryKind, Job, JobId, ScheduleState};

use super::CaseError;
use crate::Engine;
use crate::prepared::template;

impl Engine {
    /// Makes a job of a template for a service principal; it is `Disabled` until started.
    ///
    /// # Errors
    /// The service principal or the template does not exist.
    pub async fn create_job(&self, service_principal: &EntryId, template_id: &str) -> Result<Job, CaseError> {
        self.store
            .entry(EntryKind::ServicePrincipal, service_principal)
            .await?
            .filter(|entry| entry.deleted_at.is_none())
            .ok_or_else(|| CaseError::not_found("service principal", service_principal.as_str()))?;
        let template = template(template_id)?;
        let id = format!("{}.{}.{}", template.id, self.settings.tenant.replace('-', ""), self.clock.guid());
        let job = Job {
            id: JobId::new(id),
            service_principal: service_principal.clone(),
            template: template.id.into(),
            interval: template.interval.into(),
            state: ScheduleState::Disabled,
            settings: template
                .settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            created_at: self.clock.now(),
        };
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
        self.store.remove_job(&job.id).await?;
        self.forget_prepared(&job.id);
        Ok(())
    }
}
