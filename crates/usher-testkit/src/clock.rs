//! A clock that stands still until it is told otherwise, with dice that always fall the same way.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use usher_core::ports::Clock;
use uuid::Uuid;

/// Time and randomness as a test wants them. Waiting moves the clock on and returns at once.
pub struct ManualClock {
    state: Mutex<State>,
}

struct State {
    now: Timestamp,
    drawn: u128,
    waited: Vec<Duration>,
}

impl ManualClock {
    /// A clock that shows this instant.
    pub fn at(now: Timestamp) -> Self {
        Self { state: Mutex::new(State { now, drawn: 0, waited: Vec::new() }) }
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        self.state().advance(duration);
    }

    /// How long was waited, each time.
    pub fn waited(&self) -> Vec<Duration> {
        self.state().waited.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn advance(&mut self, duration: Duration) {
        let step = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.now = self.now.checked_add(step).unwrap_or(Timestamp::MAX);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::at(Timestamp::UNIX_EPOCH)
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    async fn wait(&self, duration: Duration) {
        let mut state = self.state();
        state.waited.push(duration);
        state.advance(duration);
    }

    fn guid(&self) -> Uuid {
        let mut state = self.state();
        state.drawn += 1;
        // Spread, so that two numbers in a row do not look alike; the version bits make it a GUID of version 4.
        let bits = state.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }
}
