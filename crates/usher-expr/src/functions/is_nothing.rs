//! `IsNothing`: whether there is no value, by its older name.

use super::is_null;
use crate::function::{Example, Function, Param, SERVICE, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "IsNothing",
    summary: "Tells whether a value is null; the same as IsNull.",
    dialects: SERVICE,
    params: &[Param::required("source", Type::Boolean, "The value to judge.")],
    returns: Type::Boolean,
    examples: &[Example::new("IsNothing([absent])", "True")],
    eval: is_null::eval,
    ..Function::COMMON
};
