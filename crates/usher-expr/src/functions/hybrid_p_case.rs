//! `PCase` of the hybrid family: blanks separate words, an all-capital word stays.

use smol_str::SmolStrBuilder;

use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::{Evaluated, Halt};
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "PCase",
    summary: "Writes the first character of every word in upper case, all others in lower case.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Text, "The text, or a list of texts; words in capitals stay.")],
    examples: &[
        Example::hybrid(r#"PCase("anna mArIA lee")"#, r#""Anna Maria Lee""#),
        Example::hybrid(r#"PCase("ANNA lee")"#, r#""ANNA Lee""#),
        Example::hybrid(r#"PCase(LCase("ANNA"))"#, r#""Anna""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_text(0, |text| {
        let mut cased = SmolStrBuilder::with_capacity(text.len());
        for (index, word) in text.split(' ').enumerate() {
            if index > 0 {
                cased.push(' ');
            }
            let is_in_capitals = word.chars().any(char::is_uppercase) && !word.chars().any(char::is_lowercase);
            let first_length = word.chars().next().map_or(0, char::len_utf8);
            if is_in_capitals {
                cased.push_str(word);
            } else {
                let fail = |error| -> Halt { call.fail(error) };
                cased.push_str(&text::to_upper(&word[..first_length], None).map_err(fail)?);
                cased.push_str(&text::to_lower(&word[first_length..], None).map_err(fail)?);
            }
        }
        Ok(Value::Text(cased.finish()))
    })
}
