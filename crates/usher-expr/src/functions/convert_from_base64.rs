//! `ConvertFromBase64`: base64 back into text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{CLOUD_SYNC, Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "ConvertFromBase64",
    summary: "Returns the text whose bytes a base64 text holds.",
    dialects: CLOUD_SYNC,
    params: &[
        Param::required("source", Type::Text, "The base64 text, or a list of them."),
        Param::optional(
            "encoding",
            Type::Word(&["Unicode", "ASCII", "UTF8"]),
            "How the bytes hold the text: UTF-16 (Unicode) when omitted.",
        ),
    ],
    examples: &[
        Example::cloud_sync(r#"ConvertFromBase64("QQBuAG4A")"#, r#""Ann""#),
        Example::cloud_sync(r#"ConvertFromBase64("QW5u", UTF8)"#, r#""Ann""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let encoding = call.text(1)?;
    call.map_value_text(0, source, |text| {
        let bytes = BASE64
            .decode(text.trim().as_bytes())
            .map_err(|_| call.fail_at(0, "this text is no base64"))?;
        let decoded = if encoding.eq_ignore_ascii_case("UTF8") {
            String::from_utf8_lossy(&bytes).into_owned()
        } else if encoding.eq_ignore_ascii_case("ASCII") {
            bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect()
        } else {
            let units = bytes.chunks(2).map(|pair| match pair {
                [low, high] => u16::from_le_bytes([*low, *high]),
                _ => 0xFFFD,
            });
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        };
        Ok(Value::from(decoded))
    })
}
