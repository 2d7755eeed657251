//! `LCase`: a text in lower case.

use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "LCase",
    summary: "Returns a text in lower case.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Text, "The text, or a list of texts.")],
    examples: &[Example::hybrid(r#"LCase("ANN Lee")"#, r#""ann lee""#)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_text(0, |text| match text::to_lower(&text, None) {
        Ok(lowered) => Ok(Value::Text(lowered)),
        Err(error) => Err(call.fail(error)),
    })
}
