//! Reading a date-time without a format, in the forms that `DateTime.Parse` takes in invariant
//! culture.

use super::exact::{LARGEST_OFFSET, four_digit_year, rounded_fraction};
use super::names::{self, MONTHS, WEEKDAYS};
use super::ticks::{Fields, HOUR, LAST, MINUTE, weekday};
use crate::dotnet::text::trim;

/// Longer text is no date.
const LONGEST: usize = 100;

/// The ticks of the date-time, in UTC.
pub(super) fn read(text: &str) -> Option<i64> {
    let text = trim(text);
    if text.len() > LONGEST {
        return None;
    }
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, ..Reader::default() };
    while !reader.tokens.is_empty() {
        reader.part()?;
    }
    reader.ticks()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Word,
    Symbol,
}

#[derive(Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    /// Whether white space stands before it.
    apart: bool,
}

impl Token<'_> {
    fn is(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut apart = false;
    while let Some(c) = rest.chars().next() {
        let run = |kind: fn(&u8) -> bool| rest.bytes().take_while(kind).count();
        let (kind, length) = match c {
            '0'..='9' => (Kind::Number, run(u8::is_ascii_digit)),
            'a'..='z' | 'A'..='Z' => (Kind::Word, run(u8::is_ascii_alphabetic)),
            '/' | '-' | '.' | ',' | ':' | '+' => (Kind::Symbol, 1),
            _ if c.is_whitespace() => {
                rest = &rest[c.len_utf8()..];
                apart = true;
                continue;
            }
            _ => return None,
        };
        let (text, after) = rest.split_at(length);
        tokens.push(Token { kind, text, apart });
        (rest, apart) = (after, false);
    }
    Some(tokens)
}

struct Time {
    hour: i64,
    minute: i64,
    second: i64,
    fraction: i64,
}

