//! Why a text is not JSON, in words for whoever edited or cut out the file.

use serde_json::error::Category;

/// What the parser stumbled over.
#[derive(Debug)]
pub struct Fault {
    /// A stable name for programs.
    pub code: &'static str,
    /// Line and column, from 1, in characters.
    pub position: (usize, usize),
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// Explains the parser's error.
pub fn explain(text: &str, error: &serde_json::Error) -> Fault {
    let start = text.len() - text.trim_start().len();
    if let Some(message) = preamble(&text[start..]) {
        return fault(
            text,
            start,
            message,
            "remove what stands before the document, such as the request line and headers of an example",
        );
    }
    let offset = offset_of(text, error.line(), error.column());
    if error.classify() == Category::Eof {
        return ends_early(text, offset);
    }
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    if reason == "recursion limit exceeded" {
        let remedy = "export the schema again";
        return Fault {
            code: "tooDeep",
            ..fault(text, offset, "the document nests deeper than any schema".to_owned(), remedy)
        };
    }
    let (message, remedy) = known(text, offset, reason).unwrap_or_else(|| {
        (format!("this is not JSON: {reason}"), "correct the text at this place".to_owned())
    });
    fault(text, offset, message, remedy)
}

/// The mistakes that are made by hand, or by cutting an example out of a page.
fn known(text: &str, offset: usize, reason: &str) -> Option<(String, String)> {
    let rest = &text[offset..];
    let last = text[..offset].trim_end().chars().next_back();
    let begins = |marks: &[&str]| marks.iter().any(|mark| rest.starts_with(mark));
    let found = |message: &str, remedy: &str| Some((message.to_owned(), remedy.to_owned()));
    if reason.starts_with("control character") {
        return found(
            "a text holds a line break or a tab",
            "write \\n or \\t, or close the text on its line",
        );
    }
    if reason == "invalid escape" {
        return found("a text holds a backslash that begins no escape", "write two backslashes for one");
    }
    if reason == "trailing characters" {
        let message = format!("more stands behind the end of the document: '{}'", shorten(rest));
        return Some((
            message,
            "remove it, or the closing brace that ends the document too early".to_owned(),
        ));
    }
    if begins(&["..", "…"]) {
        return found(
            "something was left out here with dots",
            "put the whole document in; a shortened example cannot be loaded",
        );
    }
    if begins(&["//", "/*", "#"]) {
        return found("here stands a comment", "remove it: JSON has no comments");
    }
    if begins(&["'", "‘", "’", "“", "”", "„", "«"]) {
        return found("these quotes are not JSON's", "put names and texts between plain double quotes (\")");
    }
    let closes = begins(&["]", "}", ","]);
    if closes && matches!(last, Some(',' | '[' | '{')) || reason == "trailing comma" {
        return found(
            "there is a comma too many",
            "remove the comma: JSON has none after the last member and none before the first",
        );
    }
    if closes && last == Some(':') {
        return found("a member has no value", "give it one, such as null");
    }
    if begins(&["${", "{{", "<"]) {
        return found("here stands a placeholder of a text template", "fill in the template first");
    }
    if begins(&["True", "False", "None", "undefined", "NaN", "Infinity", "TRUE", "FALSE", "NULL"]) {
        return found("this value is not JSON's", "the words are true, false and null, in lower case");
    }
    if reason.starts_with("expected `,`") && begins(&["\"", "{", "["]) {
        return found("a comma is missing before this", "put a comma between the two");
    }
    if reason == "key must be a string"
        && rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
    {
        return found("a member's name is not in quotes", "put the name between double quotes");
    }
    None
}

/// What stands before the document, where it does not begin with JSON.
fn preamble(text: &str) -> Option<String> {
    let line = text.lines().next().unwrap_or_default();
    let is_placeholder =
        line.strip_prefix('{').and_then(|rest| rest.split_once('}')).is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|next| next.is_alphanumeric() || next == '-')
        });
    let is_json = text.starts_with(['{', '[']) && !is_placeholder;
    (!is_json).then(|| format!("the document does not begin with JSON but with '{}'", shorten(line)))
}

/// Names what was opened last and never closed.
fn ends_early(text: &str, offset: usize) -> Fault {
    let mut open = Vec::new();
    let mut quote = None;
    let mut is_escaped = false;
    for (index, next) in text.char_indices() {
        match (quote, next) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(_), '"') => quote = None,
            (Some(_), _) => {}
            (None, '"') => quote = Some(index),
            (None, '{' | '[') => open.push((index, next)),
            (None, '}' | ']') => drop(open.pop()),
            (None, _) => {}
        }
    }
    let unclosed = quote.map(|index| (index, '"')).or_else(|| open.last().copied());
    let message = match unclosed {
        Some((index, opener)) => {
            let (line, column) = position(text, index);
            format!(
                "the document ends too early: the {opener} of line {line}, column {column} is never closed"
            )
        }
        None => "the document ends too early".to_owned(),
    };
    fault(text, offset, message, "put the missing end back, or export the schema again")
}

fn fault(text: &str, offset: usize, message: String, remedy: impl Into<String>) -> Fault {
    Fault { code: "invalidJson", position: position(text, offset), message, remedy: remedy.into() }
}

/// The byte at the parser's line and column, which count bytes; moved to where a character begins.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    let mut offset = (lines.map(str::len).sum::<usize>() + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    // The parser may stop on the white space in front of what it does not like.
    offset + (text[offset..].len() - text[offset..].trim_start_matches([' ', '\t', '\r', '\n']).len())
}

/// Line and column of a byte, from 1, in characters.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |index| index + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

fn shorten(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(40).collect()
}
