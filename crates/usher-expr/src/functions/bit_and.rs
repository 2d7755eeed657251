//! `BitAnd`: the bits that two numbers share.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "BitAnd",
    summary: "Returns the bits that are set in both of two numbers.",
    params: &[
        Param::required("value1", Type::Integer, "A number, or text that holds one.").key("left"),
        Param::required("value2", Type::Integer, "Another number.").key("right"),
    ],
    returns: Type::Integer,
    examples: &[
        Example::new("BitAnd(12, 10)", "8"),
        Example::new("BitAnd(&HF, &HF7)", "7"),
        Example::new("BitAnd([userAccountControl], 2)", "2").inputs(r#"{"userAccountControl": "514"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::Integer(call.integer(0)? & call.integer(1)?))
}
