//! A function call as the function sees it: arguments on demand, converted to what it needs.

use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use smol_str::SmolStr;

use crate::context::Context;
use crate::dotnet::dates;
use crate::evaluate::{Binding, CallOp, Evaluated, Halt, Op, OpKind, Scope};
use crate::expression::{ErrorKind, EvaluationError};
use crate::value::Value;

/// One call in the course of one evaluation.
pub(crate) struct Call<'a> {
    pub(crate) call: &'a CallOp,
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) span: &'a Range<usize>,
}

impl<'a> Call<'a> {
    /// How many arguments were written, omitted ones included.
    pub(crate) fn count(&self) -> usize {
        self.call.arguments.len()
    }

    /// Whether the argument is there; an omitted one is not, an empty text is.
    pub(crate) fn is_given(&self, index: usize) -> bool {
        self.argument(index).is_some()
    }

    pub(crate) fn context(&self) -> &'a Context {
        self.scope.context
    }

    /// What the compile-time check computed from constant arguments.
    pub(crate) fn prepared<T: 'static>(&self) -> Option<&'a T> {
        self.call.prepared.as_ref().and_then(|prepared| prepared.downcast_ref())
    }

    fn argument(&self, index: usize) -> Option<&'a Op> {
        self.call.arguments.get(index).and_then(Option::as_ref)
    }

    /// The argument's value; null when it is omitted.
    pub(crate) fn value(&self, index: usize) -> Evaluated {
        self.argument(index).map_or(Ok(Value::Null), |op| op.evaluate(self.scope))
    }

    /// The argument as text; null is `""`.
    pub(crate) fn text(&self, index: usize) -> Result<SmolStr, Halt> {
        let value = self.value(index)?;
        self.as_text(index, value)
    }

    /// The argument as text; `None` when it is omitted.
    pub(crate) fn optional_text(&self, index: usize) -> Result<Option<SmolStr>, Halt> {
        if self.is_given(index) { self.text(index).map(Some) } else { Ok(None) }
    }

    /// A value as text for a text function. References and structured values refuse.
    pub(crate) fn as_text(&self, index: usize, value: Value) -> Result<SmolStr, Halt> {
        match value {
            Value::Text(text) => Ok(text),
            Value::Null => Ok(SmolStr::default()),
            Value::Integer(_) | Value::Boolean(_) | Value::DateTime(_) | Value::Binary(_) => {
                Ok(value.to_text())
            }
            Value::List(ref values) if values.len() < 2 => self.as_text(index, value.single().clone()),
            Value::List(_) | Value::Reference(_) | Value::Object(_) => {
                Err(self.fail_at(index, format!("text was expected, not {}", value.kind())))
            }
        }
    }

    /// Applies `change` to the argument as text, or to every value of a list.
    pub(crate) fn map_text(&self, index: usize, change: impl Fn(SmolStr) -> Evaluated) -> Evaluated {
        let value = self.value(index)?;
        self.map_value_text(index, value, change)
    }

    /// The same for an argument that was evaluated already.
    pub(crate) fn map_value_text(
        &self,
        index: usize,
        value: Value,
        change: impl Fn(SmolStr) -> Evaluated,
    ) -> Evaluated {
        match value {
            Value::Text(text) => change(text),
            Value::List(values) => {
                let changed: Result<Arc<[Value]>, Halt> =
                    values.iter().map(|value| change(self.as_text(index, value.clone())?)).collect();
                changed.map(Value::List)
            }
            other => change(self.as_text(index, other)?),
        }
    }

    pub(crate) fn integer(&self, index: usize) -> Result<i64, Halt> {
        let value = self.value(index)?;
        self.as_integer(index, &value)
    }

    pub(crate) fn optional_integer(&self, index: usize) -> Result<Option<i64>, Halt> {
        if self.is_given(index) { self.integer(index).map(Some) } else { Ok(None) }
    }

    pub(crate) fn as_integer(&self, index: usize, value: &Value) -> Result<i64, Halt> {
        value.as_integer().ok_or_else(|| {
            self.fail_at(index, format!("a whole number was expected, not {}", describe(value)))
        })
    }

    /// The argument as a date-time; text is read as `CDate` reads it.
    pub(crate) fn date(&self, index: usize) -> Result<Timestamp, Halt> {
        let value = self.value(index)?;
        match value.single() {
            Value::DateTime(instant) => Ok(*instant),
            Value::Text(text) => dates::parse_any(text)
                .ok_or_else(|| self.fail_at(index, format!("\"{text}\" is no date that can be read"))),
            other => Err(self.fail_at(index, format!("a date was expected, not {}", describe(other)))),
        }
    }

    /// Applies `read` to the argument as bytes, or to every value of a list. Text holds bytes in base64.
    pub(crate) fn map_bytes(&self, index: usize, read: impl Fn(&[u8]) -> Evaluated) -> Evaluated {
        match self.value(index)? {
            Value::List(values) => values
                .iter()
                .map(|value| read(&self.as_bytes(index, value)?))
                .collect::<Result<Arc<[Value]>, Halt>>()
                .map(Value::List),
            value => read(&self.as_bytes(index, &value)?),
        }
    }

    pub(crate) fn as_bytes(&self, index: usize, value: &Value) -> Result<Arc<[u8]>, Halt> {
        match value {
            Value::Binary(bytes) => Ok(Arc::clone(bytes)),
            Value::Text(text) => match BASE64.decode(text.as_bytes()) {
                Ok(bytes) => Ok(bytes.into()),
                Err(_) => Err(self.fail_at(index, "binary data was expected, not text that is no base64")),
            },
            other => Err(self.fail_at(index, format!("binary data was expected, not {}", other.kind()))),
        }
    }

    /// Whether the condition holds.
    pub(crate) fn condition(&self, index: usize) -> Result<bool, Halt> {
        let Some(op) = self.argument(index) else { return Ok(false) };
        if self.context().empty_condition_is_false && self.reads_empty_attribute(op) {
            return Ok(false);
        }
        op.evaluate(self.scope).map(|value| value.truth())
    }

    fn reads_empty_attribute(&self, op: &Op) -> bool {
        let mut is_empty = false;
        op.walk(&mut |part| {
            if let OpKind::Attribute(name) = &part.kind {
                is_empty |= self.scope.attributes.get(name).is_null_or_empty();
            }
        });
        is_empty
    }

    /// The variable that the argument names.
    pub(crate) fn variable(&self, index: usize) -> Result<&'a str, Halt> {
        match self.argument(index).map(|op| &op.kind) {
            Some(OpKind::Variable(name)) => Ok(name),
            _ => Err(self.fail_at(index, "a variable was expected")),
        }
    }

    /// The argument's value while the variable stands for `value`.
    pub(crate) fn with_binding(&self, index: usize, name: &str, value: Value) -> Evaluated {
        let binding = Binding { name, value, outer: self.scope.binding };
        let scope = Scope { binding: Some(&binding), ..*self.scope };
        self.argument(index).map_or(Ok(Value::Null), |op| op.evaluate(&scope))
    }

    /// A generator of its own for every draw of an evaluation, the same in every equal evaluation.
    pub(crate) fn generator(&self) -> ChaCha8Rng {
        let draw = self.scope.draws.get();
        self.scope.draws.set(draw + 1);
        let mut generator = ChaCha8Rng::seed_from_u64(self.context().seed);
        generator.set_stream(draw);
        generator
    }

    /// The failure of this call.
    pub(crate) fn fail(&self, message: impl Display) -> Halt {
        Halt::failed(self.span.clone(), format!("{}: {message}", self.call.function.name))
    }

    /// The failure of this call over one of its arguments.
    pub(crate) fn fail_at(&self, index: usize, message: impl Display) -> Halt {
        let span = self.argument(index).map_or(self.span, |op| &op.span).clone();
        let param = self.call.params.get(index).or(self.call.params.last());
        let name = param.map_or("argument", |param| param.name);
        Halt::failed(span, format!("{}, {name}: {message}", self.call.function.name))
    }

    /// The outcome of `Error`: the whole object fails with the text.
    pub(crate) fn raise(&self, message: SmolStr) -> Halt {
        Halt::Failed(Box::new(EvaluationError {
            kind: ErrorKind::Raised,
            message: message.to_string(),
            span: self.span.clone(),
        }))
    }
}

/// The value as messages show it: its text when it is one, otherwise its kind.
fn describe(value: &Value) -> SmolStr {
    match value {
        Value::Text(text) => smol_str::format_smolstr!("\"{text}\""),
        Value::Integer(_) | Value::Boolean(_) | Value::DateTime(_) => value.to_text(),
        _ => value.kind(),
    }
}
