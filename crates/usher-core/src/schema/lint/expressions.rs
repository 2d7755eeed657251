//! Expressions that decide nothing, and those that can fail: tried on values that people leave in directories.

use std::collections::BTreeMap;

use smol_str::SmolStr;
use usher_expr::{Attributes, Context, ErrorKind, EvaluationError, Expression, Outcome, Value, compile};

use super::Linter;
use crate::schema::{
    AttributeDefinition, AttributeMapping, AttributeType, ObjectDefinition, Rule, SourceType,
};

/// Texts of kinds that expressions read; most take one of them.
const USUAL: &[&str] = &[
    "2026-01-31T08:00:00Z",
    "x y",
    "12",
    "ann@contoso.example",
    "CN=Ann,OU=Sales,DC=contoso,DC=example",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "True",
];
/// How many combinations of values are tried at most to find one that an expression takes.
const MOST: usize = 400;

impl Linter<'_> {
    pub(super) fn expression(
        &mut self,
        rule: &Rule,
        attribute: &AttributeMapping,
        (source, target): (Option<&ObjectDefinition>, Option<&ObjectDefinition>),
        path: &str,
    ) {
        let Some(origin) = attribute.source.as_ref().filter(|one| one.source_type == SourceType::Function)
        else {
            return;
        };
        let text = origin.expression_text();
        let Some(expression) = compile(text, rule.dialect(self.schema)).expression else { return };
        let place = format!("{path}.source.expression");
        for doubt in expression.doubts() {
            let character = text.get(..doubt.span.start).map_or(0, |before| before.chars().count()) + 1;
            let message = format!(
                "{} (character {character} of the mapping to '{}')",
                doubt.message, attribute.target_attribute_name
            );
            self.warn(doubt.rule, &place, message, doubt.remedy);
        }
        let Some((when, error)) = failure(&expression, source) else { return };
        let definition = target.and_then(|object| object.attribute(&attribute.target_attribute_name));
        let is_needed = attribute.matching_priority > 0 || definition.is_some_and(|one| one.required);
        let consequence = if is_needed { "the whole object fails" } else { "the attribute is left out" };
        self.warn(
            "expressionCanFail",
            &place,
            format!(
                "the value of '{}' cannot be computed {when}, and {consequence}: {error}",
                attribute.target_attribute_name
            ),
            "test the value before it is used, for instance with IIF and IsPresent",
        );
    }
}

/// On what an expression fails that works otherwise. One way to fail is enough to be told of; an `Error` is meant.
fn failure(expression: &Expression, source: Option<&ObjectDefinition>) -> Option<(String, EvaluationError)> {
    let names = expression.attributes();
    let definitions: Vec<Option<&AttributeDefinition>> =
        names.iter().map(|name| source.and_then(|object| object.attribute(name))).collect();
    let failure = |person: &BTreeMap<SmolStr, Value>| match evaluate(expression, person) {
        Err(error) if error.kind == ErrorKind::Failed => Some(error),
        _ => None,
    };
    if names.is_empty() {
        return failure(&BTreeMap::new()).map(|error| ("for anybody".to_owned(), error));
    }
    let Some(usual) = usual(expression, &definitions) else {
        // Texts are of too many kinds to say that none is taken, and references hold assignments to applications, too.
        let is_known = |one: &Option<&AttributeDefinition>| {
            one.is_some_and(|one| {
                matches!(
                    one.value_type,
                    AttributeType::Boolean | AttributeType::Integer | AttributeType::DateTime
                )
            })
        };
        if !definitions.iter().all(is_known) {
            return None;
        }
        let values = definitions.iter().map(|definition| fitting(*definition)[0].clone());
        let person: BTreeMap<SmolStr, Value> = names.iter().cloned().zip(values).collect();
        let told: Vec<String> =
            person.iter().map(|(name, value)| format!("{name} is {}", value.to_json())).collect();
        return failure(&person).map(|error| (format!("when {}", told.join(" and ")), error));
    };
    names.iter().zip(&definitions).find_map(|(name, definition)| {
        odd(*definition).into_iter().find_map(|(what, value)| {
            let mut person = usual.clone();
            person.insert(name.clone(), value);
            failure(&person).map(|error| (format!("when {name} {what}"), error))
        })
    })
}

