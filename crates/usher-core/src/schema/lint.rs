//! Lint: what a schema may hold without being wrong, and what its author hardly means: mappings that nothing reaches,
//! matching attributes that are never written, expressions that can fail.

use std::collections::{BTreeMap, HashMap};

use smol_str::SmolStr;
use usher_expr::{Attributes, Context, ErrorKind, Severity, Value, compile};

use super::{
    AttributeMapping, FilterClause, FilterGroup, Mutability, ObjectDefinition, ObjectMapping, Rule, Schema,
    SchemaDiagnostic, SourceType,
};

/// Values that people leave in directories, and what they are called in a message.
const ODD: &[(&str, Option<&str>)] = &[
    ("has no value", None),
    ("is empty", Some("")),
    ("is \"x\"", Some("x")),
    ("is \"ä 1-2\"", Some("ä 1-2")),
];
/// A value that most expressions take.
const USUAL: &str = "2026-01-31T08:00:00Z";

/// Lists everything that is suspicious. All are warnings: such a schema runs.
pub fn lint(schema: &Schema) -> Vec<SchemaDiagnostic> {
    let mut found = Vec::new();
    let first = schema.synchronization_rules.first().map(|rule| rule.source_directory_name.as_str());
    for (index, rule) in schema.synchronization_rules.iter().enumerate() {
        let path = format!("$.synchronizationRules[{index}]");
        if first != Some(rule.source_directory_name.as_str()) {
            found.push(warning(
                "unreachableRule",
                &path,
                format!(
                    "the rule reads from '{}', but the job reads from '{}': cycles leave it out",
                    rule.source_directory_name,
                    first.unwrap_or_default()
                ),
                "put it into a job of its own, or remove it",
            ));
            continue;
        }
        lint_rule(schema, rule, &path, &mut found);
    }
    found
}

fn lint_rule(schema: &Schema, rule: &Rule, path: &str, found: &mut Vec<SchemaDiagnostic>) {
    let mut mapped: HashMap<String, usize> = HashMap::new();
    for (index, mapping) in rule.object_mappings.iter().enumerate().filter(|(_, mapping)| mapping.enabled) {
        let path = format!("{path}.objectMappings[{index}]");
        match mapped.get(&mapping.source_object_name.to_lowercase()) {
            Some(other) => {
                found.push(warning(
                    "unreachableMapping",
                    &path,
                    format!(
                        "objects of type '{}' are provisioned by objectMappings[{other}], so this mapping is never used \
                         on demand",
                        mapping.source_object_name
                    ),
                    "give one of them a type of its own, or disable it",
                ));
            }
            None => {
                mapped.insert(mapping.source_object_name.to_lowercase(), index);
            }
        }
        let flows = &mapping.flow_types;
        if !flows.add && !flows.update && !flows.delete {
            found.push(warning(
                "unreachableMapping",
                &path,
                "the object mapping allows neither Add nor Update nor Delete, so it does nothing".to_owned(),
                "set flowTypes, or disable the mapping",
            ));
        }
        lint_filter(mapping, &path, found);
        let target = schema
            .directory(&rule.target_directory_name)
            .and_then(|directory| directory.object(&mapping.target_object_name));
        lint_attributes(schema, rule, mapping, target, &path, found);
    }
}

fn lint_attributes(
    schema: &Schema,
    rule: &Rule,
    mapping: &ObjectMapping,
    target: Option<&ObjectDefinition>,
    path: &str,
    found: &mut Vec<SchemaDiagnostic>,
) {
    let all = &mapping.attribute_mappings;
    for (index, attribute) in all.iter().enumerate() {
        let path = format!("{path}.attributeMappings[{index}]");
        let name = &attribute.target_attribute_name;
        let definition = target.and_then(|object| object.attribute(name));
        let is_first = all.iter().position(|other| other.target_attribute_name == *name) == Some(index);
        if !is_first {
            found.push(warning(
                "unreachableMapping",
                &path,
                format!("'{name}' is mapped more than once; both values are sent, and the target decides"),
                "keep one of the mappings",
            ));
        }
        let has_default = attribute.default_value.as_ref().is_some_and(|text| !text.is_empty());
        if attribute.source.is_none() && !has_default {
            found.push(warning(
                "unreachableMapping",
                &path,
                format!("the mapping to '{name}' has neither a source nor a default, so nothing flows"),
                "give it one of them, or remove it",
            ));
        }
        if attribute.matching_priority > 0 {
            lint_matching(mapping, attribute, definition.map(|one| one.mutability), &path, found);
        }
        lint_expression(schema, rule, attribute, &path, found);
    }
}

