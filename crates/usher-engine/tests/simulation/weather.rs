//! What goes wrong in a simulated run: faults drawn from a seed, or one death at a chosen call.

use std::sync::Mutex;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::Notify;
use usher_core::ports::{ConnectorError, ConnectorErrorKind, Effect};
use usher_testkit::{Call, Interference, Verdict};

/// The weather of a world.
pub struct Weather {
    state: Mutex<State>,
    /// Rings when the process has died.
    pub death: Notify,
}

struct State {
    dice: ChaCha8Rng,
    /// Faults are drawn.
    is_rough: bool,
    /// Deaths are drawn, too.
    is_deadly: bool,
    /// Calls left of a burst of 5xx.
    burst: u32,
    is_dead: bool,
    calls: usize,
    /// Dies at this call: before its effect, or after it.
    cut: Option<(usize, bool)>,
}

impl Weather {
    pub fn new(seed: u64) -> Self {
        Self {
            state: Mutex::new(State {
                dice: ChaCha8Rng::seed_from_u64(seed),
                is_rough: false,
                is_deadly: false,
                burst: 0,
                is_dead: false,
                calls: 0,
                cut: None,
            }),
            death: Notify::new(),
        }
    }

    /// Faults from now on, with deaths or without; or none.
    pub fn turns(&self, is_rough: bool, is_deadly: bool) {
        let mut state = self.state.lock().expect("no test panics with it");
        state.is_rough = is_rough;
        state.is_deadly = is_deadly;
        state.burst = 0;
    }

    /// Dies at the call with this number, before or after its effect.
    pub fn cut_at(&self, call: usize, after: bool) {
        let mut state = self.state.lock().expect("no test panics with it");
        state.calls = 0;
        state.cut = Some((call, after));
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.state.lock().expect("no test panics with it").calls
    }

    /// The process is gone, a new one begins.
    pub fn revive(&self) {
        self.state.lock().expect("no test panics with it").is_dead = false;
    }
}

impl Interference for Weather {
    fn judge(&self, call: Call) -> Verdict {
        let mut state = self.state.lock().expect("no test panics with it");
        if state.is_dead {
            return Verdict::Die;
        }
        state.calls += 1;
        let verdict = match state.cut {
            Some((at, after)) if at == state.calls => {
                state.cut = None;
                if after { Verdict::DieAfter } else { Verdict::Die }
            }
            _ => state.draw(call),
        };
        if matches!(verdict, Verdict::Die | Verdict::DieAfter) {
            state.is_dead = true;
            self.death.notify_one();
        }
        verdict
    }
}

impl State {
    fn draw(&mut self, call: Call) -> Verdict {
        if !self.is_rough {
            return Verdict::Go;
        }
        let is_write = matches!(call, Call::Create | Call::Update | Call::Delete);
        if self.is_deadly && self.dice.random_ratio(1, 60) {
            return if self.dice.random() { Verdict::Die } else { Verdict::DieAfter };
        }
        if call == Call::Commit {
            return match self.dice.random_range(0..60) {
                0 => Verdict::Fail(unreachable(Effect::None)),
                1 => Verdict::Lose(unreachable(Effect::None)),
                _ => Verdict::Go,
            };
        }
        if self.burst > 0 {
            self.burst -= 1;
            let effect = if is_write { Effect::Unknown } else { Effect::None };
            return Verdict::Fail(unreachable(effect));
        }
        match self.dice.random_range(0..100) {
            0..4 if is_write => Verdict::Lose(unreachable(Effect::Unknown)),
            4..6 if is_write => Verdict::Fail(unreachable(Effect::Unknown)),
            6..8 => Verdict::Fail(unreachable(Effect::None)),
            8..12 => Verdict::Fail(throttled(self.dice.random_range(0..20))),
            12 => {
                self.burst = self.dice.random_range(1..12);
                Verdict::Fail(unreachable(if is_write { Effect::Unknown } else { Effect::None }))
            }
            13 if is_write => Verdict::Fail(ConnectorError::new(
                ConnectorErrorKind::Rejected,
                "BadRequest",
                "refused today",
            )),
            _ => Verdict::Go,
        }
    }
}

fn unreachable(effect: Effect) -> ConnectorError {
    let error = ConnectorError::new(ConnectorErrorKind::Unreachable, "InternalServerError", "no answer");
    ConnectorError { effect, ..error }
}

fn throttled(seconds: u64) -> ConnectorError {
    let error = ConnectorError::new(ConnectorErrorKind::Throttled, "TooManyRequests", "too many");
    ConnectorError { retry_after: Some(Duration::from_secs(seconds)), ..error }
}
