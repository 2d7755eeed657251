//! `UCase`: a text in upper case.

use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "UCase",
    summary: "Returns a text in upper case.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Text, "The text, or a list of texts.")],
    examples: &[Example::hybrid(r#"UCase("Ann Lee")"#, r#""ANN LEE""#)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_text(0, |text| match text::to_upper(&text, None) {
        Ok(raised) => Ok(Value::Text(raised)),
        Err(error) => Err(call.fail(error)),
    })
}
