//! The connector: what the engine asks, said in LDAP.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ldap3::controls::RawControl;
use smol_str::SmolStr;
use usher_core::ports::{
    Capabilities, Clock, Connector, ConnectorError, ConnectorErrorKind, Entitlement, Exchange, GetRequest,
    MatchQuery, Page, PreparedRequest, ReadRequest, SubjectRequest, Watermark, Written,
};
use usher_core::schema::DirectoryDefinition;
use usher_core::{DirectoryObject, EntryId, Operation, OperationKind, Secret};
use uuid::Uuid;

use super::changes::{self, Mark};
use super::connection::{ServerFacts, Servers, Session};
use super::dn::Dn;
use super::entries::{self, Reader};
use super::scan::{Scans, Search};
use super::settings::LdapSettings;
use super::write::{self, Writer};
use super::{CAPABILITIES, discovery};
use crate::HttpOptions;
use crate::transcript;

/// A connection to a directory service.
pub(super) struct LdapConnector {
    servers: Servers,
    scans: Scans,
    clock: Arc<dyn Clock>,
    /// When everything of a type was read last.
    full_reads: Mutex<HashMap<SmolStr, i64>>,
}

impl LdapConnector {
    /// Takes trust and time limits from the options that all connectors share; does not connect.
    pub(super) fn new(settings: LdapSettings, options: &HttpOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            servers: Servers::new(settings, options.extra_ca_pem.as_deref(), options.timeout),
            scans: Scans::default(),
            clock,
            full_reads: Mutex::default(),
        }
    }

    fn settings(&self) -> &LdapSettings {
        self.servers.settings()
    }

    /// Asks over the shared connection; when that turns out to be broken, once more over a new one.
    async fn ask<T, F: Future<Output = Result<T, ConnectorError>> + Send>(
        &self,
        question: impl Fn(Session) -> F + Send + Sync,
    ) -> Result<T, ConnectorError> {
        let session = self.servers.session().await?;
        match question(session.clone()).await {
            Err(error) if error.kind == ConnectorErrorKind::Unreachable => {
                self.servers.forget(&session).await;
                if error.code == "Timeout" {
                    return Err(error);
                }
                question(self.servers.session().await?).await
            }
            other => other,
        }
    }

    /// Where reading and searching begins.
    fn base(&self, server: &ServerFacts) -> Dn {
        self.settings().base.clone().unwrap_or_else(|| server.base.clone())
    }

    /// A page of a search for objects of a type.
    async fn scan(&self, request: &ReadRequest, search: ScanOf) -> Result<Page, ConnectorError> {
        let ScanOf { base, filter, more, is_paged, within } = search;
        let search = move |session: &Session| {
            let reader = Reader::new(session, &request.object_type, &request.attributes);
            let mut controls = reader.controls();
            controls.extend(more);
            Search { base, filter, wanted: reader.wanted(), controls, is_paged, within }
        };
        self.scans.page(&self.servers, request, search).await
    }

    fn note_full_read(&self, object_type: &SmolStr, now: i64) {
        self.full_reads.lock().unwrap_or_else(PoisonError::into_inner).insert(object_type.clone(), now);
    }

    /// When everything of a type was read last, in this life of the connector.
    fn read_at(&self, object_type: &str) -> Option<i64> {
        self.full_reads.lock().unwrap_or_else(PoisonError::into_inner).get(object_type).copied()
    }

    /// A password that nobody knows, with letters of both cases, digits and a sign, as policies want them.
    fn password(&self) -> Secret {
        let (one, two) = (self.clock.guid(), self.clock.guid());
        Secret::new(format!("Up{}-{}", one.simple().to_string().to_uppercase(), two.simple()))
    }

    fn outside(&self, dn: &Dn, server: &ServerFacts) -> Option<ConnectorError> {
        let name = dn.text();
        if !server.contexts.is_empty() && !server.contexts.iter().any(|context| dn.is_within(context)) {
            return Some(ConnectorError {
                remedy: Some(
                    "give the address of a server of that domain as BaseAddress, or name somebody of this one",
                ),
                ..ConnectorError::new(
                    ConnectorErrorKind::Rejected,
                    "InvalidAnchor",
                    format!(
                        "'{name}' is in another domain than {}; connect to a server of that domain",
                        server.base.text()
                    ),
                )
            });
        }
        let base = self.base(server);
        (!dn.is_within(&base)).then(|| ConnectorError {
            remedy: Some("name somebody below SearchBase, or give a SearchBase that holds the entry"),
            ..ConnectorError::new(
                ConnectorErrorKind::NotFound,
                "EntryNotFound",
                format!("'{name}' lies outside of {}, below which is read (SearchBase)", base.text()),
            )
        })
    }
}

#[async_trait]
impl Connector for LdapConnector {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn check(&self, probe: &MatchQuery) -> Result<(), ConnectorError> {
        // A connection that is there may have been signed in with rights that are gone: the search tells.
        self.find(probe).await.map(|_| ())
    }

    async fn discover(&self) -> Result<DirectoryDefinition, ConnectorError> {
        self.ask(|session| async move { Ok(discovery::definition(&session.server)) }).await
    }

    async fn watermark(&self, _: &str) -> Result<Watermark, ConnectorError> {
        let now = self.clock.now().as_second();
        self.ask(|session| async move { changes::now(&session, now).await.map(|mark| mark.watermark()) })
            .await
    }

