//! The stages of a cycle. Each works on one page and moves the position on; the last says that the cycle is over.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use smol_str::SmolStr;
use usher_core::cycle::{CycleKind, DeletionGuard, Position};
use usher_core::ports::{Commit, Held, HeldChange, Incoming, Page};
use usher_core::quarantine::RunError;
use usher_core::steps::export;
use usher_core::{Action, Anchor, Facts, PairingEffect, Plan};

use super::work::{Item, What, service};
use super::{Broke, CycleRun, Lane};
use crate::subject::{Imported, Mode, Progress, Run};

/// How many objects a page of the store holds.
const PAGE: usize = 500;
/// The code of an object whose account belongs to another one.
const DUPLICATE: &str = "DuplicateSourceEntries";
/// Where a list of the store goes on.
type After = Option<(SmolStr, Anchor)>;

impl CycleRun<'_> {
    /// Reads and works on one page of the source.
    pub(super) async fn import(&mut self, index: usize, cursor: Option<SmolStr>) -> Result<bool, Broke> {
        let lanes = self.lanes;
        let Some(lane) = lanes.get(index) else {
            return self.imported_everything().await;
        };
        let is_first = cursor.is_none();
        let mut page = self.read(lane, cursor).await?;
        let next = page.next.clone();
        self.read_ahead(lane, next.as_ref())?;
        let cycle = self.cycle_mut();
        if page.is_anew {
            // All of the mapping comes again, and is counted again.
            cycle.counts = cycle.counts.without(cycle.mapping.of_reading());
            cycle.page.done.clear();
            cycle.page.failed = Default::default();
        }
        if page.is_anew || (is_first && cycle.page.done.is_empty()) {
            cycle.mapping = Default::default();
        }
        self.count_in(page.total, is_first).await?;
        let unsettled = std::mem::take(&mut page.unsettled).into_iter().map(What::Unsettled);
        let read = newest(page).map(|incoming| {
            What::Read(Box::new(Imported {
                named: incoming.anchor.as_str().into(),
                anchor: incoming.anchor,
                object: incoming.object,
                entitlement: incoming.entitlement,
            }))
        });
        let items =
            read.chain(unsettled).map(|what| Item { lane: lane.clone(), what, holds: true }).collect();
        self.work_all(items).await?;
        self.move_to(match next {
            Some(cursor) => Position::Import { mapping: index, cursor: Some(cursor) },
            None => Position::Import { mapping: index + 1, cursor: None },
        })
        .await?;
        Ok(false)
    }

    /// The total that the first page of a mapping tells is made durable at once: whoever watches wants to see it.
    async fn count_in(&mut self, total: Option<u64>, is_first: bool) -> Result<(), Broke> {
        let cycle = self.cycle_mut();
        let Some(total) = total.filter(|_| is_first && !cycle.page.is_in_total) else { return Ok(()) };
        *cycle.total.get_or_insert(0) += total;
        cycle.page.is_in_total = true;
        self.engine.store.commit(&self.commit()).await?;
        Ok(())
    }

    /// A full read that found nothing at all, although accounts are managed, is a mistake of somebody: it must not
    /// lead to the deletion of them all.
    async fn imported_everything(&mut self) -> Result<bool, Broke> {
        let cycle = self.cycle();
        let is_initial = cycle.kind == CycleKind::Initial;
        if is_initial && cycle.counts.imported == 0 && !cycle.forces_deletes {
            let pairings = self.engine.store.count_pairings(&self.job.id).await?;
            let managed: u64 = pairings.iter().map(|(_, _, count)| count).sum();
            if managed > 0 {
                self.state.cycle = None;
                return Err(Broke::Failed(RunError {
                    code: "ImportEmpty".into(),
                    message: format!(
                        "the source gave no object at all, although {managed} accounts are paired; nothing was \
                         deleted: look whether the source is the right one, or restart with the reset scope \
                         ForceDeletes"
                    ),
                    is_tenant_actionable: true,
                }));
            }
        }
        self.move_to(match is_initial {
            true => Position::Sweep { mapping: 0, after: None },
            false => Position::Escrows { after: None },
        })
        .await?;
        Ok(false)
    }

    /// Initial cycles: pairings whose source object did not come up are looked at one by one.
    pub(super) async fn sweep(&mut self, index: usize, after: Option<Anchor>) -> Result<bool, Broke> {
        let lanes = self.lanes;
        let Some(lane) = lanes.get(index) else {
            self.move_to(Position::Escrows { after: None }).await?;
            return Ok(false);
        };
        let store = &self.engine.store;
        let number = self.cycle().number;
        let source_type = &lane.mapping().source_type;
        let unseen = store.pairings_unseen(&self.job.id, source_type, number, after.as_ref(), PAGE).await?;
        let last = unseen.last().filter(|_| unseen.len() == PAGE).map(|one| one.source_anchor.clone());
        let item = |anchor| Item { lane: lane.clone(), what: What::Named(anchor), holds: true };
        let items = unseen.into_iter().map(|pairing| item(pairing.source_anchor)).collect();
        self.work_all(items).await?;
        self.move_to(match last {
            Some(last) => Position::Sweep { mapping: index, after: Some(last) },
            None => Position::Sweep { mapping: index + 1, after: None },
        })
        .await?;
        Ok(false)
    }

    /// Objects that failed before and are due.
    pub(super) async fn escrows(&mut self, after: After) -> Result<bool, Broke> {
        let now = self.engine.clock.now();
        let store = &self.engine.store;
        let due = store.escrows_due(&self.job.id, now, after.as_ref(), PAGE).await?;
        let keys = due.iter().map(|escrow| (escrow.source_type.clone(), escrow.source_anchor.clone()));
        let (items, last) = self.page(keys.collect(), true);
        self.work_all(items).await?;
        match last {
            Some(last) => self.move_to(Position::Escrows { after: Some(last) }).await?,
            None => self.judge_deletions().await?,
        }
        Ok(false)
    }

    /// Everything to disable or delete is known now. Either all of it may be carried out, or none.
    async fn judge_deletions(&mut self) -> Result<(), Broke> {
        let count = self.engine.store.count_held(&self.job.id).await?;
        let guard = DeletionGuard { threshold: self.prepared.deletion_threshold(self.job) };
        if self.cycle().forces_deletes || guard.allows(count) {
            return self.move_to(Position::Deprovision { after: None }).await;
        }
        self.stage_deletions().await?;
        self.cycle_mut().was_held_back = true;
        self.move_to(Position::References { after: None }).await
    }

    /// Says in the log what is held back, once for each object.
    async fn stage_deletions(&self) -> Result<(), Broke> {
        let mut after: After = None;
        loop {
            let held = self.engine.store.held(&self.job.id, after.as_ref(), PAGE).await?;
            let Some(last) = held.last() else { return Ok(()) };
            after = Some((last.subject.source_type.clone(), last.subject.source_anchor.clone()));
            let mut commit = Commit::default();
            for one in held.into_iter().filter(|one| !one.is_staged) {
                let Some(lane) = self.lane(&one.subject.source_type) else { continue };
                commit.events.push(Arc::new(self.staged(lane, &one)));
                commit.held.push(HeldChange::Put(Held { is_staged: true, ..one }));
            }
            self.engine.store.commit(&commit).await?;
        }
    }

    /// Says in the log, once for the cycle, what the target never takes: the events of objects do not say it.
    pub(super) async fn tell_unwritten(&self) -> Result<(), Broke> {
        let Some(lane) = self.lanes.first().filter(|_| !self.prepared.unwritten.is_empty()) else {
            return Ok(());
        };
        let run = self.telling(lane);
        let reportable = run.target_name();
        let mut plan = Plan {
            steps: Vec::new(),
            action: Action::Other,
            operations: Vec::new(),
            modified: Vec::new(),
            skip: None,
            failure: None,
            unresolved: Vec::new(),
            pairing: PairingEffect::None,
            target: None,
            reportable: reportable.clone(),
            scope: None,
        };
        let facts = Facts { named: reportable.into(), ..Facts::default() };
        let mut progress = Progress { left_out: true, ..Progress::default() };
        // Such a run's events begin with what to beware of.
        let event = run.event(lane.mapping(), &facts, &mut plan, &mut progress, self.engine.clock.now());
        self.engine.store.commit(&Commit { events: vec![Arc::new(event)], ..Commit::default() }).await?;
        Ok(())
    }

    /// A run that writes nothing and tells something.
    fn telling<'b>(&'b self, lane: &'b Lane) -> Run<'b> {
        Run {
            engine: self.engine,
            job: self.job,
            service_principal: self.service_principal,
            prepared: self.prepared,
            rule: &lane.rule,
            target: self.target,
            cycle: self.cycle().id.clone(),
            mode: Mode::DryRun,
            applies_filters: true,
            initiated_by: service(),
            frozen: None,
            taken: Default::default(),
        }
    }

    fn staged(&self, lane: &Lane, held: &Held) -> usher_core::ProvisioningEvent {
        let run = self.telling(lane);
        let mapping = lane.mapping();
        let names = run.names(mapping, &held.display_name);
        let mut plan = export::staged(&names, held.action);
        let mut progress = Progress::default();
        for step in std::mem::take(&mut plan.steps) {
            run.note(&mut progress, step);
        }
        let facts = Facts { named: held.subject.source_anchor.as_str().into(), ..Facts::default() };
        run.event(mapping, &facts, &mut plan, &mut progress, self.engine.clock.now())
    }

    /// Carries out what was counted: each object is looked at once more, and what is wanted no longer is not done.
    pub(super) async fn deprovision(&mut self, after: After) -> Result<bool, Broke> {
        let held = self.engine.store.held(&self.job.id, after.as_ref(), PAGE).await?;
        let frees_nothing = after.is_none() && held.is_empty();
        let keys = held.into_iter().map(|held| (held.subject.source_type, held.subject.source_anchor));
        let (items, last) = self.page(keys.collect(), false);
        self.work_all(items).await?;
        self.move_to(match last {
            Some(last) => Position::Deprovision { after: Some(last) },
            None if frees_nothing => Position::References { after: None },
            None => Position::Freed { after: None },
        })
        .await?;
        Ok(false)
    }

    /// Objects whose account belonged to another source object, such as somebody who was deleted and made again under
    /// the same name: who had the account may have lost it just now, so that nobody waits for a later cycle.
    pub(super) async fn freed(&mut self, after: After) -> Result<bool, Broke> {
        let store = &self.engine.store;
        let waiting = store.escrows_due(&self.job.id, Timestamp::MAX, after.as_ref(), PAGE).await?;
        let last = waiting.last().filter(|_| waiting.len() == PAGE);
        let last = last.map(|escrow| (escrow.source_type.clone(), escrow.source_anchor.clone()));
        let kept = waiting.into_iter().filter(|escrow| escrow.code == DUPLICATE);
        let (items, _) =
            self.page(kept.map(|escrow| (escrow.source_type, escrow.source_anchor)).collect(), true);
        self.work_all(items).await?;
        self.move_to(match last {
            Some(last) => Position::Freed { after: Some(last) },
            None => Position::References { after: None },
        })
        .await?;
        Ok(false)
    }

    /// Objects that wait for a reference which has a pair by now.
    pub(super) async fn references(&mut self, after: After) -> Result<bool, Broke> {
        let types: Vec<SmolStr> = self.lanes.iter().map(|lane| lane.mapping().source_type.clone()).collect();
        let healable = self.engine.store.healable(&self.job.id, &types, after.as_ref(), PAGE).await?;
        let (mut items, last) = self.page(healable, true);
        self.leave_out_withheld(&mut items).await?;
        self.work_all(items).await?;
        match last {
            Some(last) => {
                self.move_to(Position::References { after: Some(last) }).await?;
                Ok(false)
            }
            None => Ok(true),
        }
    }

    /// What the source tells of and does not give is tried again when that is due: what it refers to is not known now.
    async fn leave_out_withheld(&self, items: &mut Vec<Item>) -> Result<(), Broke> {
        let store = &self.engine.store;
        let subjects: Vec<_> = items.iter().map(|item| item.subject(&self.job.id)).collect();
        store.remember_ahead(&subjects).await?;
        let mut withheld = Vec::with_capacity(items.len());
        for subject in &subjects {
            let escrow = store.remembered(subject).await?.escrow;
            withheld.push(escrow.is_some_and(|escrow| escrow.told_at.is_some()));
        }
        let mut withheld = withheld.into_iter();
        items.retain(|_| !withheld.next().unwrap_or_default());
        Ok(())
    }

    /// The items of a list of the store, and where the next page begins.
    fn page(&self, keys: Vec<(SmolStr, Anchor)>, holds: bool) -> (Vec<Item>, After) {
        let last = keys.last().filter(|_| keys.len() == PAGE).cloned();
        let items = keys.into_iter().filter_map(|(source_type, anchor)| {
            let lane = self.lane(&source_type)?.clone();
            Some(Item { lane, what: What::Named(anchor), holds })
        });
        (items.collect(), last)
    }

    fn lane(&self, source_type: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.mapping().source_type == source_type)
    }
}

/// The objects of a page, each once; what comes last counts.
pub(crate) fn newest(page: Page) -> impl Iterator<Item = Incoming> {
    let last: HashMap<Anchor, usize> =
        page.objects.iter().enumerate().map(|(place, incoming)| (incoming.anchor.clone(), place)).collect();
    page.objects
        .into_iter()
        .enumerate()
        .filter(move |(place, incoming)| last.get(&incoming.anchor) == Some(place))
        .map(|(_, incoming)| incoming)
}
