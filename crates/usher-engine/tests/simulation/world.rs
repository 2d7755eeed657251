//! A small world: people and groups that change, a job that follows them, and what must be true whatever happens.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use usher_core::ports::{Clock, Store};
use usher_core::{
    Change, DirectoryObject, Entry, EntryId, EntryKind, Initiator, JobId, OperationKind, ResetScope, RuleId,
};
use usher_engine::cases::CaseError;
use usher_engine::{Engine, LinkedObjects, OnDemandRequest, Parameters, Settings, Subject};
use usher_expr::Value;
use usher_testkit::{ManualClock, MemoryConnector, MemoryConnectors, MemoryStore, suites};

use super::weather::Weather;

const ACCOUNT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const RULE: &str = "9c5e7a10-52a4-4a0e-8d5b-2b8a6c3f1d01";
const INTERVAL: Duration = Duration::from_secs(40 * 60);
/// Searches of the target never lag behind longer than this.
const LAG: Duration = Duration::from_secs(100);
/// How many accounts a cycle may disable and delete.
const THRESHOLD: usize = 2;
/// How many runs without faults suffice for everything to settle.
const SETTLING: usize = 12;

/// A person as the source should have them.
#[derive(Clone, Debug)]
struct Person {
    name: String,
    title: String,
    is_enabled: bool,
    is_on_leave: bool,
    is_assigned: bool,
    manager: Option<usize>,
}

/// A group as the source should have it.
#[derive(Clone, Debug)]
struct Team {
    members: BTreeSet<usize>,
    is_assigned: bool,
}

/// Everything.
pub struct World {
    dice: ChaCha8Rng,
    pub weather: Arc<Weather>,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    source: Arc<MemoryConnector>,
    target: Arc<MemoryConnector>,
    engine: Engine,
    application: EntryId,
    job: JobId,
    people: BTreeMap<usize, Person>,
    teams: BTreeMap<usize, Team>,
    born: usize,
    /// Accounts disabled or deleted, by cycle; those of cycles that were forced do not count.
    deprovisioned: BTreeMap<String, BTreeSet<String>>,
    is_guarded: bool,
    /// A mapping of its own switches off who is on leave.
    maps_leave: bool,
    is_forced: bool,
    /// What happened, for whoever looks into a failing seed.
    pub story: Vec<String>,
}

impl World {
    /// The world of a seed.
    pub async fn new(seed: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let weather = Arc::new(Weather::new(dice.random()));
        let (store, clock) = (Arc::new(MemoryStore::default()), Arc::new(ManualClock::default()));
        let source = Arc::new(MemoryConnector::new(&[]).with_assignments());
        // Some targets refuse a second account of one name, others take it: those show best what we do ourselves.
        let unique: &[&str] = if dice.random() { &["userName"] } else { &[] };
        let target = Arc::new(MemoryConnector::new(unique));
        source.page_size(dice.random_range(1..5));
        if dice.random() {
            source.repeat_objects();
        }
        if dice.random() {
            target.lag_behind(clock.clone(), LAG);
        }
        let application = EntryId::new("sp");
        let properties = serde_json::json!({ "appId": "app", "displayName": "HR Portal" });
        let entry: Entry = suites::store::entry(EntryKind::ServicePrincipal, "sp", properties);
        store.put_entry(&entry).await.expect("the store takes it");
        let engine = engine(&store, &clock, &source, &target);
        let job = engine.create_job(&application, "scim").await.expect("the job is made").id;
        let is_guarded = dice.random();
        if is_guarded {
            let settings = [("QuarantineTooManyDeletesThreshold".to_owned(), THRESHOLD.to_string())];
            engine.update_job(&application, &job, None, &settings).await.expect("it is set");
        }
        let maps_leave = dice.random();
        if maps_leave {
            map_leave(&engine, &application, &job).await;
        }
        engine.start_job(&application, &job).await.expect("it starts");
        // Nothing interferes with the setting up.
        store.interfere(weather.clone());
        source.interfere(weather.clone());
        target.interfere(weather.clone());
        let mut world = Self {
            dice,
            weather,
            store,
            clock,
            source,
            target,
            engine,
            application,
            job,
            people: BTreeMap::new(),
            teams: BTreeMap::new(),
            born: 0,
            deprovisioned: BTreeMap::new(),
            is_guarded,
            maps_leave,
            is_forced: false,
            story: Vec::new(),
        };
        for _ in 0..world.dice.random_range(1..6) {
            world.hire();
        }
        for _ in 0..world.dice.random_range(0..3) {
            world.found();
        }
        world
    }

