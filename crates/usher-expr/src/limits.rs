//! How large a value may grow and how long an evaluation may take, so that no expression can use up the
//! machine.

use crate::value::Value;

/// The longest text, in bytes, that a function may yield.
pub(crate) const LONGEST_TEXT: usize = 1 << 20;

/// How much work one evaluation may do: a step for every call, and more for long results.
pub(crate) const MOST_STEPS: u64 = 1_000_000;

/// Refuses a length above the limit.
pub(crate) fn check_length(length: usize) -> Result<(), String> {
    if length > LONGEST_TEXT {
        return Err(format!("a text of {length} bytes is longer than the {LONGEST_TEXT} that are allowed"));
    }
    Ok(())
}

/// How many steps a call counts that yields this value; an error when the value is too large.
pub(crate) fn steps(value: &Value) -> Result<u64, String> {
    match value {
        Value::Text(text) => {
            check_length(text.len())?;
            Ok(1 + (text.len() as u64 >> 8))
        }
        Value::List(values) => Ok(1 + (values.len() as u64 >> 4)),
        _ => Ok(1),
    }
}
