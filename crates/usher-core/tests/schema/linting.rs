//! What lint says besides checking: one oddity at a time, and what is none.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use usher_core::schema::{self, LINT_RULES};

use crate::common::{
    BADGES, FULL_NAME, LOGIN, MAPPING, RULE, SOURCE, SUPERIOR, TARGET, changed, lines, schema,
};

/// Lints the schema without a fault after the changes.
fn lint(changes: &[(String, Value)], expected: Expect) {
    let found = schema::lint(&changed(changes));
    let named = |code: &str| LINT_RULES.iter().any(|(name, _)| *name == code);
    let own: Vec<_> = found.into_iter().filter(|one| named(one.code)).collect();
    expected.assert_eq(&lines(&own));
}

fn clause(attribute: &str, operator: &str, operands: &[&str]) -> Value {
    json!({ "sourceOperandName": attribute, "operatorName": operator, "targetOperand": { "values": operands } })
}

fn groups(kind: &str, groups: &[&[Value]]) -> Vec<(String, Value)> {
    let groups: Vec<Value> =
        groups.iter().map(|clauses| json!({ "name": "g", "clauses": clauses })).collect();
    vec![(format!("{MAPPING}/scope"), json!({ kind: groups }))]
}

fn expression(text: &str) -> Vec<(String, Value)> {
    vec![(format!("{FULL_NAME}/source"), json!({ "type": "Function", "name": "", "expression": text }))]
}

#[test]
fn a_schema_without_a_fault_has_no_findings() {
    assert_eq!(lines(&schema::lint(&schema(BADGES))), "");
}

#[test]
fn what_checking_finds_is_found_once() {
    let changes = [
        (format!("{LOGIN}/matchingPriority"), json!(0)),
        (format!("{MAPPING}/flowTypes"), json!("None")),
        (format!("{FULL_NAME}/source"), json!({ "type": "Attribute", "name": "nosuch" })),
        (format!("{FULL_NAME}/targetAttributeName"), json!("nosuch")),
    ];
    let schema = changed(&changes);
    let checked = lines(&schema::check(&schema));
    for code in ["noMatching", "noFlowTypes", "unknownSource", "unknownTarget"] {
        assert_eq!(checked.matches(code).count(), 1, "{code}: {checked}");
    }
    assert_eq!(lines(&schema::lint(&schema)), checked);
}

