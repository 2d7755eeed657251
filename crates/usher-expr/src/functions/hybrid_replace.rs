//! `Replace` of the hybrid family: one text by another.

use smol_str::SmolStr;

use super::replace::replaced;
use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "Replace",
    summary: "Replaces every occurrence of a text by another.",
    dialects: HYBRID,
    params: &[
        Param::required("source", Type::Text, "The text to change; every value of a list is changed."),
        Param::required("oldValue", Type::Text, "The text to replace; \\n, \\r and \\t stand for line feed, return and tab."),
        Param::required("newValue", Type::Text, "What stands there afterwards, with the same escapes."),
    ],
    examples: &[
        Example::hybrid(r#"Replace("banana", "an", "o")"#, r#""booa""#),
        Example::hybrid(r#"Replace([address], "\r\n", ", ")"#, r#""1 Main Street, Oslo""#)
            .inputs(r#"{"address": "1 Main Street\r\nOslo"}"#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    if call.constant_text(1).is_some_and(|old| old.is_empty()) {
        call.error(Some(1), codes::ARGUMENT_VALUE, "an empty text cannot be replaced", "write the text to replace");
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let (old, new) = (unescaped(call.text(1)?), unescaped(call.text(2)?));
    if old.is_empty() {
        return Err(call.fail_at(1, "an empty text cannot be replaced"));
    }
    call.map_value_text(0, source, |text| replaced(call, text, &old, &new))
}

fn unescaped(text: SmolStr) -> SmolStr {
    if !text.contains('\\') {
        return text;
    }
    SmolStr::from(text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t"))
}
