//! What an operation of the API is: its address, who may call it, what it takes and gives, and what carries it out.

use futures::future::BoxFuture;

use super::types::Type;
use crate::call::{Answer, Call};
use crate::errors::Refusal;

/// What carries an operation out.
pub(crate) type Run = fn(Call) -> BoxFuture<'static, Result<Answer, Refusal>>;

/// What an operation answers when it succeeds.
#[derive(Clone, Copy, Debug)]
pub enum Gives {
    /// 204.
    Nothing,
    /// 200 with one thing.
    One(&'static Type),
    /// 200 with a collection.
    Many(&'static Type),
    /// 201 with the new thing.
    Created(&'static Type),
    /// 200 with a number as plain text.
    Count,
    /// 200 with plain text or a file.
    Content,
    /// 202 without a body.
    Accepted,
}

/// One operation.
#[derive(Clone, Copy)]
pub struct Operation {
    /// The HTTP method.
    pub method: &'static str,
    /// The path below the version. A segment in braces is variable; one with bars takes one of the given words.
    pub path: &'static str,
    /// Any one of these permissions lets a caller in.
    pub permissions: &'static [&'static str],
    /// What it does, in a few words; the audit log calls it so.
    pub summary: &'static str,
    /// A permission for owners (`Application.ReadWrite.OwnedBy`) that lets the owner of the application in.
    pub owner_permission: Option<&'static str>,
    /// It is in beta only.
    pub is_beta: bool,
    /// It is part of the published contract that this service keeps; otherwise it is ours, or known from elsewhere.
    pub is_published: bool,
    /// It is ours alone: no published client knows it, and no cmdlet is made of it.
    pub is_extension: bool,
    /// It changes nothing, whatever its method.
    pub is_read: bool,
    /// The body that it takes.
    pub takes: Option<&'static Type>,
    /// What it answers.
    pub gives: Gives,
    pub(crate) run: Run,
}

impl Operation {
    pub(crate) const fn new(
        method: &'static str,
        path: &'static str,
        permissions: &'static [&'static str],
        summary: &'static str,
        run: Run,
    ) -> Self {
        Self {
            method,
            path,
            permissions,
            summary,
            owner_permission: None,
            is_beta: false,
            is_published: true,
            is_extension: false,
            is_read: matches!(method.as_bytes(), b"GET"),
            takes: None,
            gives: Gives::Nothing,
            run,
        }
    }

    /// Owners of the application may call it with `Application.ReadWrite.OwnedBy`.
    pub(crate) const fn for_owners(mut self) -> Self {
        self.owner_permission = Some("Application.ReadWrite.OwnedBy");
        self
    }

    /// Owners of the application may call it with this permission.
    pub(crate) const fn for_owners_with(mut self, permission: &'static str) -> Self {
        self.owner_permission = Some(permission);
        self
    }

    /// It is in beta only.
    pub(crate) const fn in_beta(mut self) -> Self {
        self.is_beta = true;
        self
    }

    /// It is no part of the published contract that this service keeps.
    pub(crate) const fn unpublished(mut self) -> Self {
        self.is_published = false;
        self
    }

    /// It is ours alone.
    pub(crate) const fn extension(mut self) -> Self {
        self.is_published = false;
        self.is_extension = true;
        self
    }

    /// It changes nothing although it is a POST.
    pub(crate) const fn reads(mut self) -> Self {
        self.is_read = true;
        self
    }

    /// Whether it cannot do without a body.
    pub fn needs_body(&self) -> bool {
        const OPTIONAL: &[&str] = &["newPassword", "restart", "validateCredentials", "usher.planApplication"];
        self.takes.is_some_and(|takes| !OPTIONAL.contains(&takes.name))
    }

    pub(crate) const fn takes(mut self, body: &'static Type) -> Self {
        self.takes = Some(body);
        self
    }

    pub(crate) const fn gives(mut self, gives: Gives) -> Self {
        self.gives = gives;
        self
    }

    pub(crate) const fn one(self, of: &'static Type) -> Self {
        self.gives(Gives::One(of))
    }

    pub(crate) const fn many(self, of: &'static Type) -> Self {
        self.gives(Gives::Many(of))
    }

    pub(crate) const fn created(self, of: &'static Type) -> Self {
        self.gives(Gives::Created(of))
    }

    pub(crate) const fn count(self) -> Self {
        self.gives(Gives::Count)
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.method, self.path)
    }
}

/// What carries an operation out, from an async function of the call.
macro_rules! run {
    ($function:expr) => {
        |call| ::futures::FutureExt::boxed($function(call))
    };
}
pub(crate) use run;
