//! The contract of a connector: our code that speaks to one directory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use smol_str::SmolStr;
use usher_expr::Value;

use crate::schema::DirectoryDefinition;
use crate::{Anchor, DirectoryObject, EntryId, Operation, Secret};

/// What a connector can do, stated as data; nobody finds out by trying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Objects can be read from it.
    pub source: bool,
    /// Objects can be written to it.
    pub target: bool,
    /// It knows which objects are assigned to which application.
    pub assignments: bool,
    /// It can tell whether a value is taken (`SelectUniqueValue`).
    pub unique_values: bool,
    /// It can list its attributes.
    pub discovery: bool,
    /// It can tell what changed since a watermark; otherwise every cycle reads everything.
    pub deltas: bool,
    /// A page can be asked for again after the one behind it: its pages may be read ahead.
    pub lasting_cursors: bool,
}

/// The settings of one connection: texts by Graph secret key (`BaseAddress`, `SecretToken`, …).
#[derive(Clone, Default)]
pub struct ConnectorSettings {
    values: BTreeMap<String, Secret>,
    directory: Option<Arc<DirectoryDefinition>>,
}

impl ConnectorSettings {
    /// The value of a key; keys are compared without regard to case.
    pub fn get(&self, key: &str) -> Option<&Secret> {
        self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }

    /// Sets the value of a key.
    pub fn set(&mut self, key: impl Into<String>, value: Secret) {
        self.values.insert(key.into(), value);
    }

    /// What the job's schema says of the directory, for connectors whose requests follow from it.
    pub fn directory(&self) -> Option<&DirectoryDefinition> {
        self.directory.as_deref()
    }

    /// Sets what the job's schema says of the directory.
    pub fn set_directory(&mut self, directory: Arc<DirectoryDefinition>) {
        self.directory = Some(directory);
    }

    /// The keys that have a value.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// The setting that names the synchronization job, for connectors whose data belong to a job.
pub const JOB_SETTING: &str = "SynchronizationJob";

/// Makes connectors by the name of their kind (`scim`, `directory`, …).
pub trait Connectors: Send + Sync {
    /// A connector that is ready to use. Checks the settings; does not connect.
    ///
    /// # Errors
    /// `Unsupported` for an unknown kind, `Rejected` for a missing or malformed setting.
    fn build(&self, kind: &str, settings: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError>;

    /// Whether connectors of some kind read a setting with this key; case does not count.
    fn reads(&self, key: &str) -> bool;
}

/// Asks for the one object that a person named.
#[derive(Clone, Debug)]
pub struct SubjectRequest {
    /// The source object's name in the schema.
    pub object_type: SmolStr,
    /// What was named: an object id, a distinguished name, a worker id.
    pub id: SmolStr,
    /// The attributes that mappings, filters and matching use.
    pub attributes: Vec<SmolStr>,
    /// The application on whose behalf is read; fills `appRoleAssignments`.
    pub application: Option<EntryId>,
}

/// How far a source has been read; opaque to all but the connector that made it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Watermark(pub SmolStr);

/// Asks for one page of a source's objects.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The source object's name in the schema.
    pub object_type: SmolStr,
    /// The attributes that mappings, filters and matching use.
    pub attributes: Vec<SmolStr>,
    /// The application on whose behalf is read; fills entitlements and `appRoleAssignments`.
    pub application: Option<EntryId>,
    /// Only what changed after this; `None` means everything.
    pub since: Option<Watermark>,
    /// Nothing that changed after this needs to come: the next cycle asks for it.
    pub until: Watermark,
    /// Where the last page ended; `None` for the first.
    pub cursor: Option<SmolStr>,
}

/// One object as a cycle reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The object.
    pub anchor: Anchor,
    /// What the source has of it; `None` when it is gone for good.
    pub object: Option<DirectoryObject>,
    /// Its assignment to the application; `None` where the source keeps none.
    pub entitlement: Option<Entitlement>,
}

/// A page of objects. An object may come more than once; what comes last counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The objects, in the source's order.
    pub objects: Vec<Incoming>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<SmolStr>,
    /// How many objects there are in all, where the source can tell.
    pub total: Option<u64>,
    /// Objects that changed, and that the source cannot give yet: they are neither here nor gone, and wait for another
    /// try.
    pub unsettled: Vec<Anchor>,
    /// The source did not know the cursor any more, as after its connection broke, and has begun with the first page
    /// again.
    pub is_anew: bool,
}

/// Asks for one object by anchor.
#[derive(Clone, Debug, PartialEq)]
pub struct GetRequest {
    /// The object's name in the schema.
    pub object_type: SmolStr,
    /// Which object.
    pub anchor: Anchor,
    /// The attributes wanted, as the schema names them.
    pub attributes: Vec<SmolStr>,
}

