//! `BitOr`: the bits that either of two numbers has.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "BitOr",
    summary: "Returns the bits that are set in at least one of two numbers.",
    dialects: HYBRID,
    params: &[
        Param::required("value1", Type::Integer, "A number, or text that holds one."),
        Param::required("value2", Type::Integer, "Another number."),
    ],
    returns: Type::Integer,
    examples: &[Example::hybrid("BitOr(12, 10)", "14")],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::Integer(call.integer(0)? | call.integer(1)?))
}
