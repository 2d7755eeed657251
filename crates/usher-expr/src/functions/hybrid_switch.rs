//! `Switch` of the hybrid family: the value of the first condition that holds.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Switch",
    summary: "Returns the value of the first condition that holds, null when none does.",
    dialects: HYBRID,
    params: &[
        Param::required("condition", Type::Boolean, "A condition; all of them are evaluated.").repeating(),
        Param::optional("value", Type::Any, "Its value; only the one that is returned is evaluated."),
    ],
    returns: Type::Any,
    examples: &[
        Example::hybrid(r#"Switch([city] = "Oslo", "no", [city] = "Rome", "it")"#, r#""it""#)
            .inputs(r#"{"city": "Rome"}"#),
        Example::hybrid(r#"Switch([city] = "Oslo", "no", True, Error("no such city"))"#, "error: no such city")
            .inputs(r#"{"city": "Rome"}"#),
        Example::hybrid(r#"Switch([city] = "Oslo", "no")"#, "null").inputs(r#"{"city": "Rome"}"#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    if call.count() % 2 == 1 {
        call.error(
            Some(call.count() - 1),
            codes::ARGUMENT_COMBINATION,
            "this condition of Switch has no value",
            "write conditions and values in pairs; a default is the pair True, value",
        );
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let mut chosen = None;
    for condition in (0..call.count()).step_by(2) {
        if call.condition(condition)? && chosen.is_none() {
            chosen = Some(condition + 1);
        }
    }
    chosen.map_or(Ok(Value::Null), |value| call.value(value))
}
