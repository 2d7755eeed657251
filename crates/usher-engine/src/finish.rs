//! The end of the work on a subject: what is remembered of it, and made durable together with its event.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use usher_core::escrow::{self, Pace};
use usher_core::ports::{
    Commit, EscrowChange, Held, HeldChange, PairingChange, Remembered, Seen, SubjectKey, Waiting,
};
use usher_core::program::MappingProgram;
use usher_core::steps::trace;
use usher_core::{
    ErrorCategory, Escrow, Facts, Failure, Pairing, PairingEffect, Plan, References, SkipReason,
};

use crate::cases::CaseError;
use crate::failures::broken;
use crate::subject::{Mode, Progress, Run, Worked};

/// The key under which nobody else works on a subject.
pub(crate) fn lock_of(subject: &SubjectKey) -> String {
    format!("subject\n{}\n{}\n{}", subject.job, subject.source_type, subject.source_anchor)
}

impl Run<'_> {
    /// Puts a disabling or deletion aside until all of the cycle are counted.
    pub(crate) async fn hold(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        mut plan: Plan,
        mut progress: Progress,
        began_at: Timestamp,
    ) -> Result<Worked, CaseError> {
        let subject = self.key_of(mapping, facts);
        progress.target_anchor = plan.target.as_ref().map(|object| object.anchor.clone());
        let held = Held {
            subject: subject.clone(),
            action: plan.action,
            display_name: plan.reportable.clone(),
            is_staged: false,
        };
        let mut commit = Commit { held: vec![HeldChange::Put(held)], ..Commit::default() };
        commit.seen.extend(self.seen(subject));
        // The account was found just now: that it had not been before says nothing about the next time.
        let was_missing = progress.escrow.as_ref().filter(|escrow| escrow.missing.is_some());
        if let Some(escrow) = was_missing.filter(|_| progress.missing.is_none()) {
            commit.escrows.push(EscrowChange::put(Escrow { missing: None, ..escrow.clone() }));
        }
        self.engine.store.commit(&commit).await?;
        let event = self.event(mapping, facts, &mut plan, &mut progress, began_at);
        let mut worked = worked(event, facts, plan, progress);
        worked.is_held = true;
        Ok(worked)
    }

    /// Notes that the source tells of a subject which it cannot give yet: whatever is known of it stays, and it is tried
    /// again.
    pub(crate) async fn put_off(
        &self,
        mapping: &MappingProgram,
        anchor: &usher_core::Anchor,
    ) -> Result<Worked, CaseError> {
        let subject = self.subject(mapping, anchor);
        let _lock = self.engine.locks.lock(lock_of(&subject)).await;
        let Remembered { pairing, escrow, held } = self.engine.store.remembered(&subject).await?;
        let plan = self.not_given(mapping, anchor.as_str());
        let facts = Facts { named: anchor.as_str().into(), pairing, ..Facts::default() };
        if held.is_some() {
            // The source has just told of it: what was put aside before is judged anew, when it is given.
            let held = vec![HeldChange::Remove(subject)];
            self.engine.store.commit(&Commit { held, ..Commit::default() }).await?;
        }
        let now = self.engine.clock.now();
        let progress = Progress { escrow, told_at: Some(now), ..Progress::default() };
        self.finish(mapping, &facts, plan, progress, now).await
    }

    /// The plan for a subject that the source tells of and does not give yet: nothing.
    pub(crate) fn not_given(&self, mapping: &MappingProgram, named: &str) -> Plan {
        let names = self.names(mapping, named);
        let failure = Failure {
            code: "EntryNotFound".into(),
            reason: format!("{} tells of it, but does not give it yet", names.source),
            additional_details: None,
            category: ErrorCategory::Failure,
            recommended_action: Some("nothing needs to be done: it is tried again".to_owned()),
        };
        broken(&names, failure)
    }

    /// Makes durable what came of a subject.
    pub(crate) async fn finish(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        mut plan: Plan,
        mut progress: Progress,
        began_at: Timestamp,
    ) -> Result<Worked, CaseError> {
        if progress.steps.is_empty() {
            for step in std::mem::take(&mut plan.steps) {
                self.note(&mut progress, step);
            }
        }
        let event = self.event(mapping, facts, &mut plan, &mut progress, began_at);
        let event = if matches!(self.mode, Mode::DryRun | Mode::Plan(_)) {
            event
        } else {
            let event = Arc::new(event);
            let commit = self.commit_of(mapping, facts, &plan, &progress, &event);
            self.engine.store.commit(&commit).await?;
            drop(commit);
            Arc::unwrap_or_clone(event)
        };
        Ok(worked(event, facts, plan, progress))
    }

    fn commit_of(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        plan: &Plan,
        progress: &Progress,
        event: &Arc<usher_core::ProvisioningEvent>,
    ) -> Commit {
        let is_cycle = matches!(self.mode, Mode::Cycle { .. });
        let subject = self.key_of(mapping, facts);
        let mut commit = Commit::default();
        // A source that says "gone" of something this job never knew is no news.
        let is_news =
            !(is_cycle && facts.source.is_none() && facts.pairing.is_none() && plan.failure.is_none());
        if is_news || !plan.operations.is_empty() {
            commit.events.push(event.clone());
        }
        // Whatever else failed, the account is known by now: it was made, or found and written to, perhaps renamed.
        let is_there = progress.target_anchor.is_some() && plan.pairing == PairingEffect::Manage;
        if plan.failure.is_none() || is_there {
            let change = self.pairing_change(mapping, facts, plan, progress);
            if matches!(change, Some(PairingChange::Put(_))) {
                let superseded = facts.superseded.iter().map(|anchor| self.subject(mapping, anchor));
                commit.pairings.extend(superseded.map(PairingChange::Forget));
            }
            commit.pairings.extend(change);
        }
        commit.seen.extend(self.seen(subject.clone()));
        commit.escrows.extend(self.escrow_change(&subject, facts, plan, progress, is_there));
        let has_references = mapping.attributes.iter().any(|attribute| attribute.is_reference());
        let sees_all = self.mode.cycle().is_some();
        if has_references && plan.failure.is_none() && (sees_all || !plan.unresolved.is_empty()) {
            let awaited = plan.unresolved.iter().map(|(_, anchor)| anchor.clone()).collect();
            commit.waiting.push(Waiting { subject: subject.clone(), awaited });
        }
        if (is_cycle || matches!(self.mode, Mode::Apply(_))) && progress.is_held && plan.failure.is_none() {
            commit.held.push(HeldChange::Remove(subject));
        }
        commit
    }

    /// Failures wait for another try; what came out right waits no longer.
    fn escrow_change(
        &self,
        subject: &SubjectKey,
        facts: &Facts,
        plan: &Plan,
        progress: &Progress,
        is_there: bool,
    ) -> Option<EscrowChange> {
        let earlier = progress.escrow.as_ref();
        let Some(failure) = &plan.failure else {
            let waiting = self.waiting_for_references(subject, facts, progress).map(EscrowChange::put);
            return waiting.or_else(|| earlier.map(|_| EscrowChange::Remove(subject.clone())));
        };
        // Once the pair is stored, the outcome of the create is known.
        let sent =
            earlier.and_then(|escrow| escrow.sent.clone()).filter(|_| !is_there && facts.pairing.is_none());
        let is_cycle = matches!(self.mode, Mode::Cycle { .. });
        if !is_cycle && progress.missing.is_none() {
            // Whoever asked sees the failure; only what nobody knows is left for a cycle to find out.
            return match (earlier, sent) {
                (Some(escrow), sent) if sent.is_some() || escrow.restoring.is_some() => {
                    Some(EscrowChange::put(Escrow { sent, missing: None, ..escrow.clone() }))
                }
                (Some(escrow), _) if escrow.attempts == 0 => Some(EscrowChange::Remove(subject.clone())),
                (Some(escrow), _) => {
                    Some(EscrowChange::put(Escrow { sent: None, missing: None, ..escrow.clone() }))
                }
                (None, _) => None,
            };
        }
        let pace = self.pace();
        let identity = (subject.job.clone(), subject.source_type.clone(), subject.source_anchor.clone());
        let now = self.engine.clock.now();
        let is_reference = progress.is_reference_failure;
        let escrow = escrow::after_failure(earlier, identity, failure, is_reference, sent, now, pace);
        Some(EscrowChange::put(Escrow { told_at: progress.told_at, missing: progress.missing, ..escrow }))
    }

    /// An object that is in step but for references which the target does not know, or not yet. They are tried again as
    /// failures are, and for a day: what they lead to is told, and then left until the object changes.
    fn waiting_for_references(
        &self,
        subject: &SubjectKey,
        facts: &Facts,
        progress: &Progress,
    ) -> Option<Escrow> {
        let now = self.engine.clock.now();
        let earlier = progress.escrow.as_ref().filter(|escrow| !escrow.put_off.is_empty());
        let mut put_off = progress.put_off.clone();
        if facts.references != References::All {
            // Only those that somebody named were tried.
            put_off.extend(earlier.into_iter().flat_map(|escrow| escrow.put_off.clone()));
        }
        if put_off.values().all(|since| Escrow::gives_up(*since, now)) {
            return None;
        }
        let failure = Failure {
            code: SkipReason::UnableToResolveReferenceAttributeValue.as_str().into(),
            reason: "the target does not know an object that is referred to".to_owned(),
            additional_details: None,
            category: ErrorCategory::Failure,
            recommended_action: None,
        };
        let identity = (subject.job.clone(), subject.source_type.clone(), subject.source_anchor.clone());
        let pace = self.pace();
        let escrow = escrow::after_failure(earlier, identity, &failure, true, None, now, pace);
        Some(Escrow { put_off, restoring: None, ..escrow })
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: interval(&self.job.interval),
            is_quarantined: matches!(self.mode, Mode::Cycle { is_quarantined: true, .. }),
            dice: self.engine.clock.guid().as_u64_pair().1,
        }
    }

    fn seen(&self, subject: SubjectKey) -> Option<Seen> {
        match self.mode {
            Mode::Cycle { number, kind: usher_core::CycleKind::Initial, .. } => {
                Some(Seen { subject, cycle: number })
            }
            _ => None,
        }
    }

    pub(crate) fn key_of(&self, mapping: &MappingProgram, facts: &Facts) -> SubjectKey {
        let anchor = match (&facts.source, &facts.pairing) {
            (Some(object), _) => object.anchor.clone(),
            (None, Some(pairing)) => pairing.source_anchor.clone(),
            (None, None) => usher_core::Anchor::new(facts.named.clone()),
        };
        self.subject(mapping, &anchor)
    }

    fn pairing_change(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        plan: &Plan,
        progress: &Progress,
    ) -> Option<PairingChange> {
        if facts.source.is_none() && facts.pairing.is_none() {
            return None;
        }
        match plan.pairing {
            PairingEffect::None => None,
            PairingEffect::Forget => {
                facts.pairing.as_ref().map(|_| PairingChange::Forget(self.key_of(mapping, facts)))
            }
            PairingEffect::Manage | PairingEffect::Release => {
                let target = progress.target_anchor.clone()?;
                let is_managed = plan.pairing == PairingEffect::Manage;
                let pairing = self.pairing_with(mapping, facts, target, is_managed, &plan.reportable);
                let trace = trace::after(mapping, facts, plan, &progress.not_taken);
                Some(PairingChange::Put(Pairing { trace, ..pairing }))
            }
        }
    }

    /// The pair of a subject with a target object.
    pub(crate) fn pairing_with(
        &self,
        mapping: &MappingProgram,
        facts: &Facts,
        target_anchor: usher_core::Anchor,
        is_managed: bool,
        display_name: &str,
    ) -> Pairing {
        let SubjectKey { job, source_type, source_anchor } = self.key_of(mapping, facts);
        Pairing {
            job,
            source_type,
            source_anchor,
            target_type: mapping.target_type.clone(),
            target_anchor,
            is_managed,
            display_name: display_name.to_owned(),
            confirmed_at: self.engine.clock.now(),
            trace: Default::default(),
        }
    }
}

