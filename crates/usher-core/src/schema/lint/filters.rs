//! Scoping filters that no object passes, or that hold nobody back.

use usher_expr::Value;

use super::Linter;
use crate::operators::{self, CompiledClause, NullMode};
use crate::schema::{
    AttributeDefinition, AttributeType, FilterClause, FilterGroup, ObjectDefinition, ObjectMapping,
    ScopingFilter,
};

impl Linter<'_> {
    pub(super) fn filter(&mut self, mapping: &ObjectMapping, source: Option<&ObjectDefinition>, path: &str) {
        let Some(scope) = &mapping.scope else { return };
        for (kind, groups, mode) in kinds(scope) {
            for (index, group) in groups.iter().enumerate() {
                if let Some(clauses) = contradiction(group, source, mode) {
                    let told: Vec<String> = clauses.iter().map(|clause| told(clause)).collect();
                    let name = &clauses[0].source_operand_name;
                    let message = match told.as_slice() {
                        [one] => format!("no object passes this group: {name} {one} never holds"),
                        several => format!(
                            "no object passes this group: {name} {} cannot hold together",
                            several.join(" and ")
                        ),
                    };
                    self.warn(
                        "unreachableFilter",
                        &format!("{path}.scope.{kind}[{index}]"),
                        message,
                        "correct the clauses, or put them into groups of their own: one group that holds is enough",
                    );
                }
            }
            if let Some((one, other)) = complement(groups) {
                self.warn(
                    "needlessFilter",
                    &format!("{path}.scope.{kind}"),
                    format!(
                        "every object passes: of the groups '{}' and '{}' one always holds",
                        one.name, other.name
                    ),
                    "put the clauses into one group, where all must hold, or remove the two",
                );
            }
        }
    }
}

/// The kinds of groups, and what their clauses say of nothing.
fn kinds(scope: &ScopingFilter) -> [(&'static str, &[FilterGroup], NullMode); 3] {
    [
        ("groups", &scope.groups, NullMode::False),
        ("inputFilterGroups", &scope.input_filter_groups, NullMode::NegationsTrue),
        ("categoryFilterGroups", &scope.category_filter_groups, NullMode::NegationsTrue),
    ]
}

fn told(clause: &FilterClause) -> String {
    let operands: Vec<String> = clause.target_operand.iter().map(|text| format!("\"{text}\"")).collect();
    format!("{} {}", clause.operator_name, operands.join(", ")).trim_end().to_owned()
}

/// The clauses over one attribute that cannot hold together.
fn contradiction<'a>(
    group: &'a FilterGroup,
    source: Option<&ObjectDefinition>,
    mode: NullMode,
) -> Option<Vec<&'a FilterClause>> {
    group.clauses.iter().enumerate().find_map(|(place, first)| {
        let name = &first.source_operand_name;
        let is_same = |clause: &&FilterClause| clause.source_operand_name.eq_ignore_ascii_case(name);
        if group.clauses[..place].iter().any(|clause| is_same(&clause)) {
            return None;
        }
        let clauses: Vec<&FilterClause> = group.clauses.iter().filter(is_same).collect();
        let definition = source.and_then(|object| object.attribute(name));
        cannot_hold(&clauses, definition, mode)
    })
}

/// What cannot hold of one attribute: a clause alone, two, or all of them.
fn cannot_hold<'a>(
    clauses: &[&'a FilterClause],
    definition: Option<&AttributeDefinition>,
    mode: NullMode,
) -> Option<Vec<&'a FilterClause>> {
    let alone = clauses.iter().map(|clause| vec![*clause]);
    let pairs = clauses
        .iter()
        .enumerate()
        .flat_map(|(place, one)| clauses[place + 1..].iter().map(move |other| vec![*one, *other]));
    let mut tries = alone.chain(pairs).chain([clauses.to_vec()]);
    tries.find(|clauses| is_impossible(clauses, definition, mode))
}

