//! `IsPresent`: whether there is a value that is not empty.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "IsPresent",
    summary: "Tells whether a value is neither null nor empty.",
    params: &[Param::required("source", Type::Any, "The value to judge.")],
    returns: Type::Boolean,
    examples: &[
        Example::new("IsPresent([mail])", "True").inputs(r#"{"mail": "ann@woodgrove.example"}"#),
        Example::new("IsPresent([mail])", "False").inputs(r#"{"mail": ""}"#),
        Example::new("IsPresent([mails])", "False").inputs(r#"{"mails": []}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::Boolean(!call.value(0)?.is_null_or_empty()))
}
