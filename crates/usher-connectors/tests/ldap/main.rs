//! The connector of directory services against Samba, as an Active Directory domain controller, and OpenLDAP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contract;
mod failures;
mod plans;
mod source;
mod support;
mod target;
