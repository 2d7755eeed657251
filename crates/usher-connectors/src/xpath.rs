//! XPath 1.0 (W3C Recommendation of 16 November 1999) over `roxmltree`: compiled once, evaluated over every document.
//!
//! All axes but `namespace`, all node tests, all operators and the whole function library are there; variables are not,
//! because nobody could set one. What an expression may cost is bounded: neither a deep expression nor a hostile document
//! can hang or overflow the process.

mod evaluate;
mod functions;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;
mod value;

use roxmltree::Node;

use self::evaluate::{Context, Scan};
use self::parser::Expr;
pub use self::value::Value;

/// How many nodes one evaluation may visit.
const BUDGET: u64 = 5_000_000;

/// An expression that cannot be compiled or evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {} of '{text}'", .at + 1)]
pub struct XPathError {
    /// The whole expression.
    pub text: String,
    /// Where, in characters from the start.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct XPath {
    text: String,
    expression: Expr,
}

impl XPath {
    /// Compiles an expression. `namespaces` gives the meaning of prefixes.
    ///
    /// # Errors
    /// Anything that is no XPath 1.0, an unknown prefix or function, a wrong number of arguments, a variable, the
    /// namespace axis.
    pub fn compile(text: &str, namespaces: &[(&str, &str)]) -> Result<Self, XPathError> {
        let expression = parser::parse(text, namespaces).map_err(|(at, message)| XPathError {
            text: text.to_owned(),
            at: text.get(..at).map_or(0, |before| before.chars().count()),
            message,
        })?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates the expression with `node` as the context node.
    ///
    /// # Errors
    /// The expression visits too many nodes, or takes a node-set where it has none.
    pub fn evaluate<'d, 'i>(&self, node: Node<'d, 'i>) -> Result<Value<'d, 'i>, XPathError> {
        let scan = Scan::new(BUDGET);
        let context = Context { node: node.into(), position: 1, size: 1 };
        scan.evaluate(&self.expression, &context).map_err(|message| XPathError {
            text: self.text.clone(),
            at: 0,
            message,
        })
    }

    /// The texts of all selected nodes in document order; one text when the expression yields no node-set.
    ///
    /// # Errors
    /// As `evaluate`.
    pub fn texts(&self, node: Node<'_, '_>) -> Result<Vec<String>, XPathError> {
        Ok(match self.evaluate(node)? {
            Value::Nodes(nodes) => nodes.iter().map(value::Item::text).collect(),
            other => vec![other.to_text()],
        })
    }
}
