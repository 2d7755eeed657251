//! The synchronization schema of a job: look at, replace, fall back to the template's.

use usher_core::schema::{self, Schema};
use usher_core::{EntryId, Job, JobId, ResetScope};

use super::CaseError;
use super::templates::base_of;
use crate::Engine;

/// How many problems an error message lists.
const SHOWN: usize = 20;

impl Engine {
    /// The effective schema of a job: its own, else its template's. The `id` is the job's.
    ///
    /// # Errors
    /// There is no such job.
    pub async fn schema(&self, service_principal: &EntryId, job: &JobId) -> Result<Schema, CaseError> {
        let job = self.job(service_principal, job).await?;
        self.schema_of(&job).await
    }

    /// Replaces the whole schema of a job; refused with all problems when it has errors.
    ///
    /// # Errors
    /// There is no such job, or the document has errors; nothing is changed then.
    pub async fn replace_schema(
        &self,
        service_principal: &EntryId,
        job: &JobId,
        document: &[u8],
    ) -> Result<(), CaseError> {
        let job = self.job(service_principal, job).await?;
        let mut schema = self.checked(document)?;
        schema.id = Some(job.id.to_string());
        schema.version = Some(self.new_version());
        self.store.put_schema(&job.id, &schema.to_json().to_string()).await?;
        self.schema_changed(&job).await
    }

    /// A schema document that has no errors.
    pub(crate) fn checked(&self, document: &[u8]) -> Result<Schema, CaseError> {
        let reading = schema::read(document);
        let mut problems = reading.diagnostics;
        if let Some(schema) = &reading.schema {
            problems.extend(schema::check(schema));
        }
        let mut errors: Vec<String> = problems
            .iter()
            .filter(|problem| schema::prevents_runs(problem))
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect();
        if reading.schema.as_ref().is_some_and(|schema| schema.synchronization_rules.is_empty()) {
            errors.push("$.synchronizationRules: there is no rule, so nothing would ever be done".to_owned());
        }
        reading.schema.filter(|_| errors.is_empty()).ok_or_else(|| {
            let more = errors.len().saturating_sub(SHOWN);
            let shown = errors.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
            let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
            CaseError::invalid(
                "Request_BadRequest",
                format!("the schema has errors and was not saved: {shown}{rest}"),
            )
        })
    }

    /// A version that no schema had before.
    pub(crate) fn new_version(&self) -> String {
        format!("Date:{}, ActivityId:{}", self.clock.now(), self.clock.guid())
    }

    /// Drops the job's own schema; the template's counts again.
    ///
    /// # Errors
    /// There is no such job.
    pub async fn reset_schema(&self, service_principal: &EntryId, job: &JobId) -> Result<(), CaseError> {
        let job = self.job(service_principal, job).await?;
        self.store.remove_schema(&job.id).await?;
        self.schema_changed(&job).await
    }

    /// Everything is looked at again under a new schema, and a quarantine ends (Graph, quarantine). Should this be
    /// lost, the next cycle still sees that the schema is another.
    async fn schema_changed(&self, job: &Job) -> Result<(), CaseError> {
        self.request_restart(&job.id, ResetScope::WATERMARK.with(ResetScope::QUARANTINE_STATE), None).await
    }

    /// The effective schema of a job that is at hand.
    ///
    /// # Errors
    /// The job's template is not known, or the stored document cannot be read.
    pub async fn schema_of(&self, job: &Job) -> Result<Schema, CaseError> {
        let Some(document) = self.store.schema(&job.id).await? else {
            let mut schema = base_of(job)?.schema();
            schema.id = Some(job.id.to_string());
            return Ok(schema);
        };
        schema::read(document.as_bytes()).schema.ok_or_else(|| {
            CaseError::invalid("BadRequest", format!("the stored schema of job '{}' cannot be read", job.id))
        })
    }
}
