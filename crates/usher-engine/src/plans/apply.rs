//! Applies a plan: each object is looked at once more, and only when everything is as it was planned is it written.

use std::collections::BTreeMap;

use usher_core::ports::ConnectorErrorKind;
use usher_core::saved::applied::{Applied, AppliedCounts, AppliedObject, Outcome, Progress, State};
use usher_core::saved::difference::{Difference, Place, differences, is_rest};
use usher_core::saved::symbols::{is_symbol, mentioned};
use usher_core::saved::{PlannedObject, SavedPlan};
use usher_core::{
    Anchor, DeletionGuard, EntryId, ErrorCategory, Failure, Initiator, Job, OperationKind, SkipReason, Status,
};

use super::allowance::Allowance;
use super::object::{Desk, Item};
use crate::Engine;
use crate::cases::CaseError;
use crate::cases::on_demand::test_connection;
use crate::prepared::PreparedJob;
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
        if let Some(error) = self.left_alone(&job, &prepared).await? {
            return Err(error.into());
        }
        let mut allowance = self.judged(&job, &prepared, plan, &progress).await?;
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
        let mut symbols = self.made(plan, progress.reached + 1).await?;
        let is_resumed = progress.state != State::Planned;
        let first = progress.reached;
        let mut applied = BTreeMap::new();
        let mut is_stopped = false;
        for (place, planned) in plan.objects.iter().enumerate() {
            if planned.status == Status::Failure {
                applied.insert(place, not_planned(planned));
                progress.pass(place, true);
                continue;
            }
            if !progress.awaits(place) {
                continue;
            }
            if control.is_stopped() {
                is_stopped = true;
                break;
            }
            if planned.is_change() {
                progress.state = State::Applying;
                self.remember_progress(plan, &progress).await?;
                if planned.is_deprovisioning() {
                    allowance.take(&plan.id, place).await?;
                }
                let was_tried = is_resumed && place <= first && !progress.untouched.contains(&place);
                let rule = prepared.rule(&job.id, planned.rule.as_str())?;
                let mapping = crate::cases::on_demand::mapping(&rule, &planned.source_type)?;
                let tried = match awaited(plan, &progress, planned, &symbols) {
                    Some(other) => Tried::object(waits(planned, other)),
                    None => {
                        let item = Item {
                            rule: &rule,
                            mapping,
                            named: planned.named.clone(),
                            references: planned.references.clone(),
                            symbol: planned
                                .target_anchor
                                .clone()
                                .unwrap_or_else(|| planned.source_anchor.clone()),
                            taken: Default::default(),
                        };
                        desk.apply(&item, planned, &symbols, was_tried).await?
                    }
                };
                if let (Some(symbol), Some(anchor)) = (&planned.target_anchor, &tried.object.target_anchor)
                    && is_symbol(symbol)
                {
                    symbols.insert(anchor.clone(), symbol.clone());
                }
                let outcome = tried.object.outcome;
                let (failed_with, is_begun) = (tried.failed_with, tried.is_begun);
                // What an earlier application sent keeps its place, whatever came of this one.
                let was_sent = was_tried || is_begun || outcome == Outcome::AlreadyDone;
                if planned.is_deprovisioning() && !was_sent {
                    allowance.give_back(&plan.id, place).await?;
                }
                progress.untouched.retain(|known| *known != place);
                if !was_tried && !is_begun {
                    progress.untouched.push(place);
                }
                applied.insert(place, tried.object);
                let goes_on = match outcome {
                    Outcome::Done | Outcome::AlreadyDone | Outcome::NotPlanned => true,
                    // What the application came past before is told, and keeps nobody else waiting.
                    Outcome::Refused => place < first,
                    Outcome::Failed => match failed_with {
                        None => true,
                        Some(Broken::Source) => false,
                        // One object can make a target fail, each time. Whether it is the target is asked then.
                        Some(Broken::Target) => {
                            was_tried && test_connection(self, &target, mapping).await.is_ok()
                        }
                    },
                };
                if !goes_on {
                    is_stopped = true;
                    break;
                }
                progress.pass(place, matches!(outcome, Outcome::Done | Outcome::AlreadyDone));
            } else {
                progress.pass(place, true);
            }
        }
        let has_failed =
            !progress.failed.is_empty() || plan.objects.iter().any(|object| object.status == Status::Failure);
        progress.state = match (is_stopped, has_failed) {
            (true, _) => State::Stopped,
            (false, true) => State::Incomplete,
            (false, false) => State::Applied,
        };
        self.remember_progress(plan, &progress).await?;
        let told = applied.iter().map(|(place, object)| (*place, object.outcome)).collect();
        Ok(Applied {
            plan: plan.id.clone(),
            state: progress.state,
            counts: AppliedCounts::of(plan, &progress, &told),
            objects: applied.into_values().collect(),
            done: progress.done(),
            total: plan.objects.len(),
        })
    }

    /// What plans have disabled and deleted lately, when the deletion guard allows what this one has left, too.
    async fn judged(
        &self,
        job: &Job,
        prepared: &PreparedJob,
        plan: &SavedPlan,
        progress: &Progress,
    ) -> Result<Allowance<'_>, CaseError> {
        let allowance = self.allowance(job).await?;
        let state = self.store.job_state(&job.id).await?.unwrap_or_default();
        let places = plan.objects.iter().enumerate();
        let open: Vec<usize> = places
            .filter(|(place, object)| object.is_deprovisioning() && progress.awaits(*place))
            .map(|(place, _)| place)
            .collect();
        let (count, taken) = (open.len() as u64, allowance.taken_without(&plan.id, &open));
        let guard = DeletionGuard { threshold: prepared.deletion_threshold(job) };
        if count == 0 || state.forces_deletes || guard.allows(count + taken) {
            return Ok(allowance);
        }
        let threshold = guard.threshold.unwrap_or_default();
        let way = match allowance.frees_at().filter(|_| guard.allows(count)) {
            Some(at) => format!("apply the plan again after {at}, or raise the threshold and plan again"),
            None => "raise the threshold and plan again".to_owned(),
        };
        Err(outdated(&format!(
            "the deletion guard allows {threshold} disablings and deletions within an interval of the job; plans have \
             carried out {taken} of them lately, and this one has {count}; nothing was applied; {way}"
        )))
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

