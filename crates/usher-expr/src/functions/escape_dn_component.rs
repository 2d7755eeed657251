//! `EscapeDNComponent`: one component of a distinguished name, escaped.

use crate::call::Call;
use crate::distinguished_name::escape;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "EscapeDNComponent",
    summary: "Escapes one component of a distinguished name for LDAP.",
    dialects: HYBRID,
    params: &[Param::required("source", Type::Text, "The component, with or without its type.")],
    examples: &[
        Example::hybrid(r#"EscapeDNComponent("cn=" & [displayName])"#, r#""cn=Lee\\, Ann""#)
            .inputs(r#"{"displayName": "Lee, Ann"}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    call.map_text(0, |text| Ok(Value::from(escape(&text))))
}
