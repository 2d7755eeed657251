//! Makes a plan: reads source and target for real, and writes nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use smol_str::SmolStr;
use usher_core::cycle::{CycleKind, JobState};
use usher_core::ports::{ConnectorError, ConnectorErrorKind, ReadRequest, Watermark};
use usher_core::program::{MappingProgram, RuleProgram};
use usher_core::saved::symbols::symbol;
use usher_core::saved::{Extent, Guard, PlanCounts, PlannedObject, SavedPlan, VERSION};
use usher_core::steps::export;
use usher_core::{Anchor, DeletionGuard, Entry, EntryId, EntryKind, NamedReference, References, SkipReason};

use super::PlanRequest;
use super::object::{Desk, Item, Seen};
use super::order;
use crate::Engine;
use crate::cases::CaseError;
use crate::cases::on_demand::{links_of, mapping, test_connection};
use crate::cycle::stages::newest;
use crate::cycle::{Lane, lanes};
use crate::record::ordered_guid;
use crate::subject::Imported;
use crate::target::Target;

/// How many objects are looked at at once.
const AT_ONCE: usize = 16;
/// How many objects a page of the store holds.
const PAGE: usize = 500;
/// How many subjects one plan may name.
const SUBJECTS: usize = 200;
/// Greater than the number of every cycle: no pairing has come up in such a one.
const NEVER: u64 = i64::MAX as u64;

/// What is to be looked at, and what is known of it.
type Work<'a> = (Item<'a>, Option<Imported>);

impl Engine {
    /// Plans what subjects, or all that a cycle would look at, need. Nothing is written but the key of plans.
    ///
    /// # Errors
    /// What is wrong with the request, or the connection to source or target does not work.
    pub(crate) async fn make_plan(
        &self,
        service_principal: &EntryId,
        request: &PlanRequest,
    ) -> Result<SavedPlan, CaseError> {
        let entry = self.living_principal(service_principal).await?;
        let job = self.job(service_principal, &request.job).await?;
        let prepared = self.prepare(&job).await?;
        let state = self.store.job_state(&job.id).await?.unwrap_or_default();
        let extent = match (request.cycle, request.drift) {
            (false, false) => Extent::Subjects,
            (_, true) => Extent::Drift,
            (true, false) => Extent::Cycle(self.next_kind(&job, &state, &prepared).await?),
        };
        check(request, extent)?;
        if let Some(error) = self.left_alone(&job, &prepared).await? {
            return Err(error.into());
        }
        let key = self.plan_key().await?;
        let target = Target::on_demand(prepared.target.clone(), self.clock.clone());
        let now = self.clock.now();
        let desk = Desk {
            engine: self,
            job: &job,
            service_principal: &entry,
            prepared: &prepared,
            target: &target,
            key: &key,
            plan: ordered_guid(now, self.clock.guid()),
            now,
            extent,
            applies: false,
            explains: request.explain,
            initiated_by: request.initiated_by.clone(),
        };
        let lanes = lanes(&job, &prepared)?;
        let mut rules = Vec::new();
        for parameters in &request.parameters {
            rules.push(prepared.rule(&job.id, parameters.rule.as_str())?);
        }
        let probe = rules.first().and_then(|rule| rule.mappings.first()).or(lanes.first().map(Lane::mapping));
        if let Some(probe) = probe {
            test_connection(self, &target, probe).await?;
        }
        let mut counts = PlanCounts::default();
        let mut watermarks = BTreeMap::new();
        let mut seen = match extent {
            Extent::Subjects => {
                let items = self.subjects(request, &rules)?;
                desk.see_all(items.into_iter().map(|item| (item, None)).collect()).await?
            }
            Extent::Cycle(_) | Extent::Drift => {
                desk.see_cycle(&lanes, &state, &mut watermarks, &mut counts).await?
            }
        };
        order::find_conflicts(&mut seen);
        desk.resolve(&lanes, &rules, &mut seen).await?;
        if extent != Extent::Subjects {
            seen.retain(|one| {
                let is_told =
                    one.object.is_change() || one.object.reason != Some(SkipReason::RedundantExport);
                if !is_told {
                    counts.add(&one.object);
                }
                is_told
            });
        }
        // Nothing is taken away before everything else is in place, as in a cycle.
        seen.sort_by_key(|one| one.object.is_deprovisioning());
        let recent = self.allowance(&job).await?.taken_without(&desk.plan, &[]);
        let guard = desk.judge(&lanes, &rules, &state, recent, &mut seen);
        let mut unpaired = Vec::new();
        if extent == Extent::Drift {
            desk.tell_drift(&lanes, &state, &mut seen).await?;
            unpaired = desk.unpaired(&lanes).await?;
        }
        let objects: Vec<_> = seen.into_iter().map(|one| one.object).collect();
        objects.iter().for_each(|object| counts.add(object));
        Ok(SavedPlan {
            id: desk.plan.clone(),
            version: VERSION,
            created_at: now,
            tenant: self.settings.tenant.clone(),
            service_principal: entry.id.clone(),
            target: entry.text("displayName").unwrap_or_default().to_owned(),
            job: job.id.clone(),
            schema: prepared.fingerprint().clone(),
            connection: key.digest("connection", &prepared.connection()).into(),
            extent,
            watermarks,
            counts,
            guard,
            objects,
            unpaired,
            signature: None,
        })
    }

