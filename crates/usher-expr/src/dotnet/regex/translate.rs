//! Writing the tree of a .NET pattern as a pattern of the engine.

use std::fmt::Write;

use super::parser::Parsed;
use super::set::{BOUNDARY_WORD, write_char};
use super::tree::{Anchor, Groups, Node};

/// For which texts a translation is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// ASCII that does not end with a line feed: there the engine's own anchors mean the same as
    /// .NET's, and it need not backtrack for them.
    PlainText,
    /// Every text.
    AnyText,
}

/// No translation may be longer. References to a name that many groups have take up a lot.
const LONGEST: usize = 1_000_000;

/// The engine's pattern; none when it would be too long. Its groups are numbered by their opening
/// parentheses.
pub(super) fn translate(parsed: &Parsed, texts: For) -> Option<String> {
    let mut writer = Writer { out: String::new(), groups: &parsed.groups, texts };
    writer.alternatives(&parsed.node);
    Some(writer.out).filter(|out| out.len() <= LONGEST)
}

struct Writer<'a> {
    out: String,
    groups: &'a Groups,
    texts: For,
}

impl Writer<'_> {
    /// Writes a node where alternatives need no parentheses of their own.
    fn alternatives(&mut self, node: &Node) {
        let Node::Alternation(branches) = node else { return self.node(node) };
        for (index, branch) in branches.iter().enumerate() {
            if index > 0 {
                self.out.push('|');
            }
            self.node(branch);
        }
    }

    fn wrapped(&mut self, open: &str, inside: &Node) {
        self.out.push_str(open);
        self.alternatives(inside);
        self.out.push(')');
    }

    fn node(&mut self, node: &Node) {
        if self.out.len() > LONGEST {
            return;
        }
        match node {
            Node::Empty => self.out.push_str("(?:)"),
            Node::One(unit) => match char::from_u32(*unit) {
                Some(_) => write_char(*unit, &mut self.out),
                // A lone surrogate does not occur in a text.
                None => self.out.push_str("(?!)"),
            },
            Node::Set(set) => set.write(&mut self.out),
            Node::Any => self.out.push_str("(?s:.)"),
            Node::AnyInLine => self.out.push_str(r"[^\x{A}]"),
            Node::Anchor(anchor) => self.anchor(*anchor),
            Node::Concatenation(nodes) => nodes.iter().for_each(|node| self.node(node)),
            Node::Alternation(_) => self.wrapped("(?:", node),
            Node::Group(inside) => self.wrapped("(?:", inside),
            Node::Capture(inside) => self.wrapped("(", inside),
            Node::Atomic(inside) => self.wrapped("(?>", inside),
            Node::Look { behind, negative, inside } => {
                let open = match (behind, negative) {
                    (false, false) => "(?=",
                    (false, true) => "(?!",
                    (true, false) => "(?<=",
                    (true, true) => "(?<!",
                };
                self.wrapped(open, inside);
            }
            Node::Repeat { inside, least, most, lazy } => self.repeat(inside, *least, *most, *lazy),
            Node::Reference { group, ignore_case } => self.reference(*group, *ignore_case),
            Node::IfCaptured { group, yes, no } => self.if_captured(*group, yes, no),
            Node::IfMatches { test, yes, no } => self.if_matches(test, yes, no),
        }
    }

    fn anchor(&mut self, anchor: Anchor) {
        let plain = self.texts == For::PlainText;
        let text = match anchor {
            Anchor::Start => r"\A",
            Anchor::LineStart => "(?m:^)",
            Anchor::End => r"\z",
            Anchor::LastLineEnd if plain => r"\z",
            Anchor::LastLineEnd => r"(?=\n?\z)",
            Anchor::LineEnd => "(?m:$)",
            Anchor::WordBoundary if plain => r"\b",
            Anchor::NoWordBoundary if plain => r"\B",
            Anchor::WordBoundary | Anchor::NoWordBoundary => {
                let word = BOUNDARY_WORD;
                let (same, other) = if anchor == Anchor::WordBoundary { ("!", "=") } else { ("=", "!") };
                write!(self.out, "(?:(?<=[{word}])(?{same}[{word}])|(?<![{word}])(?{other}[{word}]))")
                    .expect("writing to a string does not fail");
                return;
            }
            Anchor::Continuation => r"\G",
        };
        self.out.push_str(text);
    }

    fn repeat(&mut self, inside: &Node, least: u32, most: Option<u32>, lazy: bool) {
        if most == Some(0) {
            // Its groups count, even though it never matches.
            self.wrapped("(?:(?!)(?:", inside);
            return self.out.push_str("|)");
        }
        if inside.width() == Some(0) {
            // Trying it more than once adds nothing, and the engine repeats no empty text.
            let (before, after) = match (least, lazy) {
                (0, false) => ("", "|"),
                (0, true) => ("|", ""),
                _ => ("", ""),
            };
            self.out.push_str("(?:");
            self.out.push_str(before);
            self.node(inside);
            self.out.push_str(after);
            return self.out.push(')');
        }
        match inside {
            Node::One(_) | Node::Set(_) | Node::AnyInLine | Node::Capture(_) | Node::Group(_) => {
                self.node(inside);
            }
            _ => self.wrapped("(?:", inside),
        }
        match (least, most) {
            (0, None) => self.out.push('*'),
            (1, None) => self.out.push('+'),
            (0, Some(1)) => self.out.push('?'),
            (least, None) => self.write(format_args!("{{{least},}}")),
            (least, Some(most)) => self.write(format_args!("{{{least},{most}}}")),
        }
        if lazy {
            self.out.push('?');
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("writing to a string does not fail");
    }

    /// What the group has captured. Of several groups with one number the last one that has.
    fn reference(&mut self, group: u32, ignore_case: bool) {
        let places = self.groups.places(group);
        self.out.push_str(if ignore_case { "(?i:" } else { "(?:" });
        match places {
            [] => self.out.push_str("(?!)"),
            [place] => self.write(format_args!(r"\{place}")),
            _ => {
                for place in places.iter().rev() {
                    self.write(format_args!(r"(?({place})(?:\{place})|"));
                }
                self.out.push_str("(?!)");
                places.iter().for_each(|_| self.out.push(')'));
            }
        }
        self.out.push(')');
    }

    fn if_captured(&mut self, group: u32, yes: &Node, no: &Node) {
        match self.groups.places(group) {
            // Group 0 captures only when the match ends. The other branch is kept, never to be
            // taken, since it may have groups that count.
            [] => {
                self.out.push_str("(?:(?!)");
                self.wrapped("(?:", yes);
                self.out.push('|');
                self.alternatives(no);
                self.out.push(')');
            }
            [place] => {
                let test = format!("{place}");
                self.conditional(&test, yes, no);
            }
            places => {
                let tests: Vec<String> =
                    places.iter().map(|place| format!("(?({place})(?:)|(?!))")).collect();
                self.conditional(&format!("(?:{})", tests.join("|")), yes, no);
            }
        }
    }

    fn if_matches(&mut self, test: &Node, yes: &Node, no: &Node) {
        let mut writer = Writer { out: String::new(), groups: self.groups, texts: self.texts };
        writer.wrapped("(?=", test);
        self.conditional(&writer.out, yes, no);
    }

    fn conditional(&mut self, test: &str, yes: &Node, no: &Node) {
        self.write(format_args!("(?({test})"));
        self.branch(yes);
        self.out.push('|');
        self.branch(no);
        self.out.push(')');
    }

    /// A branch of a condition. Where both are empty, the engine takes the test for a demand, so
    /// an empty branch is a look-ahead at nothing.
    fn branch(&mut self, node: &Node) {
        if node.width() == Some(0) {
            self.out.push_str("(?=)");
        }
        self.wrapped("(?:", node);
    }
}
