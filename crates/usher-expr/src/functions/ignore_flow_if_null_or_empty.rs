//! `IgnoreFlowIfNullOrEmpty`: no value, no write.

use crate::call::Call;
use crate::evaluate::{Evaluated, Halt};
use crate::function::{Example, Function, Param, SERVICE, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "IgnoreFlowIfNullOrEmpty",
    summary: "Returns its value, or leaves the attribute out of the write when there is none.",
    dialects: SERVICE,
    params: &[Param::required("source", Type::Any, "The value to write.")],
    returns: Type::Any,
    examples: &[
        Example::new("IgnoreFlowIfNullOrEmpty([phone])", r#""7""#).inputs(r#"{"phone": "7"}"#),
        Example::new("IgnoreFlowIfNullOrEmpty([phone])", "IgnoreAttributeFlow").inputs(r#"{"phone": ""}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    if value.is_null_or_empty() { Err(Halt::IgnoreAttributeFlow) } else { Ok(value) }
}
