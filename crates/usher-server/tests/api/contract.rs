//! Holds every answer of every test against our own description of the API.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use http::{Method, StatusCode};
use jsonschema::Validator;
use serde_json::{Value, json};
use usher_server::description;

/// The operations of the description: segments of the path, and the operation.
static PATHS: LazyLock<Vec<(Vec<&'static str>, &'static Value)>> = LazyLock::new(|| {
    let paths = description()["paths"].as_object().expect("it has paths");
    let mut all: Vec<_> =
        paths.iter().map(|(path, item)| (path.split('/').skip(1).collect::<Vec<_>>(), item)).collect();
    all.sort_by_key(|(parts, _)| parts.iter().filter(|part| part.starts_with('{')).count());
    all
});

static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> = LazyLock::new(Mutex::default);

/// Fails the test when an answer is not as described.
pub fn check(method: &Method, path: &str, status: StatusCode, is_empty: bool, body: &Value) {
    let Some(operation) = operation(method, path) else { return };
    let answers = &operation["responses"];
    let class = if status.is_server_error() { "5XX" } else { "4XX" };
    let answer = answers.get(status.as_str()).or_else(|| answers.get(class));
    let answer = answer.unwrap_or_else(|| panic!("{method} {path}: {status} is not described"));
    let content = &answer["content"];
    if content.is_null() {
        assert!(is_empty, "{method} {path}: {status} has a body: {body}");
        return;
    }
    let Some(schema) = content.get("application/json").map(|content| &content["schema"]) else { return };
    let faults: Vec<String> = validator(schema)
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(5)
        .collect();
    assert!(faults.is_empty(), "{method} {path} {status}: {faults:#?}\n{body:#}");
}

/// Whether an operation is one that Microsoft publishes.
pub fn is_published(method: &Method, path: &str) -> bool {
    operation(method, path).is_some_and(|operation| operation["x-published"] == true)
}

fn validator(schema: &Value) -> &'static Validator {
    let mut validators = VALIDATORS.lock().expect("no test panics while it holds this");
    validators.entry(schema.to_string()).or_insert_with(|| {
        let document = json!({ "allOf": [schema], "components": description()["components"] });
        Box::leak(Box::new(
            jsonschema::options()
                .should_validate_formats(true)
                .build(&document)
                .expect("the description has schemas that can be read"),
        ))
    })
}

/// The address of the operation that a request is for, as the description writes it.
pub fn address(method: &Method, path: &str) -> Option<String> {
    found(method, path).map(|(parts, _)| format!("{method} /{}", parts.join("/")))
}

/// The addresses of all operations that Microsoft publishes.
pub fn published() -> Vec<String> {
    let mut all = Vec::new();
    for (parts, item) in PATHS.iter() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if operation["x-published"] == true {
                all.push(format!("{} /{}", method.to_uppercase(), parts.join("/")));
            }
        }
    }
    all
}

fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    found(method, path).map(|(_, operation)| operation)
}

fn found(method: &Method, path: &str) -> Option<(&'static [&'static str], &'static Value)> {
    let decoded = path.replace("/microsoft.graph.", "/").replace("()", "");
    let segments: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
    let name = method.as_str().to_lowercase();
    PATHS.iter().find_map(|(parts, item)| {
        let fits = parts.len() == segments.len()
            && parts.iter().zip(&segments).all(|(part, segment)| {
                part.starts_with('{')
                    || part.trim_start_matches("microsoft.graph.").eq_ignore_ascii_case(segment)
            });
        if fits { Some((parts.as_slice(), item.get(&name)?)) } else { None }
    })
}
