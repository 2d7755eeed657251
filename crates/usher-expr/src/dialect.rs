//! The three dialects of the language. A dialect is a property of a job or rule, never guessed.

use std::fmt;
use std::str::FromStr;

/// Which functions exist and what they mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Expressions of the provisioning service.
    #[default]
    Service,
    /// Expressions of Active Directory to Entra ID cloud sync.
    CloudSync,
    /// Expressions of synchronization rules of the hybrid family (Connect).
    Hybrid,
}

impl Dialect {
    /// Every dialect, in the order in which they are documented.
    pub const ALL: &'static [Dialect] = &[Dialect::Service, Dialect::CloudSync, Dialect::Hybrid];

    /// The name in settings, vectors and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Service => "service",
            Dialect::CloudSync => "cloud-sync",
            Dialect::Hybrid => "hybrid",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown dialect \"{0}\": expected service, cloud-sync or hybrid")]
pub struct UnknownDialect(String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Dialect::ALL
            .iter()
            .copied()
            .find(|dialect| dialect.name() == text)
            .ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}
