//! `RemoveDuplicates`: every value once.

use std::collections::HashSet;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "RemoveDuplicates",
    summary: "Returns a list without repeated values, the first of each kept; case matters.",
    params: &[Param::required("source", Type::List, "The list.")],
    returns: Type::List,
    examples: &[
        Example::new("RemoveDuplicates([mails])", r#"["a", "b", "A"]"#).inputs(r#"{"mails": ["a", "b", "a", "A"]}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    match call.value(0)? {
        Value::List(values) => {
            let mut seen = HashSet::with_capacity(values.len());
            let kept = values
                .iter()
                .filter(|value| seen.insert((std::mem::discriminant(*value), value.to_text())))
                .cloned();
            Ok(Value::list(kept))
        }
        single => Ok(single),
    }
}
