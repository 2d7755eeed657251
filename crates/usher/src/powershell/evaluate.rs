//! What expressions are worth: variables, expansion, members, casts, and the two commands that only read.

use std::io;

use super::cast::cast;
use super::json::read_json_stream;
use super::reader::duplicate_key;
use super::syntax::{
    ArgumentKind, Command, Expression, ExpressionKind, Piece, Pipeline, Position, ReadError, Stage,
};
use super::value::{PsValue, Table};

/// What an expression may refer to.
pub trait Scope {
    /// The value of `$name`, if it has one.
    fn variable(&self, name: &str) -> Option<PsValue>;

    /// The text of a file.
    fn read_file(&self, path: &str) -> io::Result<String>;
}

/// The value of an expression.
pub fn evaluate(expression: &Expression, scope: &dyn Scope) -> Result<PsValue, ReadError> {
    match &expression.kind {
        ExpressionKind::Constant(value) => Ok(value.clone()),
        ExpressionKind::Text(pieces) => {
            let mut text = String::new();
            for piece in pieces {
                match piece {
                    Piece::Literal(literal) => text.push_str(literal),
                    Piece::Value(value) => text.push_str(&evaluate(value, scope)?.to_text()),
                }
            }
            Ok(PsValue::Text(text))
        }
        ExpressionKind::Variable(name) => variable(name, expression.at, scope),
        ExpressionKind::Member(of, name) => Ok(evaluate(of, scope)?.member(name)),
        ExpressionKind::List(items) => {
            Ok(PsValue::List(items.iter().map(|item| evaluate(item, scope)).collect::<Result<_, _>>()?))
        }
        ExpressionKind::Array(statements) => {
            let mut items = Vec::new();
            for statement in statements {
                match evaluate(statement, scope)? {
                    PsValue::List(inner) => items.extend(inner),
                    item => items.push(item),
                }
            }
            Ok(PsValue::List(items))
        }
        ExpressionKind::Table(kind, entries) => {
            let mut table = Table::new(*kind);
            for (key, value) in entries {
                let name = evaluate(key, scope)?.to_text();
                if table.contains(&name) {
                    return Err(duplicate_key(key.at, &name));
                }
                table.insert(name, evaluate(value, scope)?);
            }
            Ok(PsValue::Table(table))
        }
        ExpressionKind::Cast(type_name, value) => {
            cast(type_name, evaluate(value, scope)?).map_err(|error| error.at(expression.at))
        }
        ExpressionKind::Group(pipeline) => read_only_pipeline(pipeline, scope),
    }
}

/// The value of a variable; one that was never set is an error here, so that no request goes out with a hole in it.
pub fn variable(name: &str, at: Position, scope: &dyn Scope) -> Result<PsValue, ReadError> {
    scope.variable(name).ok_or_else(|| {
        let text = format!("The variable '${name}' cannot be retrieved because it has not been set.");
        ReadError::new(at, "VariableIsUndefined", text).with_hint(format!(
            "assign it in a script, or give the script a value for it: --variable {name}=…"
        ))
    })
}

/// A pipeline in parentheses: it may read, but makes no call.
fn read_only_pipeline(pipeline: &Pipeline, scope: &dyn Scope) -> Result<PsValue, ReadError> {
    let mut value = PsValue::Null;
    for (index, stage) in pipeline.stages.iter().enumerate() {
        value = match stage {
            Stage::Expression(expression) => evaluate(expression, scope)?,
            // The reader lets nothing else stand here.
            Stage::Command(command) if index == 0 => get_content(command, scope)?,
            Stage::Command(command) => convert_from_json(command, &value)?,
        };
    }
    Ok(value)
}

/// `Get-Content FILE [-Raw]`.
pub fn get_content(command: &Command, scope: &dyn Scope) -> Result<PsValue, ReadError> {
    let mut path = None;
    let mut raw = false;
    let mut expects_path = false;
    for argument in &command.arguments {
        let value = match &argument.kind {
            ArgumentKind::Name(name, value) if is_short_for(name, "Raw") => {
                raw = match value {
                    Some(value) => evaluate(value, scope)? == PsValue::Bool(true),
                    None => true,
                };
                continue;
            }
            ArgumentKind::Name(name, value)
                if is_short_for(name, "Path") || is_short_for(name, "LiteralPath") =>
            {
                expects_path = true;
                match value {
                    Some(value) => value,
                    None => continue,
                }
            }
            ArgumentKind::Name(name, value) if is_short_for(name, "Encoding") && value.is_some() => continue,
            ArgumentKind::Value(value) if path.is_none() || expects_path => value,
            _ => {
                let text = "Get-Content takes one file here, and -Raw.";
                return Err(ReadError::new(argument.at, "ArgumentNotSupported", text));
            }
        };
        path = Some(evaluate(value, scope)?.to_text());
        expects_path = false;
    }
    let Some(path) = path else {
        let text = "Get-Content needs the name of a file.";
        return Err(ReadError::new(command.at, "MissingMandatoryParameter", text));
    };
    let text = scope.read_file(&path).map_err(|error| unreadable(command.at, &path, &error))?;
    if raw {
        return Ok(PsValue::Text(text));
    }
    let mut lines: Vec<_> = text.lines().map(PsValue::text).collect();
    Ok(if lines.len() == 1 { lines.remove(0) } else { PsValue::List(lines) })
}

/// `… | ConvertFrom-Json`: a text, or the lines of one.
pub fn convert_from_json(command: &Command, value: &PsValue) -> Result<PsValue, ReadError> {
    for argument in &command.arguments {
        match &argument.kind {
            ArgumentKind::Name(name, None) if is_short_for(name, "AsHashtable") => {}
            _ => {
                let text = "ConvertFrom-Json takes no argument but -AsHashtable here.";
                return Err(ReadError::new(argument.at, "ArgumentNotSupported", text));
            }
        }
    }
    let text = match value {
        PsValue::List(lines) => lines.iter().map(PsValue::to_text).collect::<Vec<_>>().join("\n"),
        other => other.to_text(),
    };
    let mut documents = read_json_stream(&text).map_err(|error| {
        let text = format!("Conversion from JSON failed with error: {error}");
        ReadError::new(command.at, "System.ArgumentException", text)
    })?;
    Ok(match documents.len() {
        0 => PsValue::Null,
        1 => documents.remove(0),
        _ => PsValue::List(documents),
    })
}

/// The error of a file that cannot be read.
pub fn unreadable(at: Position, path: &str, error: &io::Error) -> ReadError {
    if error.kind() == io::ErrorKind::NotFound {
        let text = format!("Cannot find path '{path}' because it does not exist.");
        ReadError::new(at, "PathNotFound", text)
    } else {
        ReadError::new(at, "GetContentReaderIOError", format!("Cannot read the file '{path}': {error}"))
    }
}

/// Whether a parameter's name was given, in full or in part.
pub fn is_short_for(given: &str, name: &str) -> bool {
    !given.is_empty() && name.get(..given.len()).is_some_and(|start| start.eq_ignore_ascii_case(given))
}
