//! From an argument to the value of a parameter: reading words of a command line, then PowerShell's conversions.

use jiff::tz::TimeZone;
use usher_server::Type;

use super::body::{expanded_body, whole_body};
use super::cmdlets::Cmdlet;
use super::evaluate::{Scope, unreadable};
use super::json::read_json_stream;
use super::literal::{START, read_literal, read_value};
use super::number::read_number;
use super::parameters::{Kind, Parameter, Sets};
use super::preferences::ActionPreference;
use super::record::ErrorRecord;
use super::syntax::{ReadError, is_double_quote, is_single_quote};
use super::value::PsValue;

/// What a word of the command line says, given what the parameter takes.
pub fn read_word(word: &str, kind: Kind, scope: &dyn Scope) -> Result<PsValue, ReadError> {
    match kind {
        Kind::Credential if !word.trim_start().starts_with(['@', '{', '[']) => Ok(PsValue::text(word)),
        Kind::Switch => Ok(match word.trim_start_matches('$').to_ascii_lowercase().as_str() {
            "true" => PsValue::Bool(true),
            "false" => PsValue::Bool(false),
            "null" => PsValue::Null,
            other => read_number(other).unwrap_or_else(|| PsValue::text(word)),
        }),
        kind if kind.is_literal() => match file_name(word) {
            Some(path) => {
                let text = scope.read_file(path).map_err(|error| unreadable(START, path, &error))?;
                read_value(&text, scope)
            }
            None => read_value(word, scope),
        },
        _ => Ok(PsValue::text(word)),
    }
}

/// The file that `@file` names; `@(`, `@{` and here-strings are literals.
fn file_name(word: &str) -> Option<&str> {
    let name = word.trim_start().strip_prefix('@')?;
    let first = name.chars().next()?;
    let is_literal = matches!(first, '(' | '{') || is_single_quote(first) || is_double_quote(first);
    (!is_literal).then_some(name)
}

/// The value as the parameter takes it, or PowerShell's error.
pub fn convert(cmdlet: &Cmdlet, parameter: &Parameter, value: PsValue) -> Result<PsValue, ErrorRecord> {
    let is_mandatory = parameter.mandatory != Sets::NONE;
    match parameter.kind {
        Kind::Instant if matches!(value, PsValue::Date(_)) => Ok(value),
        Kind::Text | Kind::VariableName | Kind::Instant => match value {
            PsValue::List(_) | PsValue::Table(_) => Err(misfit(cmdlet, parameter, &value, "")),
            other => {
                let text = other.to_text();
                if is_mandatory && text.is_empty() {
                    return Err(empty(cmdlet, parameter));
                }
                Ok(PsValue::Text(text))
            }
        },
        Kind::Switch => match value {
            PsValue::Bool(value) => Ok(PsValue::Bool(value)),
            PsValue::Null => Ok(PsValue::Bool(false)),
            PsValue::Int(number) => Ok(PsValue::Bool(number != 0)),
            PsValue::Float(number) => Ok(PsValue::Bool(number != 0.0)),
            other => Err(cannot(
                cmdlet,
                parameter,
                &other,
                "Boolean parameters accept only Boolean values and numbers, such as $True, $False, 1 or 0.",
            )),
        },
        _ if value == PsValue::Null && is_mandatory => Err(null(cmdlet, parameter)),
        _ if value == PsValue::Null => Ok(value),
        Kind::Body | Kind::Identity | Kind::Table | Kind::Dictionary => {
            table(cmdlet, parameter, from_json_text(cmdlet, parameter, value)?)
        }
        Kind::Tables => tables(cmdlet, parameter, value),
        Kind::Texts => texts(cmdlet, parameter, value),
        Kind::Steps => match value {
            PsValue::List(items) if items.is_empty() => Ok(PsValue::List(items)),
            other => {
                Err(misfit(cmdlet, parameter, &other, "Steps are .NET code, which this program cannot run."))
            }
        },
        Kind::Uri => {
            let text = value.to_text();
            match url::Url::parse(&text) {
                Ok(url) if url.has_host() => Ok(PsValue::Text(text)),
                _ => Err(cannot(
                    cmdlet,
                    parameter,
                    &value,
                    "Invalid URI: an absolute one is needed, such as http://proxy.example:8080.",
                )),
            }
        }
        Kind::Credential => credential(cmdlet, parameter, value),
        Kind::Action => action(cmdlet, parameter, &value),
        Kind::Count => count(cmdlet, parameter, &value),
    }
}

