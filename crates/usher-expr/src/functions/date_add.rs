//! `DateAdd`: a date-time some intervals later or earlier.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::dialect::Dialect;
use crate::dotnet::dates;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "DateAdd",
    summary: "Returns a date-time moved by a number of intervals.",
    params: &[
        Param::required(
            "interval",
            Type::Text,
            "yyyy year, m month, d day, ww week, h hour, n minute, s second; hybrid also q, y and w.",
        ),
        Param::required("value", Type::Integer, "How many; negative numbers go back."),
        Param::required("dateTime", Type::DateTime, "Where to begin."),
    ],
    returns: Type::DateTime,
    examples: &[
        Example::new(r#"DateAdd("d", 7, CDate("2025-07-30"))"#, "8/6/2025 12:00:00 AM"),
        Example::new(r#"DateAdd("m", 1, CDate("2024-01-31"))"#, "2/29/2024 12:00:00 AM"),
        Example::new(r#"DateAdd("h", "-1", Now())"#, "7/29/2025 11:00:00 PM"),
    ],
    check: Some(check_interval),
    eval,
    ..Function::COMMON
};

/// Refuses a constant that is no interval of the dialect; also for `DateDiff`.
pub(super) fn check_interval(call: &mut Check<'_>) {
    const SERVICE: &[&str] = &["yyyy", "m", "d", "ww", "h", "n", "s"];
    const HYBRID: &[&str] = &["q", "y", "w"];
    let Some(interval) = call.constant_text(0) else { return };
    let is_in = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(&interval));
    let is_known = is_in(SERVICE) || (call.dialect == Dialect::Hybrid && is_in(HYBRID));
    if !is_known {
        call.error(
            Some(0),
            codes::ARGUMENT_VALUE,
            format!("\"{interval}\" is no interval"),
            "write yyyy, m, d, ww, h, n or s; minutes are n",
        );
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let interval = call.text(0)?;
    let number = call.integer(1)?;
    let start = call.date(2)?;
    // A quarter is three months; a day of the year and a weekday are days.
    let (interval, factor) = match interval.as_str() {
        "q" | "Q" => ("m", 3),
        "y" | "Y" | "w" | "W" => ("d", 1),
        other => (other, 1),
    };
    dates::add(interval, number.saturating_mul(factor), start).map(Value::DateTime).map_err(|error| call.fail(error))
}
