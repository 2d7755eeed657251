//! `Len`: how many characters a text has.

use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Len",
    summary: "Returns how many characters a text has.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Text, "The text, or a list of texts; null has none.")],
    returns: Type::Integer,
    examples: &[Example::hybrid(r#"Len("Ann Lee")"#, "7"), Example::hybrid("Len(NULL)", "0")],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_text(0, |text| Ok(Value::Integer(i64::try_from(text::utf16_len(&text)).unwrap_or(i64::MAX))))
}