    async fn read(&self, request: &ReadRequest) -> Result<Page, ConnectorError> {
        let session = self.servers.session().await?;
        let server = session.server.clone();
        let base = self.base(&server);
        let is_active_directory = server.is_active_directory;
        let of_type = entries::filter(&request.object_type, is_active_directory);
        let now = self.clock.now().as_second();
        let Some(since) = &request.since else {
            self.note_full_read(&request.object_type, now);
            return self.scan(request, ScanOf::paged(base.text(), of_type)).await;
        };
        let deletions_seen = changes::is_recent(self.read_at(&request.object_type), now);
        match Mark::of(since)? {
            Mark::DirSync { cookie } if is_active_directory => {
                let (cookie, base) = (request.cursor.as_deref().unwrap_or(&cookie), &base);
                self.ask(|session| async move {
                    let reader = Reader::new(&session, &request.object_type, &request.attributes);
                    changes::by_dirsync(&session, &reader, &request.object_type, base, cookie).await
                })
                .await
            }
            Mark::Numbers { server, highest } if is_active_directory => {
                changes::check_numbers(&session, &server).await?;
                if request.cursor.is_none() {
                    // What was deleted comes first: an entry that was deleted and restored is there in the end.
                    let base = &base;
                    return self
                        .ask(|session| async move {
                            let reader = Reader::new(&session, &request.object_type, &request.attributes);
                            changes::before_numbers(
                                &session,
                                &reader,
                                &request.object_type,
                                base,
                                highest,
                                deletions_seen,
                            )
                            .await
                        })
                        .await;
                }
                let filter = format!("(&{of_type}(uSNChanged>={}))", highest + 1);
                let search =
                    ScanOf { within: Some(base), ..ScanOf::paged(session.server.base.text(), filter) };
                self.scan(request, search).await
            }
            Mark::Content { csn } if !is_active_directory => {
                let more = vec![changes::content(&csn)];
                self.scan(request, ScanOf { more, is_paged: false, ..ScanOf::paged(base.text(), of_type) })
                    .await
            }
            Mark::Times { newest } if !is_active_directory => {
                let changed = changes::by_times(&newest, deletions_seen)?;
                self.scan(request, ScanOf::paged(base.text(), format!("(&{of_type}{changed})"))).await
            }
            _ => Err(changes::expired("the watermark is of another kind of server")),
        }
    }

    async fn subject(&self, request: &SubjectRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        if Uuid::parse_str(&request.id).is_ok() {
            let anchor = usher_core::Anchor::new(request.id.clone());
            let (object_type, attributes) = (request.object_type.clone(), request.attributes.clone());
            return self.get(&GetRequest { object_type, anchor, attributes }).await;
        }
        let dn = Dn::parse(&request.id).map_err(|wrong| ConnectorError {
            remedy: Some("name the subject as the directory does, such as CN=Adele,OU=Staff,DC=corp,DC=example; a special \
                 character in a name needs a backslash before it"),
            ..ConnectorError::new(
                ConnectorErrorKind::Rejected,
                "InvalidAnchor",
                format!("'{}' is no distinguished name: {wrong}", request.id),
            )
        })?;
        let dn = &dn;
        self.ask(|session| async move {
            if let Some(error) = self.outside(dn, &session.server) {
                return Err(error);
            }
            let reader = Reader::new(&session, &request.object_type, &request.attributes);
            reader.by_name(&dn.text()).await
        })
        .await
    }

    async fn entitlement(
        &self,
        _: &DirectoryObject,
        _: &EntryId,
    ) -> Result<Option<Entitlement>, ConnectorError> {
        Ok(None)
    }

    async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        self.ask(|session| async move {
            let reader = Reader::new(&session, &request.object_type, &request.attributes);
            reader.by_anchor(request.anchor.as_str(), &self.base(&session.server)).await
        })
        .await
    }

    async fn find(&self, query: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        self.ask(|session| async move {
            let reader = Reader::new(&session, &query.object_type, &query.attributes);
            reader.by_value(&self.base(&session.server), &query.attribute, &query.value).await
        })
        .await
    }

    async fn write(&self, operation: &Operation) -> Result<Written, ConnectorError> {
        let session = self.servers.session().await?;
        let writer = Writer { session: &session, settings: self.settings() };
        let anchor = operation.anchor.as_ref().ok_or_else(|| {
            ConnectorError::new(
                ConnectorErrorKind::Rejected,
                "InvalidAnchor",
                format!("a change of a {} needs the id of the entry", operation.object_type),
            )
        });
        let outcome = match operation.kind {
            OperationKind::Create => writer.create(operation, self.password()).await,
            OperationKind::Update => writer.update(anchor?, operation).await,
            OperationKind::Delete => writer.delete(anchor?, &operation.object_type).await,
        };
        if outcome.as_ref().is_err_and(|error| error.kind == ConnectorErrorKind::Unreachable) {
            self.servers.forget(&session).await;
        }
        outcome
    }

    async fn write_told(
        &self,
        operation: &Operation,
        _: bool,
    ) -> (Result<Written, ConnectorError>, Vec<Exchange>) {
        transcript::told(self.write(operation)).await
    }

    fn preview(&self, operation: &Operation) -> Vec<PreparedRequest> {
        let server = self.servers.known().unwrap_or_else(|| Arc::new(ServerFacts::assumed(self.settings())));
        write::preview(operation, &server, self.settings()).unwrap_or_default()
    }
}

/// What a scan reads.
struct ScanOf {
    base: String,
    filter: String,
    more: Vec<RawControl>,
    is_paged: bool,
    within: Option<Dn>,
}

impl ScanOf {
    fn paged(base: String, filter: String) -> Self {
        Self { base, filter, more: Vec::new(), is_paged: true, within: None }
    }
}
