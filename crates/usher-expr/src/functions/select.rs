//! `Select`: a function applied to every value of a list.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Select",
    summary: "Returns the list of what an expression yields for every value of a list.",
    dialects: HYBRID,
    params: &[
        Param::required("variable", Type::Variable, "The variable that stands for the value."),
        Param::required("list", Type::List, "The list."),
        Param::required("function", Type::Any, "The expression over the variable."),
    ],
    returns: Type::List,
    examples: &[
        Example::hybrid(r#"Select($mail, [mails], "smtp:" & $mail)"#, r#"["smtp:a", "smtp:b"]"#)
            .inputs(r#"{"mails": ["a", "b"]}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let variable = call.variable(0)?;
    let list = call.value(1)?;
    let selected: Result<Vec<Value>, _> =
        list.values().iter().map(|value| call.with_binding(2, variable, value.clone())).collect();
    selected.map(Value::from)
}
