//! `AppRoleAssignments`: the names of all assigned roles as one text.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, SERVICE};
use crate::roles;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "AppRoleAssignments",
    summary: "Returns the names of the assigned roles, separated by commas; null when there is none.",
    dialects: SERVICE,
    params: roles::SOURCE,
    examples: &[Example::new("AppRoleAssignments([appRoleAssignments])", r#""Editors,Readers""#).inputs(roles::EXAMPLE)],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let names: Vec<String> = roles::assigned(call)?.into_iter().map(|role| role.name).collect();
    Ok(if names.is_empty() { Value::Null } else { Value::from(names.join(",")) })
}
