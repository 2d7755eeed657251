//! `DateDiff`: how many intervals lie between two date-times.

use super::date_add::check_interval;
use crate::call::Call;
use crate::dotnet::dates;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "DateDiff",
    summary: "Returns how many intervals lie between two date-times, positive when the second is later.",
    dialects: SERVICE,
    params: &[
        Param::required(
            "interval",
            Type::Text,
            "yyyy year, m month, d day, ww week, h hour, n minute, s second.",
        ),
        Param::required("date1", Type::DateTime, "The first date-time."),
        Param::required("date2", Type::DateTime, "The second date-time."),
    ],
    returns: Type::Integer,
    examples: &[
        Example::new(r#"DateDiff("d", CDate("2025-07-30"), CDate("2025-08-06"))"#, "7"),
        Example::new(r#"DateDiff("h", CDate("2025-07-30"), Now())"#, "0"),
        Example::new(r#"DateDiff("yyyy", CDate("2025-12-31"), CDate("2026-01-01"))"#, "1"),
    ],
    check: Some(check_interval),
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let interval = call.text(0)?;
    let (first, second) = (call.date(1)?, call.date(2)?);
    dates::diff(&interval, first, second).map(Value::Integer).map_err(|error| call.fail(error))
}
