//! What the changes of an operation make of an object in memory.

use usher_core::{AttributeChange, AttributeSet, Change};
use usher_expr::Value;

/// Carries out changes.
pub(crate) fn apply(attributes: &mut AttributeSet, changes: &[AttributeChange]) {
    for AttributeChange { attribute, change, is_multivalued, .. } in changes {
        let held: Vec<Value> =
            attributes.value(attribute).map(|value| value.values().to_vec()).unwrap_or_default();
        let values = match change {
            Change::Add(values) if *is_multivalued => {
                let new = values.iter().filter(|value| !held.iter().any(|other| same(other, value)));
                held.iter().chain(new).cloned().collect()
            }
            Change::Add(values) | Change::Replace(values) => values.clone(),
            Change::Remove(values) if values.is_empty() => Vec::new(),
            Change::Remove(values) => {
                held.into_iter().filter(|one| !values.iter().any(|other| same(one, other))).collect()
            }
        };
        let value = match values.as_slice() {
            [] => Value::Null,
            [one] if !is_multivalued => one.clone(),
            _ => Value::from(values),
        };
        attributes.set(attribute.clone(), value);
    }
}

/// Whether two values are the same; case does not count.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    left.to_text().to_lowercase() == right.to_text().to_lowercase()
}
