//! What a restart forgets: the flags of Graph's `synchronizationJobRestartScope`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A combination of flags (graph-synchronization API, `synchronizationJob: restart`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResetScope(u32);

/// The flags with their published names; `Full` is the first four together.
const FLAGS: &[(&str, ResetScope)] = &[
    ("ConnectorDataStore", ResetScope::CONNECTOR_DATA_STORE),
    ("Escrows", ResetScope::ESCROWS),
    ("Watermark", ResetScope::WATERMARK),
    ("QuarantineState", ResetScope::QUARANTINE_STATE),
    ("ForceDeletes", ResetScope::FORCE_DELETES),
];

impl ResetScope {
    /// Forgets nothing; a paused job goes on.
    pub const NONE: Self = Self(0);
    /// Forgets the pairings: everything is matched again.
    pub const CONNECTOR_DATA_STORE: Self = Self(1);
    /// Forgets the objects that failed and wait for another try.
    pub const ESCROWS: Self = Self(2);
    /// Forgets how far the source was read: the next cycle is an initial one.
    pub const WATERMARK: Self = Self(4);
    /// Lifts the quarantine.
    pub const QUARANTINE_STATE: Self = Self(8);
    /// All four above.
    pub const FULL: Self = Self(15);
    /// Forgets nothing; the next cycle carries out deletions whatever their number.
    pub const FORCE_DELETES: Self = Self(32);

    /// What an empty scope means, as the portal's restart: all objects again, pairings kept.
    pub const DEFAULT: Self = Self(Self::ESCROWS.0 | Self::WATERMARK.0 | Self::QUARANTINE_STATE.0);

    /// Whether all flags of the other scope are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags of both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Reads names separated by commas, without regard to case. An empty text is the portal's restart.
    ///
    /// # Errors
    /// The name that is no flag.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::DEFAULT);
        }
        text.split(',').map(str::trim).try_fold(Self::NONE, |scope, name| {
            let flag = match name {
                name if name.eq_ignore_ascii_case("None") => Self::NONE,
                name if name.eq_ignore_ascii_case("Full") => Self::FULL,
                name => FLAGS
                    .iter()
                    .find(|(known, _)| known.eq_ignore_ascii_case(name))
                    .map(|(_, flag)| *flag)
                    .ok_or_else(|| name.to_owned())?,
            };
            Ok(scope.with(flag))
        })
    }
}

impl fmt::Display for ResetScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<&str> =
            FLAGS.iter().filter(|(_, flag)| self.contains(*flag)).map(|(name, _)| *name).collect();
        if self.contains(Self::FULL) {
            names.drain(..4);
            names.insert(0, "Full");
        }
        if names.is_empty() {
            names.push("None");
        }
        formatter.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_reads_as_it_is_written() {
        for bits in (0..16).flat_map(|low| [low, low | 32]) {
            let scope = ResetScope(bits);
            assert_eq!(ResetScope::parse(&scope.to_string()), Ok(scope), "{scope}");
        }
    }

    #[test]
    fn names_are_read_without_regard_to_case_and_blanks() {
        let scope = ResetScope::parse(" watermark,ESCROWS , QuarantineState").expect("all are flags");
        assert_eq!(scope, ResetScope::DEFAULT);
        assert_eq!(ResetScope::parse("Full").expect("a flag").to_string(), "Full");
        assert_eq!(ResetScope::parse(" "), Ok(ResetScope::DEFAULT));
        assert_eq!(ResetScope::parse("Watermark, Everything"), Err("Everything".to_owned()));
    }
}
