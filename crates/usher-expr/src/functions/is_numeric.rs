//! `IsNumeric`: whether `CNum` would succeed.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsNumeric",
    summary: "Tells whether a value is a number or a text that holds one.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Any, "The value to judge.")],
    returns: Type::Boolean,
    examples: &[Example::hybrid(r#"IsNumeric("-12")"#, "True"), Example::hybrid(r#"IsNumeric("a1")"#, "False")],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    let is_number = matches!(value.single(), Value::Integer(_) | Value::Text(_)) && value.as_integer().is_some();
    Ok(Value::Boolean(is_number))
}
