//! Reading, checking and writing synchronization schemas.

mod common {
    use expect_test::Expect;
    use serde_json::Value;
    use usher_core::schema::{self, Schema, SchemaDiagnostic, Severity};

    /// A schema without a fault.
    pub const BADGES: &str = include_str!("badges.json");

    /// The text's schema, or what is wrong with it.
    pub fn schema(text: &str) -> Schema {
        let reading = schema::read(text.as_bytes());
        reading.schema.unwrap_or_else(|| panic!("no schema: {}", lines(&reading.diagnostics)))
    }

    /// One line for each problem, and its remedy.
    pub fn lines(diagnostics: &[SchemaDiagnostic]) -> String {
        let mut lines = String::new();
        for one in diagnostics {
            let severity = if one.severity == Severity::Error { "error" } else { "warning" };
            lines.push_str(&format!("{severity} {} {}: {}\n", one.code, one.path, one.message));
            lines.push_str(&format!("  {}\n", one.remedy.as_deref().unwrap_or("-")));
        }
        lines
    }

    pub const RULE: &str = "/synchronizationRules/0";
    pub const MAPPING: &str = "/synchronizationRules/0/objectMappings/0";
    pub const LOGIN: &str = "/synchronizationRules/0/objectMappings/0/attributeMappings/0";
    pub const FULL_NAME: &str = "/synchronizationRules/0/objectMappings/0/attributeMappings/1";
    pub const SUPERIOR: &str = "/synchronizationRules/0/objectMappings/0/attributeMappings/4";
    pub const SOURCE: &str = "/directories/0/objects/0/attributes";
    pub const TARGET: &str = "/directories/1/objects/0/attributes";

    /// Puts `value` into the member or place `pointer` of the schema without a fault, and lists what is said then.
    pub fn with(pointer: &str, value: Value, expected: Expect) {
        with_all(&[(pointer.to_owned(), value)], expected);
    }

    /// The same with several changes.
    pub fn with_all(changes: &[(String, Value)], expected: Expect) {
        expected.assert_eq(&lines(&schema::check(&changed(changes))));
    }

    /// The schema without a fault after the changes.
    pub fn changed(changes: &[(String, Value)]) -> Schema {
        let mut document: Value = serde_json::from_str(BADGES).expect("it is JSON");
        for (pointer, value) in changes {
            let (parent, member) = pointer.rsplit_once('/').expect("a pointer has a slash");
            match document.pointer_mut(parent).expect("the place exists") {
                Value::Array(items) if member == "-" => items.push(value.clone()),
                Value::Array(items) => {
                    items[member.parse::<usize>().expect("it is an index")] = value.clone()
                }
                parent => parent[member] = value.clone(),
            }
        }
        schema(&document.to_string())
    }
}

mod checking;
mod linting;
mod mappings;
mod reading;
mod syntax;
mod writing;
