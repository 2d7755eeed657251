//! How two values compare.

use std::cmp::Ordering;

use crate::dotnet::dates;
use crate::node::Operator;
use crate::value::Value;

/// Whether `left operator right` holds.
///
/// Texts are equal ordinally, null being `""`. When one side is a number, or `is_numeric` says that a
/// literal with a fraction is one, both sides compare as numbers. Order exists between numbers and
/// between date-times; nothing and `""` are neither before nor after anything.
pub(crate) fn compare(
    operator: Operator,
    left: &Value,
    right: &Value,
    is_numeric: bool,
) -> Result<bool, String> {
    let (left, right) = (left.single(), right.single());
    for value in [left, right] {
        if let Value::List(_) | Value::Object(_) = value {
            return Err(format!("a single value can be compared, not {}", value.kind()));
        }
    }
    match operator {
        Operator::Equal => Ok(equal(left, right, is_numeric)),
        Operator::NotEqual => Ok(!equal(left, right, is_numeric)),
        Operator::Greater => order(left, right).map(|order| order == Some(Ordering::Greater)),
        Operator::Less => order(left, right).map(|order| order == Some(Ordering::Less)),
        Operator::GreaterOrEqual => {
            order(left, right).map(|order| matches!(order, Some(Ordering::Greater | Ordering::Equal)))
        }
        Operator::LessOrEqual => {
            order(left, right).map(|order| matches!(order, Some(Ordering::Less | Ordering::Equal)))
        }
    }
}

/// Whether a text of `Switch` equals its source: ordinal, null being `""`, booleans as `True` and `False`.
pub(crate) fn same_text(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => left == right,
        _ => left.to_text() == right.to_text(),
    }
}

fn equal(left: &Value, right: &Value, is_numeric: bool) -> bool {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) if !is_numeric => left == right,
        (Value::DateTime(left), Value::DateTime(right)) => left == right,
        (Value::DateTime(instant), Value::Text(text)) | (Value::Text(text), Value::DateTime(instant)) => {
            dates::parse_any(text).map_or_else(|| same_text(left, right), |read| read == *instant)
        }
        (Value::Integer(_), _) | (_, Value::Integer(_)) => numbers(left, right) == Some(Ordering::Equal),
        _ if is_numeric => numbers(left, right) == Some(Ordering::Equal),
        _ => same_text(left, right),
    }
}

fn order(left: &Value, right: &Value) -> Result<Option<Ordering>, String> {
    if left.is_null_or_empty() || right.is_null_or_empty() {
        return Ok(None);
    }
    let instants = match (left, right) {
        (Value::DateTime(left), Value::DateTime(right)) => Some((*left, *right)),
        (Value::DateTime(left), Value::Text(right)) => dates::parse_any(right).map(|right| (*left, right)),
        (Value::Text(left), Value::DateTime(right)) => dates::parse_any(left).map(|left| (left, *right)),
        _ => None,
    };
    if let Some((left, right)) = instants {
        return Ok(Some(left.cmp(&right)));
    }
    match numbers(left, right) {
        Some(order) => Ok(Some(order)),
        None => Err(format!(
            "only numbers and dates have an order, not \"{}\" and \"{}\"",
            left.to_text(),
            right.to_text()
        )),
    }
}

fn numbers(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (left.as_integer(), right.as_integer()) {
        return Some(left.cmp(&right));
    }
    fraction(left)?.partial_cmp(&fraction(right)?)
}

fn fraction(value: &Value) -> Option<f64> {
    let text = value.to_text();
    let text = text.trim();
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    if is_decimal { text.parse().ok() } else { None }
}
