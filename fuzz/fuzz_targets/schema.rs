//! Any bytes: reading, checking, linting and compiling a schema lists problems and never panics; what is written reads as
//! the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_core::program::RuleProgram;
use usher_core::schema;

fuzz_target!(|bytes: &[u8]| {
    let Some(document) = schema::read(bytes).schema else { return };
    let _ = schema::lint(&document);
    for rule in &document.synchronization_rules {
        let _ = RuleProgram::compile(&document, rule);
    }
    let written = document.to_json().to_string();
    assert_eq!(schema::read(written.as_bytes()).schema.as_ref(), Some(&document));
});
