//! Printing a date-time in a .NET format.

use std::fmt::Write;

use super::DateError;
use super::names::{self, MONTHS, WEEKDAYS, run_length};
use super::ticks::{Fields, weekday};

/// More digits than this a fraction of a second cannot have.
pub(super) const FRACTION_DIGITS: usize = 7;
/// More digits than this .NET refuses to pad a number to.
const PADDING: usize = 99;

/// Prints ticks in a standard or custom format.
pub(super) fn print(ticks: i64, format: &str, out: &mut String) -> Result<(), DateError> {
    let refuse = || DateError::Format { format: format.to_owned() };
    let custom = match format.as_bytes() {
        [] => "MM/dd/yyyy HH:mm:ss",
        [letter] => names::standard_format(*letter).ok_or_else(refuse)?,
        _ => format,
    };
    let fields = Fields::of(ticks);
    let mut rest = custom;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '%' => match rest[1..].chars().next() {
                Some(next) if next != '%' => {
                    let end = 1 + next.len_utf8();
                    piece(ticks, &fields, &rest[1..end], out).ok_or_else(refuse)?;
                    end
                }
                _ => return Err(refuse()),
            },
            _ => piece(ticks, &fields, rest, out).ok_or_else(refuse)?,
        };
        rest = &rest[length..];
    }
    Ok(())
}

/// Prints what the start of `format` asks for and returns how much of it that was.
fn piece(ticks: i64, fields: &Fields, format: &str, out: &mut String) -> Option<usize> {
    let c = format.chars().next()?;
    let run = if c.is_ascii() { run_length(format) } else { 1 };
    match c {
        'y' if run <= 2 => number(out, fields.year % 100, run),
        'y' if run > PADDING => return None,
        'y' => number(out, fields.year, run),
        'M' => match run {
            1 | 2 => number(out, fields.month, run),
            _ => name(out, &MONTHS, fields.month - 1, run),
        },
        'd' => match run {
            1 | 2 => number(out, fields.day, run),
            _ => name(out, &WEEKDAYS, weekday(ticks), run),
        },
        'H' => number(out, fields.hour, run.min(2)),
        'h' => number(out, (fields.hour + 11) % 12 + 1, run.min(2)),
        'm' => number(out, fields.minute, run.min(2)),
        's' => number(out, fields.second, run.min(2)),
        'f' | 'F' if run > FRACTION_DIGITS => return None,
        'f' | 'F' => fraction(out, fields.fraction, run, c == 'F'),
        't' => {
            let half = if fields.hour < 12 { "AM" } else { "PM" };
            out.push_str(&half[..run.min(2)]);
        }
        'g' => out.push_str(names::ERA),
        // Every date-time is in UTC.
        'z' => out.push_str(match run {
            1 => "+0",
            2 => "+00",
            _ => "+00:00",
        }),
        'K' => {
            out.push('Z');
            return Some(1);
        }
        '\'' | '"' => {
            let (text, length) = names::quoted(format)?;
            out.push_str(&text);
            return Some(length);
        }
        '\\' => {
            let literal = format[1..].chars().next()?;
            out.push(literal);
            return Some(1 + literal.len_utf8());
        }
        _ => {
            out.push(c);
            return Some(c.len_utf8());
        }
    }
    Some(run)
}

fn number(out: &mut String, value: i64, width: usize) {
    if width == 2 && (0..100).contains(&value) {
        let digit = |n: i64| char::from(b'0' + u8::try_from(n).unwrap_or_default());
        out.push(digit(value / 10));
        out.push(digit(value % 10));
    } else {
        write!(out, "{value:0width$}").expect("writing to a string does not fail");
    }
}

fn name(out: &mut String, names: &[&'static str], index: i64, run: usize) {
    if let Some(name) = usize::try_from(index).ok().and_then(|index| names.get(index)) {
        out.push_str(if run == 3 { names::short(name) } else { name });
    }
}

fn fraction(out: &mut String, ticks: i64, digits: usize, cut_zeros: bool) {
    let all = format!("{ticks:0FRACTION_DIGITS$}");
    let asked = &all[..digits];
    if !cut_zeros {
        out.push_str(asked);
        return;
    }
    let needed = asked.trim_end_matches('0');
    if needed.is_empty() && out.ends_with('.') {
        out.pop();
    }
    out.push_str(needed);
}
