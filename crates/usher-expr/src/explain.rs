//! How an outcome came about: every sub-expression that was evaluated, with what it came to.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;

use crate::evaluate::{Evaluated, Halt, Op};
use crate::expression::{ErrorKind, EvaluationError, HIDDEN, Outcome, literal};
use crate::value::Value;

/// An outcome and its explanation.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// What plain evaluation yields.
    pub outcome: Result<Outcome, EvaluationError>,
    /// The evaluated sub-expressions.
    pub tree: Explanation,
}

/// One sub-expression and what it came to. Branches that were not taken are absent.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The sub-expression as it is written.
    pub source: String,
    /// Where it stands.
    pub span: Range<usize>,
    /// What it came to.
    pub finding: Finding,
    /// What was evaluated on the way, in order; constants are left out.
    pub children: Vec<Explanation>,
}

/// What a sub-expression came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// A value.
    Value(Value),
    /// The attribute is left out.
    IgnoreAttributeFlow,
    /// The object is left out.
    IgnoreObjectFlow,
    /// A failure, with its message.
    Failed(String),
    /// A value that `Redact` hides.
    Redacted,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Value(value) => f.write_str(&literal(value)),
            Finding::IgnoreAttributeFlow => f.write_str("IgnoreAttributeFlow"),
            Finding::IgnoreObjectFlow => f.write_str("IgnoreObjectFlow"),
            Finding::Failed(message) => write!(f, "error: {message}"),
            Finding::Redacted => f.write_str("[Redact]"),
        }
    }
}

impl fmt::Display for Explanation {
    /// One line for every sub-expression, indented by depth.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl Explanation {
    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let mut source = String::with_capacity(self.source.len());
        for word in self.source.split_whitespace() {
            if !source.is_empty() {
                source.push(' ');
            }
            source.push_str(word);
        }
        writeln!(f, "{:indent$}{source} = {}", "", self.finding, indent = depth * 2)?;
        self.children.iter().try_for_each(|child| child.write(f, depth + 1))
    }
}

/// Collects explanations in the course of an evaluation.
pub(crate) struct Trace<'a> {
    source: &'a str,
    redacted: &'a [Range<usize>],
    finished: RefCell<Vec<Explanation>>,
    recorded: Cell<usize>,
}

/// How many sub-expressions an explanation shows; what loops evaluate beyond that is left out.
const MOST_RECORDED: usize = 10_000;

impl<'a> Trace<'a> {
    pub(crate) fn new(source: &'a str, redacted: &'a [Range<usize>]) -> Trace<'a> {
        Trace { source, redacted, finished: RefCell::new(Vec::new()), recorded: Cell::new(0) }
    }

    /// Evaluates and notes what came of it; what was noted meanwhile becomes its children.
    pub(crate) fn record(&self, op: &Op, run: impl FnOnce() -> Evaluated) -> Evaluated {
        if op.constant().is_some() || self.recorded.get() >= MOST_RECORDED {
            return run();
        }
        self.recorded.set(self.recorded.get() + 1);
        let siblings = self.finished.take();
        let evaluated = run();
        let children = self.finished.replace(siblings);
        let explanation = self.explanation(op, self.finding(op, &evaluated), children);
        self.finished.borrow_mut().push(explanation);
        evaluated
    }

    pub(crate) fn finish(self, root: &Op) -> Explanation {
        let finished = self.finished.take().pop();
        finished.unwrap_or_else(|| {
            let finding = Finding::Value(root.constant().unwrap_or_default());
            self.explanation(root, finding, Vec::new())
        })
    }

    fn explanation(&self, op: &Op, finding: Finding, children: Vec<Explanation>) -> Explanation {
        let source = self.source.get(op.span.clone()).unwrap_or_default().to_owned();
        Explanation { source, span: op.span.clone(), finding, children }
    }

    fn finding(&self, op: &Op, evaluated: &Evaluated) -> Finding {
        let is_redacted =
            self.redacted.iter().any(|hidden| hidden.start < op.span.end && op.span.start < hidden.end);
        match evaluated {
            Ok(_) if is_redacted => Finding::Redacted,
            Ok(value) => Finding::Value(value.clone()),
            Err(Halt::IgnoreAttributeFlow) => Finding::IgnoreAttributeFlow,
            Err(Halt::IgnoreObjectFlow) => Finding::IgnoreObjectFlow,
            Err(Halt::Failed(error)) if !self.redacted.is_empty() && error.kind == ErrorKind::Failed => {
                Finding::Failed(HIDDEN.to_owned())
            }
            Err(Halt::Failed(error)) => Finding::Failed(error.message.clone()),
        }
    }
}
