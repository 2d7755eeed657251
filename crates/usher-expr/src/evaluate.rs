//! The compiled tree and its evaluation. Arguments are evaluated only when a function asks for them.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use smol_str::SmolStr;

use crate::call::Call;
use crate::compare;
use crate::context::{Attributes, Context};
use crate::explain::Trace;
use crate::expression::{ErrorKind, EvaluationError};
use crate::functions::{Function, Param};
use crate::limits;
use crate::node::Operator;
use crate::value::Value;

/// What an evaluation step yields.
pub(crate) type Evaluated = Result<Value, Halt>;

/// Why an evaluation ends without a value.
#[derive(Debug)]
pub(crate) enum Halt {
    IgnoreAttributeFlow,
    IgnoreObjectFlow,
    Failed(Box<EvaluationError>),
}

impl Halt {
    pub(crate) fn failed(span: Range<usize>, message: impl Into<String>) -> Halt {
        Halt::Failed(Box::new(EvaluationError { kind: ErrorKind::Failed, message: message.into(), span }))
    }
}

/// A compiled sub-expression.
pub(crate) struct Op {
    pub(crate) kind: OpKind,
    pub(crate) span: Range<usize>,
}

pub(crate) enum OpKind {
    Constant(Value),
    /// A constant with a fraction: its text, and the knowledge that it compares as a number.
    Decimal(SmolStr),
    Attribute(SmolStr),
    Parameter(SmolStr),
    Variable(SmolStr),
    IgnoreAttributeFlow,
    IgnoreObjectFlow,
    Comparison {
        operator: Operator,
        is_numeric: bool,
        operands: Box<(Op, Op)>,
    },
    Concatenation(Box<[Op]>),
    Call(CallOp),
}

/// A compiled call: the function, its arguments, and what was computed from constant arguments.
pub(crate) struct CallOp {
    pub(crate) function: &'static Function,
    pub(crate) params: &'static [Param],
    pub(crate) arguments: Box<[Option<Op>]>,
    pub(crate) prepared: Option<Box<dyn Any + Send + Sync>>,
}

/// Everything an evaluation can see.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) attributes: &'a dyn Attributes,
    pub(crate) context: &'a Context,
    /// How often randomness was asked for; every answer comes from a stream of its own.
    pub(crate) draws: &'a Cell<u64>,
    /// How much work was done.
    pub(crate) steps: &'a Cell<u64>,
    pub(crate) trace: Option<&'a Trace<'a>>,
    pub(crate) binding: Option<&'a Binding<'a>>,
}

/// A variable of `With`, `Select` or `Where` and what it stands for.
pub(crate) struct Binding<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: Value,
    pub(crate) outer: Option<&'a Binding<'a>>,
}

impl Op {
    pub(crate) fn evaluate(&self, scope: &Scope<'_>) -> Evaluated {
        match scope.trace {
            Some(trace) => trace.record(self, || self.run(scope)),
            None => self.run(scope),
        }
    }

    fn run(&self, scope: &Scope<'_>) -> Evaluated {
        match &self.kind {
            OpKind::Constant(value) => Ok(value.clone()),
            OpKind::Decimal(text) => Ok(Value::Text(text.clone())),
            OpKind::Attribute(name) => Ok(scope.attributes.get(name)),
            OpKind::Parameter(name) => match scope.context.parameters.get(name) {
                Some(value) => Ok(Value::Text(value.clone())),
                None => Err(Halt::failed(self.span.clone(), format!("the parameter %{name}% has no value"))),
            },
            OpKind::Variable(name) => self.variable(name, scope),
            OpKind::IgnoreAttributeFlow => Err(Halt::IgnoreAttributeFlow),
            OpKind::IgnoreObjectFlow => Err(Halt::IgnoreObjectFlow),
            OpKind::Comparison { operator, is_numeric, operands } => {
                let (left, right) = (operands.0.evaluate(scope)?, operands.1.evaluate(scope)?);
                compare::compare(*operator, &left, &right, *is_numeric)
                    .map(Value::Boolean)
                    .map_err(|message| Halt::failed(self.span.clone(), message))
            }
            OpKind::Concatenation(operands) => self.concatenate(operands, scope),
            OpKind::Call(call) => {
                let value = (call.function.eval)(&Call { call, scope, span: &self.span })?;
                self.count_steps(&value, scope)?;
                Ok(value)
            }
        }
    }

    fn count_steps(&self, value: &Value, scope: &Scope<'_>) -> Result<(), Halt> {
        let steps = limits::steps(value).map_err(|message| Halt::failed(self.span.clone(), message))?;
        let taken = scope.steps.get() + steps;
        scope.steps.set(taken);
        if taken > limits::MOST_STEPS {
            return Err(Halt::failed(self.span.clone(), "the expression needs too many steps"));
        }
        Ok(())
    }

    fn variable(&self, name: &str, scope: &Scope<'_>) -> Evaluated {
        let mut binding = scope.binding;
        while let Some(current) = binding {
            if current.name == name {
                return Ok(current.value.clone());
            }
            binding = current.outer;
        }
        Err(Halt::failed(self.span.clone(), format!("the variable ${name} is not bound here")))
    }

    fn concatenate(&self, operands: &[Op], scope: &Scope<'_>) -> Evaluated {
        let mut joined = smol_str::SmolStrBuilder::new();
        for operand in operands {
            match operand.evaluate(scope)?.single() {
                Value::Text(text) => joined.push_str(text),
                list @ (Value::List(_) | Value::Object(_)) => {
                    let message = format!("`&` joins single values, not {}", list.kind());
                    return Err(Halt::failed(operand.span.clone(), message));
                }
                other => joined.push_str(&other.to_text()),
            }
            limits::check_length(joined.len()).map_err(|message| Halt::failed(self.span.clone(), message))?;
        }
        Ok(Value::Text(joined.finish()))
    }

    /// The value of a constant.
    pub(crate) fn constant(&self) -> Option<Value> {
        match &self.kind {
            OpKind::Constant(value) => Some(value.clone()),
            OpKind::Decimal(text) => Some(Value::Text(text.clone())),
            _ => None,
        }
    }

    /// Calls `visit` for this and every sub-expression, outermost first.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Op)) {
        visit(self);
        match &self.kind {
            OpKind::Comparison { operands, .. } => {
                operands.0.walk(visit);
                operands.1.walk(visit);
            }
            OpKind::Concatenation(operands) => operands.iter().for_each(|operand| operand.walk(visit)),
            OpKind::Call(call) => call.arguments.iter().flatten().for_each(|argument| argument.walk(visit)),
            _ => {}
        }
    }
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Op({:?})", self.span)
    }
}
