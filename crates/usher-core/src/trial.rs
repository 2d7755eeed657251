//! Trying a schema on a person without any directory: what would be done, and what the account would look like.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};
use smol_str::{SmolStr, format_smolstr};
use usher_expr::{Context, Value};

use crate::planner::{Decision, plan};
use crate::ports::Entitlement;
use crate::program::RuleProgram;
use crate::saved::hiding::Hidden;
use crate::saved::symbols::with_symbols;
use crate::steps::processing::REDACTED;
use crate::{
    Action, Anchor, Answer, AttributeSet, Change, DirectoryObject, Facts, JobId, Operation, OperationKind,
    Pairing, Plan, Question, Step, StepKind,
};

/// What the account is called when the person has one.
const ACCOUNT: &str = "account";
/// What a new account is called.
const NEW: &str = "@new-account";
/// How often the planner may come back with questions before something is wrong with it.
const ROUNDS: usize = 64;

/// A person, as a test tells of it.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// The source object's name in the schema.
    pub object_type: SmolStr,
    /// The person's anchor in the source.
    pub anchor: Anchor,
    /// The source attributes; `None` when the source does not have the person any more.
    pub source: Option<AttributeSet>,
    /// Whether the person is assigned; `None` where the source keeps no assignments.
    pub is_assigned: Option<bool>,
    /// The account, when there is one.
    pub account: Option<AttributeSet>,
    /// The account is paired with the person; otherwise it is only there to be found.
    pub is_paired: bool,
    /// The accounts of people that this one refers to; `None` for who has none. Who is not listed has one.
    pub accounts: BTreeMap<Anchor, Option<Anchor>>,
    /// Values that others have already, by target attribute.
    pub taken: BTreeMap<SmolStr, Vec<Value>>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Tried {
    /// What is to be done.
    pub plan: Plan,
    /// What was found out.
    pub facts: Facts,
    hidden_target: Vec<SmolStr>,
    shown_operations: Vec<Operation>,
    account: Option<AttributeSet>,
}

/// Tries a rule on a person. `None` when the rule has no mapping for such objects.
pub fn attempt(rule: &RuleProgram, person: &Person, context: &Context) -> Option<Tried> {
    let mapping = rule.mapping(&person.object_type)?;
    let object = |object_type: &SmolStr, anchor: &str, attributes: &AttributeSet| DirectoryObject {
        object_type: object_type.clone(),
        anchor: Anchor::new(anchor),
        attributes: attributes.clone(),
    };
    let account = person.account.as_ref().map(|attributes| object(&mapping.target_type, ACCOUNT, attributes));
    let pairing = account.as_ref().filter(|_| person.is_paired).map(|account| Pairing {
        job: JobId::new("test"),
        source_type: mapping.source_type.clone(),
        source_anchor: person.anchor.clone(),
        target_type: mapping.target_type.clone(),
        target_anchor: account.anchor.clone(),
        is_managed: true,
        display_name: person.anchor.to_string(),
        confirmed_at: context.now,
        trace: Default::default(),
    });
    let mut facts = Facts {
        named: person.anchor.as_str().into(),
        source: person
            .source
            .as_ref()
            .map(|attributes| object(&mapping.source_type, person.anchor.as_str(), attributes)),
        entitlement: person.is_assigned.map(|is_assigned| Entitlement { is_assigned, has_role: is_assigned }),
        applies_filters: true,
        is_gone: true,
        pairing,
        ..Facts::default()
    };
    for _ in 0..ROUNDS {
        match plan(mapping, &facts, &rule.source_directory, &rule.target_directory, context) {
            Decision::Done(plan) => {
                let hidden = Hidden::of(mapping);
                let tried = Tried {
                    hidden_target: mapping
                        .attributes
                        .iter()
                        .map(|attribute| attribute.target.clone())
                        .filter(|name| hidden.hides_target(name))
                        .collect(),
                    account: person.account.clone(),
                    shown_operations: with_symbols(
                        &hidden.operations(&plan.operations),
                        Some(&Anchor::new(NEW)),
                        &BTreeMap::new(),
                    ),
                    plan: *plan,
                    facts,
                };
                return Some(tried);
            }
            Decision::Ask(questions) => {
                for question in questions {
                    let answer = answer(person, account.as_ref(), &question);
                    facts.answers.push((question, answer));
                }
            }
        }
    }
    unreachable!("the planner asks only what was not answered, and there are few kinds of question")
}

fn answer(person: &Person, account: Option<&DirectoryObject>, question: &Question) -> Answer {
    match question {
        Question::Match(query) => {
            let wanted = query.value.to_text().to_lowercase();
            let is_hit = |object: &&DirectoryObject| {
                let found = object.attributes.value(&query.attribute);
                found.is_some_and(|value| {
                    value.values().iter().any(|one| one.to_text().to_lowercase() == wanted)
                })
            };
            Answer::Matches(account.filter(is_hit).cloned().into_iter().collect())
        }
        Question::Target(_) => Answer::Target(account.cloned()),
        Question::Claims { .. } => Answer::Claims(Vec::new()),
        Question::Unique { attribute, candidates, .. } => {
            let taken = person.taken.get(attribute).map(Vec::as_slice).unwrap_or_default();
            let is_free = |candidate: &&Value| {
                let text = candidate.to_text().to_lowercase();
                !taken.iter().any(|value| value.to_text().to_lowercase() == text)
            };
            Answer::Unique(candidates.iter().find(is_free).cloned())
        }
        Question::References { anchors, .. } => Answer::References(
            anchors
                .iter()
                .filter_map(|anchor| match person.accounts.get(anchor) {
                    Some(known) => Some((anchor.clone(), known.clone()?)),
                    None => Some((anchor.clone(), Anchor::new(format_smolstr!("account of {anchor}")))),
                })
                .collect(),
        ),
    }
}

