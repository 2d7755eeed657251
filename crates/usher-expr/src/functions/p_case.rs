//! `PCase` of the service: every word with a capital.

use smol_str::SmolStrBuilder;

use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "PCase",
    summary: "Writes the first character of every word in upper case, all others in lower case.",
    dialects: SERVICE,
    params: &[
        Param::required("source", Type::Text, "The text, or a list of texts."),
        Param::optional(
            "wordSeparators",
            Type::Text,
            "The characters that separate words, and no others; without it, white space and punctuation.",
        ),
    ],
    examples: &[
        Example::new(r#"PCase("ANNA-MARIA LEE")"#, r#""Anna-Maria Lee""#),
        Example::new(r#"PCase("anna-maria o'neil", " '")"#, r#""Anna-maria O'Neil""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let separators = call.optional_text(1)?.filter(|separators| !separators.is_empty());
    call.map_value_text(0, source, |text| {
        let Some(separators) = &separators else { return Ok(Value::Text(text::title_case(&text))) };
        let lowered = text::to_lower(&text, None).map_err(|error| call.fail(error))?;
        let mut cased = SmolStrBuilder::with_capacity(lowered.len());
        let mut begins_word = true;
        for character in lowered.chars() {
            if begins_word {
                let mut buffer = [0; 4];
                let first = character.encode_utf8(&mut buffer);
                cased.push_str(&text::to_upper(first, None).map_err(|error| call.fail(error))?);
            } else {
                cased.push(character);
            }
            begins_word = separators.contains(character);
        }
        Ok(Value::Text(cased.finish()))
    })
}
