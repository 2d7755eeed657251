//! Reads pipelines, commands and their arguments.

use super::cmdlets::find_cmdlet;
use super::cursor::is_break;
use super::reader::{Read, Reader, is_name, is_parameter_start};
use super::script::{SCOPE, find_helper};
use super::strings::{Pieces, ends_word};
use super::syntax::{
    Argument, ArgumentKind, Command, Expression, Pipeline, Position, ReadError, Stage, is_dash,
    is_double_quote, is_single_quote,
};

impl Reader<'_> {
    /// `expression | command | command`, or a command to begin with.
    pub(super) fn pipeline(&mut self) -> Read<Pipeline> {
        self.cursor.blanks()?;
        let at = self.cursor.at();
        let starts_command =
            self.cursor.peek().is_some_and(|first| is_name(first) && !first.is_ascii_digit());
        let mut stages = vec![if starts_command {
            Stage::Command(self.command()?)
        } else {
            Stage::Expression(self.list()?)
        }];
        loop {
            let before = self.cursor;
            self.cursor.blanks()?;
            if self.cursor.rest().starts_with("||") || self.cursor.peek() != Some('|') {
                self.cursor = before;
                return Ok(Pipeline { at, stages });
            }
            self.cursor.bump();
            self.cursor.gaps()?;
            if self.cursor.peek().is_none() {
                let text = "An empty pipe element is not allowed.";
                return Err(ReadError::new(self.cursor.at(), "EmptyPipeElement", text).incomplete());
            }
            stages.push(Stage::Command(self.command()?));
        }
    }

    fn command(&mut self) -> Read<Command> {
        let at = self.cursor.at();
        let name = self.cursor.take_while(|character| {
            !ends_word(character)
                && !is_single_quote(character)
                && !is_double_quote(character)
                && character != '$'
        });
        if name.is_empty() {
            return Err(self.unexpected());
        }
        if find_cmdlet(name).is_none() && find_helper(name).is_none() {
            let text = format!(
                "The term '{name}' is not recognized as a name of a cmdlet, function, script file, or executable program."
            );
            return Err(ReadError::new(at, "CommandNotFoundException", text).with_hint(SCOPE));
        }
        let mut arguments = Vec::new();
        loop {
            self.cursor.blanks()?;
            match self.cursor.peek() {
                None => break,
                Some(end) if is_break(end) || matches!(end, ';' | '|' | ')' | '}') => break,
                Some(sign @ ('<' | '>' | '&')) => {
                    let text = format!("Redirection and background jobs ('{sign}') are not supported.");
                    return Err(ReadError::new(self.cursor.at(), "RedirectionNotSupported", text));
                }
                Some(_) => arguments.push(self.argument()?),
            }
        }
        Ok(Command { at, name: name.to_owned(), arguments })
    }

    fn argument(&mut self) -> Read<Argument> {
        let at = self.cursor.at();
        let first = self.cursor.peek();
        let second = self.cursor.peek_second();
        let is_parameter = first.is_some_and(is_dash) && second.is_some_and(is_parameter_start);
        if is_parameter {
            self.cursor.bump();
            let name =
                self.cursor.take_while(|character| !ends_word(character) && character != ':').to_owned();
            let value = if self.cursor.eat(':') {
                self.cursor.blanks()?;
                Some(self.argument_list()?)
            } else {
                None
            };
            return Ok(Argument { at, kind: ArgumentKind::Name(name, value) });
        }
        if first == Some('@') && second.is_some_and(is_name) {
            self.cursor.bump();
            let name = self.cursor.take_while(is_name).to_owned();
            return Ok(Argument { at, kind: ArgumentKind::Splat(name) });
        }
        Ok(Argument { at, kind: ArgumentKind::Value(self.argument_list()?) })
    }

    fn argument_list(&mut self) -> Read<Expression> {
        let first = self.argument_value()?;
        self.rest_of_list(first, Self::argument_value)
    }

    fn argument_value(&mut self) -> Read<Expression> {
        let at = self.cursor.at();
        let Some(first) = self.cursor.peek() else {
            let text = "An argument was expected, but the text ends here.";
            return Err(ReadError::new(at, "MissingArgument", text).incomplete());
        };
        let second = self.cursor.peek_second();
        let is_value = match first {
            '(' => true,
            '@' => second.is_some_and(|second| {
                matches!(second, '(' | '{') || is_single_quote(second) || is_double_quote(second)
            }),
            quote => is_single_quote(quote) || is_double_quote(quote),
        };
        if is_value {
            let value = self.value()?;
            return match self.cursor.peek() {
                Some(next) if !ends_word(next) && next != '#' => Err(self.unexpected()),
                _ => Ok(value),
            };
        }
        if first == '$' && second.is_some_and(|second| is_name(second) || matches!(second, '{' | '(')) {
            let value = self.variable_or_group()?;
            let after = self.cursor;
            let with_members = self.members(value.clone())?;
            if self.cursor.peek().is_none_or(ends_word) {
                return Ok(with_members);
            }
            // `$folder/file` is a word that expands; its beginning is not read twice, lest nesting double the work.
            self.cursor = after;
            let mut pieces = Pieces::default();
            pieces.push_value(value);
            return self.word(at, pieces);
        }
        if first == '{' {
            let text = "Script blocks are not supported.";
            return Err(ReadError::new(at, "ScriptBlockNotSupported", text));
        }
        self.word(at, Pieces::default())
    }

    /// A bare word: text that expands, without quotes.
    fn word(&mut self, at: Position, mut pieces: Pieces) -> Read<Expression> {
        let start = self.cursor.rest();
        while let Some(character) = self.cursor.peek() {
            if ends_word(character) || (character == '`' && self.cursor.peek_second().is_some_and(is_break)) {
                break;
            }
            if is_single_quote(character) || is_double_quote(character) {
                let quoted = self.quoted()?;
                pieces.extend(quoted);
            } else {
                self.expanding_character(&mut pieces)?;
            }
        }
        if self.cursor.rest().len() == start.len() {
            Err(self.unexpected())
        } else {
            Ok(Expression { at, kind: pieces.finish() })
        }
    }
}

/// A pipeline in parentheses may read, but makes no call: it runs while arguments are still being put together.
pub(super) fn may_stand_in_parentheses(index: usize, command: &Command) -> Read<()> {
    let wanted = if index == 0 { "Get-Content" } else { "ConvertFrom-Json" };
    if command.name.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let text = format!("'{}' cannot stand in parentheses here.", command.name);
    Err(ReadError::new(command.at, "CommandNotSupported", text).with_hint(
        "parentheses may hold a value, Get-Content FILE -Raw, and | ConvertFrom-Json; give any other result a name first: $r = …",
    ))
}
