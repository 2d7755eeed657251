//! `CBool`: a number or comparison as a truth value.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CBool",
    summary: "Returns True for a number other than zero and for a comparison that holds.",
    params: &[Param::required("source", Type::Boolean, "The number or comparison.")],
    returns: Type::Boolean,
    examples: &[
        Example::new("CBool([left] = [right])", "True").inputs(r#"{"left": "a", "right": "a"}"#),
        Example::new("CBool(BitAnd([flags], 2))", "False").inputs(r#"{"flags": "4"}"#),
        Example::new(r#"CBool("1")"#, "True"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    Ok(Value::Boolean(value.truth() || value.as_integer().is_some_and(|number| number != 0)))
}
