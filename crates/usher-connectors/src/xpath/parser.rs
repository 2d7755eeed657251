//! From tokens to a tree (XPath 1.0 §2 and §3). Prefixes and functions are looked up here, once.

use super::functions::{self, Function};
use super::lexer::{Kind, Token, tokens};

/// How deep an expression may be nested.
const DEPTH: usize = 64;
/// How long an expression may be, in bytes.
const LENGTH: usize = 16_384;

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Literal(String),
    Number(f64),
    Negate(Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Call(&'static Function, Vec<Expr>),
    /// A location path, from the root, the context node, or what an expression selects.
    Path(Start, Vec<Step>),
    /// An expression whose nodes are filtered.
    Filter(Box<Expr>, Vec<Expr>),
}

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Union,
}

/// Where a path begins.
#[derive(Clone, Debug)]
pub(super) enum Start {
    Root,
    Here,
    From(Box<Expr>),
}

/// One step of a path.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Expr>,
}

/// In which direction a step goes (§2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Parent,
    Preceding,
    PrecedingSibling,
    Itself,
}

impl Axis {
    const NAMES: [(&'static str, Self); 12] = [
        ("ancestor", Self::Ancestor),
        ("ancestor-or-self", Self::AncestorOrSelf),
        ("attribute", Self::Attribute),
        ("child", Self::Child),
        ("descendant", Self::Descendant),
        ("descendant-or-self", Self::DescendantOrSelf),
        ("following", Self::Following),
        ("following-sibling", Self::FollowingSibling),
        ("parent", Self::Parent),
        ("preceding", Self::Preceding),
        ("preceding-sibling", Self::PrecedingSibling),
        ("self", Self::Itself),
    ];

    /// Whether positions count backwards in the document (§2.4).
    pub(super) fn is_reverse(self) -> bool {
        matches!(self, Self::Ancestor | Self::AncestorOrSelf | Self::Preceding | Self::PrecedingSibling)
    }
}

/// Which nodes of an axis count (§2.3).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// Any name in any namespace.
    Any,
    /// Any name in one namespace.
    In(String),
    /// One name; without a namespace when there is none.
    Name(Option<String>, String),
    Text,
    Comment,
    Node,
    /// A processing instruction, of one target when there is one.
    Instruction(Option<String>),
}

type Parsed<T> = Result<T, (usize, String)>;

/// The tree of a text, or where what is wrong.
pub(super) fn parse(text: &str, namespaces: &[(&str, &str)]) -> Parsed<Expr> {
    if text.len() > LENGTH {
        return Err((0, format!("the expression is longer than {LENGTH} bytes")));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), namespaces, depth: 0 };
    let expression = parser.or()?;
    if parser.next < tokens.len() {
        return Err(parser.wrong("the expression should end here"));
    }
    Ok(expression)
}

struct Parser<'t> {
    tokens: &'t [Token],
    next: usize,
    end: usize,
    namespaces: &'t [(&'t str, &'t str)],
    depth: usize,
}

