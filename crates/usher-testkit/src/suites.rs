//! Contract suites: every implementation of a port runs the same cases, fakes and real ones.

pub mod connector;
pub mod plans;
pub mod store;
