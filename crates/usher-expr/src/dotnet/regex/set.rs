//! Character sets: what `[…]`, `\d` and `\p{…}` mean in .NET, and how the engine writes it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::OnceLock;

use super::blocks::block;
use crate::dotnet::text::lower_invariant;

const FIRST_SURROGATE: u32 = 0xD800;
const FIRST_LOW_SURROGATE: u32 = 0xDC00;
const LAST_SURROGATE: u32 = 0xDFFF;
const FIRST_BEYOND_16_BITS: u32 = 0x1_0000;
const LAST: u32 = 0x10_FFFF;

/// A set put together from surrogates may not have more ranges.
const MOST_JOINED: usize = 4_096;

/// The general categories and their groups, as `\p{…}` names them.
const CATEGORIES: [&str; 37] = [
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "Z", "Zs", "Zl", "Zp",
    "C", "Cc", "Cf", "Cs", "Co", "Cn", "P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk",
    "So",
];

const DIGIT: &str = r"\p{Nd}";
const SPACE: &str = r"\x{9}-\x{D}\x{85}\p{Z}";
const WORD: &str = r"\p{L}\p{Mn}\p{Nd}\p{Pc}";
/// What .NET counts as a word character where it looks for a word's bounds.
pub(super) const BOUNDARY_WORD: &str = r"\p{L}\p{Mn}\p{Nd}\p{Pc}\x{200C}\x{200D}";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// From one code unit or character to another.
    Range(u32, u32),
    /// Written in the engine's own syntax for the inside of brackets.
    Written { text: &'static str, negated: bool },
    /// Everything but a range.
    Outside(u32, u32),
}

/// A set of characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Set {
    items: Vec<Item>,
    minus: Option<Box<Set>>,
    negated: bool,
    ignore_case: bool,
}

impl Set {
    pub(super) fn new(ignore_case: bool) -> Set {
        Set { ignore_case, ..Set::default() }
    }

    pub(super) fn negate(&mut self) {
        self.negated = true;
    }

    pub(super) fn add(&mut self, from: u32, to: u32) {
        self.items.push(Item::Range(from, to));
    }

    /// Adds `\d`, `\s` or `\w`, or with a capital letter what is outside. False for other letters.
    pub(super) fn add_class(&mut self, letter: char) -> bool {
        let text = match letter.to_ascii_lowercase() {
            'd' => DIGIT,
            's' => SPACE,
            'w' => WORD,
            _ => return false,
        };
        self.items.push(Item::Written { text, negated: letter.is_ascii_uppercase() });
        true
    }

    /// Adds a general category or a block. False when .NET knows no such name.
    pub(super) fn add_property(&mut self, name: &str, negated: bool) -> bool {
        if let Some((from, to)) = name.strip_prefix("Is").and_then(block) {
            self.items.push(if negated { Item::Outside(from, to) } else { Item::Range(from, to) });
            return true;
        }
        let Some(text) = property_text(name) else { return false };
        let (from, to) = (FIRST_SURROGATE, LAST_SURROGATE);
        let item = match name {
            "Cs" if negated => Item::Outside(from, to),
            "Cs" => Item::Range(from, to),
            "Lu" | "Ll" | "Lt" if self.ignore_case && !negated => {
                Item::Written { text: r"\p{Lu}\p{Ll}\p{Lt}", negated }
            }
            _ => Item::Written { text, negated },
        };
        self.items.push(item);
        true
    }

    pub(super) fn subtract(&mut self, set: Set) {
        self.minus = Some(Box::new(set));
    }

    /// The characters of a pair of sets of which the first has high and the second low surrogates
    /// only: together they stand for characters beyond 16 bits.
    pub(super) fn join_surrogates(high: &Set, low: &Set) -> Option<Set> {
        let high = high.plain_ranges(FIRST_SURROGATE, FIRST_LOW_SURROGATE - 1)?;
        let low = low.plain_ranges(FIRST_LOW_SURROGATE, LAST_SURROGATE)?;
        let mut joined = Set::new(false);
        for unit in high.into_iter().flat_map(|(from, to)| from..=to) {
            let base = FIRST_BEYOND_16_BITS + (unit - FIRST_SURROGATE) * 0x400;
            for (from, to) in &low {
                joined.add(base + from - FIRST_LOW_SURROGATE, base + to - FIRST_LOW_SURROGATE);
            }
            if joined.items.len() > MOST_JOINED {
                return None;
            }
        }
        joined.items = merged(joined.ranges()).into_iter().map(|(from, to)| Item::Range(from, to)).collect();
        Some(joined)
    }

    fn ranges(&self) -> Vec<(u32, u32)> {
        let range = |item: &Item| match item {
            Item::Range(from, to) => Some((*from, *to)),
            _ => None,
        };
        self.items.iter().filter_map(range).collect()
    }

