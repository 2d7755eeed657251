//! Plans a second: import from memory, the rule's mappings, match in memory. Prints figures, asserts nothing.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use usher_core::planner::{Decision, plan};
use usher_core::ports::Entitlement;
use usher_core::program::RuleProgram;
use usher_core::{Anchor, Answer, DirectoryObject, Facts, Question, schema};
use usher_expr::{Context, Value};

fn plans(criterion: &mut Criterion) {
    let reading = schema::read(include_bytes!("../tests/planner/schema.json"));
    let document = reading.schema.expect("the fixture is a schema");
    let rule =
        RuleProgram::compile(&document, &document.synchronization_rules[0]).expect("the fixture compiles");
    let mapping = rule.mapping("User").expect("the fixture maps users");
    let attributes = json!({
        "userPrincipalName": "adele@x", "displayName": "Adele Vance", "department": "Retail", "mail": "adele@x",
        "employeeId": "1001", "accountEnabled": "True", "proxyAddresses": ["a@x", "b@x"],
    });
    let source = DirectoryObject {
        object_type: "User".into(),
        anchor: Anchor::new("s-1"),
        attributes: attributes
            .as_object()
            .expect("attributes are an object")
            .iter()
            .map(|(name, value)| (name.as_str(), Value::from_json(value)))
            .collect(),
    };
    let context = Context {
        now: jiff::Timestamp::UNIX_EPOCH,
        seed: 42,
        parameters: BTreeMap::new(),
        default_domain: None,
        empty_condition_is_false: false,
    };
    let mut group = criterion.benchmark_group("plan");
    group.throughput(Throughput::Elements(1));
    group.bench_function("create", |bencher| {
        bencher.iter(|| {
            let mut facts = Facts {
                named: "s-1".into(),
                source: Some(source.clone()),
                entitlement: Some(Entitlement { is_assigned: true, has_role: true }),
                applies_filters: true,
                ..Facts::default()
            };
            loop {
                match plan(mapping, &facts, "Source", "Target", &context) {
                    Decision::Done(plan) => break black_box(plan),
                    Decision::Ask(questions) => facts.answers.extend(questions.into_iter().map(|question| {
                        let answer = match &question {
                            Question::Match(_) => Answer::Matches(Vec::new()),
                            _ => Answer::Claims(Vec::new()),
                        };
                        (question, answer)
                    })),
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benches, plans);
criterion_main!(benches);
