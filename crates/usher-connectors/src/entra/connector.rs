//! The connector: what the engine asks, said in Microsoft Graph.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value as Json;
use smol_str::SmolStr;
use usher_core::ports::{
    Capabilities, Clock, Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Entitlement,
    Envelope, Exchange, GetRequest, MatchQuery, Page, PreparedRequest, ReadRequest, RecycleBin,
    SubjectRequest, Watermark, Written,
};
use usher_core::schema::DirectoryDefinition;
use usher_core::{Anchor, DirectoryObject, EntryId, EntryKind, Operation, OperationKind};

use super::assignments::{Assigned, NOT_ASSIGNED, Snapshot};
use super::service::Service;
use super::settings::EntraSettings;
use super::translate::{self, Linked, View};
use super::{CAPABILITIES, properties, request, source, write};
use crate::directory::translate as names;
use crate::directory::{self, translate::Place};
use crate::http::Http;
use crate::transcript;

/// How many users in the recycle bin are remembered; one that is forgotten fails and is matched again.
const MOST_BINNED: usize = 10_000;
/// Two objects suffice to know that a value is not unique.
const ENOUGH: usize = 2;

/// A connection to a tenant.
pub(super) struct EntraConnector {
    pub(super) service: Service,
    service_principal: Option<String>,
    takes_all: bool,
    restores: bool,
    schema: Option<DirectoryDefinition>,
    memory: Mutex<Memory>,
}

/// What is remembered from call to call; losing it costs a few requests at most.
#[derive(Default)]
struct Memory {
    application: Option<EntryId>,
    created: HashMap<SmolStr, Timestamp>,
    /// Users that were found in the recycle bin.
    binned: HashSet<SmolStr>,
    /// Users who are being brought back from there, until what follows is written to them.
    restoring: HashSet<SmolStr>,
}

