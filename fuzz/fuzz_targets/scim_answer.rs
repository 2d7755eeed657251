//! Any JSON: a resource of a SCIM answer is translated or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_connectors::scim::read_resource;

const ATTRIBUTES: &[&str] = &[
    "userName",
    "active",
    "name.givenName",
    "emails[type eq \"work\"].value",
    "roles[primary eq \"True\"].value",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    "members",
];

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = serde_json::from_slice::<serde_json::Value>(bytes) {
        let attributes: Vec<_> = ATTRIBUTES.iter().map(|name| (*name).into()).collect();
        let _ = read_resource("User", &document, &attributes);
    }
});
