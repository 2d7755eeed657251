//! `CNum`: a text as a number.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CNum",
    summary: "Returns the number that a text holds.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Integer, "The text.")],
    returns: Type::Integer,
    examples: &[
        Example::hybrid(r#"CNum("12345")"#, "12345"),
        Example::hybrid("CNum([pay])", "error: CNum, source: a whole number was expected, not \"much\"")
            .inputs(r#"{"pay": "much"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.integer(0).map(Value::Integer)
}
