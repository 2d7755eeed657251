//! Lint: what a schema may hold without being wrong, and what its author hardly means: mappings that nothing reaches,
//! conditions that decide nothing, matching attributes that are never written, expressions that can fail.

mod expressions;
mod filters;

use std::collections::{HashMap, HashSet};

use super::{
    AttributeMapping, AttributeType, FlowBehavior, FlowType, Mutability, ObjectDefinition, ObjectMapping,
    Rule, Schema, SchemaDiagnostic, Severity, SourceType, check,
};

/// The names of what lint finds besides what checking finds, and what each means.
pub const LINT_RULES: &[(&str, &str)] = &[
    ("unreachableRule", "a rule that reads from another directory than the job"),
    (
        "unreachableMapping",
        "an object or attribute mapping that nothing comes to, by type, flow type or mutability",
    ),
    ("unreachableFilter", "a filter group that no object passes"),
    ("needlessFilter", "filter groups that hold nobody back"),
    ("matchingNeverWritten", "accounts are found by attributes that are never written"),
    ("constantCondition", "a condition that always holds, never does, or decides nothing"),
    ("constantExpression", "an expression that yields the same for everybody"),
    ("doubledKey", "a key that stands twice in `Switch`"),
    ("unreachableArgument", "an argument that `Coalesce` never comes to"),
    ("expressionCanFail", "an expression that fails on a value that its attributes may have"),
];

/// Lists everything that is suspicious, once each: what checking finds, and what only lint does. Its own findings are
/// warnings: such a schema runs.
pub fn lint(schema: &Schema) -> Vec<SchemaDiagnostic> {
    let mut linter = Linter { schema, found: check(schema) };
    let first = schema.synchronization_rules.first().map(|rule| rule.source_directory_name.as_str());
    for (index, rule) in schema.synchronization_rules.iter().enumerate() {
        let path = format!("$.synchronizationRules[{index}]");
        if first != Some(rule.source_directory_name.as_str()) {
            linter.warn(
                "unreachableRule",
                &path,
                format!(
                    "the rule reads from '{}', but the job reads from '{}': cycles leave it out",
                    rule.source_directory_name,
                    first.unwrap_or_default()
                ),
                "put it into a job of its own, or remove it",
            );
            continue;
        }
        linter.rule(rule, &path);
    }
    let mut known = HashSet::new();
    let mut found = linter.found;
    found.retain(|one| known.insert((one.code, one.path.clone(), one.message.clone())));
    found
}

struct Linter<'a> {
    schema: &'a Schema,
    found: Vec<SchemaDiagnostic>,
}

impl<'a> Linter<'a> {
    fn rule(&mut self, rule: &Rule, path: &str) {
        let mut mapped: HashMap<String, usize> = HashMap::new();
        for (index, mapping) in rule.object_mappings.iter().enumerate().filter(|(_, mapping)| mapping.enabled)
        {
            let path = format!("{path}.objectMappings[{index}]");
            let name = &mapping.source_object_name;
            if let Some(other) = mapped.get(&name.to_lowercase()) {
                self.warn(
                    "unreachableMapping",
                    &path,
                    format!(
                        "objects of type '{name}' are provisioned by objectMappings[{other}], so this mapping is never used \
                         on demand"
                    ),
                    "give one of them a type of its own, or disable it",
                );
            } else {
                mapped.insert(name.to_lowercase(), index);
            }
            let source = self.object(&rule.source_directory_name, name);
            let target = self.object(&rule.target_directory_name, &mapping.target_object_name);
            self.filter(mapping, source, &path);
            self.never_written(mapping, target, &path);
            self.matching(mapping, target, &path);
            for (index, attribute) in mapping.attribute_mappings.iter().enumerate() {
                self.expression(
                    rule,
                    attribute,
                    (source, target),
                    &format!("{path}.attributeMappings[{index}]"),
                );
            }
        }
    }

