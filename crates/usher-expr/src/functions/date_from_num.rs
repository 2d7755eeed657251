//! `DateFromNum`: the date-time of a FILETIME number.

use crate::call::Call;
use crate::dotnet::dates;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "DateFromNum",
    summary: "Returns the date-time of a FILETIME number: hundreds of nanoseconds since 1601.",
    params: &[Param::required("value", Type::Integer, "The number.").key("source")],
    returns: Type::DateTime,
    examples: &[
        Example::new("DateFromNum(133983072000000000)", "7/30/2025 12:00:00 AM"),
        Example::new("DateFromNum([never])", "error: DateFromNum, value: 9223372036854775807 is no date")
            .inputs(r#"{"never": "9223372036854775807"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let number = call.integer(0)?;
    let date = dates::from_filetime(number);
    date.map(Value::DateTime).ok_or_else(|| call.fail_at(0, format!("{number} is no date")))
}
