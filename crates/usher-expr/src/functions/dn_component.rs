//! `DNComponent`: one component of a distinguished name, counted from the left.

use smol_str::SmolStr;

use crate::call::Call;
use crate::distinguished_name::components;
use crate::evaluate::{Evaluated, Halt};
use crate::function::{CLOUD_SYNC, Example, Function, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "DNComponent",
    summary: "Returns the value of one component of a distinguished name, counted from the left.",
    dialects: CLOUD_SYNC,
    params: &[
        Param::required("dn", Type::Reference, "The distinguished name."),
        Param::required("index", Type::Integer, "The position, from 1."),
    ],
    examples: &[
        Example::cloud_sync("DNComponent([dn], 2)", r#""Staff""#)
            .inputs(r#"{"dn": "CN=Ann,OU=Staff,DC=woodgrove,DC=example"}"#),
        Example::cloud_sync("DNComponent([dn], 9)", "null").inputs(r#"{"dn": "CN=Ann,DC=example"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let position = position(call)?;
    map_name(call, |name| components(name).into_iter().nth(position).map(|component| component.value))
}

/// How many components to pass over; also for `DNComponentRev`.
pub(super) fn position(call: &Call<'_>) -> Result<usize, Halt> {
    let index = call.integer(1)?;
    index
        .checked_sub(1)
        .and_then(|position| usize::try_from(position).ok())
        .ok_or_else(|| call.fail_at(1, format!("positions count from 1, not from {index}")))
}

/// Applies `read` to the name in the first argument, or to every name of a list; null stays null.
pub(super) fn map_name(call: &Call<'_>, read: impl Fn(&str) -> Option<String>) -> Evaluated {
    let one = |value: &Value| -> Evaluated {
        let name = match value {
            Value::Null => return Ok(Value::Null),
            Value::Reference(name) => name.clone(),
            other => call.as_text(0, other.clone())?,
        };
        Ok(read(&name).map_or(Value::Null, |found| Value::Text(SmolStr::from(found))))
    };
    match call.value(0)? {
        Value::List(values) => values.iter().map(one).collect::<Result<Vec<_>, _>>().map(Value::from),
        single => one(&single),
    }
}