/// The generated types convert from JSON text.
fn from_json_text(cmdlet: &Cmdlet, parameter: &Parameter, value: PsValue) -> Result<PsValue, ErrorRecord> {
    let PsValue::Text(text) = &value else { return Ok(value) };
    match read_json_stream(text) {
        Ok(mut documents) if documents.len() == 1 => Ok(documents.remove(0)),
        // What begins like a literal is one, so that a variable or a file may hold either.
        _ if text.trim_start().starts_with('@') => read_literal(text, &super::literal::Nothing)
            .map_err(|error| misfit(cmdlet, parameter, &value, &error.to_string())),
        Ok(_) => Err(misfit(cmdlet, parameter, &value, "")),
        Err(error) => Err(misfit(cmdlet, parameter, &value, &error.to_string())),
    }
}

fn table(cmdlet: &Cmdlet, parameter: &Parameter, value: PsValue) -> Result<PsValue, ErrorRecord> {
    if !matches!(value, PsValue::Table(_)) {
        let error = misfit(cmdlet, parameter, &value, "");
        return Err(match (parameter.kind, &value) {
            (Kind::Body, PsValue::List(_)) => {
                error.with_hint("the body is the whole root: @{ parameters = @( … ) }")
            }
            _ => error,
        });
    }
    let of = if parameter.kind == Kind::Body { cmdlet.takes() } else { parameter.of };
    fits(cmdlet, parameter, of, &value)?;
    Ok(value)
}

/// Whether a table has the form of a type, as far as that is known.
fn fits(
    cmdlet: &Cmdlet,
    parameter: &Parameter,
    of: Option<&'static Type>,
    value: &PsValue,
) -> Result<(), ErrorRecord> {
    let Some(of) = of else { return Ok(()) };
    whole_body(of, value, &TimeZone::UTC)
        .map(drop)
        .map_err(|error| misfit_text(cmdlet, parameter, &error.to_string()))
}

/// A list of texts; one text on the command line may hold several, with commas between.
fn texts(cmdlet: &Cmdlet, parameter: &Parameter, value: PsValue) -> Result<PsValue, ErrorRecord> {
    let items = match value {
        PsValue::List(items) => items,
        PsValue::Text(text) => text.split(',').map(|one| PsValue::text(one.trim())).collect(),
        single => vec![single],
    };
    if let Some(wrong) = items.iter().find(|item| matches!(item, PsValue::List(_) | PsValue::Table(_))) {
        return Err(misfit(cmdlet, parameter, wrong, ""));
    }
    Ok(PsValue::List(items.iter().map(|item| PsValue::Text(item.to_text())).collect()))
}

fn tables(cmdlet: &Cmdlet, parameter: &Parameter, value: PsValue) -> Result<PsValue, ErrorRecord> {
    let items = match from_json_text(cmdlet, parameter, value)? {
        PsValue::List(items) => items,
        single => vec![single],
    };
    let mut converted = Vec::with_capacity(items.len());
    for item in items {
        match from_json_text(cmdlet, parameter, item)? {
            item @ (PsValue::Table(_) | PsValue::Null) => converted.push(item),
            other => return Err(misfit(cmdlet, parameter, &other, "")),
        }
    }
    let list = PsValue::List(converted);
    // The places in messages are those of the whole body.
    let members = vec![(parameter, list.clone())];
    if let Some(of) = cmdlet.takes() {
        expanded_body(of, members, None, &TimeZone::UTC)
            .map_err(|error| misfit_text(cmdlet, parameter, &error.to_string()))?;
    }
    Ok(list)
}

fn credential(cmdlet: &Cmdlet, parameter: &Parameter, value: PsValue) -> Result<PsValue, ErrorRecord> {
    match &value {
        PsValue::Text(user) if !user.is_empty() => Ok(value),
        PsValue::Table(table) => match (table.get("UserName"), table.get("Password")) {
            (Some(PsValue::Text(_)), Some(PsValue::Text(_))) => Ok(value),
            _ => Err(misfit_text(
                cmdlet,
                parameter,
                "A credential is a user name, or @{ UserName = '…'; Password = '…' }.",
            )),
        },
        // The value is not repeated: it may hold a password.
        _ => Err(misfit_text(
            cmdlet,
            parameter,
            "A credential is a user name, or @{ UserName = '…'; Password = '…' }.",
        )),
    }
}

