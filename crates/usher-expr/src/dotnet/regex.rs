//! .NET regular expressions on a backtracking engine with a step limit.

use thiserror::Error;

/// Why a pattern was refused or a match given up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// The pattern is not a .NET regular expression.
    #[error("invalid pattern at position {position}: {message}")]
    Invalid {
        /// Offset into the pattern in bytes.
        position: usize,
        /// What is wrong there.
        message: String,
    },
    /// The pattern is valid in .NET and uses something this engine does not have.
    #[error("unsupported in a pattern at position {position}: {construct}")]
    Unsupported {
        /// Offset into the pattern in bytes.
        position: usize,
        /// The construct's name.
        construct: &'static str,
    },
    /// Matching needed more steps than a match may take.
    #[error("the pattern needs too many steps on this text")]
    TooExpensive,
}

/// A compiled pattern; cheap to clone.
#[derive(Debug, Clone)]
pub struct Pattern;

impl Pattern {
    /// Compiles a pattern that tells case apart.
    pub fn compile(_pattern: &str) -> Result<Pattern, PatternError> {
        Ok(Pattern)
    }
    /// Compiles a pattern that ignores case.
    pub fn compile_ignoring_case(_pattern: &str) -> Result<Pattern, PatternError> {
        Ok(Pattern)
    }
    /// Whether the pattern matches anywhere in `text`.
    pub fn is_match(&self, _text: &str) -> Result<bool, PatternError> {
        Ok(false)
    }
    /// Replaces every match.
    pub fn replace(&self, text: &str, _replacement: &Replacement) -> Result<String, PatternError> {
        Ok(text.to_owned())
    }
    /// Replaces the text of one group in every match; the rest of each match stays.
    pub fn replace_group(
        &self,
        text: &str,
        _group: &str,
        _replacement: &str,
    ) -> Result<String, PatternError> {
        Ok(text.to_owned())
    }
    /// The text of a group in the first match.
    pub fn first_group(&self, _text: &str, _group: &str) -> Result<Option<String>, PatternError> {
        Ok(None)
    }
    /// Whether the pattern has a group of that name or number.
    pub fn has_group(&self, _name: &str) -> bool {
        false
    }
}

/// A parsed replacement text.
#[derive(Debug, Clone)]
pub struct Replacement;

impl Replacement {
    /// Parses a replacement text; every text is one.
    pub fn parse(_text: &str) -> Replacement {
        Replacement
    }
}
