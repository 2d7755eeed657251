//! The connections to the file: one writer on a thread of its own, a few readers, and the lock that keeps others out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use usher_core::ports::StoreError;

use crate::migrate::{migrate, recognise};
use crate::vault::{SecretKey, reseal, sealed_with, settle};

/// How many reads run at once.
const READERS: usize = 4;
/// How many writes share one transaction, and so one wait for the disk.
const BATCH: usize = 256;
/// With so many writes in a transaction there are many writers, and a moment is waited for them in the next one.
const MANY: usize = 8;
/// The moment.
const MOMENT: Duration = Duration::from_millis(2);
/// With so many writes nobody is waited for.
const ENOUGH: usize = 64;
/// How long the write-ahead log grows before it goes into the file: 32 MiB, so that a page which changes often is
/// written there once.
const CHECKPOINT_PAGES: i64 = 8_192;
/// How much of the file the writer keeps in memory, in KiB.
const WRITER_CACHE: i64 = 32_768;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{} is in use by another process{holder}; stop it, or use another folder", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who holds it, when known.
        holder: String,
    },
    /// A newer version wrote it.
    #[error(
        "the file was written by a newer version (format {file}, this one knows {known}); update this program"
    )]
    Newer {
        /// The format of the file.
        file: usize,
        /// The newest format known.
        known: usize,
    },
    /// The file, or the lock beside it, cannot be made or opened.
    #[error("{} cannot be written; give another folder, or the right to write there", path.display())]
    Inaccessible {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Its secrets are sealed under another key.
    #[error(
        "the secrets of the file are sealed under the key '{file}', but the key '{given}' was given; give the key \
         that belongs to it"
    )]
    WrongKey {
        /// The id of the key that the file is sealed under.
        file: String,
        /// The id of the key that was given.
        given: String,
    },
    /// It holds something else.
    #[error("{} is not a database of this program; it was left as it is", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Option<rusqlite::Error>,
    },
    /// It cannot be read or written.
    #[error("the store cannot be used")]
    Unusable {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    pub(crate) fn unusable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unusable { source: source.into() }
    }
}

/// What a piece of work on the file may fail with.
pub enum WorkError {
    /// A failure that the caller expects, such as a duplicate.
    Store(StoreError),
    /// SQLite's.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for WorkError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<serde_json::Error> for WorkError {
    fn from(error: serde_json::Error) -> Self {
        Self::Sqlite(rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }
}

impl WorkError {
    fn into_store(self, what: &str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sqlite(error) => StoreError::Failed { what: what.to_owned(), source: Box::new(error) },
        }
    }
}

/// A write on its way to the disk.
trait Write: Send {
    /// Does the work; it may be done again in another transaction when this one was rolled back.
    fn run(&mut self, transaction: &Transaction<'_>) -> bool;
    /// Says to the caller how it went, once the transaction is durable, or was rolled back.
    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>);
}

struct Writing<T, W, A> {
    work: W,
    after: A,
    outcome: Option<Result<T, WorkError>>,
    sender: oneshot::Sender<Result<T, StoreErrorOr>>,
}

impl<T, W, A> Write for Writing<T, W, A>
where
    T: Send,
    W: Fn(&Transaction<'_>) -> Result<T, WorkError> + Send,
    A: FnOnce() + Send,
{
    fn run(&mut self, transaction: &Transaction<'_>) -> bool {
        let outcome = (self.work)(transaction);
        let went_well = outcome.is_ok();
        self.outcome = Some(outcome);
        went_well
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>) {
        let Self { after, outcome, sender, .. } = *self;
        after();
        let answer = match (outcome, committed) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(error)), _) => Err(StoreErrorOr::Work(error)),
            (_, Err(error)) => Err(StoreErrorOr::Shared(error)),
            // What was never run cannot have become durable.
            (None, Ok(())) => return,
        };
        // A caller that went away does not wait for an answer.
        let _ = sender.send(answer);
    }
}

/// The open file.
pub struct Connections {
    writer: Option<mpsc::Sender<Box<dyn Write>>>,
    thread: Option<JoinHandle<()>>,
    readers: Arc<Readers>,
    _lock: Lock,
}

