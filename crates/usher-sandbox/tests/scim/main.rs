//! The application as a client sees it: requests in, answers out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conversation;
mod faults;
mod filters;
mod groups;
mod patches;
mod protocol;
mod users;
