//! What the planner's tests share: the fixture's rule, people, and a world that answers questions.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value as Json, json};
use usher_core::planner::{Decision, plan};
use usher_core::ports::Entitlement;
use usher_core::program::RuleProgram;
use usher_core::{Anchor, Answer, Change, DirectoryObject, Facts, JobId, Pairing, Plan, Question, schema};
use usher_expr::{Context, Value};

pub fn program() -> RuleProgram {
    program_of(include_str!("schema.json"))
}

/// The rule where the target's switch has this name, and is mapped from the state of the account alone.
pub fn program_with_switch(name: &str) -> RuleProgram {
    let document = include_str!("schema.json").replace("IsSoftDeleted", "accountEnabled");
    program_of(&document.replace("\"active\"", &format!("\"{name}\"")))
}

/// The rule of a schema.
pub fn program_of(document: &str) -> RuleProgram {
    let reading = schema::read(document.as_bytes());
    let document = reading.schema.expect("the fixture is a schema");
    RuleProgram::compile(&document, &document.synchronization_rules[0]).expect("the fixture compiles")
}

pub fn object(kind: &str, anchor: &str, attributes: Json) -> DirectoryObject {
    let members = attributes.as_object().expect("attributes are an object");
    DirectoryObject {
        object_type: kind.into(),
        anchor: Anchor::new(anchor),
        attributes: members.iter().map(|(name, value)| (name.as_str(), Value::from_json(value))).collect(),
    }
}

pub fn adele() -> DirectoryObject {
    object(
        "User",
        "s-1",
        json!({ "userPrincipalName": "adele@x", "displayName": "Adele", "department": "Retail", "accountEnabled": "True" }),
    )
}

pub fn account(attributes: Json) -> DirectoryObject {
    object("Account", "t-1", attributes)
}

pub fn assigned(source: DirectoryObject) -> Facts {
    Facts {
        named: source.anchor.as_str().into(),
        source: Some(source),
        entitlement: Some(Entitlement { is_assigned: true, has_role: true }),
        applies_filters: true,
        ..Facts::default()
    }
}

pub fn paired(mut facts: Facts, is_managed: bool) -> Facts {
    facts.pairing = Some(Pairing {
        job: JobId::new("j"),
        source_type: "User".into(),
        source_anchor: Anchor::new("s-1"),
        target_type: "Account".into(),
        target_anchor: Anchor::new("t-1"),
        is_managed,
        display_name: "adele@x".into(),
        confirmed_at: jiff::Timestamp::UNIX_EPOCH,
        trace: Default::default(),
    });
    facts
}

pub fn context() -> Context {
    Context {
        now: jiff::Timestamp::UNIX_EPOCH,
        seed: 42,
        parameters: BTreeMap::new(),
        default_domain: None,
        empty_condition_is_false: false,
    }
}

/// The world that questions are put to.
#[derive(Clone, Default)]
pub struct World {
    pub target: Vec<DirectoryObject>,
    pub pairs: BTreeMap<Anchor, Anchor>,
    pub claims: Vec<Anchor>,
}

impl World {
    pub fn with(target: Vec<DirectoryObject>) -> Self {
        Self { target, ..Self::default() }
    }

    pub fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Match(query) => Answer::Matches(
                self.target
                    .iter()
                    .filter(|object| object.attributes.value(&query.attribute) == Some(&query.value))
                    .cloned()
                    .collect(),
            ),
            Question::Target(request) => {
                Answer::Target(self.target.iter().find(|object| object.anchor == request.anchor).cloned())
            }
            Question::Claims { .. } => Answer::Claims(self.claims.clone()),
            Question::Unique { candidates, .. } => Answer::Unique(candidates.first().cloned()),
            Question::References { anchors, .. } => Answer::References(
                anchors
                    .iter()
                    .filter_map(|anchor| Some((anchor.clone(), self.pairs.get(anchor)?.clone())))
                    .collect(),
            ),
        }
    }
}

pub fn decide(rule: &RuleProgram, mut facts: Facts, world: &World) -> Plan {
    let kind = facts.source.as_ref().map_or("User", |object| object.object_type.as_str()).to_owned();
    let mapping = rule.mapping(&kind).expect("the fixture maps it");
    for _ in 0..16 {
        match plan(mapping, &facts, "Source", "App", &context()) {
            Decision::Done(plan) => return *plan,
            Decision::Ask(questions) => {
                for question in questions {
                    let answer = world.answer(&question);
                    facts.answers.push((question, answer));
                }
            }
        }
    }
    panic!("the planner goes on asking");
}

pub fn values(values: &[Value]) -> String {
    values.iter().map(|value| value.to_text().to_string()).collect::<Vec<_>>().join(", ")
}

pub fn transcript(plan: &Plan) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        let _ = writeln!(out, "{:?} {:?} {}", step.kind, step.status, step.name);
    }
    let _ = writeln!(out, "action {:?}, pairing {:?}", plan.action, plan.pairing);
    if let Some(skip) = &plan.skip {
        let _ = writeln!(out, "skip {:?} {}", skip.reason, skip.property.as_deref().unwrap_or_default());
    }
    if let Some(failure) = &plan.failure {
        let _ = writeln!(out, "failure {}", failure.code);
    }
    for operation in &plan.operations {
        let anchor = operation.anchor.as_ref().map_or("new", Anchor::as_str);
        let _ = writeln!(out, "{:?} {} {anchor}", operation.kind, operation.object_type);
        for change in &operation.changes {
            let shown = match &change.change {
                Change::Add(list) => format!("+ {}", values(list)),
                Change::Replace(list) => format!("= {}", values(list)),
                Change::Remove(list) => format!("- {}", values(list)),
            };
            let shown = if change.attribute == "password" { "+ (random)" } else { &shown };
            let _ = writeln!(out, "  {} {shown}", change.attribute);
        }
    }
    out
}
