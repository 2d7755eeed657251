//! `AltSecIdFromNetid`: known by name only, so that schemas that contain it can be read.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};

pub(crate) const FUNCTION: Function = Function {
    name: "AltSecIdFromNetid",
    summary: "Stands in the default mappings of cross-tenant synchronization; what it yields is not published.",
    dialects: SERVICE,
    params: &[Param::required("source", Type::Text, "The attribute [netId].")],
    examples: &[
        Example::new("AltSecIdFromNetid([netId])", "error: AltSecIdFromNetid: what this function yields is not published"),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    call.warn(
        None,
        codes::UNDOCUMENTED_FUNCTION,
        "what AltSecIdFromNetid yields is not published: it always fails",
        "leave the mapping out, or map another attribute",
    );
}

fn eval(call: &Call<'_>) -> Evaluated {
    Err(call.fail("what this function yields is not published"))
}
