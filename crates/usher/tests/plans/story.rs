//! What happens to people and groups, and a job between them and a target.

use std::sync::Arc;

use async_trait::async_trait;
use proptest::collection::vec;
use proptest::prelude::*;
use usher_core::ports::{Connector, ConnectorError, ConnectorSettings, Connectors, Store};
use usher_core::saved::SavedPlan;
use usher_core::saved::applied::Applied;
use usher_core::{
    Anchor, AttributeChange, Change, EntryId, EntryKind, Initiator, JobId, Operation, OperationKind, Secret,
};
use usher_engine::{Engine, PlanRequest, Settings};
use usher_expr::Value;
use usher_testkit::suites::plans::PlanSite;
use usher_testkit::wire::Sent;
use usher_testkit::{ManualClock, MemoryConnector, MemoryStore, suites};

use crate::target::Target;

/// How many people there can be.
const PEOPLE: usize = 5;

/// What happens between two plans.
pub type Round = Vec<Step>;

/// Something happens in the source.
#[derive(Clone, Debug)]
pub enum Step {
    /// Somebody comes, or is called otherwise.
    Name(usize, String),
    /// Somebody gets another title, or none.
    Title(usize, Option<String>),
    /// Somebody gets another department, or none.
    Department(usize, Option<String>),
    /// Somebody moves, where places are kept in containers.
    Move(usize, bool),
    /// Somebody gets a manager from those before, or none.
    Manager(usize, Option<usize>),
    /// Somebody is assigned, or no more.
    Assign(usize, bool),
    /// Somebody leaves.
    Leave(usize),
    /// A group has these members.
    Members(usize, Vec<usize>),
    /// A group is gone.
    Dissolve(usize),
}

/// Rounds of steps; what fails is made shorter.
pub fn rounds() -> impl Strategy<Value = Vec<Round>> {
    vec(vec(step(), 1..6), 1..4)
}

/// Characters that names, filters, addresses, LDIF and JSON have a meaning for.
fn odd() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9äÖß中😀 ,+\"\\\\<>;=#/*()'&@.:%?\\[\\]{}$^|~`_-]{0,14}"
}

fn text() -> impl Strategy<Value = Option<String>> {
    let some = odd().prop_map(|text| match text.trim() {
        "" => "Clerk".to_owned(),
        text => text.to_owned(),
    });
    prop_oneof![1 => Just(None), 4 => some.prop_map(Some)]
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE;
    prop_oneof![
        4 => (who.clone(), odd()).prop_map(|(who, name)| Step::Name(who, name)),
        3 => (who.clone(), text()).prop_map(|(who, title)| Step::Title(who, title)),
        2 => (who.clone(), text()).prop_map(|(who, name)| Step::Department(who, name)),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, is_east)| Step::Move(who, is_east)),
        2 => (who.clone(), proptest::option::of(0..PEOPLE)).prop_map(|(who, boss)| Step::Manager(who, boss)),
        2 => (who.clone(), any::<bool>()).prop_map(|(who, is_assigned)| Step::Assign(who, is_assigned)),
        1 => who.clone().prop_map(Step::Leave),
        2 => (0..2_usize, vec(who, 0..4)).prop_map(|(group, members)| Step::Members(group, members)),
        1 => (0..2_usize).prop_map(Step::Dissolve),
    ]
}

#[derive(Clone, Debug, Default)]
struct Person {
    name: String,
    title: Option<String>,
    department: Option<String>,
    is_east: bool,
    manager: Option<usize>,
    is_assigned: bool,
}

/// A job from a source in memory to a target.
pub struct Stage<'t> {
    target: &'t Target,
    outside: Arc<dyn Connector>,
    engine: Engine,
    source: Arc<MemoryConnector>,
    application: EntryId,
    job: JobId,
    number: usize,
    people: [Option<Person>; PEOPLE],
    groups: [Option<Vec<usize>>; 2],
}

