//! `Split` of the service: a text taken apart into a list.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Split",
    summary: "Takes a text apart at a delimiter; pieces are trimmed, empty ones dropped.",
    dialects: SERVICE,
    params: &[
        Param::required("source", Type::Text, "The text to take apart; of a list, every value."),
        Param::optional("delimiter", Type::Text, "What separates the pieces, a comma when omitted."),
    ],
    returns: Type::List,
    examples: &[
        Example::new(r#"Split("red, green,,blue", ",")"#, r#"["red", "green", "blue"]"#),
        Example::new(r#"Split("one", ";")"#, r#"["one"]"#),
        Example::new(r#"Split([absent], ",")"#, "[]"),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    if call.constant_text(1).is_some_and(|delimiter| delimiter.is_empty()) {
        call.error(Some(1), codes::ARGUMENT_VALUE, "an empty delimiter separates nothing", "write \",\" or omit it");
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let delimiter = call.optional_text(1)?.unwrap_or_else(|| ",".into());
    if delimiter.is_empty() {
        return Err(call.fail_at(1, "an empty delimiter separates nothing"));
    }
    let source = call.value(0)?;
    let mut pieces = Vec::new();
    for value in source.values() {
        let whole = call.as_text(0, value.clone())?;
        let found = whole.split(delimiter.as_str()).map(text::trim).filter(|piece| !piece.is_empty());
        pieces.extend(found.map(Value::text));
    }
    Ok(Value::from(pieces))
}
