//! Values to JSON and back.

use jiff::tz::TimeZone;
use serde_json::{Map, Number, Value};

use super::syntax::{Position, ReadError};
use super::value::{PsValue, Table, TableKind};

/// Reads JSON documents that follow one another, with or without line breaks between them.
pub fn read_json_stream(text: &str) -> Result<Vec<PsValue>, ReadError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    serde_json::Deserializer::from_str(text)
        .into_iter::<Value>()
        .map(|document| match document {
            Ok(document) => from_json(&document),
            Err(error) => {
                let at = Position { line: error.line(), column: error.column().max(1) };
                let read = ReadError::new(at, "InvalidJson", format!("The JSON is not valid: {error}"));
                Err(if error.is_eof() { read.incomplete() } else { read })
            }
        })
        .collect()
}

/// Whether a text that is no valid JSON was still meant as JSON: it begins like an object or a list of values,
/// where a PowerShell literal begins with `@`, or with a type name in brackets.
pub fn is_probably_json(text: &str) -> bool {
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    match text.strip_prefix('[') {
        Some(rest) => rest.trim_start().starts_with(['{', '[', '"', ']']) || rest.trim_start().is_empty(),
        None => text.starts_with('{'),
    }
}

/// A JSON value as PowerShell sees it; objects become tables.
pub fn from_json(value: &Value) -> Result<PsValue, ReadError> {
    Ok(match value {
        Value::Null => PsValue::Null,
        Value::Bool(value) => PsValue::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => PsValue::Int(number.into()),
            (_, Some(number), _) => PsValue::Int(number.into()),
            (_, _, number) => PsValue::Float(number.unwrap_or(f64::NAN)),
        },
        Value::String(text) => PsValue::text(text),
        Value::Array(items) => PsValue::List(items.iter().map(from_json).collect::<Result<_, _>>()?),
        Value::Object(members) => {
            let mut table = Table::new(TableKind::Object);
            for (key, value) in members {
                if table.insert(key, from_json(value)?).is_some() {
                    let text = format!("The JSON has two members '{key}' that differ at most in case.");
                    return Err(ReadError::new(
                        Position { line: 1, column: 1 },
                        "KeysWithDifferentCasingInJsonString",
                        text,
                    ));
                }
            }
            PsValue::Table(table)
        }
    })
}

/// A value as JSON; dates become UTC texts, numbers that JSON has no form for become null.
pub fn to_json(value: &PsValue, zone: &TimeZone) -> Value {
    match value {
        PsValue::Null => Value::Null,
        PsValue::Bool(value) => Value::Bool(*value),
        PsValue::Int(number) => whole_number(*number),
        PsValue::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        PsValue::Decimal(number) => match number.whole() {
            Some(whole) => whole_number(whole),
            None => Number::from_f64(number.to_float()).map_or(Value::Null, Value::Number),
        },
        PsValue::Text(text) => Value::String(text.clone()),
        PsValue::Date(date) => Value::String(date.to_utc(zone)),
        PsValue::List(items) => Value::Array(items.iter().map(|item| to_json(item, zone)).collect()),
        // What the SDK's objects hold for nothing.
        PsValue::Table(table) if table.is_empty() && matches!(table.kind, TableKind::Model { .. }) => {
            Value::Null
        }
        PsValue::Table(table) => {
            let members: Map<_, _> =
                table.iter().map(|(key, value)| (key.to_owned(), to_json(value, zone))).collect();
            Value::Object(members)
        }
    }
}

fn whole_number(number: i128) -> Value {
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(number), _) => number.into(),
        (_, Ok(number)) => number.into(),
        _ => Number::from_f64(number as f64).map_or(Value::Null, Value::Number),
    }
}
