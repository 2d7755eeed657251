//! A tenant as a source of cycles: pages of everything, or of what changed since a delta link, and of whose assignment
//! changed, which deltas do not tell.

use futures::{StreamExt, TryStreamExt, stream};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use smol_str::{SmolStr, format_smolstr};
use usher_core::ports::{
    ConnectorError, ConnectorErrorKind, Incoming, Page, PreparedRequest, ReadRequest, Watermark,
};
use usher_core::{Anchor, EntryKind, Relation};

use super::answer::Refusal;
use super::assignments::{Assignments, NOT_ASSIGNED, links};
use super::connector::EntraConnector;
use super::request;
use super::translate::{self, Linked, View};
use crate::directory::translate::{self as names, Place};

/// How many objects are completed at the same time.
const AT_ONCE: usize = 4;
/// How many objects a page of changed assignments has.
const PAGE: usize = 100;
/// Cursors begin with the part of the read that they point into.
const LIST: &str = "list:";
const BIN: &str = "bin:";
const DELTA: &str = "delta:";
const ASSIGNED: &str = "assigned:";

/// What a watermark holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Mark {
    /// The delta link; none where the cloud gives none.
    link: Option<String>,
    /// The assignments of objects of the kind that is read; none where the tenant has no such application.
    assigned: Option<Assignments>,
}

impl Mark {
    fn read(watermark: &Watermark) -> Result<Self, ConnectorError> {
        serde_json::from_str(&watermark.0).map_err(|_| expired("the watermark is not one of a tenant"))
    }
}

/// "From now".
pub(super) async fn watermark(
    connector: &EntraConnector,
    object_type: &str,
) -> Result<Watermark, ConnectorError> {
    let kind = names::kind(object_type)?;
    let link = link(connector, kind, connector.told(kind, object_type)).await?;
    let assigned = connector.snapshot().await?.map(|snapshot| snapshot.of(kind));
    let mark = Mark { link, assigned };
    Ok(Watermark(serde_json::to_string(&mark).unwrap_or_default().into()))
}

/// A delta link; none where the cloud tells no changes. A property that a cloud does not know is left out.
async fn link(
    connector: &EntraConnector,
    kind: EntryKind,
    mut told: Vec<SmolStr>,
) -> Result<Option<String>, ConnectorError> {
    loop {
        let refusal = match last(connector, request::latest(kind, &told)).await {
            Ok(link) => return Ok(link),
            Err(refusal) => refusal,
        };
        let all = told.len();
        told.retain(|name| !refusal.names(name));
        if told.len() < all {
            continue;
        }
        if refusal.is_unknown_here() {
            tracing::warn!(
                detail = refusal.error.detail,
                "this cloud tells no changes; every cycle reads everything"
            );
            return Ok(None);
        }
        return Err(refusal.error);
    }
}

/// The delta link at the end of the pages that begin here.
async fn last(connector: &EntraConnector, first: PreparedRequest) -> Result<Option<String>, Refusal> {
    let mut request = first;
    loop {
        let page = connector.service.page(&request).await?;
        match (page.delta, page.next) {
            (None, Some(next)) => request = request::get(next),
            (link, _) => return Ok(link),
        }
    }
}

/// One page.
pub(super) async fn read(connector: &EntraConnector, request: &ReadRequest) -> Result<Page, ConnectorError> {
    let kind = names::kind(&request.object_type)?;
    connector.remember_application(request.application.as_ref());
    let until = Mark::read(&request.until)?;
    // As they were when the watermark was fixed, or as they are.
    let assigned = match (&request.application, until.assigned) {
        (None, _) => None,
        (Some(_), Some(assigned)) => Some(assigned),
        (Some(_), None) => connector.snapshot().await?.map(|snapshot| snapshot.of(kind)),
    };
    let page = Reading { connector, request, kind, assigned };
    let cursor = request.cursor.as_deref();
    match &request.since {
        None => page.everything(cursor).await,
        Some(since) => page.changed(Mark::read(since)?, cursor).await,
    }
}

struct Reading<'a> {
    connector: &'a EntraConnector,
    request: &'a ReadRequest,
    kind: EntryKind,
    assigned: Option<Assignments>,
}

/// What objects are that were asked for one by one.
#[derive(Default)]
struct Documents {
    /// `None` for those that are gone for good.
    found: Vec<(String, Option<Json>)>,
    /// Those that are found nowhere, although nobody says that they were removed.
    missing: Vec<String>,
}

