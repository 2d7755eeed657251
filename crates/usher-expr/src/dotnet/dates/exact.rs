//! Reading a date-time by a .NET format, as strictly as `DateTime.ParseExact` does.

use std::borrow::Cow;

use super::names::{self, MONTHS, WEEKDAYS, quoted, run_length};
use super::print::FRACTION_DIGITS;
use super::ticks::{Fields, HOUR, LAST, MINUTE, SECOND, weekday};
use super::{DateError, Styles};
use crate::dotnet::text::{trim_end, trim_start};

/// Two digits of a year mean the century that ends here.
const LAST_TWO_DIGIT_YEAR: i64 = 2029;
/// No zone lies further from UTC.
pub(super) const LARGEST_OFFSET: i64 = 14 * HOUR;

/// Reads `text` by `format`. `now` are the ticks that give date parts the format does not ask for.
pub(super) fn read(text: &str, format: &str, styles: Styles, now: i64) -> Result<i64, DateError> {
    let wrong_format = || DateError::Format { format: format.to_owned() };
    let mut custom = Cow::Borrowed(match format.as_bytes() {
        [] => return Err(wrong_format()),
        [letter] => names::standard_format(*letter).ok_or_else(wrong_format)?,
        _ => format,
    });
    let mut input = text;
    if styles.contains(Styles::ALLOW_TRAILING_WHITE) {
        custom = without_white_before_last_quote(custom);
        input = trim_end(input);
    }
    if styles.contains(Styles::ALLOW_LEADING_WHITE) {
        custom = without_white_after_first_quote(custom);
        input = trim_start(input);
    }
    let mut reader = Reader {
        text: input,
        format: &custom,
        inner_white: styles.contains(Styles::ALLOW_INNER_WHITE),
        trailing_white: styles.contains(Styles::ALLOW_TRAILING_WHITE),
        found: Found::default(),
    };
    if format == "U" {
        reader.found.offset = Some(0);
    }
    let ticks = reader.run().and_then(|()| reader.found.ticks(styles, now));
    ticks.map_err(|failure| match failure {
        Failure::Text => DateError::Mismatch { text: text.to_owned(), format: format.to_owned() },
        Failure::Format => wrong_format(),
    })
}

/// A year of two digits, in the hundred years that end with 2029.
pub(super) fn four_digit_year(year: i64) -> i64 {
    let century = LAST_TWO_DIGIT_YEAR / 100 * 100;
    if year > LAST_TWO_DIGIT_YEAR % 100 { century - 100 + year } else { century + year }
}

enum Failure {
    /// The text does not match.
    Text,
    /// The format is none.
    Format,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Am,
    Pm,
}

/// What has been read. A part that occurs twice must agree with itself.
#[derive(Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    weekday: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
    fraction: Option<i64>,
    half: Option<Half>,
    offset: Option<i64>,
    two_digit_year: bool,
    twelve_hours: bool,
}

impl Found {
    fn ticks(&self, styles: Styles, now: i64) -> Result<i64, Failure> {
        let mut fields = self.date(styles, now)?;
        fields.hour = self.hour()?;
        fields.minute = self.minute.unwrap_or(0);
        fields.second = self.second.unwrap_or(0);
        fields.fraction = self.fraction.unwrap_or(0);
        let ticks = fields.ticks().ok_or(Failure::Text)?;
        if self.weekday.is_some_and(|read| read != weekday(ticks)) {
            return Err(Failure::Text);
        }
        let offset = self.offset.unwrap_or(0);
        if offset.abs() > LARGEST_OFFSET {
            return Err(Failure::Text);
        }
        Some(ticks - offset).filter(|ticks| (0..=LAST).contains(ticks)).ok_or(Failure::Text)
    }

    fn date(&self, styles: Styles, now: i64) -> Result<Fields, Failure> {
        let year = match self.year {
            Some(year) if self.two_digit_year && year >= 100 => return Err(Failure::Text),
            Some(year) if self.two_digit_year => Some(four_digit_year(year)),
            year => year,
        };
        let today = Fields::of(now);
        let (year, month, day) = match (year, self.month, self.day) {
            (None, None, None) if styles.contains(Styles::NO_CURRENT_DATE_DEFAULT) => (1, 1, 1),
            (None, None, None) => (today.year, today.month, today.day),
            (year, month, day) => (year.unwrap_or(today.year), month.unwrap_or(1), day.unwrap_or(1)),
        };
        Ok(Fields { year, month, day, hour: 0, minute: 0, second: 0, fraction: 0 })
    }

