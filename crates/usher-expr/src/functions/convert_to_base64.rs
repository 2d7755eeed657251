//! `ConvertToBase64`: a text as base64 of its UTF-16 form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "ConvertToBase64",
    summary: "Returns the base64 of a text's UTF-16 bytes; of binary data, the base64 of its bytes.",
    params: &[Param::required("source", Type::Text, "The text, or a list of texts.")],
    examples: &[
        Example::new(r#"ConvertToBase64("Ann")"#, r#""QQBuAG4A""#),
        Example::new(r#"ConvertToBase64("")"#, r#""""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let value = call.value(0)?;
    if let Value::Binary(bytes) = value.single() {
        return Ok(Value::from(BASE64.encode(bytes)));
    }
    call.map_value_text(0, value, |text| {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        Ok(Value::from(BASE64.encode(bytes)))
    })
}
