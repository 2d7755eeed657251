//! Plans as a caller meets them: made and kept, looked at, applied, removed.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use usher_core::saved::applied::{Applied, Progress, State};
use usher_core::saved::{SIGNATURE, SavedPlan, VERSION, signed_text};
use usher_core::{EntryId, Initiator, Job, JobId, Secret};

use super::CaseError;
use crate::plans::PlanKey;
use crate::{Engine, PlanRequest};

/// A plan with how far its application is.
#[derive(Clone, Debug)]
pub struct StoredPlan {
    /// The signed document.
    pub document: Json,
    /// The same, read.
    pub plan: SavedPlan,
    /// How far its application is.
    pub progress: Progress,
}

fn name_of(job: &JobId, plan: &str) -> String {
    format!("plan/{}/{plan}", job.as_str().to_lowercase())
}

fn progress_of(job: &JobId, plan: &str) -> String {
    format!("plan-progress/{}/{plan}", job.as_str().to_lowercase())
}

impl Engine {
    /// Makes a plan, signs it and keeps it.
    ///
    /// # Errors
    /// What is wrong with the request, or the connection to source or target does not work.
    pub async fn plan(
        &self,
        service_principal: &EntryId,
        request: &PlanRequest,
    ) -> Result<StoredPlan, CaseError> {
        let mut plan = self.make_plan(service_principal, request).await?;
        let key = self.plan_key().await?;
        let document = signed(&key, &mut plan);
        let name = name_of(&plan.job, &plan.id);
        self.store.put_setting(&name, &Secret::new(document.to_string())).await?;
        Ok(StoredPlan { document, plan, progress: Progress::default() })
    }

    /// Plans, tells how it came about, and keeps nothing.
    ///
    /// # Errors
    /// As for a plan.
    pub async fn explain(
        &self,
        service_principal: &EntryId,
        request: &PlanRequest,
    ) -> Result<SavedPlan, CaseError> {
        self.make_plan(service_principal, &PlanRequest { explain: true, ..request.clone() }).await
    }

    /// The plans of a job that are kept, newest first.
    ///
    /// # Errors
    /// There is no such job.
    pub async fn plans(
        &self,
        service_principal: &EntryId,
        job: &JobId,
    ) -> Result<Vec<StoredPlan>, CaseError> {
        let job = self.job(service_principal, job).await?;
        let mut plans = Vec::new();
        for name in self.store.setting_names(&name_of(&job.id, "")).await?.iter().rev() {
            plans.extend(self.stored(&job, name.rsplit('/').next().unwrap_or_default()).await?);
        }
        Ok(plans)
    }

    /// A plan that is kept.
    ///
    /// # Errors
    /// There is no such job, or no such plan.
    pub async fn stored_plan(
        &self,
        service_principal: &EntryId,
        job: &JobId,
        id: &str,
    ) -> Result<StoredPlan, CaseError> {
        let job = self.job(service_principal, job).await?;
        self.stored(&job, &id.to_lowercase()).await?.ok_or_else(|| CaseError::not_found("plan", id))
    }

    /// Forgets a plan.
    ///
    /// # Errors
    /// There is no such job, or no such plan.
    pub async fn remove_plan(
        &self,
        service_principal: &EntryId,
        job: &JobId,
        id: &str,
    ) -> Result<(), CaseError> {
        let job = self.job(service_principal, job).await?;
        let id = id.to_lowercase();
        let _applying = self.locks.lock(name_of(&job.id, &id)).await;
        if !self.store.remove_setting(&name_of(&job.id, &id)).await? {
            return Err(CaseError::not_found("plan", id));
        }
        // The document may lie about somewhere: that it was withdrawn is remembered as long as plans are kept.
        let progress = Progress { state: State::Deleted, ..self.progress(&job.id, &id).await? };
        self.write_progress(&job.id, &id, &progress).await
    }