/// Whether no value satisfies all clauses: found by trying every value that there can be, where those are few.
fn is_impossible(
    clauses: &[&FilterClause],
    definition: Option<&AttributeDefinition>,
    mode: NullMode,
) -> bool {
    let compiled: Option<Vec<CompiledClause>> =
        clauses.iter().map(|clause| CompiledClause::compile(clause, "$").ok()).collect();
    let Some(compiled) = compiled else { return false };
    let fails = |clause: &CompiledClause, value: &Value| !clause.evaluate("", &One(value), mode).passed;
    if let Some(values) = possible(clauses, definition) {
        return values.iter().all(|value| compiled.iter().any(|clause| fails(clause, value)));
    }
    // Of several values one must satisfy a positive clause, and each a negation: what names the same operands excludes
    // each other.
    clauses.iter().any(|one| {
        let Some(positive) = operators::find(&one.operator_name).filter(|operator| !operator.is_negative)
        else {
            return false;
        };
        clauses.iter().zip(&compiled).any(|(other, compiled)| {
            let is_negative =
                operators::find(&other.operator_name).is_some_and(|operator| operator.is_negative);
            let denies_each = || {
                let mut operands = one.target_operand.iter();
                operands.all(|operand| fails(compiled, &Value::from(operand.as_str())))
            };
            is_negative
                && (positive.compares_values() && denies_each()
                    || is_negation(positive.name, &other.operator_name) && covers(other, one))
        })
    })
}

/// Whether the second operator denies the first.
fn is_negation(name: &str, negation: &str) -> bool {
    let plain = |text: &str| text.trim().replace('_', " ").to_ascii_uppercase();
    let (name, negation) = (plain(name), plain(negation));
    negation == format!("NOT {name}") || negation == format!("!{name}")
}

/// Whether a clause names every operand of another.
fn covers(clause: &FilterClause, other: &FilterClause) -> bool {
    other.target_operand.iter().all(|operand| clause.target_operand.contains(operand))
}

/// The values that an attribute can have where all clauses hold, when they are few.
fn possible(clauses: &[&FilterClause], definition: Option<&AttributeDefinition>) -> Option<Vec<Value>> {
    let is = |clause: &&&FilterClause, name: &str| {
        operators::find(&clause.operator_name).is_some_and(|operator| operator.name == name)
    };
    let with = |name: &str| clauses.iter().find(|clause| is(clause, name));
    if with("IS NULL").is_some() {
        return Some(vec![Value::Null]);
    }
    // What is not defined may have several values.
    let definition = definition.filter(|definition| !definition.multivalued)?;
    if definition.value_type == AttributeType::Boolean {
        return Some(vec![Value::Null, Value::Boolean(true), Value::Boolean(false)]);
    }
    if let Some(clause) = with("EQUALS") {
        return Some(clause.target_operand.iter().map(|operand| Value::from(operand.as_str())).collect());
    }
    let is_torn = with("IS TRUE").is_some() && with("IS FALSE").is_some();
    is_torn.then(|| ["true", "false", "1", "0"].map(Value::from).to_vec())
}

/// Two groups of one clause each, of which one always holds.
fn complement(groups: &[FilterGroup]) -> Option<(&FilterGroup, &FilterGroup)> {
    let single = |name: &'static str| {
        groups.iter().filter_map(move |group| match group.clauses.as_slice() {
            [clause] if operators::find(&clause.operator_name).is_some_and(|one| one.name == name) => {
                Some((group, &clause.source_operand_name))
            }
            _ => None,
        })
    };
    single("IS NULL").find_map(|(one, name)| {
        let mut others = single("IS NOT NULL");
        others.find(|(_, other)| other.eq_ignore_ascii_case(name)).map(|(other, _)| (one, other))
    })
}

/// One value for whatever attribute.
struct One<'a>(&'a Value);

impl usher_expr::Attributes for One<'_> {
    fn get(&self, _: &str) -> Value {
        self.0.clone()
    }
}
