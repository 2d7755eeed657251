//! `Where`: the values of a list for which a condition holds.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Where",
    summary: "Returns the values of a list for which a condition holds.",
    dialects: HYBRID,
    params: &[
        Param::required("variable", Type::Variable, "The variable that stands for the value."),
        Param::required("list", Type::List, "The list."),
        Param::required("condition", Type::Boolean, "The condition over the variable."),
    ],
    returns: Type::List,
    examples: &[
        Example::hybrid(r#"Where($mail, [mails], InStr($mail, "@") > 0)"#, r#"["a@b"]"#)
            .inputs(r#"{"mails": ["a@b", "x400"]}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let variable = call.variable(0)?;
    let list = call.value(1)?;
    let mut kept = Vec::new();
    for value in list.values() {
        if call.with_binding(2, variable, value.clone())?.truth() {
            kept.push(value.clone());
        }
    }
    Ok(Value::from(kept))
}
