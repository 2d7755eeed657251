//! Time and randomness as arguments.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

/// The clock and the dice. Production draws from the system; tests decide.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Returns after the duration has passed on this clock.
    async fn wait(&self, duration: Duration);

    /// A new random GUID.
    fn guid(&self) -> Uuid;
}
