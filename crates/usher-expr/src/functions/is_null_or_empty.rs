//! `IsNullOrEmpty`: whether there is no value or only an empty one.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsNullOrEmpty",
    summary: "Tells whether a value is null, an empty text or a list without values.",
    params: &[Param::required("source", Type::Any, "The value to judge.")],
    returns: Type::Boolean,
    examples: &[
        Example::new("IsNullOrEmpty([mail])", "True").inputs(r#"{"mail": ""}"#),
        Example::new("IsNullOrEmpty([mail])", "False").inputs(r#"{"mail": "ann@woodgrove.example"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::Boolean(call.value(0)?.is_null_or_empty()))
}
