//! `Trim`: a text without white space at both ends.

use smol_str::SmolStr;

use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{CLOUD_SYNC, Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Trim",
    summary: "Removes white space at the start and at the end of a text.",
    dialects: CLOUD_SYNC,
    params: &[Param::required("source", Type::Text, "The text, or a list of texts; null stays null.")],
    examples: &[
        Example::cloud_sync(r#"Trim("  Ann Lee ")"#, r#""Ann Lee""#),
        Example::cloud_sync("Trim([mails])", r#"["a@woodgrove.example", "b@woodgrove.example"]"#)
            .inputs(r#"{"mails": [" a@woodgrove.example", "b@woodgrove.example "]}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    trimmed(call, text::trim)
}

/// Trims one way or another; what needs no trimming is not copied. Also for `LTrim` and `RTrim`.
pub(super) fn trimmed(call: &Call<'_>, trim: fn(&str) -> &str) -> Evaluated {
    let change = |text: SmolStr| -> Value {
        let trimmed = trim(&text);
        if trimmed.len() == text.len() { Value::Text(text) } else { Value::text(trimmed) }
    };
    match call.value(0)? {
        Value::Null => Ok(Value::Null),
        Value::List(values) => {
            let trimmed: Result<Vec<Value>, _> =
                values.iter().map(|value| call.as_text(0, value.clone()).map(change)).collect();
            trimmed.map(Value::from)
        }
        other => call.as_text(0, other).map(change),
    }
}
