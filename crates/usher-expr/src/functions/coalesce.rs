//! `Coalesce`: the first value that is not null.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Coalesce",
    summary: "Returns the first argument that is not null; an empty text is not null.",
    dialects: SERVICE,
    params: &[Param::required("source", Type::Any, "The values in order; the last one is the default.").repeating()],
    returns: Type::Any,
    examples: &[
        Example::new(r#"Coalesce([mail], [userPrincipalName], "none")"#, r#""ann@woodgrove.example""#)
            .inputs(r#"{"mail": null, "userPrincipalName": "ann@woodgrove.example"}"#),
        Example::new(r#"Coalesce([mail], "none")"#, r#""""#).inputs(r#"{"mail": ""}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    for index in 0..call.count() {
        let value = call.value(index)?;
        if !value.is_null() && !value.values().is_empty() {
            return Ok(value);
        }
    }
    Ok(Value::Null)
}