fn lint_matching(
    mapping: &ObjectMapping,
    attribute: &AttributeMapping,
    mutability: Option<Mutability>,
    path: &str,
    found: &mut Vec<SchemaDiagnostic>,
) {
    let name = &attribute.target_attribute_name;
    let is_read_only = mutability == Some(Mutability::ReadOnly);
    let others = mapping.attribute_mappings.iter().any(|other| {
        other.matching_priority > 0 && other.target_attribute_name != *name && other.source.is_some()
    });
    if mapping.flow_types.add && is_read_only && !others {
        found.push(warning(
            "matchingNeverWritten",
            path,
            format!(
                "accounts are found by '{name}' alone, but it is read-only: an account that is made here is never \
                 found by it again"
            ),
            "match on an attribute that is written, too",
        ));
    }
}

fn lint_expression(
    schema: &Schema,
    rule: &Rule,
    attribute: &AttributeMapping,
    path: &str,
    found: &mut Vec<SchemaDiagnostic>,
) {
    let Some(source) = attribute.source.as_ref().filter(|one| one.source_type == SourceType::Function) else {
        return;
    };
    let Some(expression) = compile(source.expression_text(), rule.dialect(schema)).expression else { return };
    let context = Context::new(jiff::Timestamp::UNIX_EPOCH, 0);
    let usual = || -> BTreeMap<SmolStr, Value> {
        expression.attributes().iter().map(|name| (name.clone(), Value::from(USUAL))).collect()
    };
    for name in expression.attributes() {
        for (what, value) in ODD {
            let mut person = usual();
            match value {
                Some(text) => drop(person.insert(name.clone(), Value::from(*text))),
                None => drop(person.remove(name)),
            }
            let Err(error) = expression.evaluate(&person as &dyn Attributes, &context) else { continue };
            let consequence = match error.kind {
                ErrorKind::Raised => "the whole object fails",
                ErrorKind::Failed if attribute.matching_priority > 0 => "the whole object fails",
                ErrorKind::Failed => "the attribute is left out",
            };
            found.push(warning(
                "expressionCanFail",
                &format!("{path}.source"),
                format!(
                    "the value of '{}' cannot be computed when {name} {what}, and {consequence}: {error}",
                    attribute.target_attribute_name
                ),
                "test the value before it is used, for instance with IIF and IsPresent",
            ));
            // One way to fail is enough to be told of.
            return;
        }
    }
}

fn lint_filter(mapping: &ObjectMapping, path: &str, found: &mut Vec<SchemaDiagnostic>) {
    let Some(scope) = &mapping.scope else { return };
    for (kind, groups) in [
        ("groups", &scope.groups),
        ("inputFilterGroups", &scope.input_filter_groups),
        ("categoryFilterGroups", &scope.category_filter_groups),
    ] {
        for (index, group) in groups.iter().enumerate() {
            if let Some((one, other)) = contradiction(group) {
                found.push(warning(
                    "unreachableFilter",
                    &format!("{path}.scope.{kind}[{index}]"),
                    format!(
                        "no object passes this group: {} {} and {} cannot both hold",
                        one.source_operand_name,
                        told(one),
                        told(other)
                    ),
                    "put the clauses into groups of their own: one group that holds is enough",
                ));
            }
        }
    }
}

fn told(clause: &FilterClause) -> String {
    let operand: Vec<String> = clause.target_operand.iter().map(|text| format!(" \"{text}\"")).collect();
    format!("{}{}", clause.operator_name, operand.concat())
}

/// Two clauses of a group that cannot both hold.
fn contradiction(group: &FilterGroup) -> Option<(&FilterClause, &FilterClause)> {
    let pairs = group.clauses.iter().enumerate();
    let mut pairs =
        pairs.flat_map(|(place, one)| group.clauses[place + 1..].iter().map(move |two| (one, two)));
    pairs.find(|(one, two)| {
        one.source_operand_name.eq_ignore_ascii_case(&two.source_operand_name)
            && (denies(one, two) || denies(two, one))
    })
}

fn denies(one: &FilterClause, two: &FilterClause) -> bool {
    let name = |clause: &FilterClause| clause.operator_name.to_ascii_uppercase();
    let text = |clause: &FilterClause| clause.target_operand.first().map(|text| text.to_lowercase());
    match (name(one).as_str(), name(two).as_str()) {
        ("EQUALS", "EQUALS") => text(one) != text(two),
        ("EQUALS", "NOT EQUALS") => text(one) == text(two),
        ("IS TRUE", "IS FALSE") | ("IS NULL", "IS NOT NULL" | "EQUALS" | "IS TRUE" | "IS FALSE") => true,
        _ => false,
    }
}

fn warning(code: &'static str, path: &str, message: String, remedy: &str) -> SchemaDiagnostic {
    SchemaDiagnostic {
        severity: Severity::Warning,
        code,
        path: path.to_owned(),
        position: None,
        message,
        remedy: Some(remedy.to_owned()),
    }
}
