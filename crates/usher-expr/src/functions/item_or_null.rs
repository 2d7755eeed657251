//! `ItemOrNull`: one value of a list, or null.

use super::item::check;
use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "ItemOrNull",
    summary: "Returns one value of a list; null for a position outside the list.",
    dialects: HYBRID,
    params: &[
        Param::required("attribute", Type::List, "The list; a single value is a list of one."),
        Param::required("index", Type::Integer, "The position, from 1."),
    ],
    returns: Type::Any,
    examples: &[
        Example::hybrid("ItemOrNull([mails], 2)", r#""b""#).inputs(r#"{"mails": ["a", "b"]}"#),
        Example::hybrid("ItemOrNull([mails], 3)", "null").inputs(r#"{"mails": ["a", "b"]}"#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let list = call.value(0)?;
    let position = call.integer(1)?.checked_sub(1).and_then(|position| usize::try_from(position).ok());
    Ok(position.and_then(|position| list.values().get(position)).cloned().unwrap_or_default())
}
