//! A directory in memory. It obeys the connector suite, as the real ones do, and fails when a test wants it to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;
use usher_core::ports::{
    Capabilities, Clock, Connector, ConnectorError, ConnectorErrorKind, Entitlement, GetRequest, Incoming,
    MatchQuery, Page, PreparedRequest, ReadRequest, SubjectRequest, Watermark, Written,
};
use usher_core::schema::{AttributeDefinition, DirectoryDefinition, ObjectDefinition};
use usher_core::{Anchor, AttributeSet, Change, DirectoryObject, EntryId, Operation, OperationKind};
use usher_expr::Value;

use crate::change::{apply, same};
use crate::interference::{self, Call, Interference, Passed};

/// How the next write fails.
#[derive(Debug)]
pub enum Fault {
    /// Nothing is written.
    Before(ConnectorError),
    /// It is written, but the answer is lost.
    After(ConnectorError),
}

/// A directory in memory: objects of any type, source and target.
#[derive(Default)]
pub struct MemoryConnector {
    capabilities: Capabilities,
    unique: Vec<SmolStr>,
    state: Mutex<State>,
    interference: OnceLock<Arc<dyn Interference>>,
}

#[derive(Default)]
struct State {
    objects: Vec<DirectoryObject>,
    entitlements: BTreeMap<Anchor, Entitlement>,
    made: usize,
    written: Vec<Operation>,
    write_faults: VecDeque<Fault>,
    /// So many writes are let through before faults count.
    writes_to_let_through: usize,
    read_faults: VecDeque<ConnectorError>,
    check_fault: Option<(usize, ConnectorError)>,
    /// Objects that searches do not see yet, with the number of searches until they do.
    unseen: BTreeMap<Anchor, usize>,
    lag: usize,
    /// The newest change of each object.
    changes: BTreeMap<(SmolStr, Anchor), u64>,
    last_change: u64,
    page: usize,
    lag_time: Option<(Arc<dyn Clock>, Duration)>,
    /// When searches see an object that they do not see yet.
    seen_at: BTreeMap<Anchor, Timestamp>,
    repeats: bool,
    /// Objects that reads tell of without giving them, and whether they are found one by one.
    withheld: BTreeMap<Anchor, bool>,
    forgets_cursor: bool,
}

impl MemoryConnector {
    /// An empty directory. No two objects of a type may share a value of an attribute in `unique`.
    pub fn new(unique: &[&str]) -> Self {
        Self {
            capabilities: Capabilities {
                source: true,
                target: true,
                assignments: false,
                unique_values: true,
                discovery: true,
                deltas: true,
                lasting_cursors: true,
            },
            unique: unique.iter().copied().map(SmolStr::from).collect(),
            state: Mutex::default(),
            interference: OnceLock::new(),
        }
    }

    /// The same directory, now one that knows who is assigned to what: nobody, until `entitle` says so.
    pub fn with_assignments(mut self) -> Self {
        self.capabilities.assignments = true;
        self
    }

    /// Puts an object there, in place of the one with this anchor, past every check.
    pub fn put<'a>(
        &self,
        object_type: &str,
        anchor: &str,
        attributes: impl IntoIterator<Item = (&'a str, Value)>,
    ) {
        let object = DirectoryObject {
            object_type: object_type.into(),
            anchor: Anchor::new(anchor),
            attributes: attributes.into_iter().collect(),
        };
        let mut state = self.state();
        state.note(&object.object_type, &object.anchor);
        state.objects.retain(|other| other.anchor != object.anchor);
        state.objects.push(object);
    }

    /// From now on a page of `read` holds at most so many objects.
    pub fn page_size(&self, size: usize) {
        self.state().page = size.max(1);
    }

    /// Takes an object away. Says whether it was there.
    pub fn remove(&self, anchor: &str) -> bool {
        let mut state = self.state();
        let gone = state.objects.iter().find(|object| object.anchor.as_str() == anchor).cloned();
        state.objects.retain(|object| object.anchor.as_str() != anchor);
        if let Some(gone) = &gone {
            state.note(&gone.object_type, &gone.anchor);
        }
        gone.is_some()
    }