    /// The service principal, when it is not in the bin.
    pub(super) async fn living_principal(&self, id: &EntryId) -> Result<Entry, CaseError> {
        let entry = self.store.entry(EntryKind::ServicePrincipal, id).await?;
        entry
            .filter(|entry| entry.deleted_at.is_none())
            .ok_or_else(|| CaseError::not_found("service principal", id.as_str()))
    }

    /// The named subjects; linked objects go before the subject that they were named with.
    fn subjects<'a>(
        &self,
        request: &PlanRequest,
        rules: &'a [std::sync::Arc<RuleProgram>],
    ) -> Result<Vec<Item<'a>>, CaseError> {
        let mut items: Vec<Item<'a>> = Vec::new();
        let mut add = |rule: &'a RuleProgram, of: &'a MappingProgram, named: &str, references: References| {
            // Who is a member of two groups is named twice, and planned once.
            let is_known = references == References::Named(Vec::new())
                && items.iter().any(|item| item.named == named && item.mapping.source_type == of.source_type);
            if !is_known {
                let symbol = symbol(&of.source_type, items.len() + 1);
                items.push(Item {
                    rule,
                    mapping: of,
                    named: named.into(),
                    references,
                    symbol,
                    taken: BTreeSet::new(),
                });
            }
        };
        for (parameters, rule) in request.parameters.iter().zip(rules) {
            for subject in &parameters.subjects {
                self.check_subject(rule, subject)?;
                let mut named = Vec::new();
                for (attribute, object) in links_of(subject) {
                    let of = mapping(rule, &object.object_type)?;
                    add(rule, of, &object.object_id, References::Named(Vec::new()));
                    named.push(NamedReference {
                        attribute: SmolStr::new_static(attribute),
                        anchor: Anchor::new(object.object_id.as_str()),
                    });
                }
                let of = mapping(rule, &subject.object_type)?;
                add(rule, of, &subject.object_id, References::Named(named));
            }
        }
        Ok(items)
    }
}

fn check(request: &PlanRequest, extent: Extent) -> Result<(), CaseError> {
    let count: usize = request.parameters.iter().map(|parameters| parameters.subjects.len()).sum();
    let what = if request.explain { "an explanation" } else { "a plan" };
    let message = match (extent, count) {
        (Extent::Subjects, 0) => format!("{what} needs subjects in 'parameters', or 'cycle' set to true"),
        (Extent::Subjects, count) if count > SUBJECTS => format!(
            "{count} subjects were named, but {what} takes at most {SUBJECTS}; name fewer, or set 'cycle' to true"
        ),
        (Extent::Cycle(_) | Extent::Drift, count) if count > 0 => {
            format!("{what} is for subjects or for a cycle, not for both; leave 'parameters' out")
        }
        _ => return Ok(()),
    };
    Err(CaseError::invalid("Request_BadRequest", message))
}

