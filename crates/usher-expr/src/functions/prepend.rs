//! `Prepend`: a prefix and a text.

use smol_str::SmolStrBuilder;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Prepend",
    summary: "Puts a prefix before a text.",
    dialects: SERVICE,
    params: &[
        Param::required("prefix", Type::Text, "What stands before it."),
        Param::required("source", Type::Text, "The text to extend; every value of a list is extended."),
    ],
    examples: &[
        Example::new(r#"Prepend("smtp:", [mail])"#, r#""smtp:ann@woodgrove.example""#)
            .inputs(r#"{"mail": "ann@woodgrove.example"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let prefix = call.text(0)?;
    call.map_text(1, |text| {
        let mut joined = SmolStrBuilder::with_capacity(prefix.len() + text.len());
        joined.push_str(&prefix);
        joined.push_str(&text);
        Ok(Value::Text(joined.finish()))
    })
}