    /// Says what an object is entitled to; counts only `with_assignments`.
    pub fn entitle(&self, anchor: &str, is_assigned: bool, has_role: bool) {
        let mut state = self.state();
        state.entitlements.insert(Anchor::new(anchor), Entitlement { is_assigned, has_role });
        let known = state.objects.iter().find(|object| object.anchor.as_str() == anchor).cloned();
        if let Some(object) = known {
            state.note(&object.object_type, &object.anchor);
        }
    }

    /// The object with this anchor.
    pub fn object(&self, anchor: &str) -> Option<DirectoryObject> {
        self.state().objects.iter().find(|object| object.anchor.as_str() == anchor).cloned()
    }

    /// All objects, in the order in which they came.
    pub fn objects(&self) -> Vec<DirectoryObject> {
        self.state().objects.clone()
    }

    /// Every write that took effect, in order.
    pub fn written(&self) -> Vec<Operation> {
        self.state().written.clone()
    }

    /// Lets a write fail: the next one, or the one after those that are to fail already.
    pub fn fail_write(&self, fault: Fault) {
        self.state().write_faults.push_back(fault);
    }

    /// Lets so many writes through, then one fail.
    pub fn fail_write_after(&self, through: usize, fault: Fault) {
        let mut state = self.state();
        state.writes_to_let_through = through;
        state.write_faults.push_back(fault);
    }

    /// Lets a read (check, subject, entitlement, get, find, discover) fail, likewise.
    pub fn fail_read(&self, error: ConnectorError) {
        self.state().read_faults.push_back(error);
    }

    /// Lets a check fail, after this many more that succeed.
    pub fn fail_check_after(&self, through: usize, error: ConnectorError) {
        self.state().check_fault = Some((through, error));
    }

    /// Forgets the faults that have not happened yet.
    pub fn forget_faults(&self) {
        let mut state = self.state();
        state.write_faults.clear();
        state.read_faults.clear();
        state.check_fault = None;
    }

    /// From now on a new object is not found by value until this many searches of its type have missed it.
    pub fn lag_finds(&self, searches: usize) {
        self.state().lag = searches;
    }

    /// The next searches of the object's type miss it.
    pub fn lag_finds_of(&self, anchor: &str, searches: usize) {
        self.state().unseen.insert(Anchor::new(anchor), searches);
    }

    /// From now on a search does not find a new object before this much time has passed on the clock. Reading it by
    /// its anchor does.
    pub fn lag_behind(&self, clock: Arc<dyn Clock>, lag: Duration) {
        self.state().lag_time = Some((clock, lag));
    }

    /// From now on every page repeats an object.
    pub fn repeat_objects(&self) {
        self.state().repeats = true;
    }

    /// Reads tell of an object from now on, but do not give it, as in a directory whose parts lag behind. `is_found`
    /// says whether it is found when somebody asks for it alone.
    pub fn withhold(&self, anchor: &str, is_found: bool) {
        self.state().withheld.insert(Anchor::new(anchor), is_found);
    }

    /// Gives again what was withheld.
    pub fn give(&self, anchor: &str) {
        self.state().withheld.remove(&Anchor::new(anchor));
    }

    /// The next cursor is not known any more, as after a connection broke: reading begins anew.
    pub fn forget_cursor(&self) {
        self.state().forgets_cursor = true;
    }

    /// Lets something happen to calls from now on; only once.
    pub fn interfere(&self, interference: Arc<dyn Interference>) {
        let _ = self.interference.set(interference);
    }

    async fn pass(&self, call: Call) -> Result<Passed, ConnectorError> {
        interference::pass(self.interference.get().map(|one| &**one), call).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readable(&self) -> Result<MutexGuard<'_, State>, ConnectorError> {
        let mut state = self.state();
        match state.read_faults.pop_front() {
            Some(error) => Err(error),
            None => Ok(state),
        }
    }
}

