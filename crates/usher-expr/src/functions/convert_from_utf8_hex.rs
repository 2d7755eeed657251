//! `ConvertFromUTF8Hex`: hexadecimal back into text.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "ConvertFromUTF8Hex",
    summary: "Returns the text whose UTF-8 bytes a hexadecimal text holds.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Text, "The hexadecimal text, or a list of them.")],
    examples: &[
        Example::hybrid(r#"ConvertFromUTF8Hex("5A6FC3AB")"#, r#""Zoë""#),
        Example::hybrid(
            r#"ConvertFromUTF8Hex("5A6")"#,
            "error: ConvertFromUTF8Hex, source: this text is no hexadecimal of whole bytes",
        ),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_text(0, |text| {
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        match digits {
            Some(digits) if digits.len().is_multiple_of(2) => {
                let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
                Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned()))
            }
            _ => Err(call.fail_at(0, "this text is no hexadecimal of whole bytes")),
        }
    })
}
