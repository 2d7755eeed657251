//! The planner, story by story: what is known goes in, the transcript of the plan comes out.

mod properties;
mod world;

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};
use usher_core::ports::Entitlement;
use usher_core::{Anchor, DirectoryObject, Facts, NamedReference, References};
use usher_expr::Value;

use world::{
    World, account, adele, assigned, decide, object, paired, program, program_of, program_with_switch,
    transcript,
};

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
    let target =
        account(json!({ "userName": "old@x", "number": "7", "active": true, "title": "Adele / Retail" }));
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
fn the_switch_of_a_directory_goes_off_for_whoever_leaves_the_scope_whatever_is_mapped_to_it() {
    let lost = |switch: &str, before: &str| {
        let mut facts = paired(assigned(adele()), true);
        facts.entitlement = Some(Entitlement { is_assigned: false, has_role: false });
        let world = World::with(vec![account(json!({ "userName": "adele@x", switch: before }))]);
        let plan = decide(&program_with_switch(switch), facts, &world);
        let last = transcript(&plan).lines().skip(3).fold(String::new(), |all, line| all + line + "\n");
        format!("{switch}\n{last}")
    };
    let said = [
        lost("accountDisabled", "False"),
        lost("accountEnabled", "True"),
        lost("userAccountControl", "66048"),
        lost("accountDisabled", "True"),
        // An application's switch is the mapping's own matter.
        lost("active", "True"),
    ];
    expect![[r#"
        accountDisabled
        Processing Success EntrySynchronizationUpdate
        action Disable, pairing Release
        Update Account t-1
          accountDisabled = True
        accountEnabled
        Processing Success EntrySynchronizationUpdate
        action Disable, pairing Release
        Update Account t-1
          accountEnabled = False
        userAccountControl
        Processing Success EntrySynchronizationUpdate
        action Disable, pairing Release
        Update Account t-1
          userAccountControl = 66050
        accountDisabled
        Export Skipped EntrySynchronizationSkip
        action Other, pairing Release
        skip RedundantExport 
        active
        Export Skipped EntrySynchronizationSkip
        action Other, pairing None
        skip NotEffectivelyEntitled 
    "#]]
    .assert_eq(&said.concat());
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
    let same = decide(
        &program(),
        paired(assigned(source.clone()), true),
        &World::with(vec![target(json!(["a@x", "B@x"]))]),
    );
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
        &World::with(vec![account(
            json!({ "userName": "adele@x", "active": true, "title": "Adele / Retail" }),
        )]),
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

#[test]
fn whoever_is_their_own_manager_has_none() {
    let mut source = adele();
    source.attributes.set("manager", Value::from("s-1"));
    let mut world = World::with(vec![account(json!({ "userName": "adele@x", "active": true }))]);
    world.pairs.insert(Anchor::new("s-1"), Anchor::new("t-1"));
    let plan = decide(&program(), paired(assigned(source), true), &world);
    assert!(plan.modified.iter().all(|one| one.name != "boss"), "{:?}", plan.modified);
    assert_eq!(plan.unresolved, [], "nobody is waited for");
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
    let password =
        plan.modified.iter().find(|property| property.name == "password").expect("a password is set");
    assert_eq!(password.new_value.as_deref(), Some("[Redact]"));
}

#[test]
fn what_a_redacted_mapping_reads_and_writes_stands_in_no_step() {
    let document = include_str!("schema.json").replace(
        r#""type": "Attribute", "name": "preferredLanguage", "expression": "[preferredLanguage]""#,
        r#""type": "Function", "name": "Redact", "expression": "Redact([preferredLanguage])""#,
    );
    let mut source = adele();
    source.attributes.set("preferredLanguage", Value::from("SECRET-1"));
    let target = account(json!({ "userName": "adele@x", "active": true, "locale": "SECRET-2" }));
    let plan = decide(&program_of(&document), paired(assigned(source), true), &World::with(vec![target]));
    let told = serde_json::to_string(&plan.steps).expect("steps have a form");
    assert!(told.contains("[Redact]") && !told.contains("SECRET"), "{told}");
}
