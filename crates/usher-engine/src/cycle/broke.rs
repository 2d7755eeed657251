//! Runs that end before their cycle is over: why, what is written down of it, and when the next one is due.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use usher_core::cycle::{Execution, ExecutionState, JobState};
use usher_core::ports::{Commit, ConnectorError, ConnectorErrorKind, StoreError};
use usher_core::quarantine::{self, QuarantineReason, RunError};
use usher_core::{AuditRecord, Job};

use super::{later, work};
use crate::Engine;
use crate::cases::CaseError;

/// However long a source wants to be left alone: a run looks once a day.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);

/// Why a run ended before the cycle was over.
pub(super) enum Broke {
    /// Somebody asked for it; the cycle goes on at the next start.
    Stopped,
    /// The target wants to be left alone until then; the cycle goes on there.
    Throttled(Timestamp),
    /// A directory failed for the moment; the next run goes on where this one was.
    Failed(RunError),
    /// The source wants to be left alone for so long; the next run goes on where this one was.
    SourceThrottled(RunError, Duration),
    /// Something that only people can mend.
    Quarantined(QuarantineReason, RunError),
    /// The source does not know the watermark any more: a cycle that reads everything begins.
    Expired(RunError),
    /// The store failed.
    Store(CaseError),
}

impl Broke {
    pub(super) fn quarantined(code: &str, message: String) -> Self {
        let error = RunError { code: code.into(), message, is_tenant_actionable: true };
        Self::Quarantined(QuarantineReason::EncounteredQuarantineException, error)
    }

    /// The target failed while it was tested. What only people can mend leads to quarantine at once; no answer does when
    /// it has become a habit.
    pub(super) fn target(error: &ConnectorError, is_habit: bool) -> Self {
        let is_for_people =
            !matches!(error.kind, ConnectorErrorKind::Unreachable | ConnectorErrorKind::Throttled);
        let run_error = RunError {
            code: error.code.clone(),
            message: error.message.clone(),
            is_tenant_actionable: is_for_people,
        };
        if is_habit || is_for_people {
            Self::Quarantined(QuarantineReason::EncounteredQuarantineException, run_error)
        } else {
            Self::Failed(run_error)
        }
    }

    pub(super) fn source(error: &ConnectorError) -> Self {
        let run_error = RunError {
            code: error.code.clone(),
            message: error.message.clone(),
            is_tenant_actionable: error.kind == ConnectorErrorKind::Unauthorised,
        };
        match error.kind {
            ConnectorErrorKind::NotFound => Self::Expired(run_error),
            ConnectorErrorKind::Unauthorised => {
                Self::Quarantined(QuarantineReason::EncounteredQuarantineException, run_error)
            }
            _ => match error.retry_after {
                Some(rest) => Self::SourceThrottled(run_error, rest),
                None => Self::Failed(run_error),
            },
        }
    }
}

impl From<CaseError> for Broke {
    fn from(error: CaseError) -> Self {
        Self::Store(error)
    }
}

impl From<StoreError> for Broke {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

impl Engine {
    /// Writes down that a run broke off, and when the next one is due.
    pub(super) async fn break_off(
        &self,
        job: &Job,
        mut state: JobState,
        began_at: Timestamp,
        broke: Broke,
    ) -> Result<JobState, CaseError> {
        let now = self.clock.now();
        let mut not_before = None;
        let (error, reason) = match broke {
            Broke::Failed(error) => (error, None),
            Broke::SourceThrottled(mut error, rest) => {
                let rest = SignedDuration::try_from(rest).unwrap_or(SignedDuration::MAX);
                let until = now.checked_add(rest.min(LONGEST_REST)).unwrap_or(Timestamp::MAX);
                if until > later(now, job) {
                    error.message = format!(
                        "{}; the source asked to be left alone until {until}; the run goes on then",
                        error.message
                    );
                }
                not_before = Some(until);
                (error, None)
            }
            Broke::Quarantined(reason, error) => (error, Some(reason)),
            Broke::Expired(error) => {
                state.forget_watermarks();
                (error, None)
            }
            Broke::Throttled(until) => return self.rest(job, state, began_at, until).await,
            Broke::Stopped => return Ok(state),
            Broke::Store(error) => return Err(error),
        };
        tracing::warn!(job.id = %job.id, code = %error.code, "the run broke off: {}", error.message);
        self.note_failed(job, &mut state, began_at, error.clone()).await?;
        state.complete_failures_in_a_row += 1;
        match reason {
            Some(reason) => {
                if let Some(cycle) = &mut state.cycle {
                    // The next try is judged by its own failures.
                    cycle.counts.failed = 0;
                    cycle.counts.failed_references = 0;
                    cycle.counts.succeeded = 0;
                    cycle.page.failed.failed = 0;
                    cycle.page.failed.failed_references = 0;
                }
                self.quarantine(job, &mut state, reason, error).await?;
            }
            None => {
                let next = state.quarantine.as_ref().map(|quarantine| quarantine.next_attempt);
                let next = next.filter(|next| *next > now).unwrap_or_else(|| later(now, job));
                state.next_run_at = Some(not_before.map_or(next, |until| next.max(until)));
            }
        }
        let commit = Commit { state: Some((job.id.clone(), state.clone())), ..Commit::default() };
        self.store.commit(&commit).await?;
        Ok(state)
    }