    /// Lives through a story drawn from the seed, in rough weather.
    pub async fn live(&mut self) -> Result<(), String> {
        let is_deadly = self.dice.random();
        self.weather.turns(true, is_deadly);
        for _ in 0..self.dice.random_range(2..5) {
            for _ in 0..self.dice.random_range(0..4) {
                self.change();
            }
            if self.dice.random_ratio(1, 8) {
                self.on_demand().await;
            }
            if self.dice.random_ratio(1, 8) {
                self.restart().await?;
            }
            if self.dice.random_ratio(1, 10) {
                self.replace_schema().await;
            }
            let is_paused = self.dice.random_ratio(1, 10);
            if is_paused {
                let paused = self.engine.pause_job(&self.application, &self.job);
                let paused = unless_it_dies(&self.weather, paused).await;
                self.tell_of("pause", paused);
            }
            self.run().await?;
            if is_paused {
                // The weather may spoil the test of the connection: start is asked again when it is fair.
                let started = self.engine.start_job(&self.application, &self.job);
                let started = unless_it_dies(&self.weather, started).await;
                self.tell_of("start", started);
            }
            let minutes = if self.dice.random_ratio(1, 3) { 0 } else { self.dice.random_range(1..60) };
            self.clock.advance(Duration::from_secs(60 * minutes));
        }
        self.settle().await
    }

    /// A fixed story for cuts: everybody comes, much changes, some leave. Dies at one call, and goes on.
    pub async fn live_with_cut(&mut self, cut: Option<(usize, bool)>) -> Result<(), String> {
        if let Some((call, after)) = cut {
            self.weather.cut_at(call, after);
        }
        self.run().await?;
        for _ in 0..5 {
            self.change();
        }
        self.clock.advance(INTERVAL);
        self.run().await?;
        for _ in 0..3 {
            self.change();
        }
        self.clock.advance(INTERVAL);
        self.run().await?;
        self.settle().await
    }

    fn tell(&mut self, what: String) {
        self.story.push(what);
    }

    fn hire(&mut self) {
        let id = self.born;
        self.born += 1;
        let others: Vec<usize> = self.people.keys().copied().collect();
        let manager = (!others.is_empty() && self.dice.random())
            .then(|| others[self.dice.random_range(0..others.len())]);
        let person = Person {
            name: format!("p{id}"),
            title: String::new(),
            is_enabled: true,
            is_on_leave: false,
            is_assigned: self.dice.random_ratio(4, 5),
            manager,
        };
        self.tell(format!("hire {id}: {person:?}"));
        self.people.insert(id, person);
        self.put(id);
    }

    fn found(&mut self) {
        let id = self.born;
        self.born += 1;
        let members = self.people.keys().copied().filter(|_| self.dice.random()).collect();
        let team = Team { members, is_assigned: true };
        self.tell(format!("found {id}: {team:?}"));
        self.teams.insert(id, team);
        self.put_team(id);
    }

