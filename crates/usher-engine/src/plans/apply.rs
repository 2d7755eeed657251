//! Applies a plan: each object is looked at once more, and only when everything is as it was planned is it written.

use std::collections::BTreeMap;

use usher_core::saved::applied::{Applied, AppliedObject, Outcome, Progress, State};
use usher_core::saved::difference::{Difference, Place, differences, is_rest};
use usher_core::saved::symbols::is_symbol;
use usher_core::saved::{PlannedObject, SavedPlan};
use usher_core::{Anchor, EntryId, Initiator, OperationKind, SkipReason, Status};

use super::object::{Desk, Item};
use crate::Engine;
use crate::cases::CaseError;
use crate::target::Target;

impl Engine {
    /// Applies a plan that was verified, from where an earlier application ended.
    ///
    /// # Errors
    /// The job is running, its schema or its connection is another than it was, or the store failed. What was done
    /// until then is remembered.
    pub(crate) async fn carry_out_plan(
        &self,
        service_principal: &EntryId,
        plan: &SavedPlan,
        mut progress: Progress,
        initiated_by: Initiator,
    ) -> Result<Applied, CaseError> {
        let entry = self.living_principal(service_principal).await?;
        let job = self.job(service_principal, &plan.job).await?;
        let control = self.runs.control(&job.id);
        if control.is_running() {
            return Err(outdated("a cycle of the job is under way; pause the job, or wait until it is over"));
        }
        // No cycle begins while the plan is applied.
        let _running = control.begin().await;
        let prepared = self.prepare(&job).await?;
        if *prepared.fingerprint() != plan.schema {
            return Err(outdated(
                "the schema of the job is another than it was when the plan was made; plan again",
            ));
        }
        let key = self.plan_key().await?;
        if key.digest("connection", &prepared.connection()) != plan.connection.as_str() {
            return Err(outdated(
                "settings or secrets of the job are other than they were when the plan was made; plan again",
            ));
        }
        let target = Target::on_demand(prepared.target.clone(), self.clock.clone());
        let desk = Desk {
            engine: self,
            job: &job,
            service_principal: &entry,
            prepared: &prepared,
            target: &target,
            key: &key,
            plan: plan.id.clone(),
            now: plan.created_at,
            extent: plan.extent,
            applies: true,
            explains: false,
            initiated_by,
        };
        // Of the object at which it was interrupted the account may be there.
        let mut symbols = self.made(plan, progress.done + 1).await?;
        let is_resumed = progress.state != State::Planned;
        let first = progress.done;
        let mut applied = Vec::new();
        for (place, planned) in plan.objects.iter().enumerate() {
            if planned.status == Status::Failure {
                applied.push(not_planned(planned));
                progress.done = progress.done.max(place + 1);
                continue;
            }
            if place < first {
                continue;
            }
            if control.is_stopped() {
                progress.state = State::Stopped;
                break;
            }
            progress.state = State::Applying;
            if planned.is_change() {
                self.remember_progress(plan, progress).await?;
                let may_be_done = is_resumed && place == first;
                let rule = prepared.rule(&job.id, planned.rule.as_str())?;
                let mapping = crate::cases::on_demand::mapping(&rule, &planned.source_type)?;
                let item = Item {
                    rule: &rule,
                    mapping,
                    named: planned.named.clone(),
                    references: planned.references.clone(),
                    symbol: planned.target_anchor.clone().unwrap_or_else(|| planned.source_anchor.clone()),
                    taken: Default::default(),
                };
                let one = desk.apply(&item, planned, &symbols, may_be_done).await?;
                let is_done = matches!(one.outcome, Outcome::Done | Outcome::AlreadyDone);
                if let (Some(symbol), Some(anchor)) = (&planned.target_anchor, &one.target_anchor)
                    && is_symbol(symbol)
                {
                    symbols.insert(anchor.clone(), symbol.clone());
                }
                applied.push(one);
                if !is_done {
                    progress.state = State::Stopped;
                    break;
                }
            }
            progress.done = place + 1;
        }
        if progress.done == plan.objects.len() {
            progress.state = State::Applied;
        }
        self.remember_progress(plan, progress).await?;
        Ok(Applied {
            plan: plan.id.clone(),
            state: progress.state,
            objects: applied,
            done: progress.done,
            total: plan.objects.len(),
        })
    }