impl Parser<'_> {
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.at)
    }

    fn wrong(&self, message: impl Into<String>) -> (usize, String) {
        (self.at(), message.into())
    }

    fn peek(&self, ahead: usize) -> Option<&Kind> {
        self.tokens.get(self.next + ahead).map(|token| &token.kind)
    }

    fn is_mark(&self, ahead: usize, mark: &str) -> bool {
        matches!(self.peek(ahead), Some(Kind::Mark(found)) if *found == mark)
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = self.is_mark(0, mark);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &str) -> Parsed<()> {
        if self.take(mark) { Ok(()) } else { Err(self.wrong(format!("'{mark}' is expected"))) }
    }

    fn or(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.wrong(format!("the expression is nested deeper than {DEPTH}")));
        }
        let expression = self.binary(0);
        self.depth -= 1;
        expression
    }

    /// Operators of one precedence, lowest first; all associate to the left (§3.4, §3.5).
    fn binary(&mut self, level: usize) -> Parsed<Expr> {
        const LEVELS: [&[(&str, Binary)]; 6] = [
            &[("or", Binary::Or)],
            &[("and", Binary::And)],
            &[("=", Binary::Equal), ("!=", Binary::NotEqual)],
            &[
                ("<", Binary::Less),
                ("<=", Binary::LessOrEqual),
                (">", Binary::Greater),
                (">=", Binary::GreaterOrEqual),
            ],
            &[("+", Binary::Add), ("-", Binary::Subtract)],
            &[("*", Binary::Multiply), ("div", Binary::Divide), ("mod", Binary::Modulo)],
        ];
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        let mut length = 0;
        while let Some(Kind::Operator(found)) = self.peek(0) {
            let Some((_, operator)) = operators.iter().find(|(name, _)| name == found) else { break };
            // A chain is as deep a tree as so many parentheses.
            length += 1;
            if length > 8 * DEPTH {
                return Err(self.wrong("there are too many operators in a row"));
            }
            self.next += 1;
            let right = self.binary(level + 1)?;
            left = Expr::Binary(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let mut negations = 0;
        while matches!(self.peek(0), Some(Kind::Operator("-"))) {
            self.next += 1;
            negations += 1;
        }
        let operand = self.union()?;
        // Twice negated is a number all the same.
        Ok(match negations {
            0 => operand,
            odd if odd % 2 == 1 => Expr::Negate(Box::new(operand)),
            _ => Expr::Negate(Box::new(Expr::Negate(Box::new(operand)))),
        })
    }

    fn union(&mut self) -> Parsed<Expr> {
        let mut left = self.path()?;
        let mut length = 0;
        while matches!(self.peek(0), Some(Kind::Operator("|"))) {
            length += 1;
            if length > 8 * DEPTH {
                return Err(self.wrong("there are too many operators in a row"));
            }
            self.next += 1;
            let right = self.path()?;
            left = Expr::Binary(Binary::Union, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn path(&mut self) -> Parsed<Expr> {
        if self.begins_filter() {
            let primary = self.primary()?;
            let predicates = self.predicates()?;
            let filtered =
                if predicates.is_empty() { primary } else { Expr::Filter(Box::new(primary), predicates) };
            let mut steps = Vec::new();
            if self.take("//") {
                steps.push(anywhere());
                self.steps(&mut steps)?;
            } else if self.take("/") {
                self.steps(&mut steps)?;
            }
            return Ok(if steps.is_empty() {
                filtered
            } else {
                Expr::Path(Start::From(Box::new(filtered)), steps)
            });
        }
        let mut steps = Vec::new();
        if self.take("//") {
            steps.push(anywhere());
            self.steps(&mut steps)?;
            return Ok(Expr::Path(Start::Root, steps));
        }
        if self.take("/") {
            if self.begins_step() {
                self.steps(&mut steps)?;
            }
            return Ok(Expr::Path(Start::Root, steps));
        }
        if !self.begins_step() {
            return Err(self.wrong("an expression is expected"));
        }
        self.steps(&mut steps)?;
        Ok(Expr::Path(Start::Here, steps))
    }

    fn begins_filter(&self) -> bool {
        match self.peek(0) {
            Some(Kind::Literal(_) | Kind::Number(_) | Kind::Mark("(")) => true,
            Some(Kind::Name(prefix, name)) => {
                let is_type = prefix.is_none()
                    && matches!(name.as_str(), "comment" | "text" | "processing-instruction" | "node");
                self.is_mark(1, "(") && !is_type
            }
            _ => false,
        }
    }

    fn begins_step(&self) -> bool {
        matches!(self.peek(0), Some(Kind::Name(..) | Kind::Mark("." | ".." | "@")))
    }

    fn primary(&mut self) -> Parsed<Expr> {
        if self.take("(") {
            let inner = self.or()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let at = self.at();
        let token = self.peek(0).cloned();
        self.next += 1;
        match token {
            Some(Kind::Literal(text)) => Ok(Expr::Literal(text)),
            Some(Kind::Number(number)) => Ok(Expr::Number(number)),
            Some(Kind::Name(None, name)) => {
                let function =
                    functions::find(&name).ok_or_else(|| (at, format!("there is no function '{name}'")))?;
                self.call(at, function)
            }
            Some(Kind::Name(Some(prefix), name)) => {
                Err((at, format!("there is no function '{prefix}:{name}'")))
            }
            _ => Err((at, "an expression is expected".to_owned())),
        }
    }

    fn call(&mut self, at: usize, function: &'static Function) -> Parsed<Expr> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.or()?);
                if !self.take(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        let fits =
            arguments.len() >= function.least && function.most.is_none_or(|most| arguments.len() <= most);
        if !fits {
            let count = arguments.len();
            return Err((at, format!("{} does not take {count} arguments", function.name)));
        }
        Ok(Expr::Call(function, arguments))
    }

    fn steps(&mut self, steps: &mut Vec<Step>) -> Parsed<()> {
        loop {
            steps.push(self.step()?);
            if self.take("//") {
                steps.push(anywhere());
            } else if !self.take("/") {
                return Ok(());
            }
        }
    }

    fn step(&mut self) -> Parsed<Step> {
        let simple = |axis| Ok(Step { axis, test: Test::Node, predicates: Vec::new() });
        if self.take("..") {
            return simple(Axis::Parent);
        }
        if self.take(".") {
            return simple(Axis::Itself);
        }
        let axis = if self.take("@") {
            Axis::Attribute
        } else if self.is_mark(1, "::") {
            let Some(Kind::Name(None, name)) = self.peek(0) else {
                return Err(self.wrong("the name of an axis is expected"));
            };
            let axis = Axis::NAMES.iter().find(|(known, _)| known == name).map(|(_, axis)| *axis);
            let axis = axis.ok_or_else(|| self.wrong(format!("there is no axis '{name}' here")))?;
            self.next += 2;
            axis
        } else {
            Axis::Child
        };
        let test = self.test()?;
        let predicates = self.predicates()?;
        Ok(Step { axis, test, predicates })
    }

    fn test(&mut self) -> Parsed<Test> {
        let Some(Kind::Name(prefix, name)) = self.peek(0).cloned() else {
            return Err(self.wrong("a name or a node test is expected"));
        };
        if prefix.is_none() && self.is_mark(1, "(") {
            let test = match name.as_str() {
                "text" => Test::Text,
                "comment" => Test::Comment,
                "node" => Test::Node,
                "processing-instruction" => Test::Instruction(None),
                _ => return Err(self.wrong(format!("there is no node test '{name}'"))),
            };
            self.next += 2;
            let test = match (test, self.peek(0).cloned()) {
                (Test::Instruction(_), Some(Kind::Literal(target))) => {
                    self.next += 1;
                    Test::Instruction(Some(target))
                }
                (test, _) => test,
            };
            self.expect(")")?;
            return Ok(test);
        }
        let namespace = match &prefix {
            None => None,
            Some(prefix) => {
                // `xml` always means what it means (Namespaces in XML §3).
                let always = ("xml", roxmltree::NS_XML_URI);
                let found = self.namespaces.iter().chain([&always]).find(|(known, _)| known == prefix);
                let found = found.ok_or_else(|| self.wrong(format!("the prefix '{prefix}' is not known")))?;
                Some(found.1.to_owned())
            }
        };
        self.next += 1;
        Ok(match (namespace, name.as_str()) {
            (None, "*") => Test::Any,
            (Some(namespace), "*") => Test::In(namespace),
            (namespace, _) => Test::Name(namespace, name),
        })
    }

    fn predicates(&mut self) -> Parsed<Vec<Expr>> {
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.or()?);
            self.expect("]")?;
        }
        Ok(predicates)
    }
}

/// What `//` stands for (§2.5).
fn anywhere() -> Step {
    Step { axis: Axis::DescendantOrSelf, test: Test::Node, predicates: Vec::new() }
}
