//! The mapping expression language: text and values in, value out. No I/O, no clock, no randomness.

mod call;
mod certificate;
mod check;
mod compare;
mod compile;
mod context;
mod diagnostic;
mod dialect;
mod distinguished_name;
pub mod dotnet;
mod evaluate;
mod explain;
mod expression;
mod function;
pub mod functions;
mod lexer;
mod limits;
mod node;
mod parser;
mod random;
mod roles;
mod source_json;
mod suggest;
mod value;
pub mod vectors;

pub use compile::{Compilation, compile};
pub use context::{Attributes, Context};
pub use diagnostic::{Diagnostic, Severity, codes, render};
pub use dialect::{Dialect, UnknownDialect};
pub use explain::{Explained, Explanation, Finding};
pub use expression::{ErrorKind, EvaluationError, Expression, Outcome};
pub use node::{Node, NodeKind, Operator};
pub use parser::{MAXIMUM_DEPTH, MAXIMUM_LENGTH, Parsed, parse};
pub use value::Value;
