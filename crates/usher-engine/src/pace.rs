//! How many requests to a target are under way at once: grows while the target keeps up, halves when it says
//! "too many", and rests as long as it asks for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use usher_core::ports::Clock;

/// The pace at which one job sends to its target.
pub struct Pace {
    most: usize,
    state: Mutex<State>,
    room: Notify,
}

struct State {
    limit: f64,
    under_way: usize,
    rests_until: Option<Timestamp>,
}

/// One request under way; ends when dropped.
pub struct UnderWay<'a>(&'a Pace);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.room.notify_one();
    }
}

impl Pace {
    /// At most so many requests at once, and at least one.
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        let state = State { limit: most as f64, under_way: 0, rests_until: None };
        Self { most, state: Mutex::new(state), room: Notify::new() }
    }

    /// Waits until the target may be asked.
    pub async fn enter(&self, clock: &dyn Clock) -> UnderWay<'_> {
        loop {
            // Registered before looking, so that no room that opens in between is missed.
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            let now = clock.now();
            let rest = {
                let mut state = self.state();
                match state.rests_until.map(|until| until.duration_since(now)) {
                    Some(rest) if rest.is_positive() => Some(rest.unsigned_abs()),
                    _ if (state.under_way as f64) < state.limit.floor().max(1.0) => {
                        state.rests_until = None;
                        state.under_way += 1;
                        return UnderWay(self);
                    }
                    _ => None,
                }
            };
            match rest {
                Some(rest) => clock.wait(rest).await,
                None => room.await,
            }
        }
    }

    /// The target kept up.
    pub fn went_well(&self) {
        let mut state = self.state();
        let before = state.limit.floor();
        state.limit = (state.limit + 1.0 / state.limit).min(self.most as f64);
        let has_grown = state.limit.floor() > before;
        drop(state);
        if has_grown {
            self.room.notify_one();
        }
    }

    /// The target said "too many". Requests that were under way together count once.
    pub fn was_throttled(&self, rest: Duration, now: Timestamp) {
        let until = now
            .checked_add(SignedDuration::try_from(rest).unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MAX);
        let mut state = self.state();
        if state.rests_until.is_none_or(|resting| resting <= now) {
            state.limit = (state.limit / 2.0).max(1.0);
        }
        state.rests_until = Some(state.rests_until.map_or(until, |resting| resting.max(until)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use usher_testkit::ManualClock;

    use super::*;

    fn limit(pace: &Pace) -> f64 {
        pace.state().limit.floor()
    }

    #[tokio::test]
    async fn throttling_halves_once_per_rest_and_success_grows_again() {
        let (pace, clock) = (Pace::new(16), ManualClock::default());
        for _ in 0..3 {
            pace.was_throttled(Duration::from_secs(5), clock.now());
        }
        assert_eq!(limit(&pace), 8.0, "three answers of one burst count once");
        drop(pace.enter(&clock).await);
        assert_eq!(clock.waited(), [Duration::from_secs(5)], "the target is left alone as long as it asked");
        pace.was_throttled(Duration::from_secs(1), clock.now());
        assert_eq!(limit(&pace), 4.0);
        for _ in 0..200 {
            pace.went_well();
        }
        assert_eq!(limit(&pace), 16.0);
    }

    #[tokio::test]
    async fn it_never_stops_altogether() {
        let (pace, clock) = (Pace::new(2), ManualClock::default());
        for _ in 0..9 {
            pace.was_throttled(Duration::from_secs(1), clock.now());
            drop(pace.enter(&clock).await);
        }
        assert_eq!(limit(&pace), 1.0);
    }

    #[tokio::test]
    async fn who_waits_for_room_goes_on_when_there_is_some() {
        let (pace, clock) = (Pace::new(1), ManualClock::default());
        let first = pace.enter(&clock).await;
        let second = pace.enter(&clock);
        tokio::pin!(second);
        assert!(futures::poll!(second.as_mut()).is_pending());
        drop(first);
        assert!(futures::poll!(second.as_mut()).is_ready());
    }
}
