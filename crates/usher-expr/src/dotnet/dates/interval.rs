//! Date arithmetic in the intervals of the language.

use std::str::FromStr;

use super::DateError;
use super::ticks::{DAY, Fields, HOUR, MINUTE, SECOND, days_in_month};

/// The unit of a date addition or difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interval {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

impl FromStr for Interval {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Interval, DateError> {
        const NAMES: [(&str, Interval); 7] = [
            ("yyyy", Interval::Year),
            ("m", Interval::Month),
            ("ww", Interval::Week),
            ("d", Interval::Day),
            ("h", Interval::Hour),
            ("n", Interval::Minute),
            ("s", Interval::Second),
        ];
        let named = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        named.map(|(_, interval)| *interval).ok_or_else(|| DateError::Interval { interval: text.to_owned() })
    }
}

impl Interval {
    /// The length in ticks, where it does not depend on the calendar.
    fn ticks(self) -> Option<i64> {
        Some(match self {
            Interval::Week => 7 * DAY,
            Interval::Day => DAY,
            Interval::Hour => HOUR,
            Interval::Minute => MINUTE,
            Interval::Second => SECOND,
            Interval::Year | Interval::Month => return None,
        })
    }

    /// Adds `n` of the interval; none on overflow.
    pub(super) fn add(self, n: i64, ticks: i64) -> Option<i64> {
        match self.ticks() {
            Some(unit) => ticks.checked_add(n.checked_mul(unit)?),
            None if self == Interval::Year => add_months(n.checked_mul(12)?, ticks),
            None => add_months(n, ticks),
        }
    }

    /// `b` minus `a`. Days and shorter units are elapsed time cut toward zero; weeks, months and
    /// years are the calendar's: what counts is how many Sundays, first days of a month or of a
    /// year lie between.
    pub(super) fn diff(self, a: i64, b: i64) -> i64 {
        let (from, to) = (Fields::of(a), Fields::of(b));
        match self {
            Interval::Year => to.year - from.year,
            Interval::Month => (to.year - from.year) * 12 + to.month - from.month,
            // Day 0 is a Monday.
            Interval::Week => (b / DAY + 1) / 7 - (a / DAY + 1) / 7,
            Interval::Day => (b - a) / DAY,
            Interval::Hour => (b - a) / HOUR,
            Interval::Minute => (b - a) / MINUTE,
            Interval::Second => (b - a) / SECOND,
        }
    }
}

/// Adds calendar months; a day that the new month does not have becomes its last one.
fn add_months(n: i64, ticks: i64) -> Option<i64> {
    let mut fields = Fields::of(ticks);
    let months = (fields.year * 12 + fields.month - 1).checked_add(n)?;
    fields.year = months.div_euclid(12);
    fields.month = months.rem_euclid(12) + 1;
    fields.day = fields.day.min(days_in_month(fields.year, fields.month));
    fields.ticks()
}
