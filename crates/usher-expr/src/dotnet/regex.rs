//! .NET regular expressions, translated to a backtracking engine with a limit on its steps.
//!
//! Two things differ from .NET. Matching is by characters, not by UTF-16 code units, so a character
//! beyond 16 bits is one character here and two there. And in a loop whose last round matches the
//! empty text, as `(a*)+` does, that round does not capture.

mod blocks;
mod escape;
mod group;
mod parser;
mod replacement;
mod set;
mod translate;
mod tree;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use fancy_regex::{Captures, Error, Regex, RegexBuilder, RegexInput};
use thiserror::Error;

use parser::Parsed;
use replacement::Piece;
pub use replacement::Replacement;
use translate::{For, translate};

/// How often one match may go back and try another way.
const STEPS: usize = 250_000;

/// Why a pattern was refused, or a match given up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// The pattern is not a .NET regular expression.
    #[error("invalid pattern at position {position}: {message}")]
    Invalid {
        /// Where the parser stood, in bytes.
        position: usize,
        /// What is wrong there.
        message: String,
    },
    /// .NET knows the construct, this engine does not.
    #[error("not supported in a pattern: {construct}")]
    Unsupported {
        /// Where the construct stands, in bytes.
        position: usize,
        /// Its name.
        construct: String,
    },
    /// Matching took too many steps.
    #[error("the pattern takes too many steps on this text")]
    TooExpensive,
}

/// A compiled pattern. Clones share it.
#[derive(Debug, Clone)]
pub struct Pattern(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    parsed: Parsed,
    /// Right for plain text, and for every text where there is no other.
    plain: Regex,
    /// The source of the translation that is right for every text, where it differs.
    any_source: Option<String>,
    /// That translation, compiled when the first text needs it.
    any: OnceLock<Result<Regex, PatternError>>,
}

impl Pattern {
    /// Compiles a pattern that tells case apart.
    pub fn compile(pattern: &str) -> Result<Pattern, PatternError> {
        Pattern::new(pattern, false)
    }

    /// Compiles a pattern as if it began with `(?i)`.
    pub fn compile_ignoring_case(pattern: &str) -> Result<Pattern, PatternError> {
        Pattern::new(pattern, true)
    }

    fn new(pattern: &str, ignore_case: bool) -> Result<Pattern, PatternError> {
        let parsed = parser::parse(pattern, ignore_case)?;
        let write = |texts| translate(&parsed, texts).ok_or_else(too_large);
        let source = write(For::PlainText)?;
        let any_source = Some(write(For::AnyText)?).filter(|any| *any != source);
        let plain = build(&source)?;
        Ok(Pattern(Arc::new(Compiled { parsed, plain, any_source, any: OnceLock::new() })))
    }