    /// One change in the source.
    fn change(&mut self) {
        let ids: Vec<usize> = self.people.keys().copied().collect();
        let Some(id) = ids.get(self.dice.random_range(0..ids.len().max(1))).copied() else {
            return self.hire();
        };
        let other = ids[self.dice.random_range(0..ids.len())];
        let serial = self.story.len();
        let teams: Vec<usize> = self.teams.keys().copied().collect();
        let person = self.people.get_mut(&id).expect("the id is one of theirs");
        match self.dice.random_range(0..13) {
            0 => return self.hire(),
            1 => person.title = format!("t{serial}"),
            2 => person.name = format!("p{id}-{serial}"),
            3 | 4 => person.is_assigned = !person.is_assigned,
            5 => person.is_enabled = !person.is_enabled,
            9 => person.is_on_leave = !person.is_on_leave,
            6 => person.manager = Some(other).filter(|other| *other != id),
            7 => {
                self.people.remove(&id);
                self.tell(format!("remove {id}"));
                self.source.remove(&anchor(id));
                for (team, one) in &mut self.teams {
                    if one.members.remove(&id) {
                        put_team(&self.source, *team, one);
                    }
                }
                let reports: Vec<usize> = self
                    .people
                    .iter_mut()
                    .filter(|(_, person)| person.manager == Some(id))
                    .map(|(id, person)| {
                        person.manager = None;
                        *id
                    })
                    .collect();
                for report in reports {
                    self.put(report);
                }
                return;
            }
            8 => return self.found(),
            _ => {
                let Some(team) = teams.get(self.dice.random_range(0..teams.len().max(1))).copied() else {
                    return self.found();
                };
                let one = self.teams.get_mut(&team).expect("the id is one of theirs");
                match self.dice.random_range(0..4) {
                    0 => one.is_assigned = !one.is_assigned,
                    _ => {
                        if !one.members.remove(&other) {
                            one.members.insert(other);
                        }
                    }
                }
                let told = format!("team {team}: {one:?}");
                self.tell(told);
                return self.put_team(team);
            }
        }
        let told = format!("person {id}: {person:?}");
        self.tell(told);
        self.put(id);
    }

    fn put(&self, id: usize) {
        let person = &self.people[&id];
        let upn = format!("{}@x", person.name);
        let anchor = anchor(id);
        let mut attributes = vec![
            ("userPrincipalName", Value::from(upn.as_str())),
            ("displayName", Value::from(person.name.as_str())),
            ("mailNickname", Value::from(anchor.as_str())),
            ("accountEnabled", Value::from(person.is_enabled)),
        ];
        if !person.title.is_empty() {
            attributes.push(("jobTitle", Value::from(person.title.as_str())));
        }
        if person.is_on_leave {
            attributes.push(("employeeType", Value::from("leave")));
        }
        if let Some(manager) = person.manager {
            attributes.push(("manager", Value::Reference(super::world::anchor(manager).as_str().into())));
        }
        self.source.put("User", &anchor, attributes);
        self.source.entitle(&anchor, person.is_assigned, person.is_assigned);
    }

    fn put_team(&self, id: usize) {
        put_team(&self.source, id, &self.teams[&id]);
    }

    async fn on_demand(&mut self) {
        let ids: Vec<usize> = self.people.keys().copied().collect();
        let Some(id) = ids.get(self.dice.random_range(0..ids.len().max(1))).copied() else { return };
        self.tell(format!("on demand {id}"));
        let subject = Subject {
            object_id: anchor(id),
            object_type: "User".to_owned(),
            links: LinkedObjects::default(),
        };
        let request = OnDemandRequest {
            job: self.job.clone(),
            parameters: vec![Parameters { rule: RuleId::new(RULE), subjects: vec![subject] }],
            dry_run: false,
            initiated_by: Initiator {
                id: String::new(),
                display_name: "test".to_owned(),
                initiator_type: "system".to_owned(),
            },
        };
        let weather = self.weather.clone();
        let died = tokio::select! {
            biased;
            _ = self.engine.provision_on_demand(&self.application, request) => false,
            () = weather.death.notified() => true,
        };
        if died {
            self.reboot();
        }
    }

