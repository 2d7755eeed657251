//! The API through the router, in process: who gets in, the whole walk, and what is refused.

mod access;
mod contract;
mod directory;
mod jobs;
mod plans;
mod refusals;
mod stage;
mod synchronization;
mod uploads;
mod walk;
