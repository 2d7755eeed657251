//! The connector: what the engine asks, said to Workday.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use smol_str::SmolStr;
use usher_core::ports::{
    Capabilities, Clock, Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Entitlement,
    GetRequest, Incoming, MatchQuery, Page, PreparedRequest, ReadRequest, SubjectRequest, Watermark, Written,
};
use usher_core::schema::DirectoryDefinition;
use usher_core::{Anchor, DirectoryObject, EntryId, Operation};

use super::CAPABILITIES;
use super::attributes::Attributes;
use super::groups::Groups;
use super::page::Totals;
use super::profile::{Profile, is_wid};
use super::request::{GetWorkers, IdType, Selection, instant};
use super::service::{Service, failure};
use super::settings::{WorkdaySettings, mismatch, rejected};
use super::windows::{Place, Window, ahead_of, expired, moment};
use crate::http::Http;

/// The one object type.
const WORKER: &str = "Worker";

/// A connection to a tenant.
pub(super) struct WorkdayConnector {
    service: Service,
    clock: Arc<dyn Clock>,
    attributes: Attributes,
    groups: Groups,
    warnings: Vec<String>,
}

/// One worker, read.
struct Found {
    profile: Profile,
    object: DirectoryObject,
}

impl WorkdayConnector {
    /// Checks the settings; does not connect.
    pub(super) fn new(
        http: Arc<Http>,
        clock: Arc<dyn Clock>,
        settings: &ConnectorSettings,
    ) -> Result<Self, ConnectorError> {
        let object = settings.directory().and_then(|directory| directory.object(WORKER));
        let attributes = match object {
            Some(object) => Attributes::of_object(object).map_err(|error| rejected(error.told()))?,
            None => Attributes::default(),
        };
        let settings = WorkdaySettings::read(settings)?;
        let mismatch = mismatch(&settings.version, attributes.expressions());
        let warnings: Vec<String> = settings.warnings.iter().cloned().chain(mismatch).collect();
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let groups = Groups::of(attributes.expressions());
        Ok(Self { service: Service::new(http, clock.clone(), settings), clock, attributes, groups, warnings })
    }

    fn request(&self, selection: Selection, at: Timestamp) -> GetWorkers {
        GetWorkers {
            selection,
            as_of_effective: at,
            as_of_entry: at,
            page: 1,
            count: self.service.settings.count,
            groups: self.groups.clone(),
        }
    }

    async fn ask(
        &self,
        request: &GetWorkers,
        wanted: &[SmolStr],
    ) -> Result<(Vec<Found>, Totals), ConnectorError> {
        let mut found = Vec::new();
        let totals = self
            .service
            .ask(request, |parent| {
                let profile = Profile::of(parent).ok_or_else(|| {
                    failure(
                        ConnectorErrorKind::Protocol,
                        "WebExceptionProtocolError",
                        "Workday gave a worker without a WID; give the integration user Get on Worker Data: Public \
                         Worker Reports",
                    )
                })?;
                let attributes = self
                    .attributes
                    .values(parent, wanted, &profile.wid)
                    .map_err(|error| rejected(format!("worker '{}': {error}", profile.worker_id)))?;
                let object = DirectoryObject {
                    object_type: WORKER.into(),
                    anchor: Anchor::new(profile.wid.clone()),
                    attributes,
                };
                found.push(Found { profile, object });
                Ok(())
            })
            .await?;
        if totals.here.is_some_and(|here| here != totals.workers) {
            tracing::warn!(
                said = totals.here,
                had = totals.workers,
                "a page does not hold what it says it holds"
            );
        }
        Ok((found, totals))
    }

    /// The workers with these ids of one type.
    async fn named(
        &self,
        kind: IdType,
        ids: &[SmolStr],
        at: Timestamp,
        wanted: &[SmolStr],
    ) -> Result<Vec<Found>, ConnectorError> {
        self.those(self.by_id(kind, ids, at), wanted).await
    }

    fn by_id(&self, kind: IdType, ids: &[SmolStr], at: Timestamp) -> GetWorkers {
        let workers = ids.iter().map(|id| (kind, id.clone())).collect();
        GetWorkers { count: (ids.len() as u64).max(1), ..self.request(Selection::Workers(workers), at) }
    }

