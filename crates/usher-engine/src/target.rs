//! The target as a run asks it: waits when it is throttled, asks again when that is safe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use usher_core::ports::{
    Clock, Connector, ConnectorError, ConnectorErrorKind, Effect, Exchange, GetRequest, MatchQuery, Written,
};
use usher_core::{DirectoryObject, Operation, OperationKind};

use crate::pace::{Halted, Pace, UnderWay};

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

    /// Whether the run is to end: nothing more is begun.
    pub fn is_halted(&self) -> bool {
        self.pace.as_ref().is_some_and(|pace| pace.is_halted())
    }

    /// Waits for something, as long as the run goes on.
    ///
    /// # Errors
    /// The run is to end.
    pub async fn unless_halted<T>(&self, wait: impl Future<Output = T>) -> Result<T, ConnectorError> {
        match &self.pace {
            Some(pace) => pace.unless_halted(wait).await.map_err(ConnectorError::from),
            None => Ok(wait.await),
        }
    }

    /// Until when the target wants to be left alone, where that is longer than the run waits.
    pub fn closed_until(&self) -> Option<Timestamp> {
        self.pace.as_ref().and_then(|pace| pace.closed_until())
    }

    /// The connector itself.
    pub fn connector(&self) -> &dyn Connector {
        &*self.connector
    }

    /// All objects with a value.
    pub async fn find(&self, query: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        self.read(|| self.connector.find(query)).await
    }

    /// The object with an anchor.
    pub async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        self.read(|| self.connector.get(request)).await
    }

    /// Asks for an object that cannot exist.
    pub async fn check(&self, probe: &MatchQuery) -> Result<(), ConnectorError> {
        self.read(|| self.connector.check(probe)).await
    }

    /// Carries out an operation, exactly or not, and tells what was sent and what came back, all tries included. A create
    /// without answer is not sent again: only matching can tell. When the run is to end, what would have to wait is not
    /// sent (`Stopped`).
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

    /// Asks for something that nobody needs any more when the run is to end.
    async fn read<T, F: Future<Output = Result<T, ConnectorError>>>(
        &self,
        request: impl Fn() -> F,
    ) -> Result<T, ConnectorError> {
        if self.is_halted() {
            return Err(Halted.into());
        }
        self.ask(true, request).await
    }

    /// Waits until the target may be asked.
    async fn enter(&self) -> Result<Option<UnderWay<'_>>, Halted> {
        let Some(pace) = &self.pace else { return Ok(None) };
        let under_way = pace.enter(&*self.clock).await?;
        let admitted = self.connector.admit();
        tokio::pin!(admitted);
        // Who need not wait goes on with what was begun, even when the run is to end.
        if futures::poll!(admitted.as_mut()).is_pending() {
            pace.unless_halted(admitted).await?;
        }
        Ok(Some(under_way))
    }

    async fn ask<T, F: Future<Output = Result<T, ConnectorError>>>(
        &self,
        is_repeatable: bool,
        request: impl Fn() -> F,
    ) -> Result<T, ConnectorError> {
        let (mut throttled, mut unanswered) = (0, 0);
        loop {
            let outcome = {
                let _under_way = self.enter().await?;
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
                        if wait > self.patience.longest {
                            pace.close(wait, self.clock.now());
                            return Err(Halted.into());
                        }
                        pace.was_throttled(wait, self.clock.now());
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
                    if let Some(pace) = &self.pace {
                        let wait = self.clock.wait(Duration::from_millis(500 << (unanswered - 1).min(6)));
                        if pace.unless_halted(wait).await.is_err() {
                            return Err(if error.effect == Effect::None { Halted.into() } else { error });
                        }
                    }
                }
                _ => return Err(error),
            }
        }
    }
}

impl From<Halted> for ConnectorError {
    fn from(_: Halted) -> Self {
        let message = "the run was asked to end before this was sent; the next run goes on here";
        Self::new(ConnectorErrorKind::Stopped, "Stopped", message)
    }
}
