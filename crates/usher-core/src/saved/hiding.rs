//! What a plan never shows: passwords, what redacted mappings make and what they read.

use indexmap::IndexMap;
use smol_str::SmolStr;
use usher_expr::Value;

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

    /// The steps as they may be shown.
    pub fn steps(&self, steps: &[Step]) -> Vec<Step> {
        let mut steps = steps.to_vec();
        for step in &mut steps {
            for (name, value) in &mut step.details {
                if hides(&self.source, name) || hides(&self.target, name) {
                    REDACTED.clone_into(value);
                }
            }
        }
        steps
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