impl MemoryConnector {
    fn written_now(&self, operation: &Operation) -> Result<Written, ConnectorError> {
        let mut state = self.state();
        let fault = match state.writes_to_let_through.checked_sub(1) {
            Some(left) => {
                state.writes_to_let_through = left;
                None
            }
            None => state.write_faults.pop_front(),
        };
        let lost = match fault {
            Some(Fault::Before(error)) => return Err(error),
            Some(Fault::After(error)) => Some(error),
            None => None,
        };
        let anchor = state.carry_out(&self.unique, operation)?;
        match lost {
            Some(error) => Err(error),
            None => Ok(Written::whole(anchor)),
        }
    }
}

impl State {
    fn note(&mut self, object_type: &SmolStr, anchor: &Anchor) {
        self.last_change += 1;
        let number = self.last_change;
        self.changes.insert((object_type.to_lowercase().into(), anchor.clone()), number);
    }

    fn carry_out(&mut self, unique: &[SmolStr], operation: &Operation) -> Result<Anchor, ConnectorError> {
        let place = operation
            .anchor
            .as_ref()
            .and_then(|anchor| self.objects.iter().position(|object| object.anchor == *anchor));
        let anchor = match (operation.kind, &operation.anchor, place) {
            (OperationKind::Create, ..) => {
                let mut attributes = AttributeSet::default();
                apply(&mut attributes, &operation.changes);
                self.check_unique(unique, &operation.object_type, None, &attributes)?;
                self.made += 1;
                let anchor = Anchor::new(format!("m-{}", self.made));
                if self.lag > 0 {
                    self.unseen.insert(anchor.clone(), self.lag);
                }
                if let Some((clock, lag)) = &self.lag_time {
                    let lag = SignedDuration::try_from(*lag).unwrap_or(SignedDuration::MAX);
                    let at = clock.now().checked_add(lag).unwrap_or(Timestamp::MAX);
                    self.seen_at.insert(anchor.clone(), at);
                }
                let object_type = operation.object_type.clone();
                self.objects.push(DirectoryObject { object_type, anchor: anchor.clone(), attributes });
                anchor
            }
            (OperationKind::Update, Some(anchor), Some(place)) => {
                let mut attributes = self.objects[place].attributes.clone();
                apply(&mut attributes, &operation.changes);
                self.check_unique(unique, &operation.object_type, Some(anchor), &attributes)?;
                self.objects[place].attributes = attributes;
                anchor.clone()
            }
            (OperationKind::Delete, Some(anchor), place) => {
                if let Some(place) = place {
                    self.objects.remove(place);
                }
                anchor.clone()
            }
            (_, Some(anchor), _) => {
                return Err(ConnectorError::new(
                    ConnectorErrorKind::NotFound,
                    "InvalidAnchor",
                    format!("there is no object '{anchor}'"),
                ));
            }
            (_, None, _) => {
                return Err(ConnectorError::new(
                    ConnectorErrorKind::Rejected,
                    "InvalidAnchor",
                    "the operation does not say which object it means",
                ));
            }
        };
        self.note(&operation.object_type, &anchor);
        self.written.push(operation.clone());
        Ok(anchor)
    }

    fn check_unique(
        &self,
        unique: &[SmolStr],
        object_type: &str,
        own: Option<&Anchor>,
        attributes: &AttributeSet,
    ) -> Result<(), ConnectorError> {
        for name in unique {
            let Some(value) = attributes.value(name) else { continue };
            let is_taken = self.objects.iter().any(|other| {
                Some(&other.anchor) != own
                    && other.object_type.eq_ignore_ascii_case(object_type)
                    && other.attributes.value(name).is_some_and(|taken| same(taken, value))
            });
            if is_taken {
                let mut error = ConnectorError::new(
                    ConnectorErrorKind::AlreadyExists,
                    "EntryConflict",
                    format!("another {object_type} has the same {name}"),
                );
                error.attribute = Some(name.clone());
                return Err(error);
            }
        }
        Ok(())
    }
}

/// The object with the attributes that are wanted and no others.
fn narrowed(object: &DirectoryObject, object_type: &SmolStr, wanted: &[SmolStr]) -> DirectoryObject {
    let value = |name: &SmolStr| object.attributes.value(name).map(|value| (name.clone(), value.clone()));
    DirectoryObject {
        object_type: object_type.clone(),
        anchor: object.anchor.clone(),
        attributes: wanted.iter().filter_map(value).collect(),
    }
}

