//! `Switch` of the service: the value that belongs to a key.

use crate::call::Call;
use crate::compare::same_text;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Switch",
    summary: "Returns the value of the first key that equals the source, otherwise the default.",
    dialects: SERVICE,
    params: &[
        Param::required("source", Type::Any, "The value to compare; case matters, null equals an empty key."),
        Param::optional("defaultValue", Type::Any, "The value when no key is equal; null when omitted."),
        Param::optional("key, value", Type::Any, "A key and its value, in pairs.").key("switchValue").repeating(),
    ],
    returns: Type::Any,
    examples: &[
        Example::new(r#"Switch([state], "UTC", "NSW", "Sydney", "WA", "Perth")"#, r#""Perth""#)
            .inputs(r#"{"state": "WA"}"#),
        Example::new(r#"Switch([state], "UTC", "NSW", "Sydney")"#, r#""UTC""#).inputs(r#"{"state": "nsw"}"#),
        Example::new(r#"Switch([mobile], [mobile], "", "none")"#, r#""none""#).inputs(r#"{"mobile": null}"#),
        Example::new(r#"Switch([active], , "1", "True", "0", "False")"#, "null").inputs(r#"{"active": "2"}"#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

fn check(call: &mut Check<'_>) {
    let last = call.count().saturating_sub(1);
    if last >= 2 && last.is_multiple_of(2) {
        call.error(
            Some(last),
            codes::ARGUMENT_COMBINATION,
            "this key of Switch has no value",
            "behind source and default come keys and values in pairs; keep the comma of an omitted default",
        );
    }
    for key in (2..call.count()).step_by(2).filter(|key| !call.is_given(*key)).collect::<Vec<_>>() {
        call.error(
            Some(key + 1),
            codes::MISSING_ARGUMENT,
            "this value of Switch has no key",
            "write the key before it; an empty key is \"\"",
        );
    }
    if let Some(key) = (2..call.count()).step_by(2).find(|key| call.returns(*key) == Some(Type::Boolean)) {
        call.warn(
            Some(key),
            codes::ARGUMENT_COMBINATION,
            "a condition stands in the place of a key",
            "keys are compared with the source; for conditions nest IIF (pairs of condition and value are \
             the hybrid dialect's Switch)",
        );
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let source = source.single();
    if let Value::Reference(_) | Value::List(_) | Value::Object(_) = source {
        return Err(call.fail_at(0, format!("a single value was expected, not {}", source.kind())));
    }
    for key in (2..call.count()).step_by(2) {
        if same_text(source, call.value(key)?.single()) {
            return call.value(key + 1);
        }
    }
    call.value(1)
}
