//! How many typical mappings one core evaluates in a second.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use smol_str::SmolStr;
use usher_expr::{Attributes, Context, Dialect, Value, compile};

const MAPPINGS: &[(&str, &str)] = &[
    ("join", r#"Join(" ", [givenName], [surname])"#),
    (
        "principal-name",
        r#"Join("@", NormalizeDiacritics(StripSpaces(Join(".", [givenName], [surname]))), "woodgrove.example")"#,
    ),
    (
        "switch",
        r#"Switch([state], "UTC", "NSW", "Sydney", "QLD", "Brisbane", "SA", "Adelaide", "WA", "Perth")"#,
    ),
    ("choice", r#"IIF(BitAnd([userAccountControl], 2)="0", "True", "False")"#),
    ("substring", r#"Append(Mid([givenName], 1, 3), Left(ToLower([surname]), 5))"#),
];

/// A person as a connector hands one over: a map behind the trait.
struct Person(BTreeMap<SmolStr, Value>);

impl Attributes for Person {
    fn get(&self, name: &str) -> Value {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

fn evaluate(criterion: &mut Criterion) {
    let person = Person(
        [
            ("givenName", "Annabelle"),
            ("surname", "van der Berg"),
            ("state", "WA"),
            ("userAccountControl", "514"),
            ("mail", "annabelle@woodgrove.example"),
        ]
        .into_iter()
        .map(|(name, value)| (SmolStr::new(name), Value::text(value)))
        .collect(),
    );
    let context = Context::new(Timestamp::UNIX_EPOCH, 1);
    let mut group = criterion.benchmark_group("evaluate");
    group.throughput(Throughput::Elements(1));
    for (name, mapping) in MAPPINGS {
        let expression = compile(mapping, Dialect::Service).expression.expect("the mapping compiles");
        group.bench_function(*name, |bencher| {
            bencher.iter(|| expression.evaluate(black_box(&person), black_box(&context)));
        });
    }
    group.finish();
}

criterion_group!(benches, evaluate);
criterion_main!(benches);
