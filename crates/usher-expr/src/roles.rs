//! The assignments between a user and an application, as the role functions read them.

use serde_json::{Value as Json, json};

use crate::call::Call;
use crate::evaluate::Halt;
use crate::function::{Param, Type};
use crate::value::Value;

/// The one parameter of the role functions.
pub(crate) const SOURCE: &[Param] =
    &[Param::required("source", Type::Roles, "The attribute [appRoleAssignments].")];

/// Assignments for the examples.
pub(crate) const EXAMPLE: &str = r#"{"appRoleAssignments": [
    {"id": "2f1a", "value": "Editor", "displayName": "Editors"},
    {"id": "5c0e", "value": "Reader", "displayName": "Readers"}
]}"#;

/// One assigned role.
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Role {
    /// The entry of a complex multi-valued `roles` attribute; `name_key` is how it calls the name.
    pub(crate) fn entry(&self, name_key: &str) -> Value {
        let entry = json!({
            "primary": false,
            "type": "WindowsAzureActiveDirectoryRole",
            name_key: self.name,
            "value": self.value,
        });
        Value::Object(entry.into())
    }
}

/// The roles in the first argument: objects with `displayName` and `value`, or bare names.
pub(crate) fn assigned(call: &Call<'_>) -> Result<Vec<Role>, Halt> {
    let value = call.value(0)?;
    let mut roles = Vec::new();
    for value in value.values() {
        match value {
            Value::Object(json) => match &**json {
                Json::Array(items) => roles.extend(items.iter().map(role)),
                single => roles.push(role(single)),
            },
            Value::Text(name) if name.is_empty() => {}
            Value::Text(name) => roles.push(Role { name: name.to_string(), value: name.to_string() }),
            other => {
                return Err(
                    call.fail_at(0, format!("app role assignments were expected, not {}", other.kind()))
                );
            }
        }
    }
    Ok(roles)
}

fn role(json: &Json) -> Role {
    let field = |key: &str| json.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let name = field("displayName").or(field("value")).or(field("id")).unwrap_or_default();
    let value = field("value").or(field("displayName")).or(field("id")).unwrap_or_default();
    Role { name: name.to_owned(), value: value.to_owned() }
}
