//! A place in a text that moves forward, and what lies between tokens: blanks, comments, joined lines.

use super::syntax::{Position, ReadError};

/// Where a reader stands. Copies are places to come back to.
#[derive(Clone, Copy)]
pub struct Cursor<'t> {
    rest: &'t str,
    at: Position,
}

impl<'t> Cursor<'t> {
    /// The beginning of a text; a byte order mark is passed over.
    pub fn new(text: &'t str) -> Self {
        Self { rest: text.strip_prefix('\u{FEFF}').unwrap_or(text), at: Position { line: 1, column: 1 } }
    }

    /// The line and column.
    pub fn at(&self) -> Position {
        self.at
    }

    /// What has not been read.
    pub fn rest(&self) -> &'t str {
        self.rest
    }

    /// The next character.
    pub fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// The character after the next one.
    pub fn peek_second(&self) -> Option<char> {
        self.rest.chars().nth(1)
    }

    /// Takes the next character.
    pub fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.rest = &self.rest[character.len_utf8()..];
        // `\r\n` is one line break: the `\n` of it does the counting.
        let is_break = character == '\n' || (character == '\r' && self.peek() != Some('\n'));
        if is_break {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(character)
    }

    /// Takes the next character if it is this one.
    pub fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    /// Takes a text of ASCII characters if it comes next.
    pub fn eat_text(&mut self, wanted: &str) -> bool {
        let found = self.rest.starts_with(wanted);
        if found {
            wanted.chars().for_each(|_| {
                self.bump();
            });
        }
        found
    }

    /// Takes characters as long as they fit.
    pub fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let start = self.rest;
        while self.peek().is_some_and(&fits) {
            self.bump();
        }
        &start[..start.len() - self.rest.len()]
    }

    /// Takes one line break.
    pub fn eat_break(&mut self) -> bool {
        self.eat_text("\r\n") || self.eat('\n') || self.eat('\r')
    }

    /// Passes blanks, comments and joined lines, but no line break.
    pub fn blanks(&mut self) -> Result<(), ReadError> {
        loop {
            match self.peek() {
                Some('#') => {
                    self.take_while(|character| !is_break(character));
                }
                Some('<') if self.peek_second() == Some('#') => self.block_comment()?,
                Some('`') if self.peek_second().is_some_and(is_break) => {
                    self.bump();
                    self.eat_break();
                }
                Some(character) if is_blank(character) => {
                    self.bump();
                }
                _ => return Ok(()),
            }
        }
    }

    /// Passes blanks, comments and line breaks.
    pub fn gaps(&mut self) -> Result<(), ReadError> {
        loop {
            self.blanks()?;
            if !self.eat_break() {
                return Ok(());
            }
        }
    }

    /// Passes everything that divides entries or statements; says whether there was a divider at all.
    pub fn separators(&mut self) -> Result<bool, ReadError> {
        let mut found = false;
        loop {
            self.blanks()?;
            if !self.eat_break() && !self.eat(';') {
                return Ok(found);
            }
            found = true;
        }
    }

    fn block_comment(&mut self) -> Result<(), ReadError> {
        let at = self.at;
        let Some(length) = self.rest.find("#>") else {
            let text = "The terminator '#>' is missing from the multiline comment.";
            return Err(ReadError::new(at, "MissingTerminatorMultiLineComment", text).incomplete());
        };
        let end = self.rest.len() - length - 2;
        while self.rest.len() > end {
            self.bump();
        }
        Ok(())
    }
}

/// Whether the character ends a line.
pub fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r')
}

/// Whether the character is white space within a line.
pub fn is_blank(character: char) -> bool {
    !is_break(character) && character.is_whitespace()
}
