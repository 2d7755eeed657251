//! `AssertiveAppRoleAssignmentsComplex`: the assigned roles as the whole of a complex attribute.

use crate::call::Call;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, SERVICE, Type};
use crate::roles;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "AssertiveAppRoleAssignmentsComplex",
    summary: "Returns the assigned roles as entries of a complex attribute; an update replaces the set.",
    dialects: SERVICE,
    params: roles::SOURCE,
    returns: Type::Roles,
    examples: &[
        Example::new(
            "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])",
            r#"[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Editors","value":"Editor"}]"#,
        )
        .inputs(r#"{"appRoleAssignments": {"value": "Editor", "displayName": "Editors"}}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    Ok(Value::list(roles::assigned(call)?.iter().map(|role| role.entry("display"))))
}