    /// The symbols of objects that earlier applications made: anchor to symbol.
    async fn made(&self, plan: &SavedPlan, done: usize) -> Result<BTreeMap<Anchor, Anchor>, CaseError> {
        let mut symbols = BTreeMap::new();
        for object in plan.objects.iter().take(done) {
            let Some(symbol) = object.target_anchor.as_ref().filter(|anchor| is_symbol(anchor)) else {
                continue;
            };
            let pairing = self.store.pairing(&plan.job, &object.source_type, &object.source_anchor).await?;
            if let Some(pairing) = pairing {
                symbols.insert(pairing.target_anchor, symbol.clone());
            }
        }
        Ok(symbols)
    }
}

impl<'a> Desk<'a> {
    async fn apply(
        &self,
        item: &Item<'a>,
        planned: &PlannedObject,
        symbols: &BTreeMap<Anchor, Anchor>,
        may_be_done: bool,
    ) -> Result<AppliedObject, CaseError> {
        let seen = self.see(item, None, &BTreeMap::new(), symbols).await?;
        let mut applied = AppliedObject {
            source_type: planned.source_type.clone(),
            source_anchor: planned.source_anchor.clone(),
            reportable: planned.reportable.clone(),
            action: planned.action,
            outcome: Outcome::Refused,
            target_anchor: seen.object.target_anchor.clone().filter(|anchor| !is_symbol(anchor)),
            requests: Vec::new(),
            differences: differences(planned, &seen.object),
            failure: None,
        };
        let Some(looked) = seen.looked else {
            applied.failure = seen.object.failure;
            applied.outcome = Outcome::Failed;
            return Ok(applied);
        };
        if !applied.differences.is_empty() {
            let is_in_step = seen.object.reason == Some(SkipReason::RedundantExport)
                || looked.plan.operations.iter().all(|operation| operation.kind == OperationKind::Delete)
                    && seen.object.target.is_none();
            if may_be_done && is_in_step && seen.object.status != Status::Failure {
                // It was sent before the application was interrupted; what is left is to remember it.
                let run = self.run(item, &seen.source_anchor);
                let worked = run.act(item.mapping, looked, &BTreeMap::new(), false).await?;
                applied.target_anchor = worked.target_anchor;
                applied.differences.clear();
                applied.outcome = Outcome::AlreadyDone;
                return Ok(applied);
            }
            // The account was made, and something failed afterwards: what is left is what was planned, too.
            if !(may_be_done && is_rest(planned, &seen.object)) {
                return Ok(applied);
            }
            applied.differences.clear();
        }
        let run = self.run(item, &seen.source_anchor);
        let worked = run.act(item.mapping, looked, &BTreeMap::new(), false).await?;
        applied.target_anchor = worked.target_anchor;
        applied.requests = worked.requests;
        applied.failure = worked.event.failure;
        applied.outcome = if applied.failure.is_some() { Outcome::Failed } else { Outcome::Done };
        if worked.is_incomplete {
            applied.outcome = Outcome::Refused;
            applied.differences.push(Difference {
                place: Place::Target,
                attribute: None,
                planned: Some("as it was sent".to_owned()),
                found: Some("there, but not as it was sent".to_owned()),
            });
        }
        Ok(applied)
    }
}

/// An object that failed when the plan was made: there is nothing to send.
fn not_planned(planned: &PlannedObject) -> AppliedObject {
    AppliedObject {
        source_type: planned.source_type.clone(),
        source_anchor: planned.source_anchor.clone(),
        reportable: planned.reportable.clone(),
        action: planned.action,
        outcome: Outcome::NotPlanned,
        target_anchor: planned.paired_with.clone(),
        requests: Vec::new(),
        differences: Vec::new(),
        failure: planned.failure.clone(),
    }
}

/// The plan cannot be applied as things are.
pub(crate) fn outdated(message: &str) -> CaseError {
    CaseError::Conflict { code: "Conflict", message: message.to_owned() }
}
