//! `CStr`: a number, reference or boolean as text.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CStr",
    summary: "Returns the text of a number, reference or boolean.",
    params: &[Param::required("value", Type::Any, "The value to print; null stays null.").key("source")],
    examples: &[
        Example::new("CStr(42)", r#""42""#),
        Example::new(r#"CStr(IsPresent("x"))"#, r#""True""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    match value.single() {
        Value::Null => Ok(Value::Null),
        Value::List(_) | Value::Object(_) => {
            Err(call.fail_at(0, format!("a single value was expected, not {}", value.kind())))
        }
        single => Ok(Value::Text(single.to_text())),
    }
}
