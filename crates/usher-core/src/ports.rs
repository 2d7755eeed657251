//! What others implement for the decisions made here: connectors, the store, the clock.

mod audits;
mod clock;
mod connector;
mod store;
mod uploads;

pub use audits::{AuditQuery, Audits};
pub use clock::Clock;
pub use connector::{
    Capabilities, Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Connectors, Effect,
    Entitlement, Envelope, Exchange, GetRequest, Incoming, JOB_SETTING, MatchQuery, Page, PreparedRequest,
    PutOff, ReadRequest, RecycleBin, Reply, SubjectRequest, Watermark, Written,
};
pub use store::{
    AssignmentQuery, Clear, Commit, EntryChange, EntryQuery, EscrowChange, EventQuery, Held, HeldChange,
    LinkChange, PairingChange, Remembered, Seen, Store, StoreError, StoredSecret, SubjectKey, Waiting,
};
pub use uploads::{Upload, Uploads};
