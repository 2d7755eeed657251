//! The tree that literals and scripts are read into, places in a text, and what can be wrong with it.

use super::value::{PsValue, TableKind};

/// A place in a text: both count from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// Why a literal or a script cannot be read, or what in it has no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ReadError {
    /// PowerShell's name of the error.
    pub id: &'static str,
    /// What is wrong, in PowerShell's words where it has some.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where.
    pub at: Position,
    /// Whether the text ended too early, so that more text could still make it right.
    pub is_incomplete: bool,
}

impl ReadError {
    /// An error at a place.
    pub fn new(at: Position, id: &'static str, message: impl Into<String>) -> Self {
        Self { id, message: message.into(), hint: None, at, is_incomplete: false }
    }

    /// The same error, with a sentence on what to do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error, marked as one that more text could cure.
    pub fn incomplete(mut self) -> Self {
        self.is_incomplete = true;
        self
    }
}

/// Something with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: ExpressionKind,
}

/// The kinds of expressions that literals and published samples use.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    /// A number, a text without expansion, `$true`, `$false`, `$null`.
    Constant(PsValue),
    /// A text in double quotes with something to expand.
    Text(Vec<Piece>),
    /// `$name`.
    Variable(String),
    /// `value.Name`.
    Member(Box<Expression>, String),
    /// `a, b`.
    List(Vec<Expression>),
    /// `@(a; b)`.
    Array(Vec<Expression>),
    /// `@{ key = value }`.
    Table(TableKind, Vec<(Expression, Expression)>),
    /// `[type]value`.
    Cast(String, Box<Expression>),
    /// `(…)` and `$(…)`.
    Group(Box<Pipeline>),
}

/// A part of an expanding text.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Characters as they stand.
    Literal(String),
    /// What is expanded.
    Value(Expression),
}

/// `stage | stage`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Where it begins.
    pub at: Position,
    /// Its stages; there is at least one.
    pub stages: Vec<Stage>,
}

/// A part of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// A value; only ever the first stage.
    Expression(Expression),
    /// A command.
    Command(Command),
}

/// `Name -Parameter value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Where it begins.
    pub at: Position,
    /// Its name, as written.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<Argument>,
}

/// An argument of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: ArgumentKind,
}

/// The kinds of arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgumentKind {
    /// `-Name`, or `-Name:value`.
    Name(String, Option<Expression>),
    /// A value, for the name before it.
    Value(Expression),
    /// `@name`: the entries of a variable as arguments.
    Splat(String),
}

/// A statement of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Where it begins.
    pub at: Position,
    /// The variable that takes the result.
    pub target: Option<String>,
    /// What is run.
    pub pipeline: Pipeline,
}

/// Whether PowerShell takes the character for a dash: `-`, `–`, `—`, `―`.
pub fn is_dash(character: char) -> bool {
    matches!(character, '-' | '\u{2013}' | '\u{2014}' | '\u{2015}')
}

/// Whether PowerShell takes the character for a single quote.
pub fn is_single_quote(character: char) -> bool {
    matches!(character, '\'' | '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}')
}

/// Whether PowerShell takes the character for a double quote.
pub fn is_double_quote(character: char) -> bool {
    matches!(character, '"' | '\u{201C}' | '\u{201D}' | '\u{201E}')
}
