//! Who runs right now, and who was asked to stop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncGuard, Notify};
use usher_core::JobId;

/// The runs of all jobs.
#[derive(Default)]
pub struct Runs {
    controls: Mutex<HashMap<String, Arc<Control>>>,
    /// Rings when somebody started, paused or restarted a job.
    pub(crate) bell: Notify,
}

/// The handle of one job.
#[derive(Default)]
pub struct Control {
    running: AsyncMutex<()>,
    orders: AsyncMutex<()>,
    is_stopped: AtomicBool,
}

impl Runs {
    pub(crate) fn control(&self, job: &JobId) -> Arc<Control> {
        let key = job.as_str().to_ascii_lowercase();
        self.controls.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }

    /// Asks every run to stop after what is in flight.
    pub(crate) fn stop_all(&self) {
        for control in self.controls.lock().unwrap_or_else(PoisonError::into_inner).values() {
            control.stop();
        }
    }
}

impl Control {
    /// Waits until no other run of the job is under way.
    pub async fn begin(&self) -> AsyncGuard<'_, ()> {
        let running = self.running.lock().await;
        self.is_stopped.store(false, Ordering::SeqCst);
        running
    }

    /// Orders (start, pause, restart, change) of one job are taken one after the other.
    pub async fn order(&self) -> AsyncGuard<'_, ()> {
        self.orders.lock().await
    }

    /// Asks the run to stop after what is in flight.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }

    /// Whether a run is under way.
    pub fn is_running(&self) -> bool {
        self.running.try_lock().is_err()
    }
}
