//! What others implement for the decisions made here: connectors, the store, the clock.

mod clock;
mod connector;
mod store;

pub use clock::Clock;
pub use connector::{
    Capabilities, Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Connectors, Effect,
    Entitlement, GetRequest, Incoming, MatchQuery, Page, PreparedRequest, ReadRequest, SubjectRequest,
    Watermark, Written,
};
pub use store::{
    AssignmentQuery, Clear, Commit, EntryChange, EntryQuery, EscrowChange, EventQuery, Held, HeldChange,
    PairingChange, Remembered, Seen, Store, StoreError, StoredSecret, SubjectKey, Waiting,
};
