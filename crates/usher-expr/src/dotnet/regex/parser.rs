//! The parser of .NET patterns: alternatives, quantifiers and single characters. Groups, escapes
//! and character classes are in files of their own.

use super::PatternError;
use super::set::{Set, is_high_surrogate, is_low_surrogate, other_cases};
use super::tree::{Anchor, Groups, Label, Node};

/// Groups may not be nested deeper; a pattern is parsed by recursion.
const DEEPEST: usize = 150;

/// What `(?imnsx)` switches on and off.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) multiline: bool,
    pub(super) explicit_capture: bool,
    pub(super) single_line: bool,
    pub(super) ignore_white: bool,
}

/// A parsed pattern.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) groups: Groups,
}

/// Parses a pattern. It is read twice: a reference may stand before its group, and what `\10` or
/// `(?(name)…)` means depends on the groups there are.
pub(super) fn parse(pattern: &str, ignore_case: bool) -> Result<Parsed, PatternError> {
    let mut collecting = Parser::new(pattern, ignore_case, None);
    collecting.pattern()?;
    let groups = Groups::number(&collecting.labels, &collecting.closed);
    let node = Parser::new(pattern, ignore_case, Some(&groups)).pattern()?;
    Ok(Parsed { node, groups })
}

pub(super) struct Parser<'p> {
    pub(super) pattern: &'p str,
    pub(super) at: usize,
    pub(super) flags: Flags,
    /// The pattern's groups; none while they are being collected.
    pub(super) groups: Option<&'p Groups>,
    pub(super) labels: Vec<Label>,
    /// The capturing groups that have ended, by place.
    pub(super) closed: Vec<usize>,
    depth: usize,
}