#[test]
fn clauses_that_exclude_each_other_are_found() {
    for (clauses, says) in [
        (
            vec![clause("mail", "EQUALS", &["a"]), clause("mail", "EQUALS", &["b"])],
            "mail EQUALS \"a\" and EQUALS \"b\" cannot hold together",
        ),
        (vec![clause("mail", "EQUALS", &["a"]), clause("Mail", "EQUALS", &["A"])], "cannot hold together"),
        (
            vec![clause("mail", "EQUALS", &["a", "b"]), clause("mail", "NOT EQUALS", &["b", "a"])],
            "cannot hold together",
        ),
        (
            vec![clause("mail", "EQUALS", &["a"]), clause("mail", "REGEX MATCH", &["^b"])],
            "cannot hold together",
        ),
        (
            vec![clause("mail", "IS NULL", &[]), clause("mail", "IS NOT NULL", &[])],
            "mail IS NULL and IS NOT NULL cannot hold together",
        ),
        (
            vec![
                clause("mail", "IS NULL", &[]),
                clause("surname", "IS NULL", &[]),
                clause("mail", "INCLUDES", &["a"]),
            ],
            "mail IS NULL and INCLUDES \"a\" cannot hold together",
        ),
        (vec![clause("mail", "EQUALS", &[""])], "mail EQUALS \"\" never holds"),
        (
            vec![clause("isActive", "IS TRUE", &[]), clause("isActive", "IS FALSE", &[])],
            "isActive IS TRUE and IS FALSE cannot hold together",
        ),
        (vec![clause("isActive", "EQUALS", &["yes"])], "isActive EQUALS \"yes\" never holds"),
        (vec![clause("mail", "IS TRUE", &[]), clause("mail", "IS FALSE", &[])], "cannot hold together"),
        (
            vec![clause("mail", "REGEX MATCH", &["x"]), clause("mail", "NOT REGEX MATCH", &["x", "y"])],
            "cannot hold together",
        ),
    ] {
        let found = schema::lint(&changed(&groups("groups", &[&clauses])));
        let found: Vec<_> = found.into_iter().filter(|one| one.code == "unreachableFilter").collect();
        assert_eq!(found.len(), 1, "{says}: {}", lines(&found));
        assert!(found[0].message.contains(says), "{says}: {}", lines(&found));
    }
    lint(
        &groups("groups", &[&[clause("mail", "IS NULL", &[])], &[clause("mail", "IS NOT NULL", &[])]]),
        expect![[r#"
            warning needlessFilter $.synchronizationRules[0].objectMappings[0].scope.groups: every object passes: of the groups 'g' and 'g' one always holds
              put the clauses into one group, where all must hold, or remove the two
        "#]],
    );
}

#[test]
fn clauses_that_can_hold_together_are_no_finding() {
    let several = (format!("{SOURCE}/-"), json!({ "name": "tags", "type": "String", "multivalued": true }));
    for clauses in [
        vec![clause("mail", "EQUALS", &["a", "b"]), clause("mail", "EQUALS", &["b", "c"])],
        vec![clause("mail", "EQUALS", &["a"]), clause("surname", "EQUALS", &["b"])],
        vec![clause("mail", "EQUALS", &["a", "b"]), clause("mail", "NOT EQUALS", &["a"])],
        vec![clause("mail", "REGEX MATCH", &["a"]), clause("mail", "NOT REGEX MATCH", &["b"])],
        vec![clause("isActive", "EQUALS", &["True"])],
        // One value may be this and another that.
        vec![clause("tags", "EQUALS", &["a"]), clause("tags", "EQUALS", &["b"])],
        vec![clause("unknown", "EQUALS", &["a"]), clause("unknown", "EQUALS", &["b"])],
    ] {
        let mut changes = groups("groups", &[&clauses]);
        changes.push(several.clone());
        lint(&changes, expect![[""]]);
    }
    let torn = [clause("tags", "EQUALS", &["a"]), clause("tags", "NOT EQUALS", &["a"])];
    let mut changes = groups("inputFilterGroups", &[&torn]);
    changes.push(several);
    lint(
        &changes,
        expect![[r#"
        warning unreachableFilter $.synchronizationRules[0].objectMappings[0].scope.inputFilterGroups[0]: no object passes this group: tags EQUALS "a" and NOT EQUALS "a" cannot hold together
          correct the clauses, or put them into groups of their own: one group that holds is enough
    "#]],
    );
    // What is not there is no "x" where input is filtered, but nothing at all where it is not.
    lint(
        &groups(
            "inputFilterGroups",
            &[&[clause("mail", "IS NULL", &[]), clause("mail", "NOT EQUALS", &["x"])]],
        ),
        expect![[""]],
    );
}

#[test]
fn expressions_that_decide_nothing_are_found() {
    lint(
        &expression(r#"IIF("1"="1", [givenName], [surname])"#),
        expect![[r#"
        warning constantCondition $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: the condition "1"="1" of IIF always holds (character 5 of the mapping to 'fullName')
          compare an attribute, or write the value that is meant without a condition
    "#]],
    );
    lint(
        &expression(r#"Switch([surname], , "ä", "x", "b", "y", "ä", "z")"#),
        expect![[r#"
        warning doubledKey $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: the key "ä" of Switch stands there already; the first one counts (character 41 of the mapping to 'fullName')
          remove one of the two pairs, or correct its key
    "#]],
    );
    lint(
        &expression(r#"Join(" ", "Ann", "Lee")"#),
        expect![[r#"
        warning constantExpression $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: the expression reads no attribute and always yields "Ann Lee" (character 1 of the mapping to 'fullName')
          write the value as a constant, or read the attribute that is meant
    "#]],
    );
    lint(
        &expression(r#"Coalesce("x", [surname])"#),
        expect![[r#"
        warning unreachableArgument $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: Coalesce never comes to [surname]: "x" is never null (character 15 of the mapping to 'fullName')
          put the fixed value last
    "#]],
    );
}

#[test]
fn expressions_that_can_fail_are_found_with_what_they_fail_on() {
    lint(
        &expression(r#"FormatDateTime([surname], , "yyyy-MM-ddTHH:mm:ssK", "yyyy")"#),
        expect![[r#"
        warning expressionCanFail $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: the value of 'fullName' cannot be computed when surname has no value, and the attribute is left out: FormatDateTime, source: a date was expected, not null
          test the value before it is used, for instance with IIF and IsPresent
    "#]],
    );
    lint(
        &expression(r#"Mid([surname], [number], 2)"#),
        expect![[r#"
        warning expressionCanFail $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: the value of 'fullName' cannot be computed when number has no value, and the attribute is left out: Mid, start: a whole number was expected, not null
          test the value before it is used, for instance with IIF and IsPresent
    "#]],
    );
    lint(
        &expression(r#"Item(Split("a-b", "-"), 5)"#),
        expect![[r#"
            warning expressionCanFail $.synchronizationRules[0].objectMappings[0].attributeMappings[1].source.expression: the value of 'fullName' cannot be computed for anybody, and the attribute is left out: Item, index: there is no value 5, the list has 2
              test the value before it is used, for instance with IIF and IsPresent
        "#]],
    );
}

#[test]
fn expressions_that_fail_on_purpose_or_on_nothing_that_can_be_are_no_finding() {
    for text in [
        r#"IIF(IsPresent([surname]), [surname], Error("no surname"))"#,
        r#"Join(" ", [givenName], [surname])"#,
        r#"IIF([isActive]="True", "on", "off")"#,
        r#"Switch([isActive], , "False", "True", "True", "False")"#,
        r#"IIF(IsPresent([surname]), Left([surname], 3), IgnoreAttributeFlow)"#,
        r#"Join("", Guid(), [surname])"#,
        // Assignments to applications are references in some published schemas.
        r#"SingleAppRoleAssignment([boss])"#,
    ] {
        lint(&expression(text), expect![[""]]);
    }
}

#[test]
fn mappings_that_nothing_comes_to_are_found() {
    let document: Value = serde_json::from_str(BADGES).expect("it is JSON");
    let rule = document.pointer(RULE).expect("it is there").clone();
    let mapping = document.pointer(MAPPING).expect("it is there").clone();
    lint(
        &[(format!("{RULE}/objectMappings/-"), mapping)],
        expect![[r#"
        warning unreachableMapping $.synchronizationRules[0].objectMappings[1]: objects of type 'Person' are provisioned by objectMappings[0], so this mapping is never used on demand
          give one of them a type of its own, or disable it
    "#]],
    );
    let mut back = rule;
    back["id"] = json!("back");
    back["priority"] = json!(2);
    back["sourceDirectoryName"] = json!("Badge Office");
    back["targetDirectoryName"] = json!("People Register");
    lint(
        &[("/synchronizationRules/-".to_owned(), back)],
        expect![[r#"
        warning unreachableRule $.synchronizationRules[1]: the rule reads from 'Badge Office', but the job reads from 'People Register': cycles leave it out
          put it into a job of its own, or remove it
    "#]],
    );
    lint(
        &[(format!("{MAPPING}/flowTypes"), json!("Delete"))],
        expect![[r#"
        warning unreachableMapping $.synchronizationRules[0].objectMappings[0]: the flow types allow neither Add nor Update, so that no attribute mapping is ever written
          allow Add or Update, or keep the matching attributes only
    "#]],
    );
    lint(
        &[
            (format!("{MAPPING}/flowTypes"), json!("Update, Delete")),
            (format!("{FULL_NAME}/flowType"), json!("ObjectAddOnly")),
        ],
        expect![[r#"
            warning unreachableMapping $.synchronizationRules[0].objectMappings[0].attributeMappings[1]: 'fullName' is written to new objects only (its flow type is ObjectAddOnly), but the object mapping does not allow Add
              allow Add, change the flow type, or remove the mapping
        "#]],
    );
    lint(
        &[(format!("{FULL_NAME}/source"), Value::Null)],
        expect![[r#"
        warning unreachableMapping $.synchronizationRules[0].objectMappings[0].attributeMappings[1]: the mapping to 'fullName' has neither a source nor a default, so nothing flows
          give it one of them, or remove it
    "#]],
    );
    lint(&[(format!("{FULL_NAME}/flowType"), json!("ObjectAddOnly"))], expect![[""]]);
    lint(
        &[(format!("{SUPERIOR}/source"), json!({ "type": "Constant", "name": "boss" }))],
        expect![[r#"
            warning unreachableMapping $.synchronizationRules[0].objectMappings[0].attributeMappings[4]: 'superior' is a reference, which a fixed value never becomes, so nothing flows
              map a reference of the source, or remove the mapping
        "#]],
    );
}

#[test]
fn matching_attributes_that_are_never_written_are_found() {
    lint(
        &[(format!("{TARGET}/1/mutability"), json!("ReadOnly"))],
        expect![[r#"
        warning matchingNeverWritten $.synchronizationRules[0].objectMappings[0].attributeMappings[0]: accounts are found by 'login', but it is read-only: an account that is made here is never found by it again
          match on an attribute that is written, too
    "#]],
    );
    lint(
        &[
            (format!("{TARGET}/1/mutability"), json!("ReadOnly")),
            (format!("{FULL_NAME}/matchingPriority"), json!(2)),
        ],
        expect![[""]],
    );
    lint(
        &[
            (format!("{TARGET}/1/mutability"), json!("ReadOnly")),
            (format!("{MAPPING}/flowTypes"), json!("Update, Delete")),
        ],
        expect![[""]],
    );
}

#[test]
fn every_finding_has_a_remedy_and_a_name_of_the_list() {
    let changes = [
        groups("groups", &[&[clause("mail", "EQUALS", &[""])]]),
        expression(r#"FormatDateTime([surname], , "yyyy", "yyyy")"#),
    ];
    for one in schema::lint(&changed(&changes.concat())) {
        assert!(one.remedy.is_some(), "{}", one.code);
    }
}