/// Asks which objects have this value.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchQuery {
    /// The object's name in the schema.
    pub object_type: SmolStr,
    /// The attribute to compare.
    pub attribute: SmolStr,
    /// The value to find.
    pub value: Value,
    /// The attributes wanted of each hit.
    pub attributes: Vec<SmolStr>,
}

/// Whether an object may be provisioned for an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    /// The object is assigned, directly or as a direct member of an assigned group.
    pub is_assigned: bool,
    /// The assignment carries a role of provisioning category.
    pub has_role: bool,
}

/// A request as it would be sent, for plans and previews. Never holds a credential.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PreparedRequest {
    /// The HTTP method, or the protocol's verb.
    pub method: SmolStr,
    /// The path below the base address, or the protocol's target.
    pub path: String,
    /// The body, when there is one.
    pub body: Option<serde_json::Value>,
}

/// A request as it was sent, and what came back. Never holds a credential.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Exchange {
    /// The request.
    #[serde(flatten)]
    pub request: PreparedRequest,
    /// The answer; `None` when it was lost, and where requests go over no wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Reply>,
}

impl From<PreparedRequest> for Exchange {
    fn from(request: PreparedRequest) -> Self {
        Self { request, answer: None }
    }
}

/// What the other side said to a request.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Reply {
    /// The HTTP status, or the protocol's result code.
    pub status: u16,
    /// The body, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}

/// What goes around a request when it is sent. Never holds a credential.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Envelope {
    /// The whole address, or the protocol's target.
    pub address: String,
    /// The headers, a credential shown as `[Redact]`.
    pub headers: Vec<(String, String)>,
}

/// What a write led to.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The object's anchor, which a create makes and a rename may change.
    pub anchor: Anchor,
    /// What the target did not take although the rest was written: attribute and reason.
    pub left_out: Vec<(SmolStr, String)>,
    /// References that the target did not take because it does not know one of the two objects, or not yet. They are
    /// tried again.
    pub put_off: Vec<PutOff>,
}

impl Written {
    /// Everything was written.
    pub fn whole(anchor: Anchor) -> Self {
        Self { anchor, left_out: Vec::new(), put_off: Vec::new() }
    }
}

/// A reference that was not written, and may be another time.
#[derive(Clone, Debug, PartialEq)]
pub struct PutOff {
    /// The target attribute.
    pub attribute: SmolStr,
    /// The target object that it is to name, or no more.
    pub anchor: Anchor,
    /// What the target said.
    pub reason: String,
}

/// The kinds of failure. The set is closed: retry and escrow follow from it, never from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorErrorKind {
    /// No connection, no answer in time, or the server failed (5xx).
    Unreachable,
    /// Too many requests; `retry_after` says when to come back.
    Throttled,
    /// The credentials are wrong or lack a right.
    Unauthorised,
    /// The object is not there.
    NotFound,
    /// The object is not found, and may be there all the same: parts of the directory lag behind one another. It is
    /// gone when that is so for some time.
    Unsettled,
    /// An object with the same unique value is there already.
    AlreadyExists,
    /// The target refuses a value.
    Rejected,
    /// The object changed in between.
    Conflict,
    /// The target does not know the operation.
    Unsupported,
    /// The answer is not what the protocol says.
    Protocol,
    /// Nothing was sent, because the run that wanted it is to end. No connector answers with it.
    Stopped,
}

/// Whether a failed write may have taken effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Certainly nothing was written.
    None,
    /// The answer was lost: only matching again can tell.
    Unknown,
}

/// A failure of a connector.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ConnectorError {
    /// What kind of failure it is.
    pub kind: ConnectorErrorKind,
    /// The published error code, such as `InsufficientRights` (Graph provisioning error codes).
    pub code: SmolStr,
    /// What failed and on which thing; holds no secret.
    pub message: String,
    /// What the other side said, shortened; holds no secret.
    pub detail: Option<String>,
    /// What to do, where the connector knows better than the kind tells; holds no secret.
    pub remedy: Option<&'static str>,
    /// Whether the write may have taken effect.
    pub effect: Effect,
    /// How long to wait before the next try, when the other side said so.
    pub retry_after: Option<Duration>,
    /// The attribute that was refused, when the other side said so.
    pub attribute: Option<SmolStr>,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ConnectorError {
    /// A failure of a kind, with nothing written.
    pub fn new(kind: ConnectorErrorKind, code: impl Into<SmolStr>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            detail: None,
            remedy: None,
            effect: Effect::None,
            retry_after: None,
            attribute: None,
            source: None,
        }
    }
}