    /// Whether the pattern matches anywhere in the text.
    pub fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        self.engine(text)?.is_match(text).map_err(|error| runtime(&error))
    }

    /// The text with every match replaced. Empty matches count, also one that follows a match
    /// directly.
    pub fn replace(&self, text: &str, replacement: &Replacement) -> Result<String, PatternError> {
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        self.each_match(text, |captures, found| {
            out.push_str(&text[copied..found.start]);
            for piece in &replacement.pieces {
                out.push_str(self.expand(piece, text, captures, &found));
            }
            copied = found.end;
        })?;
        out.push_str(&text[copied..]);
        Ok(out)
    }

    /// The text with one group's part of every match replaced by a literal text; the rest of the
    /// match stays. The group is given by name or number.
    pub fn replace_group(&self, text: &str, group: &str, replacement: &str) -> Result<String, PatternError> {
        let Some(number) = self.0.parsed.groups.find(group) else { return Ok(text.to_owned()) };
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        self.each_match(text, |captures, _| {
            // Look-around can capture text that has been passed already.
            if let Some(part) = self.part(captures, number).filter(|part| part.start >= copied) {
                out.push_str(&text[copied..part.start]);
                out.push_str(replacement);
                copied = part.end;
            }
        })?;
        out.push_str(&text[copied..]);
        Ok(out)
    }

    /// What a group, given by name or number, captures in the first match: the empty text when it
    /// takes no part in the match, none when nothing matches or there is no such group.
    pub fn first_group(&self, text: &str, group: &str) -> Result<Option<String>, PatternError> {
        let Some(number) = self.0.parsed.groups.find(group) else { return Ok(None) };
        let captures = self.engine(text)?.captures(text).map_err(|error| runtime(&error))?;
        Ok(captures.map(|captures| {
            self.part(&captures, number).map_or_else(String::new, |part| text[part].to_owned())
        }))
    }

    /// Whether the pattern has a group of that name or number.
    pub fn has_group(&self, name: &str) -> bool {
        self.0.parsed.groups.find(name).is_some()
    }

    fn engine(&self, text: &str) -> Result<&Regex, PatternError> {
        let compiled = &*self.0;
        match &compiled.any_source {
            Some(source) if !text.is_ascii() || text.ends_with('\n') => {
                compiled.any.get_or_init(|| build(source)).as_ref().map_err(PatternError::clone)
            }
            _ => Ok(&compiled.plain),
        }
    }

    /// Calls `visit` for every match in order. After an empty match the search goes on one
    /// character later, after another one where it ended.
    fn each_match<'t>(
        &self,
        text: &'t str,
        mut visit: impl FnMut(&Captures<'t, str>, Range<usize>),
    ) -> Result<(), PatternError> {
        let engine = self.engine(text)?;
        let mut position = 0;
        let mut after_empty = false;
        while position <= text.len() {
            let input =
                RegexInput::new(text).from_pos(position).continue_from_previous_match_end(!after_empty);
            let captures = engine.captures_input(input).map_err(|error| runtime(&error))?;
            let Some(captures) = captures else { break };
            let Some(found) = captures.get(0).map(|found| found.range()) else { break };
            after_empty = found.is_empty();
            position = found.end;
            if after_empty {
                position += text[position..].chars().next().map_or(1, char::len_utf8);
            }
            visit(&captures, found);
        }
        Ok(())
    }

    /// Where a group has matched. Of several groups with one number it is the one that ends last.
    fn part(&self, captures: &Captures<'_, str>, number: u32) -> Option<Range<usize>> {
        if number == 0 {
            return captures.get(0).map(|found| found.range());
        }
        let places = self.0.parsed.groups.places(number).iter();
        let parts = places.filter_map(|place| captures.get(*place)).map(|part| part.range());
        parts.max_by_key(|part| part.end)
    }

    fn expand<'a>(
        &self,
        piece: &'a Piece,
        text: &'a str,
        captures: &Captures<'a, str>,
        found: &Range<usize>,
    ) -> &'a str {
        let groups = &self.0.parsed.groups;
        let captured = |number| self.part(captures, number).map_or("", |part| &text[part]);
        match piece {
            Piece::Literal(literal) => literal,
            Piece::Number { number, written } => {
                if groups.has_number(*number) {
                    captured(*number)
                } else {
                    written
                }
            }
            Piece::Name { name, written } => groups.named(name).map_or(written, captured),
            Piece::Match => &text[found.clone()],
            Piece::Before => &text[..found.start],
            Piece::After => &text[found.end..],
            Piece::LastGroup => captured(groups.last()),
            Piece::Input => text,
        }
    }
}

fn build(source: &str) -> Result<Regex, PatternError> {
    let mut builder = RegexBuilder::new(source);
    builder.backtrack_limit(STEPS).allow_input_assertion_overrides(source.contains(r"\G"));
    builder.build().map_err(|error| {
        let construct = match error {
            Error::ParseError(_, fancy_regex::ParseError::RecursionExceeded) => {
                "groups nested this deep".to_owned()
            }
            Error::CompileError(error) if is_size(&error) => return too_large(),
            error => error.to_string(),
        };
        PatternError::Unsupported { position: 0, construct }
    })
}

fn too_large() -> PatternError {
    PatternError::Unsupported { position: 0, construct: "a pattern of this size".to_owned() }
}

fn is_size(error: &fancy_regex::CompileError) -> bool {
    match error {
        fancy_regex::CompileError::InnerError(error) => error.size_limit().is_some(),
        fancy_regex::CompileError::PatternTooComplex => true,
        _ => false,
    }
}

fn runtime(error: &Error) -> PatternError {
    match error {
        Error::RuntimeError(_) => PatternError::TooExpensive,
        other => PatternError::Unsupported { position: 0, construct: other.to_string() },
    }
}
