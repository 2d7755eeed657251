//! `AppRoleAssignmentsComplex`: the assigned roles as entries of a complex attribute.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, SERVICE, Type};
use crate::roles;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "AppRoleAssignmentsComplex",
    summary: "Returns the assigned roles as entries of a complex attribute; an update only adds.",
    dialects: SERVICE,
    params: roles::SOURCE,
    returns: Type::Roles,
    examples: &[
        Example::new(
            "AppRoleAssignmentsComplex([appRoleAssignments])",
            r#"[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","displayName":"Editors","value":"Editor"}]"#,
        )
        .inputs(r#"{"appRoleAssignments": {"value": "Editor", "displayName": "Editors"}}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::list(roles::assigned(call)?.iter().map(|role| role.entry("displayName"))))
}
