//! `IsGuid`: whether `CGuid` would succeed.

use super::c_guid::parse;
use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsGuid",
    summary: "Tells whether a text is a GUID.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Any, "The value to judge.")],
    returns: Type::Boolean,
    examples: &[
        Example::hybrid(r#"IsGuid("6f9619ff-8b86-d011-b42d-00c04fc964ff")"#, "True"),
        Example::hybrid(r#"IsGuid("6f9619ff")"#, "False"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    Ok(Value::Boolean(matches!(value.single(), Value::Text(text) if parse(text).is_some())))
}