    fn object(&self, directory: &str, object: &str) -> Option<&'a ObjectDefinition> {
        self.schema.directory(directory).and_then(|directory| directory.object(object))
    }

    /// Attribute mappings whose value never flows.
    fn never_written(&mut self, mapping: &ObjectMapping, target: Option<&ObjectDefinition>, path: &str) {
        let flows = &mapping.flow_types;
        let is_read = |attribute: &AttributeMapping| attribute.matching_priority > 0;
        if !flows.add && !flows.update {
            if flows.delete && !mapping.attribute_mappings.iter().all(is_read) {
                self.warn(
                    "unreachableMapping",
                    path,
                    "the flow types allow neither Add nor Update, so that no attribute mapping is ever written".to_owned(),
                    "allow Add or Update, or keep the matching attributes only",
                );
            }
            return;
        }
        for (index, attribute) in mapping.attribute_mappings.iter().enumerate() {
            let name = &attribute.target_attribute_name;
            let path = format!("{path}.attributeMappings[{index}]");
            let has_default = attribute.default_value.as_ref().is_some_and(|text| !text.is_empty());
            if attribute.source.is_none() && !has_default {
                self.warn(
                    "unreachableMapping",
                    &path,
                    format!("the mapping to '{name}' has neither a source nor a default, so nothing flows"),
                    "give it one of them, or remove it",
                );
            }
            let definition = target.and_then(|object| object.attribute(name));
            let is_fixed =
                attribute.source.as_ref().is_none_or(|one| one.source_type == SourceType::Constant);
            if definition.is_some_and(|one| one.value_type == AttributeType::Reference)
                && is_fixed
                && (has_default || attribute.source.is_some())
            {
                self.warn(
                    "unreachableMapping",
                    &path,
                    format!("'{name}' is a reference, which a fixed value never becomes, so nothing flows"),
                    "map a reference of the source, or remove the mapping",
                );
            }
            let mutability = definition.map(|one| one.mutability);
            let because = match mutability {
                _ if attribute.flow_type == FlowType::ObjectAddOnly => "its flow type is ObjectAddOnly",
                Some(Mutability::Immutable) => "the target attribute is immutable",
                Some(Mutability::WriteOnly) if attribute.flow_behavior == FlowBehavior::FlowWhenChanged => {
                    "the target attribute is never given back, so that no change of it is seen"
                }
                _ => continue,
            };
            if !flows.add && !is_read(attribute) {
                self.warn(
                    "unreachableMapping",
                    &path,
                    format!(
                        "'{name}' is written to new objects only ({because}), but the object mapping does not allow Add"
                    ),
                    "allow Add, change the flow type, or remove the mapping",
                );
            }
        }
    }

    /// Accounts that are made here must be found again.
    fn matching(&mut self, mapping: &ObjectMapping, target: Option<&ObjectDefinition>, path: &str) {
        let is_read_only = |attribute: &AttributeMapping| {
            let definition = target.and_then(|object| object.attribute(&attribute.target_attribute_name));
            definition.is_some_and(|one| one.mutability == Mutability::ReadOnly)
        };
        let mut matching =
            mapping.attribute_mappings.iter().enumerate().filter(|(_, one)| one.matching_priority > 0);
        let Some((index, first)) = matching.clone().next() else { return };
        if mapping.flow_types.add && matching.all(|(_, attribute)| is_read_only(attribute)) {
            self.warn(
                "matchingNeverWritten",
                &format!("{path}.attributeMappings[{index}]"),
                format!(
                    "accounts are found by '{}', but it is read-only: an account that is made here is never found by it \
                     again",
                    first.target_attribute_name
                ),
                "match on an attribute that is written, too",
            );
        }
    }

    fn warn(&mut self, code: &'static str, path: &str, message: String, remedy: &str) {
        self.found.push(SchemaDiagnostic {
            severity: Severity::Warning,
            code,
            path: path.to_owned(),
            position: None,
            message,
            remedy: Some(remedy.to_owned()),
        });
    }
}
