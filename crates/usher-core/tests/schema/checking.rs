//! What is said of directories, rules, object mappings and filters: one fault at a time.

use expect_test::expect;
use serde_json::{Value, json};
use usher_core::schema;

use crate::common::{BADGES, MAPPING, RULE, TARGET, lines, schema, with};

fn clause(attribute: &str, operator: &str, operand: Option<&str>) -> Value {
    let operand = operand.map(|operand| json!({ "values": [operand] }));
    json!({ "sourceOperandName": attribute, "operatorName": operator, "targetOperand": operand })
}

#[test]
fn a_schema_without_a_fault_is_passed_in_silence() {
    let reading = schema::read(BADGES.as_bytes());
    assert_eq!(lines(&reading.diagnostics), "");
    assert_eq!(lines(&schema::check(&schema(BADGES))), "");
}

#[test]
fn directories_need_names_of_their_own() {
    with(
        "/directories/1/name",
        json!("people register"),
        expect![[r#"
        error duplicateName $.directories[1]: there is another directory 'people register'
          give each directory a name of its own
        warning unknownDirectory $.synchronizationRules[0]: there is no directory 'Badge Office'
          the schema has: People Register, people register
    "#]],
    );
}

#[test]
fn directories_that_rules_name_must_exist() {
    with(
        &format!("{RULE}/targetDirectoryName"),
        json!("Badge Shop"),
        expect![[r#"
        warning unknownDirectory $.synchronizationRules[0]: there is no directory 'Badge Shop'
          the schema has: People Register, Badge Office
    "#]],
    );
    with(
        &format!("{RULE}/sourceDirectoryName"),
        Value::Null,
        expect![[r#"
        warning noDirectory $.synchronizationRules[0]: the rule has no sourceDirectoryName
          name one of the directories of the schema
    "#]],
    );
}

#[test]
fn objects_that_mappings_name_must_exist() {
    with(
        &format!("{MAPPING}/sourceObjectName"),
        json!("Persona"),
        expect![[r#"
        warning unknownObject $.synchronizationRules[0].objectMappings[0]: the directory 'People Register' has no object 'Persona'
          add its definition to the directory, or correct the name
    "#]],
    );
    with(
        &format!("{MAPPING}/targetObjectName"),
        Value::Null,
        expect![[r#"
        warning noObject $.synchronizationRules[0].objectMappings[0]: the object mapping has no targetObjectName
          name one of the directory's objects
    "#]],
    );
}

#[test]
fn rules_need_ids_of_their_own() {
    let rule: Value =
        serde_json::from_str::<Value>(BADGES).expect("it is JSON")["synchronizationRules"][0].clone();
    with(
        "/synchronizationRules/-",
        rule,
        expect![[r#"
        error duplicateId $.synchronizationRules[1]: there is another rule '6b0f3c1e-5a7d-4f57-8f7a-3b1f5f3c9a10'
          give each rule an id of its own
        warning samePriority $.synchronizationRules[1]: there is another rule of priority 1
          rules run lowest priority first; tell them apart
    "#]],
    );
    with(
        &format!("{RULE}/id"),
        Value::Null,
        expect![[r#"
        warning noId $.synchronizationRules[0]: the rule has no id
          on-demand requests name rules by id
    "#]],
    );
}

#[test]
fn empty_things_are_noticed() {
    with(
        "/synchronizationRules/-",
        json!({}),
        expect![[r#"
        warning emptyRule $.synchronizationRules[1]: the rule is empty
          remove it, or fill it in
    "#]],
    );
    with(
        &format!("{RULE}/objectMappings/-"),
        json!({}),
        expect![[r#"
        warning emptyMapping $.synchronizationRules[0].objectMappings[1]: the object mapping is empty
          remove it, or fill it in
    "#]],
    );
    with(
        &format!("{MAPPING}/attributeMappings/-"),
        json!({}),
        expect![[r#"
        warning noTarget $.synchronizationRules[0].objectMappings[0].attributeMappings[5]: the mapping names no target attribute
          remove it, or name one
    "#]],
    );
    with(
        &format!("{RULE}/objectMappings"),
        json!([]),
        expect![[r#"
        warning noObjectMappings $.synchronizationRules[0]: the rule maps nothing
          give it object mappings
    "#]],
    );
    with(
        &format!("{MAPPING}/scope/groups/0/clauses"),
        json!([]),
        expect![[r#"
        warning emptyGroup $.synchronizationRules[0].objectMappings[0].scope.groups[0]: the filter group has no clauses, so everything passes it
          remove it, or give it clauses
    "#]],
    );
}

#[test]
fn operators_must_exist_and_fit() {
    let clauses = [
        clause("mail", "LIKE", Some("x")),
        clause("mail", "EQUALS", None),
        clause("mail", "IS NULL", Some("x")),
        clause("mail", "REGEX MATCH", Some("([a-z]")),
        clause("number", "GREATER_THAN", Some("many")),
        clause("number", "EQUALS", Some("many")),
        clause("mail", "IS TRUE", None),
        clause("boss", "IS NULL", None),
        clause("hiredOn", "EQUALS", Some("2020-01-01")),
        clause("email", "EQUALS", Some("x")),
        clause("", "EQUALS", Some("x")),
    ];
    with(
        &format!("{MAPPING}/scope/groups/0/clauses"),
        json!(clauses),
        expect![[r#"
        warning needlessOperand $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[2]: 'IS NULL' takes no operand; the one given is passed over
          remove targetOperand
        warning wrongValue $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[5]: 'number' is a whole number, but 'many' is none
          correct the operand
        warning operandType $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[6]: 'IS TRUE' is not meant for 'mail', which is String
          it is meant for Boolean
        warning operandType $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[7]: 'IS NULL' is not meant for 'boss', which is Reference
          it is meant for Integer, String, Binary, Boolean
        warning operandType $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[8]: 'EQUALS' is not meant for 'hiredOn', which is DateTime
          it is meant for Integer, String
        warning unknownSource $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[9]: the source object has no attribute 'email'
          add its definition, or correct the name
        error unknownOperator $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[0]: there is no operator 'LIKE'
          one of EQUALS, NOT EQUALS, IS TRUE, IS FALSE, IS NULL, IS NOT NULL, REGEX MATCH, NOT REGEX MATCH, INCLUDES, ENDS_WITH, GREATER_THAN, GREATER_THAN_OR_EQUALS, &, !&
        error noOperand $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[1]: 'EQUALS' needs an operand
          give targetOperand.values one text
        error invalidPattern $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[3]: the pattern '([a-z]' cannot be used: invalid pattern at position 6: missing closing parenthesis
          correct the pattern
        error notANumber $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[4]: 'many' is not a whole number
          'GREATER_THAN' compares whole numbers that are not negative
        error noOperand $.synchronizationRules[0].objectMappings[0].scope.groups[0].clauses[10]: the clause names no source attribute
          give sourceOperandName
    "#]],
    );
}

#[test]
fn one_attribute_is_the_anchor() {
    with(
        &format!("{TARGET}/0/anchor"),
        json!(false),
        expect![[r#"
        warning noAnchor $.synchronizationRules[0].objectMappings[0]: the target object 'Holder' has no anchor
          set 'anchor' on the attribute that identifies it for good
    "#]],
    );
    with(
        &format!("{TARGET}/1/anchor"),
        json!(true),
        expect![[r#"
        warning severalAnchors $.directories[1].objects[0]: 'Holder' has 2 anchors: key, login
          exactly one attribute identifies an object
    "#]],
    );
}

#[test]
fn a_mapping_without_flow_types_writes_nothing() {
    with(
        &format!("{MAPPING}/flowTypes"),
        json!("None"),
        expect![[r#"
        warning noFlowTypes $.synchronizationRules[0].objectMappings[0]: the flow types are none, so nothing is ever written
          give Add, Update or Delete, or disable the mapping
    "#]],
    );
}

#[test]
fn the_same_pair_is_mapped_twice_only_with_scopes() {
    let mapping = serde_json::from_str::<Value>(BADGES).expect("it is JSON").pointer(MAPPING).cloned();
    let mut mapping = mapping.expect("it is there");
    with(&format!("{RULE}/objectMappings/-"), mapping.clone(), expect![[r#""#]]);
    mapping["scope"] = Value::Null;
    with(
        &format!("{RULE}/objectMappings/-"),
        mapping,
        expect![[r#"
        warning duplicateMapping $.synchronizationRules[0].objectMappings[1]: 'Person' is mapped to 'Holder' more than once, and here without a scope
          disable one, or tell them apart by scoping filters
    "#]],
    );
}

#[test]
fn names_are_listed_once() {
    with(
        &format!("{TARGET}/-"),
        json!({ "name": "tags" }),
        expect![[r#"
        warning duplicateName $.directories[1].objects[0].attributes[8]: the attribute 'tags' is listed more than once; the first one counts
          remove one of them
    "#]],
    );
    with(
        "/directories/1/objects/-",
        json!({ "name": "holder" }),
        expect![[r#"
        warning duplicateName $.directories[1].objects[1]: 'holder' is listed more than once; the first one counts
          merge the two
    "#]],
    );
    with(
        "/directories/1/objects/-",
        json!({}),
        expect![[r#"
        warning noName $.directories[1].objects[1]: the object has no name
          object mappings refer to objects by name
    "#]],
    );
    with(
        "/directories/1/id",
        json!("0C6B1C0E-7F6A-4C7D-9D7C-0A4B8D1F2E01"),
        expect![[r#"
        warning duplicateId $.directories[1]: there is another directory with the id '0C6B1C0E-7F6A-4C7D-9D7C-0A4B8D1F2E01'
          give each directory an id of its own
    "#]],
    );
}

#[test]
fn metadata_that_cannot_be_read_are_noticed() {
    let metadata = json!([
        { "key": "expressionDialect", "value": "klingon" },
        { "key": "defaultSourceObjectMappings", "value": "[{" }
    ]);
    with(
        &format!("{RULE}/metadata"),
        metadata,
        expect![[r#"
        warning unknownDialect $.synchronizationRules[0]: 'klingon' is not a dialect of expressions; the entry is passed over
          one of service, cloud-sync, hybrid
        warning badMetadata $.synchronizationRules[0]: the metadata defaultSourceObjectMappings is not JSON text; the defaults are passed over
          correct the text, or remove the entry
    "#]],
    );
}
