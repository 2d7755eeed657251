//! What a document is read as.

use expect_test::{Expect, expect};
use usher_core::schema::{self, AttributeType, FlowBehavior, FlowType, FlowTypes, Mutability, SourceType};
use usher_expr::Dialect;

use crate::common::{BADGES, lines, schema};

/// A schema with one attribute mapping.
fn mapping(text: &str) -> schema::AttributeMapping {
    let document =
        format!(r#"{{"synchronizationRules":[{{"objectMappings":[{{"attributeMappings":[{text}]}}]}}]}}"#);
    schema(&document).synchronization_rules[0].object_mappings[0].attribute_mappings[0].clone()
}

fn expression(source: &str) -> String {
    let source = mapping(&format!(r#"{{"targetAttributeName":"x","source":{source}}}"#)).source;
    source.map(|source| format!("{:?} {}", source.source_type, source.expression)).unwrap_or_default()
}

fn flow_types(text: &str) -> String {
    let document = format!(r#"{{"synchronizationRules":[{{"objectMappings":[{{{text}}}]}}]}}"#);
    let FlowTypes { add, update, delete } =
        schema(&document).synchronization_rules[0].object_mappings[0].flow_types;
    format!(
        "{}{}{}",
        if add { "a" } else { "-" },
        if update { "u" } else { "-" },
        if delete { "d" } else { "-" }
    )
}

fn noticed(document: &str, expected: Expect) {
    expected.assert_eq(&lines(&schema::read(document.as_bytes()).diagnostics));
}

#[test]
fn utf16_reads_like_utf8() {
    let little: Vec<u8> = BADGES.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = BADGES.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let expected = schema(BADGES);
    for (mark, text) in [
        (&[0xef, 0xbb, 0xbf][..], BADGES.as_bytes()),
        (&[0xff, 0xfe], &little),
        (&[0xfe, 0xff], &big),
        (&[], &little),
        (&[], &big),
    ] {
        let bytes = [mark, text].concat();
        assert_eq!(schema::read(&bytes).schema.as_ref(), Some(&expected), "{mark:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let problems = schema::read(b"{\n \"id\": \"\xff\"}").diagnostics;
    assert_eq!(problems[0].code, "invalidEncoding");
    assert_eq!(problems[0].position, Some((2, 9)));
    assert_eq!(schema::read(&[0xff, 0xfe, b'{', 0, b'}']).diagnostics[0].code, "invalidEncoding");
}

#[test]
fn missing_members_take_their_defaults() {
    let schema = schema(
        r#"{"directories":[{"objects":[{"attributes":[{"name":"a"}]}]}],
            "synchronizationRules":[{"objectMappings":[{"attributeMappings":[{"targetAttributeName":"a"}]}]}]}"#,
    );
    let attribute = &schema.directories[0].objects[0].attributes[0];
    assert_eq!(attribute.value_type, AttributeType::String);
    assert_eq!(attribute.mutability, Mutability::ReadWrite);
    assert!(!attribute.anchor && !attribute.required && !attribute.multivalued && !attribute.case_exact);
    let object_mapping = &schema.synchronization_rules[0].object_mappings[0];
    assert!(object_mapping.enabled && object_mapping.scope.is_none());
    let mapping = &object_mapping.attribute_mappings[0];
    assert_eq!((mapping.flow_type, mapping.flow_behavior), (FlowType::Always, FlowBehavior::FlowWhenChanged));
    assert_eq!((mapping.matching_priority, &mapping.source), (0, &None));
}

#[test]
fn flow_types_are_read_from_text_list_and_bits() {
    for (text, expected) in [
        (r#""name":"missing""#, "aud"),
        (r#""flowTypes":null"#, "aud"),
        (r#""flowTypes":"Add,Update""#, "au-"),
        (r#""flowTypes":"Add, Update, Delete""#, "aud"),
        (r#""flowTypes":["Add","delete"]"#, "a-d"),
        (r#""flowTypes":2"#, "-u-"),
        (r#""flowTypes":"None""#, "---"),
    ] {
        assert_eq!(flow_types(text), expected, "{text}");
    }
}

#[test]
fn enumerations_are_read_by_name_in_any_case_and_by_number() {
    let by_name = mapping(r#"{"flowType":"objectaddonly","flowBehavior":"FlowAlways"}"#);
    let by_number = mapping(r#"{"flowType":1,"flowBehavior":1}"#);
    for mapping in [by_name, by_number] {
        assert_eq!(
            (mapping.flow_type, mapping.flow_behavior),
            (FlowType::ObjectAddOnly, FlowBehavior::FlowAlways)
        );
    }
}

#[test]
fn values_that_are_not_known_are_noticed() {
    noticed(
        r#"{"directories":[{"objects":[{"attributes":[{"name":"a","type":"Decimal"},{"name":"b","mutability":9}]}]}],
            "synchronizationRules":[{"priority":1,"objectMappings":[{"flowTypes":"Add,Merge"},{"flowTypes":64}]}]}"#,
        expect![[r#"
            warning unknownValue $.directories[0].objects[0].attributes[0].type: "Decimal" is not known here; it is kept, and counts as String
              one of String, Integer, Reference, Binary, Boolean, DateTime
            warning unknownValue $.directories[0].objects[0].attributes[1].mutability: 9 is not known here; it is kept, and counts as ReadWrite
              one of ReadWrite, ReadOnly, Immutable, WriteOnly
            warning unknownFlowType $.synchronizationRules[0].objectMappings[0].flowTypes: 'Merge' is not a flow type; it is kept, but has no effect
              the flow types are Add, Update and Delete
            warning unknownFlowType $.synchronizationRules[0].objectMappings[1].flowTypes: '64' is not a flow type; it is kept, but has no effect
              the flow types are Add, Update and Delete
        "#]],
    );
}

#[test]
fn an_expression_is_made_from_type_and_name() {
    assert_eq!(expression(r#"{"type":"Attribute","name":"mail"}"#), "Attribute [mail]");
    assert_eq!(expression(r#"{"type":"Constant","name":"a \"b\""}"#), r#"Constant "a \"b\"""#);
}

#[test]
fn a_call_is_made_from_its_parameters_with_blanks_for_those_omitted() {
    let source = r#"{"type":"Function","name":"Replace","parameters":[
        {"key":"source","value":{"type":"Attribute","name":"mail"}},
        {"key":"Find","value":{"type":"Constant","name":"@"}},
        {"key":"Replacement","value":{"type":"Constant","name":"-"}}]}"#;
    assert_eq!(expression(source), r#"Function Replace([mail], "@", , , "-")"#);
    let source = r#"{"type":"Function","name":"Join","parameters":[
        {"key":"separator","value":{"type":"Constant","name":" "}},
        {"key":"source","value":{"type":"Attribute","name":"a"}},
        {"key":"source","value":{"type":"Function","name":"Trim","parameters":[
            {"key":"source","value":{"type":"Attribute","name":"b"}}]}}]}"#;
    assert_eq!(expression(source), r#"Function Join(" ", [a], Trim([b]))"#);
}

#[test]
fn the_expression_is_the_authority() {
    assert_eq!(
        expression(r#"{"type":"Attribute","name":"x","expression":"Trim([y])"}"#),
        "Function Trim([y])"
    );
    assert_eq!(expression(r#"{"type":"Function","name":"x","expression":"[y]"}"#), "Attribute [y]");
    let constant = |source: &str| {
        let mapping = mapping(&format!(r#"{{"source":{source}}}"#));
        mapping.source.map(|source| source.constant_text().to_owned()).unwrap_or_default()
    };
    assert_eq!(constant(r#"{"type":"Constant","name":"x","expression":"\"a \\\"b\\\"\""}"#), r#"a "b""#);
    assert_eq!(constant(r#"{"type":"Constant","name":"%Domain%","expression":"%Domain%"}"#), "%Domain%");
    assert_eq!(constant(r#"{"type":"Constant","name":"x"}"#), "x");
}

#[test]
fn parameters_are_read_as_a_tree() {
    let schema = schema(BADGES);
    let mapping = &schema.synchronization_rules[0].object_mappings[0].attribute_mappings[1];
    let source = mapping.source.as_ref().expect("it has a source");
    let keys: Vec<(&str, SourceType)> =
        source.parameters.iter().map(|(key, value)| (key.as_str(), value.source_type)).collect();
    let expected = [
        ("separator", SourceType::Constant),
        ("source", SourceType::Attribute),
        ("source", SourceType::Attribute),
    ];
    assert_eq!(keys, expected);
}

#[test]
fn a_template_document_carries_its_schema() {
    let template = format!(r#"{{"id":"badges","metadata":[],"schema":{BADGES}}}"#);
    assert_eq!(schema(&template), schema(BADGES));
}

#[test]
fn names_that_differ_in_case_only_are_noticed() {
    noticed(
        r#"{"Directories":[],"directories":[{"Name":"x","objects":[{"name":"o","Attributes":[]}]}],
            "synchronizationRules":[{"id":"r","priority":1,"objectmappings":[]}]}"#,
        expect![[r#"
            warning memberCase $.Directories: 'Directories' is not 'directories'; it is kept, but not read
              write 'directories'
            warning memberCase $.directories[0].Name: 'Name' is not 'name'; it is kept, but not read
              write 'name'
            warning memberCase $.directories[0].objects[0].Attributes: 'Attributes' is not 'attributes'; it is kept, but not read
              write 'attributes'
            warning memberCase $.synchronizationRules[0].objectmappings: 'objectmappings' is not 'objectMappings'; it is kept, but not read
              write 'objectMappings'
        "#]],
    );
}

#[test]
fn a_part_of_a_schema_is_told_from_a_schema() {
    for (document, expected) in [
        (r#"{"id":"r","objectMappings":[]}"#, "here stands a rule in place of a schema"),
        (r#"{"name":"m","attributeMappings":[]}"#, "here stands an object mapping in place of a schema"),
        (
            r#"{"targetAttributeName":"x","source":null}"#,
            "here stands an attribute mapping in place of a schema",
        ),
        (r#"{"name":"d","objects":[]}"#, "here stands a directory definition in place of a schema"),
        (r#"{"hello":1}"#, "the document has neither 'directories' nor 'synchronizationRules'"),
        ("[]", "the document is a list, not an object"),
        ("7", "the document is a number, not an object"),
    ] {
        let reading = schema::read(document.as_bytes());
        assert!(reading.schema.is_none(), "{document}");
        let messages: Vec<&str> = reading.diagnostics.iter().map(|one| one.message.as_str()).collect();
        assert!(messages.contains(&expected), "{document}: {messages:?}");
    }
}

#[test]
fn things_in_each_others_places_are_refused() {
    noticed(
        r#"{"directories":[{"name":"d","objects":[{"name":"a","anchor":true}]}],
            "synchronizationRules":[
              {"targetAttributeName":"x","source":null},
              {"name":"m","sourceObjectName":"User","targetObjectName":"User"},
              {"id":"r","priority":1,"objectMappings":[
                {"targetAttributeName":"y"},
                {"sourceObjectName":"User","scope":{"groups":[{"operatorName":"IS NULL"}]}}]}]}"#,
        expect![[r#"
            error misplaced $.directories[0].objects[0]: here stands an attribute definition in place of an object definition
              an object definition has name and attributes
            error misplaced $.synchronizationRules[0]: here stands an attribute mapping in place of a rule
              a rule has id, sourceDirectoryName, targetDirectoryName and objectMappings; nest it there
            error misplaced $.synchronizationRules[1]: here stands an object mapping in place of a rule
              a rule has id, sourceDirectoryName, targetDirectoryName and objectMappings; nest it there
            error misplaced $.synchronizationRules[2].objectMappings[0]: here stands an attribute mapping in place of an object mapping
              an object mapping has sourceObjectName, targetObjectName and attributeMappings
            error misplaced $.synchronizationRules[2].objectMappings[1].scope.groups[0]: here stands a filter clause in place of a filter group
              a filter group has name and clauses
        "#]],
    );
}

#[test]
fn wrong_json_types_are_all_listed() {
    noticed(
        r#"{"version":3,"directories":[5,{"name":["x"],"objects":{}}],
            "synchronizationRules":[{"id":{},"priority":1.5,"objectMappings":[{"enabled":"perhaps","flowTypes":true,
              "scope":[],"attributeMappings":[{"targetAttributeName":"a","matchingPriority":99999999999,"source":"x"}]}],
              "groupFilter":{"includedGroups":["g",null]}}]}"#,
        expect![[r#"
            error wrongType $.directories[0]: here stands a number, not a directory definition
              remove it
            error wrongType $.directories[1].name: 'name' is a list, not a text
              give a text
            error wrongType $.directories[1].objects: 'objects' is an object, not a list
              give a list
            error wrongType $.synchronizationRules[0].id: 'id' is an object, not a text
              give a text
            error wrongType $.synchronizationRules[0].priority: 'priority' is a number, not a whole number of 32 bits
              give a whole number of 32 bits
            error wrongType $.synchronizationRules[0].objectMappings[0].enabled: 'enabled' is a text, not true or false
              give true or false
            error wrongType $.synchronizationRules[0].objectMappings[0].flowTypes: 'flowTypes' is a truth value, not a text such as "Add,Update,Delete"
              give a text such as "Add,Update,Delete"
            error wrongType $.synchronizationRules[0].objectMappings[0].scope: 'scope' is a list, not an object
              give an object
            error wrongType $.synchronizationRules[0].objectMappings[0].attributeMappings[0].source: 'source' is a text, not an object
              give an object
            error wrongType $.synchronizationRules[0].objectMappings[0].attributeMappings[0].matchingPriority: 'matchingPriority' is a number, not a whole number of 32 bits
              give a whole number of 32 bits
            error wrongType $.synchronizationRules[0].groupFilter.includedGroups[1]: 'includedGroups[1]' is null, not a text
              give a text
        "#]],
    );
}

#[test]
fn empty_sources_count_as_none() {
    noticed(
        r#"{"synchronizationRules":[{"priority":1,"objectMappings":[{"attributeMappings":[{"targetAttributeName":"a","source":{}}]}]}]}"#,
        expect![[r#"
            warning emptySource $.synchronizationRules[0].objectMappings[0].attributeMappings[0].source: the source is empty and counts as none
              give it type and name, or write null
        "#]],
    );
}

#[test]
fn rules_between_active_directory_and_entra_are_of_cloud_sync() {
    let dialect = |source: &str, target: &str, metadata: &str| {
        let document = format!(
            r#"{{"synchronizationRules":[{{"sourceDirectoryName":"{source}","targetDirectoryName":"{target}","metadata":[{metadata}]}}]}}"#
        );
        let schema = schema(&document);
        schema.synchronization_rules[0].dialect(&schema)
    };
    assert_eq!(dialect("Active Directory", "Microsoft Entra ID", ""), Dialect::CloudSync);
    assert_eq!(dialect("active directory", "Azure Active Directory", ""), Dialect::CloudSync);
    assert_eq!(dialect("Azure Active Directory", "Active Directory", ""), Dialect::CloudSync);
    assert_eq!(dialect("Workday", "Active Directory", ""), Dialect::Service);
    assert_eq!(dialect("Azure Active Directory", "customappsso", ""), Dialect::Service);
    let stated = r#"{"key":"expressionDialect","value":"\"hybrid\""}"#;
    assert_eq!(dialect("Azure Active Directory", "customappsso", stated), Dialect::Hybrid);
    let unknown = r#"{"key":"expressionDialect","value":"klingon"}"#;
    assert_eq!(dialect("Workday", "Active Directory", unknown), Dialect::Service);
}

#[test]
fn source_defaults_are_read_once_and_twice_encoded() {
    let list = r#"[{"TargetObjectName":"User","AttributeMappings":[{"TargetAttributeName":"isOn","DefaultValue":"True"},
        {"TargetAttributeName":"id","DefaultValue":null}]}]"#;
    let once = serde_json::Value::from(list).to_string();
    let twice = serde_json::Value::from(once.as_str()).to_string();
    for text in [once, twice] {
        let document = format!(
            r#"{{"synchronizationRules":[{{"metadata":[{{"key":"defaultSourceObjectMappings","value":{text}}}]}}]}}"#
        );
        let rule = &schema(&document).synchronization_rules[0];
        assert_eq!(rule.source_defaults("user"), [("isOn".to_owned(), "True".to_owned())]);
        assert_eq!(rule.source_defaults("Group"), []);
    }
}

#[test]
fn a_member_that_stands_twice_is_noticed() {
    noticed(
        "{\"id\": \"a\",\n \"directories\": [{\"name\": \"x\", \"name\": \"y\"}],\n \"id\": \"b\"}",
        expect![[r#"
            error duplicateMember $.directories[0].name: this member stands twice in its object; one reader takes the first, another the last (line 2, column 32)
              keep one of them
            error duplicateMember $.id: this member stands twice in its object; one reader takes the first, another the last (line 3, column 2)
              keep one of them
        "#]],
    );
}

#[test]
fn a_list_of_answers_is_not_a_schema() {
    noticed(
        r#"{"value":[{"id":"scim","schema":{"directories":[]}}]}"#,
        expect![[r#"
        error notASchema $: the document has neither 'directories' nor 'synchronizationRules'
          a schema is what GET …/synchronization/jobs/{id}/schema answers
    "#]],
    );
}