impl<'a> Desk<'a> {
    async fn see_all(&self, work: Vec<Work<'a>>) -> Result<Vec<Seen>, CaseError> {
        let mut work = work.into_iter();
        let mut under_way = FuturesOrdered::new();
        let mut all = Vec::new();
        loop {
            while under_way.len() < AT_ONCE {
                let Some(one) = work.next() else { break };
                under_way.push_back(self.see_first(one));
            }
            match under_way.next().await {
                Some(seen) => all.push(seen?),
                None => return Ok(all),
            }
        }
    }

    async fn see_first(&self, (item, read): Work<'a>) -> Result<Seen, CaseError> {
        let nothing = BTreeMap::new();
        let mut seen = self.see(&item, read, &nothing, &nothing).await?;
        // Others may work on it again.
        seen.looked = None;
        Ok(seen)
    }

    /// Everything that the next cycle would look at.
    async fn see_cycle(
        &self,
        lanes: &'a [Lane],
        state: &JobState,
        watermarks: &mut BTreeMap<String, Watermark>,
        counts: &mut PlanCounts,
    ) -> Result<Vec<Seen>, CaseError> {
        let is_initial = self.extent.cycle() == Some(CycleKind::Initial);
        for lane in lanes {
            let watermark = self.prepared.source.watermark(&lane.mapping().source_type).await?;
            watermarks.insert(lane.key.clone(), watermark);
        }
        let mut cycle = CyclePlan { met: HashSet::new(), count: 0, seen: Vec::new() };
        for lane in lanes {
            let since = if is_initial { None } else { state.watermarks.get(&lane.key).cloned() };
            let until = watermarks.get(&lane.key).cloned().expect("each lane has one");
            let mut request = self.read_request(lane, since, until);
            loop {
                let page = self.prepared.source.read(&request).await?;
                request.cursor = page.next.clone();
                if let Some(anchor) = page.unsettled.first() {
                    let message = format!(
                        "the source tells of {} '{anchor}', but does not give it yet; plan again in a moment",
                        request.object_type
                    );
                    let kind = ConnectorErrorKind::Conflict;
                    return Err(ConnectorError::new(kind, "EntryNotFound", message).into());
                }
                let read = newest(page).map(|incoming| Imported {
                    named: incoming.anchor.as_str().into(),
                    anchor: incoming.anchor,
                    object: incoming.object,
                    entitlement: incoming.entitlement,
                });
                let work = read.map(|read| (lane, read.anchor.clone(), Some(read))).collect();
                cycle.see(self, work, counts).await?;
                if request.cursor.is_none() {
                    break;
                }
            }
        }
        if is_initial && cycle.count == 0 && !state.forces_deletes {
            self.check_is_not_empty().await?;
        }
        if is_initial {
            self.sweep(lanes, &mut cycle, counts).await?;
        }
        self.remembered(lanes, &mut cycle, counts).await?;
        // What waits for an account is looked at once the account is there, in the same cycle.
        let mut awaited = cycle.new_pairs(0);
        while !awaited.is_empty() {
            let waiting = self.engine.store.waiting_for(&self.job.id, &awaited).await?;
            let known = cycle.seen.len();
            let work = waiting
                .into_iter()
                .filter_map(|(source_type, anchor)| {
                    let lane = lanes.iter().find(|lane| lane.mapping().source_type == source_type)?;
                    Some((lane, anchor, None))
                })
                .collect();
            cycle.see(self, work, counts).await?;
            awaited = cycle.new_pairs(known);
        }
        Ok(cycle.seen)
    }

    pub(super) fn read_request(
        &self,
        lane: &Lane,
        since: Option<Watermark>,
        until: Watermark,
    ) -> ReadRequest {
        ReadRequest {
            object_type: lane.mapping().source_type.clone(),
            attributes: lane.mapping().source_attributes(),
            application: Some(self.service_principal.id.clone()),
            since,
            until,
            cursor: None,
        }
    }

