//! The only place that speaks SQL: the store in one SQLite file.

mod ahead;
mod audits;
mod changes;
mod connection;
mod directory;
mod jobs;
mod log;
mod migrate;
mod progress;
mod rows;
mod settings;
mod store;
mod uploads;
mod vault;

pub use connection::OpenError;
pub use store::SqliteStore;
pub use vault::{NoKey, SecretKey};
