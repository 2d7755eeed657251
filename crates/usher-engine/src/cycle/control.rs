//! Who runs right now, and who was asked to stop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncGuard, Notify, watch};
use usher_core::JobId;

/// The runs of all jobs.
#[derive(Default)]
pub struct Runs {
    controls: Mutex<HashMap<String, Arc<Control>>>,
    /// Rings when somebody started, paused or restarted a job.
    pub(crate) bell: Notify,
    is_closing: AtomicBool,
}

/// The handle of one job.
#[derive(Default)]
pub struct Control {
    running: AsyncMutex<()>,
    orders: AsyncMutex<()>,
    stop: watch::Sender<bool>,
}

/// The order to stop, as a run hears it.
#[derive(Clone)]
pub struct StopOrder(watch::Receiver<bool>);

impl StopOrder {
    /// Whether somebody asked.
    pub fn is_given(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody asks.
    pub async fn given(&self) {
        // Whoever could ask is kept for as long as the service runs.
        if self.0.clone().wait_for(|is_stopped| *is_stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Runs {
    pub(crate) fn control(&self, job: &JobId) -> Arc<Control> {
        let key = job.as_str().to_ascii_lowercase();
        self.controls.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }

    /// Asks every run to stop after what is in flight; until `open` no other begins.
    pub(crate) fn stop_all(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        for control in self.controls.lock().unwrap_or_else(PoisonError::into_inner).values() {
            control.stop();
        }
    }

    /// Runs may begin again.
    pub(crate) fn open(&self) {
        self.is_closing.store(false, Ordering::SeqCst);
    }

    /// Whether every run was asked to stop. Asked after `Control::begin`, so that a run which begins meanwhile knows.
    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::SeqCst)
    }
}

impl Control {
    /// Waits until no other run of the job is under way.
    pub async fn begin(&self) -> AsyncGuard<'_, ()> {
        let running = self.running.lock().await;
        self.stop.send_replace(false);
        running
    }

    /// Orders (start, pause, restart, change) of one job are taken one after the other.
    pub async fn order(&self) -> AsyncGuard<'_, ()> {
        self.orders.lock().await
    }

    /// Asks the run to stop after the requests that are in flight.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether somebody asked.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// The order to stop, for the run that began last.
    pub fn stop_order(&self) -> StopOrder {
        StopOrder(self.stop.subscribe())
    }

    /// Whether a run is under way.
    pub fn is_running(&self) -> bool {
        self.running.try_lock().is_err()
    }
}
