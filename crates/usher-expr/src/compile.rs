//! Compiles a tree: resolves names, checks arguments, prepares what constants determine.

use std::ops::Range;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::check::{Check, call_fits, constant_fits};
use crate::diagnostic::{Diagnostic, codes};
use crate::dialect::Dialect;
use crate::evaluate::{CallOp, Op, OpKind};
use crate::expression::{Compiled, Expression};
use crate::functions::{self, Function, Param, Type};
use crate::node::{Node, NodeKind};
use crate::parser::parse;
use crate::suggest::nearest;
use crate::value::Value;

/// What came of compiling a text.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// The expression; `None` if and only if a diagnostic is an error.
    pub expression: Option<Expression>,
    /// The parsed tree.
    pub tree: Node,
    /// What is wrong or doubtful, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and compiles a text in the given dialect.
pub fn compile(text: &str, dialect: Dialect) -> Compilation {
    let parsed = parse(text, dialect);
    let mut compiler = Compiler {
        text,
        dialect,
        diagnostics: parsed.diagnostics,
        variables: Vec::new(),
        attributes: Vec::new(),
        redacted: Vec::new(),
    };
    let selects_unique = compiler.is_select_unique(&parsed.tree);
    let root = compiler.top(&parsed.tree);
    let Compiler { mut diagnostics, attributes, redacted, .. } = compiler;
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    let is_wrong = diagnostics.iter().any(Diagnostic::is_error);
    let expression = (!is_wrong).then(|| {
        let source = text.to_owned();
        Expression(Arc::new(Compiled { source, dialect, root, attributes, redacted, selects_unique }))
    });
    Compilation { expression, tree: parsed.tree, diagnostics }
}

/// The function that may stand outermost only.
const SELECT_UNIQUE_VALUE: &str = "SelectUniqueValue";

struct Compiler<'a> {
    text: &'a str,
    dialect: Dialect,
    diagnostics: Vec<Diagnostic>,
    variables: Vec<SmolStr>,
    attributes: Vec<SmolStr>,
    redacted: Vec<Range<usize>>,
}

