//! Runs the files of vectors beside this one.

use std::collections::BTreeSet;

use usher_expr::functions::all;
use usher_expr::vectors::{Vector, VectorsError, load, run};

const FILES: &[&str] = &[
    include_str!("vectors/service.json"),
    include_str!("vectors/cloud-sync.json"),
    include_str!("vectors/hybrid.json"),
];

fn vectors() -> Vec<Vector> {
    FILES.iter().flat_map(|file| load(file).expect("the files are vectors")).collect()
}

#[test]
fn every_vector_comes_to_what_it_says() {
    let failures: Vec<String> =
        vectors().iter().filter_map(|vector| run(vector).err()).map(|failure| failure.to_string()).collect();
    assert!(failures.is_empty(), "{} vectors failed:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn ids_are_unique_and_functions_exist() {
    let known: BTreeSet<&str> = all().iter().map(|function| function.name).collect();
    let mut ids = BTreeSet::new();
    for vector in vectors() {
        assert!(known.contains(vector.function.as_str()), "{}: no function {}", vector.id, vector.function);
        assert!(ids.insert(vector.id.clone()), "{} occurs twice", vector.id);
    }
}

#[test]
fn a_wrong_expectation_is_reported_with_both_values() {
    let vector =
        load(r#"[{"id": "x", "function": "Left", "expression": "Left(\"abc\", 1)", "expected": "b"}]"#);
    let failure = run(&vector.unwrap()[0]).unwrap_err();
    assert_eq!(failure.to_string(), r#"x: Left("abc", 1) came to "a", not "b""#);
}

#[test]
fn files_of_the_wrong_shape_are_refused() {
    assert!(matches!(load("{"), Err(VectorsError::Json(_))));
    assert!(matches!(load("{}"), Err(VectorsError::Shape)));
    let message = load(r#"[{"id": "x", "function": "f", "expression": "[a]"}]"#).unwrap_err().to_string();
    assert_eq!(message, "vector \"x\": the field expected is missing or cannot be read");
}
