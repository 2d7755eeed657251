//! `SingleAppRoleAssignment`: the name of the role that a user has in an application.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, SERVICE};
use crate::roles;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "SingleAppRoleAssignment",
    summary: "Returns the name of one assigned role, the first when there are several; null when there is none.",
    dialects: SERVICE,
    params: roles::SOURCE,
    examples: &[Example::new("SingleAppRoleAssignment([appRoleAssignments])", r#""Editors""#).inputs(roles::EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let first = roles::assigned(call)?.into_iter().next();
    Ok(first.map_or(Value::Null, |role| Value::from(role.name)))
}
