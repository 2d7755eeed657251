//! .NET date and time formats in invariant culture. Every date-time is an instant in UTC between
//! the years 0001 and 9999, and the server's own zone is UTC too.

mod exact;
mod general;
mod interval;
mod names;
mod print;
mod styles;
mod ticks;

use jiff::Timestamp;
use smol_str::{SmolStr, SmolStrBuilder};
use thiserror::Error;

use interval::Interval;
pub use styles::Styles;
use ticks::{Fields, ticks_of, timestamp_of};

/// Why a date could not be read, printed or computed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DateError {
    /// The text is not written as the format says.
    #[error("{text:?} does not match the date format {format:?}")]
    Mismatch {
        /// The text that was read.
        text: String,
        /// The format it was read with.
        format: String,
    },
    /// The format is none.
    #[error("{format:?} is not a date format")]
    Format {
        /// The format as written.
        format: String,
    },
    /// The result has no place between the years 0001 and 9999.
    #[error("the date lies outside the years 0001 to 9999")]
    Range,
    /// There is no such interval.
    #[error("{interval:?} is not a date interval")]
    Interval {
        /// The interval as written.
        interval: String,
    },
    /// There is no such style, or the styles exclude each other.
    #[error("{styles:?} is not a set of date-time styles")]
    Styles {
        /// The styles as written.
        styles: String,
    },
}

/// Reads a date-time in any of the forms that .NET reads without a format, month before day.
///
/// Text without an offset is UTC. Text that .NET completes from the current date (a time alone,
/// a day without its year) is not read: the result would depend on the clock.
pub fn parse_any(text: &str) -> Option<Timestamp> {
    general::read(text).and_then(|ticks| timestamp_of(ticks).ok())
}

/// Reads a date-time that is written exactly as the format says. `now` gives the date, or the
/// year, that the format does not ask for.
pub fn parse_exact(text: &str, format: &str, styles: Styles, now: Timestamp) -> Result<Timestamp, DateError> {
    timestamp_of(exact::read(text, format, styles, ticks_of(now))?)
}

/// Prints a date-time in a standard or custom .NET format.
pub fn format(t: Timestamp, format: &str) -> Result<String, DateError> {
    let mut out = String::with_capacity(format.len() + 8);
    print::print(ticks_of(t), format, &mut out)?;
    Ok(out)
}

/// The form in which the language prints a date-time value: `M/d/yyyy h:mm:ss tt`. It fits into
/// the text value itself, so nothing is allocated.
pub fn standard(t: Timestamp) -> SmolStr {
    let fields = Fields::of(ticks_of(t));
    let mut out = SmolStrBuilder::new();
    digits(&mut out, fields.month, 1);
    out.push('/');
    digits(&mut out, fields.day, 1);
    out.push('/');
    digits(&mut out, fields.year, 4);
    out.push(' ');
    digits(&mut out, (fields.hour + 11) % 12 + 1, 1);
    out.push(':');
    digits(&mut out, fields.minute, 2);
    out.push(':');
    digits(&mut out, fields.second, 2);
    out.push_str(if fields.hour < 12 { " AM" } else { " PM" });
    out.finish()
}

/// Adds `n` intervals: `yyyy`, `m`, `ww`, `d`, `h`, `n` or `s`. Month and year arithmetic ends on
/// the last day of a month that is too short.
pub fn add(interval: &str, n: i64, t: Timestamp) -> Result<Timestamp, DateError> {
    let interval: Interval = interval.parse()?;
    timestamp_of(interval.add(n, ticks_of(t)).ok_or(DateError::Range)?)
}

/// `b` minus `a` in an interval: positive when `b` is later.
pub fn diff(interval: &str, a: Timestamp, b: Timestamp) -> Result<i64, DateError> {
    let interval: Interval = interval.parse()?;
    Ok(interval.diff(ticks_of(a), ticks_of(b)))
}

/// The date-time of a FILETIME number: 100 nanoseconds since 1601. None for a negative number and
/// for one past year 9999, such as the largest, which stands for "never".
pub fn from_filetime(filetime: i64) -> Option<Timestamp> {
    ticks::of_filetime(filetime).and_then(|ticks| timestamp_of(ticks).ok())
}

/// The FILETIME number of a date-time; negative before 1601.
pub fn to_filetime(t: Timestamp) -> i64 {
    ticks::to_filetime(ticks_of(t))
}

fn digits(out: &mut SmolStrBuilder, value: i64, least: u32) {
    let length = value.checked_ilog10().unwrap_or_default() + 1;
    for place in (0..length.max(least)).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
}