    async fn restart(&mut self) -> Result<(), String> {
        // Not ConnectorDataStore: who forgets the pairs of renamed people gets second accounts, by request. Not Escrows
        // alone: who forgets the failures without reading everything again leaves them out, by request.
        let scopes = [
            "Watermark",
            "QuarantineState",
            "Watermark, Escrows",
            "Watermark, QuarantineState",
            "Watermark, Escrows, QuarantineState",
            "None",
            "",
        ];
        let scope = scopes[self.dice.random_range(0..scopes.len())];
        self.tell(format!("restart {scope}"));
        let scope = ResetScope::parse(scope).map_err(|flag| format!("{flag} is no flag"))?;
        let restarted = self.engine.restart_job(&self.application, &self.job, scope);
        let restarted = unless_it_dies(&self.weather, restarted).await;
        self.tell_of("restart", restarted);
        Ok(())
    }

    /// Puts the schema back as it is: everybody comes up again under a new version of it.
    async fn replace_schema(&mut self) {
        let schema = self.engine.schema(&self.application, &self.job);
        let schema = match unless_it_dies(&self.weather, schema).await {
            Some(Ok(schema)) => schema,
            other => {
                self.tell_of("read the schema", other);
                return;
            }
        };
        let document = schema.to_json().to_string();
        let replaced = self.engine.replace_schema(&self.application, &self.job, document.as_bytes());
        let replaced = unless_it_dies(&self.weather, replaced).await;
        self.tell_of("replace the schema", replaced);
    }

    /// What came of an administrator's command; none when the process died of it.
    fn tell_of<T>(&mut self, command: &str, outcome: Option<Result<T, CaseError>>) {
        match outcome {
            Some(Ok(_)) => self.tell(command.to_owned()),
            Some(Err(error)) => self.tell(format!("{command}: {error}")),
            None => {
                self.tell(format!("{command}: the process dies"));
                self.reboot();
            }
        }
    }

    fn reboot(&mut self) {
        self.tell("the process died".to_owned());
        self.weather.revive();
        self.engine = engine(&self.store, &self.clock, &self.source, &self.target);
    }

    /// One run of the job, however it ends; then what must always be true.
    async fn run(&mut self) -> Result<(), String> {
        let written = self.target.written().len();
        let weather = self.weather.clone();
        let outcome = tokio::select! {
            biased;
            outcome = self.engine.run_job(&self.job) => Some(outcome),
            () = weather.death.notified() => None,
        };
        match outcome {
            None => self.reboot(),
            Some(Ok(state)) => {
                let how = state.last_execution.as_ref().map(|one| format!("{:?} {:?}", one.kind, one.state));
                self.tell(format!("run: {how:?} {:?}", state.quarantine.as_ref().map(|one| one.reason)));
            }
            Some(Err(error)) => self.tell(format!("run: {error}")),
        }
        let state = self.store.job_state(&self.job).await.expect("reads do not fail").unwrap_or_default();
        let cycle = match (&state.cycle, &state.last_execution) {
            (Some(cycle), _) => cycle.id.to_string(),
            (None, Some(execution)) => execution.id.to_string(),
            (None, None) => String::new(),
        };
        let forced = state.cycle.as_ref().is_some_and(|cycle| cycle.forces_deletes) || self.is_forced;
        for operation in &self.target.written()[written..] {
            let switches_off = operation.changes.iter().any(|change| {
                let values = match &change.change {
                    Change::Add(values) | Change::Replace(values) => values.as_slice(),
                    Change::Remove(_) => &[],
                };
                change.attribute == "active" && values.iter().any(|value| value.to_text() == "False")
            });
            if operation.kind == OperationKind::Delete
                || (operation.kind == OperationKind::Update && switches_off)
            {
                let anchor = operation.anchor.as_ref().map(ToString::to_string).unwrap_or_default();
                if !forced {
                    self.deprovisioned.entry(cycle.clone()).or_default().insert(anchor);
                }
            }
        }
        self.check_always()
    }

    fn accounts(&self) -> Vec<DirectoryObject> {
        self.target.objects().into_iter().filter(|object| object.object_type == ACCOUNT).collect()
    }

