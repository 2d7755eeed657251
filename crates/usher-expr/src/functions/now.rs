//! `Now` of the service: the current time in UTC, in whole seconds.

use jiff::Timestamp;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Now",
    summary: "Returns the current time in UTC, in whole seconds.",
    dialects: SERVICE,
    returns: Type::DateTime,
    examples: &[Example::new("Now()", "7/30/2025 12:00:00 AM")],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let now = call.context().now;
    let whole = Timestamp::from_second(now.as_second()).map_err(|error| call.fail(error))?;
    Ok(Value::DateTime(whole))
}
