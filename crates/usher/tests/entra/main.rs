//! The connector of Microsoft Entra ID against a Graph API over TCP: our own.

#[cfg(feature = "real-servers")]
mod active_directory;
mod assigned;
mod contract;
mod faults;
mod job;
mod links;
mod missing;
mod plans;
mod published;
mod restore;
mod source;
mod stage;
mod story;
mod workday;
