//! Interference: what a test lets happen to calls of the fakes, down to the death of the process in their midst.

use std::future::pending;

use usher_core::ports::ConnectorError;

/// A call of a fake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// The connection test.
    Check,
    /// "From now".
    Watermark,
    /// A page of a source.
    Read,
    /// One object of a source.
    Subject,
    /// One object of a target.
    Get,
    /// A search in a target.
    Find,
    /// A create.
    Create,
    /// An update.
    Update,
    /// A delete.
    Delete,
    /// A commit of the store.
    Commit,
}

/// What happens to a call.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing special.
    Go,
    /// It fails, without effect.
    Fail(ConnectorError),
    /// It takes effect, but the answer is lost.
    Lose(ConnectorError),
    /// The process dies before it takes effect.
    Die,
    /// The process dies after it took effect.
    DieAfter,
}

/// Decides what happens to calls.
pub trait Interference: Send + Sync {
    /// What happens to this call. After `Die` or `DieAfter` every further call must get `Die`, until the test has
    /// let go of what was under way.
    fn judge(&self, call: Call) -> Verdict;
}

/// What is left to do with a call that may go on.
pub(crate) enum Passed {
    Go,
    Lose(ConnectorError),
    DieAfter,
}

/// Waits for ever when the process is dead.
pub(crate) async fn pass(
    interference: Option<&dyn Interference>,
    call: Call,
) -> Result<Passed, ConnectorError> {
    match interference.map_or(Verdict::Go, |interference| interference.judge(call)) {
        Verdict::Go => Ok(Passed::Go),
        Verdict::Fail(error) => Err(error),
        Verdict::Lose(error) => Ok(Passed::Lose(error)),
        Verdict::Die => pending().await,
        Verdict::DieAfter => Ok(Passed::DieAfter),
    }
}

impl Passed {
    /// What comes after the effect.
    pub(crate) async fn end<T>(self, value: T) -> Result<T, ConnectorError> {
        match self {
            Self::Go => Ok(value),
            Self::Lose(error) => Err(error),
            Self::DieAfter => pending().await,
        }
    }
}
