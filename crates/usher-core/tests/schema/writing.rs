//! What was read is written back, and nothing that is read makes it panic.

use proptest::prelude::*;
use serde_json::{Map, Value};
use usher_core::schema::{
    self, AttributeDefinition, AttributeType, DirectoryDefinition, Mutability, ObjectDefinition, Schema,
};

use crate::common::{BADGES, schema};

#[test]
fn everything_is_written_back_in_its_order() {
    let document: Value = serde_json::from_str(BADGES).expect("it is JSON");
    assert_eq!(schema(BADGES).to_json().to_string(), document.to_string());
}

#[test]
fn id_and_version_are_written_as_they_are_now() {
    let mut schema = schema(BADGES);
    schema.id = Some("another".to_owned());
    schema.version = None;
    let written = schema.to_json();
    assert_eq!(written["id"], "another");
    assert_eq!(written.get("version"), None);
    assert_eq!(written["provisioningTaskIdentifier"], "badges");
}

#[test]
fn a_discovered_directory_is_written_and_read_back() {
    let attribute = AttributeDefinition {
        name: "superior".to_owned(),
        value_type: AttributeType::Reference,
        mutability: Mutability::Immutable,
        multivalued: true,
        referenced_objects: vec!["Holder".to_owned()],
        api_expressions: vec![("path".to_owned(), "a/b".to_owned())],
        default_value: Some("x".to_owned()),
        metadata: vec![("MaximumLength".to_owned(), "64".to_owned())],
        ..AttributeDefinition::default()
    };
    let key = AttributeDefinition { name: "key".to_owned(), anchor: true, ..AttributeDefinition::default() };
    let object = ObjectDefinition {
        name: "Holder".to_owned(),
        attributes: vec![key, attribute],
        metadata: vec![("IsSoftDeletionSupported".to_owned(), "false".to_owned())],
    };
    let directory = DirectoryDefinition { id: None, name: "Badge Office".to_owned(), objects: vec![object] };
    let written = Schema::of_directory(directory.clone()).to_json();
    assert_eq!(schema(&written.to_string()).directories, [directory]);
}

/// Any JSON, most often with members that schemas have.
fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just("Add,Update".to_owned()),
        Just("Function".to_owned()),
        Just("[a]".to_owned()),
        Just("Join(\" \", [a])".to_owned()),
        "[a-zA-Z\\[\\]()\", ]{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-4_i64..8).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "id",
        "name",
        "version",
        "directories",
        "objects",
        "attributes",
        "type",
        "metadata",
        "key",
        "value",
        "synchronizationRules",
        "objectMappings",
        "attributeMappings",
        "source",
        "expression",
        "parameters",
        "scope",
        "groups",
        "clauses",
        "sourceOperandName",
        "operatorName",
        "targetOperand",
        "values",
        "flowTypes",
        "priority",
        "matchingPriority",
        "targetAttributeName",
        "Name",
        "unheardOf",
    ]);
    leaf.prop_recursive(8, 96, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                let members: Map<String, Value> =
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                Value::Object(members)
            }),
        ]
    })
}

/// The fault-free schema with one value somewhere replaced by anything.
fn altered() -> impl Strategy<Value = Value> {
    (any::<prop::sample::Index>(), json()).prop_map(|(index, replacement)| {
        let mut document: Value = serde_json::from_str(BADGES).expect("it is JSON");
        let mut places = Vec::new();
        pointers(&document, String::new(), &mut places);
        *document.pointer_mut(&places[index.index(places.len())]).expect("the place exists") = replacement;
        document
    })
}

fn pointers(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, format!("{place}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                pointers(member, format!("{place}/{name}"), found);
            }
        }
        _ => {}
    }
    if !place.is_empty() {
        found.push(place);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_what_is_written(document in prop_oneof![json(), altered()]) {
        if let Some(read) = schema::read(document.to_string().as_bytes()).schema {
            let expected = match document.get("schema") {
                Some(inner) if document.get("directories").or(document.get("synchronizationRules")).is_none() => inner,
                _ => &document,
            };
            let written = read.to_json();
            // Names that are numbers are read as texts, and written as such.
            if [&expected["id"], &expected["version"]].iter().all(|one| one.is_string() || one.is_null()) {
                prop_assert_eq!(&written, expected);
            }
            prop_assert_eq!(schema::read(written.to_string().as_bytes()).schema, Some(read.clone()));
            let problems = schema::check(&read);
            prop_assert!(problems.iter().all(|one| one.path.starts_with('$')));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let reading = schema::read(&bytes);
        prop_assert!(reading.schema.is_some() || !reading.diagnostics.is_empty());
    }

    #[test]
    fn a_cut_or_bitten_document_is_refused_with_a_place_in_it(at in any::<prop::sample::Index>(), bite in any::<Option<u8>>()) {
        let mut bytes = BADGES.trim_end().as_bytes().to_vec();
        let index = at.index(bytes.len());
        match bite {
            Some(byte) => bytes[index] = byte,
            None => bytes.truncate(index),
        }
        let reading = schema::read(&bytes);
        let lines = bytes.split(|byte| *byte == b'\n').count();
        for (line, column) in reading.diagnostics.iter().filter_map(|one| one.position) {
            prop_assert!((1..=lines).contains(&line) && column >= 1, "{line}:{column}");
        }
        prop_assert!(bite.is_some() || reading.schema.is_none());
    }
}
