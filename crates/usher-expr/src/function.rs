//! What a function is: one record that feeds argument check, evaluator, reference and example test.

use std::fmt;

use crate::call::Call;
use crate::check::Check;
use crate::dialect::Dialect;
use crate::evaluate::Evaluated;

/// A function of the language.
pub struct Function {
    /// The name as it is written in expressions.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Where it exists with this meaning.
    pub dialects: &'static [Dialect],
    /// The parameters in order; only the last ones can repeat.
    pub params: &'static [Param],
    /// Other parameter lists, chosen when exactly as many arguments are written as one of them has.
    pub overloads: &'static [&'static [Param]],
    /// What it yields.
    pub returns: Type,
    /// Expressions and their results; they are run as tests.
    pub examples: &'static [Example],
    pub(crate) check: Option<fn(&mut Check<'_>)>,
    pub(crate) eval: fn(&Call<'_>) -> Evaluated,
}

/// The service's functions also exist in cloud sync.
pub(crate) const SERVICE: &[Dialect] = &[Dialect::Service, Dialect::CloudSync];
pub(crate) const CLOUD_SYNC: &[Dialect] = &[Dialect::CloudSync, Dialect::Hybrid];
pub(crate) const HYBRID: &[Dialect] = &[Dialect::Hybrid];

impl Function {
    /// What most functions have in common: they exist everywhere and yield text.
    pub(crate) const COMMON: Function = Function {
        name: "",
        summary: "",
        dialects: Dialect::ALL,
        params: &[],
        overloads: &[],
        returns: Type::Text,
        examples: &[],
        check: None,
        eval: |_| Ok(crate::Value::Null),
    };

    /// The parameter list for a call with this many arguments.
    pub fn params_for(&self, count: usize) -> &'static [Param] {
        self.overloads.iter().copied().find(|params| params.len() == count).unwrap_or(self.params)
    }

    /// The parameter that the argument at `index` fills.
    pub fn param(params: &'static [Param], index: usize) -> Option<&'static Param> {
        if let Some(param) = params.get(index) {
            return Some(param);
        }
        let first = params.iter().position(|param| param.repeats)?;
        let repeating = &params[first..];
        repeating.get((index - first) % repeating.len())
    }

    /// Name and parameters, as in `Left(source, length)`; optional ones end in `?`, repeating ones in `…`.
    pub fn signature(&self) -> String {
        let params: Vec<String> = self
            .params
            .iter()
            .map(|param| {
                let optional = if param.required { "" } else { "?" };
                let repeats = if param.repeats { "…" } else { "" };
                format!("{}{optional}{repeats}", param.name)
            })
            .collect();
        format!("{}({})", self.name, params.join(", "))
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name).field("dialects", &self.dialects).finish()
    }
}

/// A parameter of a function.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// The name in the reference and in messages.
    pub name: &'static str,
    /// The key in Graph's parsed expressions, where it is not the name.
    pub key: Option<&'static str>,
    /// What the argument must be.
    pub ty: Type,
    /// Whether the argument may not be omitted.
    pub required: bool,
    /// Whether any number of further arguments fill it too.
    pub repeats: bool,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

impl Param {
    pub(crate) const fn required(name: &'static str, ty: Type, doc: &'static str) -> Param {
        Param { name, key: None, ty, required: true, repeats: false, doc }
    }

    pub(crate) const fn optional(name: &'static str, ty: Type, doc: &'static str) -> Param {
        Param { name, key: None, ty, required: false, repeats: false, doc }
    }

    pub(crate) const fn repeating(mut self) -> Param {
        self.repeats = true;
        self
    }

    pub(crate) const fn key(mut self, key: &'static str) -> Param {
        self.key = Some(key);
        self
    }

    /// The key in Graph's parsed expressions and function listing.
    pub fn graph_key(&self) -> &'static str {
        self.key.unwrap_or(self.name)
    }
}

/// What an argument must be, or a function yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Anything.
    Any,
    /// Text, or anything that prints as text.
    Text,
    /// A whole number, or text that holds one.
    Integer,
    /// A truth value or a comparison.
    Boolean,
    /// The condition of a choice.
    Condition,
    /// A date-time, or text that can be read as one.
    DateTime,
    /// A list; a single value counts as a list of one.
    List,
    /// Bytes, or text that holds them in base64.
    Binary,
    /// A reference to another object.
    Reference,
    /// The assignments between a user and an application.
    Roles,
    /// An attribute reference.
    Attribute,
    /// A `$variable` that the function binds.
    Variable,
    /// A regular expression.
    Pattern,
    /// One of these words, written bare or in quotes.
    Word(&'static [&'static str]),
}

impl Type {
    /// The attribute type of Graph's function listing.
    pub const fn graph_name(self) -> &'static str {
        match self {
            Type::Integer => "Integer",
            Type::Boolean | Type::Condition => "Boolean",
            Type::DateTime => "DateTime",
            Type::Binary => "Binary",
            Type::Reference => "Reference",
            _ => "String",
        }
    }

    /// What is wanted, for messages and the reference.
    pub fn describe(self) -> String {
        let text = match self {
            Type::Any => "any value",
            Type::Text => "text",
            Type::Integer => "a whole number",
            Type::Boolean => "a boolean",
            Type::Condition => "a condition",
            Type::DateTime => "a date-time",
            Type::List => "a list",
            Type::Binary => "binary data",
            Type::Reference => "a reference",
            Type::Roles => "app role assignments",
            Type::Attribute => "an attribute",
            Type::Variable => "a variable",
            Type::Pattern => "a regular expression",
            Type::Word(words) => return format!("one of {}", words.join(", ")),
        };
        text.to_owned()
    }
}

/// An expression and its result.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The expression.
    pub source: &'static str,
    /// The attributes it reads, as a JSON object.
    pub inputs: &'static str,
    /// The outcome as [`crate::Outcome`] prints it, or `error: ` and the message.
    pub result: &'static str,
    /// The dialect it is written in.
    pub dialect: Dialect,
}

impl Example {
    pub(crate) const fn new(source: &'static str, result: &'static str) -> Example {
        Example { source, inputs: "{}", result, dialect: Dialect::Service }
    }

    pub(crate) const fn hybrid(source: &'static str, result: &'static str) -> Example {
        Example { source, inputs: "{}", result, dialect: Dialect::Hybrid }
    }

    pub(crate) const fn cloud_sync(source: &'static str, result: &'static str) -> Example {
        Example { source, inputs: "{}", result, dialect: Dialect::CloudSync }
    }

    pub(crate) const fn inputs(mut self, inputs: &'static str) -> Example {
        self.inputs = inputs;
        self
    }
}
