//! `ConvertToUTF8Hex`: a text as the hexadecimal of its UTF-8 form.

use crate::call::Call;
use crate::certificate::hexadecimal;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "ConvertToUTF8Hex",
    summary: "Returns a text's UTF-8 bytes in upper-case hexadecimal.",
    params: &[Param::required("source", Type::Text, "The text, or a list of texts.")],
    examples: &[
        Example::new(r#"ConvertToUTF8Hex("Zoë")"#, r#""5A6FC3AB""#),
        Example::new(r#"ConvertToUTF8Hex("")"#, r#""""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    if let Value::Binary(bytes) = value.single() {
        return Ok(Value::from(hexadecimal(bytes)));
    }
    call.map_value_text(0, value, |text| Ok(Value::from(hexadecimal(text.as_bytes()))))
}
