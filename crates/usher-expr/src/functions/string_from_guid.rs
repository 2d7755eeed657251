//! `StringFromGuid`: the bytes of a GUID in text form.

use smol_str::format_smolstr;
use uuid::Uuid;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "StringFromGuid",
    summary: "Returns the text form of the bytes of a GUID.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Binary, "The 16 bytes, or their base64 text.")],
    examples: &[
        Example::hybrid(r#"StringFromGuid("/xmWb4aLEdC0LQDAT8lk/w==")"#, r#""6f9619ff-8b86-d011-b42d-00c04fc964ff""#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_bytes(0, |bytes| match Uuid::from_slice_le(bytes) {
        Ok(guid) => Ok(Value::Text(format_smolstr!("{guid}"))),
        Err(_) => Err(call.fail_at(0, format!("a GUID has 16 bytes, not {}", bytes.len()))),
    })
}
