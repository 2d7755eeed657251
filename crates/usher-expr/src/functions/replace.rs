//! `Replace` of the service: five ways of replacing, chosen by the arguments that are present.

use smol_str::SmolStr;

use crate::call::Call;
use crate::check::Check;
use crate::diagnostic::codes;
use crate::dotnet::regex::{Pattern, Replacement};
use crate::evaluate::{Evaluated, Halt};
use crate::function::{Example, Function, Param, SERVICE, Type};
use crate::limits;
use crate::value::Value;

pub(crate) const FUNCTION: Function = Function {
    name: "Replace",
    summary: "Replaces a text or a pattern; the arguments that are present choose the way.",
    dialects: SERVICE,
    params: &[
        Param::required("source", Type::Text, "The text to change; every value of a list is changed."),
        Param::optional("oldValue", Type::Text, "The text to replace, or the placeholder of the template.").key("Find"),
        Param::optional("regexPattern", Type::Pattern, "The pattern to replace.").key("RegularExpression"),
        Param::optional("regexGroupName", Type::Text, "The named group of the pattern that is meant.")
            .key("RegularExpressionGroupName"),
        Param::optional("replacementValue", Type::Text, "What stands there afterwards; an empty text removes.")
            .key("Replacement"),
        Param::optional(
            "replacementAttributeName",
            Type::Attribute,
            "The attribute from which the group is taken when the source has no value.",
        )
        .key("ReplacementPropertyName"),
        Param::optional("template", Type::Text, "The text in which the old value is replaced by the source.")
            .key("Template"),
    ],
    examples: &[
        Example::new(r#"Replace([language], "-", , , "_", , )"#, r#""EN_US""#).inputs(r#"{"language": "EN-US"}"#),
        Example::new(r#"Replace([id], "{id}", , , , , "{id}@woodgrove.example")"#, r#""ann@woodgrove.example""#)
            .inputs(r#"{"id": "ann"}"#),
        Example::new(r#"Replace([phone], , "\\+(?<code>\\d+) (?<number>.*)", , "0${number}", , )"#, r#""020 7946""#)
            .inputs(r#"{"phone": "+44 20 7946"}"#),
        Example::new(r#"Replace([mail], , "(?<domain>@.*)", "domain", "@woodgrove.example", , )"#, r#""ann@woodgrove.example""#)
            .inputs(r#"{"mail": "ann@contoso.example"}"#),
        Example::new(r#"Replace([phone], , "\\+\\d+ (?<number>.*)", "number", , [mobile], )"#, r#""20 7946""#)
            .inputs(r#"{"phone": "", "mobile": "+44 20 7946"}"#),
    ],
    check: Some(check),
    eval,
    ..Function::COMMON
};

const OLD_VALUE: usize = 1;
const PATTERN: usize = 2;
const GROUP: usize = 3;
const REPLACEMENT: usize = 4;
const ATTRIBUTE: usize = 5;
const TEMPLATE: usize = 6;

/// What the arguments that are present ask for.
#[derive(Clone, Copy)]
enum Way {
    Text,
    Template,
    Pattern,
    Group,
    OtherAttribute,
}

/// Constant patterns and replacements, compiled once.
struct Prepared {
    pattern: Option<Pattern>,
    replacement: Option<Replacement>,
}

fn way(is_given: impl Fn(usize) -> bool) -> Option<Way> {
    let given = [OLD_VALUE, PATTERN, GROUP, REPLACEMENT, ATTRIBUTE, TEMPLATE].map(is_given);
    match given {
        [true, false, false, true, false, false] => Some(Way::Text),
        [true, false, false, false, false, true] => Some(Way::Template),
        [false, true, false, true, false, false] => Some(Way::Pattern),
        [false, true, true, true, false, false] => Some(Way::Group),
        [false, true, true, false, true, false] => Some(Way::OtherAttribute),
        _ => None,
    }
}

fn check(call: &mut Check<'_>) {
    if way(|index| call.is_given(index)).is_none() {
        call.error(
            None,
            codes::ARGUMENT_COMBINATION,
            "these arguments of Replace do not go together",
            "give oldValue with replacementValue or template, or regexPattern with replacementValue, \
             optionally regexGroupName, or regexPattern, regexGroupName and replacementAttributeName",
        );
        return;
    }
    if call.constant_text(OLD_VALUE).is_some_and(|old| old.is_empty()) {
        call.error(Some(OLD_VALUE), codes::ARGUMENT_VALUE, "an empty text cannot be replaced", "write the text to replace");
    }
    let pattern = match call.constant_text(PATTERN).map(|pattern| Pattern::compile(&pattern)) {
        Some(Err(error)) => {
            call.error(
                Some(PATTERN),
                codes::BAD_PATTERN,
                error.to_string(),
                "write a .NET regular expression; double its backslashes, as in \"\\\\d+\"",
            );
            None
        }
        compiled => compiled.and_then(Result::ok),
    };
    if let (Some(pattern), Some(group)) = (&pattern, call.constant_text(GROUP))
        && !pattern.has_group(&group)
    {
        let message = format!("the pattern has no group named {group}");
        call.error(Some(GROUP), codes::ARGUMENT_VALUE, message, "name a group as in (?<name>…)");
    }
    let replacement = call.constant_text(REPLACEMENT).map(|text| Replacement::parse(&text));
    call.prepare(Prepared { pattern, replacement });
}

fn eval(call: &Call<'_>) -> Evaluated {
    match way(|index| call.is_given(index)) {
        Some(Way::Text) => replace_text(call),
        Some(Way::Template) => fill_template(call),
        Some(Way::Pattern) => replace_pattern(call),
        Some(Way::Group) => replace_group(call),
        Some(Way::OtherAttribute) => take_from_other(call),
        None => Err(call.fail("these arguments do not go together")),
    }
}

fn replace_text(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let (old, new) = (old_value(call)?, call.text(REPLACEMENT)?);
    call.map_value_text(0, source, |text| replaced(call, text, &old, &new))
}

fn fill_template(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let (old, template) = (old_value(call)?, call.text(TEMPLATE)?);
    call.map_value_text(0, source, |text| replaced(call, template.clone(), &old, &text))
}

fn old_value(call: &Call<'_>) -> Result<SmolStr, Halt> {
    let old = call.text(OLD_VALUE)?;
    if old.is_empty() { Err(call.fail_at(OLD_VALUE, "an empty text cannot be replaced")) } else { Ok(old) }
}

/// The text with every `old` replaced, unless that would make it too long; also for the hybrid `Replace`.
pub(super) fn replaced(call: &Call<'_>, text: SmolStr, old: &str, new: &str) -> Evaluated {
    let count = text.matches(old).count();
    if count == 0 {
        return Ok(Value::Text(text));
    }
    limits::check_length(text.len().saturating_add(count.saturating_mul(new.len())))
        .map_err(|message| call.fail(message))?;
    Ok(Value::from(text.replace(old, new)))
}

fn replace_pattern(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let prepared = call.prepared::<Prepared>();
    let compiled;
    let pattern = match prepared.and_then(|prepared| prepared.pattern.as_ref()) {
        Some(pattern) => pattern,
        None => {
            compiled = compile(call)?;
            &compiled
        }
    };
    let parsed;
    let replacement = match prepared.and_then(|prepared| prepared.replacement.as_ref()) {
        Some(replacement) => replacement,
        None => {
            parsed = Replacement::parse(&call.text(REPLACEMENT)?);
            &parsed
        }
    };
    call.map_value_text(0, source, |text| {
        let replaced = pattern.replace(&text, replacement).map_err(|error| call.fail(error))?;
        Ok(Value::from(replaced))
    })
}

fn replace_group(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    let (group, new) = (call.text(GROUP)?, call.text(REPLACEMENT)?);
    with_group(call, &group, |pattern| {
        call.map_value_text(0, source, |text| {
            let replaced = pattern.replace_group(&text, &group, &new).map_err(|error| call.fail(error))?;
            Ok(Value::from(replaced))
        })
    })
}

fn take_from_other(call: &Call<'_>) -> Evaluated {
    let source = call.value(0)?;
    if !source.is_null_or_empty() {
        return Ok(source);
    }
    let group = call.text(GROUP)?;
    with_group(call, &group, |pattern| {
        let other = call.text(ATTRIBUTE)?;
        let found = pattern.first_group(&other, &group).map_err(|error| call.fail(error))?;
        Ok(found.map_or(Value::Null, Value::from))
    })
}

fn with_group(call: &Call<'_>, group: &str, run: impl FnOnce(&Pattern) -> Evaluated) -> Evaluated {
    let run = |pattern: &Pattern| {
        if !pattern.has_group(group) {
            return Err(call.fail_at(GROUP, format!("the pattern has no group named {group}")));
        }
        run(pattern)
    };
    match call.prepared::<Prepared>().and_then(|prepared| prepared.pattern.as_ref()) {
        Some(pattern) => run(pattern),
        None => run(&compile(call)?),
    }
}

fn compile(call: &Call<'_>) -> Result<Pattern, Halt> {
    Pattern::compile(&call.text(PATTERN)?).map_err(|error| call.fail_at(PATTERN, error))
}
