//! The tree of a parsed .NET pattern. Options such as `(?i)` and `(?s)` are resolved: no node
//! depends on where it stands.

use std::collections::BTreeMap;

use super::set::Set;

/// A piece of a pattern.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Matches everywhere.
    Empty,
    /// One UTF-16 code unit or one character, case told apart.
    One(u32),
    /// One character of a set.
    Set(Set),
    /// Any character.
    Any,
    /// Any character but a line feed.
    AnyInLine,
    Anchor(Anchor),
    Concatenation(Vec<Node>),
    Alternation(Vec<Node>),
    Group(Box<Node>),
    Capture(Box<Node>),
    Atomic(Box<Node>),
    Look {
        behind: bool,
        negative: bool,
        inside: Box<Node>,
    },
    Repeat {
        inside: Box<Node>,
        least: u32,
        most: Option<u32>,
        lazy: bool,
    },
    /// What a group, by its .NET number, has captured.
    Reference {
        group: u32,
        ignore_case: bool,
    },
    /// One of two branches, by whether the group has captured.
    IfCaptured {
        group: u32,
        yes: Box<Node>,
        no: Box<Node>,
    },
    /// One of two branches, by whether the test matches here.
    IfMatches {
        test: Box<Node>,
        yes: Box<Node>,
        no: Box<Node>,
    },
}

/// A place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    LineStart,
    End,
    /// The end, or before a line feed that ends the text.
    LastLineEnd,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
    /// Where the match before ended.
    Continuation,
}

impl Node {
    /// The node's children, in the order in which they are written.
    pub(super) fn children(&self) -> Vec<&Node> {
        match self {
            Node::Empty
            | Node::One(_)
            | Node::Set(_)
            | Node::Any
            | Node::AnyInLine
            | Node::Anchor(_)
            | Node::Reference { .. } => Vec::new(),
            Node::Concatenation(nodes) | Node::Alternation(nodes) => nodes.iter().collect(),
            Node::Group(inside)
            | Node::Capture(inside)
            | Node::Atomic(inside)
            | Node::Look { inside, .. }
            | Node::Repeat { inside, .. } => vec![inside],
            Node::IfCaptured { yes, no, .. } => vec![yes, no],
            Node::IfMatches { test, yes, no } => vec![test, yes, no],
        }
    }

    pub(super) fn any(&self, test: &impl Fn(&Node) -> bool) -> bool {
        test(self) || self.children().into_iter().any(|child| child.any(test))
    }

    /// The number of characters of every match, where that is always the same.
    pub(super) fn width(&self) -> Option<u64> {
        match self {
            Node::Empty | Node::Anchor(_) | Node::Look { .. } => Some(0),
            Node::One(_) | Node::Set(_) | Node::Any | Node::AnyInLine => Some(1),
            Node::Concatenation(nodes) => nodes.iter().try_fold(0_u64, |sum, n| sum.checked_add(n.width()?)),
            Node::Alternation(nodes) => same_width(nodes),
            Node::Group(inside) | Node::Capture(inside) | Node::Atomic(inside) => inside.width(),
            Node::Repeat { inside, least, most, .. } => {
                let width = inside.width()?;
                let fixed = width == 0 || *most == Some(*least);
                fixed.then(|| width.checked_mul(u64::from(*least)))?
            }
            Node::Reference { .. } => None,
            Node::IfCaptured { yes, no, .. } | Node::IfMatches { yes, no, .. } => same_width([&**yes, &**no]),
        }
    }
}

fn same_width<'a>(nodes: impl IntoIterator<Item = &'a Node>) -> Option<u64> {
    let mut widths = nodes.into_iter().map(Node::width);
    let first = widths.next()??;
    widths.all(|width| width == Some(first)).then_some(first)
}

/// What an opening parenthesis says about its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Label {
    Unnamed,
    Number(u32),
    Name(String),
}

/// The capturing groups of a pattern under .NET's numbers: unnamed groups from 1 on in order,
/// then the named ones. Several groups may share a number.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// For every number the groups, each by the place of its opening parenthesis, from 1 on. They
    /// are in the order of their closing parentheses, which is the order in which they capture.
    places: BTreeMap<u32, Vec<usize>>,
    names: BTreeMap<String, u32>,
}

impl Groups {
    /// Numbers groups. `closed` has their places in the order of their closing parentheses.
    pub(super) fn number(labels: &[Label], closed: &[usize]) -> Groups {
        let mut groups = Groups::default();
        let mut next = 1;
        for (place, label) in (1..).zip(labels) {
            match label {
                Label::Unnamed => {
                    groups.places.entry(next).or_default().push(place);
                    next += 1;
                }
                Label::Number(number) => groups.places.entry(*number).or_default().push(place),
                Label::Name(_) => {}
            }
        }
        for (place, label) in (1..).zip(labels) {
            let Label::Name(name) = label else { continue };
            let number = *groups.names.entry(name.clone()).or_insert_with(|| {
                while groups.places.contains_key(&next) {
                    next += 1;
                }
                next
            });
            groups.places.entry(number).or_default().push(place);
        }
        let order: BTreeMap<usize, usize> = closed.iter().copied().zip(0..).collect();
        for places in groups.places.values_mut().filter(|places| places.len() > 1) {
            places.sort_by_key(|place| order.get(place));
        }
        groups
    }

    pub(super) fn has_number(&self, number: u32) -> bool {
        number == 0 || self.places.contains_key(&number)
    }

    /// The number of a group that is called by name.
    pub(super) fn named(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// The number of a group that is called by name or by number.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.named(name).or_else(|| name.parse().ok().filter(|number| self.has_number(*number)))
    }

    pub(super) fn last(&self) -> u32 {
        self.places.keys().next_back().copied().unwrap_or(0)
    }

    /// The places of the groups that share a number. Group 0, the whole match, has none.
    pub(super) fn places(&self, number: u32) -> &[usize] {
        self.places.get(&number).map_or(&[], Vec::as_slice)
    }
}