    fn hour(&self) -> Result<i64, Failure> {
        if !self.twelve_hours {
            let hour = self.hour.unwrap_or(-1);
            return match self.half {
                Some(Half::Am) if hour >= 12 => Err(Failure::Text),
                Some(Half::Pm) if hour < 12 => Err(Failure::Text),
                _ => Ok(hour.max(0)),
            };
        }
        match (self.half.unwrap_or(Half::Am), self.hour.unwrap_or(0)) {
            (_, hour) if hour > 12 => Err(Failure::Text),
            (Half::Am, 12) => Ok(0),
            (Half::Pm, 12) => Ok(12),
            (Half::Am, hour) => Ok(hour),
            (Half::Pm, hour) => Ok(hour + 12),
        }
    }
}

fn agree<T: PartialEq + Copy>(slot: &mut Option<T>, value: T) -> Result<(), Failure> {
    match slot {
        Some(before) if *before != value => Err(Failure::Text),
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

/// Both texts, each from where reading has come to.
struct Reader<'a> {
    text: &'a str,
    format: &'a str,
    inner_white: bool,
    trailing_white: bool,
    found: Found,
}

impl Reader<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        while !self.format.is_empty() {
            self.skip_inner_white();
            self.piece()?;
        }
        if self.text.is_empty() { Ok(()) } else { Err(Failure::Text) }
    }

    fn skip_inner_white(&mut self) {
        if self.inner_white {
            self.text = trim_start(self.text);
        }
    }

    /// Reads what the start of the format asks for.
    fn piece(&mut self) -> Result<(), Failure> {
        let Some(c) = self.format.chars().next() else { return Ok(()) };
        let run = if c.is_ascii() { run_length(self.format) } else { 1 };
        match c {
            'y' => {
                self.found.two_digit_year |= run <= 2;
                let year = self.digits(run)?;
                agree(&mut self.found.year, year)?;
            }
            'M' => {
                let month = if run <= 2 { self.digits(run)? } else { self.name(&MONTHS, run)? + 1 };
                agree(&mut self.found.month, month)?;
            }
            'd' if run <= 2 => {
                let day = self.digits(run)?;
                agree(&mut self.found.day, day)?;
            }
            'd' => {
                let weekday = self.name(&WEEKDAYS, run)?;
                agree(&mut self.found.weekday, weekday)?;
            }
            'h' | 'H' => {
                self.found.twelve_hours |= c == 'h';
                let hour = self.digits(run.min(2))?;
                agree(&mut self.found.hour, hour)?;
            }
            'm' => {
                let minute = self.digits(run.min(2))?;
                agree(&mut self.found.minute, minute)?;
            }
            's' => {
                let second = self.digits(run.min(2))?;
                agree(&mut self.found.second, second)?;
            }
            'f' | 'F' => self.fraction(run, c == 'f')?,
            't' => self.half(run)?,
            'z' => {
                let offset = self.offset(run)?;
                agree(&mut self.found.offset, offset)?;
            }
            'g' => {
                let era = [names::ERA, names::SHORT_ERA].into_iter().any(|era| self.word(era));
                if !era {
                    return Err(Failure::Text);
                }
            }
            'Z' => {
                if !self.word("Z") && !self.word("GMT") {
                    return Err(Failure::Text);
                }
                self.format = &self.format[1..];
                return agree(&mut self.found.offset, 0);
            }
            'K' => {
                self.format = &self.format[1..];
                return self.kind();
            }
            _ => return self.literal(c),
        }
        self.format = &self.format[run..];
        Ok(())
    }

    /// Reads what is not a letter of the format language.
    fn literal(&mut self, c: char) -> Result<(), Failure> {
        let after = &self.format[c.len_utf8()..];
        match c {
            '%' => {
                if matches!(after.chars().next(), None | Some('%')) {
                    return Err(Failure::Format);
                }
                self.format = after;
                Ok(())
            }
            '\\' => {
                let escaped = after.chars().next().ok_or(Failure::Format)?;
                self.format = &after[escaped.len_utf8()..];
                self.expect(escaped)
            }
            '\'' | '"' => {
                let (inside, length) = quoted(self.format).ok_or(Failure::Format)?;
                self.format = &self.format[length..];
                inside.chars().try_for_each(|c| {
                    if c == ' ' && self.inner_white {
                        self.skip_inner_white();
                        Ok(())
                    } else {
                        self.expect(c)
                    }
                })
            }
            // An absent fraction may lack its point too, but .NET looks for two letters only.
            '.' if !self.text.starts_with('.') && after.starts_with("FF") => {
                self.format = &after[run_length(after)..];
                Ok(())
            }
            ' ' if self.inner_white => {
                self.format = after;
                Ok(())
            }
            ' ' if !self.text.starts_with(' ') && self.trailing_white && !after.is_empty() => {
                // The blank may stand before a part that is empty at the end of the text.
                self.format = after;
                self.piece()
            }
            'G' if self.format.starts_with("GMT") => {
                self.format = &self.format[3..];
                self.found.offset = Some(0);
                "GMT".chars().try_for_each(|c| self.expect(c))
            }
            _ => {
                self.format = after;
                self.expect(c)
            }
        }
    }

    fn expect(&mut self, c: char) -> Result<(), Failure> {
        self.text = self.text.strip_prefix(c).ok_or(Failure::Text)?;
        Ok(())
    }

    /// A number of exactly that many digits; a single one means one or two.
    fn digits(&mut self, count: usize) -> Result<i64, Failure> {
        let (least, most) = if count == 1 { (1, 2) } else { (count, count) };
        let found = self.text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if found < least {
            return Err(Failure::Text);
        }
        let (digits, rest) = self.text.split_at(found);
        self.text = rest;
        digits.parse().map_err(|_| Failure::Text)
    }

    fn name(&mut self, names: &[&'static str], run: usize) -> Result<i64, Failure> {
        for (index, name) in (0..).zip(names) {
            if self.word(if run == 3 { names::short(name) } else { name }) {
                return Ok(index);
            }
        }
        Err(Failure::Text)
    }

    /// Takes a word in any case, if the text begins with it.
    fn word(&mut self, word: &str) -> bool {
        match self.text.get(..word.len()) {
            Some(start) if start.eq_ignore_ascii_case(word) => {
                self.text = &self.text[word.len()..];
                true
            }
            _ => false,
        }
    }

    fn fraction(&mut self, digits: usize, all_needed: bool) -> Result<(), Failure> {
        if digits > FRACTION_DIGITS {
            return Err(Failure::Text);
        }
        let found = self.text.bytes().take(digits).take_while(u8::is_ascii_digit).count();
        if all_needed && found < digits {
            return Err(Failure::Text);
        }
        let (read, rest) = self.text.split_at(found);
        self.text = rest;
        let fraction = format!("{read:0<FRACTION_DIGITS$}").parse().map_err(|_| Failure::Text)?;
        agree(&mut self.found.fraction, fraction)
    }

    fn half(&mut self, run: usize) -> Result<(), Failure> {
        let (am, pm) = if run == 1 { ("A", "P") } else { ("AM", "PM") };
        let half = if self.word(am) {
            Half::Am
        } else if self.word(pm) {
            Half::Pm
        } else {
            return Err(Failure::Text);
        };
        agree(&mut self.found.half, half)
    }

    fn kind(&mut self) -> Result<(), Failure> {
        if self.text.starts_with('Z') {
            self.expect('Z')?;
            agree(&mut self.found.offset, 0)
        } else if self.text.starts_with(['+', '-']) {
            let offset = self.offset(3)?;
            agree(&mut self.found.offset, offset)
        } else {
            Ok(())
        }
    }

    fn offset(&mut self, run: usize) -> Result<i64, Failure> {
        let negative = self.text.starts_with('-');
        if !negative && !self.text.starts_with('+') {
            return Err(Failure::Text);
        }
        self.text = &self.text[1..];
        let hours = self.digits(run.min(if run <= 2 { 2 } else { 1 }))?;
        let mut minutes = 0;
        if run > 2 {
            self.text = self.text.strip_prefix(':').unwrap_or(self.text);
            minutes = self.digits(2)?;
        }
        if minutes >= 60 {
            return Err(Failure::Text);
        }
        let offset = hours * HOUR + minutes * MINUTE;
        Ok(if negative { -offset } else { offset })
    }
}

/// Ticks of a fraction written in any number of digits, rounded.
pub(super) fn rounded_fraction(digits: &str) -> Option<i64> {
    let kept: i64 = format!("{:0<8}", digits.get(..8).unwrap_or(digits)).parse().ok()?;
    Some((kept + 5) / 10).filter(|ticks| *ticks <= SECOND)
}

fn without_white_before_last_quote(format: Cow<'_, str>) -> Cow<'_, str> {
    let trimmed = trim_end(&format);
    for quote in ['\'', '"'] {
        if let Some(inside) = trimmed.strip_suffix(quote).filter(|inside| inside.len() > 1) {
            return Cow::Owned(format!("{}{quote}", trim_end(inside)));
        }
    }
    Cow::Owned(trimmed.to_owned())
}

fn without_white_after_first_quote(format: Cow<'_, str>) -> Cow<'_, str> {
    let trimmed = trim_start(&format);
    for quote in ['\'', '"'] {
        if let Some(inside) = trimmed.strip_prefix(quote).filter(|inside| inside.len() > 1) {
            return Cow::Owned(format!("{quote}{}", trim_start(inside)));
        }
    }
    Cow::Owned(trimmed.to_owned())
}
