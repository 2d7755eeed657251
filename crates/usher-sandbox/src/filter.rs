//! Filters (RFC 7644 §3.4.2.2): parsed against the schema, then evaluated over stored values.

mod parse;

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub(crate) use parse::{Parser, as_boolean};

use crate::path::Place;
use crate::schema::{Attribute, ResourceType, Type};

/// A condition on a resource, or on one value of a multi-valued attribute.
pub(crate) enum Filter {
    /// All of them hold.
    All(Vec<Filter>),
    /// One of them holds.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// There is a value.
    Present(Selection),
    /// A value compares as asked with the given one.
    Compare(Selection, Operator, Value),
}

/// The values a term looks at.
pub(crate) struct Selection {
    /// The attribute.
    pub(crate) place: Place,
    /// Which of several values, for `emails[type eq "work"]`.
    pub(crate) among: Option<Box<Filter>>,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Begins with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

impl Filter {
    /// Parses a filter on resources of one kind.
    pub(crate) fn parse(definition: &'static ResourceType, text: &str) -> Result<Filter, String> {
        let mut parser = Parser::new(text);
        let filter = parser.resource_filter(definition)?;
        if parser.is_at_end() { Ok(filter) } else { Err(format!("unexpected text after the filter: {text}")) }
    }

    /// Whether the object, a resource or one complex value, fulfils the condition.
    pub(crate) fn matches(&self, object: &Map<String, Value>) -> bool {
        match self {
            Filter::All(terms) => terms.iter().all(|term| term.matches(object)),
            Filter::Any(terms) => terms.iter().any(|term| term.matches(object)),
            Filter::Not(term) => !term.matches(object),
            Filter::Present(selection) => selection.values(object).into_iter().any(is_assigned),
            Filter::Compare(selection, operator, expected) => selection.compare(object, *operator, expected),
        }
    }

    /// The terms `attribute eq "text"` that hold for every match; an index may answer them.
    pub(crate) fn required_equalities(&self) -> Vec<(&Place, &str)> {
        match self {
            Filter::All(terms) => terms.iter().flat_map(Filter::required_equalities).collect(),
            Filter::Compare(Selection { place, among: None }, Operator::Eq, Value::String(text)) => {
                vec![(place, text)]
            }
            _ => Vec::new(),
        }
    }

    /// Whether a term looks at something that is worked out for answers and not stored.
    pub(crate) fn uses_computed(&self) -> bool {
        match self {
            Filter::All(terms) | Filter::Any(terms) => terms.iter().any(Filter::uses_computed),
            Filter::Not(term) => term.uses_computed(),
            Filter::Present(selection) | Filter::Compare(selection, ..) => selection.uses_computed(),
        }
    }

    /// The complex value that this filter describes when it consists of equalities only.
    pub(crate) fn described_value(&self) -> Option<Map<String, Value>> {
        match self {
            Filter::All(terms) => terms.iter().try_fold(Map::new(), |mut all, term| {
                all.extend(term.described_value()?);
                Some(all)
            }),
            Filter::Compare(Selection { place, among: None }, Operator::Eq, value) if !value.is_null() => {
                Some(Map::from_iter([(place.attribute.name.to_owned(), value.clone())]))
            }
            _ => None,
        }
    }
}

impl Selection {
    fn values<'a>(&self, object: &'a Map<String, Value>) -> Vec<&'a Value> {
        let holder = match self.place.extension {
            None => Some(object),
            Some(urn) => object.get(urn).and_then(Value::as_object),
        };
        let value = holder.and_then(|holder| holder.get(self.place.attribute.name));
        let values: &[Value] = match value {
            None => &[],
            Some(Value::Array(values)) => values,
            Some(value) => std::slice::from_ref(value),
        };
        values
            .iter()
            .filter(|value| match &self.among {
                None => true,
                Some(filter) => value.as_object().is_some_and(|element| filter.matches(element)),
            })
            .filter_map(|value| match self.place.part {
                None => Some(value),
                Some(part) => value.get(part.name),
            })
            .collect()
    }

    fn compare(&self, object: &Map<String, Value>, operator: Operator, expected: &Value) -> bool {
        let values = self.values(object);
        let leaf = self.place.leaf();
        let any = |operator| values.iter().any(|actual| holds(leaf, operator, actual, expected));
        match (operator, expected) {
            (Operator::Eq, Value::Null) => !values.into_iter().any(is_assigned),
            (Operator::Ne, Value::Null) => values.into_iter().any(is_assigned),
            (Operator::Ne, _) => !any(Operator::Eq),
            _ => any(operator),
        }
    }

    fn uses_computed(&self) -> bool {
        matches!(self.place.attribute.name, "schemas" | "meta" | "groups")
            || (!self.place.attribute.links.is_empty() && self.place.leaf().name != "value")
            || self.among.as_ref().is_some_and(|_| !self.place.attribute.links.is_empty())
    }
}

fn holds(attribute: &Attribute, operator: Operator, actual: &Value, expected: &Value) -> bool {
    match (attribute.kind, actual, expected) {
        (Type::Boolean, _, _) => operator == Operator::Eq && actual == expected,
        (Type::DateTime, Value::String(actual), Value::String(expected)) => {
            match (actual.parse::<Timestamp>(), expected.parse::<Timestamp>()) {
                (Ok(actual), Ok(expected)) => ordered(operator, actual.cmp(&expected)),
                _ => false,
            }
        }
        (_, Value::String(actual), Value::String(expected)) if attribute.is_case_exact => {
            text_holds(operator, actual, expected)
        }
        (_, Value::String(actual), Value::String(expected)) => {
            text_holds(operator, &actual.to_lowercase(), &expected.to_lowercase())
        }
        _ => false,
    }
}

fn text_holds(operator: Operator, actual: &str, expected: &str) -> bool {
    match operator {
        Operator::Co => actual.contains(expected),
        Operator::Sw => actual.starts_with(expected),
        Operator::Ew => actual.ends_with(expected),
        _ => ordered(operator, actual.cmp(expected)),
    }
}

fn ordered(operator: Operator, ordering: Ordering) -> bool {
    match operator {
        Operator::Eq => ordering.is_eq(),
        Operator::Ne => ordering.is_ne(),
        Operator::Gt => ordering.is_gt(),
        Operator::Ge => ordering.is_ge(),
        Operator::Lt => ordering.is_lt(),
        Operator::Le => ordering.is_le(),
        Operator::Co | Operator::Sw | Operator::Ew => false,
    }
}

/// Empty lists and groups count as unassigned (RFC 7643 §2.5).
fn is_assigned(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(values) => !values.is_empty(),
        Value::Object(parts) => !parts.is_empty(),
        _ => true,
    }
}
