//! `With`: a name for a part of an expression.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "With",
    summary: "Returns an expression in which a variable stands for a value.",
    dialects: HYBRID,
    params: &[
        Param::required("variable", Type::Variable, "The variable."),
        Param::required("value", Type::Any, "What it stands for; evaluated once."),
        Param::required("expression", Type::Any, "The expression over the variable."),
    ],
    returns: Type::Any,
    examples: &[
        Example::hybrid(r#"With($name, Trim([cn]), IIF(Len($name) > 3, Left($name, 3), $name))"#, r#""Ann""#)
            .inputs(r#"{"cn": " Annabelle "}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(1)?;
    call.with_binding(2, call.variable(0)?, value)
}
