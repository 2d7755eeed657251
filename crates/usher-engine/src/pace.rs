//! How many requests to a target are under way at once: grows while the target keeps up, halves when it says
//! "too many", and rests as long as it asks for. Whoever waits here goes on waiting no longer than the run.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use usher_core::ports::Clock;

use crate::cycle::StopOrder;

/// The pace at which one job sends to its target.
pub struct Pace {
    most: usize,
    state: Mutex<State>,
    room: Notify,
    stop: StopOrder,
    /// Until when the target wants to be left alone, where that is longer than a run waits.
    closed: watch::Sender<Option<Timestamp>>,
}

struct State {
    limit: f64,
    under_way: usize,
    rests_until: Option<Timestamp>,
}

/// The run is to end; nothing more is sent.
#[derive(Debug)]
pub struct Halted;

/// One request under way; ends when dropped.
pub struct UnderWay<'a>(&'a Pace);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.room.notify_one();
    }
}

impl Pace {
    /// At most so many requests at once, and at least one, until the order to stop.
    pub fn new(most: usize, stop: StopOrder) -> Self {
        let most = most.max(1);
        let state = State { limit: most as f64, under_way: 0, rests_until: None };
        Self { most, state: Mutex::new(state), room: Notify::new(), stop, closed: watch::Sender::new(None) }
    }

    /// Waits until the target may be asked.
    ///
    /// # Errors
    /// The run is to end. Whoever need not wait is told only when the target wants to be left alone.
    pub async fn enter(&self, clock: &dyn Clock) -> Result<UnderWay<'_>, Halted> {
        let mut has_waited = false;
        loop {
            if self.closed_until().is_some() || (has_waited && self.stop.is_given()) {
                return Err(Halted);
            }
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
                        return Ok(UnderWay(self));
                    }
                    _ => None,
                }
            };
            has_waited = true;
            let wait = async {
                match rest {
                    Some(rest) => clock.wait(rest).await,
                    None => room.await,
                }
            };
            self.unless_halted(wait).await?;
        }
    }

    /// Waits for something, as long as the run goes on.
    ///
    /// # Errors
    /// The run is to end.
    pub async fn unless_halted<T>(&self, wait: impl Future<Output = T>) -> Result<T, Halted> {
        tokio::select! {
            biased;
            () = self.halted() => Err(Halted),
            waited = wait => Ok(waited),
        }
    }

    /// Waits until the run is to end.
    pub async fn halted(&self) {
        let mut closed = self.closed.subscribe();
        tokio::select! {
            () = self.stop.given() => {}
            // The sender is our own.
            _ = closed.wait_for(Option::is_some) => {}
        }
    }

    /// Whether the run is to end.
    pub fn is_halted(&self) -> bool {
        self.stop.is_given() || self.closed_until().is_some()
    }

    /// Until when the target wants to be left alone, where that is longer than a run waits.
    pub fn closed_until(&self) -> Option<Timestamp> {
        *self.closed.borrow()
    }

    /// The target wants to be left alone for longer than a run waits.
    pub fn close(&self, rest: Duration, now: Timestamp) {
        let until = after(now, rest);
        self.closed.send_modify(|closed| *closed = Some(closed.map_or(until, |known| known.max(until))));
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
        let until = after(now, rest);
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

fn after(now: Timestamp, rest: Duration) -> Timestamp {
    let rest = SignedDuration::try_from(rest).unwrap_or(SignedDuration::MAX);
    now.checked_add(rest).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use usher_testkit::ManualClock;

    use super::*;
    use crate::cycle::control::Control;

    fn pace(most: usize) -> (Pace, Control) {
        let control = Control::default();
        (Pace::new(most, control.stop_order()), control)
    }

    fn limit(pace: &Pace) -> f64 {
        pace.state().limit.floor()
    }

    #[tokio::test]
    async fn throttling_halves_once_per_rest_and_success_grows_again() {
        let ((pace, _control), clock) = (pace(16), ManualClock::default());
        for _ in 0..3 {
            pace.was_throttled(Duration::from_secs(5), clock.now());
        }
        assert_eq!(limit(&pace), 8.0, "three answers of one burst count once");
        drop(pace.enter(&clock).await.expect("it may"));
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
        let ((pace, _control), clock) = (pace(2), ManualClock::default());
        for _ in 0..9 {
            pace.was_throttled(Duration::from_secs(1), clock.now());
            drop(pace.enter(&clock).await.expect("it may"));
        }
        assert_eq!(limit(&pace), 1.0);
    }

    #[tokio::test]
    async fn who_waits_for_room_goes_on_when_there_is_some() {
        let ((pace, _control), clock) = (pace(1), ManualClock::default());
        let first = pace.enter(&clock).await.expect("there is room");
        let second = pace.enter(&clock);
        tokio::pin!(second);
        assert!(futures::poll!(second.as_mut()).is_pending());
        drop(first);
        assert!(futures::poll!(second.as_mut()).is_ready());
    }

    #[tokio::test]
    async fn who_waits_for_room_hears_the_order_to_stop() {
        let ((pace, control), clock) = (pace(1), ManualClock::default());
        let _first = pace.enter(&clock).await.expect("there is room");
        let second = pace.enter(&clock);
        tokio::pin!(second);
        assert!(futures::poll!(second.as_mut()).is_pending());
        control.stop();
        assert!(second.await.is_err());
    }

    #[tokio::test]
    async fn who_rests_hears_the_order_to_stop_and_waits_no_longer() {
        let ((pace, control), clock) = (pace(2), ManualClock::default());
        pace.was_throttled(Duration::from_secs(500), clock.now());
        control.stop();
        assert!(pace.enter(&clock).await.is_err());
        assert!(clock.waited().is_empty(), "nobody waits for a target that is not asked");
    }

    #[tokio::test]
    async fn nobody_enters_where_the_target_wants_a_longer_rest_than_a_run_waits() {
        let ((pace, _control), clock) = (pace(2), ManualClock::default());
        pace.close(Duration::from_secs(3600), clock.now());
        pace.close(Duration::from_secs(60), clock.now());
        assert!(pace.enter(&clock).await.is_err());
        assert_eq!(pace.closed_until(), Some(after(clock.now(), Duration::from_secs(3600))));
    }
}
