//! `IsEmpty`: whether a value is there and empty.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsEmpty",
    summary: "Tells whether a value is an empty text; null is not.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Any, "The value to judge.")],
    returns: Type::Boolean,
    examples: &[Example::hybrid(r#"IsEmpty("")"#, "True"), Example::hybrid("IsEmpty([absent])", "False")],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    Ok(Value::Boolean(!value.single().is_null() && value.is_null_or_empty()))
}
