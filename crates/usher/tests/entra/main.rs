//! The connector of Microsoft Entra ID against a Graph API over TCP: our own.

#[cfg(feature = "real-servers")]
mod active_directory;
mod contract;
mod faults;
mod job;
mod plans;
mod published;
mod source;
mod stage;
mod story;
mod workday;