    /// As a cycle does: a source that gives nothing at all is a mistake of somebody.
    async fn check_is_not_empty(&self) -> Result<(), CaseError> {
        let pairings = self.engine.store.count_pairings(&self.job.id).await?;
        let managed: u64 = pairings.iter().map(|(_, _, count)| count).sum();
        if managed == 0 {
            return Ok(());
        }
        Err(ConnectorError::new(
            ConnectorErrorKind::Protocol,
            "ImportEmpty",
            format!("the source gave no object at all, although {managed} accounts are paired"),
        )
        .into())
    }

    /// Pairings whose source object did not come up.
    async fn sweep(
        &self,
        lanes: &'a [Lane],
        cycle: &mut CyclePlan,
        counts: &mut PlanCounts,
    ) -> Result<(), CaseError> {
        for lane in lanes {
            let source_type = &lane.mapping().source_type;
            let mut after = None;
            loop {
                let store = &self.engine.store;
                let page =
                    store.pairings_unseen(&self.job.id, source_type, NEVER, after.as_ref(), PAGE).await?;
                after = page.last().filter(|_| page.len() == PAGE).map(|last| last.source_anchor.clone());
                let work = page.into_iter().map(|pairing| (lane, pairing.source_anchor, None)).collect();
                cycle.see(self, work, counts).await?;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Objects that failed before and are due, deletions that were held back, and references that can be healed.
    async fn remembered(
        &self,
        lanes: &'a [Lane],
        cycle: &mut CyclePlan,
        counts: &mut PlanCounts,
    ) -> Result<(), CaseError> {
        let (store, job) = (&self.engine.store, &self.job.id);
        let types: Vec<SmolStr> = lanes.iter().map(|lane| lane.mapping().source_type.clone()).collect();
        for list in [List::Escrows, List::Held, List::References] {
            let mut after: Option<(SmolStr, Anchor)> = None;
            loop {
                let keys: Vec<(SmolStr, Anchor)> = match list {
                    List::Escrows => store
                        .escrows_due(job, self.now, after.as_ref(), PAGE)
                        .await?
                        .into_iter()
                        .map(|escrow| (escrow.source_type, escrow.source_anchor))
                        .collect(),
                    List::Held => store
                        .held(job, after.as_ref(), PAGE)
                        .await?
                        .into_iter()
                        .map(|held| (held.subject.source_type, held.subject.source_anchor))
                        .collect(),
                    List::References => store.healable(job, &types, after.as_ref(), PAGE).await?,
                };
                after = keys.last().filter(|_| keys.len() == PAGE).cloned();
                let work = keys
                    .into_iter()
                    .filter_map(|(source_type, anchor)| {
                        let lane = lanes.iter().find(|lane| lane.mapping().source_type == source_type)?;
                        Some((lane, anchor, None))
                    })
                    .collect();
                cycle.see(self, work, counts).await?;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Puts objects after those that they refer to, and looks once more at those that refer to new ones: by now it is
    /// known what the new ones will be called.
    async fn resolve(
        &self,
        lanes: &'a [Lane],
        rules: &'a [std::sync::Arc<RuleProgram>],
        seen: &mut Vec<Seen>,
    ) -> Result<(), CaseError> {
        let order = order::after_what_they_refer_to(&order::awaited(seen));
        let mut places: Vec<Option<Seen>> = seen.drain(..).map(Some).collect();
        let mut known = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for place in order {
            let mut one = places[place].take().expect("every place comes once");
            let refers_to_new = one.refers_to.iter().any(|anchor| known.contains_key(anchor));
            let is_taken = one.chosen.iter().any(|value| taken.contains(value));
            if one.object.failure.is_none() && (refers_to_new || is_taken) {
                let object = &one.object;
                let Some((rule, mapping)) = program(lanes, rules, object) else { continue };
                let item = Item {
                    rule,
                    mapping,
                    named: object.named.clone(),
                    references: object.references.clone(),
                    symbol: object.target_anchor.clone().unwrap_or_else(|| one.source_anchor.clone()),
                    taken: taken.clone(),
                };
                one = self.see(&item, None, &known, &BTreeMap::new()).await?;
                one.looked = None;
            }
            if let Some(anchor) = order::new_pair(&one.object) {
                known.insert(one.source_anchor.clone(), anchor.clone());
            }
            taken.extend(one.chosen.iter().cloned());
            seen.push(one);
        }
        Ok(())
    }

    /// Judges the deletions of a plan: all of them go through, or none. `recent` is what other plans did lately.
    fn judge(
        &self,
        lanes: &'a [Lane],
        rules: &'a [std::sync::Arc<RuleProgram>],
        state: &JobState,
        recent: u64,
        seen: &mut [Seen],
    ) -> Guard {
        let count = seen.iter().filter(|one| one.object.is_deprovisioning()).count() as u64;
        let threshold = self.prepared.deletion_threshold(self.job);
        let allows = DeletionGuard { threshold }.allows(count + recent);
        let holds_back = count > 0 && !state.forces_deletes && !allows;
        if holds_back {
            for one in seen.iter_mut().filter(|one| one.object.is_deprovisioning()) {
                let object = &mut one.object;
                let Some((rule, mapping)) = program(lanes, rules, object) else { continue };
                let item = Item {
                    rule,
                    mapping,
                    named: object.named.clone(),
                    references: References::All,
                    symbol: one.source_anchor.clone(),
                    taken: BTreeSet::new(),
                };
                let names = self.run(&item, &one.source_anchor).names(mapping, &object.reportable);
                for step in export::staged(&names, object.action).steps {
                    object.stage(step);
                }
            }
        }
        Guard { threshold, count, recent, holds_back }
    }
}

/// The rule and the mapping that an object was looked at with.
fn program<'a>(
    lanes: &'a [Lane],
    rules: &'a [std::sync::Arc<RuleProgram>],
    object: &PlannedObject,
) -> Option<(&'a RuleProgram, &'a MappingProgram)> {
    let all = lanes.iter().map(|lane| &*lane.rule).chain(rules.iter().map(|rule| &**rule));
    all.filter(|rule| rule.id == object.rule)
        .find_map(|rule| Some((rule, rule.mapping(&object.source_type)?)))
}

/// Lists of the store that a cycle goes through.
#[derive(Clone, Copy)]
enum List {
    Escrows,
    Held,
    References,
}

/// A cycle while it is planned.
struct CyclePlan {
    met: HashSet<(SmolStr, Anchor)>,
    count: usize,
    seen: Vec<Seen>,
}

impl CyclePlan {
    /// Source objects that get a pair, of those that were seen from a place on.
    fn new_pairs(&self, from: usize) -> Vec<Anchor> {
        let new = self.seen.iter().skip(from).filter(|one| order::new_pair(&one.object).is_some());
        new.map(|one| one.source_anchor.clone()).collect()
    }

    /// Looks at objects that were not met before. What is in step is counted, and not kept.
    async fn see<'a>(
        &mut self,
        desk: &Desk<'a>,
        objects: Vec<(&'a Lane, Anchor, Option<Imported>)>,
        counts: &mut PlanCounts,
    ) -> Result<(), CaseError> {
        let mut work = Vec::new();
        for (lane, anchor, read) in objects {
            let mapping = lane.mapping();
            if !self.met.insert((mapping.source_type.clone(), anchor.clone())) {
                continue;
            }
            self.count += 1;
            let item = Item {
                rule: &lane.rule,
                mapping,
                named: anchor.as_str().into(),
                references: References::All,
                symbol: symbol(&mapping.source_type, self.count),
                taken: BTreeSet::new(),
            };
            work.push((item, read));
        }
        for one in desk.see_all(work).await? {
            let is_in_step =
                one.object.reason == Some(SkipReason::RedundantExport) && !one.object.is_change();
            // A source that says "gone" of something this job never knew is no news.
            let is_no_news = one.object.source.is_none()
                && one.object.paired_with.is_none()
                && one.object.failure.is_none()
                && one.object.requests.is_empty();
            let may_refer_to_new = !one.refers_to.is_empty();
            if (is_in_step && !may_refer_to_new) || is_no_news {
                counts.add(&one.object);
            } else {
                self.seen.push(one);
            }
        }
        Ok(())
    }
}
