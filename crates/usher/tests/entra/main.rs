//! The connector of Microsoft Entra ID against a Graph API over TCP: our own.

mod contract;
mod faults;
mod plans;
mod source;
mod stage;
mod story;
