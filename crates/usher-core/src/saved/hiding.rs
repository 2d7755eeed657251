//! What a plan never shows: passwords, what redacted mappings make and what they read.

use indexmap::IndexMap;
use serde_json::Value as Json;
use smol_str::SmolStr;
use usher_expr::Value;

use crate::ports::Exchange;
use crate::program::MappingProgram;
use crate::steps::processing::REDACTED;
use crate::steps::shown;
use crate::{AttributeSet, Change, Operation, Step};

/// The attributes of a mapping whose values are not shown.
pub struct Hidden {
    source: Vec<SmolStr>,
    target: Vec<SmolStr>,
}

impl Hidden {
    /// Those of a mapping.
    pub fn of(mapping: &MappingProgram) -> Self {
        let redacted = mapping.attributes.iter().filter(|attribute| attribute.is_redacted());
        let (mut source, mut target) = (Vec::new(), Vec::new());
        for attribute in redacted {
            source.extend(attribute.reads().iter().cloned());
            target.push(attribute.target.clone());
        }
        Self { source, target }
    }

    /// The attributes of a source object as texts.
    pub fn source(&self, attributes: &AttributeSet) -> IndexMap<SmolStr, String> {
        texts(attributes, &self.source)
    }

    /// The attributes of a target object as texts.
    pub fn target(&self, attributes: &AttributeSet) -> IndexMap<SmolStr, String> {
        texts(attributes, &self.target)
    }

    /// Whether a source attribute is hidden.
    pub fn hides_source(&self, name: &str) -> bool {
        hides(&self.source, name)
    }

    /// Whether a target attribute is hidden.
    pub fn hides_target(&self, name: &str) -> bool {
        hides(&self.target, name)
    }

    /// The operations as they may be shown.
    pub fn operations(&self, operations: &[Operation]) -> Vec<Operation> {
        let mut operations = operations.to_vec();
        for change in operations.iter_mut().flat_map(|operation| &mut operation.changes) {
            if !hides(&self.target, &change.attribute) {
                continue;
            }
            match &mut change.change {
                Change::Add(values) | Change::Replace(values) | Change::Remove(values) => {
                    values.iter_mut().for_each(|value| *value = Value::from(REDACTED));
                }
            }
        }
        operations
    }

    /// What was sent for an operation, and what came back, as it may be shown.
    pub fn exchanges(&self, operation: &Operation, exchanges: Vec<Exchange>) -> Vec<Exchange> {
        let changes = operation.changes.iter().filter(|change| hides(&self.target, &change.attribute));
        let values = changes.flat_map(|change| match &change.change {
            Change::Add(values) | Change::Replace(values) | Change::Remove(values) => values,
        });
        let mut texts: Vec<String> =
            values.map(|value| value.to_text().to_string()).filter(|text| !text.is_empty()).collect();
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        if texts.is_empty() {
            return exchanges;
        }
        let shown = |mut exchange: Exchange| {
            redact_text(&mut exchange.request.path, &texts);
            let answered = exchange.answer.as_mut().and_then(|answer| answer.body.as_mut());
            exchange.request.body.as_mut().into_iter().chain(answered).for_each(|body| redact(body, &texts));
            exchange
        };
        exchanges.into_iter().map(shown).collect()
    }

    /// The steps as they may be shown.
    pub fn steps(&self, steps: &[Step]) -> Vec<Step> {
        let mut steps = steps.to_vec();
        self.hide_in(&mut steps);
        steps
    }

    /// Leaves in steps what may be shown.
    pub fn hide_in(&self, steps: &mut [Step]) {
        if self.source.is_empty() && self.target.is_empty() {
            return;
        }
        for (name, value) in steps.iter_mut().flat_map(|step| &mut step.details) {
            if hides(&self.source, name) || hides(&self.target, name) {
                REDACTED.clone_into(value);
            }
        }
    }
}

/// A value of few characters stands in other texts by chance: it is hidden where it stands alone.
const TELLING: usize = 4;

/// `hidden` has the longest first: one may be the beginning of another.
fn redact_text(text: &mut String, hidden: &[String]) {
    for secret in hidden {
        if text == secret {
            REDACTED.clone_into(text);
        } else if secret.chars().count() >= TELLING {
            *text = text.replace(secret, REDACTED);
        }
    }
}

fn redact(value: &mut Json, hidden: &[String]) {
    match value {
        Json::String(text) => redact_text(text, hidden),
        Json::Array(values) => values.iter_mut().for_each(|value| redact(value, hidden)),
        Json::Object(members) => {
            let named = std::mem::take(members).into_iter().map(|(mut name, mut value)| {
                redact_text(&mut name, hidden);
                redact(&mut value, hidden);
                (name, value)
            });
            *members = named.collect();
        }
        Json::Null => {}
        plain if hidden.iter().any(|secret| secret.eq_ignore_ascii_case(&plain.to_string())) => {
            *plain = Json::from(REDACTED);
        }
        Json::Bool(_) | Json::Number(_) => {}
    }
}

fn texts(attributes: &AttributeSet, hidden: &[SmolStr]) -> IndexMap<SmolStr, String> {
    attributes
        .iter()
        .map(|(name, value)| {
            let text = if hides(hidden, name) { REDACTED.to_owned() } else { shown(value) };
            (name.clone(), text)
        })
        .collect()
}

fn hides(hidden: &[SmolStr], name: &str) -> bool {
    // Extensions and sub-attributes are told apart by what they end with.
    let last = name.rsplit(['.', ':']).next().unwrap_or(name);
    last.to_ascii_lowercase().ends_with("password") || hidden.iter().any(|one| one.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_values_of_an_answer_are_hidden_alike() {
        let hidden = ["badge-1234567", "badge-123", "7"].map(str::to_owned);
        let mut answer = json!({
            "badge-123": "the badge-1234567 of 7", "7": 7, "17": ["badge-123"], "at": { "x-badge-123": true },
        });
        redact(&mut answer, &hidden);
        assert_eq!(
            answer,
            json!({
                "[Redact]": "[Redact]", "17": ["[Redact]"], "at": { "x-[Redact]": true },
            })
        );
    }
}
