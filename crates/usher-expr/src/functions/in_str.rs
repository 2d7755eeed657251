//! `InStr`: where a text first occurs in another.

use smol_str::SmolStr;

use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::{Evaluated, Halt};
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "InStr",
    summary: "Returns the position, from 1, at which a text first occurs in another; 0 when it does not.",
    params: &[
        Param::required("value1", Type::Text, "The text to search in."),
        Param::required("value2", Type::Text, "The text to search for."),
        Param::optional("start", Type::Integer, "The position at which the search begins, 1 when omitted."),
        Param::optional("compareType", COMPARE, "Whether case matters; it does when omitted."),
    ],
    returns: Type::Integer,
    examples: &[
        Example::new(r#"InStr("ann@woodgrove.example", "@")"#, "4"),
        Example::new(r#"InStr("banana", "an", 3)"#, "4"),
        Example::new(r#"InStr("Banana", "b")"#, "0"),
        Example::new(r#"InStr("Banana", "b", 1, vbTextCompare)"#, "1"),
    ],
    eval,
    ..Function::COMMON
};

/// The ways of comparing, also of `InStrRev`.
pub(super) const COMPARE: Type = Type::Word(&["vbBinaryCompare", "vbTextCompare"]);

fn eval(call: &Call<'_>) -> Evaluated {
    let (whole, part) = sought(call)?;
    let start = call.optional_integer(2)?.unwrap_or(1);
    let Some(skipped) = start.checked_sub(1).and_then(|start| usize::try_from(start).ok()) else {
        return Err(call.fail_at(2, format!("positions count from 1, not from {start}")));
    };
    let all = text::utf16_len(&whole);
    if skipped > all || (whole.is_empty() && !part.is_empty()) {
        return Ok(Value::Integer(0));
    }
    let rest = text::utf16_slice(&whole, skipped, all);
    let Some(found) = rest.find(part.as_str()) else { return Ok(Value::Integer(0)) };
    let before = skipped + text::utf16_len(&rest[..found]);
    Ok(Value::Integer(position(before)))
}

/// The two texts, lowered when case does not matter.
pub(super) fn sought(call: &Call<'_>) -> Result<(SmolStr, SmolStr), Halt> {
    let (whole, part) = (call.text(0)?, call.text(1)?);
    if !call.text(3)?.eq_ignore_ascii_case("vbTextCompare") {
        return Ok((whole, part));
    }
    let lower = |text: &str| text::to_lower(text, None).map_err(|error| call.fail(error));
    Ok((lower(&whole)?, lower(&part)?))
}

/// The position, from 1, of what stands behind so many characters.
pub(super) fn position(before: usize) -> i64 {
    i64::try_from(before).map_or(i64::MAX, |before| before.saturating_add(1))
}