    fn groups(&self) -> Vec<DirectoryObject> {
        self.target.objects().into_iter().filter(|object| object.object_type != ACCOUNT).collect()
    }

    /// Fair weather, until nothing is left to do; then the target must be what the source says.
    async fn settle(&mut self) -> Result<(), String> {
        self.weather.turns(false, false);
        self.tell("fair weather".to_owned());
        if self.people.is_empty() {
            // A source without anybody is taken for a mistake: nobody is disabled for it.
            self.hire();
        }
        // A cycle from rough times ends with an older watermark: only one that began since then tells.
        let since = self.clock.now();
        for _ in 0..SETTLING {
            self.clock.advance(Duration::from_secs(25 * 3600));
            self.engine.start_job(&self.application, &self.job).await.map_err(|error| error.to_string())?;
            self.run().await?;
            if self.store.count_held(&self.job).await.expect("reads do not fail") > 0 {
                self.is_forced = true;
                self.engine
                    .restart_job(&self.application, &self.job, ResetScope::FORCE_DELETES)
                    .await
                    .map_err(|error| error.to_string())?;
                self.run().await?;
            }
            let state = self.store.job_state(&self.job).await.expect("reads do not fail").unwrap_or_default();
            let rests = state.last_execution.is_some_and(|one| {
                one.began_at > since && one.counts.imported == 0 && one.counts.failed == 0
            });
            if rests && state.cycle.is_none() && self.store.escrows().is_empty() {
                return self.check_settled();
            }
        }
        Err(format!("it does not come to rest; escrows: {:?}", self.store.escrows()))
    }
}

fn engine(
    store: &Arc<MemoryStore>,
    clock: &Arc<ManualClock>,
    source: &Arc<MemoryConnector>,
    target: &Arc<MemoryConnector>,
) -> Engine {
    let connectors =
        MemoryConnectors::default().with("directory", source.clone()).with("scim", target.clone());
    let clock: Arc<dyn Clock> = clock.clone();
    Engine::new(store.clone(), Arc::new(connectors), clock, Settings::new("tenant"))
}

/// The anchor of a person or group; sorts like its number.
fn anchor(id: usize) -> String {
    format!("o{id:03}")
}

fn put_team(source: &MemoryConnector, id: usize, team: &Team) {
    let anchor = anchor(id);
    let members = team.members.iter().map(|member| Value::Reference(self::anchor(*member).as_str().into()));
    let mut attributes =
        vec![("displayName", Value::from(anchor.as_str())), ("objectId", Value::from(anchor.as_str()))];
    if !team.members.is_empty() {
        attributes.push(("members", Value::list(members)));
    }
    source.put("Group", &anchor, attributes);
    source.entitle(&anchor, team.is_assigned, team.is_assigned);
}

fn text(object: &DirectoryObject, attribute: &str) -> String {
    object.attributes.value(attribute).map(|value| value.to_text().to_string()).unwrap_or_default()
}

/// What a call gives; none when the process dies of it.
async fn unless_it_dies<T>(weather: &Weather, call: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        outcome = call => Some(outcome),
        () = weather.death.notified() => None,
    }
}

/// Lets a mapping switch off who is on leave, besides those who left.
async fn map_leave(engine: &Engine, application: &EntryId, job: &JobId) {
    let schema = engine.schema(application, job).await.expect("it reads");
    let mut document = schema.to_json();
    let mappings = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
        .as_array_mut()
        .expect("there are mappings");
    let switch =
        mappings.iter_mut().find(|one| one["targetAttributeName"] == "active").expect("it is mapped");
    let expression = "IIF([employeeType]=\"leave\", \"False\", Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\"))";
    switch["source"] =
        serde_json::json!({ "type": "Function", "name": "IIF", "expression": expression, "parameters": [] });
    let document = document.to_string();
    engine.replace_schema(application, job, document.as_bytes()).await.expect("it is taken");
}
