//! `NumFromDate` of the service: the FILETIME number of a date-time.

use crate::call::Call;
use crate::dotnet::dates;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "NumFromDate",
    summary: "Returns the FILETIME number of a date-time: hundreds of nanoseconds since 1601.",
    dialects: SERVICE,
    params: &[Param::required("value", Type::DateTime, "The date-time, or its text in ISO 8601 form.").key("source")],
    returns: Type::Integer,
    examples: &[
        Example::new(r#"NumFromDate("2025-07-30T00:00:00Z")"#, "133983072000000000"),
        Example::new(r#"NumFromDate("2025-07-30 23:59:59-08:00")"#, "133984223990000000"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.date(0).map(|date| Value::Integer(dates::to_filetime(date)))
}
