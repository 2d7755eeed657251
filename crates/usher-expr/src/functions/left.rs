//! `Left`: the first characters of a text.

use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Left",
    summary: "Returns the first characters of a text.",
    params: &[
        Param::required("source", Type::Text, "The text to cut; every value of a list is cut."),
        Param::required(
            "length",
            Type::Integer,
            "How many characters to keep; 0 keeps none, a negative number keeps all.",
        ),
    ],
    examples: &[
        Example::new(r#"Left("Annabelle", 4)"#, r#""Anna""#),
        Example::new(r#"Left("Ann", 10)"#, r#""Ann""#),
        Example::new(r#"Left("Ann", 0)"#, r#""""#),
        Example::new(r#"Left("Ann", -1)"#, r#""Ann""#),
        Example::new(r#"Left([absent], 3)"#, r#""""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let length = call.integer(1)?;
    call.map_value_text(0, source, |text| {
        let Ok(length) = usize::try_from(length) else { return Ok(Value::Text(text)) };
        if text.len() <= length {
            return Ok(Value::Text(text));
        }
        Ok(Value::text(text::utf16_slice(&text, 0, length)))
    })
}
