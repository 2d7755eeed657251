//! `IsDate`: whether `CDate` would succeed.

use crate::call::Call;
use crate::dotnet::dates;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsDate",
    summary: "Tells whether a value is a date-time or a text that can be read as one.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Any, "The value to judge.")],
    returns: Type::Boolean,
    examples: &[Example::hybrid(r#"IsDate("2025-07-30")"#, "True"), Example::hybrid(r#"IsDate("soon")"#, "False")],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    Ok(Value::Boolean(match value.single() {
        Value::DateTime(_) => true,
        Value::Text(text) => dates::parse_any(text).is_some(),
        _ => false,
    }))
}
