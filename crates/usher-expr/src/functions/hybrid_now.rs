//! `Now` of the hybrid family: the system's time, which here is UTC.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Now",
    summary: "Returns the current system time; the system's zone is UTC.",
    dialects: HYBRID,
    returns: Type::DateTime,
    examples: &[Example::hybrid("Now()", "7/30/2025 12:00:00 AM")],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::DateTime(call.context().now))
}