/// The source in memory, and the target in place of the one that the template names.
struct Routed {
    source: Arc<MemoryConnector>,
    target: Arc<dyn Connectors>,
    kind: &'static str,
    settings: Vec<(String, String)>,
}

impl Connectors for Routed {
    fn build(&self, kind: &str, settings: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
        if kind == "directory" {
            return Ok(self.source.clone());
        }
        let mut settings = settings.clone();
        for (key, value) in &self.settings {
            settings.set(key.as_str(), Secret::new(value.as_str()));
        }
        self.target.build(self.kind, &settings)
    }

    fn reads(&self, _: &str) -> bool {
        false
    }
}

impl<'t> Stage<'t> {
    pub async fn new(target: &'t Target, number: usize) -> Self {
        let store = Arc::new(MemoryStore::default());
        let clock = Arc::new(ManualClock::default());
        let source = Arc::new(MemoryConnector::new(&[]).with_assignments());
        let connectors = Routed {
            source: source.clone(),
            target: target.connectors.clone(),
            kind: target.kind,
            settings: target.settings.clone(),
        };
        let outside = Routed { settings: target.outside.clone(), ..connectors_of(&connectors) }
            .build("scim", &ConnectorSettings::default())
            .expect("the settings are good");
        let engine = Engine::new(store.clone(), Arc::new(connectors), clock, Settings::new("tenant"));
        let properties = serde_json::json!({ "appId": "app", "displayName": "Target" });
        let entry = suites::store::entry(EntryKind::ServicePrincipal, "sp", properties);
        store.put_entry(&entry).await.expect("the store takes it");
        let job = engine.create_job(&entry.id, "scim").await.expect("the job is made").id;
        let schema = engine.schema(&entry.id, &job).await.expect("it has one").to_json();
        let document = target.schema(schema).to_string();
        engine.replace_schema(&entry.id, &job, document.as_bytes()).await.expect("the schema is good");
        let mut stage = Self {
            target,
            outside,
            engine,
            source,
            application: entry.id,
            job,
            number,
            people: Default::default(),
            groups: Default::default(),
        };
        stage.stir(&[Step::Name(0, String::new()), Step::Name(1, "ä, \"b\"".to_owned())]);
        stage
    }

    /// Lets things happen.
    pub fn stir(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
        self.tell();
    }

    /// Everybody gets another name and title, or leaves the application where it keeps neither.
    pub fn promote_all(&mut self) {
        let only_switches = self.target.changed.0 == "active";
        for person in self.people.iter_mut().flatten() {
            person.title = Some("Chief".to_owned());
            person.name.push('!');
            person.is_assigned &= !only_switches;
        }
        self.tell();
    }

    fn step(&mut self, step: &Step) {
        if let Step::Name(who, name) = step {
            let new = Person { is_assigned: true, ..Person::default() };
            self.people[*who].get_or_insert(new).name = name.clone();
            return;
        }
        match step {
            Step::Leave(who) => {
                self.people[*who] = None;
                self.people.iter_mut().flatten().for_each(|person| {
                    person.manager = person.manager.filter(|manager| manager != who);
                });
                self.groups.iter_mut().flatten().for_each(|members| members.retain(|member| member != who));
            }
            Step::Members(group, members) => {
                let mut members = members.clone();
                members.retain(|member| self.people[*member].is_some());
                members.sort_unstable();
                members.dedup();
                self.groups[*group] = Some(members);
            }
            Step::Dissolve(group) => self.groups[*group] = None,
            Step::Manager(who, boss) => {
                // Nobody manages who manages them: a circle needs a second plan.
                let boss = boss.filter(|boss| boss < who && self.people[*boss].is_some());
                if let Some(person) = &mut self.people[*who] {
                    person.manager = boss;
                }
            }
            Step::Title(who, _) | Step::Department(who, _) | Step::Move(who, _) | Step::Assign(who, _) => {
                let Some(person) = &mut self.people[*who] else { return };
                match step {
                    Step::Title(_, title) => person.title = title.clone(),
                    Step::Department(_, name) => person.department = name.clone(),
                    Step::Move(_, is_east) => person.is_east = *is_east,
                    Step::Assign(_, is_assigned) => person.is_assigned = *is_assigned,
                    _ => {}
                }
            }
            Step::Name(..) => {}
        }
    }

