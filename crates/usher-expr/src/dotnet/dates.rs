//! .NET date and time formats in invariant culture, in UTC.

use std::str::FromStr;

use jiff::Timestamp;
use smol_str::SmolStr;
use thiserror::Error;

/// Why a date could not be read, printed or computed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DateError {
    /// The text does not match the format.
    #[error("the text {text:?} does not match the format {format:?}")]
    Mismatch {
        /// The text.
        text: String,
        /// The format.
        format: String,
    },
    /// The format is not a .NET date format.
    #[error("{format:?} is not a date format")]
    Format {
        /// The format.
        format: String,
    },
    /// The result lies outside the years 0001 to 9999.
    #[error("the date lies outside the years 0001 to 9999")]
    Range,
    /// No such interval.
    #[error("{interval:?} is not a date interval")]
    Interval {
        /// The interval as written.
        interval: String,
    },
    /// No such style, or styles that exclude each other.
    #[error("{styles:?} are not date-time styles")]
    Styles {
        /// The styles as written.
        styles: String,
    },
}

/// A set of .NET `DateTimeStyles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Styles(u16);

impl Default for Styles {
    fn default() -> Self {
        Styles(0)
    }
}

impl FromStr for Styles {
    type Err = DateError;
    fn from_str(_text: &str) -> Result<Self, DateError> {
        Ok(Styles(0))
    }
}

/// Reads a date-time as .NET's invariant parser does; text without an offset is UTC.
pub fn parse_any(_text: &str) -> Option<Timestamp> {
    None
}
/// Reads a date-time that must have exactly the given format.
pub fn parse_exact(text: &str, format: &str, _styles: Styles, _now: Timestamp) -> Result<Timestamp, DateError> {
    Err(DateError::Mismatch { text: text.to_owned(), format: format.to_owned() })
}
/// Prints a date-time in a .NET format.
pub fn format(_t: Timestamp, format: &str) -> Result<String, DateError> {
    Err(DateError::Format { format: format.to_owned() })
}
/// The printed form of a date-time value: `M/d/yyyy h:mm:ss tt`.
pub fn standard(_t: Timestamp) -> SmolStr {
    SmolStr::default()
}
/// Adds `n` intervals.
pub fn add(_interval: &str, _n: i64, t: Timestamp) -> Result<Timestamp, DateError> {
    Ok(t)
}
/// `b` minus `a` in an interval.
pub fn diff(_interval: &str, _a: Timestamp, _b: Timestamp) -> Result<i64, DateError> {
    Ok(0)
}
/// The date-time of a FILETIME number; none when the number stands for no date.
pub fn from_filetime(_filetime: i64) -> Option<Timestamp> {
    None
}
/// The FILETIME number of a date-time.
pub fn to_filetime(_t: Timestamp) -> i64 {
    0
}
