//! `Contains`: which value of a list contains a text.

use smol_str::SmolStr;

use crate::call::Call;
use crate::dotnet::text;
use crate::evaluate::{Evaluated, Halt};
use crate::function::{Example, Function, HYBRID, Param, Type};
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Contains",
    summary: "Returns the position, from 1, of the first value that contains a text; 0 when none does.",
    dialects: HYBRID,
    params: &[
        Param::required("attribute", Type::List, "The list; a reference must equal what is searched for."),
        Param::required("search", Type::Any, "The text or reference to search for."),
        Param::optional(
            "casing",
            Type::Word(&["CaseSensitive", "CaseInsensitive"]),
            "Whether case matters; it does when omitted.",
        ),
    ],
    returns: Type::Integer,
    examples: &[
        Example::hybrid(r#"Contains([mails], "SMTP:")"#, "2").inputs(r#"{"mails": ["smtp:a", "SMTP:b"]}"#),
        Example::hybrid(r#"Contains([mails], "SMTP:", CaseInsensitive)"#, "1")
            .inputs(r#"{"mails": ["smtp:a", "SMTP:b"]}"#),
        Example::hybrid(r#"Contains([mails], "x400:")"#, "0").inputs(r#"{"mails": ["smtp:a"]}"#),
    ],
    eval,
    ..Function::COMMON
};

fn eval(call: &Call<'_>) -> Evaluated {
    let list = call.value(0)?;
    let ignores_case = call.text(2)?.eq_ignore_ascii_case("CaseInsensitive");
    let fold = |text: SmolStr| -> Result<SmolStr, Halt> {
        if ignores_case { text::to_lower(&text, None).map_err(|error| call.fail(error)) } else { Ok(text) }
    };
    let search = call.value(1)?.single().clone();
    let search = match search {
        Value::Reference(text) => fold(text)?,
        other => fold(call.as_text(1, other)?)?,
    };
    for (index, value) in list.values().iter().enumerate() {
        let is_found = match value {
            Value::Reference(reference) => fold(reference.clone())? == search,
            other => fold(call.as_text(0, other.clone())?)?.contains(search.as_str()),
        };
        if is_found {
            return Ok(Value::Integer(i64::try_from(index).map_or(i64::MAX, |index| index + 1)));
        }
    }
    Ok(Value::Integer(0))
}
