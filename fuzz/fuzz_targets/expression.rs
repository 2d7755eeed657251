//! Any text: parsing never fails, and what compiles evaluates without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_core::AttributeSet;
use usher_expr::{Context, Dialect, compile};

fuzz_target!(|text: &str| {
    let context = Context::new(jiff::Timestamp::UNIX_EPOCH, 7);
    for dialect in [Dialect::Service, Dialect::CloudSync, Dialect::Hybrid] {
        if let Some(expression) = compile(text, dialect).expression {
            let _ = expression.evaluate(&AttributeSet::default(), &context);
        }
    }
});