impl EntraConnector {
    /// Checks the settings; does not connect.
    pub(super) fn new(
        http: Arc<Http>,
        clock: Arc<dyn Clock>,
        settings: &ConnectorSettings,
    ) -> Result<Self, ConnectorError> {
        let schema = settings.directory().cloned();
        let settings = EntraSettings::read(settings)?;
        let (service_principal, takes_all, restores) =
            (settings.service_principal.clone(), settings.takes_all, settings.restores);
        let service = Service::new(http, clock, settings)?;
        Ok(Self { service, service_principal, takes_all, restores, schema, memory: Mutex::default() })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The application whose assignments are asked for, when no setting names one.
    pub(super) fn remember_application(&self, application: Option<&EntryId>) {
        if let Some(application) = application {
            self.memory().application = Some(application.clone());
        }
    }

    fn application(&self, asked: Option<&EntryId>) -> Option<String> {
        let given = self.service_principal.clone();
        given
            .or_else(|| asked.map(ToString::to_string))
            .or_else(|| self.memory().application.as_ref().map(ToString::to_string))
    }

    /// The assignments as they are; `None` when the tenant has no such application.
    pub(super) async fn snapshot(&self) -> Result<Option<Snapshot>, ConnectorError> {
        let Some(application) = self.application(None) else { return Ok(None) };
        let snapshot = Snapshot::load(&self.service, &application).await?;
        if snapshot.is_none() {
            self.no_application(&application)?;
        }
        Ok(snapshot)
    }

    /// The application whose assignments count must be there: without it everybody would lose their account.
    fn no_application(&self, application: &str) -> Result<(), ConnectorError> {
        if self.service_principal.is_none() && self.takes_all {
            return Ok(());
        }
        Err(ConnectorError::new(
            ConnectorErrorKind::Rejected,
            "Request_BadRequest",
            format!(
                "the tenant has no enterprise application with the object id '{application}'; correct the setting \
                 ServicePrincipalId"
            ),
        ))
    }

    /// The properties whose changes matter.
    pub(super) fn told(&self, kind: EntryKind, object_type: &str) -> Vec<SmolStr> {
        let schema = self.schema.as_ref().and_then(|directory| directory.object(object_type));
        properties::told(kind, schema)
    }

    /// Remembers that an object was just made: Graph may not know it everywhere yet.
    pub(super) fn made(&self, id: &str) {
        let now = self.service.now();
        let mut memory = self.memory();
        memory.created.retain(|_, at| now.duration_since(*at) < write::SETTLING);
        memory.created.insert(id.into(), now);
    }

    /// Forgets that an object was just made: it is gone.
    pub(super) fn unmade(&self, id: &str) {
        self.memory().created.remove(id);
    }

    /// Whether an object was made so recently that a 404 may be wrong.
    pub(super) fn is_new(&self, id: &str) -> bool {
        let now = self.service.now();
        self.memory().created.get(id).is_some_and(|at| now.duration_since(*at) < write::SETTLING)
    }

    /// Whether matching found the user in the recycle bin, or we were bringing the user back from there.
    pub(super) fn is_binned(&self, id: &str) -> bool {
        let memory = self.memory();
        memory.binned.contains(id) || memory.restoring.contains(id)
    }

    /// Notes that a user is about to come back from the recycle bin. False when that was so already.
    pub(super) fn restoring(&self, id: &str) -> bool {
        self.memory().restoring.insert(id.into())
    }

    /// Notes that a user is in the recycle bin still.
    pub(super) fn not_restored(&self, id: &str) {
        self.memory().restoring.remove(id);
    }

    /// Notes that a user is back from the recycle bin, but may not be known everywhere yet.
    pub(super) fn restored(&self, id: &str) {
        let mut memory = self.memory();
        memory.binned.remove(id);
        memory.restoring.remove(id);
        drop(memory);
        self.made(id);
    }

    /// Notes that an object was seen among the living: somebody else may have brought it back. Whether an account that
    /// we were bringing back is to be switched on is not seen from the account: any wish for it is to be written.
    fn alive(&self, document: &mut Json) {
        let Some(id) = translate::id(document).map(SmolStr::from) else { return };
        let mut memory = self.memory();
        let is_ours = memory.restoring.contains(&id);
        let is_back = !is_ours && memory.binned.remove(&id);
        drop(memory);
        if is_ours {
            document["accountEnabled"] = Json::Null;
        } else if is_back {
            self.made(&id);
        }
    }

    /// The users in the recycle bin with a value. They are as good as switched off.
    async fn find_binned(&self, query: &MatchQuery) -> Result<Vec<Json>, ConnectorError> {
        let Some(request) = request::find_binned(query) else { return Ok(Vec::new()) };
        // Names are sorted out below: all are needed.
        let mut found = self.service.all(request).await.map_err(ConnectorError::from)?;
        let is_name = names::attribute(&query.attribute).place == Place::Property("userPrincipalName".into());
        let wanted = query.value.single().to_text();
        found.retain(|user| !is_name || translate::name_before(user).eq_ignore_ascii_case(&wanted));
        for user in &mut found {
            self.bin(user);
        }
        Ok(found)
    }

    /// Looks into the recycle bin for an object that is not among the living.
    pub(super) async fn binned(&self, kind: EntryKind, id: &str) -> Result<Binned, ConnectorError> {
        let returns = self.restores && kind == EntryKind::User;
        match self.service.document(&request::binned(id)).await {
            Ok(mut user) if returns && translate::is_user(&user) => {
                self.bin(&mut user);
                Ok(Binned::Returns(user))
            }
            Ok(_) => Ok(Binned::Stays),
            Err(refusal) if matches!(refusal.status, Some(400 | 404)) => Ok(Binned::Unknown),
            // Whoever brings nobody back needs no right to look there.
            Err(refusal) if refusal.status == Some(403) && !returns => Ok(Binned::Unknown),
            Err(refusal) => Err(refusal.error),
        }
    }

    /// Remembers that a user is in the recycle bin, and shows the user as what comes back from there: under the name
    /// from before, and as good as switched off until then.
    fn bin(&self, user: &mut Json) {
        user["userPrincipalName"] = translate::name_before(user).into();
        user["accountEnabled"] = Json::Bool(false);
        let mut memory = self.memory();
        if memory.binned.len() > MOST_BINNED {
            memory.binned.clear();
        }
        memory.binned.extend(translate::id(user).map(SmolStr::from));
    }

    /// One living object as Graph gives it. What was just made is waited for.
    pub(super) async fn document(
        &self,
        kind: EntryKind,
        id: &str,
        attributes: &[SmolStr],
    ) -> Result<Option<Json>, ConnectorError> {
        let request = request::one(kind, id, attributes);
        match write::settled(self, id, &request).await {
            Ok(document) => Ok(Some(document)),
            Err(refusal) if refusal.is_missing() => Ok(None),
            Err(refusal) => Err(refusal.error),
        }
    }
}

/// What the recycle bin has of an object that is not among the living.
pub(super) enum Binned {
    /// A user who is to come back from there.
    Returns(Json),
    /// An object that is gone.
    Stays,
    /// Nothing: the object is gone for good, or a part of the tenant that lags behind does not know it.
    Unknown,
}

/// An object is not found, neither among the living nor in the recycle bin.
pub(super) fn unsettled(kind: EntryKind, id: &str) -> ConnectorError {
    ConnectorError::new(
        ConnectorErrorKind::Unsettled,
        "EntryNotFound",
        format!(
            "the {} {id} is found neither in the tenant nor in its recycle bin; a part of the tenant may lag behind",
            kind.as_str()
        ),
    )
}

impl RecycleBin for EntraConnector {
    fn brings_back(&self, operation: &Operation) -> bool {
        let is_binned = |anchor: &Anchor| self.is_binned(anchor.as_str());
        operation.kind == OperationKind::Update && operation.anchor.as_ref().is_some_and(is_binned)
    }

