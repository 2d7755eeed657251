//! Throwaway.
use usher_core::schema::{self, Severity};
#[test]
fn published() {
    let Ok(files) = std::env::var("USHER_DOCS") else { return };
    for file in files.split_whitespace() {
        let bytes = std::fs::read(file).unwrap();
        let reading = schema::read(&bytes);
        let mut all = reading.diagnostics;
        if let Some(s) = &reading.schema {
            all.extend(schema::check(s));
            if let Ok(v) = serde_json::from_slice::<serde_json::Value>(&bytes) {
                let v = v.get("schema").cloned().unwrap_or(v);
                println!("  roundtrip {}", v == s.to_json());
            }
        }
        let errors = all.iter().filter(|d| d.severity == Severity::Error).count();
        println!("== {file}: {errors} errors {} warnings", all.len() - errors);
        let mut seen = std::collections::BTreeMap::new();
        for d in &all {
            let n = seen.entry(d.code).or_insert(0);
            *n += 1;
            if *n <= 6 || d.severity == Severity::Error {
                println!("  {:?} {} {} {:?} {} | {}", d.severity, d.code, d.path, d.position, d.message, d.remedy.as_deref().unwrap_or(""));
            }
        }
        println!("  {seen:?}");
    }
}
