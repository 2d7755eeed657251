//! `Error`: the object fails with a text.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{CLOUD_SYNC, Example, Function, Param, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "Error",
    summary: "Fails the object with a text.",
    dialects: CLOUD_SYNC,
    params: &[Param::required("message", Type::Text, "Why the object fails.")],
    returns: Type::Any,
    examples: &[
        Example::cloud_sync(r#"IIF(IsPresent([mail]), [mail], Error("mail is required"))"#, "error: mail is required"),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let message = call.text(0)?;
    Err(call.raise(message))
}
