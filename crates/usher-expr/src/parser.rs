//! Reads an expression. Reading never fails: it yields a tree and diagnostics with positions.

use std::ops::Range;

use smol_str::SmolStr;

use crate::diagnostic::{Diagnostic, codes};
use crate::dialect::Dialect;
use crate::lexer::{Lexeme, Token, tokenize};
use crate::node::{Node, NodeKind};

/// How many characters an expression may have.
pub const MAXIMUM_LENGTH: usize = 10_000;

/// How deep calls may be nested; it bounds the stack that parsing and evaluation need.
pub const MAXIMUM_DEPTH: usize = 100;

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The tree; parts that could not be read are [`NodeKind::Missing`].
    pub tree: Node,
    /// What was wrong, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a text in the given dialect.
pub fn parse(text: &str, dialect: Dialect) -> Parsed {
    let mut diagnostics = Vec::new();
    let length = text.chars().count();
    if length > MAXIMUM_LENGTH {
        diagnostics.push(
            Diagnostic::error(
                codes::TOO_LONG,
                0..0,
                format!("the expression has {length} characters, {MAXIMUM_LENGTH} are allowed"),
            )
            .remedy("split the mapping, or compute a part of it in the source"),
        );
        return Parsed { tree: missing(0..0), diagnostics };
    }
    let lexemes = tokenize(text, &mut diagnostics);
    let mut parser = Parser {
        text,
        lexemes: &lexemes,
        next: 0,
        end: text.trim_end().len(),
        depth: 0,
        dialect,
        diagnostics,
    };
    let tree = parser.whole();
    let mut diagnostics = parser.diagnostics;
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    Parsed { tree, diagnostics }
}