struct Readers {
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

/// A reader in use. It goes back before the permit does, whatever becomes of the caller or the work.
struct Borrowed {
    reader: Option<Connection>,
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        // What was handed in is written before the lock is given back.
        self.writer = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Connections {
    /// Opens the file, which is made when it is not there, and brings it up to date.
    ///
    /// # Errors
    /// `OpenError` says why not.
    pub fn open(path: &Path, key: &SecretKey) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        make_private(path)?;
        recognise(path)?;
        let mut writer = connect(path)?;
        // Negative: KiB instead of pages.
        writer.pragma_update(None, "cache_size", -WRITER_CACHE).map_err(OpenError::unusable)?;
        migrate(&mut writer)?;
        settle(&mut writer, key)?;
        let mut idle = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            let reader = connect(path)?;
            reader.pragma_update(None, "query_only", true).map_err(OpenError::unusable)?;
            idle.push(reader);
        }
        let (sender, receiver) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("usher-store".to_owned())
            .spawn(move || write_until_closed(writer, &receiver))
            .map_err(OpenError::unusable)?;
        let readers =
            Arc::new(Readers { idle: Mutex::new(idle), permits: Arc::new(Semaphore::new(READERS)) });
        Ok(Self { writer: Some(sender), thread: Some(thread), readers, _lock: lock })
    }

    /// Seals the secrets of a file under a new key, all or nothing. Nobody may have it open.
    ///
    /// # Errors
    /// `OpenError` says why not.
    pub fn rotate(path: &Path, old: &SecretKey, new: &SecretKey) -> Result<(), OpenError> {
        let _lock = lock(path)?;
        recognise(path)?;
        let mut connection = connect(path)?;
        migrate(&mut connection)?;
        settle(&mut connection, old)?;
        reseal(&mut connection, Some(old), new)?;
        // What was sealed under the old key does not stay behind in the write-ahead log.
        connection
            .pragma_update(None, "wal_checkpoint", "truncate")
            .or_else(|_| connection.execute_batch("pragma wal_checkpoint(truncate)"))
            .map_err(OpenError::unusable)
    }

    /// The id of the key that a file is sealed under; `None` when it is not there, or was never sealed.
    ///
    /// # Errors
    /// `OpenError` says why it cannot be read.
    pub fn sealed_with(path: &Path) -> Result<Option<String>, OpenError> {
        if !path.exists() {
            return Ok(None);
        }
        recognise(path)?;
        let connection = connect(path)?;
        // A file without our tables was never sealed.
        Ok(sealed_with(&connection).unwrap_or(None))
    }

    /// Runs a write. It is durable when this returns. The work is done again when a neighbour in its batch failed.
    pub async fn write<T: Send + 'static>(
        &self,
        what: &str,
        work: impl Fn(&Transaction<'_>) -> Result<T, WorkError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write_then(what, work, || ()).await
    }

    /// Runs a write, and something else once it is durable or has failed, also for a caller that went away.
    pub async fn write_then<T: Send + 'static>(
        &self,
        what: &str,
        work: impl Fn(&Transaction<'_>) -> Result<T, WorkError> + Send + 'static,
        after: impl FnOnce() + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Failed {
            what: what.to_owned(),
            source,
        };
        let writer = self.writer.as_ref().ok_or_else(|| failed("the store is closed".into()))?;
        writer
            .send(Box::new(Writing { work, after, outcome: None, sender }))
            .map_err(|_| failed("the store is closed".into()))?;
        match receiver.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(StoreErrorOr::Work(error))) => Err(error.into_store(what)),
            Ok(Err(StoreErrorOr::Shared(error))) => Err(failed(Box::new(error))),
            Err(_) => Err(failed("the store is closed".into())),
        }
    }

    /// Runs a read.
    pub async fn read<T: Send + 'static>(
        &self,
        what: &str,
        work: impl FnOnce(&Connection) -> Result<T, WorkError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Failed {
            what: what.to_owned(),
            source,
        };
        let permit =
            self.readers.permits.clone().acquire_owned().await.map_err(|error| failed(Box::new(error)))?;
        let readers = self.readers.clone();
        let outcome = tokio::task::spawn_blocking(move || {
            let reader = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let borrowed = Borrowed { reader, readers, _permit: permit };
            work(borrowed.reader.as_ref().expect("there are as many readers as permits"))
        })
        .await
        .map_err(|error| failed(Box::new(error)))?;
        outcome.map_err(|error| error.into_store(what))
    }
}

