//! A compiled expression and what its evaluation yields.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::context::{Attributes, Context};
use crate::dialect::Dialect;
use crate::evaluate::{Evaluated, Halt, Op, Scope};
use crate::explain::{Explained, Trace};
use crate::node::quote;
use crate::value::Value;

/// An expression that was compiled once and can be evaluated many times, from many threads.
///
/// ```
/// use std::collections::BTreeMap;
/// use usher_expr::{Context, Dialect, Outcome, Value, compile};
///
/// let compiled = compile(r#"Join(".", [givenName], [surname])"#, Dialect::Service);
/// let expression = compiled.expression.expect("no diagnostic is an error");
/// let person = BTreeMap::from([
///     ("givenName".into(), Value::text("Ann")),
///     ("surname".into(), Value::text("Lee")),
/// ]);
/// let context = Context::new(jiff::Timestamp::UNIX_EPOCH, 0);
/// assert_eq!(expression.evaluate(&person, &context), Ok(Outcome::Value(Value::text("Ann.Lee"))));
/// ```
#[derive(Clone)]
pub struct Expression(pub(crate) Arc<Compiled>);

pub(crate) struct Compiled {
    pub(crate) source: String,
    pub(crate) dialect: Dialect,
    pub(crate) root: Op,
    pub(crate) attributes: Vec<SmolStr>,
    /// Where `Redact` is called.
    pub(crate) redacted: Vec<Range<usize>>,
    /// Whether the outermost call is `SelectUniqueValue`.
    pub(crate) selects_unique: bool,
}

/// What stands in place of a message that could contain a redacted value.
pub(crate) const HIDDEN: &str = "the expression failed, its details are redacted";

impl Expression {
    /// The names of the attributes that the expression reads, in the order of first mention.
    pub fn attributes(&self) -> &[SmolStr] {
        &self.0.attributes
    }

    /// The text that was compiled.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The dialect in which it was compiled.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// Whether logs must show `[Redact]` in place of the value.
    pub fn is_redacted(&self) -> bool {
        !self.0.redacted.is_empty()
    }

    /// Whether the outcome is a list of candidates, of which the first free one is to be taken.
    pub fn selects_unique_value(&self) -> bool {
        self.0.selects_unique
    }

    /// Evaluates for one object.
    pub fn evaluate(
        &self,
        attributes: &dyn Attributes,
        context: &Context,
    ) -> Result<Outcome, EvaluationError> {
        self.run(attributes, context, None)
    }

    /// Evaluates for one object and tells what every sub-expression that was needed came to.
    pub fn explain(&self, attributes: &dyn Attributes, context: &Context) -> Explained {
        let trace = Trace::new(&self.0.source, &self.0.redacted);
        let outcome = self.run(attributes, context, Some(&trace));
        Explained { outcome, tree: trace.finish(&self.0.root) }
    }

    fn run(
        &self,
        attributes: &dyn Attributes,
        context: &Context,
        trace: Option<&Trace<'_>>,
    ) -> Result<Outcome, EvaluationError> {
        let (draws, steps) = (Cell::new(0), Cell::new(0));
        let scope = Scope { attributes, context, draws: &draws, steps: &steps, trace, binding: None };
        self.outcome(self.0.root.evaluate(&scope))
    }

    fn outcome(&self, evaluated: Evaluated) -> Result<Outcome, EvaluationError> {
        match evaluated {
            Ok(value) if self.0.selects_unique => Ok(Outcome::Candidates(value.values().to_vec())),
            Ok(value) => Ok(Outcome::Value(value)),
            Err(Halt::IgnoreAttributeFlow) => Ok(Outcome::IgnoreAttributeFlow),
            Err(Halt::IgnoreObjectFlow) => Ok(Outcome::IgnoreObjectFlow),
            Err(Halt::Failed(error)) if self.is_redacted() && error.kind == ErrorKind::Failed => {
                Err(EvaluationError { message: HIDDEN.to_owned(), ..*error })
            }
            Err(Halt::Failed(error)) => Err(*error),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.source).finish()
    }
}

/// What an expression came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A value for the target attribute.
    Value(Value),
    /// The attribute is left out of this create or update.
    IgnoreAttributeFlow,
    /// The whole object is left out of this run.
    IgnoreObjectFlow,
    /// What `SelectUniqueValue` offers, best first; with none of them free the object goes into escrow.
    Candidates(Vec<Value>),
}

impl Outcome {
    /// The first candidate that is not taken; `None` when all are, or when this is no list of candidates.
    pub fn first_free(&self, mut is_taken: impl FnMut(&Value) -> bool) -> Option<&Value> {
        match self {
            Outcome::Candidates(candidates) => candidates.iter().find(|candidate| !is_taken(candidate)),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Value(value) => f.write_str(&literal(value)),
            Outcome::IgnoreAttributeFlow => f.write_str("IgnoreAttributeFlow"),
            Outcome::IgnoreObjectFlow => f.write_str("IgnoreObjectFlow"),
            Outcome::Candidates(candidates) => {
                let texts: Vec<String> = candidates.iter().map(literal).collect();
                write!(f, "the first free of {}", texts.join(", "))
            }
        }
    }
}

/// A value as documentation and transcripts show it: texts in quotes, lists in brackets, the rest bare.
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => quote(text),
        Value::List(values) => {
            let texts: Vec<String> = values.iter().map(literal).collect();
            format!("[{}]", texts.join(", "))
        }
        other => other.to_text().to_string(),
    }
}

/// An evaluation that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationError {
    /// Whether a function failed, or the expression asked for the failure.
    pub kind: ErrorKind,
    /// What went wrong, or the text given to `Error`.
    pub message: String,
    /// Which bytes of the expression failed.
    pub span: Range<usize>,
}

/// Why an evaluation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A function could not do its work: the attribute fails.
    Failed,
    /// `Error("text")` was reached: the object fails.
    Raised,
}