impl Reading<'_> {
    async fn everything(&self, cursor: Option<&str>) -> Result<Page, ConnectorError> {
        let attributes = &self.request.attributes;
        let (is_bin, first) = match cursor {
            None => (false, request::list(self.kind, attributes)),
            Some(cursor) => match (cursor.strip_prefix(LIST), cursor.strip_prefix(BIN)) {
                (Some(link), _) => (false, request::get(link)),
                (_, Some("")) => (true, request::list_binned(attributes)),
                (_, Some(link)) => (true, request::get(link)),
                _ => return Err(expired("the place in the list is not one of a tenant")),
            },
        };
        let page = self.connector.service.page(&first).await.map_err(or_expired)?;
        let next = match page.next {
            Some(link) => Some(format_smolstr!("{}{link}", if is_bin { BIN } else { LIST })),
            // Only users in the bin matter: they are switched off elsewhere and may come back.
            None if !is_bin && self.kind == EntryKind::User => Some(SmolStr::new_static(BIN)),
            None => None,
        };
        let documents = page.values.into_iter().map(Some).filter_map(|document| {
            let id = document.as_ref().and_then(translate::id)?.to_owned();
            Some((id, document))
        });
        self.page(documents.collect(), Vec::new(), next).await
    }

    async fn changed(&self, since: Mark, cursor: Option<&str>) -> Result<Page, ConnectorError> {
        if let Some(place) = cursor.and_then(|cursor| cursor.strip_prefix(ASSIGNED)) {
            let place = place.parse().map_err(|_| expired("the place in the list is not one of a tenant"))?;
            return self.reassigned(&since.assigned.unwrap_or_default(), place).await;
        }
        let link = match cursor {
            None => since.link.ok_or_else(|| expired("this cloud tells no changes"))?,
            Some(cursor) => cursor
                .strip_prefix(DELTA)
                .ok_or_else(|| expired("the place in the list is not one of a tenant"))?
                .to_owned(),
        };
        let page = self.connector.service.page(&request::get(link)).await.map_err(or_expired)?;
        // An object may come several times; what it is now is read below.
        let mut changes: IndexMap<SmolStr, Option<&str>> = IndexMap::new();
        for change in &page.values {
            let Some(id) = translate::id(change) else { continue };
            let removed = change
                .get("@removed")
                .map(|removed| removed.get("reason").and_then(Json::as_str).unwrap_or("deleted"));
            changes.insert(id.into(), removed);
        }
        let next = match page.next {
            Some(link) => Some(format_smolstr!("{DELTA}{link}")),
            None if self.request.application.is_some() && since.assigned != self.assigned => {
                Some(format_smolstr!("{ASSIGNED}0"))
            }
            None => None,
        };
        let Documents { found, missing } = self.documents(changes).await?;
        // The delta says that they are there: a part of the tenant that lags behind must not cost them their account.
        self.page(found, missing, next).await
    }

    /// Those whose assignment changed.
    async fn reassigned(&self, before: &Assignments, place: usize) -> Result<Page, ConnectorError> {
        let nobody = Assignments::default();
        let after = self.assigned.as_ref().unwrap_or(&nobody);
        let ids = before.difference(after);
        let block: IndexMap<SmolStr, Option<&str>> =
            ids.iter().skip(place).take(PAGE).map(|id| (id.clone(), None)).collect();
        let end = place + block.len();
        let next = (end < ids.len()).then(|| format_smolstr!("{ASSIGNED}{end}"));
        let Documents { mut found, missing } = self.documents(block).await?;
        // Who has left the tenant has lost the assignments with it; but whoever is not found may only have lost those, and
        // not be known everywhere.
        let (unsettled, left): (Vec<String>, Vec<String>) =
            missing.into_iter().partition(|id| self.kind == EntryKind::User || after.holds(id));
        let asked: Vec<PreparedRequest> = left.iter().map(|id| request::binned(id)).collect();
        let mut unsettled = unsettled;
        for (id, answer) in left.into_iter().zip(self.connector.service.batch(&asked).await?) {
            match answer {
                // Groups in the recycle bin are as good as gone.
                Ok(_) => found.push((id, None)),
                // To look there takes a right that reading groups does not: without it the group is waited for.
                Err(refusal) if matches!(refusal.status, Some(403 | 404)) => unsettled.push(id),
                Err(refusal) => return Err(refusal.error),
            }
        }
        self.page(found, unsettled, next).await
    }

    /// What objects are now, of which some are known to be removed.
    async fn documents(&self, changes: IndexMap<SmolStr, Option<&str>>) -> Result<Documents, ConnectorError> {
        let service = &self.connector.service;
        let mut documents = Documents::default();
        let (mut living, mut in_bin) = (Vec::new(), Vec::new());
        for (id, removed) in changes {
            match removed {
                None => living.push(id.to_string()),
                Some("changed") if self.kind == EntryKind::User => in_bin.push((id.to_string(), true)),
                Some(_) => documents.found.push((id.to_string(), None)),
            }
        }
        let ask = |id: &String| request::one(self.kind, id, &self.request.attributes);
        let asked: Vec<PreparedRequest> = living.iter().map(ask).collect();
        for (id, answer) in living.into_iter().zip(service.batch(&asked).await?) {
            match answer {
                Ok(document) => documents.found.push((id, Some(document))),
                Err(refusal) if refusal.is_missing() && self.kind == EntryKind::User => {
                    in_bin.push((id, false));
                }
                Err(refusal) if refusal.is_missing() => documents.missing.push(id),
                Err(refusal) => return Err(refusal.error),
            }
        }
        let asked: Vec<PreparedRequest> = in_bin.iter().map(|(id, _)| request::binned(id)).collect();
        for ((id, is_removed), answer) in in_bin.into_iter().zip(service.batch(&asked).await?) {
            match answer {
                Ok(document) => documents.found.push((id, Some(document))),
                Err(refusal) if refusal.is_missing() && is_removed => documents.found.push((id, None)),
                Err(refusal) if refusal.is_missing() => documents.missing.push(id),
                Err(refusal) => return Err(refusal.error),
            }
        }
        Ok(documents)
    }

    /// A page of what was found, and of those whom a part of the tenant that lags behind does not know yet.
    async fn page(
        &self,
        found: Vec<(String, Option<Json>)>,
        missing: Vec<String>,
        next: Option<SmolStr>,
    ) -> Result<Page, ConnectorError> {
        let read: Vec<Result<Incoming, Anchor>> = stream::iter(found)
            .map(|(id, document)| self.incoming(id, document))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let mut page = Page { next, ..Page::default() };
        page.unsettled.extend(missing.into_iter().map(Anchor::new));
        for one in read {
            match one {
                Ok(incoming) => page.objects.push(incoming),
                Err(unsettled) => page.unsettled.push(unsettled),
            }
        }
        Ok(page)
    }

    /// An object with its links; only its anchor when nobody knows what they are.
    async fn incoming(
        &self,
        id: String,
        document: Option<Json>,
    ) -> Result<Result<Incoming, Anchor>, ConnectorError> {
        let anchor = Anchor::new(id.as_str());
        let Some(document) = document else {
            return Ok(Ok(Incoming { anchor, object: None, entitlement: None }));
        };
        let linked = self.connector.linked(self.kind, &id, &self.request.attributes).await?;
        let Some(mut linked) = linked else { return Ok(Err(anchor)) };
        if let Some(assigned) = &self.assigned {
            linked.roles = assigned.attribute(&id);
        }
        let object = translate::object(
            self.kind,
            &self.request.object_type,
            &document,
            &self.request.attributes,
            &linked,
            View::Source,
        );
        let entitlement = self.request.application.as_ref().map(|_| match &self.assigned {
            Some(assigned) => assigned.entitlement(&id),
            None => NOT_ASSIGNED,
        });
        Ok(Ok(Incoming { anchor, object, entitlement }))
    }
}

