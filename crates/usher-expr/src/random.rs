//! Random texts under the rules of `RandomString`.

use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;

const DIGITS: &str = "0123456789";
const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER_CASE: &str = "abcdefghijklmnopqrstuvwxyz";
/// The special characters of the Windows password rules.
const SPECIAL: &str = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/";

/// The longest text that may be asked for.
pub(crate) const LONGEST: i64 = 256;

/// How many characters are wanted, in all and at least of each kind.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) length: i64,
    pub(crate) digits: i64,
    pub(crate) special: i64,
    pub(crate) capitals: i64,
    pub(crate) lower_case: i64,
}

impl Wanted {
    /// Why such a text cannot exist.
    pub(crate) fn problem(&self) -> Option<String> {
        let minima = [self.digits, self.special, self.capitals, self.lower_case];
        if self.length < 0 || minima.iter().any(|minimum| *minimum < 0) {
            return Some("a number of characters cannot be negative".to_owned());
        }
        if self.length > LONGEST {
            return Some(format!("the length {} is above {LONGEST}", self.length));
        }
        let sum = minima.iter().fold(0_i64, |sum, minimum| sum.saturating_add(*minimum));
        (sum > self.length).then(|| format!("the minima add up to {sum}, the length is only {}", self.length))
    }

    /// Draws a text without the characters to avoid.
    ///
    /// What the minima leave free comes from the kinds whose minimum is above zero, or from letters and
    /// digits when none is.
    pub(crate) fn draw(&self, avoid: &str, generator: &mut ChaCha8Rng) -> Result<String, String> {
        if let Some(problem) = self.problem() {
            return Err(problem);
        }
        let kinds = [
            (DIGITS, self.digits),
            (SPECIAL, self.special),
            (CAPITALS, self.capitals),
            (LOWER_CASE, self.lower_case),
        ];
        let without =
            |kind: &str| -> Vec<char> { kind.chars().filter(|one| !avoid.contains(*one)).collect() };
        let mut drawn = Vec::new();
        let mut free = Vec::new();
        for (kind, minimum) in kinds.into_iter().filter(|(_, minimum)| *minimum > 0) {
            let allowed = without(kind);
            for _ in 0..minimum {
                drawn.push(*allowed.choose(generator).ok_or("every character of a kind is to be avoided")?);
            }
            free.extend(allowed);
        }
        if free.is_empty() {
            free = [DIGITS, CAPITALS, LOWER_CASE].into_iter().flat_map(without).collect();
        }
        while (drawn.len() as i64) < self.length {
            drawn.push(*free.choose(generator).ok_or("every character is to be avoided")?);
        }
        drawn.shuffle(generator);
        Ok(drawn.into_iter().collect())
    }
}

/// A number of the interval, both ends included.
pub(crate) fn between(start: i64, end: i64, generator: &mut ChaCha8Rng) -> i64 {
    generator.random_range(start..=end)
}
