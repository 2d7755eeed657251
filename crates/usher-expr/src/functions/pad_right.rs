//! `PadRight`: a text filled up at its end.

use super::pad_left::{check, pad};
use crate::function::{Example, Function, HYBRID, Param, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "PadRight",
    summary: "Fills a text up to a length with a character at its end.",
    dialects: HYBRID,
    params: &[
        Param::required("source", Type::Text, "The text, or a list of texts; null gives an empty text."),
        Param::required("length", Type::Integer, "How many characters the result has at least."),
        Param::required("padCharacter", Type::Text, "The one character to fill up with."),
    ],
    examples: &[
        Example::hybrid(r#"PadRight("User", 6, " ")"#, r#""User  ""#),
        Example::hybrid(r#"PadRight("Annabelle", 4, "0")"#, r#""Annabelle""#),
    ],
    check: Some(check),
    eval: |call| pad(call, |text, padding| format!("{text}{padding}")),
    ..Function::COMMON
};
