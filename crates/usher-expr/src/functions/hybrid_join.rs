//! `Join` of the hybrid family: a list and the delimiter between its values.

use smol_str::SmolStrBuilder;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::limits;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Join",
    summary: "Puts the values of a list together with a delimiter between them.",
    dialects: HYBRID,
    params: &[
        Param::required("attribute", Type::List, "The list; what is null or empty adds nothing."),
        Param::optional("delimiter", Type::Text, "What stands between two values, a blank when omitted."),
    ],
    examples: &[
        Example::hybrid(r#"Join([colors], ",")"#, r#""red,green""#).inputs(r#"{"colors": ["red", "green"]}"#),
        Example::hybrid("Join([colors])", r#""red green""#).inputs(r#"{"colors": ["red", "green"]}"#),
        Example::hybrid("Join([colors], Nothing)", r#""redgreen""#).inputs(r#"{"colors": ["red", "green"]}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let delimiter = call.optional_text(1)?.unwrap_or_else(|| " ".into());
    let list = call.value(0)?;
    let mut joined = SmolStrBuilder::new();
    for value in list.values() {
        let text = call.as_text(0, value.clone())?;
        if text.is_empty() {
            continue;
        }
        if !joined.is_empty() {
            joined.push_str(&delimiter);
        }
        joined.push_str(&text);
        limits::check_length(joined.len()).map_err(|message| call.fail(message))?;
    }
    Ok(Value::Text(joined.finish()))
}
