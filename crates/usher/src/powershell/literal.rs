//! The literal reader: a text in, a value out. Also reads JSON where a literal is expected.

use std::io;

use super::evaluate::{Scope, evaluate};
use super::json::{is_probably_json, read_json_stream};
use super::reader::Reader;
use super::syntax::{Position, ReadError};
use super::value::PsValue;

/// A scope without variables and files.
pub struct Nothing;

impl Scope for Nothing {
    fn variable(&self, _name: &str) -> Option<PsValue> {
        None
    }

    fn read_file(&self, _path: &str) -> io::Result<String> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

/// Reads one PowerShell literal.
///
/// ```
/// use usher::powershell::literal::{Nothing, read_literal};
/// let value = read_literal("@{ ruleId = 'r1' }", &Nothing).unwrap();
/// assert_eq!(value.member("RULEID").to_text(), "r1");
/// ```
pub fn read_literal(text: &str, scope: &dyn Scope) -> Result<PsValue, ReadError> {
    evaluate(&Reader::new(text).whole_expression()?, scope)
}

/// Reads what may be JSON or a literal: JSON when it is JSON from end to end.
pub fn read_value(text: &str, scope: &dyn Scope) -> Result<PsValue, ReadError> {
    match read_json_stream(text) {
        Ok(mut values) if values.len() == 1 => Ok(values.remove(0)),
        Ok(values) if !values.is_empty() => Ok(PsValue::List(values)),
        Err(error) if is_probably_json(text) => Err(error),
        _ => read_literal(text, scope),
    }
}

/// Reads a text with any number of values: JSON documents one after the other, or literals divided by
/// line breaks, semicolons or commas. The items of a list at the top are values of their own, as in a pipeline.
pub fn read_items(text: &str, scope: &dyn Scope) -> Result<Vec<PsValue>, ReadError> {
    let values = match read_json_stream(text) {
        Ok(values) => values,
        Err(error) if is_probably_json(text) => return Err(error),
        Err(_) => {
            let expressions = Reader::new(text).whole_sequence()?;
            expressions.iter().map(|expression| evaluate(expression, scope)).collect::<Result<Vec<_>, _>>()?
        }
    };
    Ok(values.into_iter().flat_map(enumerated).collect())
}

/// What a pipeline makes of a value: the items of a list, or the value itself.
pub fn enumerated(value: PsValue) -> Vec<PsValue> {
    match value {
        PsValue::List(items) => items,
        other => vec![other],
    }
}

/// The place where a text begins.
pub const START: Position = Position { line: 1, column: 1 };