impl<'p> Parser<'p> {
    fn new(pattern: &'p str, ignore_case: bool, groups: Option<&'p Groups>) -> Parser<'p> {
        let flags = Flags { ignore_case, ..Flags::default() };
        Parser { pattern, at: 0, flags, groups, labels: Vec::new(), closed: Vec::new(), depth: 0 }
    }

    fn pattern(&mut self) -> Result<Node, PatternError> {
        let mut branches = self.branches()?;
        if self.at < self.pattern.len() {
            return Err(self.invalid("too many closing parentheses"));
        }
        Ok(if branches.len() == 1 { branches.remove(0) } else { Node::Alternation(branches) })
    }

    pub(super) fn invalid(&self, message: &str) -> PatternError {
        PatternError::Invalid { position: self.at, message: message.to_owned() }
    }

    pub(super) fn unsupported(&self, construct: &str) -> PatternError {
        PatternError::Unsupported { position: self.at, construct: construct.to_owned() }
    }

    pub(super) fn rest(&self) -> &'p str {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// A decimal number; none when there is no digit here.
    pub(super) fn decimal(&mut self) -> Result<Option<u32>, PatternError> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Ok(None);
        }
        let number = self.rest()[..digits].parse::<i32>().ok().and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or_else(|| self.invalid("number too large"))?;
        self.at += digits;
        Ok(Some(number))
    }

    /// Alternatives up to a closing parenthesis or the end.
    pub(super) fn branches(&mut self) -> Result<Vec<Node>, PatternError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.unsupported("groups nested this deep"));
        }
        let mut branches = Vec::new();
        let mut nodes = Vec::new();
        let mut after_quantifier = false;
        loop {
            self.skip_blank()?;
            match self.peek() {
                None | Some(')') => break,
                Some('|') => {
                    self.next();
                    branches.push(concatenation(std::mem::take(&mut nodes)));
                    after_quantifier = false;
                    continue;
                }
                Some('*' | '+' | '?' | '{') if self.at_quantifier() => {
                    return Err(self.invalid(if after_quantifier {
                        "quantifier after a quantifier"
                    } else {
                        "quantifier after nothing"
                    }));
                }
                Some(_) => {}
            }
            after_quantifier = false;
            let Some(node) = self.unit()? else { continue };
            self.skip_blank()?;
            if self.at_quantifier() {
                nodes.push(self.quantifier(node)?);
                after_quantifier = true;
            } else {
                nodes.push(node);
            }
        }
        branches.push(concatenation(nodes));
        self.depth -= 1;
        Ok(branches)
    }

    /// One thing that a quantifier may follow; none for `(?i)`.
    fn unit(&mut self) -> Result<Option<Node>, PatternError> {
        let Some(c) = self.next() else { return Ok(None) };
        let flags = self.flags;
        Ok(Some(match c {
            '[' => Node::Set(self.class(0)?),
            '(' => return self.group(),
            '\\' => self.escape()?,
            '^' if flags.multiline => Node::Anchor(Anchor::LineStart),
            '^' => Node::Anchor(Anchor::Start),
            '$' if flags.multiline => Node::Anchor(Anchor::LineEnd),
            '$' => Node::Anchor(Anchor::LastLineEnd),
            '.' if flags.single_line => Node::Any,
            '.' => Node::AnyInLine,
            _ => self.literal(u32::from(c)),
        }))
    }

    /// A character as itself, in all its cases when case is ignored.
    pub(super) fn literal(&self, c: u32) -> Node {
        let cases = if self.flags.ignore_case { char::from_u32(c).and_then(other_cases) } else { None };
        match cases {
            Some(cases) => {
                let mut set = Set::new(false);
                cases.iter().for_each(|case| set.add(u32::from(*case), u32::from(*case)));
                Node::Set(set)
            }
            None => Node::One(c),
        }
    }

    /// Skips comments, and white space where the pattern may have it.
    pub(super) fn skip_blank(&mut self) -> Result<(), PatternError> {
        loop {
            let rest = self.rest();
            if rest.starts_with("(?#") {
                let end = rest.find(')').ok_or_else(|| self.invalid("unterminated comment"))?;
                self.at += end + 1;
            } else if self.flags.ignore_white && rest.starts_with('#') {
                self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
            } else if self.flags.ignore_white && rest.starts_with([' ', '\t', '\n', '\r', '\x0C']) {
                self.at += 1;
            } else {
                return Ok(());
            }
        }
    }

    /// Whether a quantifier stands here. A brace opens one only when `{n}`, `{n,}` or `{n,m}`
    /// is complete; else it is a character like others.
    fn at_quantifier(&self) -> bool {
        let rest = self.rest();
        if rest.starts_with(['*', '+', '?']) {
            return true;
        }
        let Some(inside) = rest.strip_prefix('{') else { return false };
        let after_digits = inside.trim_start_matches(|c: char| c.is_ascii_digit());
        if after_digits.len() == inside.len() {
            return false;
        }
        let after = match after_digits.strip_prefix(',') {
            Some(more) => more.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => after_digits,
        };
        after.starts_with('}')
    }

    fn quantifier(&mut self, inside: Node) -> Result<Node, PatternError> {
        let (least, most) = match self.next() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            _ => {
                let least = self.decimal()?.unwrap_or(0);
                let most = if self.take(",") { self.decimal()? } else { Some(least) };
                self.take("}");
                (least, most)
            }
        };
        if most.is_some_and(|most| least > most) {
            return Err(self.invalid("the bounds of a quantifier are reversed"));
        }
        self.skip_blank()?;
        let lazy = self.take("?");
        Ok(Node::Repeat { inside: Box::new(inside), least, most, lazy })
    }
}

/// Puts nodes in a row together. Two halves of a surrogate pair become the one character they
/// stand for.
fn concatenation(nodes: Vec<Node>) -> Node {
    let mut joined: Vec<Node> = Vec::with_capacity(nodes.len());
    for node in nodes {
        match joined.last().and_then(|last| join_surrogates(last, &node)) {
            Some(pair) => {
                joined.pop();
                joined.push(pair);
            }
            None => joined.push(node),
        }
    }
    match joined.len() {
        0 => Node::Empty,
        1 => joined.remove(0),
        _ => Node::Concatenation(joined),
    }
}

fn join_surrogates(high: &Node, low: &Node) -> Option<Node> {
    let set = |node: &Node, is_half: fn(u32) -> bool| match node {
        Node::One(unit) if is_half(*unit) => {
            let mut set = Set::new(false);
            set.add(*unit, *unit);
            Some(set)
        }
        Node::Set(set) => Some(set.clone()),
        _ => None,
    };
    if !matches!(low, Node::One(_) | Node::Set(_)) {
        return None;
    }
    Set::join_surrogates(&set(high, is_high_surrogate)?, &set(low, is_low_surrogate)?).map(Node::Set)
}
