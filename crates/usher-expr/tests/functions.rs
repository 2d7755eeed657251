//! What every function of the table must have: documentation, and examples that are true.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on must fail it")]

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;
use usher_expr::functions::{Example, Function, all};
use usher_expr::{Context, Dialect, Value, compile};

fn result(example: &Example) -> String {
    let compiled = compile(example.source, example.dialect);
    let Some(expression) = compiled.expression else {
        let messages: Vec<&str> = compiled.diagnostics.iter().map(|one| one.message.as_str()).collect();
        return format!("does not compile: {}", messages.join("; "));
    };
    let inputs: serde_json::Map<String, serde_json::Value> = serde_json::from_str(example.inputs).unwrap();
    let inputs: BTreeMap<SmolStr, Value> =
        inputs.iter().map(|(name, json)| (SmolStr::new(name), Value::from_json(json))).collect();
    let mut context = Context::new("2025-07-30T00:00:00Z".parse().unwrap(), 0);
    context.default_domain = Some("woodgrove.example".into());
    match expression.evaluate(&inputs, &context) {
        Ok(outcome) => outcome.to_string(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn every_example_is_true() {
    let mut wrong = Vec::new();
    for function in all() {
        for example in function.examples {
            let actual = result(example);
            if actual != example.result {
                wrong.push(format!("{}\n  says {}\n  is   {actual}", example.source, example.result));
            }
        }
    }
    assert!(wrong.is_empty(), "{} examples are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_function_is_documented() {
    for function in all() {
        let name = function.name;
        assert!(function.summary.ends_with('.') && !function.summary.contains('\n'), "{name}: summary");
        assert!(!function.examples.is_empty(), "{name}: no example");
        assert!(!function.dialects.is_empty(), "{name}: no dialect");
        for params in std::iter::once(&function.params).chain(function.overloads) {
            for param in *params {
                assert!(param.doc.ends_with('.'), "{name}, {}: doc", param.name);
            }
        }
        for example in function.examples {
            assert!(
                function.dialects.contains(&example.dialect),
                "{name}: {} in the wrong dialect",
                example.source
            );
            assert!(
                example.source.contains(&format!("{name}(")),
                "{name}: {} does not call it",
                example.source
            );
        }
    }
}

#[test]
fn a_name_has_one_meaning_in_every_dialect() {
    for dialect in Dialect::ALL {
        let here: Vec<&&Function> = all().iter().filter(|one| one.dialects.contains(dialect)).collect();
        let names: BTreeSet<&str> = here.iter().map(|function| function.name).collect();
        assert_eq!(names.len(), here.len(), "{dialect}");
    }
}

#[test]
fn required_parameters_come_first_but_for_the_formats_of_a_date() {
    for function in all().iter().filter(|function| function.overloads.is_empty()) {
        let first_optional = function.params.iter().position(|param| !param.required);
        let last_required = function.params.iter().rposition(|param| param.required);
        if let (Some(optional), Some(required)) = (first_optional, last_required) {
            assert!(required < optional, "{}", function.signature());
        }
    }
}

#[test]
fn a_wrong_number_of_arguments_never_compiles() {
    for function in all() {
        let dialect = function.dialects[0];
        let most = function.params.len().max(1) + 1;
        let repeats = function.params.iter().any(|param| param.repeats);
        let surplus = vec!["[a]"; most].join(", ");
        if !repeats {
            let compiled = compile(&format!("{}({surplus})", function.name), dialect);
            assert!(compiled.expression.is_none(), "{} takes {most} arguments", function.name);
        }
        if function.params.iter().any(|param| param.required) {
            let compiled = compile(&format!("{}()", function.name), dialect);
            assert!(compiled.expression.is_none(), "{} takes no arguments", function.name);
        }
    }
}