struct Parser<'a> {
    text: &'a str,
    lexemes: &'a [Lexeme],
    next: usize,
    end: usize,
    depth: usize,
    dialect: Dialect,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.lexemes.get(self.next).map(|lexeme| &lexeme.token)
    }

    fn advance(&mut self) -> Option<&'a Lexeme> {
        let lexeme = self.lexemes.get(self.next)?;
        self.next += 1;
        Some(lexeme)
    }

    /// The bytes of the next token, or the end of the text.
    fn here(&self) -> Range<usize> {
        self.lexemes.get(self.next).map_or(self.end..self.end, |lexeme| lexeme.span.clone())
    }

    /// Where the last token that was read ends.
    fn before(&self) -> usize {
        self.next.checked_sub(1).map_or(0, |last| self.lexemes[last].span.end)
    }

    fn error(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>, remedy: &str) {
        self.diagnostics.push(Diagnostic::error(code, span, message).remedy(remedy));
    }

    fn whole(&mut self) -> Node {
        if self.lexemes.is_empty() {
            if self.diagnostics.is_empty() {
                self.error(
                    codes::EMPTY,
                    0..self.end,
                    "the expression is empty",
                    "write an attribute like [mail], a text or a function call",
                );
            }
            return missing(0..self.end);
        }
        let tree = self.expression();
        if self.next < self.lexemes.len() && tree.kind != NodeKind::Missing {
            let span = self.here().start..self.end;
            let (message, remedy) = match self.peek() {
                Some(Token::Close) => ("a closing parenthesis without its opening one", "remove it"),
                Some(Token::Comma) => (
                    "an expression ends before this comma",
                    "put the parts into a call, as in Join(\"\", first, second)",
                ),
                _ => (
                    "the expression ends before this",
                    "a mapping is one expression: nest calls, or put texts together with Join",
                ),
            };
            self.error(codes::TRAILING_TEXT, span, message, remedy);
        }
        tree
    }

    fn expression(&mut self) -> Node {
        let left = self.operand();
        let Some(Token::Operator(operator)) = self.peek() else { return left };
        let operator_span = self.here();
        self.next += 1;
        let right = self.operand_after(&operator_span, operator.symbol());
        let span = left.span.start..right.span.end;
        let node = Node {
            kind: NodeKind::Comparison { operator: *operator, left: left.into(), right: right.into() },
            span,
        };
        while let Some(Token::Operator(_)) = self.peek() {
            let span = self.here();
            self.error(
                codes::CHAINED_COMPARISON,
                span.clone(),
                "comparisons cannot be chained",
                "nest an IIF for every further comparison",
            );
            self.next += 1;
            self.operand_after(&span, "the operator");
        }
        node
    }

    fn operand(&mut self) -> Node {
        let first = self.term();
        if self.peek() != Some(&Token::Ampersand) {
            return first;
        }
        let start = first.span.start;
        let mut operands = vec![first];
        while self.peek() == Some(&Token::Ampersand) {
            let span = self.here();
            if self.dialect == Dialect::Service {
                self.error(
                    codes::OTHER_DIALECT,
                    span.clone(),
                    "`&` does not join texts in the service dialect",
                    "write Join(\"\", first, second) or Append(first, second)",
                );
            }
            self.next += 1;
            let operand = if self.peek().is_some_and(Token::begins_term) || self.peek() == Some(&Token::Open)
            {
                self.term()
            } else {
                self.missing_operand(&span, "&")
            };
            operands.push(operand);
        }
        let end = operands.last().map_or(start, |last| last.span.end);
        Node { kind: NodeKind::Concatenation(operands), span: start..end }
    }

    fn operand_after(&mut self, operator: &Range<usize>, symbol: &str) -> Node {
        if self.peek().is_some_and(Token::begins_term) || self.peek() == Some(&Token::Open) {
            self.operand()
        } else {
            self.missing_operand(operator, symbol)
        }
    }

    fn missing_operand(&mut self, operator: &Range<usize>, symbol: &str) -> Node {
        self.error(
            codes::MISSING_OPERAND,
            operator.clone(),
            format!("nothing stands to the right of `{symbol}`"),
            "write a value there; an empty text is \"\"",
        );
        missing(operator.end..operator.end)
    }

    fn term(&mut self) -> Node {
        let span = self.here();
        let Some(lexeme) = self.advance() else { return missing(span) };
        let kind = match &lexeme.token {
            Token::Attribute(name) => NodeKind::Attribute(name.clone()),
            Token::Text(text) => NodeKind::Text(text.clone()),
            Token::Number(number) => NodeKind::Number(number.clone()),
            Token::Parameter(name) => NodeKind::Parameter(name.clone()),
            Token::Variable(name) => NodeKind::Variable(name.clone()),
            Token::Identifier(name) if self.peek() == Some(&Token::Open) => return self.call(name, span),
            Token::Identifier(word) => NodeKind::Word(word.clone()),
            Token::Broken => NodeKind::Missing,
            Token::Open => return self.parenthesised(span),
            Token::Operator(operator) => {
                self.error(
                    codes::MISSING_OPERAND,
                    span.clone(),
                    format!("nothing stands to the left of `{operator}`"),
                    "write a value there; an empty text is \"\"",
                );
                self.next -= 1;
                NodeKind::Missing
            }
            Token::Close | Token::Comma | Token::Ampersand => {
                self.error(
                    codes::UNEXPECTED_TOKEN,
                    span.clone(),
                    "an expression was expected here",
                    "write an attribute like [mail], a text or a function call",
                );
                if lexeme.token != Token::Ampersand {
                    self.next -= 1;
                }
                NodeKind::Missing
            }
        };
        Node { kind, span }
    }

    /// Parentheses without a name are no part of the language; what they hold is read all the same.
    fn parenthesised(&mut self, open: Range<usize>) -> Node {
        self.error(
            codes::UNEXPECTED_TOKEN,
            open.clone(),
            "parentheses stand only behind a function's name",
            "remove the parentheses; there are no operators whose order they could change",
        );
        if self.too_deep(&open) {
            return missing(open);
        }
        self.depth += 1;
        let inner = self.expression();
        self.depth -= 1;
        if self.peek() == Some(&Token::Close) {
            self.next += 1;
        }
        inner
    }

    fn call(&mut self, name: &SmolStr, name_span: Range<usize>) -> Node {
        let open = self.here();
        self.next += 1;
        if self.too_deep(&name_span) {
            return missing(name_span);
        }
        self.depth += 1;
        let mut arguments = Vec::new();
        loop {
            match self.peek() {
                Some(Token::Close) => {
                    self.next += 1;
                    break;
                }
                None => {
                    self.unclosed(name, &open);
                    break;
                }
                Some(Token::Comma) => {
                    self.next += 1;
                    arguments.push(None);
                    self.trailing_omission(&mut arguments);
                    continue;
                }
                Some(_) => {}
            }
            arguments.push(Some(self.expression()));
            match self.peek() {
                Some(Token::Comma) => {
                    self.next += 1;
                    self.trailing_omission(&mut arguments);
                }
                Some(Token::Close) => {}
                Some(_) => self.missing_comma(),
                None => {
                    self.unclosed(name, &open);
                    break;
                }
            }
        }
        self.depth -= 1;
        let span = name_span.start..self.before();
        Node { kind: NodeKind::Call { name: name.clone(), arguments }, span }
    }

    /// Between the last comma and the closing parenthesis stands one more omitted argument.
    fn trailing_omission(&self, arguments: &mut Vec<Option<Node>>) {
        if self.peek() == Some(&Token::Close) {
            arguments.push(None);
        }
    }

    fn missing_comma(&mut self) {
        let span = self.here();
        let before = self.before();
        let is_conjunction = matches!(self.peek(), Some(Token::Identifier(word))
            if ["and", "or", "not"].iter().any(|known| word.eq_ignore_ascii_case(known)));
        if is_conjunction {
            self.error(
                codes::UNEXPECTED_TOKEN,
                span,
                "there is no AND, OR or NOT between conditions",
                "nest an IIF in the true branch for AND, in the false branch for OR",
            );
            self.next += 1;
            self.pass_over_operand();
        } else if self.text[before..span.start.max(before)].contains(';') {
            // The lexer has reported the semicolon; it is read as the comma that was meant.
        } else if !self.text[before..span.start.max(before)].trim().is_empty() {
            // The lexer has reported what stands between; what follows is no argument of its own.
            self.pass_over_operand();
        } else if self.peek() == Some(&Token::Open) {
            self.error(
                codes::UNEXPECTED_TOKEN,
                span,
                "parentheses stand only behind a function's name",
                "put a comma before it, or write a function's name",
            );
        } else {
            self.error(
                codes::MISSING_COMMA,
                before..span.start.max(before),
                "a comma is missing between two arguments",
                "put a comma here",
            );
        }
    }

    fn pass_over_operand(&mut self) {
        if self.peek().is_some_and(Token::begins_term) {
            self.expression();
        }
    }

    fn unclosed(&mut self, name: &str, open: &Range<usize>) {
        if self.diagnostics.iter().any(|diagnostic| diagnostic.code == codes::UNTERMINATED_TEXT) {
            return;
        }
        self.error(
            codes::MISSING_PARENTHESIS,
            open.clone(),
            format!("the call of {name} is not closed"),
            "put `)` behind its last argument",
        );
    }

    /// Past the limit the contents of the parentheses are passed over.
    fn too_deep(&mut self, span: &Range<usize>) -> bool {
        if self.depth < MAXIMUM_DEPTH {
            return false;
        }
        self.error(
            codes::TOO_DEEP,
            span.clone(),
            format!("calls are nested more than {MAXIMUM_DEPTH} levels deep"),
            "compute a part of it in another attribute",
        );
        let mut open = 1_usize;
        while open > 0 {
            match self.advance().map(|lexeme| &lexeme.token) {
                Some(Token::Open) => open += 1,
                Some(Token::Close) => open -= 1,
                Some(_) => {}
                None => break,
            }
        }
        true
    }
}

fn missing(span: Range<usize>) -> Node {
    Node { kind: NodeKind::Missing, span }
}
