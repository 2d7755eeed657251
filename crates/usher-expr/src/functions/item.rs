//! `Item`: one value of a list.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "Item",
    summary: "Returns one value of a list; a position outside the list is an error.",
    params: &[
        Param::required("source", Type::List, "The list; a single value is a list of one."),
        Param::required("index", Type::Integer, "The position, from 1."),
    ],
    returns: Type::Any,
    examples: &[
        Example::new("Item([mails], 2)", r#""b""#).inputs(r#"{"mails": ["a", "b"]}"#),
        Example::new("Item([mail], 1)", r#""a""#).inputs(r#"{"mail": "a"}"#),
        Example::new("Item([mails], 3)", "error: Item, index: there is no value 3, the list has 2")
            .inputs(r#"{"mails": ["a", "b"]}"#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

/// Refuses a constant position below 1; also for `ItemOrNull`.
pub(super) fn check(call: &mut Check<'_>) {
    if call.constant(1).and_then(|index| index.as_integer()).is_some_and(|index| index < 1) {
        call.error(Some(1), codes::ARGUMENT_VALUE, "positions count from 1", "the first value is 1");
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let list = call.value(0)?;
    let index = call.integer(1)?;
    let position = index.checked_sub(1).and_then(|position| usize::try_from(position).ok());
    position.and_then(|position| list.values().get(position)).cloned().ok_or_else(|| {
        call.fail_at(1, format!("there is no value {index}, the list has {}", list.values().len()))
    })
}
