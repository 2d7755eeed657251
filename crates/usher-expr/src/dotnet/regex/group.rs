//! Parsing what stands in parentheses: groups, look-around, options and conditions.

use super::PatternError;
use super::escape::is_word;
use super::parser::Parser;
use super::tree::{Label, Node};

impl Parser<'_> {
    /// A group whose opening parenthesis has been read; none for options such as `(?i)`, which
    /// last to the end of the group they stand in.
    pub(super) fn group(&mut self) -> Result<Option<Node>, PatternError> {
        let outer = self.flags;
        if !self.rest().starts_with('?') || self.rest().starts_with("?)") {
            let node = if outer.explicit_capture {
                self.finish(|inside| Node::Group(Box::new(inside)))?
            } else {
                self.capture(Label::Unnamed)?
            };
            self.flags = outer;
            return Ok(Some(node));
        }
        self.next();
        let node = match self.peek() {
            Some(':') => self.finish_after(1, |inside| Node::Group(Box::new(inside)))?,
            Some('=') => self.look(1, false, false)?,
            Some('!') => self.look(1, false, true)?,
            Some('>') => self.finish_after(1, |inside| Node::Atomic(Box::new(inside)))?,
            Some('<') if self.rest().starts_with("<=") => self.look(2, true, false)?,
            Some('<') if self.rest().starts_with("<!") => self.look(2, true, true)?,
            Some('<') => self.labelled('>')?,
            Some('\'') => self.labelled('\'')?,
            Some('(') => self.condition()?,
            _ => {
                self.options();
                match self.next() {
                    Some(')') => return Ok(None),
                    Some(':') => self.finish(|inside| Node::Group(Box::new(inside)))?,
                    _ => return Err(self.invalid("unknown kind of group")),
                }
            }
        };
        self.flags = outer;
        Ok(Some(node))
    }

    fn look(&mut self, skip: usize, behind: bool, negative: bool) -> Result<Node, PatternError> {
        let from = self.at;
        let node =
            self.finish_after(skip, |inside| Node::Look { behind, negative, inside: Box::new(inside) })?;
        // .NET matches a look-behind from right to left, the engine from left to right. What is
        // matched is the same; how it is shared out among the parts is not, unless all lengths
        // are fixed.
        let depends_on_direction = |node: &Node| {
            matches!(
                node,
                Node::Capture(_) | Node::Atomic(_) | Node::IfCaptured { .. } | Node::IfMatches { .. }
            )
        };
        if behind && node.any(&depends_on_direction) {
            let fixed = matches!(&node, Node::Look { inside, .. } if inside.width().is_some());
            if !fixed {
                return Err(PatternError::Unsupported {
                    position: from,
                    construct: "a group in a look-behind of variable length".to_owned(),
                });
            }
        }
        Ok(node)
    }

    fn finish_after(&mut self, skip: usize, build: impl FnOnce(Node) -> Node) -> Result<Node, PatternError> {
        self.at += skip;
        self.finish(build)
    }

    /// Reads the inside of a group and its closing parenthesis.
    fn finish(&mut self, build: impl FnOnce(Node) -> Node) -> Result<Node, PatternError> {
        let mut branches = self.branches()?;
        self.close()?;
        let inside = if branches.len() == 1 { branches.remove(0) } else { Node::Alternation(branches) };
        Ok(build(inside))
    }

    fn close(&mut self) -> Result<(), PatternError> {
        if self.take(")") { Ok(()) } else { Err(self.invalid("missing closing parenthesis")) }
    }

    fn capture(&mut self, label: Label) -> Result<Node, PatternError> {
        self.labels.push(label);
        let place = self.labels.len();
        let node = self.finish(|inside| Node::Capture(Box::new(inside)))?;
        self.closed.push(place);
        Ok(node)
    }

    /// `(?<name>…)`, `(?<1>…)` and the same with apostrophes.
    fn labelled(&mut self, close: char) -> Result<Node, PatternError> {
        self.next();
        let label = match self.peek() {
            Some('0'..='9') => match self.decimal()? {
                Some(0) => return Err(self.invalid("a group cannot have the number 0")),
                number => Label::Number(number.unwrap_or_default()),
            },
            Some(c) if is_word(c) => Label::Name(self.name()),
            Some('-') => return Err(self.unsupported("a balancing group")),
            _ => return Err(self.invalid("not a group name")),
        };
        match self.next() {
            Some(c) if c == close => self.capture(label),
            Some('-') => Err(self.unsupported("a balancing group")),
            _ => Err(self.invalid("not a group name")),
        }
    }

    /// A run of word characters.
    pub(super) fn name(&mut self) -> String {
        let rest = self.rest();
        let name = rest.find(|c| !is_word(c)).map_or(rest, |end| &rest[..end]);
        self.at += name.len();
        name.to_owned()
    }

    fn options(&mut self) {
        let mut on = true;
        while let Some(c) = self.peek() {
            match c.to_ascii_lowercase() {
                '-' => on = false,
                '+' => on = true,
                'i' => self.flags.ignore_case = on,
                'm' => self.flags.multiline = on,
                'n' => self.flags.explicit_capture = on,
                's' => self.flags.single_line = on,
                'x' => self.flags.ignore_white = on,
                _ => return,
            }
            self.next();
        }
    }

    /// `(?(1)yes|no)`, `(?(name)yes|no)` and `(?(test)yes|no)`, from the inner parenthesis on.
    fn condition(&mut self) -> Result<Node, PatternError> {
        let start = self.at;
        self.next();
        if let Some(group) = self.condition_group()? {
            let (yes, no) = self.yes_and_no()?;
            return Ok(Node::IfCaptured { group, yes, no });
        }
        self.at = start + 1;
        let rest = self.rest();
        let captures = rest.starts_with("?'")
            || rest.strip_prefix("?<").is_some_and(|rest| !rest.starts_with(['=', '!']));
        if captures || rest.starts_with("?#") {
            return Err(self.invalid("a condition cannot capture and cannot be a comment"));
        }
        let test = if rest.starts_with('?') {
            self.group()?.ok_or_else(|| self.invalid("a condition must be a group"))?
        } else {
            let outer = self.flags;
            let test = self.finish(|inside| Node::Group(Box::new(inside)))?;
            self.flags = outer;
            test
        };
        let (yes, no) = self.yes_and_no()?;
        Ok(Node::IfMatches { test: Box::new(test), yes, no })
    }

    /// The number of the group that a condition asks for; none when it asks for a match.
    fn condition_group(&mut self) -> Result<Option<u32>, PatternError> {
        if let Some(number) = self.decimal()? {
            if !self.take(")") {
                return Err(self.invalid("a condition on a group is its number alone"));
            }
            if self.groups.is_some_and(|groups| !groups.has_number(number)) {
                return Err(self.invalid("reference to a group that does not exist"));
            }
            return Ok(Some(number));
        }
        if !self.peek().is_some_and(is_word) {
            return Ok(None);
        }
        let name = self.name();
        if !self.take(")") {
            return Ok(None);
        }
        Ok(self.groups.map_or(Some(0), |groups| groups.named(&name)))
    }

    fn yes_and_no(&mut self) -> Result<(Box<Node>, Box<Node>), PatternError> {
        let mut branches = self.branches()?;
        self.close()?;
        if branches.len() > 2 {
            return Err(self.invalid("a condition has two branches at most"));
        }
        let no = if branches.len() == 2 { branches.remove(1) } else { Node::Empty };
        Ok((Box::new(branches.remove(0)), Box::new(no)))
    }
}