/// The code of a create whose outcome is not known yet.
const UNCERTAIN: &str = "Timeout";

/// What came of trying an object.
struct Tried {
    object: AppliedObject,
    /// Who failed, when it was not the object.
    failed_with: Option<Broken>,
    /// Requests were sent, or may have been.
    is_begun: bool,
}

impl Tried {
    fn object(object: AppliedObject) -> Self {
        Self { object, failed_with: None, is_begun: false }
    }
}

/// A side that fails as a whole.
#[derive(Clone, Copy)]
enum Broken {
    Source,
    Target,
}

/// Whether such a failure is one of the other side, and not of the object that it was met at.
fn is_of_the_side(kind: ConnectorErrorKind) -> bool {
    use ConnectorErrorKind as Kind;
    match kind {
        Kind::Unreachable | Kind::Throttled | Kind::Unauthorised | Kind::Protocol | Kind::Stopped => true,
        Kind::NotFound
        | Kind::Unsettled
        | Kind::AlreadyExists
        | Kind::Rejected
        | Kind::Conflict
        | Kind::Unsupported => false,
    }
}

impl<'a> Desk<'a> {
    async fn apply(
        &self,
        item: &Item<'a>,
        planned: &PlannedObject,
        symbols: &BTreeMap<Anchor, Anchor>,
        may_be_done: bool,
    ) -> Result<Tried, CaseError> {
        let seen = self.see(item, None, &BTreeMap::new(), symbols).await?;
        let mut applied = AppliedObject {
            outcome: Outcome::Refused,
            target_anchor: seen.object.target_anchor.clone().filter(|anchor| !is_symbol(anchor)),
            ..untouched(planned)
        };
        let Some(looked) = seen.looked.filter(|_| seen.failed_with.is_none()) else {
            // Source or target did not answer: whether it is as planned cannot be told.
            applied.failure = seen.object.failure;
            applied.outcome = Outcome::Failed;
            let side = if seen.is_read { Broken::Target } else { Broken::Source };
            let failed_with = seen.failed_with.filter(|kind| is_of_the_side(*kind)).map(|_| side);
            return Ok(Tried { failed_with, ..Tried::object(applied) });
        };
        applied.differences = differences(planned, &seen.object);
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
                return Ok(Tried::object(applied));
            }
            // Whether the create that was sent took effect is not known yet.
            let is_uncertain = seen.object.failure.as_ref().is_some_and(|failure| failure.code == UNCERTAIN);
            if may_be_done && is_uncertain {
                applied.differences.clear();
                applied.failure = seen.object.failure;
                applied.outcome = Outcome::Failed;
                return Ok(Tried::object(applied));
            }
            // The account was made, and something failed afterwards: what is left is what was planned, too.
            if !(may_be_done && is_rest(planned, &seen.object)) {
                return Ok(Tried::object(applied));
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
        let failed_with = worked.target_failure.filter(|kind| is_of_the_side(*kind)).map(|_| Broken::Target);
        Ok(Tried { object: applied, failed_with, is_begun: true })
    }
}

