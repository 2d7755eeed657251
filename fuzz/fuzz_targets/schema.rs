//! Any bytes: reading and checking a schema lists problems and never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_core::schema;

fuzz_target!(|bytes: &[u8]| {
    if let Some(document) = schema::read(bytes).schema {
        let _ = schema::check(&document);
        let _ = document.to_json();
    }
});
