//! `[datetime]` values: with a zone, or as a clock on the wall shows them.

use jiff::Timestamp;
use jiff::civil::{self, DateTime};
use jiff::tz::TimeZone;

/// A `System.DateTime`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Date {
    /// An instant: the text had a zone.
    Instant(Timestamp),
    /// A time on the wall: the text had none, and the zone of whoever runs the command decides.
    Wall(DateTime),
}

/// How the invariant culture writes dates, besides ISO 8601: the month first.
const FORMATS: [&str; 6] = [
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
];

impl Date {
    /// Reads a date as `[datetime]'…'` does.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Some(Self::Instant(instant));
        }
        if let Ok(wall) = text.parse::<DateTime>() {
            return Some(Self::Wall(wall));
        }
        for format in FORMATS {
            if let Ok(wall) = DateTime::strptime(format, text) {
                return Some(Self::Wall(wall));
            }
        }
        civil::Date::strptime("%m/%d/%Y", text).ok().map(|date| Self::Wall(date.at(0, 0, 0, 0)))
    }

    /// The date as it goes out: UTC, `yyyy-MM-ddTHH:mm:ss.fffffffZ`.
    pub fn to_utc(self, zone: &TimeZone) -> String {
        let instant = match self {
            Self::Instant(instant) => instant,
            // Beyond the years a timestamp can hold, the wall time is all there is to say.
            Self::Wall(wall) => match zone.to_timestamp(wall) {
                Ok(instant) => instant,
                Err(_) => return wall.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string(),
            },
        };
        instant.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string()
    }

    /// The date as PowerShell puts it into a text.
    pub fn to_text(self) -> String {
        self.wall().strftime("%m/%d/%Y %H:%M:%S").to_string()
    }

    /// The date so that [`Date::parse`] reads it again.
    pub fn to_literal(self) -> String {
        match self {
            Self::Instant(instant) => instant.to_string(),
            Self::Wall(wall) => wall.to_string(),
        }
    }

    fn wall(self) -> DateTime {
        match self {
            Self::Instant(instant) => TimeZone::UTC.to_datetime(instant),
            Self::Wall(wall) => wall,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(
            Date::parse(text).map(|date| date.to_utc(&zone)).unwrap_or("none".into()),
            expected,
            "{text}"
        );
    }

    #[test]
    fn dates_go_out_in_utc_with_seven_fractional_digits() {
        check("2024-05-01T10:00:00Z", "2024-05-01T10:00:00.0000000Z");
        check("2024-05-01T10:00:00.1234567+05:00", "2024-05-01T05:00:00.1234567Z");
        check("2024-05-01T10:00:00", "2024-05-01T08:00:00.0000000Z");
        check("2024-05-01", "2024-04-30T22:00:00.0000000Z");
        check("05/01/2024", "2024-04-30T22:00:00.0000000Z");
        check("05/01/2024 10:30", "2024-05-01T08:30:00.0000000Z");
        check("05/01/2024 1:30 PM", "2024-05-01T11:30:00.0000000Z");
        check("tomorrow", "none");
        check("", "none");
    }
}