    async fn those(&self, request: GetWorkers, wanted: &[SmolStr]) -> Result<Vec<Found>, ConnectorError> {
        match self.ask(&request, wanted).await {
            Ok((found, _)) => Ok(found),
            // Not every version skips what is not there.
            Err(error) if error.kind == ConnectorErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// A worker as somebody named it: by worker id or WID. Of two profiles with one worker id the active one is meant.
    async fn worker(&self, id: &SmolStr, wanted: &[SmolStr]) -> Result<Option<Found>, ConnectorError> {
        let now = self.clock.now();
        let mut best: Option<Found> = None;
        let kinds: &[IdType] = match is_wid(id) {
            true => &[IdType::Wid, IdType::Employee, IdType::ContingentWorker],
            false => &[IdType::Employee, IdType::ContingentWorker],
        };
        for kind in kinds {
            for found in self.named(*kind, std::slice::from_ref(id), now, wanted).await? {
                let is_better =
                    best.as_ref().is_none_or(|best| best.profile.is_over(now) && !found.profile.is_over(now));
                if is_better {
                    best = Some(found);
                }
            }
            // A WID means one profile, whatever became of it.
            let is_settled =
                best.as_ref().is_some_and(|best| *kind == IdType::Wid || !best.profile.is_over(now));
            if is_settled {
                break;
            }
        }
        match best {
            Some(found) => Ok(Some(self.in_time(found, now, wanted).await?)),
            None => Ok(None),
        }
    }

    /// Somebody who has not begun yet is read as of the first day of work; with the look-ahead, whoever leaves within
    /// a day is read as of then.
    async fn in_time(
        &self,
        found: Found,
        at: Timestamp,
        wanted: &[SmolStr],
    ) -> Result<Found, ConnectorError> {
        let wid = std::slice::from_ref(&found.profile.wid);
        if let Some(hire) = found.profile.future_hire(at) {
            let later = self.named(IdType::Wid, wid, hire, wanted).await?;
            return Ok(later.into_iter().next().unwrap_or(found));
        }
        if self.service.settings.looks_ahead && found.profile.is_active {
            let request = GetWorkers { as_of_effective: ahead_of(at), ..self.by_id(IdType::Wid, wid, at) };
            let ahead = self.those(request, wanted).await?;
            if let Some(ahead) = ahead.into_iter().find(|one| one.profile.is_terminated) {
                return Ok(ahead);
            }
        }
        Ok(found)
    }

    /// Takes away ended profiles of people who have another, active one: employees who were contingent workers and
    /// the other way round. The account belongs to the active profile.
    async fn without_superseded(&self, found: &mut Vec<Found>, at: Timestamp) -> Result<(), ConnectorError> {
        for (was_contingent, other) in [(true, IdType::Employee), (false, IdType::ContingentWorker)] {
            let ids: Vec<SmolStr> = found
                .iter()
                .map(|one| &one.profile)
                .filter(|one| one.is_over(at) && one.is_contingent == was_contingent)
                .map(|one| one.worker_id.clone())
                .filter(|id| !id.is_empty())
                .collect();
            if ids.is_empty() {
                continue;
            }
            let request = GetWorkers { groups: Groups::for_status(), ..self.by_id(other, &ids, at) };
            let twins = self.those(request, &[]).await?;
            found.retain(|one| {
                let is_twin = |twin: &Found| {
                    twin.profile.worker_id == one.profile.worker_id
                        && twin.profile.wid != one.profile.wid
                        && !twin.profile.is_over(at)
                };
                !(one.profile.is_over(at) && twins.iter().any(is_twin))
            });
        }
        Ok(())
    }

    fn page_request(&self, place: &Place) -> GetWorkers {
        let (from, through) = (place.from, place.at);
        let request = |selection| GetWorkers { page: place.page, ..self.request(selection, place.at) };
        match place.window {
            Window::All => GetWorkers { groups: self.groups.with_log(), ..request(Selection::All) },
            Window::Updated => request(Selection::Updated { from, through }),
            Window::Effective => request(Selection::Effective { from, through }),
            Window::Ahead => GetWorkers {
                as_of_effective: ahead_of(through),
                ..request(Selection::Effective { from: through, through: ahead_of(through) })
            },
        }
    }
}

fn read_only() -> ConnectorError {
    failure(
        ConnectorErrorKind::Unsupported,
        "NotImplemented",
        "Workday is a source; nothing is written to it or searched in it",
    )
}

#[async_trait]
impl Connector for WorkdayConnector {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    async fn check(&self, _: &MatchQuery) -> Result<(), ConnectorError> {
        let now = self.clock.now();
        let request = GetWorkers {
            count: 1,
            groups: Groups::for_test(),
            ..self.request(Selection::Nobody { now }, now)
        };
        self.service.ask(&request, |_| Ok(())).await.map(|_| ())
    }

    async fn discover(&self) -> Result<DirectoryDefinition, ConnectorError> {
        Err(failure(
            ConnectorErrorKind::Unsupported,
            "NotImplemented",
            "Workday cannot list its attributes; add attributes with their XPath to the schema",
        ))
    }

    async fn watermark(&self, _: &str) -> Result<Watermark, ConnectorError> {
        Ok(Watermark(instant(self.clock.now()).into()))
    }

    async fn read(&self, request: &ReadRequest) -> Result<Page, ConnectorError> {
        if !request.object_type.eq_ignore_ascii_case(WORKER) {
            return Err(rejected(format!("Workday has workers, but no '{}'", request.object_type)));
        }
        let mut place: Place = match (&request.cursor, &request.since) {
            (Some(cursor), _) => serde_json::from_str(cursor).map_err(|_| expired(cursor))?,
            (None, None) => Place::first_of_all(moment(&request.until)?),
            (None, Some(since)) => Place::first_since(moment(since)?, moment(&request.until)?),
        };
        let page = self.ask(&self.page_request(&place), &request.attributes).await;
        let (mut found, totals) = page.map_err(|mut error| {
            // An unknown worker is no sign of a watermark that has expired.
            if error.kind == ConnectorErrorKind::NotFound {
                error.kind = ConnectorErrorKind::Rejected;
            }
            error
        })?;
        let at = place.at;
        found.retain(|one| !place.has_seen(one.object.anchor.as_str()));
        self.without_superseded(&mut found, at).await?;
        let mut objects = Vec::with_capacity(found.len());
        for one in found {
            let one = match one.profile.future_hire(at) {
                Some(_) => self.in_time(one, at, &request.attributes).await?,
                None => one,
            };
            let anchor = one.object.anchor.clone();
            objects.push(Incoming { anchor, object: Some(one.object), entitlement: None });
        }
        place.note(objects.iter().map(|one: &Incoming| one.anchor.as_str()));
        let settings = &self.service.settings;
        let next = place
            .after(totals, settings.count, settings.looks_ahead)
            .and_then(|place| serde_json::to_string(&place).ok());
        let total = totals.results.filter(|_| place.window == Window::All);
        Ok(Page { objects, next: next.map(Into::into), total, ..Page::default() })
    }

    async fn subject(&self, request: &SubjectRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        Ok(self.worker(&request.id, &request.attributes).await?.map(|found| found.object))
    }

    async fn entitlement(
        &self,
        _: &DirectoryObject,
        _: &EntryId,
    ) -> Result<Option<Entitlement>, ConnectorError> {
        Ok(None)
    }

    async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        let id = SmolStr::from(request.anchor.as_str());
        Ok(self.worker(&id, &request.attributes).await?.map(|found| found.object))
    }

    /// A profile takes the place of another of the same worker id that has ended.
    async fn supersedes(&self, object: &DirectoryObject, other: &Anchor) -> Result<bool, ConnectorError> {
        let now = self.clock.now();
        let ids = [SmolStr::from(object.anchor.as_str()), SmolStr::from(other.as_str())];
        let found = self.named(IdType::Wid, &ids, now, &[]).await?;
        let profile =
            |id: &str| found.iter().map(|one| &one.profile).find(|one| one.wid.eq_ignore_ascii_case(id));
        let Some(own) = profile(object.anchor.as_str()) else { return Ok(false) };
        Ok(profile(other.as_str())
            .is_none_or(|other| own.worker_id == other.worker_id && other.is_over(now) && !own.is_over(now)))
    }

    async fn find(&self, _: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        Err(read_only())
    }

    async fn write(&self, _: &Operation) -> Result<Written, ConnectorError> {
        Err(read_only())
    }

    fn preview(&self, _: &Operation) -> Vec<PreparedRequest> {
        Vec::new()
    }
}
