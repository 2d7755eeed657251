//! The target as a run asks it: waits when it is throttled, asks again when that is safe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use usher_core::ports::{
    Clock, Connector, ConnectorError, ConnectorErrorKind, Effect, Exchange, GetRequest, MatchQuery, Written,
};
use usher_core::{DirectoryObject, Operation, OperationKind};

use crate::pace::Pace;

/// How patient a run is with a target.
#[derive(Clone, Copy)]
pub struct Patience {
    /// How often a throttled request is tried.
    pub throttled: u32,
    /// The longest wait for a throttling target.
    pub longest: Duration,
    /// How often a request is tried that got no answer, where that is safe.
    pub unanswered: u32,
}

impl Patience {
    /// Somebody waits for the answer.
    pub const ON_DEMAND: Self = Self { throttled: 3, longest: Duration::from_secs(10), unanswered: 1 };
    /// Nobody waits; the object would only come back later.
    pub const CYCLE: Self = Self { throttled: 10, longest: Duration::from_secs(600), unanswered: 3 };
}

/// A target with manners.
pub struct Target {
    connector: Arc<dyn Connector>,
    clock: Arc<dyn Clock>,
    pace: Option<Arc<Pace>>,
    patience: Patience,
}

impl Target {
    /// For somebody who waits for the answer.
    pub fn on_demand(connector: Arc<dyn Connector>, clock: Arc<dyn Clock>) -> Self {
        Self { connector, clock, pace: None, patience: Patience::ON_DEMAND }
    }

    /// For a cycle; all its requests share the pace.
    pub fn in_cycle(connector: Arc<dyn Connector>, clock: Arc<dyn Clock>, pace: Arc<Pace>) -> Self {
        Self { connector, clock, pace: Some(pace), patience: Patience::CYCLE }
    }

    /// The connector itself.
    pub fn connector(&self) -> &dyn Connector {
        &*self.connector
    }

    /// All objects with a value.
    pub async fn find(&self, query: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        self.ask(true, || self.connector.find(query)).await
    }

    /// The object with an anchor.
    pub async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        self.ask(true, || self.connector.get(request)).await
    }

    /// Asks for an object that cannot exist.
    pub async fn check(&self, probe: &MatchQuery) -> Result<(), ConnectorError> {
        self.ask(true, || self.connector.check(probe)).await
    }

    /// Carries out an operation, exactly or not, and tells what was sent and what came back, all tries included. A create
    /// without answer is not sent again: only matching can tell.
    pub async fn write_told(
        &self,
        operation: &Operation,
        is_exact: bool,
    ) -> (Result<Written, ConnectorError>, Vec<Exchange>) {
        let all = Mutex::new(Vec::new());
        let is_repeatable = operation.kind != OperationKind::Create;
        let written = self
            .ask(is_repeatable, || async {
                let (written, exchanges) = self.connector.write_told(operation, is_exact).await;
                all.lock().unwrap_or_else(PoisonError::into_inner).extend(exchanges);
                written
            })
            .await;
        (written, all.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    async fn ask<T, F: Future<Output = Result<T, ConnectorError>>>(
        &self,
        is_repeatable: bool,
        request: impl Fn() -> F,
    ) -> Result<T, ConnectorError> {
        let (mut throttled, mut unanswered) = (0, 0);
        loop {
            let outcome = {
                let _under_way = match &self.pace {
                    Some(pace) => Some(pace.enter(&*self.clock).await),
                    None => None,
                };
                request().await
            };
            let error = match outcome {
                Ok(value) => {
                    if let Some(pace) = &self.pace {
                        pace.went_well();
                    }
                    return Ok(value);
                }
                Err(error) => error,
            };
            match error.kind {
                ConnectorErrorKind::Throttled if error.effect == Effect::None => {
                    throttled += 1;
                    let backed_off = Duration::from_secs(1 << (throttled - 1).min(6));
                    let wait = error.retry_after.unwrap_or(backed_off);
                    if let Some(pace) = &self.pace {
                        pace.was_throttled(wait.min(self.patience.longest), self.clock.now());
                    }
                    if throttled >= self.patience.throttled || wait > self.patience.longest {
                        return Err(error);
                    }
                    if self.pace.is_none() {
                        self.clock.wait(wait).await;
                    }
                }
                ConnectorErrorKind::Unreachable if is_repeatable || error.effect == Effect::None => {
                    unanswered += 1;
                    // Somebody who waits gets one more try where an answer was lost on the way back, no other.
                    let is_lost_answer =
                        self.pace.is_none() && error.effect == Effect::Unknown && unanswered == 1;
                    if unanswered >= self.patience.unanswered && !is_lost_answer {
                        return Err(error);
                    }
                    if self.pace.is_some() {
                        self.clock.wait(Duration::from_millis(500 << (unanswered - 1).min(6))).await;
                    }
                }
                _ => return Err(error),
            }
        }
    }
}