#[derive(Default)]
struct Reader<'a> {
    tokens: &'a [Token<'a>],
    /// The date's numbers as written.
    numbers: Vec<&'a str>,
    /// Whether the date's numbers stand together with dashes between, as ISO 8601 has them.
    dashes: usize,
    month: Option<i64>,
    weekday: Option<i64>,
    time: Option<Time>,
    offset: Option<i64>,
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<&Token<'a>> {
        self.tokens.get(ahead)
    }

    fn skip(&mut self, count: usize) {
        self.tokens = self.tokens.get(count..).unwrap_or_default();
    }

    fn date_is_complete(&self) -> bool {
        self.numbers.len() + usize::from(self.month.is_some()) == 3
    }

    /// Reads one part: a time, a number of the date, a name or an offset.
    fn part(&mut self) -> Option<()> {
        let token = *self.peek(0)?;
        match token.kind {
            Kind::Number => {
                let is_time = self.peek(1).is_some_and(|next| next.is(":") || half_of(next).is_some());
                if is_time {
                    return self.time();
                }
                if self.date_is_complete() {
                    return None;
                }
                self.numbers.push(token.text);
                self.skip(1);
                self.separator()
            }
            Kind::Word => self.word(token),
            Kind::Symbol => {
                let after_time = self.time.is_some() || self.date_is_complete();
                (after_time && matches!(token.text, "+" | "-")).then(|| self.offset())?
            }
        }
    }

    /// Skips one separator between the parts of a date.
    fn separator(&mut self) -> Option<()> {
        let Some(symbol) = self.peek(0).filter(|token| token.kind == Kind::Symbol) else { return Some(()) };
        match symbol.text {
            "," => {}
            _ if self.date_is_complete() => return Some(()),
            "/" | "-" | "." => {
                self.dashes += usize::from(symbol.is("-"));
                let next = self.peek(1)?;
                if next.kind == Kind::Symbol {
                    return None;
                }
            }
            _ => return None,
        }
        self.skip(1);
        Some(())
    }

    fn word(&mut self, token: Token<'a>) -> Option<()> {
        if let Some(month) = index_of(&MONTHS, token.text) {
            let first = self.month.replace(month + 1).is_none();
            self.skip(1);
            return first.then(|| self.separator())?;
        }
        if let Some(day) = index_of(&WEEKDAYS, token.text) {
            self.skip(1);
            return self.weekday.replace(day).is_none().then(|| self.separator())?;
        }
        if token.is_word("T") {
            return self.iso_time();
        }
        if token.is_word("Z") || token.is_word("GMT") {
            self.skip(1);
            let anything_before = self.time.is_some() || self.date_is_complete();
            return (anything_before && self.offset.replace(0).is_none()).then_some(());
        }
        None
    }

    /// The `T` of ISO 8601: year, month and day with dashes before it, at least hours and minutes
    /// of two digits after it, no blanks.
    fn iso_time(&mut self) -> Option<()> {
        let lengths: Vec<usize> = self.numbers.iter().map(|number| number.len()).collect();
        let two_digits = |token: Option<&Token>| {
            token.is_some_and(|token| token.kind == Kind::Number && token.text.len() == 2 && !token.apart)
        };
        let iso = matches!(lengths[..], [4, 2, 2])
            && self.dashes == 2
            && two_digits(self.peek(1))
            && self.peek(2).is_some_and(|token| token.is(":"))
            && two_digits(self.peek(3));
        if !iso {
            return None;
        }
        self.skip(1);
        self.time()
    }

    fn time(&mut self) -> Option<()> {
        if self.time.is_some() {
            return None;
        }
        let mut time = Time { hour: self.clock_number()?, minute: 0, second: 0, fraction: 0 };
        if self.peek(0)?.is(":") {
            self.skip(1);
            time.minute = self.clock_number()?;
            if self.peek(0).is_some_and(|token| token.is(":")) {
                self.skip(1);
                time.second = self.clock_number()?;
                if self.peek(0).is_some_and(|token| token.is(".") && !token.apart) {
                    self.skip(1);
                    let digits = self.peek(0).filter(|token| token.kind == Kind::Number && !token.apart)?;
                    time.fraction = rounded_fraction(digits.text)?;
                    self.skip(1);
                }
            }
        }
        if let Some(afternoon) = self.peek(0).and_then(half_of) {
            self.skip(1);
            time.hour = match (afternoon, time.hour) {
                (false, 12) => 0,
                (false, 13..) => return None,
                (true, hour) if hour < 12 => hour + 12,
                (_, hour) => hour,
            };
        }
        self.time = Some(time);
        if self.peek(0).is_some_and(|token| token.is(",")) {
            self.skip(1);
        }
        Some(())
    }

    fn clock_number(&mut self) -> Option<i64> {
        let token = self.peek(0).filter(|token| token.kind == Kind::Number && token.text.len() <= 2)?;
        let number = token.text.parse().ok()?;
        self.skip(1);
        Some(number)
    }

    /// A sign and hours, hours and minutes, or both in one number.
    fn offset(&mut self) -> Option<()> {
        let negative = self.peek(0)?.is("-");
        self.skip(1);
        let number = self.peek(0).filter(|token| token.kind == Kind::Number && !token.apart)?.text;
        self.skip(1);
        let value: i64 = number.parse().ok()?;
        let (hours, minutes) = match number.len() {
            1 | 2 if self.peek(0).is_some_and(|token| token.is(":")) => {
                self.skip(1);
                (value, self.clock_number()?)
            }
            1 | 2 => (value, 0),
            3 | 4 => (value / 100, value % 100),
            _ => return None,
        };
        let offset = hours * HOUR + minutes * MINUTE;
        if minutes >= 60 || offset > LARGEST_OFFSET {
            return None;
        }
        self.offset.replace(if negative { -offset } else { offset }).is_none().then_some(())
    }

    fn ticks(self) -> Option<i64> {
        let (year, month, day) = self.date()?;
        let time = self.time.unwrap_or(Time { hour: 0, minute: 0, second: 0, fraction: 0 });
        let Time { hour, minute, second, fraction } = time;
        let ticks = Fields { year, month, day, hour, minute, second, fraction }.ticks()?;
        if self.weekday.is_some_and(|read| read != weekday(ticks)) {
            return None;
        }
        Some(ticks - self.offset.unwrap_or(0)).filter(|ticks| (0..=LAST).contains(ticks))
    }

    /// Year, month and day. A number of three or more digits is the year; without one the month
    /// comes first and the year last.
    fn date(&self) -> Option<(i64, i64, i64)> {
        let is_year = |number: &str| number.len() >= 3;
        let value = |number: &str| number.parse::<i64>().ok();
        let year = |number: &str| {
            Some(if is_year(number) { value(number)? } else { four_digit_year(value(number)?) })
        };
        match (self.month, &self.numbers[..]) {
            (None, [y, m, d]) if is_year(y) => Some((value(y)?, value(m)?, value(d)?)),
            (None, [m, y, d]) if is_year(y) => Some((value(y)?, value(m)?, value(d)?)),
            (None, [m, d, y]) => Some((year(y)?, value(m)?, value(d)?)),
            (None, [y, m]) if is_year(y) => Some((value(y)?, value(m)?, 1)),
            (None, [m, y]) if is_year(y) => Some((value(y)?, value(m)?, 1)),
            (Some(month), [y, d]) if is_year(y) => Some((value(y)?, month, value(d)?)),
            (Some(month), [d, y]) => Some((year(y)?, month, value(d)?)),
            (Some(month), [y]) if is_year(y) => Some((value(y)?, month, 1)),
            _ => None,
        }
    }
}

/// Whether a word says that the hours are those of the afternoon.
fn half_of(token: &Token) -> Option<bool> {
    if token.is_word("AM") {
        Some(false)
    } else if token.is_word("PM") {
        Some(true)
    } else {
        None
    }
}

/// The place of a name, written in full or short.
fn index_of(names: &[&'static str], word: &str) -> Option<i64> {
    let named =
        |name: &'static str| name.eq_ignore_ascii_case(word) || names::short(name).eq_ignore_ascii_case(word);
    (0..).zip(names).find_map(|(index, name)| named(name).then_some(index))
}
