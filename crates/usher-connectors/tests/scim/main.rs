//! The SCIM connector against a service that the test plays: what is asked, what is made of the answers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod fallbacks;
mod oauth;
mod pages;
mod sandbox;
mod support;
mod transport;
mod versions;
