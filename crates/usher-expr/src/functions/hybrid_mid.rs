//! `Mid` of the hybrid family: forgiving about positions outside the text.

use super::mid::part;
use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Mid",
    summary: "Returns characters from the middle of a text; the text itself when the position makes no sense.",
    dialects: HYBRID,
    params: &[
        Param::required("source", Type::Text, "The text to cut; every value of a list is cut."),
        Param::required("start", Type::Integer, "The position of the first character to keep, from 1."),
        Param::optional("length", Type::Integer, "How many characters to keep; without it, all up to the end."),
    ],
    examples: &[
        Example::hybrid(r#"Mid("Annabelle", 5, 3)"#, r#""bel""#),
        Example::hybrid(r#"Mid("smtp:ann", 6)"#, r#""ann""#),
        Example::hybrid(r#"Mid("Ann", 9, 1)"#, r#""Ann""#),
        Example::hybrid(r#"Mid("Ann", 0, 1)"#, r#""Ann""#),
        Example::hybrid(r#"Mid("Ann", 1, 0)"#, r#""""#),
        Example::hybrid(r#"Mid("Ann", 1, -2)"#, r#""Ann""#),
        Example::hybrid(r#"Mid(NULL, 1, 2)"#, r#""""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let start = call.integer(1)?;
    let length = call.optional_integer(2)?;
    call.map_value_text(0, source, |text| {
        if length == Some(0) {
            return Ok(Value::text(""));
        }
        let all = text::utf16_len(&text);
        let start = usize::try_from(start).unwrap_or(0);
        if start == 0 || start > all || length.is_some_and(|length| length < 0) {
            return Ok(Value::Text(text));
        }
        let length = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(all);
        Ok(Value::text(part(&text, start - 1, length)))
    })
}
