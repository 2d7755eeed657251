//! The service's own key for plans: signs them, stands for values that are not shown, and draws their random numbers.

use aws_lc_rs::hmac;
use usher_core::{Anchor, Secret};

use crate::Engine;
use crate::cases::CaseError;

/// The name under which the key is stored.
const SETTING: &str = "plan-key";

/// The key.
pub(crate) struct PlanKey(hmac::Key);

impl PlanKey {
    fn new(text: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()))
    }

    /// A digest that only the key can make. `what` keeps digests of different things apart.
    pub(crate) fn digest(&self, what: &str, text: &str) -> String {
        let tag = self.tag(what, text);
        tag.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }

    /// Whether a digest is right; takes the same time whatever is wrong with it.
    pub(crate) fn is_digest(&self, what: &str, text: &str, digest: &str) -> bool {
        let bytes: Option<Vec<u8>> = (0..digest.len())
            .step_by(2)
            .map(|at| digest.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect();
        bytes.is_some_and(|bytes| hmac::verify(&self.0, message(what, text).as_bytes(), &bytes).is_ok())
    }

    /// The seed of a subject's random values: the same in the plan and when it is applied, and unknown to who holds
    /// the plan.
    pub(crate) fn seed(&self, plan: &str, source_type: &str, source_anchor: &Anchor) -> u64 {
        let tag = self.tag("seed", &format!("{plan}\n{source_type}\n{source_anchor}"));
        tag.as_ref().iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
    }

    fn tag(&self, what: &str, text: &str) -> hmac::Tag {
        hmac::sign(&self.0, message(what, text).as_bytes())
    }
}

fn message(what: &str, text: &str) -> String {
    format!("{what}\n{text}")
}

impl Engine {
    /// The key, which is made when it is first needed.
    pub(crate) async fn plan_key(&self) -> Result<PlanKey, CaseError> {
        let _making = self.locks.lock(SETTING.to_owned()).await;
        if let Some(text) = self.store.setting(SETTING).await? {
            return Ok(PlanKey::new(text.expose()));
        }
        let text = format!("{}{}", self.clock.guid().simple(), self.clock.guid().simple());
        self.store.put_setting(SETTING, &Secret::new(text.as_str())).await?;
        Ok(PlanKey::new(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_fits_its_text_its_purpose_and_its_key() {
        let key = PlanKey::new("k");
        let digest = key.digest("plan", "text");
        assert_eq!(digest.len(), 64);
        assert!(key.is_digest("plan", "text", &digest));
        assert!(!key.is_digest("plan", "texT", &digest));
        assert!(!key.is_digest("object", "text", &digest));
        assert!(!PlanKey::new("l").is_digest("plan", "text", &digest));
        for nonsense in ["", "0", "zz", "ü", &digest[..62]] {
            assert!(!key.is_digest("plan", "text", nonsense), "{nonsense}");
        }
    }

    #[test]
    fn subjects_draw_different_numbers() {
        let key = PlanKey::new("k");
        let seed = |plan, anchor: &str| key.seed(plan, "User", &Anchor::new(anchor));
        assert_eq!(seed("p", "a"), seed("p", "a"));
        assert_ne!(seed("p", "a"), seed("p", "b"));
        assert_ne!(seed("p", "a"), seed("q", "a"));
    }
}