    /// Writes down that the target wants to be left alone for longer than a run waits: the next run is due then, and
    /// none asks before, whoever starts it.
    async fn rest(
        &self,
        job: &Job,
        mut state: JobState,
        began_at: Timestamp,
        until: Timestamp,
    ) -> Result<JobState, CaseError> {
        tracing::warn!(job.id = %job.id, %until, "the target throttles; the run goes on when it may be asked again");
        let error = RunError {
            code: "TooManyRequests".into(),
            message: format!(
                "the target is throttled until {until}: it asked to be left alone; the run goes on then"
            ),
            is_tenant_actionable: false,
        };
        self.note_failed(job, &mut state, began_at, error).await?;
        state.throttled_until = Some(until);
        self.wait_for_target(job, &mut state, until).await?;
        Ok(state)
    }

    /// No run is due before the target may be asked.
    pub(super) async fn wait_for_target(
        &self,
        job: &Job,
        state: &mut JobState,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let quarantined = state.quarantine.as_ref().map(|quarantine| quarantine.next_attempt);
        state.next_run_at = Some(quarantined.map_or(until, |next| next.max(until)));
        let commit = Commit { state: Some((job.id.clone(), state.clone())), ..Commit::default() };
        self.store.commit(&commit).await
    }

    /// The last run is one that broke off.
    async fn note_failed(
        &self,
        job: &Job,
        state: &mut JobState,
        began_at: Timestamp,
        error: RunError,
    ) -> Result<(), StoreError> {
        let (id, kind, counts, began_at) = match &state.cycle {
            Some(cycle) => (cycle.id.clone(), cycle.kind, cycle.counts, cycle.began_at),
            None => (self.clock.guid().to_string().into(), state.next_kind(), Default::default(), began_at),
        };
        state.last_execution = Some(Execution {
            id,
            kind,
            counts,
            escrowed: self.store.count_escrows(&job.id).await?,
            state: ExecutionState::Failed,
            error: Some(error),
            began_at,
            ended_at: self.clock.now(),
        });
        Ok(())
    }

    /// Puts a job into quarantine, or notes that the quarantine goes on. The audit log gets a record of its beginning.
    pub(super) async fn quarantine(
        &self,
        job: &Job,
        state: &mut JobState,
        reason: QuarantineReason,
        error: RunError,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let is_news = state.quarantine.as_ref().is_none_or(|before| before.reason != reason);
        let quarantine = quarantine::enter(state.quarantine.as_ref(), reason, error, now);
        tracing::warn!(job.id = %job.id, reason = reason.as_str(), "the job is in quarantine");
        if is_news {
            self.store.add_audit(&self.quarantined(job, reason)).await?;
        }
        state.has_given_up = quarantine.is_hopeless(now);
        state.next_run_at = Some(quarantine.next_attempt);
        state.quarantine = Some(quarantine);
        Ok(())
    }

    /// The record of a quarantine that begins: nobody asked for it but the service itself.
    fn quarantined(&self, job: &Job, reason: QuarantineReason) -> AuditRecord {
        let request = self.clock.guid().to_string();
        AuditRecord {
            id: self.clock.guid().to_string(),
            at: self.clock.now(),
            activity: "Quarantine".to_owned(),
            method: String::new(),
            path: format!("/servicePrincipals/{}/synchronization/jobs/{}", job.service_principal, job.id),
            status: 200,
            reason: Some(reason.as_str().to_owned()),
            app_id: String::new(),
            object_id: String::new(),
            caller: work::service().display_name,
            target: Some(job.id.as_str().to_owned()),
            target_type: "jobs".to_owned(),
            client_request_id: request.clone(),
            request_id: request,
        }
    }
}