/// The object whose account another refers to and that is not there, because it failed.
fn awaited<'a>(
    plan: &'a SavedPlan,
    progress: &Progress,
    planned: &PlannedObject,
    symbols: &BTreeMap<Anchor, Anchor>,
) -> Option<&'a PlannedObject> {
    let failed = progress.failed.iter().map(|place| &plan.objects[*place]);
    let missing: BTreeMap<&str, &PlannedObject> = failed
        .filter_map(|object| Some((object.target_anchor.as_ref()?, object)))
        .filter(|(symbol, _)| is_symbol(symbol) && planned.target_anchor.as_ref() != Some(*symbol))
        .filter(|(symbol, _)| !symbols.values().any(|known| known == *symbol))
        .map(|(symbol, object)| (symbol.as_str(), object))
        .collect();
    if missing.is_empty() {
        return None;
    }
    planned.requests.iter().find_map(|request| {
        let body = request.body.as_ref().map(ToString::to_string).unwrap_or_default();
        mentioned(&request.path).chain(mentioned(&body)).find_map(|symbol| missing.get(symbol).copied())
    })
}

/// An object that refers to an account which could not be made: nothing is sent for it.
fn waits(planned: &PlannedObject, other: &PlannedObject) -> AppliedObject {
    let other = format!("{} '{}'", other.source_type, other.reportable);
    let failure = Failure {
        code: "UnableToResolveReferenceAttributeValue".into(),
        reason: format!("it refers to the account of {other}, which could not be made; nothing was sent"),
        additional_details: None,
        category: ErrorCategory::NonServiceFailure,
        recommended_action: Some(format!(
            "mend what keeps {other} from being made, and apply the plan again"
        )),
    };
    AppliedObject { outcome: Outcome::Failed, failure: Some(failure), ..untouched(planned) }
}

/// An object for which nothing was sent.
fn untouched(planned: &PlannedObject) -> AppliedObject {
    AppliedObject {
        source_type: planned.source_type.clone(),
        source_anchor: planned.source_anchor.clone(),
        reportable: planned.reportable.clone(),
        action: planned.action,
        outcome: Outcome::NotPlanned,
        target_anchor: planned.paired_with.clone(),
        requests: Vec::new(),
        differences: Vec::new(),
        failure: None,
    }
}

/// An object that failed when the plan was made: there is nothing to send.
fn not_planned(planned: &PlannedObject) -> AppliedObject {
    AppliedObject { failure: planned.failure.clone(), ..untouched(planned) }
}

/// The plan cannot be applied as things are.
pub(crate) fn outdated(message: &str) -> CaseError {
    CaseError::Conflict { code: "Conflict", message: message.to_owned() }
}
