//! The program as people run it: its own binary, against a service and an application over real HTTP.

#[cfg(feature = "real-servers")]
mod active_directory;
#[cfg(feature = "real-servers")]
mod clients;
mod cloud;
mod cmdlets;
mod connections;
mod faults;
mod jobs;
#[cfg(feature = "real-servers")]
mod kills;
mod local;
mod plans;
mod provision;
mod schemas;
mod sign_in;
mod uploads;
mod workday;
mod world;
