//! `DefaultDomain`: the default verified domain of the tenant.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, SERVICE};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "DefaultDomain",
    summary: "Returns the default verified domain of the tenant.",
    dialects: SERVICE,
    examples: &[Example::new(r#"Join("@", "ann", DefaultDomain())"#, r#""ann@woodgrove.example""#)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(call.context().default_domain.clone().map_or(Value::Null, Value::Text))
}
