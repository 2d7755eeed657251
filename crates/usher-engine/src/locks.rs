//! Keeps two runs from working on one subject, or on one account, at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// How many locks nobody holds may lie about before they are swept up.
const IDLE: usize = 1024;

/// One lock for each thing that is worked on right now.
#[derive(Default)]
pub struct Locks {
    locks: Mutex<HashMap<String, Weak<AsyncMutex<()>>>>,
}

impl Locks {
    /// Waits for the lock of one thing.
    pub async fn lock(&self, key: String) -> OwnedMutexGuard<()> {
        self.of(key).lock_owned().await
    }

    /// Waits for the locks of several things, always in the same order, so that no two callers wait for each other.
    pub async fn lock_all(&self, mut keys: Vec<String>) -> Vec<OwnedMutexGuard<()>> {
        keys.sort_unstable();
        keys.dedup();
        let mut guards = Vec::with_capacity(keys.len());
        for key in keys {
            guards.push(self.lock(key).await);
        }
        guards
    }

    fn of(&self, key: String) -> Arc<AsyncMutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        if locks.len() >= IDLE {
            locks.retain(|_, lock| lock.strong_count() > 0);
        }
        let lock = Arc::new(AsyncMutex::new(()));
        locks.insert(key, Arc::downgrade(&lock));
        lock
    }
}
