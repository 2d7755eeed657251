//! Parsing what stands after a backslash, and character classes in brackets.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::PatternError;
use super::parser::Parser;
use super::set::Set;
use super::tree::{Anchor, Node};

/// Classes may not be subtracted from one another more often.
const DEEPEST_SUBTRACTION: usize = 20;

/// Whether a character can be part of a group name.
pub(super) fn is_word(c: char) -> bool {
    match c.general_category_group() {
        GeneralCategoryGroup::Letter => true,
        _ => matches!(
            (c, c.general_category()),
            ('\u{200C}' | '\u{200D}', _)
                | (
                    _,
                    GeneralCategory::NonspacingMark
                        | GeneralCategory::DecimalNumber
                        | GeneralCategory::ConnectorPunctuation
                )
        ),
    }
}

impl Parser<'_> {
    /// An escape outside brackets; the backslash has been read.
    pub(super) fn escape(&mut self) -> Result<Node, PatternError> {
        let start = self.at;
        let c = self.next().ok_or_else(|| self.invalid("a backslash at the end"))?;
        let anchor = match c {
            'A' => Anchor::Start,
            'z' => Anchor::End,
            'Z' => Anchor::LastLineEnd,
            'b' => Anchor::WordBoundary,
            'B' => Anchor::NoWordBoundary,
            'G' => Anchor::Continuation,
            _ => {
                let mut set = Set::new(self.flags.ignore_case);
                if set.add_class(c) || self.property(c, &mut set)? {
                    return Ok(Node::Set(set));
                }
                self.at = start;
                return match self.reference()? {
                    Some(node) => Ok(node),
                    None => {
                        self.at = start;
                        self.character().map(|c| self.literal(c))
                    }
                };
            }
        };
        Ok(Node::Anchor(anchor))
    }

    /// Reads `{name}` after `\p` or `\P`; false when the letter is another one.
    fn property(&mut self, letter: char, set: &mut Set) -> Result<bool, PatternError> {
        if !matches!(letter, 'p' | 'P') {
            return Ok(false);
        }
        if !self.take("{") {
            return Err(self.invalid("a category needs braces"));
        }
        let rest = self.rest();
        let name = rest.find(|c| !is_word(c) && c != '-').map_or(rest, |end| &rest[..end]);
        self.at += name.len();
        if !self.take("}") {
            return Err(self.invalid("a category needs braces"));
        }
        if set.add_property(name, letter == 'P') {
            Ok(true)
        } else {
            Err(self.invalid("unknown category or block"))
        }
    }

    /// A reference to a group: `\1`, `\k<name>`, `\k'name'`, and `\<name>`, an older form. None
    /// when the escape is that of a character.
    fn reference(&mut self) -> Result<Option<Node>, PatternError> {
        let named = self.take("k");
        let close = match self.peek() {
            Some('<') => Some('>'),
            Some('\'') => Some('\''),
            _ => None,
        };
        let Some(close) = close else {
            return if named { Err(self.invalid("malformed reference by name")) } else { self.numbered() };
        };
        self.next();
        if let Some(number) = self.decimal()? {
            if self.peek() != Some(close) {
                return Ok(None);
            }
            self.next();
            return match self.groups {
                Some(groups) if !groups.has_number(number) => {
                    Err(self.invalid("reference to a group that does not exist"))
                }
                _ => Ok(Some(self.reference_to(number))),
            };
        }
        let name = self.name();
        if name.is_empty() || self.next() != Some(close) {
            return Ok(None);
        }
        match self.groups.map_or(Some(0), |groups| groups.named(&name)) {
            Some(number) => Ok(Some(self.reference_to(number))),
            None => Err(self.invalid("reference to a group that does not exist")),
        }
    }

    /// `\1` and higher. A number of more digits that no group has is an octal character code.
    fn numbered(&mut self) -> Result<Option<Node>, PatternError> {
        if !matches!(self.peek(), Some('1'..='9')) {
            return Ok(None);
        }
        let number = self.decimal()?.unwrap_or_default();
        match self.groups {
            Some(groups) if !groups.has_number(number) && number <= 9 => {
                Err(self.invalid("reference to a group that does not exist"))
            }
            Some(groups) if !groups.has_number(number) => Ok(None),
            _ => Ok(Some(self.reference_to(number))),
        }
    }

    fn reference_to(&self, group: u32) -> Node {
        Node::Reference { group, ignore_case: self.flags.ignore_case }
    }

    /// The character code that an escape stands for; the backslash has been read.
    fn character(&mut self) -> Result<u32, PatternError> {
        let start = self.at;
        let c = self.next().ok_or_else(|| self.invalid("a backslash at the end"))?;
        Ok(match c {
            '0'..='7' => {
                self.at = start;
                let digits = self.rest().bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let code = self.rest()[..digits].bytes().fold(0, |sum, b| sum * 8 + u32::from(b - b'0'));
                self.at += digits;
                code & 0xFF
            }
            'x' => self.hexadecimal(2)?,
            'u' => self.hexadecimal(4)?,
            'a' => 0x07,
            'b' => 0x08,
            'e' => 0x1B,
            'f' => 0x0C,
            'n' => 0x0A,
            'r' => 0x0D,
            't' => 0x09,
            'v' => 0x0B,
            'c' => match self.next().map(|c| c.to_ascii_uppercase()) {
                Some(c @ '@'..='_') => u32::from(c) - u32::from('@'),
                _ => return Err(self.invalid("not a control character")),
            },
            _ if is_word(c) => return Err(self.invalid("unknown escape")),
            _ => u32::from(c),
        })
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<u32, PatternError> {
        let code = self.rest().get(..digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        let code = code.ok_or_else(|| self.invalid("not enough hexadecimal digits"))?;
        self.at += digits;
        Ok(code)
    }

    /// A character class; the opening bracket has been read.
    pub(super) fn class(&mut self, depth: usize) -> Result<Set, PatternError> {
        if depth > DEEPEST_SUBTRACTION {
            return Err(self.unsupported("classes subtracted this often"));
        }
        let mut set = Set::new(self.flags.ignore_case);
        if self.take("^") {
            set.negate();
        }
        let mut range_from: Option<u32> = None;
        let mut first = true;
        loop {
            let c = self.next().ok_or_else(|| self.invalid("missing closing bracket"))?;
            let mut code = u32::from(c);
            let mut escaped = false;
            if c == ']' && !first {
                return Ok(set);
            } else if c == '\\' && !self.rest().is_empty() {
                let start = self.at;
                let letter = self.next().unwrap_or_default();
                let in_range = range_from.is_some();
                if set.add_class(letter) || self.property(letter, &mut set)? {
                    if in_range {
                        return Err(self.invalid("a class cannot bound a range"));
                    }
                    first = false;
                    continue;
                }
                self.at = start;
                code = self.character()?;
                escaped = true;
            } else if c == '[' && range_from.is_none() {
                self.skip_posix_name();
            }
            if let Some(from) = range_from.take() {
                if c == '[' && !first {
                    // What looked like a range is the last character and a subtraction.
                    set.add(from, from);
                    self.subtraction(&mut set, depth)?;
                } else if from > code {
                    return Err(self.invalid("the bounds of a range are reversed"));
                } else {
                    set.add(from, code);
                }
            } else if self.starts_range() && !(escaped && c == '\\' && code == u32::from('-')) {
                range_from = Some(code);
                self.next();
            } else if c == '-' && self.rest().starts_with('[') && !first {
                self.next();
                self.subtraction(&mut set, depth)?;
            } else {
                set.add(code, code);
            }
            first = false;
        }
    }

    /// Whether a dash and the end of a range follow.
    fn starts_range(&self) -> bool {
        let after = self.rest().strip_prefix('-').and_then(|after| after.chars().next());
        after.is_some_and(|after| after != ']')
    }

    /// Skips `:name:]`, which .NET reads and ignores.
    fn skip_posix_name(&mut self) {
        let start = self.at;
        if self.take(":") {
            self.name();
            if !self.take(":]") {
                self.at = start;
            }
        }
    }

    fn subtraction(&mut self, set: &mut Set, depth: usize) -> Result<(), PatternError> {
        let minus = self.class(depth + 1)?;
        set.subtract(minus);
        if self.rest().is_empty() || self.rest().starts_with(']') {
            Ok(())
        } else {
            Err(self.invalid("a subtraction must be the last part of a class"))
        }
    }
}
