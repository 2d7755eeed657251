//! `Redact`: a value that logs do not show.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "Redact",
    summary: "Returns its value unchanged; provisioning logs show [Redact] in its place.",
    dialects: SERVICE,
    params: &[Param::required("value", Type::Any, "The attribute, text or call to hide.")],
    returns: Type::Any,
    examples: &[Example::new("Redact([salary])", r#""5000""#).inputs(r#"{"salary": "5000"}"#)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.value(0)
}
