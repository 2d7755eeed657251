//! `Word`: one of the words of a text.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Word",
    summary: "Returns one of the words of a text; an empty text when there are not that many.",
    params: &[
        Param::required("source", Type::Text, "The text to take apart; every value of a list is taken apart."),
        Param::required("number", Type::Integer, "Which word to return, from 1."),
        Param::required("delimiters", Type::Text, "Characters, each of which separates words."),
    ],
    examples: &[
        Example::new(r#"Word("Ann Marie Lee", 2, " ")"#, r#""Marie""#),
        Example::new(r#"Word("a, b;c", 3, ",; ")"#, r#""c""#),
        Example::new(r#"Word("a,b", 5, ",")"#, r#""""#),
        Example::new(r#"Word("a,b", 0, ",")"#, r#""""#),
        Example::new(r#"Word([absent], 1, ",")"#, r#""""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let number = call.integer(1)?;
    let delimiters = call.text(2)?;
    call.map_value_text(0, source, |text| {
        let skipped = number.checked_sub(1).and_then(|skipped| usize::try_from(skipped).ok());
        let mut words = text.split(|one| delimiters.contains(one)).filter(|word| !word.is_empty());
        Ok(Value::text(skipped.and_then(|skipped| words.nth(skipped)).unwrap_or_default()))
    })
}
