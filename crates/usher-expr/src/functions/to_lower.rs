//! `ToLower`: a text in lower case.

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "ToLower",
    summary: "Returns a text in lower case.",
    dialects: SERVICE,
    params: &[
        Param::required("source", Type::Text, "The text, or a list of texts."),
        Param::optional("culture", Type::Text, "A culture like \"tr-TR\" whose rules hold; invariant when omitted."),
    ],
    examples: &[
        Example::new(r#"ToLower("ANN Lee")"#, r#""ann lee""#),
        Example::new(r#"ToLower("ISIL", "tr-TR")"#, r#""ısıl""#),
    ],
    check: Some(check_culture),
    eval,
    ..Function::COMMON
};

/// Refuses a constant culture that does not exist; also for `ToUpper`.
pub(super) fn check_culture(call: &mut Check<'_>) {
    let Some(culture) = call.constant_text(1).filter(|culture| !culture.is_empty()) else { return };
    if let Err(error) = text::to_lower("", Some(&culture)) {
        call.error(Some(1), codes::ARGUMENT_VALUE, error.to_string(), "write a culture like \"en-US\" or omit it");
    }
}

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let culture = call.optional_text(1)?.filter(|culture| !culture.is_empty());
    call.map_value_text(0, source, |text| match text::to_lower(&text, culture.as_deref()) {
        Ok(lowered) => Ok(Value::Text(lowered)),
        Err(error) => Err(call.fail_at(1, error)),
    })
}
