//! The production clock: the system's time and the system's randomness.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use usher_core::ports::Clock;
use uuid::Uuid;

/// The system's clock and dice.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the system's time comes in")]
    fn now(&self) -> Timestamp {
        // As fine as the store keeps it: what is told when something is made is what is told ever after.
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the system's randomness comes in"
    )]
    fn guid(&self) -> Uuid {
        Uuid::new_v4()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_no_more_digits_than_graph_writes() {
        for _ in 0..100 {
            let text = SystemClock.now().to_string();
            assert!(text.split('.').nth(1).is_none_or(|digits| digits.len() <= 7), "{text}");
        }
    }
}
