//! Drift: what was changed in the target behind our back, and what is paired with nothing.

use std::collections::HashSet;

use jiff::Timestamp;
use smol_str::SmolStr;
use usher_core::cycle::JobState;
use usher_core::ports::{ConnectorErrorKind, ReadRequest};
use usher_core::saved::Unpaired;
use usher_core::steps::trace::Drift;
use usher_core::{Action, Anchor, steps};
use usher_expr::Value;

use super::object::{Desk, Seen};
use crate::cases::CaseError;
use crate::cycle::Lane;

/// How many pairings a page of the store holds.
const PAGE: usize = 500;
/// The attribute of what a domain cannot do without, such as `krbtgt`.
const CRITICAL: &str = "isCriticalSystemObject";
/// Greater than the number of every cycle.
const NEVER: u64 = i64::MAX as u64;

impl Desk<'_> {
    /// Says of each object that needs a change which attributes somebody else gave cause for. The pair tells what the job
    /// last saw of them; where it does not, an object that did not change in the source was changed in the target. Where
    /// the source cannot tell that either, nothing is said.
    pub(super) async fn tell_drift(
        &self,
        lanes: &[Lane],
        state: &JobState,
        seen: &mut [Seen],
    ) -> Result<(), CaseError> {
        let is_same_schema = state.schema.as_ref() == Some(self.prepared.fingerprint());
        let can_tell = is_same_schema && self.prepared.source.capabilities().deltas;
        for lane in lanes {
            let source_type = &lane.mapping().source_type;
            let open = seen.iter_mut().filter(|one| {
                let object = &one.object;
                object.source_type == *source_type
                    && object.paired_with.is_some()
                    && !object.requests.is_empty()
            });
            let mut left = Vec::new();
            for one in open {
                let Drift { changed, unknown } = one.drift.take().unwrap_or_default();
                let is_known = unknown.is_empty() && one.object.action != Action::Delete;
                one.object.is_drift = is_known.then_some(!changed.is_empty());
                if !changed.is_empty() {
                    one.object.is_drift = Some(true);
                    one.object.drift = changed;
                }
                if !is_known {
                    left.push((&mut one.object, unknown));
                }
            }
            if left.is_empty() || !can_tell {
                continue;
            }
            let Some(mut changed) = self.changed(lane, state).await? else { continue };
            // What failed is still to be written: nobody else has to have changed anything.
            changed.extend(self.unfinished(lane).await?);
            for (object, unknown) in left {
                let is_of_the_source = changed.contains(&object.source_anchor);
                if !is_of_the_source {
                    object.drift.extend(unknown);
                }
                object.is_drift = Some(object.is_drift == Some(true) || !is_of_the_source);
            }
        }
        Ok(())
    }

    /// The source objects whose last write failed.
    async fn unfinished(&self, lane: &Lane) -> Result<Vec<Anchor>, CaseError> {
        let (store, source_type) = (&self.engine.store, &lane.mapping().source_type);
        let (mut unfinished, mut after) = (Vec::new(), None);
        loop {
            let page = store.escrows_due(&self.job.id, Timestamp::MAX, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(unfinished) };
            after = Some((last.source_type.clone(), last.source_anchor.clone()));
            let here = page.into_iter().filter(|escrow| escrow.source_type == *source_type);
            unfinished.extend(here.map(|escrow| escrow.source_anchor));
        }
    }

    /// The source objects that changed since the job last looked; `None` when it never did, or the source forgot.
    async fn changed(&self, lane: &Lane, state: &JobState) -> Result<Option<HashSet<Anchor>>, CaseError> {
        let Some(since) = state.watermarks.get(&lane.key).cloned() else { return Ok(None) };
        let until = self.prepared.source.watermark(&lane.mapping().source_type).await?;
        let mut request = self.read_request(lane, Some(since), until);
        let mut changed = HashSet::new();
        loop {
            let page = match self.prepared.source.read(&request).await {
                Ok(page) => page,
                Err(error) if error.kind == ConnectorErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            changed.extend(page.objects.into_iter().map(|incoming| incoming.anchor));
            changed.extend(page.unsettled);
            request.cursor = page.next;
            if request.cursor.is_none() {
                return Ok(Some(changed));
            }
        }
    }

    /// The objects of the target that no source object is paired with; none where the target cannot be listed.
    pub(super) async fn unpaired(&self, lanes: &[Lane]) -> Result<Vec<Unpaired>, CaseError> {
        let mut all = Vec::new();
        let mut done: Vec<&SmolStr> = Vec::new();
        for lane in lanes {
            let target_type = &lane.mapping().target_type;
            if done.contains(&target_type) {
                continue;
            }
            done.push(target_type);
            let paired = self.paired(lanes, target_type).await?;
            let target = &self.prepared.target;
            let mut attributes: Vec<SmolStr> =
                lane.mapping().matching().map(|attribute| attribute.target.clone()).collect();
            for name in ["userName", "userPrincipalName", "displayName", "sAMAccountName", "cn"] {
                let is_mapped = lane.mapping().attributes.iter().any(|attribute| attribute.target == name);
                if is_mapped && !attributes.iter().any(|known| known == name) {
                    attributes.push(name.into());
                }
            }
            if self.knows(lane, CRITICAL) {
                attributes.push(CRITICAL.into());
            }
            let mut request = ReadRequest {
                object_type: target_type.clone(),
                attributes,
                application: None,
                since: None,
                until: target.watermark(target_type).await?,
                cursor: None,
            };
            loop {
                let page = match target.read(&request).await {
                    Ok(page) => page,
                    Err(error) if error.kind == ConnectorErrorKind::Unsupported => break,
                    Err(error) => return Err(error.into()),
                };
                all.extend(page.objects.into_iter().filter_map(|incoming| {
                    let object = incoming.object.filter(|_| !paired.contains(&incoming.anchor))?;
                    // Accounts and groups that the domain itself needs are nobody's drift.
                    if object.attributes.value(CRITICAL) == Some(&Value::Boolean(true)) {
                        return None;
                    }
                    Some(Unpaired {
                        target_type: target_type.clone(),
                        display_name: steps::reportable(&object, incoming.anchor.as_str()),
                        target_anchor: incoming.anchor,
                    })
                }));
                request.cursor = page.next;
                if request.cursor.is_none() {
                    break;
                }
            }
        }
        Ok(all)
    }

    /// Whether the target's objects of a lane have an attribute, as the schema says.
    fn knows(&self, lane: &Lane, attribute: &str) -> bool {
        let schema = &self.prepared.schema;
        schema
            .synchronization_rules
            .iter()
            .find(|rule| rule.id == lane.rule.id.as_str())
            .and_then(|rule| schema.directory(&rule.target_directory_name))
            .and_then(|directory| directory.object(&lane.mapping().target_type))
            .is_some_and(|object| object.attribute(attribute).is_some())
    }

    async fn paired(&self, lanes: &[Lane], target_type: &SmolStr) -> Result<HashSet<Anchor>, CaseError> {
        let mut paired = HashSet::new();
        for lane in lanes.iter().filter(|lane| lane.mapping().target_type == *target_type) {
            let source_type = &lane.mapping().source_type;
            let mut after: Option<Anchor> = None;
            loop {
                let store = &self.engine.store;
                let page =
                    store.pairings_unseen(&self.job.id, source_type, NEVER, after.as_ref(), PAGE).await?;
                after = page.last().filter(|_| page.len() == PAGE).map(|last| last.source_anchor.clone());
                paired.extend(page.into_iter().map(|pairing| pairing.target_anchor));
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(paired)
    }
}
