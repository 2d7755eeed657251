//! From bytes to JSON: byte order marks, encodings, and what is wrong with text that cannot be read.

use serde_json::Value;
use usher_expr::Severity;

use super::{SchemaDiagnostic, duplicates, syntax};

/// Decodes UTF-8 and UTF-16, with or without byte order mark, and parses. The list is of members that stand twice: what
/// the document means hangs on who reads it.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(bytes: &[u8]) -> Result<(Value, Vec<SchemaDiagnostic>), SchemaDiagnostic> {
    let text = decode(bytes)?;
    if text.trim().is_empty() {
        return Err(problem("emptyDocument", None, "the document is empty", "export the schema again"));
    }
    let document = serde_json::from_str(&text).map_err(|error| {
        let fault = syntax::explain(&text, &error);
        let (line, column) = fault.position;
        let message = format!("{} (line {line}, column {column})", fault.message);
        problem(fault.code, Some(fault.position), message, fault.remedy)
    })?;
    let doubtful = duplicates::find(&text).into_iter().map(|duplicate| {
        let (line, column) = syntax::position(&text, duplicate.offset);
        SchemaDiagnostic {
            severity: Severity::Error,
            code: "duplicateMember",
            path: duplicate.path,
            position: Some((line, column)),
            message: format!(
                "this member stands twice in its object; one reader takes the first, another the last (line {line}, \
                 column {column})"
            ),
            remedy: Some("keep one of them".to_owned()),
        }
    });
    Ok((document, doubtful.collect()))
}

fn decode(bytes: &[u8]) -> Result<String, SchemaDiagnostic> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // JSON begins with an ASCII character, so a zero beside it shows the width and the order.
        [first, 0, ..] if *first != 0 => utf16(bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => utf16(bytes, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, SchemaDiagnostic> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        let message = format!("the document is neither UTF-8 nor UTF-16 (line {line}, column {column})");
        problem("invalidEncoding", Some((line, column)), message, "save it as UTF-8")
    })
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Result<String, SchemaDiagnostic> {
    let broken = || {
        let message = "the document looks like UTF-16, but cannot be read as such";
        problem("invalidEncoding", None, message, "save it as UTF-8")
    };
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(broken());
    }
    let units: Vec<u16> = pairs.map(|pair| read([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map_err(|_| broken())
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
