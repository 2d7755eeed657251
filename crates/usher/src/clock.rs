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
        Timestamp::now()
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
