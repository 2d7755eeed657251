//! `FormatDateTime` of the hybrid family: a date-time in a format.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::dotnet::dates;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "FormatDateTime",
    summary: "Prints a date-time in a format.",
    dialects: HYBRID,
    params: &[
        Param::required("value", Type::DateTime, "The date-time."),
        Param::required("format", Type::Text, "The format to print."),
    ],
    examples: &[Example::hybrid(r#"FormatDateTime(CDate("7/30/2025"), "yyyy-MM-dd")"#, r#""2025-07-30""#)],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    if let Some(format) = call.constant_text(1)
        && let Err(error) = dates::format(jiff::Timestamp::UNIX_EPOCH, &format)
    {
        call.error(Some(1), codes::ARGUMENT_VALUE, error.to_string(), "write a format like \"yyyy-MM-dd\"");
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let date = call.date(0)?;
    dates::format(date, &call.text(1)?).map(Value::from).map_err(|error| call.fail_at(1, error))
}
