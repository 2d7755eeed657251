//! Any JSON: a SCIM answer is translated or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = serde_json::from_slice::<serde_json::Value>(bytes) {
        usher_connectors::scim::translate_any(&document);
    }
});