fn find_object<'a>(state: &'a State, object_type: &str, anchor: &str) -> Option<&'a DirectoryObject> {
    state.objects.iter().find(|object| {
        object.anchor.as_str() == anchor && object.object_type.eq_ignore_ascii_case(object_type)
    })
}

#[async_trait]
impl Connector for MemoryConnector {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn check(&self, _: &MatchQuery) -> Result<(), ConnectorError> {
        self.pass(Call::Check).await?.end(()).await?;
        let mut state = self.readable()?;
        match state.check_fault.take() {
            Some((0, error)) => Err(error),
            Some((through, error)) => {
                state.check_fault = Some((through - 1, error));
                Ok(())
            }
            None => Ok(()),
        }
    }

    async fn discover(&self) -> Result<DirectoryDefinition, ConnectorError> {
        let state = self.readable()?;
        let mut directory =
            DirectoryDefinition { name: "Memory".to_owned(), ..DirectoryDefinition::default() };
        for object in &state.objects {
            let place =
                match directory.objects.iter().position(|known| known.name == object.object_type.as_str()) {
                    Some(place) => place,
                    None => {
                        directory.objects.push(ObjectDefinition {
                            name: object.object_type.to_string(),
                            ..ObjectDefinition::default()
                        });
                        directory.objects.len() - 1
                    }
                };
            let definition = &mut directory.objects[place];
            for (name, _) in object.attributes.iter() {
                if definition.attribute(name).is_none() {
                    definition.attributes.push(AttributeDefinition {
                        name: name.to_string(),
                        ..AttributeDefinition::default()
                    });
                }
            }
        }
        Ok(directory)
    }

    async fn watermark(&self, _: &str) -> Result<Watermark, ConnectorError> {
        self.pass(Call::Watermark).await?.end(()).await?;
        Ok(Watermark(self.readable()?.last_change.to_string().into()))
    }

    async fn read(&self, request: &ReadRequest) -> Result<Page, ConnectorError> {
        self.pass(Call::Read).await?.end(()).await?;
        let mut state = self.readable()?;
        let is_anew = request.cursor.is_some() && std::mem::take(&mut state.forgets_cursor);
        let object_type = request.object_type.to_lowercase();
        let of_type = |object: &&DirectoryObject| object.object_type.to_lowercase() == object_type;
        let size = if state.page == 0 { 500 } else { state.page };
        let incoming = |anchor: &Anchor| {
            let object = find_object(&state, &request.object_type, anchor.as_str());
            let entitlement = self.capabilities.assignments.then(|| {
                let known = state.entitlements.get(anchor).cloned();
                known.unwrap_or(Entitlement { is_assigned: false, has_role: false })
            });
            Incoming {
                anchor: anchor.clone(),
                object: object.map(|object| narrowed(object, &request.object_type, &request.attributes)),
                entitlement,
            }
        };
        // The cursor is the last key of the page before: an anchor, or the number of a change.
        let mut keys: Vec<(String, Anchor)> = match &request.since {
            None => state
                .objects
                .iter()
                .filter(of_type)
                .map(|object| (object.anchor.to_string(), object.anchor.clone()))
                .collect(),
            Some(Watermark(since)) => {
                let number = |text: &str| text.parse::<u64>().unwrap_or(0);
                let (since, until) = (number(since), number(&request.until.0));
                state
                    .changes
                    .iter()
                    .filter(|((kind, _), number)| {
                        *kind == object_type.as_str() && **number > since && **number <= until
                    })
                    .map(|((_, anchor), number)| (format!("{number:020}"), anchor.clone()))
                    .collect()
            }
        };
        keys.sort();
        if let Some(cursor) = request.cursor.as_ref().filter(|_| !is_anew) {
            keys.retain(|(key, _)| key.as_str() > cursor.as_str());
        }
        let next = (keys.len() > size).then(|| SmolStr::from(keys[size - 1].0.as_str()));
        keys.truncate(size);
        let total = request.since.is_none().then(|| state.objects.iter().filter(of_type).count() as u64);
        let (unsettled, told): (Vec<Anchor>, Vec<Anchor>) = keys
            .into_iter()
            .map(|(_, anchor)| anchor)
            .partition(|anchor| state.withheld.contains_key(anchor));
        let mut objects: Vec<Incoming> = told.iter().map(incoming).collect();
        if state.repeats {
            objects.extend(objects.first().cloned());
        }
        Ok(Page { objects, next, total, unsettled, is_anew })
    }