    /// Applies a plan: the one that is kept, or the document that somebody brings back.
    ///
    /// # Errors
    /// There is no such plan; the document was changed, or belongs elsewhere; the plan was applied already; the job
    /// runs, or is another by now. That an object is not as planned is no error: the answer says so.
    pub async fn apply_plan(
        &self,
        service_principal: &EntryId,
        job: &JobId,
        id: &str,
        document: Option<&Json>,
        initiated_by: Initiator,
    ) -> Result<Applied, CaseError> {
        let job = self.job(service_principal, job).await?;
        let plan = match document {
            Some(document) => self.verified(document).await?,
            None => self.stored_plan(service_principal, &job.id, id).await?.plan,
        };
        if plan.tenant != self.settings.tenant || plan.service_principal != *service_principal {
            return Err(bad("the plan was made for another application"));
        }
        if !plan.job.as_str().eq_ignore_ascii_case(job.id.as_str()) {
            return Err(bad("the plan was made for another job"));
        }
        if !plan.id.eq_ignore_ascii_case(id) {
            return Err(bad("the address names another plan than the document"));
        }
        // Two applications of one plan follow each other.
        let _applying = self.locks.lock(name_of(&job.id, &plan.id)).await;
        let progress = self.progress(&job.id, &plan.id).await?;
        let over = match progress.state {
            State::Applied => Some("the plan was applied already; plan again to see what is left to do"),
            State::Deleted => Some("the plan was deleted; plan again"),
            State::Planned | State::Applying | State::Stopped | State::Incomplete => None,
        };
        if let Some(message) = over {
            return Err(CaseError::Conflict { code: "Conflict", message: message.to_owned() });
        }
        self.carry_out_plan(service_principal, &plan, progress, initiated_by).await
    }

    /// A document that this service has signed.
    async fn verified(&self, document: &Json) -> Result<SavedPlan, CaseError> {
        let signature = document[SIGNATURE].as_str().unwrap_or_default();
        let key = self.plan_key().await?;
        if !key.is_digest("plan", &signed_text(document), signature) {
            return Err(bad(
                "the plan was changed after it was made, or another service made it; nothing was applied",
            ));
        }
        let plan: SavedPlan = serde_json::from_value(document.clone())
            .map_err(|error| bad(&format!("the plan cannot be read: {error}")))?;
        if plan.version != VERSION {
            return Err(bad("the plan was made by another version of the service; plan again"));
        }
        Ok(plan)
    }

    async fn stored(&self, job: &Job, id: &str) -> Result<Option<StoredPlan>, CaseError> {
        let Some(text) = self.store.setting(&name_of(&job.id, id)).await? else { return Ok(None) };
        let unreadable =
            |_| CaseError::invalid("BadRequest", format!("the stored plan '{id}' cannot be read"));
        let document: Json = serde_json::from_str(text.expose()).map_err(unreadable)?;
        let plan = self.verified(&document).await?;
        Ok(Some(StoredPlan { document, plan, progress: self.progress(&job.id, id).await? }))
    }

    async fn progress(&self, job: &JobId, id: &str) -> Result<Progress, CaseError> {
        let text = self.store.setting(&progress_of(job, id)).await?;
        Ok(text.and_then(|text| serde_json::from_str(text.expose()).ok()).unwrap_or_default())
    }

    /// Makes durable how far the application of a plan is.
    pub(crate) async fn remember_progress(
        &self,
        plan: &SavedPlan,
        progress: &Progress,
    ) -> Result<(), CaseError> {
        self.write_progress(&plan.job, &plan.id, progress).await
    }

    async fn write_progress(&self, job: &JobId, id: &str, progress: &Progress) -> Result<(), CaseError> {
        let text = serde_json::to_string(progress).expect("numbers and words have a JSON form");
        Ok(self.store.put_setting(&progress_of(job, id), &Secret::new(text)).await?)
    }

    /// Forgets all plans of a job.
    pub(crate) async fn forget_plans(&self, job: &JobId) -> Result<(), CaseError> {
        for prefix in [name_of(job, ""), progress_of(job, "")] {
            for name in self.store.setting_names(&prefix).await? {
                self.store.remove_setting(&name).await?;
            }
        }
        self.forget_allowance(job).await
    }

    /// Forgets plans that were made before an instant.
    pub(crate) async fn prune_plans(&self, before: Timestamp) -> Result<(), CaseError> {
        for prefix in ["plan/", "plan-progress/"] {
            for name in self.store.setting_names(prefix).await? {
                let id = name.rsplit('/').next().unwrap_or_default();
                if made_at(id).is_none_or(|at| at < before) {
                    self.store.remove_setting(&name).await?;
                }
            }
        }
        Ok(())
    }
}

/// When a plan or an event with this id was made (RFC 9562, version 7).
pub(super) fn made_at(id: &str) -> Option<Timestamp> {
    let (seconds, nanoseconds) = uuid::Uuid::try_parse(id).ok()?.get_timestamp()?.to_unix();
    let at = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    at.checked_add(SignedDuration::from_nanos(i64::from(nanoseconds))).ok()
}

fn signed(key: &PlanKey, plan: &mut SavedPlan) -> Json {
    plan.signature = None;
    let document = serde_json::to_value(&*plan).expect("a plan has a JSON form");
    plan.signature = Some(key.digest("plan", &signed_text(&document)));
    serde_json::to_value(&*plan).expect("a plan has a JSON form")
}

fn bad(message: &str) -> CaseError {
    CaseError::invalid("Request_BadRequest", message)
}
