//! `PadLeft`: a text filled up at its start.

use smol_str::SmolStr;

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::dotnet::text;
use crate::evaluate::{Evaluated, Halt};
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::limits;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "PadLeft",
    summary: "Fills a text up to a length with a character at its start.",
    dialects: HYBRID,
    params: &[
        Param::required("source", Type::Text, "The text, or a list of texts; null gives an empty text."),
        Param::required("length", Type::Integer, "How many characters the result has at least."),
        Param::required("padCharacter", Type::Text, "The one character to fill up with."),
    ],
    examples: &[
        Example::hybrid(r#"PadLeft("42", 5, "0")"#, r#""00042""#),
        Example::hybrid(r#"PadLeft("Annabelle", 4, "0")"#, r#""Annabelle""#),
        Example::hybrid(r#"PadLeft(NULL, 4, "0")"#, r#""""#),
    ],
    check: Some(check),
    eval: |call| pad(call, |text, padding| format!("{padding}{text}")),
    ..Function::COMMON
};

/// Refuses a constant that is no single character; also for `PadRight`.
pub(super) fn check(call: &mut Check<'_>) {
    if call.constant_text(2).is_some_and(|character| character.chars().count() != 1) {
        call.error(Some(2), codes::ARGUMENT_VALUE, "the padding is a single character", "write one like \" \"");
    }
}

/// Fills up on the side where `put` puts the padding; also for `PadRight`.
pub(super) fn pad(call: &Call<'_>, put: fn(&str, &str) -> String) -> Evaluated {
    let length = call.integer(1)?;
    let character = call.text(2)?;
    if character.chars().count() != 1 {
        return Err(call.fail_at(2, "the padding is a single character"));
    }
    let length = usize::try_from(length).unwrap_or(0);
    limits::check_length(length).map_err(|message| call.fail_at(1, message))?;
    let padded = |text: &str| -> Result<Value, Halt> {
        let missing = length.saturating_sub(text::utf16_len(text));
        Ok(Value::Text(SmolStr::from(put(text, &character.repeat(missing)))))
    };
    match call.value(0)? {
        Value::Null => Ok(Value::text("")),
        Value::List(values) => {
            let all: Result<Vec<Value>, Halt> =
                values.iter().map(|value| padded(&call.as_text(0, value.clone())?)).collect();
            all.map(Value::from)
        }
        other => padded(&call.as_text(0, other)?),
    }
}