    /// The set's ranges, if it has nothing else and all lie within bounds.
    fn plain_ranges(&self, first: u32, last: u32) -> Option<Vec<(u32, u32)>> {
        let ranges = self.ranges();
        let within = ranges.iter().all(|(from, to)| *from >= first && *to <= last);
        let plain = !self.negated && self.minus.is_none() && ranges.len() == self.items.len();
        (plain && within && !ranges.is_empty()).then_some(ranges)
    }

    /// Writes the set in the engine's syntax.
    pub(super) fn write(&self, out: &mut String) {
        if let Some(minus) = &self.minus {
            out.push('[');
            self.write_base(out);
            out.push_str("--");
            minus.write(out);
            out.push(']');
        } else {
            self.write_base(out);
        }
    }

    fn write_base(&self, out: &mut String) {
        let mut ranges = self.ranges();
        if self.ignore_case {
            add_other_cases(&mut ranges);
        }
        let ranges = characters(merged(ranges));
        out.push_str(if self.negated { "[^" } else { "[" });
        let start = out.len();
        for (from, to) in ranges {
            write_char(from, out);
            if to > from {
                out.push('-');
                write_char(to, out);
            }
        }
        for item in &self.items {
            match item {
                Item::Range(..) => {}
                Item::Written { text, negated: false } => out.push_str(text),
                Item::Written { text, negated: true } => {
                    out.push_str("[^");
                    out.push_str(text);
                    out.push(']');
                }
                Item::Outside(from, to) => {
                    let mut outside = Set::new(false);
                    outside.add(*from, *to);
                    outside.negate();
                    outside.write_base(out);
                }
            }
        }
        if out.len() == start {
            // Nothing is left: a set of lone surrogates. Brackets need some content.
            out.push_str(r"[^\x{0}-\x{10FFFF}]");
        }
        out.push(']');
    }
}

/// The letters that differ from a character in case only, itself among them; none when there are
/// no others.
pub(super) fn other_cases(c: char) -> Option<&'static [char]> {
    cases().get(&lower_invariant(c)).map(Vec::as_slice)
}

/// Writes a character so that the engine takes it literally, inside brackets and outside.
pub(super) fn write_char(c: u32, out: &mut String) {
    match u8::try_from(c) {
        Ok(c) if c.is_ascii_alphanumeric() => out.push(char::from(c)),
        _ => write!(out, r"\x{{{c:X}}}").expect("writing to a string does not fail"),
    }
}

pub(super) fn is_high_surrogate(unit: u32) -> bool {
    (FIRST_SURROGATE..FIRST_LOW_SURROGATE).contains(&unit)
}

pub(super) fn is_low_surrogate(unit: u32) -> bool {
    (FIRST_LOW_SURROGATE..=LAST_SURROGATE).contains(&unit)
}

/// Every letter that has another case, by its lower-case form.
fn cases() -> &'static BTreeMap<char, Vec<char>> {
    static CASES: OnceLock<BTreeMap<char, Vec<char>>> = OnceLock::new();
    CASES.get_or_init(|| {
        let mut cases: BTreeMap<char, Vec<char>> = BTreeMap::new();
        for upper in '\0'..=char::MAX {
            let lower = lower_invariant(upper);
            if lower != upper {
                cases.entry(lower).or_insert_with(|| vec![lower]).push(upper);
            }
        }
        cases
    })
}

fn add_other_cases(ranges: &mut Vec<(u32, u32)>) {
    let written = merged(ranges.clone());
    let within = |c: &char| written.iter().any(|(from, to)| (*from..=*to).contains(&u32::from(*c)));
    for letters in cases().values().filter(|letters| letters.iter().any(within)) {
        ranges.extend(letters.iter().map(|letter| (u32::from(*letter), u32::from(*letter))));
    }
}

fn merged(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match merged.last_mut() {
            Some((_, last)) if from <= last.saturating_add(1) => *last = (*last).max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// Ranges of code units as ranges of characters. A range over all surrogates stands for all
/// characters beyond 16 bits; lone surrogates do not occur.
fn characters(ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    let mut characters = Vec::with_capacity(ranges.len() + 2);
    for (from, to) in ranges {
        if from <= FIRST_SURROGATE && (LAST_SURROGATE..FIRST_BEYOND_16_BITS).contains(&to) {
            characters.push((FIRST_BEYOND_16_BITS, LAST));
        }
        if from < FIRST_SURROGATE {
            characters.push((from, to.min(FIRST_SURROGATE - 1)));
        }
        if to > LAST_SURROGATE {
            characters.push((from.max(LAST_SURROGATE + 1), to));
        }
    }
    merged(characters)
}

fn property_text(name: &str) -> Option<&'static str> {
    static TEXTS: OnceLock<BTreeMap<&'static str, String>> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        CATEGORIES.into_iter().map(|category| (category, format!(r"\p{{{category}}}"))).collect()
    });
    texts.get(name).map(String::as_str)
}
