//! `Not`: the opposite of a truth value.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Not",
    summary: "Returns False for a true value and True for everything else, null included.",
    dialects: SERVICE,
    params: &[Param::required("source", Type::Boolean, "The value to negate.")],
    returns: Type::Boolean,
    examples: &[
        Example::new("Not([locked])", "False").inputs(r#"{"locked": "True"}"#),
        Example::new("Not([locked])", "True"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::Boolean(!call.value(0)?.truth()))
}
