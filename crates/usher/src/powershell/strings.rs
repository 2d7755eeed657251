//! Strings: single, double, here-strings, backtick escapes and expansion.

use super::cursor::{is_blank, is_break};
use super::reader::Reader;
use super::syntax::{
    Expression, ExpressionKind, Piece, Position, ReadError, is_double_quote, is_single_quote,
};
use super::value::PsValue;

/// A text under construction: plain characters, and expansions between them.
#[derive(Default)]
pub(super) struct Pieces {
    done: Vec<Piece>,
    open: String,
}

impl Pieces {
    pub(super) fn push(&mut self, character: char) {
        self.open.push(character);
    }

    pub(super) fn push_value(&mut self, value: Expression) {
        self.close();
        self.done.push(Piece::Value(value));
    }

    pub(super) fn extend(&mut self, other: Self) {
        for piece in other.done {
            match piece {
                Piece::Literal(text) => self.open.push_str(&text),
                Piece::Value(value) => self.push_value(value),
            }
        }
        self.open.push_str(&other.open);
    }

    pub(super) fn finish(mut self) -> ExpressionKind {
        if self.done.is_empty() {
            return ExpressionKind::Constant(PsValue::Text(self.open));
        }
        self.close();
        ExpressionKind::Text(self.done)
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.done.push(Piece::Literal(std::mem::take(&mut self.open)));
        }
    }
}

impl Reader<'_> {
    /// A string in quotes; the cursor stands on the opening one.
    pub(super) fn quoted(&mut self) -> Result<Pieces, ReadError> {
        let at = self.cursor.at();
        match self.cursor.bump() {
            Some(quote) if is_single_quote(quote) => self.single_quoted(at),
            _ => self.double_quoted(at),
        }
    }

    fn single_quoted(&mut self, at: Position) -> Result<Pieces, ReadError> {
        let mut pieces = Pieces::default();
        loop {
            match self.cursor.bump() {
                None => return Err(unterminated(at, "'")),
                Some(quote) if is_single_quote(quote) => match self.cursor.peek() {
                    Some(second) if is_single_quote(second) => {
                        self.cursor.bump();
                        pieces.push(second);
                    }
                    _ => return Ok(pieces),
                },
                Some(character) => pieces.push(character),
            }
        }
    }

    fn double_quoted(&mut self, at: Position) -> Result<Pieces, ReadError> {
        let mut pieces = Pieces::default();
        loop {
            match self.cursor.peek() {
                None => return Err(unterminated(at, "\"")),
                Some(quote) if is_double_quote(quote) => {
                    self.cursor.bump();
                    match self.cursor.peek() {
                        Some(second) if is_double_quote(second) => {
                            self.cursor.bump();
                            pieces.push(second);
                        }
                        _ => return Ok(pieces),
                    }
                }
                Some(_) => self.expanding_character(&mut pieces)?,
            }
        }
    }

    /// A here-string; the cursor stands on the `@`.
    pub(super) fn here_string(&mut self) -> Result<Pieces, ReadError> {
        let at = self.cursor.at();
        self.cursor.bump();
        let expands = self.cursor.bump().is_some_and(is_double_quote);
        let terminator = if expands { "\"@" } else { "'@" };
        self.cursor.take_while(is_blank);
        if !self.cursor.eat_break() {
            if self.cursor.peek().is_none() {
                return Err(unterminated(at, terminator));
            }
            let text = "No characters are allowed after a here-string header but before the end of the line.";
            return Err(ReadError::new(self.cursor.at(), "UnexpectedCharactersAfterHereStringHeader", text));
        }
        let is_quote = if expands { is_double_quote } else { is_single_quote };
        let mut pieces = Pieces::default();
        let mut is_first = true;
        loop {
            // The line break before the terminator belongs to the terminator.
            let mut ahead = self.cursor;
            let is_line_start = ahead.eat_break() || is_first;
            if is_line_start && ahead.peek().is_some_and(is_quote) && ahead.peek_second() == Some('@') {
                ahead.bump();
                ahead.bump();
                self.cursor = ahead;
                return Ok(pieces);
            }
            is_first = false;
            match self.cursor.peek() {
                None => return Err(unterminated(at, terminator)),
                // A `\r\n` is taken whole, lest its second half be read as a break of its own.
                Some('\r') if self.cursor.peek_second() == Some('\n') => {
                    self.cursor.eat_break();
                    pieces.push('\r');
                    pieces.push('\n');
                }
                Some(_) if expands => self.expanding_character(&mut pieces)?,
                Some(character) => {
                    self.cursor.bump();
                    pieces.push(character);
                }
            }
        }
    }

    /// One character of a text that expands: an escape, a variable, or itself.
    pub(super) fn expanding_character(&mut self, pieces: &mut Pieces) -> Result<(), ReadError> {
        match self.cursor.peek() {
            Some('`') => {
                self.cursor.bump();
                self.escape(pieces)
            }
            Some('$') => {
                let starts_expansion = self
                    .cursor
                    .peek_second()
                    .is_some_and(|next| next == '(' || next == '{' || next == '_' || next.is_alphanumeric());
                if starts_expansion {
                    let value = self.variable_or_group()?;
                    pieces.push_value(value);
                } else {
                    self.cursor.bump();
                    pieces.push('$');
                }
                Ok(())
            }
            Some(character) => {
                self.cursor.bump();
                pieces.push(character);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn escape(&mut self, pieces: &mut Pieces) -> Result<(), ReadError> {
        let at = self.cursor.at();
        let Some(character) = self.cursor.bump() else { return Ok(()) };
        let meant = match character {
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'e' => '\u{1B}',
            'f' => '\u{C}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{B}',
            'u' if self.cursor.peek() == Some('{') => {
                self.cursor.bump();
                let digits = self.cursor.take_while(|character| character.is_ascii_hexdigit());
                let code = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() <= 6);
                match code.and_then(char::from_u32) {
                    Some(meant) if self.cursor.eat('}') => meant,
                    _ => {
                        let text = "The Unicode escape sequence is not valid. A valid sequence is `u{ followed by one to six hex digits and a closing '}'.";
                        return Err(ReadError::new(at, "InvalidUnicodeEscapeSequence", text));
                    }
                }
            }
            other => other,
        };
        pieces.push(meant);
        Ok(())
    }
}

fn unterminated(at: Position, terminator: &str) -> ReadError {
    let id = if terminator.ends_with('@') {
        "TerminatorExpectedAtEndOfHereString"
    } else {
        "TerminatorExpectedAtEndOfString"
    };
    // The full stop stands in PowerShell's text too.
    ReadError::new(at, id, format!("The string is missing the terminator: {terminator}.")).incomplete()
}

/// Whether the character ends a bare word of a command.
pub(super) fn ends_word(character: char) -> bool {
    is_blank(character)
        || is_break(character)
        || matches!(character, ';' | '|' | ',' | '(' | ')' | '{' | '}' | '&' | '<' | '>')
}
