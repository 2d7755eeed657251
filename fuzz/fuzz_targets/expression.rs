//! Any text: parsing never fails, and what compiles is printed, doubted, explained and evaluated without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_expr::{Attributes, Context, Dialect, Value, compile, parse};

/// Attributes of all kinds: which one a name has follows from its length.
struct Any;

impl Attributes for Any {
    fn get(&self, name: &str) -> Value {
        match name.len() % 9 {
            0 => Value::Null,
            1 => Value::text(name),
            2 => Value::from(-7),
            3 => Value::from(true),
            4 => Value::from(jiff::Timestamp::UNIX_EPOCH),
            5 => Value::Binary(name.as_bytes().into()),
            6 => Value::list([Value::text(name), Value::text("ä b"), Value::Null]),
            7 => Value::Reference("x".into()),
            _ => Value::from_json(&serde_json::json!({ "displayName": "x", "value": "y" })),
        }
    }
}

fuzz_target!(|text: &str| {
    let context = Context::new(jiff::Timestamp::UNIX_EPOCH, 7);
    for dialect in [Dialect::Service, Dialect::CloudSync, Dialect::Hybrid] {
        let compilation = compile(text, dialect);
        let _ = usher_expr::render(text, "expression", &compilation.diagnostics, false);
        let Some(expression) = compilation.expression else { continue };
        let printed = compilation.tree.to_string();
        assert_eq!(parse(&printed, dialect).tree, compilation.tree, "{printed}");
        let outcome = expression.evaluate(&Any, &context);
        assert_eq!(format!("{:?}", expression.explain(&Any, &context).outcome), format!("{outcome:?}"));
        let _ = expression.doubts();
    }
});
