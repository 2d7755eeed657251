//! Date-times as .NET counts them: ticks of 100 nanoseconds since the first day of year 1, and the
//! calendar fields of a tick count.

use jiff::Timestamp;

use super::DateError;

pub(super) const SECOND: i64 = 10_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
/// 9999-12-31T23:59:59.9999999.
pub(super) const LAST: i64 = 3_155_378_975_999_999_999;

const UNIX_EPOCH: i64 = 621_355_968_000_000_000;
const FILETIME_EPOCH: i64 = 504_911_232_000_000_000;

/// A `Timestamp` ends 26 hours before the end of year 9999, and `9999-12-31` is how people write
/// "never". So its very last second, which nothing else needs, stands for those 26 hours: every
/// nanosecond of it counts for this many ticks. Order, equality and whole milliseconds are kept.
const TICKS_PER_NANOSECOND_AT_THE_END: i64 = 1_000;

/// The ticks of a timestamp. Years before 1 are held at the first tick.
pub(super) fn ticks_of(t: Timestamp) -> i64 {
    let second = t.as_second();
    let within = i64::from(t.subsec_nanosecond());
    // The nanoseconds are negative before 1970.
    let within = if second == Timestamp::MAX.as_second() {
        within * TICKS_PER_NANOSECOND_AT_THE_END
    } else {
        within.div_euclid(100)
    };
    (UNIX_EPOCH + second * SECOND + within).clamp(0, LAST)
}

/// The timestamp of a tick count; an error outside the years 0001 to 9999.
pub(super) fn timestamp_of(ticks: i64) -> Result<Timestamp, DateError> {
    if !(0..=LAST).contains(&ticks) {
        return Err(DateError::Range);
    }
    let since_epoch = ticks - UNIX_EPOCH;
    let second = since_epoch.div_euclid(SECOND);
    let within = since_epoch.rem_euclid(SECOND);
    let last = Timestamp::MAX.as_second();
    let (second, nanosecond) = if second >= last {
        (last, (since_epoch - last * SECOND) / TICKS_PER_NANOSECOND_AT_THE_END)
    } else {
        (second, within * 100)
    };
    let nanosecond = i32::try_from(nanosecond).map_err(|_| DateError::Range)?;
    Timestamp::new(second, nanosecond).map_err(|_| DateError::Range)
}

pub(super) fn of_filetime(filetime: i64) -> Option<i64> {
    if filetime < 0 { None } else { filetime.checked_add(FILETIME_EPOCH) }
}

pub(super) fn to_filetime(ticks: i64) -> i64 {
    ticks - FILETIME_EPOCH
}

/// What a calendar and a clock show at a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    /// Ticks within the second.
    pub(super) fraction: i64,
}

impl Fields {
    pub(super) fn of(ticks: i64) -> Fields {
        let (year, month, day) = civil_of(ticks / DAY);
        Fields {
            year,
            month,
            day,
            hour: ticks % DAY / HOUR,
            minute: ticks % HOUR / MINUTE,
            second: ticks % MINUTE / SECOND,
            fraction: ticks % SECOND,
        }
    }

    /// The tick count, or none when a field is out of its bounds. A fraction of a whole second
    /// carries over.
    pub(super) fn ticks(self) -> Option<i64> {
        let valid = (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day)
            && (0..24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..60).contains(&self.second);
        let ticks = |f: Fields| {
            days_of(f.year, f.month, f.day) * DAY
                + f.hour * HOUR
                + f.minute * MINUTE
                + f.second * SECOND
                + f.fraction
        };
        valid.then(|| ticks(self)).filter(|ticks| *ticks <= LAST)
    }
}

/// The weekday of a tick, counted from Sunday.
pub(super) fn weekday(ticks: i64) -> i64 {
    (ticks / DAY + 1) % 7
}

pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days before a date since 0001-01-01. Years are counted from March, so that the leap day is the
/// last one.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
        - 1
        - DAYS_BEFORE_MARCH_OF_YEAR_0
}

/// From 0000-03-01 to 0001-01-01.
const DAYS_BEFORE_MARCH_OF_YEAR_0: i64 = 306;
const DAYS_IN_400_YEARS: i64 = 146_097;

fn civil_of(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_BEFORE_MARCH_OF_YEAR_0;
    let era = days / DAYS_IN_400_YEARS;
    let day_of_era = days % DAYS_IN_400_YEARS;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / (DAYS_IN_400_YEARS - 1)) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}