    async fn subject(&self, request: &SubjectRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        self.pass(Call::Subject).await?.end(()).await?;
        let state = self.readable()?;
        let object = find_object(&state, &request.object_type, &request.id);
        let object = object.filter(|object| state.withheld.get(&object.anchor) != Some(&false));
        Ok(object.map(|object| narrowed(object, &request.object_type, &request.attributes)))
    }

    async fn entitlement(
        &self,
        object: &DirectoryObject,
        _: &EntryId,
    ) -> Result<Option<Entitlement>, ConnectorError> {
        let state = self.readable()?;
        if !self.capabilities.assignments {
            return Ok(None);
        }
        let known = state.entitlements.get(&object.anchor).cloned();
        Ok(Some(known.unwrap_or(Entitlement { is_assigned: false, has_role: false })))
    }

    async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        self.pass(Call::Get).await?.end(()).await?;
        let state = self.readable()?;
        let object = find_object(&state, &request.object_type, request.anchor.as_str());
        Ok(object.map(|object| narrowed(object, &request.object_type, &request.attributes)))
    }

    async fn find(&self, query: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        self.pass(Call::Find).await?.end(()).await?;
        let mut state = self.readable()?;
        let state = &mut *state;
        if let Some((clock, _)) = &state.lag_time {
            let now = clock.now();
            state.seen_at.retain(|_, at| *at > now);
        }
        let (unseen, seen_at) = (&state.unseen, &state.seen_at);
        let found = state
            .objects
            .iter()
            .filter(|object| object.object_type.eq_ignore_ascii_case(&query.object_type))
            .filter(|object| !unseen.contains_key(&object.anchor) && !seen_at.contains_key(&object.anchor))
            .filter(|object| {
                object
                    .attributes
                    .value(&query.attribute)
                    .is_some_and(|value| value.values().iter().any(|one| same(one, query.value.single())))
            })
            .map(|object| narrowed(object, &query.object_type, &query.attributes))
            .collect();
        let objects = &state.objects;
        state.unseen.retain(|anchor, searches| {
            if find_type(objects, anchor).is_some_and(|kind| kind.eq_ignore_ascii_case(&query.object_type)) {
                *searches -= 1;
            }
            *searches > 0
        });
        Ok(found)
    }

    async fn write(&self, operation: &Operation) -> Result<Written, ConnectorError> {
        let call = match operation.kind {
            OperationKind::Create => Call::Create,
            OperationKind::Update => Call::Update,
            OperationKind::Delete => Call::Delete,
        };
        let passed = self.pass(call).await?;
        let written = self.written_now(operation)?;
        passed.end(written).await
    }

    fn preview(&self, operation: &Operation) -> Vec<PreparedRequest> {
        let method = match operation.kind {
            OperationKind::Create => "CREATE",
            OperationKind::Update => "UPDATE",
            OperationKind::Delete => "DELETE",
        };
        let path = match &operation.anchor {
            Some(anchor) => format!("/{}/{anchor}", operation.object_type),
            None => format!("/{}", operation.object_type),
        };
        let body: Map<String, Json> = operation
            .changes
            .iter()
            .map(|change| {
                let (verb, values) = match &change.change {
                    Change::Add(values) => ("add", values),
                    Change::Replace(values) => ("replace", values),
                    Change::Remove(values) => ("remove", values),
                };
                let values: Vec<Json> = values.iter().map(Value::to_json).collect();
                (format!("{verb} {}", change.attribute), Json::from(values))
            })
            .collect();
        let body = (operation.kind != OperationKind::Delete).then_some(Json::Object(body));
        vec![PreparedRequest { method: method.into(), path, body }]
    }
}

fn find_type<'a>(objects: &'a [DirectoryObject], anchor: &Anchor) -> Option<&'a SmolStr> {
    objects.iter().find(|object| object.anchor == *anchor).map(|object| &object.object_type)
}
