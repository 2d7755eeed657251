//! `IsBitSet`: whether a number has a bit.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsBitSet",
    summary: "Tells whether the bit of a flag is set in a number.",
    dialects: HYBRID,
    params: &[
        Param::required("value", Type::Integer, "The number."),
        Param::required("flag", Type::Integer, "The flag: a number with the bit in question set."),
    ],
    returns: Type::Boolean,
    examples: &[Example::hybrid("IsBitSet(&HF, 4)", "True"), Example::hybrid("IsBitSet(8, 4)", "False")],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::Boolean(call.integer(0)? & call.integer(1)? != 0))
}
