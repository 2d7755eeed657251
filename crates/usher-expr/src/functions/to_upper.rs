//! `ToUpper`: a text in upper case.

use super::to_lower::check_culture;
use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::Evaluated;
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "ToUpper",
    summary: "Returns a text in upper case.",
    dialects: SERVICE,
    params: &[
        Param::required("source", Type::Text, "The text, or a list of texts."),
        Param::optional("culture", Type::Text, "A culture like \"tr-TR\" whose rules hold; invariant when omitted."),
    ],
    examples: &[
        Example::new(r#"ToUpper("Ann Lee")"#, r#""ANN LEE""#),
        Example::new(r#"ToUpper("straße")"#, r#""STRAßE""#),
        Example::new(r#"ToUpper("istanbul", "tr-TR")"#, r#""İSTANBUL""#),
    ],
    check: Some(check_culture),
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let culture = call.optional_text(1)?.filter(|culture| !culture.is_empty());
    call.map_value_text(0, source, |text| match text::to_upper(&text, culture.as_deref()) {
        Ok(raised) => Ok(Value::Text(raised)),
        Err(error) => Err(call.fail_at(1, error)),
    })
}
