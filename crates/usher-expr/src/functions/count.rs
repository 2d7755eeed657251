//! `Count`: how many values there are.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Count",
    summary: "Returns how many values an attribute has.",
    params: &[Param::required("source", Type::List, "The list; a single value counts 1, null counts 0.")],
    returns: Type::Integer,
    examples: &[
        Example::new("Count([mails])", "2").inputs(r#"{"mails": ["a", "b"]}"#),
        Example::new("Count([mail])", "1").inputs(r#"{"mail": "a"}"#),
        Example::new("Count([absent])", "0"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let count = call.value(0)?.values().len();
    Ok(Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)))
}
