//! `Mid` of the service: characters from the middle of a text.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Mid",
    summary: "Returns characters from the middle of a text.",
    dialects: SERVICE,
    params: &[
        Param::required("source", Type::Text, "The text to cut; every value of a list is cut."),
        Param::required("start", Type::Integer, "The position of the first character to keep, from 1."),
        Param::required("length", Type::Integer, "How many characters to keep; the end of the text cuts them."),
    ],
    examples: &[
        Example::new(r#"Mid("Annabelle", 5, 3)"#, r#""bel""#),
        Example::new(r#"Mid("Ann", "2", "10")"#, r#""nn""#),
        Example::new(r#"Mid("Ann", 9, 1)"#, r#""""#),
        Example::new(r#"Mid("Ann", [start], 1)"#, "error: Mid, start: positions count from 1, not from 0")
            .inputs(r#"{"start": "0"}"#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    if call.constant(1).and_then(|start| start.as_integer()).is_some_and(|start| start < 1) {
        call.error(Some(1), codes::ARGUMENT_VALUE, "positions count from 1", "the first character is 1");
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let start = call.integer(1)?;
    let length = call.integer(2)?;
    if start < 1 {
        return Err(call.fail_at(1, format!("positions count from 1, not from {start}")));
    }
    let Ok(length) = usize::try_from(length) else {
        return Err(call.fail_at(2, format!("a length cannot be negative: {length}")));
    };
    let start = usize::try_from(start - 1).unwrap_or(usize::MAX);
    call.map_value_text(0, source, |text| {
        if start == 0 && length >= text.len() {
            return Ok(Value::Text(text));
        }
        Ok(Value::text(part(&text, start, length)))
    })
}

/// The characters that lie wholly inside the UTF-16 positions; also for the hybrid `Mid` and for `Right`.
pub(super) fn part(whole: &str, start: usize, length: usize) -> &str {
    let slice = text::utf16_slice(whole, start, length);
    let begins_inside_a_pair = !slice.is_ascii() && text::utf16_len(slice) > length;
    if begins_inside_a_pair { &slice[slice.chars().next().map_or(0, char::len_utf8)..] } else { slice }
}
