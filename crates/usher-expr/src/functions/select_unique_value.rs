//! `SelectUniqueValue`: candidates, of which the first free one is taken.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "SelectUniqueValue",
    summary: "Offers candidates in order, of which the first that no other object has is taken.",
    dialects: SERVICE,
    params: &[
        Param::required("rule1", Type::Text, "The best candidate; a null or empty one is passed over."),
        Param::required("rule2", Type::Text, "The next best, and so on.").repeating(),
    ],
    examples: &[
        Example::new(
            r#"SelectUniqueValue(Join(".", [first], [last]), Join(".", Left([first], 1), [last]))"#,
            r#"the first free of "Ann.Lee", "A.Lee""#,
        )
        .inputs(r#"{"first": "Ann", "last": "Lee"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let mut candidates = Vec::with_capacity(call.count());
    for index in 0..call.count() {
        let value = call.value(index)?;
        let candidate = call.as_text(index, value)?;
        if !candidate.is_empty() {
            candidates.push(Value::Text(candidate));
        }
    }
    Ok(Value::from(candidates))
}
