//! Symbols: names for values that only the target can give. All their characters stay as they are in every address,
//! distinguished name and filter.

use std::collections::BTreeMap;

use smol_str::{SmolStr, format_smolstr};
use usher_expr::Value;

use crate::{Anchor, AttributeChange, Change, Operation};

/// What every symbol begins with.
pub const PREFIX: &str = "@new-";

/// The symbol of the nth new object of a type.
pub fn symbol(object_type: &str, number: usize) -> Anchor {
    let name: String = object_type
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    Anchor::new(format_smolstr!("{PREFIX}{name}-{number}"))
}

/// Whether an anchor is a symbol.
pub fn is_symbol(anchor: &Anchor) -> bool {
    anchor.as_str().starts_with(PREFIX)
}

/// The operations with symbols in place of the anchors that they stand for. What follows a create gets the symbol of
/// the object that is made.
pub fn with_symbols(
    operations: &[Operation],
    own: Option<&Anchor>,
    symbols: &BTreeMap<Anchor, Anchor>,
) -> Vec<Operation> {
    let is_create = |operation: &Operation| operation.kind == crate::OperationKind::Create;
    operations
        .iter()
        .map(|operation| Operation {
            anchor: match &operation.anchor {
                Some(anchor) => Some(symbols.get(anchor).unwrap_or(anchor).clone()),
                None if is_create(operation) => None,
                None => own.cloned(),
            },
            changes: operation.changes.iter().map(|change| changed(change, symbols)).collect(),
            ..operation.clone()
        })
        .collect()
}

fn changed(change: &AttributeChange, symbols: &BTreeMap<Anchor, Anchor>) -> AttributeChange {
    let swap = |values: &[Value]| -> Vec<Value> {
        values
            .iter()
            .map(|value| match value {
                Value::Reference(text) => {
                    let symbol = symbols.get(&Anchor::new(text.clone()));
                    Value::Reference(symbol.map_or_else(|| text.clone(), |symbol| symbol.as_str().into()))
                }
                other => other.clone(),
            })
            .collect()
    };
    let change_with_symbols = match &change.change {
        Change::Add(values) => Change::Add(swap(values)),
        Change::Replace(values) => Change::Replace(swap(values)),
        Change::Remove(values) => Change::Remove(swap(values)),
    };
    AttributeChange { change: change_with_symbols, ..change.clone() }
}

/// A text in which every symbol is replaced by its value.
pub fn resolved(text: &str, values: &BTreeMap<Anchor, Anchor>) -> SmolStr {
    // The longest first: `@new-user-1` is the beginning of `@new-user-12`.
    let mut symbols: Vec<(&Anchor, &Anchor)> = values.iter().collect();
    symbols.sort_by_key(|(symbol, _)| std::cmp::Reverse(symbol.as_str().len()));
    symbols
        .into_iter()
        .fold(text.to_owned(), |text, (symbol, value)| text.replace(symbol.as_str(), value.as_str()))
        .into()
}

/// The symbols that stand in a text.
pub fn mentioned(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(PREFIX).map(|(start, _)| {
        let rest = &text[start..];
        let is_part = |letter: char| letter == '-' || letter.is_ascii_alphanumeric();
        let end = rest[1..].find(|letter| !is_part(letter)).map_or(rest.len(), |end| end + 1);
        &rest[..end]
    })
}

/// What operations stand for, as one text: kinds, anchors, attributes and values, those that are never shown included.
/// Only a digest of it under a key may be kept.
pub fn told(operations: &[Operation]) -> String {
    let operations: Vec<serde_json::Value> = operations
        .iter()
        .map(|operation| {
            let changes: Vec<serde_json::Value> = operation
                .changes
                .iter()
                .map(|change| {
                    let (verb, values) = match &change.change {
                        Change::Add(values) => ("add", values),
                        Change::Replace(values) => ("replace", values),
                        Change::Remove(values) => ("remove", values),
                    };
                    let values: Vec<serde_json::Value> = values
                        .iter()
                        .map(|value| serde_json::json!([value.kind().as_str(), value.to_json()]))
                        .collect();
                    serde_json::json!([change.attribute.as_str(), verb, change.is_reference, values])
                })
                .collect();
            serde_json::json!([
                format!("{:?}", operation.kind),
                operation.object_type.as_str(),
                operation.anchor.as_ref().map(Anchor::as_str),
                changes
            ])
        })
        .collect();
    serde_json::Value::Array(operations).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OperationKind;

    fn refers(to: &str) -> AttributeChange {
        AttributeChange {
            attribute: "manager".into(),
            change: Change::Add(vec![Value::Reference(to.into())]),
            is_reference: true,
            is_multivalued: false,
        }
    }

    fn update(anchor: Option<&str>, to: &str) -> Operation {
        Operation {
            kind: OperationKind::Update,
            object_type: "User".into(),
            anchor: anchor.map(Anchor::new),
            changes: vec![refers(to)],
        }
    }

    #[test]
    fn what_is_known_by_now_reads_as_it_was_planned() {
        let own = symbol("urn:x:User", 2);
        assert_eq!(own.as_str(), "@new-urnxuser-2");
        let boss = symbol("User", 1);
        let known = BTreeMap::from([(Anchor::new("a-77"), boss.clone())]);
        let planned = with_symbols(&[update(None, boss.as_str())], Some(&own), &BTreeMap::new());
        let now = with_symbols(&[update(None, "a-77")], Some(&own), &known);
        assert_eq!(planned, now);
        assert_eq!(told(&planned), told(&now));
        assert_ne!(told(&planned), told(&[update(Some("a-1"), "a-77")]));
    }

    #[test]
    fn symbols_are_found_whatever_stands_around_them() {
        let found: Vec<&str> =
            mentioned(r#"/Users/@new-user-12?x=@new-group-1 {"a":"@new-user-1"} @new-"#).collect();
        assert_eq!(found, ["@new-user-12", "@new-group-1", "@new-user-1", "@new-"]);
    }

    #[test]
    fn a_symbol_that_begins_another_is_not_mistaken_for_it() {
        let values = BTreeMap::from([
            (symbol("User", 1), Anchor::new("one")),
            (symbol("User", 12), Anchor::new("twelve")),
        ]);
        assert_eq!(resolved("/Users/@new-user-12?x=@new-user-1", &values), "/Users/twelve?x=one");
    }
}
