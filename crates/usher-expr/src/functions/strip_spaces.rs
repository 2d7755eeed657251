//! `StripSpaces`: a text without its blanks.

use smol_str::SmolStrBuilder;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "StripSpaces",
    summary: "Removes every blank of a text; other white space stays.",
    dialects: SERVICE,
    params: &[Param::required("source", Type::Text, "The text, or a list of texts.")],
    examples: &[Example::new(r#"StripSpaces(" van der  Berg ")"#, r#""vanderBerg""#)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_text(0, |text| {
        if !text.contains(' ') {
            return Ok(Value::Text(text));
        }
        let mut stripped = SmolStrBuilder::with_capacity(text.len());
        text.split(' ').for_each(|piece| stripped.push_str(piece));
        Ok(Value::Text(stripped.finish()))
    })
}
