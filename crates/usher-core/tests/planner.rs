//! The planner, story by story: what is known goes in, the transcript of the plan comes out.

use std::collections::BTreeMap;
use std::fmt::Write;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use usher_core::planner::{Decision, plan};
use usher_core::ports::Entitlement;
use usher_core::program::RuleProgram;
use usher_core::{
    Anchor, Answer, AttributeSet, Change, DirectoryObject, Facts, JobId, NamedReference, OperationKind, Pairing, Plan,
    Question, References, schema,
};
use usher_expr::{Context, Value};

fn program() -> RuleProgram {
    let reading = schema::read(include_bytes!("planner/schema.json"));
    let document = reading.schema.expect("the fixture is a schema");
    RuleProgram::compile(&document, &document.synchronization_rules[0]).expect("the fixture compiles")
}

fn object(kind: &str, anchor: &str, attributes: Json) -> DirectoryObject {
    let members = attributes.as_object().expect("attributes are an object");
    DirectoryObject {
        object_type: kind.into(),
        anchor: Anchor::new(anchor),
        attributes: members.iter().map(|(name, value)| (name.as_str(), Value::from_json(value))).collect(),
    }
}

fn adele() -> DirectoryObject {
    object(
        "User",
        "s-1",
        json!({ "userPrincipalName": "adele@x", "displayName": "Adele", "department": "Retail", "accountEnabled": "True" }),
    )
}

fn account(attributes: Json) -> DirectoryObject {
    object("Account", "t-1", attributes)
}

fn assigned(source: DirectoryObject) -> Facts {
    Facts {
        named: source.anchor.as_str().into(),
        source: Some(source),
        entitlement: Some(Entitlement { is_assigned: true, has_role: true }),
        applies_filters: true,
        ..Facts::default()
    }
}

fn paired(mut facts: Facts, is_managed: bool) -> Facts {
    facts.pairing = Some(Pairing {
        job: JobId::new("j"),
        source_type: "User".into(),
        source_anchor: Anchor::new("s-1"),
        target_type: "Account".into(),
        target_anchor: Anchor::new("t-1"),
        is_managed,
        display_name: "adele@x".into(),
        confirmed_at: jiff::Timestamp::UNIX_EPOCH,
    });
    facts
}