    fn key(&self, who: usize) -> String {
        format!("p{}x{who}", self.number)
    }

    /// Puts people and groups into the source.
    fn tell(&self) {
        for (who, person) in self.people.iter().enumerate() {
            let key = self.key(who);
            let Some(person) = person else {
                self.source.remove(&key);
                continue;
            };
            let (mail, name) = (format!("{key}@contoso.example"), format!("{key}{}{who}", person.name));
            let mut attributes = vec![
                ("userPrincipalName", Value::from(mail.as_str())),
                ("mailNickname", Value::from(key.as_str())),
                ("displayName", Value::from(name.as_str())),
                ("surname", Value::from(name.as_str())),
                ("city", Value::from(if person.is_east { "East" } else { "West" })),
            ];
            for (attribute, value) in [("jobTitle", &person.title), ("department", &person.department)] {
                attributes.extend(value.as_deref().map(|value| (attribute, Value::from(value))));
            }
            if let Some(manager) = person.manager {
                attributes.push(("manager", Value::Reference(self.key(manager).as_str().into())));
            }
            self.source.put("User", &key, attributes);
            self.source.entitle(&key, person.is_assigned, true);
        }
        for (group, members) in self.groups.iter().enumerate() {
            let key = format!("g{}x{group}", self.number);
            let Some(members) = members.as_ref().filter(|_| self.target.has_groups()) else {
                self.source.remove(&key);
                continue;
            };
            let members = members.iter().map(|member| Value::Reference(self.key(*member).as_str().into()));
            let attributes = [
                ("displayName", Value::from(format!("{key} & \"co\", #1").as_str())),
                ("mailNickname", Value::from(key.as_str())),
                ("members", Value::list(members)),
            ];
            self.source.put("Group", &key, attributes);
            self.source.entitle(&key, true, true);
        }
    }
}

fn connectors_of(routed: &Routed) -> Routed {
    Routed {
        source: routed.source.clone(),
        target: routed.target.clone(),
        kind: routed.kind,
        settings: Vec::new(),
    }
}

fn initiator() -> Initiator {
    Initiator {
        id: "me".to_owned(),
        display_name: "test".to_owned(),
        initiator_type: "application".to_owned(),
    }
}

#[async_trait]
impl PlanSite for Stage<'_> {
    async fn plan(&self) -> SavedPlan {
        let request = PlanRequest {
            job: self.job.clone(),
            parameters: Vec::new(),
            cycle: true,
            drift: false,
            explain: false,
            initiated_by: initiator(),
        };
        self.engine.plan(&self.application, &request).await.expect("it is planned").plan
    }

    async fn apply(&self, plan: &SavedPlan) -> Applied {
        let document = serde_json::to_value(plan).expect("it has a form");
        let applied = self
            .engine
            .apply_plan(&self.application, &self.job, plan.id.as_str(), Some(&document), initiator())
            .await;
        applied.expect("it can be applied")
    }

    fn sent(&self) -> Option<Vec<Sent>> {
        self.target.sent()
    }

    async fn change_account(&self, account: &Anchor) {
        self.change(account, self.target.changed).await;
    }
}

impl Stage<'_> {
    /// Somebody else changes an attribute of an account.
    pub async fn change(&self, account: &Anchor, (attribute, value): (&str, &str)) {
        let change = AttributeChange {
            attribute: attribute.into(),
            change: Change::Replace(vec![Value::from(value)]),
            is_reference: false,
            is_multivalued: false,
        };
        let operation = Operation {
            kind: OperationKind::Update,
            object_type: self.target.user().into(),
            anchor: Some(account.clone()),
            changes: vec![change],
        };
        self.outside.write(&operation).await.expect("somebody may change it");
    }
}
