//! The parsed tree. Printing a tree gives a text that parses to the same tree.

use std::fmt;
use std::ops::Range;

use smol_str::SmolStr;

/// A part of an expression, with the bytes of the text it was read from.
///
/// Two nodes are equal when they mean the same: spans do not count.
#[derive(Clone, Debug)]
pub struct Node {
    /// What stands here.
    pub kind: NodeKind,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// `Name(argument, …)`; an omitted argument is `None`.
    Call {
        /// The function's name as written.
        name: SmolStr,
        /// The arguments in order.
        arguments: Vec<Option<Node>>,
    },
    /// `[name]`.
    Attribute(SmolStr),
    /// `"text"`, with the escapes resolved.
    Text(SmolStr),
    /// A number as written: decimal, or hexadecimal after `&H`.
    Number(SmolStr),
    /// `%name%`.
    Parameter(SmolStr),
    /// `$name`.
    Variable(SmolStr),
    /// A bare identifier.
    Word(SmolStr),
    /// `left operator right`.
    Comparison {
        /// The operator.
        operator: Operator,
        /// The left operand.
        left: Box<Node>,
        /// The right operand.
        right: Box<Node>,
    },
    /// Two or more operands joined by `&`.
    Concatenation(Vec<Node>),
    /// Nothing, where something was expected; a diagnostic says what.
    Missing,
}

/// The comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

impl Operator {
    /// The operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "<>",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NodeKind::Call { name, arguments } => {
                write!(f, "{name}(")?;
                for (index, argument) in arguments.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    if let Some(argument) = argument {
                        write!(f, "{argument}")?;
                    }
                }
                f.write_str(")")
            }
            NodeKind::Attribute(name) => write!(f, "[{name}]"),
            NodeKind::Text(text) => f.write_str(&quote(text)),
            NodeKind::Number(text) | NodeKind::Word(text) => f.write_str(text),
            NodeKind::Parameter(name) => write!(f, "%{name}%"),
            NodeKind::Variable(name) => write!(f, "${name}"),
            NodeKind::Comparison { operator, left, right } => write!(f, "{left}{operator}{right}"),
            NodeKind::Concatenation(operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" & ")?;
                    }
                    write!(f, "{operand}")?;
                }
                Ok(())
            }
            NodeKind::Missing => Ok(()),
        }
    }
}

/// The text in double quotes, with backslash and double quote escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}
