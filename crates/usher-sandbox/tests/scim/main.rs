//! The application as a client sees it: requests in, answers out.

mod conversation;
mod faults;
mod filters;
mod groups;
mod patches;
mod protocol;
mod users;
