//! `CGuid`: the text form of a GUID as bytes.

use uuid::Uuid;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CGuid",
    summary: "Returns the bytes of a GUID in text form.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Text, "The GUID, with or without braces.")],
    returns: Type::Binary,
    examples: &[
        Example::hybrid(r#"StringFromGuid(CGuid("{6F9619FF-8B86-D011-B42D-00C04FC964FF}"))"#, r#""6f9619ff-8b86-d011-b42d-00c04fc964ff""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_text(0, |text| match parse(&text) {
        Some(guid) => Ok(Value::Binary(guid.to_bytes_le().into())),
        None => Err(call.fail_at(0, format!("\"{text}\" is no GUID"))),
    })
}

/// Reads the forms with and without braces and dashes; also for `IsGuid`.
pub(super) fn parse(text: &str) -> Option<Uuid> {
    let text = text.trim();
    if text.starts_with("urn") { None } else { Uuid::parse_str(text).ok() }
}
