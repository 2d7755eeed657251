//! From bytes to JSON: byte order marks, and errors that say what to mend. And the defaults inside rule metadata.

use serde_json::Value;
use usher_expr::Severity;

use super::SchemaDiagnostic;

/// How deep a document may nest; real ones stay below 20.
const DEPTH: usize = 128;

/// Decodes UTF-8 and UTF-16, with or without byte order mark, and parses.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(bytes: &[u8]) -> Result<Value, SchemaDiagnostic> {
    let text = decode(bytes)?;
    if text.trim().is_empty() {
        return Err(problem("emptyDocument", None, "the document is empty", "export the schema again"));
    }
    serde_json::from_str(&text).map_err(|error| {
        let position = Some((error.line(), error.column()));
        let (message, remedy) = explain(&text, &error);
        problem("invalidJson", position, message, remedy)
    })
}

fn decode(bytes: &[u8]) -> Result<String, SchemaDiagnostic> {
    let utf16 = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|_| {
            problem("invalidEncoding", None, "the document is marked as UTF-16, but is not", "save it as UTF-8")
        })
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [_, 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, _, ..] => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, SchemaDiagnostic> {
    String::from_utf8(bytes.to_vec())
        .map_err(|_| problem("invalidEncoding", None, "the document is neither UTF-8 nor UTF-16", "save it as UTF-8"))
}

/// What the parser stumbled over, in words for whoever edited the file.
fn explain(text: &str, error: &serde_json::Error) -> (String, String) {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let rest: String = line.chars().skip(error.column().saturating_sub(1)).collect();
    let before: String = text
        .lines()
        .take(error.line())
        .enumerate()
        .flat_map(|(index, line)| {
            let take = if index + 1 == error.line() { error.column().saturating_sub(1) } else { usize::MAX };
            line.chars().take(take).chain(['\n'])
        })
        .collect();
    let last = before.trim_end().chars().next_back();
    let place = format!("line {}, column {}", error.line(), error.column());
    let first_line = text.trim_start().lines().next().unwrap_or_default();
    if !text.trim_start().starts_with(['{', '[']) {
        return (
            format!("the document does not begin with JSON but with '{}' ({place})", shorten(first_line)),
            "remove what stands before the first '{', such as the request line and headers of an example".to_owned(),
        );
    }
    if error.is_eof() {
        return (format!("the document ends too early ({place})"), "a closing brace or bracket is missing".to_owned());
    }
    if rest.trim_start().starts_with("...") || rest.starts_with('…') {
        return (
            format!("something was left out here with dots ({place})"),
            "put the whole document in; a shortened example cannot be loaded".to_owned(),
        );
    }
    if matches!(last, Some(',' | '[')) && (rest.starts_with([']', '}', ',']) || rest.trim_start().starts_with(',')) {
        return (
            format!("there is a comma too many ({place})"),
            "remove the comma: JSON has none after the last member and none before the first".to_owned(),
        );
    }
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    (format!("this is not JSON: {reason} ({place})"), "correct the text at this place".to_owned())
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

fn problem(
    code: &'static str,
    position: Option<(usize, usize)>,
    message: impl Into<String>,
    remedy: impl Into<String>,
) -> SchemaDiagnostic {
    SchemaDiagnostic {
        severity: Severity::Error,
        code,
        path: "$".to_owned(),
        position,
        message: message.into(),
        remedy: Some(remedy.into()),
    }
}

/// Whether a document nests deeper than any schema does.
pub fn is_too_deep(value: &Value) -> bool {
    fn depth(value: &Value, left: usize) -> bool {
        match value {
            _ if left == 0 => true,
            Value::Array(items) => items.iter().any(|item| depth(item, left - 1)),
            Value::Object(members) => members.values().any(|member| depth(member, left - 1)),
            _ => false,
        }
    }
    depth(value, DEPTH)
}

/// The defaults of one source object in the metadata `defaultSourceObjectMappings`.
pub fn defaults(document: &Value, object: &str) -> Vec<(String, String)> {
    let member = |value: &Value, name: &str| -> Option<Value> {
        value
            .as_object()?
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    };
    let Some(mappings) = document.as_array() else { return Vec::new() };
    mappings
        .iter()
        .filter(|mapping| {
            let named = |name| member(mapping, name).and_then(|value| value.as_str().map(str::to_owned));
            let target = named("TargetObjectName").or_else(|| named("SourceObjectName"));
            target.is_none_or(|name| name.is_empty() || name.eq_ignore_ascii_case(object))
        })
        .filter_map(|mapping| member(mapping, "AttributeMappings"))
        .filter_map(|list| list.as_array().cloned())
        .flatten()
        .filter_map(|attribute| {
            let name = member(&attribute, "TargetAttributeName")?.as_str()?.to_owned();
            let value = member(&attribute, "DefaultValue")?.as_str()?.to_owned();
            Some((name, value))
        })
        .collect()
}
