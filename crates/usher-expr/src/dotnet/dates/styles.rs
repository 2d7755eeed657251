//! .NET's `DateTimeStyles`: how strictly a date is read and what an absent zone or date means.

use std::str::FromStr;

use super::DateError;

/// A set of .NET `DateTimeStyles`, written as names with commas between.
///
/// The server's own zone is UTC, so the styles that choose between local and universal time do
/// not change the instant; they are read and checked against each other as .NET does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Styles(u16);

impl Styles {
    /// Nothing but the format itself.
    pub const NONE: Styles = Styles(0);
    /// White space before the date is skipped.
    pub const ALLOW_LEADING_WHITE: Styles = Styles(1);
    /// White space after the date is skipped.
    pub const ALLOW_TRAILING_WHITE: Styles = Styles(2);
    /// White space between the parts is skipped.
    pub const ALLOW_INNER_WHITE: Styles = Styles(4);
    /// White space is skipped everywhere.
    pub const ALLOW_WHITE_SPACES: Styles = Styles(7);
    /// A time without a date is one of 0001-01-01 instead of today.
    pub const NO_CURRENT_DATE_DEFAULT: Styles = Styles(8);
    /// The result is in universal time.
    pub const ADJUST_TO_UNIVERSAL: Styles = Styles(16);
    /// A date without a zone is in local time.
    pub const ASSUME_LOCAL: Styles = Styles(32);
    /// A date without a zone is in universal time.
    pub const ASSUME_UNIVERSAL: Styles = Styles(64);
    /// The zone of the text is kept.
    pub const ROUNDTRIP_KIND: Styles = Styles(128);

    const NAMES: [(&str, Styles); 10] = [
        ("None", Styles::NONE),
        ("AllowLeadingWhite", Styles::ALLOW_LEADING_WHITE),
        ("AllowTrailingWhite", Styles::ALLOW_TRAILING_WHITE),
        ("AllowInnerWhite", Styles::ALLOW_INNER_WHITE),
        ("AllowWhiteSpaces", Styles::ALLOW_WHITE_SPACES),
        ("NoCurrentDateDefault", Styles::NO_CURRENT_DATE_DEFAULT),
        ("AdjustToUniversal", Styles::ADJUST_TO_UNIVERSAL),
        ("AssumeLocal", Styles::ASSUME_LOCAL),
        ("AssumeUniversal", Styles::ASSUME_UNIVERSAL),
        ("RoundtripKind", Styles::ROUNDTRIP_KIND),
    ];

    /// Whether all of `other` is in this set.
    pub fn contains(self, other: Styles) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Styles) -> Styles {
        Styles(self.0 | other.0)
    }

    /// Whether .NET takes these styles together.
    fn agree(self) -> bool {
        let zones = [Styles::ASSUME_LOCAL, Styles::ASSUME_UNIVERSAL, Styles::ADJUST_TO_UNIVERSAL];
        let assumes_both = self.contains(Styles::ASSUME_LOCAL.with(Styles::ASSUME_UNIVERSAL));
        let keeps_and_converts =
            self.contains(Styles::ROUNDTRIP_KIND) && zones.iter().any(|zone| self.contains(*zone));
        !assumes_both && !keeps_and_converts
    }
}

impl Default for Styles {
    /// The styles of a call that names none: the zone is kept, white space may surround the date.
    fn default() -> Styles {
        Styles::ROUNDTRIP_KIND.with(Styles::ALLOW_LEADING_WHITE).with(Styles::ALLOW_TRAILING_WHITE)
    }
}

impl FromStr for Styles {
    type Err = DateError;

    /// Reads names with commas between, in any case. Text without a name in it is the default.
    fn from_str(text: &str) -> Result<Styles, DateError> {
        if text.trim().is_empty() {
            return Ok(Styles::default());
        }
        let refuse = || DateError::Styles { styles: text.to_owned() };
        let mut styles = Styles::NONE;
        for part in text.split(',').map(str::trim) {
            let named = Styles::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(part));
            styles = styles.with(named.ok_or_else(refuse)?.1);
        }
        if styles.agree() { Ok(styles) } else { Err(refuse()) }
    }
}