fn worked(event: usher_core::ProvisioningEvent, facts: &Facts, plan: Plan, progress: Progress) -> Worked {
    let is_redundant = plan.skip.as_ref().is_some_and(|skip| skip.reason == SkipReason::RedundantExport);
    Worked {
        event,
        source_anchor: facts.source.as_ref().map(|object| object.anchor.clone()),
        target_anchor: progress.target_anchor,
        requests: progress.requests,
        target_failure: progress.target_failure,
        is_reference_failure: progress.is_reference_failure,
        is_incomplete: progress.is_incomplete,
        is_held: false,
        needed_write: !plan.operations.is_empty() && !is_redundant,
        scope: plan.scope,
    }
}

/// The interval between two cycles; 40 minutes, the published default, where the text is no duration.
pub fn interval(text: &str) -> Duration {
    const PUBLISHED: Duration = Duration::from_secs(40 * 60);
    text.parse::<jiff::Span>()
        .ok()
        .and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok())
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .unwrap_or(PUBLISHED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_iso_durations() {
        assert_eq!(interval("PT2M"), Duration::from_secs(120));
        assert_eq!(interval("P1DT1H"), Duration::from_secs(25 * 3600));
        for nonsense in ["", "PT0S", "-PT5M", "forty minutes"] {
            assert_eq!(interval(nonsense), Duration::from_secs(2400), "{nonsense}");
        }
    }
}