impl Tried {
    /// The operations as they may be shown, with a symbol for an account that is yet to be made.
    pub fn shown_operations(&self) -> &[Operation] {
        &self.shown_operations
    }

    /// What tests expect: the action or the reason, the account as it would be, what could not be computed.
    pub fn outcome(&self) -> Json {
        let mut outcome = Map::new();
        let action = match self.plan.action {
            Action::Create => "create",
            Action::Update => "update",
            Action::Disable => "disable",
            Action::Delete => "delete",
            Action::StagedDelete | Action::Other => "none",
        };
        outcome.insert("action".to_owned(), json!(action));
        if let Some(failure) = &self.plan.failure {
            outcome.insert("failure".to_owned(), json!(failure.code.as_str()));
            outcome
                .insert("because".to_owned(), json!(because(&failure.reason, &failure.additional_details)));
        } else if let Some(skip) = &self.plan.skip {
            outcome.insert("skip".to_owned(), json!(skip.reason.as_str()));
            outcome.insert("because".to_owned(), json!(skip.description));
        }
        let warnings: Vec<&str> = self
            .plan
            .steps
            .iter()
            .filter(|step| is_warning(step))
            .map(|step| step.description.as_str())
            .collect();
        if !warnings.is_empty() {
            outcome.insert("warnings".to_owned(), json!(warnings));
        }
        if !self.plan.operations.is_empty() && self.plan.action != Action::Delete {
            outcome.insert("account".to_owned(), Json::Object(self.account_after()));
        }
        Json::Object(outcome)
    }

    /// The account after all operations, attributes in the order of the mappings.
    fn account_after(&self) -> Map<String, Json> {
        let mut account: IndexMap<SmolStr, Json> = self
            .account
            .iter()
            .flat_map(AttributeSet::iter)
            .map(|(name, value)| (name.clone(), value.to_json()))
            .collect();
        let operations = self.plan.operations.iter().filter(|one| one.kind != OperationKind::Delete);
        for change in operations.flat_map(|operation| &operation.changes) {
            let name = &change.attribute;
            let held = match account.get(name) {
                Some(Json::Array(values)) => values.clone(),
                Some(value) => vec![value.clone()],
                None => Vec::new(),
            };
            let json = |values: &[Value]| values.iter().map(Value::to_json).collect::<Vec<Json>>();
            let after = match &change.change {
                Change::Add(values) if change.is_multivalued => {
                    held.into_iter().chain(json(values)).collect()
                }
                Change::Add(values) | Change::Replace(values) => json(values),
                Change::Remove(values) if values.is_empty() => Vec::new(),
                Change::Remove(values) => {
                    let gone = json(values);
                    held.into_iter().filter(|one| !gone.contains(one)).collect()
                }
            };
            if after.is_empty() {
                account.shift_remove(name);
            } else if self.hidden_target.contains(name) {
                account.insert(name.clone(), json!(REDACTED));
            } else if change.is_multivalued {
                account.insert(name.clone(), Json::Array(after));
            } else {
                account.insert(name.clone(), after.into_iter().next().unwrap_or_default());
            }
        }
        account.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }
}

fn because(reason: &str, details: &Option<String>) -> String {
    match details {
        Some(details) => format!("{reason}: {details}"),
        None => reason.to_owned(),
    }
}

fn is_warning(step: &Step) -> bool {
    step.status == crate::Status::Warning
        && matches!(step.kind, StepKind::Processing | StepKind::ReferenceResolution)
}

/// One thing in which two outcomes differ: where, what it was, what it is.
pub type Contrast = (String, Option<Json>, Option<Json>);

/// In what two outcomes differ; accounts attribute by attribute, requests member by member.
pub fn compare(old: &Json, new: &Json) -> Vec<Contrast> {
    let mut all = Vec::new();
    let empty = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    members(old, new, "", &mut all);
    all
}

fn members(old: &Map<String, Json>, new: &Map<String, Json>, prefix: &str, all: &mut Vec<Contrast>) {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(added) {
        match (old.get(name), new.get(name)) {
            (Some(Json::Object(old)), Some(Json::Object(new))) if name == "account" => {
                members(old, new, "account ", all);
            }
            (before @ Some(Json::Array(_)), after @ Some(Json::Array(_))) if name == "requests" => {
                nested(name.clone(), before, after, all);
            }
            (before, after) if before != after => {
                all.push((format!("{prefix}{name}"), before.cloned(), after.cloned()));
            }
            _ => {}
        }
    }
}

fn nested(place: String, old: Option<&Json>, new: Option<&Json>, all: &mut Vec<Contrast>) {
    match (old, new) {
        (Some(Json::Object(old)), Some(Json::Object(new))) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                nested(format!("{place}.{name}"), old.get(name), new.get(name), all);
            }
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                nested(format!("{place}[{index}]"), old.get(index), new.get(index), all);
            }
        }
        (old, new) if old != new => all.push((place, old.cloned(), new.cloned())),
        _ => {}
    }
}
