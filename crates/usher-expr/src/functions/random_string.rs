//! `RandomString`: a random text under password rules.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::random::Wanted;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "RandomString",
    summary: "Returns a random text with a minimum of characters of each kind.",
    dialects: SERVICE,
    params: &[
        Param::required("length", Type::Integer, "How many characters, at most 256."),
        Param::required("minimumNumbers", Type::Integer, "How many digits at least."),
        Param::required("minimumSpecialCharacters", Type::Integer, "How many special characters at least."),
        Param::required("minimumCapital", Type::Integer, "How many capital letters at least."),
        Param::required("minimumLowerCase", Type::Integer, "How many lower-case letters at least."),
        Param::optional("charactersToAvoid", Type::Text, "Characters that never occur."),
    ],
    examples: &[
        Example::new(r#"RandomString(3, 3, 0, 0, 0, "012345678")"#, r#""999""#),
        Example::new(
            "RandomString([length], 2, 2, 2, 2)",
            "error: RandomString: the minima add up to 8, the length is only 5",
        )
        .inputs(r#"{"length": "5"}"#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    let number = |index| call.constant(index).and_then(|value| value.as_integer());
    if let [Some(length), Some(digits), Some(special), Some(capitals), Some(lower_case)] =
        [number(0), number(1), number(2), number(3), number(4)]
        && let Some(problem) = (Wanted { length, digits, special, capitals, lower_case }).problem()
    {
        call.error(None, codes::ARGUMENT_VALUE, problem, "raise the length or lower the minima");
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let wanted = Wanted {
        length: call.integer(0)?,
        digits: call.integer(1)?,
        special: call.integer(2)?,
        capitals: call.integer(3)?,
        lower_case: call.integer(4)?,
    };
    let avoid = call.text(5)?;
    let drawn = wanted.draw(&avoid, &mut call.generator()).map_err(|problem| call.fail(problem))?;
    Ok(Value::from(drawn))
}
