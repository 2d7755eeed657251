//! What others implement for the decisions made here: connectors, the store, the clock.

mod clock;
mod connector;
mod store;

pub use clock::Clock;
pub use connector::{
    Capabilities, Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Connectors, Effect,
    Entitlement, GetRequest, MatchQuery, PreparedRequest, SubjectRequest, Written,
};
pub use store::{
    AssignmentQuery, Commit, EntryQuery, EventQuery, PairingChange, Store, StoreError, StoredSecret,
};
