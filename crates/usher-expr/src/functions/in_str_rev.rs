//! `InStrRev`: where a text last occurs in another.

use super::in_str::{COMPARE, position, sought};
use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "InStrRev",
    summary: "Returns the position, from 1, at which a text last occurs in another; 0 when it does not.",
    dialects: HYBRID,
    params: &[
        Param::required("value1", Type::Text, "The text to search in."),
        Param::required("value2", Type::Text, "The text to search for."),
        Param::optional("start", Type::Integer, "Where the search begins, going left; the end when omitted."),
        Param::optional("compareType", COMPARE, "Whether case matters; it does when omitted."),
    ],
    returns: Type::Integer,
    examples: &[
        Example::hybrid(r#"InStrRev("banana", "an")"#, "4"),
        Example::hybrid(r#"InStrRev("banana", "an", 4)"#, "2"),
        Example::hybrid(r#"InStrRev("banana", "AN", -1, vbTextCompare)"#, "4"),
        Example::hybrid(r#"InStrRev("banana", "x")"#, "0"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let (whole, part) = sought(call)?;
    let start = call.optional_integer(2)?.unwrap_or(-1);
    let searched = match usize::try_from(start) {
        Ok(0) => return Err(call.fail_at(2, "positions count from 1, not from 0")),
        Ok(end) => text::utf16_slice(&whole, 0, end),
        Err(_) if start == -1 => whole.as_str(),
        Err(_) => return Err(call.fail_at(2, format!("{start} is no position"))),
    };
    let found = searched.rfind(part.as_str());
    Ok(Value::Integer(found.map_or(0, |found| position(text::utf16_len(&searched[..found])))))
}
