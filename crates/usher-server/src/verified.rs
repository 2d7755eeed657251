//! Tokens of ours whose signature was found good: checking one costs more than all the rest of a read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// How many tokens are remembered at once; each lives an hour at most.
const TOKENS: usize = 4_096;

/// The claims of tokens, by the digest of the whole token: what differs in one bit is another token.
#[derive(Default)]
pub struct Verified {
    claims: Mutex<HashMap<[u8; 32], Arc<Value>>>,
}

impl Verified {
    /// The claims of a token, verified now or earlier. Times in them are for the caller to compare.
    ///
    /// # Errors
    /// Those of `verify`, which are not remembered.
    pub fn claims<E>(&self, token: &str, verify: impl FnOnce() -> Result<Value, E>) -> Result<Arc<Value>, E> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = self.claims.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if let Some(claims) = known {
            return Ok(claims);
        }
        let claims = Arc::new(verify()?);
        let mut all = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= TOKENS {
            all.clear();
        }
        all.insert(digest, claims.clone());
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_verified_is_remembered() {
        let verified = Verified::default();
        let mut asked = 0;
        let mut ask = |token: &str, is_good: bool| {
            verified.claims(token, || {
                asked += 1;
                if is_good { Ok(json!({ "sub": token })) } else { Err(()) }
            })
        };
        assert!(ask("bad", false).is_err());
        assert!(ask("bad", false).is_err(), "it is looked at again");
        assert_eq!(ask("good", true).map(|claims| claims["sub"].clone()), Ok(json!("good")));
        assert_eq!(ask("good", false).map(|claims| claims["sub"].clone()), Ok(json!("good")));
        assert_eq!(asked, 3);
    }
}
