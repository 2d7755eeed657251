//! `StringFromSid`: the bytes of a security identifier in text form.

use std::fmt::Write as _;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{CLOUD_SYNC, Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "StringFromSid",
    summary: "Returns the text form of the bytes of a security identifier.",
    dialects: CLOUD_SYNC,
    params: &[Param::required("source", Type::Binary, "The bytes, or their base64 text.")],
    examples: &[
        Example::cloud_sync(r#"StringFromSid("AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAA9AEAAA==")"#, r#""S-1-5-21-1-2-3-500""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_bytes(0, |bytes| {
        text_form(bytes).map(Value::from).ok_or_else(|| call.fail_at(0, "these bytes are no security identifier"))
    })
}

/// Revision, number of sub-authorities, authority in 6 bytes, sub-authorities in 4 bytes each.
fn text_form(bytes: &[u8]) -> Option<String> {
    let (head, rest) = bytes.split_at_checked(8)?;
    let authority = head[2..].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    if rest.len() != usize::from(head[1]) * 4 || head[0] != 1 {
        return None;
    }
    let mut text = format!("S-{}-{authority}", head[0]);
    for part in rest.chunks_exact(4) {
        let number = part.iter().rev().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        write!(text, "-{number}").ok()?;
    }
    Some(text)
}
