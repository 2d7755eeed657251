//! Runs the text files in `cases`: expressions, their inputs, and what is printed for them.
//!
//! A case begins with a line `--- dialect view`, then come the expression, lines `name = JSON` for the
//! attributes, and a line `===`; what follows is what the view prints. The views are `value` (diagnostics
//! and outcome), `explain` and `source` (the parsed tree as Graph shows it). Run with `UPDATE_EXPECT=1`
//! to write the printed lines anew.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on must fail it")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect_file;
use jiff::Timestamp;
use smol_str::SmolStr;
use usher_expr::{Context, Dialect, Value, compile, render};

fn check(name: &str) {
    let path = format!("{}/tests/cases/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let file = std::fs::read_to_string(&path).unwrap();
    let mut printed = String::new();
    for case in file.split("\n--- ").map(|case| case.trim_start_matches("--- ")) {
        let (input, _) = case.split_once("\n===").unwrap();
        let (head, body) = input.split_once('\n').unwrap();
        write!(printed, "--- {head}\n{body}\n===\n{}\n", run(head, body)).unwrap();
    }
    expect_file![path].assert_eq(&printed.replace(" \n", "\n"));
}

fn run(head: &str, body: &str) -> String {
    let (dialect, view) = head.split_once(' ').unwrap();
    let dialect: Dialect = dialect.parse().unwrap();
    let is_input = |line: &&str| {
        line.split_once(" = ").is_some_and(|(name, json)| {
            name.chars().all(char::is_alphanumeric) && serde_json::from_str::<serde_json::Value>(json).is_ok()
        })
    };
    let mut inputs = BTreeMap::new();
    for (name, json) in body.lines().filter(is_input).filter_map(|line| line.split_once(" = ")) {
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        inputs.insert(SmolStr::new(name), Value::from_json(&json));
    }
    let source: Vec<&str> = body.lines().filter(|line| !is_input(line)).collect();
    let source = source.join("\n");
    let compiled = compile(&source, dialect);
    if view == "source" {
        return serde_json::to_string_pretty(&compiled.tree.to_source_json(dialect)).unwrap() + "\n";
    }
    let mut printed = render(&source, "mapping", &compiled.diagnostics, false);
    let Some(expression) = compiled.expression else { return printed };
    let mut context = Context::new("2025-07-30T14:05:06Z".parse::<Timestamp>().unwrap(), 1);
    context.parameters.insert("Domain".into(), "woodgrove.example".into());
    if view == "explain" {
        return printed + &expression.explain(&inputs, &context).tree.to_string();
    }
    match expression.evaluate(&inputs, &context) {
        Ok(outcome) => writeln!(printed, "{outcome}").unwrap(),
        Err(error) => {
            writeln!(printed, "{:?} at {:?}: {error}", error.kind, &source[error.span.clone()]).unwrap()
        }
    }
    printed
}

#[test]
fn typical_mappings_come_to_their_values() {
    check("mappings");
}

#[test]
fn mistakes_are_explained() {
    check("mistakes");
}

#[test]
fn wrong_arguments_are_explained() {
    check("arguments");
}

#[test]
fn warnings_do_not_prevent_evaluation() {
    check("warnings");
}

#[test]
fn failures_name_the_place() {
    check("failures");
}

#[test]
fn explanations_show_what_was_evaluated() {
    check("explanations");
}

#[test]
fn parsed_trees_look_like_those_of_graph() {
    check("sources");
}