impl EntraConnector {
    /// Links that an object does not tell itself, where they are wanted; `None` when they are not found, although the
    /// object was: it may be gone since, or not be copied everywhere yet. That it has no members does not follow.
    pub(super) async fn linked(
        &self,
        kind: EntryKind,
        id: &str,
        attributes: &[SmolStr],
    ) -> Result<Option<Linked>, ConnectorError> {
        let mut linked = Linked::default();
        for name in attributes {
            if let Place::Link(relation) = names::attribute(name).place
                && kind == EntryKind::Group
                && relation != Relation::Manager
                && !linked.links.iter().any(|(known, _)| *known == relation)
            {
                let ids = match links(&self.service, kind, id, relation).await {
                    Ok(ids) => ids,
                    Err(refusal) if refusal.is_missing() => return Ok(None),
                    Err(refusal) => return Err(refusal.error),
                };
                linked.links.push((relation, ids));
            }
        }
        Ok(Some(linked))
    }

    /// The same of an object that somebody waits for.
    ///
    /// # Errors
    /// They are not found: nobody knows them now.
    pub(super) async fn known_links(
        &self,
        kind: EntryKind,
        id: &str,
        attributes: &[SmolStr],
    ) -> Result<Linked, ConnectorError> {
        self.linked(kind, id, attributes).await?.ok_or_else(|| ConnectorError {
            remedy: Some("try again in a minute: the tenant may still be copying the group"),
            ..ConnectorError::new(
                ConnectorErrorKind::Unreachable,
                "EntryNotFound",
                format!("the group {id} is there, but its members and owners are not found"),
            )
        })
    }
}

fn or_expired(refusal: Refusal) -> ConnectorError {
    if refusal.is_expired() {
        return ConnectorError {
            detail: refusal.error.detail,
            ..expired("Microsoft Graph cannot go on from here any more")
        };
    }
    refusal.error
}

/// Everything must be read again.
fn expired(why: &str) -> ConnectorError {
    ConnectorError::new(
        ConnectorErrorKind::NotFound,
        "InvalidWatermark",
        format!("{why}; everything is read again"),
    )
}
