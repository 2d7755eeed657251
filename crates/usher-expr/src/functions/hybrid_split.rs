//! `Split` of the hybrid family: at one character, into at most so many pieces.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Split",
    summary: "Takes a text apart at a character, into at most so many pieces.",
    dialects: HYBRID,
    params: &[
        Param::required("value", Type::Text, "The text to take apart; of a list, every value."),
        Param::required("delimiter", Type::Text, "The one character that separates the pieces."),
        Param::optional("limit", Type::Integer, "How many pieces at most; the last one holds the rest."),
    ],
    returns: Type::List,
    examples: &[
        Example::hybrid(r#"Split("a,b, c", ",")"#, r#"["a", "b", " c"]"#),
        Example::hybrid(r#"Split("a,b,c", ",", 2)"#, r#"["a", "b,c"]"#),
        Example::hybrid(r#"Split(NULL, ",")"#, "[]"),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    if call.constant_text(1).is_some_and(|delimiter| delimiter.chars().count() != 1) {
        call.error(Some(1), codes::ARGUMENT_VALUE, "the delimiter is a single character", "write one like \",\"");
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let delimiter = call.text(1)?;
    let mut characters = delimiter.chars();
    let (Some(delimiter), None) = (characters.next(), characters.next()) else {
        return Err(call.fail_at(1, "the delimiter is a single character"));
    };
    let limit = call.optional_integer(2)?.unwrap_or(i64::MAX);
    let Some(limit) = usize::try_from(limit).ok().filter(|limit| *limit > 0) else {
        return Err(call.fail_at(2, format!("there is no list of {limit} pieces")));
    };
    let source = call.value(0)?;
    let mut pieces = Vec::new();
    for value in source.values() {
        let text = call.as_text(0, value.clone())?;
        pieces.extend(text.splitn(limit, delimiter).map(Value::text));
    }
    Ok(Value::from(pieces))
}
