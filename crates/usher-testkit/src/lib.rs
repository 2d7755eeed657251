//! What tests share: a manual clock, fakes that obey the contracts, the contracts as suites, real servers to start.

mod change;
mod clock;
mod connector;
mod connectors;
mod interference;
mod ldap_double;
pub mod servers;
mod store;
pub mod suites;
pub mod wire;

pub use clock::ManualClock;
pub use connector::{Fault, MemoryConnector};
pub use connectors::MemoryConnectors;
pub use interference::{Call, Interference, Verdict};
pub use ldap_double::{LdapDouble, Misbehaviour};
pub use store::MemoryStore;
