//! `Join` of the service: a separator and the texts to put together.

use smol_str::SmolStrBuilder;

use crate::call::Call;
use crate::evaluate::{Evaluated, Halt};
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::limits;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Join",
    summary: "Puts texts together with a separator between them.",
    dialects: SERVICE,
    params: &[
        Param::required("separator", Type::Text, "What stands between two texts; it may be empty."),
        Param::required("source", Type::Text, "The texts and lists; what is null or empty adds nothing.").repeating(),
    ],
    examples: &[
        Example::new(r#"Join(".", [givenName], [surname])"#, r#""Ann.Lee""#)
            .inputs(r#"{"givenName": "Ann", "surname": "Lee"}"#),
        Example::new(r#"Join(", ", [surname], [title], [givenName])"#, r#""Lee, Ann""#)
            .inputs(r#"{"givenName": "Ann", "surname": "Lee", "title": ""}"#),
        Example::new(r#"Join(";", "first", [others])"#, r#""first;second;third""#)
            .inputs(r#"{"others": ["second", "third"]}"#),
        Example::new(r#"Join("", 1000, [number])"#, r#""10007""#).inputs(r#"{"number": "7"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let separator = call.text(0)?;
    let mut joined = SmolStrBuilder::new();
    let mut is_first = true;
    let mut add = |text: &str| -> Result<(), Halt> {
        if text.is_empty() {
            return Ok(());
        }
        if !is_first {
            joined.push_str(&separator);
        }
        is_first = false;
        joined.push_str(text);
        limits::check_length(joined.len()).map_err(|message| call.fail(message))
    };
    for index in 1..call.count() {
        match call.value(index)? {
            Value::Text(text) => add(&text)?,
            Value::List(values) => {
                for value in values.iter() {
                    add(&call.as_text(index, value.clone())?)?;
                }
            }
            other => add(&call.as_text(index, other)?)?,
        }
    }
    Ok(Value::Text(joined.finish()))
}
