//! Compile-time checks of the arguments of one call: their types, and what a function wants of them.

use std::any::Any;
use std::ops::Range;

use smol_str::SmolStr;

use crate::diagnostic::Diagnostic;
use crate::dialect::Dialect;
use crate::dotnet::dates;
use crate::evaluate::{Op, OpKind};
use crate::functions::Type;
use crate::suggest::nearest;
use crate::value::Value;

/// A call as a function's own compile-time check sees it.
pub(crate) struct Check<'a> {
    pub(crate) dialect: Dialect,
    span: &'a Range<usize>,
    arguments: &'a [Option<Op>],
    diagnostics: &'a mut Vec<Diagnostic>,
    prepared: Option<Box<dyn Any + Send + Sync>>,
}

impl<'a> Check<'a> {
    pub(crate) fn new(
        dialect: Dialect,
        span: &'a Range<usize>,
        arguments: &'a [Option<Op>],
        diagnostics: &'a mut Vec<Diagnostic>,
    ) -> Check<'a> {
        Check { dialect, span, arguments, diagnostics, prepared: None }
    }

    /// What was computed from constants.
    pub(crate) fn prepared(self) -> Option<Box<dyn Any + Send + Sync>> {
        self.prepared
    }

    /// How many arguments were written, omitted ones included.
    pub(crate) fn count(&self) -> usize {
        self.arguments.len()
    }

    /// Whether the argument is there.
    pub(crate) fn is_given(&self, index: usize) -> bool {
        matches!(self.arguments.get(index), Some(Some(_)))
    }

    /// The argument's value when it is a constant.
    pub(crate) fn constant(&self, index: usize) -> Option<Value> {
        self.arguments.get(index)?.as_ref()?.constant()
    }

    /// The argument's text when it is a constant.
    pub(crate) fn constant_text(&self, index: usize) -> Option<SmolStr> {
        self.constant(index).map(|value| value.to_text())
    }

    /// What the argument yields, when it is a call or a comparison.
    pub(crate) fn returns(&self, index: usize) -> Option<Type> {
        match &self.arguments.get(index)?.as_ref()?.kind {
            OpKind::Call(call) => Some(call.function.returns),
            OpKind::Comparison { .. } => Some(Type::Boolean),
            _ => None,
        }
    }

    /// Reports an error over one argument, or over the call when it is omitted.
    pub(crate) fn error(
        &mut self,
        index: Option<usize>,
        code: &'static str,
        message: impl Into<String>,
        remedy: &str,
    ) {
        let span = self.span_of(index);
        self.diagnostics.push(Diagnostic::error(code, span, message).remedy(remedy));
    }

    /// Reports a warning over one argument, or over the call.
    pub(crate) fn warn(
        &mut self,
        index: Option<usize>,
        code: &'static str,
        message: impl Into<String>,
        remedy: &str,
    ) {
        let span = self.span_of(index);
        self.diagnostics.push(Diagnostic::warning(code, span, message).remedy(remedy));
    }

    fn span_of(&self, index: Option<usize>) -> Range<usize> {
        let argument = index.and_then(|index| self.arguments.get(index)).and_then(Option::as_ref);
        argument.map_or(self.span, |op| &op.span).clone()
    }

    /// Keeps what was computed from constants for every evaluation.
    pub(crate) fn prepare<T: Any + Send + Sync>(&mut self, prepared: T) {
        self.prepared = Some(Box::new(prepared));
    }
}

/// Whether a constant can fill a parameter; otherwise what to write instead.
pub(crate) fn constant_fits(wanted: Type, value: &Value) -> Result<(), String> {
    let remedy = match (wanted, value) {
        (_, Value::Null) => return Ok(()),
        (Type::Integer, _) if value.as_integer().is_none() => "write a number like 3",
        (Type::DateTime, Value::Integer(_)) => "a FILETIME number becomes a date with DateFromNum(…)",
        (Type::DateTime, Value::Boolean(_)) => "write a date like CDate(\"2025-07-30\")",
        (Type::DateTime, Value::Text(text)) if dates::parse_any(text).is_none() => {
            "write a date like \"2025-07-30\", or read other forms with FormatDateTime"
        }
        (Type::Roles, _) => "write [appRoleAssignments]",
        (Type::Attribute, _) => "write an attribute like [mobile]",
        (Type::Word(words), _) => {
            let text = value.to_text();
            if words.iter().any(|word| word.eq_ignore_ascii_case(&text)) {
                return Ok(());
            }
            return Err(match nearest(&text, words.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("write {}", words.join(" or ")),
            });
        }
        _ => return Ok(()),
    };
    Err(remedy.to_owned())
}

/// Whether the result of a call can fill a parameter; otherwise what to do.
pub(crate) fn call_fits(wanted: Type, returned: Type) -> Result<(), String> {
    let remedy = match (wanted, returned) {
        (Type::Integer, Type::DateTime) => "a date becomes a number with NumFromDate(…) or DateDiff(…)",
        (Type::Integer, Type::List) => "take one value with Item(…) or count them with Count(…)",
        (Type::DateTime, Type::Integer) => "a FILETIME number becomes a date with DateFromNum(…)",
        (Type::DateTime, Type::Boolean) => "write a date like CDate(\"2025-07-30\")",
        (Type::DateTime, Type::List) => "take one value with Item(…)",
        (Type::Roles, _) => "write [appRoleAssignments]",
        (Type::Text | Type::Pattern | Type::Integer | Type::DateTime, Type::Roles) => {
            "map the result of a role function directly"
        }
        _ => return Ok(()),
    };
    Err(remedy.to_owned())
}
