//! `RandomNum`: a random number of an interval.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::random;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "RandomNum",
    summary: "Returns a random number of an interval, both ends included.",
    dialects: HYBRID,
    params: &[
        Param::required("start", Type::Integer, "The smallest number."),
        Param::required("end", Type::Integer, "The largest number."),
    ],
    returns: Type::Integer,
    examples: &[Example::hybrid("RandomNum(7, 7)", "7")],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    let number = |index| call.constant(index).and_then(|value| value.as_integer());
    if number(0).zip(number(1)).is_some_and(|(start, end)| start > end) {
        call.error(None, codes::ARGUMENT_VALUE, "the interval is empty", "write the smaller number first");
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let (start, end) = (call.integer(0)?, call.integer(1)?);
    if start > end {
        return Err(call.fail(format!("the interval from {start} to {end} is empty")));
    }
    Ok(Value::Integer(random::between(start, end, &mut call.generator())))
}
