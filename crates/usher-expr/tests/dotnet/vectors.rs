//! Reading vector files and comparing them with answers.

use serde_json::Value;

/// One line of a vector file.
pub struct Vector(Value);

impl Vector {
    /// A member that is a text.
    pub fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("no text {name} in {}", self.0))
    }

    /// A member that is a text or null.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0[name].as_str()
    }

    /// A member that is a number.
    pub fn number(&self, name: &str) -> i64 {
        self.0[name].as_i64().unwrap_or_else(|| panic!("no number {name} in {}", self.0))
    }

    /// A member of any kind.
    pub fn member(&self, name: &str) -> &Value {
        &self.0[name]
    }
}

/// Compares every vector of a kind with an answer. `answer` gives the expected and the actual
/// form. At least `least` vectors must be there; one that is said to differ must differ.
pub fn check(file: &str, kind: Option<&str>, least: usize, answer: impl Fn(&Vector) -> (String, String)) {
    let vectors = file.lines().map(|line| Vector(serde_json::from_str(line).expect("a line of JSON")));
    let mut failures = String::new();
    let mut count = 0;
    for vector in vectors.filter(|vector| vector.optional("kind") == kind) {
        count += 1;
        let (expected, actual) = answer(&vector);
        let differs = vector.optional("differs").is_some();
        if (expected != actual) != differs {
            failures.push_str(&format!("{}\n  expected {expected}\n  actual   {actual}\n", vector.0));
        }
    }
    assert!(count >= least, "only {count} vectors of kind {kind:?}");
    assert!(failures.is_empty(), "\n{failures}");
}
