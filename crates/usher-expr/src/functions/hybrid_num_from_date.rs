//! `NumFromDate` of the hybrid family: takes a date-time, not its text.

use crate::call::Call;
use crate::dotnet::dates;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "NumFromDate",
    summary: "Returns the FILETIME number of a date-time: hundreds of nanoseconds since 1601.",
    dialects: HYBRID,
    params: &[Param::required("value", Type::DateTime, "The date-time; CDate makes one of a text.")],
    returns: Type::Integer,
    examples: &[Example::hybrid(r#"NumFromDate(CDate("2025-07-30 00:00:00"))"#, "133983072000000000")],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.date(0).map(|date| Value::Integer(dates::to_filetime(date)))
}
