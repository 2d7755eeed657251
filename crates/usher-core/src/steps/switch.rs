//! Which change switches an account off, whatever mapping it comes from: the deletion guard counts effects.

use usher_expr::Value;

use crate::{AttributeChange, AttributeSet, Change};

/// Target attributes that say whether an account is in use: the name, and the text that means "not in use".
const SWITCHES: &[(&str, &str)] =
    &[("active", "false"), ("accountEnabled", "false"), ("accountDisabled", "true")];
/// Active Directory's flags of an account, and the one that switches it off (`ACCOUNTDISABLE`).
const FLAGS: (&str, i64) = ("userAccountControl", 2);
/// The flags of an ordinary account in use.
const NORMAL: i64 = 512;

/// Whether the change switches off an account that was in use. `before` is what the target has.
pub fn switches_off(change: &AttributeChange, before: &AttributeSet) -> bool {
    // A SCIM attribute may carry the URN of its schema before the name.
    let name = change.attribute.rsplit(':').next().unwrap_or_default();
    let after = match &change.change {
        Change::Add(values) | Change::Replace(values) => values.last(),
        Change::Remove(_) => None,
    };
    let Some(after) = after else { return false };
    let before = before.value(&change.attribute);
    if name.eq_ignore_ascii_case(FLAGS.0) {
        let is_off = |value: &Value| value.to_text().parse::<i64>().is_ok_and(|flags| flags & FLAGS.1 != 0);
        return is_off(after) && !before.is_some_and(is_off);
    }
    let Some((_, off)) = SWITCHES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        return false;
    };
    let is_off = |value: &Value| value.to_text().eq_ignore_ascii_case(off);
    is_off(after) && !before.is_some_and(is_off)
}

/// Whether an attribute is the switch of accounts in a directory service. An application's `active` is not: what leaves
/// the scope there is told by the mapping that reads `IsSoftDeleted`, and by nothing without it.
pub fn is_of_directory(attribute: &str) -> bool {
    attribute.eq_ignore_ascii_case(FLAGS.0)
        || SWITCHES.iter().any(|(known, _)| *known != "active" && known.eq_ignore_ascii_case(attribute))
}

/// The value with which such an attribute switches an account off. `current` is what the target has.
pub fn off(attribute: &str, current: Option<&Value>) -> Value {
    if attribute.eq_ignore_ascii_case(FLAGS.0) {
        let flags = current.and_then(|value| value.to_text().parse::<i64>().ok()).unwrap_or(NORMAL);
        return Value::text((flags | FLAGS.1).to_string());
    }
    Value::Boolean(attribute.eq_ignore_ascii_case("accountDisabled"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attribute: &str, before: Option<&str>, after: &str) -> bool {
        let change = AttributeChange {
            attribute: attribute.into(),
            change: Change::Replace(vec![Value::from(after)]),
            is_reference: false,
            is_multivalued: false,
        };
        let before = before.map(|text| (attribute, Value::from(text)));
        switches_off(&change, &before.into_iter().collect())
    }

    #[test]
    fn what_goes_from_on_to_off_switches_off() {
        for (attribute, on, off) in [
            ("active", "True", "False"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:active", "true", "false"),
            ("AccountEnabled", "True", "False"),
            ("accountDisabled", "False", "True"),
            ("userAccountControl", "512", "514"),
        ] {
            assert!(check(attribute, Some(on), off), "{attribute}");
            assert!(check(attribute, None, off), "{attribute}: what is not told counts as on");
            assert!(!check(attribute, Some(off), off) && !check(attribute, Some(off), on), "{attribute}");
        }
        assert!(!check("title", Some("True"), "False"));
        assert!(!check("userAccountControl", Some("512"), "66048"));
    }

    #[test]
    fn clearing_is_no_switch() {
        let change = AttributeChange {
            attribute: "active".into(),
            change: Change::Remove(Vec::new()),
            is_reference: false,
            is_multivalued: false,
        };
        assert!(!switches_off(&change, &AttributeSet::default()));
    }
}