fn context() -> Context {
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
struct World {
    target: Vec<DirectoryObject>,
    pairs: BTreeMap<Anchor, Anchor>,
    claims: Vec<Anchor>,
}

impl World {
    fn with(target: Vec<DirectoryObject>) -> Self {
        Self { target, ..Self::default() }
    }

    fn answer(&self, question: &Question) -> Answer {
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

fn decide(rule: &RuleProgram, mut facts: Facts, world: &World) -> Plan {
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

fn values(values: &[Value]) -> String {
    values.iter().map(|value| value.to_text().to_string()).collect::<Vec<_>>().join(", ")
}

fn transcript(plan: &Plan) -> String {
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

fn check(facts: Facts, world: &World, expected: Expect) {
    expected.assert_eq(&transcript(&decide(&program(), facts, world)));
}

#[test]
fn unknown_person_is_created_with_defaults_and_without_references() {
    let mut source = adele();
    source.attributes.set("manager", Value::Reference("s-9".into()));
    check(
        assigned(source),
        &World { pairs: BTreeMap::from([(Anchor::new("s-9"), Anchor::new("t-9"))]), ..World::default() },
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImportObjectNotFound
            Matching Success EntrySynchronizationAdd
            action Create, pairing Manage
            Create Account new
              userName + adele@x
              active + True
              title + Adele / Retail
              locale + en-US
              password + (random)
            Update Account new
              boss + t-9
        "#]],
    );
}

#[test]
fn same_state_is_a_redundant_export() {
    let target = account(
        json!({ "userName": "ADELE@x", "active": "True", "title": "Adele / Retail", "locale": "de-DE" }),
    );
    check(
        paired(assigned(adele()), true),
        &World::with(vec![target]),
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImport
            Export Skipped EntrySynchronizationSkip
            action Other, pairing Manage
            skip RedundantExport 
        "#]],
    );
}

#[test]
fn matched_person_gets_only_what_differs() {
    let target = account(json!({ "userName": "adele@x", "active": false, "title": "adele / retail" }));
    check(
        assigned(adele()),
        &World::with(vec![target]),
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImport
            Processing Success EntrySynchronizationUpdate
            action Update, pairing Manage
            Update Account t-1
              active = True
              title = Adele / Retail
        "#]],
    );
}

#[test]
fn second_matching_attribute_is_tried_when_the_first_finds_nobody() {
    let mut source = adele();
    source.attributes.set("employeeId", Value::from("7"));
    let target = account(json!({ "userName": "old@x", "number": "7", "active": true, "title": "Adele / Retail" }));
    check(
        assigned(source),
        &World::with(vec![target]),
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImportObjectNotFound
            Matching Success EntryImport
            Processing Success EntrySynchronizationUpdate
            action Update, pairing Manage
            Update Account t-1
              userName = adele@x
        "#]],
    );
}

#[test]
fn two_matches_write_nothing() {
    let mut other = account(json!({ "userName": "adele@x" }));
    other.anchor = Anchor::new("t-2");
    check(
        assigned(adele()),
        &World::with(vec![account(json!({ "userName": "adele@x" })), other]),
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImport
            Matching Success EntryImport
            Processing Failure EntrySynchronizationError
            action Other, pairing None
            failure DuplicateTargetEntries
        "#]],
    );
}

#[test]
fn target_that_belongs_to_somebody_else_is_not_taken() {
    let world = World {
        target: vec![account(json!({ "userName": "adele@x" }))],
        claims: vec![Anchor::new("s-2")],
        ..World::default()
    };
    check(
        assigned(adele()),
        &world,
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImport
            Processing Failure EntrySynchronizationError
            action Other, pairing None
            failure DuplicateSourceEntries
        "#]],
    );
}

#[test]
fn paired_target_that_is_gone_is_an_invalid_anchor() {
    check(
        paired(assigned(adele()), true),
        &World::default(),
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Processing Failure EntrySynchronizationError
            action Other, pairing None
            failure InvalidAnchor
        "#]],
    );
}

#[test]
fn person_without_matching_value_is_an_import_skip() {
    check(
        assigned(object("User", "s-1", json!({ "displayName": "Adele" }))),
        &World::default(),
        expect![[r#"
            Import Success EntryImport
            Import Skipped EntryImportSkip
            action Other, pairing None
            skip ImportSkipped 
        "#]],
    );
}

#[test]
fn required_attribute_without_value_is_a_validation_skip() {
    check(
        assigned(object("User", "s-1", json!({ "employeeId": "7", "department": "Retail" }))),
        &World::default(),
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImportObjectNotFound
            Export Skipped EntrySynchronizationSkip
            action Other, pairing None
            skip AttributeValidationFailed userName
        "#]],
    );
}

#[test]
fn unassigned_stranger_is_not_entitled() {
    let mut facts = assigned(adele());
    facts.entitlement = Some(Entitlement { is_assigned: false, has_role: false });
    check(
        facts,
        &World::default(),
        expect![[r#"
            Import Success EntryImport
            Scoping Skipped EntrySynchronizationScoping
            Export Skipped EntrySynchronizationSkip
            action Other, pairing None
            skip NotEffectivelyEntitled 
        "#]],
    );
}

#[test]
fn managed_person_who_lost_the_assignment_is_switched_off_and_released() {
    let mut facts = paired(assigned(adele()), true);
    facts.entitlement = Some(Entitlement { is_assigned: false, has_role: false });
    check(
        facts,
        &World::with(vec![account(json!({ "userName": "adele@x", "active": true, "title": "old" }))]),
        expect![[r#"
            Import Success EntryImport
            Scoping Skipped EntrySynchronizationScoping
            Matching Success EntryImport
            Processing Success EntrySynchronizationUpdate
            action Disable, pairing Release
            Update Account t-1
              active = False
        "#]],
    );
}

#[test]
fn released_person_is_left_alone() {
    let mut facts = paired(assigned(adele()), false);
    facts.entitlement = Some(Entitlement { is_assigned: false, has_role: false });
    check(
        facts,
        &World::with(vec![account(json!({ "userName": "adele@x", "active": true }))]),
        expect![[r#"
            Import Success EntryImport
            Scoping Skipped EntrySynchronizationScoping
            Export Skipped EntrySynchronizationSkip
            action Other, pairing None
            skip NotEffectivelyEntitled 
        "#]],
    );
}

#[test]
fn skip_out_of_scope_deletions_leaves_leavers_alone() {
    let mut source = adele();
    source.attributes.set("department", Value::from("Interns"));
    let mut facts = paired(assigned(source), true);
    facts.skips_out_of_scope = true;
    check(
        facts,
        &World::with(vec![account(json!({ "userName": "adele@x", "active": true }))]),
        expect![[r#"
            Import Success EntryImport
            Scoping Skipped EntrySynchronizationScoping
            Export Skipped EntrySynchronizationSkip
            action Other, pairing None
            skip NotEffectivelyEntitled 
        "#]],
    );
}

#[test]
fn filter_on_an_absent_attribute_is_false() {
    check(
        assigned(object("User", "s-1", json!({ "userPrincipalName": "adele@x" }))),
        &World::default(),
        expect![[r#"
            Import Success EntryImport
            Scoping Skipped EntrySynchronizationScoping
            Export Skipped EntrySynchronizationSkip
            action Other, pairing None
            skip NotEffectivelyEntitled 
        "#]],
    );
}

#[test]
fn disabled_person_without_account_is_not_created() {
    let mut source = adele();
    source.attributes.set("accountEnabled", Value::from("False"));
    check(
        assigned(source),
        &World::default(),
        expect![[r#"
            Import Success EntryImport
            Scoping Skipped EntrySynchronizationScoping
            Export Skipped EntrySynchronizationSkip
            action Other, pairing None
            skip NotEffectivelyEntitled 
        "#]],
    );
}

#[test]
fn disabled_person_with_account_is_switched_off_with_the_other_changes() {
    let mut source = adele();
    source.attributes.set("accountEnabled", Value::from("False"));
    check(
        paired(assigned(source), true),
        &World::with(vec![account(json!({ "userName": "adele@x", "active": true, "title": "old" }))]),
        expect![[r#"
            Import Success EntryImport
            Scoping Skipped EntrySynchronizationScoping
            Matching Success EntryImport
            Processing Success EntrySynchronizationUpdate
            action Disable, pairing Manage
            Update Account t-1
              active = False
              title = Adele / Retail
        "#]],
    );
}

#[test]
fn person_who_is_gone_from_the_source_is_deleted() {
    let mut facts = paired(assigned(adele()), true);
    facts.source = None;
    check(
        facts,
        &World::default(),
        expect![[r#"
            Import Failure EntryImportObjectNotFound
            action Delete, pairing Forget
            Delete Account t-1
        "#]],
    );
}

#[test]
fn stranger_who_is_not_in_the_source_is_a_failure() {
    let facts = Facts { named: "nobody".into(), ..Facts::default() };
    check(
        facts,
        &World::default(),
        expect![[r#"
            Import Failure EntryImportObjectNotFound
            action Other, pairing None
            failure EntryNotFound
        "#]],
    );
}

#[test]
fn emptied_source_attribute_keeps_what_the_target_has() {
    let target = account(
        json!({ "userName": "adele@x", "active": true, "title": "Adele / Retail", "emails": ["a@x"], "locale": "fr" }),
    );
    let plan = decide(&program(), paired(assigned(adele()), true), &World::with(vec![target]));
    assert!(plan.operations.is_empty(), "{}", transcript(&plan));
}

#[test]
fn multivalued_attributes_are_compared_as_sets() {
    let mut source = adele();
    source.attributes.set("proxyAddresses", Value::from_json(&json!(["b@x", "a@x"])));
    let target = |emails: Json| {
        account(json!({ "userName": "adele@x", "active": true, "title": "Adele / Retail", "emails": emails }))
    };
    let same = decide(&program(), paired(assigned(source.clone()), true), &World::with(vec![target(json!(["a@x", "B@x"]))]));
    assert!(same.operations.is_empty());
    check(
        paired(assigned(source), true),
        &World::with(vec![target(json!(["a@x"]))]),
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImport
            Processing Success EntrySynchronizationUpdate
            action Update, pairing Manage
            Update Account t-1
              emails + b@x
        "#]],
    );
}

#[test]
fn manager_without_account_leaves_the_reference_out_and_says_so() {
    let mut source = adele();
    source.attributes.set("manager", Value::Reference("s-9".into()));
    check(
        paired(assigned(source), true),
        &World::with(vec![account(json!({ "userName": "adele@x", "active": true, "title": "Adele / Retail" }))]),
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImport
            ReferenceResolution Warning EntrySynchronizationSkip
            Export Skipped EntrySynchronizationSkip
            action Other, pairing Manage
            skip RedundantExport 
        "#]],
    );
}

fn team(members: &[&str]) -> DirectoryObject {
    let mut group = object("Group", "g-1", json!({ "displayName": "Retail" }));
    let list: Vec<Value> = members.iter().map(|member| Value::Reference((*member).into())).collect();
    group.attributes.set("members", Value::List(list.into()));
    group
}

fn named(anchors: &[&str]) -> References {
    References::Named(
        anchors
            .iter()
            .map(|anchor| NamedReference { attribute: "members".into(), anchor: Anchor::new(*anchor) })
            .collect(),
    )
}

#[test]
fn only_named_members_are_worked_on_and_former_members_are_taken_out() {
    let mut facts = assigned(team(&["s-1", "s-2"]));
    facts.references = named(&["s-1", "s-3"]);
    let mut target = object("Team", "t-g", json!({ "displayName": "Retail" }));
    target.attributes.set("members", Value::from_json(&json!(["t-3", "t-7"])));
    let pairs = [("s-1", "t-1"), ("s-2", "t-2"), ("s-3", "t-3")];
    let pairs = pairs.iter().map(|(source, target)| (Anchor::new(*source), Anchor::new(*target))).collect();
    check(
        facts,
        &World { target: vec![target], pairs, ..World::default() },
        expect![[r#"
            Import Success EntryImport
            Scoping Success EntrySynchronizationScoping
            Matching Success EntryImport
            Processing Success EntrySynchronizationUpdate
            action Update, pairing Manage
            Update Team t-g
              members + t-1
              members - t-3
        "#]],
    );
}

#[test]
fn group_that_left_the_scope_is_deleted() {
    let mut facts = assigned(team(&[]));
    facts.entitlement = Some(Entitlement { is_assigned: false, has_role: false });
    facts = paired(facts, true);
    let target = object("Team", "t-1", json!({ "displayName": "Retail" }));
    check(
        facts,
        &World::with(vec![target]),
        expect![[r#"
            Import Success EntryImport
            Scoping Skipped EntrySynchronizationScoping
            Matching Success EntryImport
            action Delete, pairing Forget
            Delete Team t-1
        "#]],
    );
}

#[test]
fn passwords_never_show_in_what_was_modified() {
    let plan = decide(&program(), assigned(adele()), &World::default());
    let password = plan.modified.iter().find(|property| property.name == "password").expect("a password is set");
    assert_eq!(password.new_value.as_deref(), Some("[Redact]"));
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), Just(Some(String::new())), "[a-cA-C@ ]{1,6}".prop_map(Some)]
}

prop_compose! {
    fn person()(
        name in "[a-c]{1,4}@x", number in text(), display in text(), department in text(), mail in text(),
        enabled in any::<bool>(), emails in proptest::collection::vec("[a-c]{1,3}", 0..4),
    ) -> DirectoryObject {
        let mut attributes = AttributeSet::default();
        attributes.set("userPrincipalName", Value::from(name.as_str()));
        for (key, value) in [("employeeId", number), ("displayName", display), ("department", department), ("mail", mail)] {
            if let Some(value) = value {
                attributes.set(key, Value::from(value.as_str()));
            }
        }
        attributes.set("accountEnabled", Value::from(if enabled { "True" } else { "False" }));
        attributes.set("proxyAddresses", Value::from_json(&json!(emails)));
        DirectoryObject { object_type: "User".into(), anchor: Anchor::new("s-1"), attributes }
    }
}

/// Does to the world what a plan says.
fn apply(plan: &Plan, world: &mut World) {
    for operation in &plan.operations {
        match operation.kind {
            OperationKind::Create => world.target.push(account(json!({}))),
            OperationKind::Delete => world.target.clear(),
            OperationKind::Update => {}
        }
        let Some(target) = world.target.first_mut() else { continue };
        for change in &operation.changes {
            let had: Vec<Value> = match target.attributes.value(&change.attribute) {
                Some(Value::List(values)) => values.to_vec(),
                Some(value) => vec![value.clone()],
                None => Vec::new(),
            };
            let has: Vec<Value> = match &change.change {
                Change::Add(values) => had.into_iter().chain(values.iter().cloned()).collect(),
                Change::Replace(values) => values.clone(),
                Change::Remove(values) if values.is_empty() => Vec::new(),
                Change::Remove(values) => had.into_iter().filter(|value| !values.contains(value)).collect(),
            };
            let value = match has.as_slice() {
                [] => Value::Null,
                [one] if !change.is_multivalued => one.clone(),
                several => Value::List(several.to_vec().into()),
            };
            target.attributes.set(change.attribute.clone(), value);
        }
    }
}

proptest! {
    #[test]
    fn same_input_gives_the_same_plan(source in person(), is_assigned in any::<bool>()) {
        let rule = program();
        let mut facts = assigned(source);
        facts.entitlement = Some(Entitlement { is_assigned, has_role: is_assigned });
        let world = World::default();
        prop_assert_eq!(decide(&rule, facts.clone(), &world), decide(&rule, facts, &world));
    }

    #[test]
    fn an_applied_plan_leads_to_an_empty_plan(first in person(), second in person(), is_assigned in any::<bool>()) {
        let rule = program();
        let mut world = World::default();
        let created = decide(&rule, assigned(first), &world);
        apply(&created, &mut world);
        let mut facts = assigned(second);
        facts.entitlement = Some(Entitlement { is_assigned, has_role: is_assigned });
        if !world.target.is_empty() {
            facts = paired(facts, true);
        }
        let plan = decide(&rule, facts.clone(), &world);
        apply(&plan, &mut world);
        if plan.operations.iter().any(|operation| operation.kind == OperationKind::Create) {
            facts = paired(facts, true);
        }
        let again = decide(&rule, facts, &world);
        prop_assert!(again.operations.is_empty(), "{}\nthen\n{}", transcript(&plan), transcript(&again));
    }
}