    fn is_half_back(&self, anchor: &Anchor) -> bool {
        self.memory().restoring.contains(anchor.as_str())
    }

    fn was_coming_back(&self, anchor: &Anchor) {
        self.memory().restoring.insert(anchor.as_str().into());
    }
}

#[async_trait]
impl Connector for EntraConnector {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn obstacle(&self, object_type: &str, attribute: &str) -> Option<String> {
        let kind = names::kind(object_type).ok()?;
        properties::obstacle(kind, &names::attribute(attribute).place).map(str::to_owned)
    }

    async fn admit(&self) {
        self.service.keep_quiet().await;
    }

    fn recycle_bin(&self) -> Option<&dyn RecycleBin> {
        self.restores.then_some(self as &dyn RecycleBin)
    }

    async fn check(&self, probe: &MatchQuery) -> Result<(), ConnectorError> {
        if let Some(application) = &self.service_principal {
            match self.service.document(&request::roles(application)).await {
                Err(refusal) if refusal.is_missing() => self.no_application(application)?,
                answer => answer.map(drop).map_err(ConnectorError::from)?,
            }
        }
        // The probe may speak of what the other side has.
        match names::kind(&probe.object_type).and_then(|kind| request::find(kind, probe)) {
            Ok(_) => self.find(probe).await.map(drop),
            Err(_) => {
                let first = request::list(EntryKind::User, &["displayName".into()]);
                self.service.page(&first).await.map(drop).map_err(ConnectorError::from)
            }
        }
    }

    async fn discover(&self) -> Result<DirectoryDefinition, ConnectorError> {
        let extensions = super::discovery::extensions(&self.service).await?;
        Ok(directory::discovery::definition_of(&extensions))
    }

    async fn watermark(&self, object_type: &str) -> Result<Watermark, ConnectorError> {
        source::watermark(self, object_type).await
    }

    async fn read(&self, request: &ReadRequest) -> Result<Page, ConnectorError> {
        source::read(self, request).await
    }

    async fn subject(&self, request: &SubjectRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        let kind = names::kind(&request.object_type)?;
        let id = request.id.trim();
        let found = match self.document(kind, id, &request.attributes).await? {
            Some(document) => Some(document),
            // A user in the bin is switched off elsewhere and may come back; nothing else knows such a state.
            None if kind == EntryKind::User => match self.service.document(&request::binned(id)).await {
                Ok(document) => Some(document).filter(translate::is_user),
                // A name is not looked for in the bin, and an ill-formed id is nobody's.
                Err(refusal) if matches!(refusal.status, Some(400 | 404)) => None,
                Err(refusal) => return Err(refusal.error),
            },
            None => None,
        };
        let Some(document) = found else { return Ok(None) };
        let id = translate::id(&document).unwrap_or(id).to_owned();
        let mut linked = self.known_links(kind, &id, &request.attributes).await?;
        let wants_roles =
            request.attributes.iter().any(|name| names::attribute(name).place == Place::AppRoleAssignments);
        if let (true, Some(application)) = (wants_roles, self.application(request.application.as_ref())) {
            let assigned = Assigned::load(&self.service, kind, &id, &application).await?;
            linked.roles = assigned.map(|assigned| assigned.attribute()).unwrap_or_default();
        }
        Ok(translate::object(
            kind,
            &request.object_type,
            &document,
            &request.attributes,
            &linked,
            View::Source,
        ))
    }

