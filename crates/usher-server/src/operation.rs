//! What an operation of the API is, and what every operation's file needs.

use futures::future::BoxFuture;
use usher_core::EntryKind;

pub use futures::FutureExt;

pub use crate::call::{Answer, Call};
pub use crate::errors::Refusal;
pub use crate::permissions as may;

/// How an operation is carried out.
type Run = fn(Call) -> BoxFuture<'static, Result<Answer, Refusal>>;

/// One operation.
pub struct Operation {
    /// The HTTP method.
    pub method: &'static str,
    /// The path below the version; `{parent}` is `applications` or `servicePrincipals`.
    pub path: &'static str,
    /// Any one of these permissions lets a caller in.
    pub permissions: &'static [&'static str],
    /// What `Application.ReadWrite.OwnedBy` gives here.
    pub ownership: Ownership,
    pub(crate) run: Run,
}

/// What `Application.ReadWrite.OwnedBy` gives on an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// Nothing.
    Nothing,
    /// Entry for whoever is registered here: what is made belongs to its maker.
    Maker,
    /// Entry for the owner of the application or service principal that `{id}` names.
    Of(EntryKind),
    /// Entry for the owner of what `{parent}` and `{id}` name.
    Parent,
}

impl Operation {
    pub(crate) const fn new(
        method: &'static str,
        path: &'static str,
        permissions: &'static [&'static str],
        run: Run,
    ) -> Self {
        Self { method, path, permissions, ownership: Ownership::Nothing, run }
    }

    /// The same operation, open to owners too.
    pub(crate) const fn open_to(mut self, ownership: Ownership) -> Self {
        self.ownership = ownership;
        self
    }
}
