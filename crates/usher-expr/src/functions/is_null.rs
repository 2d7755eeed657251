//! `IsNull`: whether there is no value.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsNull",
    summary: "Tells whether a value is null; an empty text is not.",
    params: &[Param::required("source", Type::Any, "The value to judge.")],
    returns: Type::Boolean,
    examples: &[
        Example::new("IsNull([absent])", "True"),
        Example::new("IsNull([mail])", "False").inputs(r#"{"mail": ""}"#),
    ],
    eval,
    ..Function::COMMON
};

/// Also what `IsNothing` does.
pub(super) fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::Boolean(call.value(0)?.values().is_empty()))
}