    async fn entitlement(
        &self,
        object: &DirectoryObject,
        application: &EntryId,
    ) -> Result<Option<Entitlement>, ConnectorError> {
        let kind = names::kind(&object.object_type)?;
        self.remember_application(Some(application));
        let application = self.application(Some(application)).unwrap_or_default();
        let assigned = Assigned::load(&self.service, kind, object.anchor.as_str(), &application).await?;
        if assigned.is_none() {
            self.no_application(&application)?;
        }
        Ok(Some(assigned.map_or(NOT_ASSIGNED, |assigned| assigned.entitlement())))
    }

    async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        let kind = names::kind(&request.object_type)?;
        let id = request.anchor.as_str();
        let (document, linked) = match self.document(kind, id, &request.attributes).await? {
            Some(mut document) => {
                self.alive(&mut document);
                (document, self.known_links(kind, id, &request.attributes).await?)
            }
            None => match self.binned(kind, id).await? {
                Binned::Returns(document) => (document, Linked::default()),
                Binned::Stays => return Ok(None),
                Binned::Unknown => return Err(unsettled(kind, id)),
            },
        };
        Ok(translate::object(
            kind,
            &request.object_type,
            &document,
            &request.attributes,
            &linked,
            View::Target,
        ))
    }

    async fn find(&self, query: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        let kind = names::kind(&query.object_type)?;
        let text = query.value.single().to_text();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut documents: Vec<Json> = match names::attribute(&query.attribute).place {
            Place::Id => self.document(kind, &text, &query.attributes).await?.into_iter().collect(),
            _ => {
                self.service.some(request::find(kind, query)?, ENOUGH).await.map_err(ConnectorError::from)?
            }
        };
        let place = names::attribute(&query.attribute).place;
        let wants_manager = query
            .attributes
            .iter()
            .any(|name| names::attribute(name).place == Place::Link(usher_core::Relation::Manager));
        if kind == EntryKind::User
            && wants_manager
            && place != Place::Id
            && !request::finds_at_once(kind, &place)
        {
            // An advanced query does not tell managers.
            for document in &mut documents {
                let id = translate::id(document).unwrap_or_default().to_owned();
                if let Some(whole) = self.document(kind, &id, &query.attributes).await? {
                    *document = whole;
                }
            }
        }
        let is_in_bin = documents.is_empty() && self.restores && kind == EntryKind::User;
        if is_in_bin {
            documents = self.find_binned(query).await?;
        }
        let mut found = Vec::with_capacity(documents.len());
        for mut document in documents {
            if !is_in_bin {
                self.alive(&mut document);
            }
            let id = translate::id(&document).unwrap_or_default();
            let linked = match is_in_bin {
                true => Linked::default(),
                false => self.known_links(kind, id, &query.attributes).await?,
            };
            found.extend(translate::object(
                kind,
                &query.object_type,
                &document,
                &query.attributes,
                &linked,
                View::Target,
            ));
        }
        Ok(found)
    }

    async fn write(&self, operation: &Operation) -> Result<Written, ConnectorError> {
        write::write(self, operation).await
    }

    fn preview(&self, operation: &Operation) -> Vec<PreparedRequest> {
        write::preview(self.service.root(), operation, self.brings_back(operation))
    }

    async fn write_told(
        &self,
        operation: &Operation,
        _: bool,
    ) -> (Result<Written, ConnectorError>, Vec<Exchange>) {
        transcript::told(self.write(operation)).await
    }

    async fn envelope(&self, request: &PreparedRequest) -> Envelope {
        self.service.envelope(request)
    }
}
