//! Whether what a caller sent fits the types of the API: what is misspelt or mistyped would otherwise be lost without a
//! word.

use serde_json::{Map, Value};

use crate::graph::types::{Form, Members};

/// What is wrong with the parameters of an action, if anything is.
pub fn misfit(members: &Map<String, Value>, known: &[(&str, Form)], method: &str) -> Option<String> {
    members.iter().find_map(|(name, value)| {
        // Annotations belong to OData, not to the action.
        if name.contains('@') {
            return None;
        }
        match known.iter().find(|(known, _)| known == name) {
            Some((_, form)) => of_value(value, form, name),
            None => Some(format!(
                "The parameter '{name}' does not exist in method '{method}'; it takes: {}.",
                known.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ")
            )),
        }
    })
}

/// What is wrong with the known members of an object; others are for the operation to judge.
pub fn mistyped(members: &Map<String, Value>, known: &[(&str, Form)]) -> Option<String> {
    known.iter().find_map(|(name, form)| of_value(members.get(*name)?, form, name))
}

fn of_value(value: &Value, form: &Form, at: &str) -> Option<String> {
    let is = |fits: bool, what: &str| (!fits).then(|| format!("'{at}' must be {what}"));
    let text = |fits: fn(&str) -> bool, what: &str| is(value.as_str().is_some_and(fits), what);
    match form {
        Form::Any => None,
        Form::Text => is(value.is_string(), "a text"),
        Form::Flag => is(value.is_boolean(), "true or false"),
        Form::Integer => is(value.is_i64() || value.is_u64(), "a whole number"),
        Form::Instant => {
            text(|text| text.parse::<jiff::Timestamp>().is_ok(), "an instant, as ISO 8601 writes it")
        }
        // Which spans make sense, the operation says better.
        Form::Span => is(value.is_string(), "a text"),
        Form::Guid => text(|text| uuid::Uuid::parse_str(text).is_ok(), "a GUID"),
        Form::Words(words) => is(
            value.as_str().is_some_and(|text| text.split(',').all(|one| words.contains(&one.trim()))),
            &format!("one of {}", words.join(", ")),
        ),
        Form::Maybe(form) => {
            if value.is_null() {
                None
            } else {
                of_value(value, form, at)
            }
        }
        Form::Many(form) => match value.as_array() {
            None => is(false, "a list"),
            Some(items) => items
                .iter()
                .enumerate()
                .find_map(|(index, item)| of_value(item, form, &format!("{at}[{index}]"))),
        },
        Form::One(of) => match (value.as_object(), of.members) {
            (None, _) => is(false, "an object"),
            (Some(members), Members::Exactly(known) | Members::Listed(known)) => {
                of_members(members, known, at)
            }
            (Some(_), Members::Of(_) | Members::Open) => None,
        },
    }
}

fn of_members(members: &Map<String, Value>, known: &[(&str, Form)], at: &str) -> Option<String> {
    members.iter().filter(|(name, _)| !name.contains('@')).find_map(|(name, value)| {
        match known.iter().find(|(known, _)| known == name) {
            Some((_, form)) => of_value(value, form, &format!("{at}.{name}")),
            None => Some(format!(
                "'{at}' has no member '{name}'; it has: {}",
                known.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ")
            )),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graph::types;

    fn of(parameters: &types::Type, body: &Value) -> Option<String> {
        let Members::Exactly(known) = parameters.members else { panic!("it is no action's") };
        misfit(body.as_object().expect("it is an object"), known, "it")
    }

    #[test]
    fn what_fits_is_taken_and_the_rest_is_named() {
        let cases = [
            (&types::IDS, json!({ "ids": ["a"], "types": null, "ids@odata.type": "x" }), ""),
            (&types::IDS, json!({ "ids": ["a"], "types": [null] }), "'types[0]' must be a text"),
            (&types::IDS, json!({ "ids": "a" }), "'ids' must be a list"),
            (&types::IDS, json!({ "idz": [] }), "The parameter 'idz' does not exist in method 'it'"),
            (&types::NEW_PASSWORD, json!({ "passwordCredential": { "displayName": "x" } }), ""),
            (&types::NEW_PASSWORD, json!({ "passwordCredential": "x" }), "must be an object"),
            (
                &types::NEW_PASSWORD,
                json!({ "passwordCredential": { "x": 1 } }),
                "'passwordCredential' has no member 'x'",
            ),
            (
                &types::NEW_PASSWORD,
                json!({ "passwordCredential": { "endDateTime": "soon" } }),
                "'passwordCredential.endDateTime' must be an instant",
            ),
            (&types::OLD_PASSWORD, json!({ "keyId": "1" }), "must be a GUID"),
            (&types::SECURITY_ONLY, json!({ "securityEnabledOnly": "yes" }), "must be true or false"),
        ];
        for (parameters, body, says) in cases {
            let found = of(parameters, &body).unwrap_or_default();
            assert!(if says.is_empty() { found.is_empty() } else { found.contains(says) }, "{body}: {found}");
        }
    }
}
