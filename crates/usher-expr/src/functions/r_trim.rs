//! `RTrim`: a text without white space at its end.

use super::trim::trimmed;
use crate::dotnet::text;
use crate::function::{Example, Function, HYBRID, Param, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "RTrim",
    summary: "Removes white space at the end of a text.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Text, "The text, or a list of texts; null stays null.")],
    examples: &[Example::hybrid(r#"RTrim("  Ann ")"#, r#""  Ann""#)],
    eval: |call| trimmed(call, text::trim_end),
    ..Function::COMMON
};
