//! `IsString`: whether a value can be text.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsString",
    summary: "Tells whether a value can be evaluated as text.",
    params: &[Param::required("source", Type::Any, "The value to judge.")],
    returns: Type::Boolean,
    examples: &[
        Example::new("IsString([mail])", "True").inputs(r#"{"mail": "ann@woodgrove.example"}"#),
        Example::new("IsString([absent])", "False"),
        Example::new("IsString([mails])", "False").inputs(r#"{"mails": ["a", "b"]}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    let is_string = !matches!(value.single(), Value::Null | Value::List(_) | Value::Binary(_) | Value::Object(_));
    Ok(Value::Boolean(is_string))
}
