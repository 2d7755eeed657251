//! What an evaluation may know of the world: the clock, randomness and parameters, all given as data.

use std::collections::BTreeMap;

use jiff::Timestamp;
use smol_str::SmolStr;

use crate::Value;

/// Where `[attribute]` is looked up.
pub trait Attributes {
    /// The value of the attribute, exact name first, then without regard to case; `Null` when absent.
    fn get(&self, name: &str) -> Value;
}

impl Attributes for BTreeMap<SmolStr, Value> {
    fn get(&self, name: &str) -> Value {
        if let Some(value) = BTreeMap::get(self, name) {
            return value.clone();
        }
        let lowered = name.to_lowercase();
        self.iter()
            .find(|(key, _)| key.to_lowercase() == lowered)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }
}

/// The evaluation context: two evaluations with equal contexts and inputs give equal results.
#[derive(Clone, Debug)]
pub struct Context {
    /// The instant that `Now()` answers.
    pub now: Timestamp,
    /// Where `Guid`, `RandomString` and `RandomNum` draw from.
    pub seed: u64,
    /// Values of `%Name%` parameters.
    pub parameters: BTreeMap<SmolStr, SmolStr>,
    /// What `DefaultDomain()` answers; null when unknown.
    pub default_domain: Option<SmolStr>,
    /// Compatibility: a condition of `IIF` over a null or empty attribute is false.
    pub empty_condition_is_false: bool,
}

impl Context {
    /// A context with a clock and a seed, and nothing else.
    pub fn new(now: Timestamp, seed: u64) -> Context {
        Context {
            now,
            seed,
            parameters: BTreeMap::new(),
            default_domain: None,
            empty_condition_is_false: false,
        }
    }
}
