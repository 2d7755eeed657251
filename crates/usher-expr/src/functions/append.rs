//! `Append`: a text and a suffix.

use smol_str::SmolStrBuilder;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Append",
    summary: "Puts a suffix behind a text.",
    dialects: SERVICE,
    params: &[
        Param::required("source", Type::Text, "The text to extend; every value of a list is extended."),
        Param::required("suffix", Type::Text, "What stands behind it."),
    ],
    examples: &[
        Example::new(r#"Append([alias], "@woodgrove.example")"#, r#""ann@woodgrove.example""#)
            .inputs(r#"{"alias": "ann"}"#),
        Example::new(r#"Append([alias], "-x")"#, r#""-x""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let suffix = call.text(1)?;
    call.map_value_text(0, source, |text| {
        let mut joined = SmolStrBuilder::with_capacity(text.len() + suffix.len());
        joined.push_str(&text);
        joined.push_str(&suffix);
        Ok(Value::Text(joined.finish()))
    })
}
