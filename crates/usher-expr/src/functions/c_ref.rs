//! `CRef`: a text as a reference.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{CLOUD_SYNC, Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "CRef",
    summary: "Returns the reference that a text names.",
    dialects: CLOUD_SYNC,
    params: &[Param::required("source", Type::Text, "The distinguished name or anchor; null stays null.")],
    returns: Type::Reference,
    examples: &[
        Example::hybrid(r#"CRef("CN=Ann,DC=woodgrove,DC=example")"#, "CN=Ann,DC=woodgrove,DC=example"),
        Example::hybrid("CRef([absent])", "null"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    match call.value(0)? {
        Value::Null => Ok(Value::Null),
        reference @ Value::Reference(_) => Ok(reference),
        other => call.as_text(0, other).map(Value::Reference),
    }
}