enum StoreErrorOr {
    Work(WorkError),
    Shared(Arc<rusqlite::Error>),
}

fn write_until_closed(mut connection: Connection, receiver: &mpsc::Receiver<Box<dyn Write>>) {
    let mut neighbours = 0;
    while let Ok(first) = receiver.recv() {
        let batch = gather(first, receiver, neighbours);
        neighbours = batch.len();
        carry_out(&mut connection, batch);
    }
}

/// The writes that share a transaction. Where many wrote at once just now, a moment is waited for them to come again:
/// the pages that all of them change are then written once. Whoever writes alone does not wait.
fn gather(
    first: Box<dyn Write>,
    receiver: &mpsc::Receiver<Box<dyn Write>>,
    neighbours: usize,
) -> Vec<Box<dyn Write>> {
    let until = (neighbours >= MANY).then(|| Instant::now() + MOMENT);
    let mut batch = vec![first];
    while batch.len() < BATCH {
        let left = until.filter(|_| batch.len() < ENOUGH).map(|until| until.duration_since(Instant::now()));
        let next = match left.filter(|left| !left.is_zero()) {
            Some(left) => receiver.recv_timeout(left).ok(),
            None => receiver.try_recv().ok(),
        };
        match next {
            Some(next) => batch.push(next),
            None => break,
        }
    }
    batch
}

/// All of it in one transaction. When a write fails, which is rare, everything is done once more, each write within a
/// savepoint: it must not take its neighbours with it.
fn carry_out(connection: &mut Connection, mut batch: Vec<Box<dyn Write>>) {
    let outcome = (|| {
        let transaction = connection.transaction()?;
        if batch.iter_mut().all(|write| write.run(&transaction)) {
            return transaction.commit();
        }
        transaction.rollback()?;
        if batch.len() == 1 {
            return Ok(());
        }
        let transaction = connection.transaction()?;
        for write in &mut batch {
            transaction.execute_batch("savepoint work")?;
            let end = if write.run(&transaction) { "release work" } else { "rollback to work; release work" };
            transaction.execute_batch(end)?;
        }
        transaction.commit()
    })();
    let outcome = outcome.map_err(Arc::new);
    for write in batch {
        write.answer(outcome.clone());
    }
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        connection.set_prepared_statement_cache_capacity(128);
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "busy_timeout", 5_000)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        // What a savepoint may have to restore stays in memory: else each write of a batch goes to a file besides.
        connection.pragma_update(None, "temp_store", "memory")?;
        // Replaced secrets are overwritten, not just forgotten.
        connection.pragma_update(None, "secure_delete", "fast")?;
        Ok(connection)
    };
    open().map_err(OpenError::unusable)
}

/// The file holds secrets: only the owner may read it.
fn make_private(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map(drop).map_err(|source| OpenError::Inaccessible { path: path.to_owned(), source })
}

/// The lock beside the file, held until it is dropped.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that is being started has a copy of every open file until it runs its own
        // program, and a lock of the system is given back with the last copy only.
        drop(self.0.unlock());
    }
}

/// Takes the lock beside the file. The system gives it back when the process ends, however it ends.
fn lock(path: &Path) -> Result<Lock, OpenError> {
    let lock_path = path.with_extension("lock");
    let inaccessible = |source| OpenError::Inaccessible { path: lock_path.clone(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&lock_path).map_err(inaccessible)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)
                .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()))
                .map_err(inaccessible)?;
            Ok(Lock(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let holder = match file.rewind().and_then(|()| file.read_to_string(&mut process)) {
                Ok(_) if !process.trim().is_empty() => format!(" (process {})", process.trim()),
                _ => String::new(),
            };
            Err(OpenError::InUse { path: path.to_owned(), holder })
        }
        Err(TryLockError::Error(source)) => Err(inaccessible(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::lock;

    #[test]
    fn the_lock_is_given_back_though_a_child_being_started_has_a_copy() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("usher.sqlite");
        let held = lock(&path).expect("it is free");
        let copy = held.0.try_clone().expect("a file can be held twice");
        lock(&path).expect_err("it is held");
        drop(held);
        drop(lock(&path).expect("it is free again"));
        drop(copy);
    }
}
