//! `IIF`: one of two values, chosen by a condition.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "IIF",
    summary: "Returns one value when a condition holds and another when it does not.",
    params: &[
        Param::required("condition", Type::Condition, "A comparison, or a value that is true or not.").key("one"),
        Param::optional("valueIfTrue", Type::Any, "The value when it holds; null when omitted.").key("four"),
        Param::optional("valueIfFalse", Type::Any, "The value when it does not; null when omitted.").key("five"),
    ],
    returns: Type::Any,
    examples: &[
        Example::new(r#"IIF([country]="NO", "Oslo", "abroad")"#, r#""Oslo""#).inputs(r#"{"country": "NO"}"#),
        Example::new(r#"IIF(IsPresent([nickname]), [nickname], [givenName])"#, r#""Ann""#)
            .inputs(r#"{"nickname": null, "givenName": "Ann"}"#),
        Example::new(r#"IIF([hidden]="1", IgnoreAttributeFlow, [phone])"#, "IgnoreAttributeFlow")
            .inputs(r#"{"hidden": "1", "phone": "7"}"#),
        Example::new(r#"IIF([level] >= 10, "senior", )"#, "null").inputs(r#"{"level": "9"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let chosen = if call.condition(0)? { 1 } else { 2 };
    call.value(chosen)
}
