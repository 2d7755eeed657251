//! `Guid`: a new random GUID.

use rand::RngExt as _;
use smol_str::format_smolstr;
use uuid::Builder;

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Guid",
    summary: "Returns a new random GUID, in lower case with dashes.",
    examples: &[Example::new(r#"Replace(Guid(), , "[0-9a-f]", , "x", , )"#, r#""xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx""#)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let guid = Builder::from_random_bytes(call.generator().random()).into_uuid();
    Ok(Value::Text(format_smolstr!("{guid}")))
}
