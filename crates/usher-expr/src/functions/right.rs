//! `Right`: the last characters of a text.

use super::mid::part;
use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Right",
    summary: "Returns the last characters of a text.",
    dialects: HYBRID,
    params: &[
        Param::required("source", Type::Text, "The text to cut; every value of a list is cut."),
        Param::required(
            "length",
            Type::Integer,
            "How many characters to keep; 0 keeps none, a negative number keeps all.",
        ),
    ],
    examples: &[
        Example::hybrid(r#"Right("Annabelle", 5)"#, r#""belle""#),
        Example::hybrid(r#"Right("Ann", 10)"#, r#""Ann""#),
        Example::hybrid(r#"Right("Ann", -1)"#, r#""Ann""#),
        Example::hybrid(r#"Right(NULL, 2)"#, r#""""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let length = call.integer(1)?;
    call.map_value_text(0, source, |text| {
        let Ok(length) = usize::try_from(length) else { return Ok(Value::Text(text)) };
        let all = text::utf16_len(&text);
        if all <= length {
            return Ok(Value::Text(text));
        }
        Ok(Value::text(part(&text, all - length, length)))
    })
}