/// Values that the expression takes; `None` when none were found, so that nothing can be said of others.
fn usual(
    expression: &Expression,
    definitions: &[Option<&AttributeDefinition>],
) -> Option<BTreeMap<SmolStr, Value>> {
    let names = expression.attributes();
    let choices: Vec<Vec<Value>> = definitions.iter().map(|definition| fitting(*definition)).collect();
    let person = |pick: &dyn Fn(usize) -> usize| -> BTreeMap<SmolStr, Value> {
        let values =
            choices.iter().enumerate().map(|(place, values)| values[pick(place) % values.len()].clone());
        names.iter().cloned().zip(values).collect()
    };
    let works = |person: &BTreeMap<SmolStr, Value>| evaluate(expression, person).is_ok();
    // All attributes alike first, then one by one as an odometer counts.
    let alike = (0..USUAL.len()).map(|round| person(&|_| round));
    let apart = (0..MOST).map(|count| {
        person(&|place| {
            count / USUAL.len().pow(u32::try_from(place).unwrap_or(u32::MAX).min(8)) % USUAL.len()
        })
    });
    alike.chain(apart).find(works)
}

fn evaluate(expression: &Expression, person: &BTreeMap<SmolStr, Value>) -> Result<Outcome, EvaluationError> {
    let mut context = Context::new(jiff::Timestamp::UNIX_EPOCH, 0);
    context.default_domain = Some("contoso.example".into());
    // A job's parameters always have values.
    for name in ["DomainFQDN", "DomainNetBios"] {
        context.parameters.insert(name.into(), "contoso.example".into());
    }
    expression.evaluate(person as &dyn Attributes, &context)
}

/// Values that an attribute of this kind has.
fn fitting(definition: Option<&AttributeDefinition>) -> Vec<Value> {
    let one: Vec<Value> = match definition.map_or(AttributeType::String, |one| one.value_type) {
        AttributeType::Boolean => vec![true.into(), false.into()],
        AttributeType::Integer => vec![7.into(), 1.into()],
        AttributeType::DateTime => vec![USUAL[0].into()],
        AttributeType::Reference => vec![Value::Reference("ann".into())],
        AttributeType::Binary => vec![Value::Binary([7_u8; 16].into())],
        AttributeType::String => USUAL.iter().map(|text| Value::from(*text)).collect(),
    };
    if definition.is_some_and(|one| one.multivalued) {
        return one.into_iter().map(|value| Value::list([value])).collect();
    }
    one
}

/// Values that an attribute of this kind may have, too, and what they are called in a message.
fn odd(definition: Option<&AttributeDefinition>) -> Vec<(&'static str, Value)> {
    // What a source object needs is always there.
    let is_needed = definition.is_some_and(|one| one.required || one.anchor);
    let mut odd = if is_needed { Vec::new() } else { vec![("has no value", Value::Null)] };
    let kind = definition.map_or(AttributeType::String, |one| one.value_type);
    match kind {
        AttributeType::Boolean => odd.extend([("is true", true.into()), ("is false", false.into())]),
        AttributeType::Integer => odd.push(("is 0", 0.into())),
        AttributeType::String => odd.extend([("is \"x\"", "x".into()), ("is \"ä 1-2\"", "ä 1-2".into())]),
        AttributeType::DateTime | AttributeType::Reference | AttributeType::Binary => {}
    }
    if definition.is_some_and(|one| one.multivalued) {
        let two: Vec<Value> =
            fitting(definition).iter().flat_map(|value| value.values().to_vec()).take(2).collect();
        odd.retain(|(_, value)| value.is_null());
        odd.push(("has several values", Value::list([two.clone(), two].concat())));
    }
    odd
}