fn action(cmdlet: &Cmdlet, parameter: &Parameter, value: &PsValue) -> Result<PsValue, ErrorRecord> {
    match ActionPreference::parse(&value.to_text()) {
        Ok(ActionPreference::Suspend) => {
            let text = format!(
                "Cannot bind parameter '{}' to the target. Exception setting \"{}\": \"The value Suspend is not supported: there is no workflow to suspend.\"",
                parameter.name, parameter.name
            );
            Err(ErrorRecord::binding(cmdlet, "ParameterBindingFailed", text))
        }
        Ok(action) => Ok(PsValue::text(action.name())),
        Err(reason) => Err(cannot(cmdlet, parameter, value, &format!("Error: \"{reason}\""))),
    }
}

fn count(cmdlet: &Cmdlet, parameter: &Parameter, value: &PsValue) -> Result<PsValue, ErrorRecord> {
    let number = match super::cast::cast("int", value.clone()) {
        Ok(PsValue::Int(number)) => number,
        _ => {
            let reason = "Error: \"The input string was not in a correct format.\"";
            return Err(cannot(cmdlet, parameter, value, reason));
        }
    };
    if number < 0 {
        let text = format!(
            "Cannot validate argument on parameter '{}'. The {number} argument is less than the minimum allowed range of 0. Supply an argument that is greater than or equal to 0 and then try the command again.",
            parameter.name
        );
        return Err(ErrorRecord::binding(cmdlet, "ParameterArgumentValidationError", text));
    }
    Ok(PsValue::Int(number))
}

/// The error of a word that cannot be read.
pub fn unreadable_word(cmdlet: &Cmdlet, parameter: &Parameter, error: &ReadError) -> ErrorRecord {
    let place = format!("{} (line {}, column {})", error.message, error.at.line, error.at.column);
    let record = misfit_text(cmdlet, parameter, &place);
    match &error.hint {
        Some(hint) => record.with_hint(hint.as_str()),
        None => record,
    }
}

fn misfit(cmdlet: &Cmdlet, parameter: &Parameter, value: &PsValue, reason: &str) -> ErrorRecord {
    let shown = shortened(&value.to_text());
    let text =
        format!("Cannot convert value \"{shown}\" to type \"{}\". {reason}", parameter.type_name(cmdlet));
    misfit_text(cmdlet, parameter, text.trim_end())
}

fn misfit_text(cmdlet: &Cmdlet, parameter: &Parameter, reason: &str) -> ErrorRecord {
    let text = format!("Cannot process argument transformation on parameter '{}'. {reason}", parameter.name);
    ErrorRecord::binding(cmdlet, "ParameterArgumentTransformationError", text)
}

fn cannot(cmdlet: &Cmdlet, parameter: &Parameter, value: &PsValue, reason: &str) -> ErrorRecord {
    let text = format!(
        "Cannot bind parameter '{}'. Cannot convert value \"{}\" to type \"{}\". {reason}",
        parameter.name,
        shortened(&value.to_text()),
        parameter.type_name(cmdlet)
    );
    ErrorRecord::binding(cmdlet, "CannotConvertArgumentNoMessage", text)
}

fn empty(cmdlet: &Cmdlet, parameter: &Parameter) -> ErrorRecord {
    let text =
        format!("Cannot bind argument to parameter '{}' because it is an empty string.", parameter.name);
    ErrorRecord::binding(cmdlet, "ParameterArgumentValidationErrorEmptyStringNotAllowed", text)
}

fn null(cmdlet: &Cmdlet, parameter: &Parameter) -> ErrorRecord {
    let text = format!("Cannot bind argument to parameter '{}' because it is null.", parameter.name);
    ErrorRecord::binding(cmdlet, "ParameterArgumentValidationErrorNullNotAllowed", text)
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 120;
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN).chain(['…']).collect()
    }
}
