//! Any text: parsing never fails, and what compiles evaluates without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_core::AttributeSet;
use usher_expr::{Context, Dialect, compile};

fuzz_target!(|text: &str| {
    let context = Context {
        now: jiff_epoch(),
        seed: 7,
        parameters: Default::default(),
        default_domain: None,
        empty_condition_is_false: false,
    };
    for dialect in [Dialect::Service, Dialect::CloudSync, Dialect::Hybrid] {
        if let Some(expression) = compile(text, dialect).expression {
            let _ = expression.evaluate(&AttributeSet::default(), &context);
        }
    }
});

fn jiff_epoch<T: Default>() -> T {
    T::default()
}
