//! The decisions, one file per provisioning step. Each is pure: facts in, step and verdict out.

pub mod export;
pub mod import;
pub mod matching;
pub mod processing;
pub mod references;
pub mod scoping;
pub mod switch;
pub mod trace;

use indexmap::IndexMap;
use smol_str::SmolStr;
use usher_expr::Value;

use crate::{AttributeSet, DirectoryObject, Status, Step, StepKind};

/// How people call the two sides and the subject in the sentences of the steps.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The source directory, such as `Azure Active Directory`.
    pub source: String,
    /// The target directory, such as the application's name.
    pub target: String,
    /// The source object's name in the schema, such as `User`.
    pub object_type: SmolStr,
    /// What people know the subject by.
    pub reportable: String,
}

fn step(name: &str, kind: StepKind, status: Status, description: impl Into<String>) -> Step {
    Step { name: name.into(), kind, status, description: description.into(), details: IndexMap::new() }
}

/// What people know an object by: the first of user principal name, user name, mail and display name, else `fallback`.
pub fn reportable(object: &DirectoryObject, fallback: &str) -> String {
    ["userPrincipalName", "userName", "mail", "displayName", "WorkerID", "sAMAccountName", "cn"]
        .iter()
        .filter_map(|name| object.attributes.value(name))
        .map(Value::to_text)
        .find(|text| !text.is_empty())
        .map_or_else(|| fallback.to_owned(), String::from)
}

/// Attribute values as texts, for the details of a step. Lists are joined by `;`.
fn details(attributes: &AttributeSet) -> IndexMap<String, String> {
    attributes.iter().map(|(name, value)| (name.to_string(), shown(value))).collect()
}

/// A value as people read it in steps and logs.
pub fn shown(value: &Value) -> String {
    match value {
        Value::List(values) => values.iter().map(shown).collect::<Vec<_>>().join(";"),
        other => other.to_text().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_a_user_name_is_known_by_its_account_name() {
        let object = |pairs: &[(&str, &str)]| {
            let mut attributes = AttributeSet::default();
            for (name, value) in pairs {
                attributes.set(*name, Value::text(value));
            }
            DirectoryObject { object_type: "user".into(), anchor: crate::Anchor::new("7"), attributes }
        };
        for (pairs, known) in [
            (&[("cn", "Ann"), ("sAMAccountName", "ann")][..], "ann"),
            (&[("cn", "Ann")], "Ann"),
            (&[("sAMAccountName", "ann"), ("userPrincipalName", "ann@x")], "ann@x"),
            (&[], "7"),
        ] {
            assert_eq!(reportable(&object(pairs), "7"), known);
        }
    }
}