impl Compiler<'_> {
    fn is_select_unique(&self, tree: &Node) -> bool {
        matches!(&tree.kind, NodeKind::Call { name, .. } if name.eq_ignore_ascii_case(SELECT_UNIQUE_VALUE))
    }

    fn top(&mut self, tree: &Node) -> Op {
        if matches!(tree.kind, NodeKind::Comparison { .. }) && self.dialect == Dialect::Service {
            self.misplaced_comparison(tree);
        }
        self.node(tree, None, true)
    }

    fn error(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.diagnostics.push(Diagnostic::error(code, span.clone(), message).remedy(remedy));
    }

    fn warn(
        &mut self,
        code: &'static str,
        span: &Range<usize>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.diagnostics.push(Diagnostic::warning(code, span.clone(), message).remedy(remedy));
    }

    fn node(&mut self, node: &Node, param: Option<&Param>, is_outermost: bool) -> Op {
        let kind = match &node.kind {
            NodeKind::Call { name, arguments } => return self.call(node, name, arguments, is_outermost),
            NodeKind::Attribute(name) => {
                if !self.attributes.contains(name) {
                    self.attributes.push(name.clone());
                }
                OpKind::Attribute(name.clone())
            }
            NodeKind::Text(text) => OpKind::Constant(Value::Text(text.clone())),
            NodeKind::Number(number) => number_op(number),
            NodeKind::Parameter(name) => {
                if self.dialect == Dialect::Service {
                    self.error(
                        codes::OTHER_DIALECT,
                        &node.span,
                        "the service dialect knows no %parameters%",
                        "write the value in quotes, or use the dialect cloud-sync",
                    );
                }
                OpKind::Parameter(name.clone())
            }
            NodeKind::Variable(name) => self.variable(node, name),
            NodeKind::Word(word) => self.word(node, word, param),
            NodeKind::Comparison { operator, left, right } => {
                let (left, right) = (self.node(left, None, false), self.node(right, None, false));
                let is_numeric = [&left, &right].iter().any(|side| matches!(side.kind, OpKind::Decimal(_)));
                OpKind::Comparison { operator: *operator, is_numeric, operands: Box::new((left, right)) }
            }
            NodeKind::Concatenation(operands) => OpKind::Concatenation(
                operands.iter().map(|operand| self.node(operand, None, false)).collect(),
            ),
            NodeKind::Missing => OpKind::Constant(Value::Null),
        };
        Op { kind, span: node.span.clone() }
    }

    fn variable(&mut self, node: &Node, name: &SmolStr) -> OpKind {
        if self.dialect != Dialect::Hybrid {
            let message = format!("the {} dialect knows no $variables", self.dialect);
            self.error(
                codes::OTHER_DIALECT,
                &node.span,
                message,
                "put text in quotes, attributes in brackets",
            );
        } else if !self.variables.contains(name) {
            self.error(
                codes::UNKNOWN_VARIABLE,
                &node.span,
                format!("nothing gives ${name} a value here"),
                "bind it with With($name, value, …), Select or Where around this place",
            );
        }
        OpKind::Variable(name.clone())
    }

    fn word(&mut self, node: &Node, word: &SmolStr, param: Option<&Param>) -> OpKind {
        if let Some(Param { ty: Type::Word(words), .. }) = param
            && let Some(known) = words.iter().find(|known| known.eq_ignore_ascii_case(word))
        {
            self.check_case(node, word, known);
            return OpKind::Constant(Value::Text(SmolStr::new_static(known)));
        }
        const FLOW: &[&str] = &["IgnoreAttributeFlow", "IgnoreObjectFlow"];
        const LITERALS: &[&str] = &["True", "False", "NULL", "Nothing"];
        let mut known = FLOW.to_vec();
        if self.dialect != Dialect::Service {
            known.extend(LITERALS);
        }
        if let Some(Param { ty: Type::Word(words), .. }) = param {
            known.extend(*words);
        }
        if let Some(found) = known.iter().find(|known| known.eq_ignore_ascii_case(word)) {
            if !LITERALS.contains(found) {
                self.check_case(node, word, found);
            }
            return match *found {
                "IgnoreAttributeFlow" => OpKind::IgnoreAttributeFlow,
                "IgnoreObjectFlow" => OpKind::IgnoreObjectFlow,
                "True" => OpKind::Constant(Value::Boolean(true)),
                "False" => OpKind::Constant(Value::Boolean(false)),
                _ => OpKind::Constant(Value::Null),
            };
        }
        let remedy = if functions::find(word, self.dialect).is_some() {
            format!("call it: {word}(…)")
        } else if let Some(near) = nearest(word, known.iter().copied()) {
            format!("did you mean {near}?")
        } else if let Some(Param { ty: Type::Word(words), .. }) = param {
            format!("write {}", words.join(" or "))
        } else if ["True", "False"].iter().any(|literal| literal.eq_ignore_ascii_case(word)) {
            format!("write it as text: \"{word}\"")
        } else if ["NULL", "Nothing"].iter().any(|literal| literal.eq_ignore_ascii_case(word)) {
            "leave the argument out: nothing between two commas is null".to_owned()
        } else {
            format!("write [{word}] for an attribute or \"{word}\" for text")
        };
        self.error(
            codes::UNKNOWN_WORD,
            &node.span,
            format!("the bare word {word} means nothing here"),
            remedy,
        );
        OpKind::Constant(Value::Null)
    }

    fn check_case(&mut self, node: &Node, written: &str, known: &str) {
        if written != known {
            let span = node.span.start..node.span.start + written.len();
            let message = format!("names are case-sensitive: {written} is written {known}");
            self.warn(codes::NAME_CASE, &span, message, format!("write {known}"));
        }
    }

    fn misplaced_comparison(&mut self, node: &Node) {
        self.warn(
            codes::COMPARISON_PLACE,
            &node.span,
            "a comparison outside a condition yields the text True or False",
            "comparisons belong into the condition of IIF or into CBool",
        );
    }

    fn call(&mut self, node: &Node, name: &SmolStr, arguments: &[Option<Node>], is_outermost: bool) -> Op {
        let name_span = node.span.start..node.span.start + name.len();
        let Some(function) = self.resolve(node, name, &name_span) else {
            for argument in arguments.iter().flatten() {
                self.node(argument, None, false);
            }
            return Op { kind: OpKind::Constant(Value::Null), span: node.span.clone() };
        };
        if function.name == SELECT_UNIQUE_VALUE && !is_outermost {
            self.error(
                codes::NOT_OUTERMOST,
                &name_span,
                "SelectUniqueValue may only be the outermost function",
                "apply the other functions to every candidate, inside SelectUniqueValue",
            );
        }
        if function.name == "Redact" {
            self.redacted.push(node.span.clone());
        }
        let params = function.params_for(arguments.len());
        self.check_count(function, params, arguments, node, &name_span);
        let ops = self.arguments(function, params, arguments);
        let mut call = CallOp { function, params, arguments: ops.into_boxed_slice(), prepared: None };
        if let Some(check) = function.check {
            let mut checked = Check::new(self.dialect, &node.span, &call.arguments, &mut self.diagnostics);
            check(&mut checked);
            call.prepared = checked.prepared();
        }
        Op { kind: OpKind::Call(call), span: node.span.clone() }
    }

    fn resolve(&mut self, node: &Node, name: &str, span: &Range<usize>) -> Option<&'static Function> {
        if let Some(function) = functions::find(name, self.dialect) {
            return Some(function);
        }
        let here = functions::all().iter().filter(|function| function.dialects.contains(&self.dialect));
        if let Some(function) = here.clone().find(|function| function.name.eq_ignore_ascii_case(name)) {
            self.check_case(node, name, function.name);
            return Some(function);
        }
        let elsewhere = functions::all().iter().find(|function| function.name.eq_ignore_ascii_case(name));
        if let Some(function) = elsewhere {
            let dialects: Vec<&str> = function.dialects.iter().map(|dialect| dialect.name()).collect();
            let message = format!("the {} dialect has no function {}", self.dialect, function.name);
            let remedy = format!("it exists in: {}", dialects.join(", "));
            self.error(codes::OTHER_DIALECT, span, message, remedy);
        } else {
            let remedy = match nearest(name, here.map(|function| function.name)) {
                Some(near) => format!("did you mean {near}?"),
                None => "the reference lists every function".to_owned(),
            };
            self.error(codes::UNKNOWN_FUNCTION, span, format!("there is no function {name}"), remedy);
        }
        None
    }

    fn check_count(
        &mut self,
        function: &'static Function,
        params: &'static [Param],
        arguments: &[Option<Node>],
        node: &Node,
        name_span: &Range<usize>,
    ) {
        for (index, param) in params.iter().enumerate() {
            let fitting = if param.repeats { arguments.get(index..) } else { arguments.get(index..=index) };
            let is_missing = fitting.is_none_or(|fitting| fitting.iter().all(Option::is_none));
            if param.required && is_missing {
                self.error(
                    codes::MISSING_ARGUMENT,
                    &if arguments.is_empty() { node.span.clone() } else { name_span.clone() },
                    format!("{} needs the argument {}", function.name, param.name),
                    format!("write {}: {}", function.signature(), first_lowered(param.doc)),
                );
            }
        }
        for (index, argument) in arguments.iter().enumerate() {
            if Function::param(params, index).is_some() {
                continue;
            }
            let takes = match params.len() {
                0 => "no argument".to_owned(),
                1 => "one argument".to_owned(),
                count => format!("{count} arguments"),
            };
            if let Some(argument) = argument {
                let message = format!("{} takes {takes}, this one is too many", function.name);
                self.error(
                    codes::SURPLUS_ARGUMENT,
                    &argument.span,
                    message,
                    format!("write {}", function.signature()),
                );
            } else if arguments.len() > 1 {
                let message = format!("{} takes {takes}, there is a comma too many", function.name);
                self.warn(codes::SURPLUS_ARGUMENT, name_span, message, "remove the comma");
                break;
            }
        }
    }

    fn arguments(
        &mut self,
        function: &'static Function,
        params: &'static [Param],
        arguments: &[Option<Node>],
    ) -> Vec<Option<Op>> {
        let bound = match arguments.first() {
            Some(Some(Node { kind: NodeKind::Variable(name), .. }))
                if params.first().is_some_and(|param| param.ty == Type::Variable) =>
            {
                Some(name.clone())
            }
            _ => None,
        };
        let mut ops = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.iter().enumerate() {
            let Some(argument) = argument else {
                ops.push(None);
                continue;
            };
            let param = Function::param(params, index);
            if param.is_some_and(|param| param.ty == Type::Variable) {
                ops.push(Some(self.bound_variable(function, argument)));
                continue;
            }
            let is_inside = index == 2 && bound.is_some();
            if is_inside {
                self.variables.extend(bound.clone());
            }
            let op = self.node(argument, param, false);
            if is_inside {
                self.variables.pop();
            }
            if let Some(param) = param {
                self.check_type(function, param, argument, &op);
            }
            ops.push(Some(op));
        }
        ops
    }

    fn bound_variable(&mut self, function: &Function, argument: &Node) -> Op {
        let kind = match &argument.kind {
            NodeKind::Variable(name) => OpKind::Variable(name.clone()),
            _ => {
                let message = format!("{} begins with the variable that it binds", function.name);
                self.error(codes::ARGUMENT_TYPE, &argument.span, message, "write a variable like $item");
                OpKind::Constant(Value::Null)
            }
        };
        Op { kind, span: argument.span.clone() }
    }

    fn check_type(&mut self, function: &Function, param: &Param, argument: &Node, op: &Op) {
        if let NodeKind::Comparison { .. } = argument.kind
            && !matches!(param.ty, Type::Boolean | Type::Condition)
            && self.dialect == Dialect::Service
        {
            self.misplaced_comparison(argument);
        }
        let actual = match (&op.kind, op.constant()) {
            (_, Some(value)) => match constant_fits(param.ty, &value) {
                Ok(()) => return,
                Err(remedy) => (self.written(argument), remedy),
            },
            (OpKind::Call(call), _) => match call_fits(param.ty, call.function.returns) {
                Ok(()) => return,
                Err(remedy) => {
                    (format!("{} from {}", call.function.returns.describe(), call.function.name), remedy)
                }
            },
            (OpKind::Comparison { .. }, _) => match call_fits(param.ty, Type::Boolean) {
                Ok(()) => return,
                Err(remedy) => ("a comparison".to_owned(), remedy),
            },
            _ => return,
        };
        let message =
            format!("{} wants {} as {}, not {}", function.name, param.ty.describe(), param.name, actual.0);
        self.error(codes::ARGUMENT_TYPE, &argument.span, message, actual.1);
    }

    fn written(&self, node: &Node) -> String {
        self.text.get(node.span.clone()).unwrap_or_default().to_owned()
    }
}

fn number_op(number: &SmolStr) -> OpKind {
    let hexadecimal = number.strip_prefix("&H").or_else(|| number.strip_prefix("&h"));
    let integer = match hexadecimal {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => number.parse().ok(),
    };
    match integer {
        Some(integer) => OpKind::Constant(Value::Integer(integer)),
        None => OpKind::Decimal(number.clone()),
    }
}

fn first_lowered(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
