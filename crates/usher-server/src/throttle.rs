//! So many requests in so much time, for each caller. Refused calls count too, as published.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// How many callers are remembered at once.
const CALLERS: usize = 10_000;

/// A sliding window for each caller.
pub struct Throttle {
    count: usize,
    window: i64,
    calls: Mutex<HashMap<String, VecDeque<i64>>>,
}

impl Throttle {
    /// At most `count` calls in any `seconds`.
    pub fn new(count: usize, seconds: i64) -> Self {
        Self { count: count.max(1), window: seconds * 1_000, calls: Mutex::default() }
    }

    /// Counts a call.
    ///
    /// # Errors
    /// How many seconds to wait.
    pub fn take(&self, caller: &str, now: Timestamp) -> Result<(), u64> {
        let now = now.as_millisecond();
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() >= CALLERS {
            calls.retain(|_, times| times.back().is_some_and(|last| now - last < self.window));
        }
        let times = calls.entry(caller.to_owned()).or_default();
        while times.front().is_some_and(|first| now - first >= self.window) {
            times.pop_front();
        }
        let is_full = times.len() >= self.count;
        times.push_back(now);
        if !is_full {
            return Ok(());
        }
        // The next call is taken once all but `count - 1` of these have left the window.
        let blocker = times[times.len() - self.count];
        // What nobody needs to know any more does not pile up.
        while times.len() > self.count {
            times.pop_front();
        }
        let left = (blocker + self.window - now).max(1);
        Err(u64::try_from((left + 999) / 1_000).unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).expect("small numbers are instants")
    }

    #[test]
    fn the_sixth_call_in_ten_seconds_is_refused() {
        let throttle = Throttle::new(5, 10);
        for second in 0..5 {
            assert_eq!(throttle.take("a", at(second * 1_000)), Ok(()));
        }
        assert_eq!(throttle.take("a", at(5_000)), Err(6));
        assert_eq!(throttle.take("b", at(5_000)), Ok(()), "another caller is not held up");
    }

    #[test]
    fn refused_calls_count_too() {
        let throttle = Throttle::new(2, 10);
        assert_eq!(throttle.take("a", at(0)), Ok(()));
        assert_eq!(throttle.take("a", at(0)), Ok(()));
        assert_eq!(throttle.take("a", at(9_000)), Err(1));
        assert_eq!(throttle.take("a", at(10_000)), Ok(()), "one place is free");
        assert!(throttle.take("a", at(10_001)).is_err(), "the refused call holds the other");
    }

    #[test]
    fn whoever_waits_as_told_gets_through() {
        let throttle = Throttle::new(1, 10);
        assert_eq!(throttle.take("a", at(0)), Ok(()));
        let Err(seconds) = throttle.take("a", at(500)) else { panic!("it was let through") };
        let later = 500 + i64::try_from(seconds).expect("a small number") * 1_000;
        assert_eq!(throttle.take("a", at(later)), Ok(()));
    }
}