/// Objects that a write brings back from where the target keeps what was deleted. They come back as they were, perhaps
/// switched on, before the rest of the write reaches them: the intent is written down before, and told to the connector
/// when the write was interrupted.
pub trait RecycleBin: Send + Sync {
    /// Whether an operation begins by bringing its object back.
    fn brings_back(&self, operation: &Operation) -> bool;

    /// Whether an object is, or may be, back without what was to be written to it.
    fn is_half_back(&self, anchor: &Anchor) -> bool;

    /// An earlier write of ours was bringing this object back, and nobody knows how far it came: what is written next
    /// includes what is left of that.
    fn was_coming_back(&self, anchor: &Anchor);
}

/// Our code that speaks to one directory. What `Connectors::build` returns is ready to use and may be shared.
#[async_trait]
pub trait Connector: Send + Sync {
    /// What this connector can do.
    fn capabilities(&self) -> &Capabilities;

    /// What of the settings works, but not as anybody would expect, with what to do about it.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Why nothing is ever written to an attribute; `None` when it is. Such attributes are left out before anybody is
    /// worked on, and told once.
    fn obstacle(&self, object_type: &str, attribute: &str) -> Option<String> {
        let _ = (object_type, attribute);
        None
    }

    /// What it takes to bring objects back; none where writes bring none back.
    fn recycle_bin(&self) -> Option<&dyn RecycleBin> {
        None
    }

    /// Waits until the connector's own budget has room for a request. Nothing is sent, and whoever stops waiting loses
    /// nothing.
    async fn admit(&self) {}

    /// Connects and asks for an object that cannot exist, as "Test connection" does.
    async fn check(&self, probe: &MatchQuery) -> Result<(), ConnectorError>;

    /// The directory's objects and attributes, where it can list them.
    async fn discover(&self) -> Result<DirectoryDefinition, ConnectorError>;

    /// "From now": fixed before a cycle reads, stored with the results that it covers.
    async fn watermark(&self, object_type: &str) -> Result<Watermark, ConnectorError>;

    /// One page of objects. Reading the same page again is allowed at any time.
    ///
    /// # Errors
    /// `Unsupported` where there are no deltas and some are asked for; `NotFound` when the watermark has expired,
    /// which means that everything must be read again.
    async fn read(&self, request: &ReadRequest) -> Result<Page, ConnectorError>;

    /// The object that a person named, or `None`. Values are normalised here, once.
    async fn subject(&self, request: &SubjectRequest) -> Result<Option<DirectoryObject>, ConnectorError>;

    /// Whether the object may be provisioned for the application; `None` where no assignments are kept.
    async fn entitlement(
        &self,
        object: &DirectoryObject,
        application: &EntryId,
    ) -> Result<Option<Entitlement>, ConnectorError>;

    /// The object with this anchor, or `None` when it is gone.
    ///
    /// # Errors
    /// `Unsettled` where the object is not found and may be there all the same.
    async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError>;

    /// Whether a source object takes the place of `other` for good, so that the account goes over to it: another
    /// profile of the same person, say.
    async fn supersedes(&self, object: &DirectoryObject, other: &Anchor) -> Result<bool, ConnectorError> {
        let _ = (object, other);
        Ok(false)
    }

    /// All objects with this value; two suffice to know that it is not unique.
    async fn find(&self, query: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError>;

    /// Carries out one operation. "Already there" for a member and "already gone" for a delete are successes.
    ///
    /// # Errors
    /// `Unsettled` for a delete where the object is not found and may be there all the same.
    async fn write(&self, operation: &Operation) -> Result<Written, ConnectorError>;

    /// Carries out one operation with the requests of `preview` and no others: somebody has reviewed them. A connector
    /// that tries other forms in `write` must not do so here.
    async fn write_exactly(&self, operation: &Operation) -> Result<Written, ConnectorError> {
        self.write(operation).await
    }

    /// Carries out one operation as `write_exactly` or `write` does, and tells what was sent and what came back, in
    /// order. Whoever sends several requests for one operation must know how far it came.
    async fn write_told(
        &self,
        operation: &Operation,
        is_exact: bool,
    ) -> (Result<Written, ConnectorError>, Vec<Exchange>) {
        let written =
            if is_exact { self.write_exactly(operation).await } else { self.write(operation).await };
        let sent = self.preview(operation).into_iter().map(Exchange::from);
        let sent = if written.is_ok() { sent.collect() } else { sent.take(1).collect() };
        (written, sent)
    }

    /// The requests that `write` would send first, as values.
    fn preview(&self, operation: &Operation) -> Vec<PreparedRequest>;

    /// What goes around a request of `preview`, as far as it is known.
    async fn envelope(&self, request: &PreparedRequest) -> Envelope {
        Envelope { address: request.path.clone(), headers: Vec::new() }
    }
}
