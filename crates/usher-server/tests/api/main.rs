//! The API through the router, in process: who gets in, the whole walk, and what is refused.

mod access;
mod contract;
mod directory;
mod jobs;
mod permissions;
mod plans;
mod refusals;
mod secrets;
mod stage;
mod synchronization;
mod tour;
mod uploads;
mod walk;
mod writes;
