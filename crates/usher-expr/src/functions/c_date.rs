//! `CDate`: a text as a date-time.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CDate",
    summary: "Returns the date-time that a text holds, in UTC.",
    params: &[Param::required("source", Type::DateTime, "The text; null and an empty text are errors.")],
    returns: Type::DateTime,
    examples: &[
        Example::new(r#"CDate("2025-07-30-07:00")"#, "7/30/2025 7:00:00 AM"),
        Example::new(r#"CDate("7/30/2025 5:04:03 PM")"#, "7/30/2025 5:04:03 PM"),
        Example::new("CDate([start])", "error: CDate, source: a date was expected, not null"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.date(0).map(Value::DateTime)
}
