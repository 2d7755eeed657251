//! The connector: what the engine asks, said in SCIM.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value as Json;
use smol_str::SmolStr;
use usher_core::ports::{
    Capabilities, Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Entitlement, Envelope,
    Exchange, GetRequest, Incoming, MatchQuery, Page, PreparedRequest, ReadRequest, SubjectRequest,
    Watermark, Written,
};
use usher_core::schema::DirectoryDefinition;
use usher_core::{Anchor, DirectoryObject, EntryId, Operation, OperationKind};
use usher_expr::Value;

use super::answer::{self, Refusal};
use super::path::AttributePath;
use super::request::{self, Kind, Shape};
use super::service::Service;
use super::settings::ScimSettings;
use super::{CAPABILITIES, discovery, translate};
use crate::http::Http;
use crate::transcript;

/// Stands for the id of a resource that is yet to be made.
const NEW: &str = "(id of the new resource)";
/// More pages than any filter by equality can need.
const MOST_PAGES: usize = 100;
/// How many resources a page of a full read asks for.
const PAGE: usize = 100;

/// A connection to a SCIM service.
pub(crate) struct ScimConnector {
    pub(super) service: Service,
    shape: Mutex<Shape>,
}

impl ScimConnector {
    /// Checks the settings; does not connect.
    pub(crate) fn new(http: Arc<Http>, settings: &ConnectorSettings) -> Result<Self, ConnectorError> {
        let settings = ScimSettings::read(settings)?;
        Ok(Self { shape: Mutex::new(settings.shape), service: Service::new(http, settings) })
    }

    /// How requests look at present.
    pub(super) fn shape(&self) -> Shape {
        *self.shape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what the service takes and what not.
    pub(super) fn learn(&self, what: &'static str, change: impl FnOnce(&mut Shape)) {
        let mut shape = self.shape.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *shape;
        change(&mut shape);
        if *shape != before {
            tracing::info!(what, "requests to this service look different from now on");
        }
    }

    /// The hits of a filter; two suffice.
    async fn hits(&self, query: &MatchQuery) -> Result<Vec<Json>, Refusal> {
        let path = request::parse(&query.attribute)?;
        let mut hits = Vec::new();
        for _ in 0..MOST_PAGES {
            let request = request::find(query, hits.len() + 1)?;
            let page = answer::page(&request, self.service.document(&request).await?)?;
            let is_last = page.resources.is_empty();
            for resource in page.resources {
                check_hit(&request, &path, &query.value, &resource)?;
                hits.push(resource);
            }
            if is_last || hits.len() >= 2 || hits.len() >= page.total {
                break;
            }
        }
        Ok(hits)
    }

    async fn create(&self, kind: Kind, operation: &Operation) -> Result<Written, ConnectorError> {
        let mut shape = self.shape();
        let request = request::create(&shape, kind, &operation.changes)?;
        let made = match self.service.document(&request).await {
            Err(refusal) if kind == Kind::Group && !shape.plain_groups && is_about_schema(&refusal) => {
                shape.plain_groups = true;
                let request = request::create(&shape, kind, &operation.changes)?;
                let made = self.service.document(&request).await?;
                self.learn("groups are made with the core schema alone", |shape| shape.plain_groups = true);
                made
            }
            other => other?,
        };
        let anchor = translate::id(&made)
            .ok_or_else(|| answer::incompatible(&request, "is a resource without 'id'").error)?;
        let references: Vec<_> =
            operation.changes.iter().filter(|change| change.is_reference).cloned().collect();
        self.update(kind, &anchor, &references).await
    }

    /// Sends the requests of an operation as they were shown; nothing else is tried when one is refused.
    async fn send_exactly(&self, operation: &Operation) -> Result<Written, ConnectorError> {
        let mut anchor = operation.anchor.clone();
        for request in preview(&self.shape(), operation)? {
            if operation.kind == OperationKind::Create {
                let made = self.service.document(&request).await?;
                anchor = translate::id(&made);
                if anchor.is_none() {
                    return Err(answer::incompatible(&request, "is a resource without 'id'").error);
                }
                continue;
            }
            match self.service.done(&request).await {
                Ok(()) => {}
                Err(refusal) if operation.kind == OperationKind::Delete && refusal.status == Some(404) => {}
                Err(refusal) => return Err(refusal.error),
            }
        }
        let anchor = anchor.ok_or_else(|| {
            ConnectorError::new(
                ConnectorErrorKind::Rejected,
                "InvalidAnchor",
                format!("a change of a {} needs the id of the resource", operation.object_type),
            )
        })?;
        Ok(Written::whole(anchor))
    }

    async fn delete(&self, kind: Kind, anchor: &Anchor) -> Result<Written, ConnectorError> {
        let request = request::delete(request::resource_path(kind, anchor)?);
        match self.service.done(&request).await {
            Ok(()) => {}
            // Already gone is what was wanted.
            Err(refusal) if refusal.status == Some(404) => {}
            Err(refusal) => return Err(refusal.error),
        }
        Ok(Written::whole(anchor.clone()))
    }

    async fn resource(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        let prepared = request::get(request)?;
        let document = match self.service.document(&prepared).await {
            Ok(document) => document,
            Err(refusal) if refusal.status == Some(404) => return Ok(None),
            Err(refusal) => return Err(refusal.error),
        };
        let resource = answer::one(&prepared, document)?;
        let object = translate::object(&request.object_type, &resource, &request.attributes)
            .ok_or_else(|| answer::incompatible(&prepared, "is a resource without 'id'").error)?;
        if !object.anchor.as_str().eq_ignore_ascii_case(request.anchor.as_str()) {
            return Err(answer::incompatible(&prepared, "is another resource").error);
        }
        Ok(Some(object))
    }
}

/// Whether a create was refused because of what it calls itself, not because of its values.
fn is_about_schema(refusal: &Refusal) -> bool {
    refusal.is_about_content() && refusal.error.kind == ConnectorErrorKind::Rejected
}

/// A service that does not apply a filter answers with strangers; an account must never be paired with one of them.
fn check_hit(
    request: &PreparedRequest,
    path: &AttributePath,
    wanted: &Value,
    hit: &Json,
) -> Result<(), Refusal> {
    let Some(resource) = hit.as_object() else {
        return Err(answer::incompatible(request, "holds something that is no resource"));
    };
    let found = translate::value(resource, path);
    let wanted = wanted.to_text().trim().to_lowercase();
    let is_same = |value: &Value| value.to_text().trim().to_lowercase() == wanted;
    if found.is_null() || found.values().iter().any(is_same) {
        return Ok(());
    }
    Err(answer::incompatible(
        request,
        "holds a resource with another value: the service does not apply the filter",
    ))
}

#[async_trait]
impl Connector for ScimConnector {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn admit(&self) {
        self.service.admit().await;
    }

    async fn check(&self, probe: &MatchQuery) -> Result<(), ConnectorError> {
        let request = request::find(probe, 1)?;
        let hits = match self.hits(probe).await {
            Ok(hits) => hits,
            Err(mut refusal) => {
                if refusal.status.is_some_and(|status| status >= 500) {
                    refusal.error.code =
                        "SystemForCrossDomainIdentityManagementCredentialValidationUnavailable".into();
                }
                return Err(refusal.error);
            }
        };
        if hits.is_empty() {
            return Ok(());
        }
        Err(answer::incompatible(&request, "holds a resource although none can have that value").error)
    }

    async fn discover(&self) -> Result<DirectoryDefinition, ConnectorError> {
        discovery::discover(&self.service).await
    }

    async fn watermark(&self, _: &str) -> Result<Watermark, ConnectorError> {
        // SCIM has no change feed: the next cycle reads everything again.
        Ok(Watermark("0".into()))
    }

    async fn read(&self, request: &ReadRequest) -> Result<Page, ConnectorError> {
        if request.since.is_some() {
            return Err(ConnectorError::new(
                ConnectorErrorKind::Unsupported,
                "NotImplemented",
                "a SCIM service cannot tell what changed; everything must be read",
            ));
        }
        let start = match &request.cursor {
            None => 1,
            Some(cursor) => cursor.parse::<usize>().map_err(|_| {
                let message = format!("'{cursor}' is no place in a list of resources");
                ConnectorError::new(ConnectorErrorKind::NotFound, "InvalidWatermark", message)
            })?,
        };
        let list = request::list(&request.object_type, &request.attributes, start, PAGE)?;
        let document = self.service.document(&list).await?;
        let page = answer::page(&list, document)?;
        let after = start.saturating_add(page.resources.len());
        let next = (!page.resources.is_empty() && after <= page.total).then(|| after.to_string().into());
        let mut objects = Vec::with_capacity(page.resources.len());
        for resource in &page.resources {
            let object = translate::object(&request.object_type, resource, &request.attributes)
                .ok_or_else(|| answer::incompatible(&list, "holds a resource without 'id'").error)?;
            objects.push(Incoming { anchor: object.anchor.clone(), object: Some(object), entitlement: None });
        }
        Ok(Page { objects, next, total: u64::try_from(page.total).ok(), ..Page::default() })
    }

    async fn subject(&self, request: &SubjectRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        let request = GetRequest {
            object_type: request.object_type.clone(),
            anchor: Anchor::new(request.id.clone()),
            attributes: request.attributes.clone(),
        };
        self.resource(&request).await
    }

    async fn entitlement(
        &self,
        _object: &DirectoryObject,
        _application: &EntryId,
    ) -> Result<Option<Entitlement>, ConnectorError> {
        Ok(None)
    }

    async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        self.resource(request).await
    }

    async fn find(&self, query: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        let request = request::find(query, 1)?;
        let hits = self.hits(query).await?;
        hits.iter()
            .map(|hit| {
                translate::object(&query.object_type, hit, &query.attributes)
                    .ok_or_else(|| answer::incompatible(&request, "holds a resource without 'id'").error)
            })
            .collect()
    }

    async fn write(&self, operation: &Operation) -> Result<Written, ConnectorError> {
        let kind = Kind::of(&operation.object_type)?;
        let anchor = operation.anchor.as_ref().ok_or_else(|| {
            ConnectorError::new(
                ConnectorErrorKind::Rejected,
                "InvalidAnchor",
                format!("a change of a {} needs the id of the resource", operation.object_type),
            )
        });
        match operation.kind {
            OperationKind::Create => self.create(kind, operation).await,
            OperationKind::Update => self.update(kind, anchor?, &operation.changes).await,
            OperationKind::Delete => self.delete(kind, anchor?).await,
        }
    }

    async fn write_exactly(&self, operation: &Operation) -> Result<Written, ConnectorError> {
        self.send_exactly(operation).await
    }

    async fn write_told(
        &self,
        operation: &Operation,
        is_exact: bool,
    ) -> (Result<Written, ConnectorError>, Vec<Exchange>) {
        transcript::told(async {
            if is_exact { self.write_exactly(operation).await } else { self.write(operation).await }
        })
        .await
    }

    async fn envelope(&self, request: &PreparedRequest) -> Envelope {
        self.service.envelope(request).await
    }

    fn preview(&self, operation: &Operation) -> Vec<PreparedRequest> {
        let mut requests = preview(&self.shape(), operation).unwrap_or_default();
        requests.iter_mut().filter_map(|request| request.body.as_mut()).for_each(hide_passwords);
        requests
    }
}

/// The requests of an operation, when nothing is refused.
pub(super) fn preview(shape: &Shape, operation: &Operation) -> Result<Vec<PreparedRequest>, ConnectorError> {
    let kind = Kind::of(&operation.object_type)?;
    let path = match &operation.anchor {
        Some(anchor) => request::resource_path(kind, anchor)?,
        None => format!("{}/{NEW}", kind.collection()),
    };
    let (references, plain): (Vec<_>, Vec<_>) =
        operation.changes.iter().cloned().partition(|change| change.is_reference);
    let mut requests = Vec::new();
    match operation.kind {
        OperationKind::Delete => return Ok(vec![request::delete(path)]),
        OperationKind::Create => requests.push(request::create(shape, kind, &plain)?),
        OperationKind::Update => requests.extend(request::update(shape, &path, &plain)?),
    }
    for change in references {
        if change.is_multivalued {
            for block in request::blocks(&change, shape.members_per_request) {
                requests.push(request::refer_to_several(shape, &path, &block));
            }
        } else {
            requests.push(request::refer(shape, &path, &change));
        }
    }
    Ok(requests)
}

/// A prepared request is shown and logged; a password must not be.
fn hide_passwords(body: &mut Json) {
    let is_password = |name: &str| name.to_ascii_lowercase().ends_with("password");
    match body {
        Json::Object(members) => {
            let is_operation = members.get("path").and_then(Json::as_str).is_some_and(is_password);
            for (name, value) in members.iter_mut() {
                if is_password(name) || (is_operation && name == "value") {
                    *value = Json::from("[Redact]");
                } else {
                    hide_passwords(value);
                }
            }
        }
        Json::Array(values) => values.iter_mut().for_each(hide_passwords),
        _ => {}
    }
}

/// A refused attribute or reference and the reason, for `Written::left_out`.
pub(super) fn left_out(attribute: &SmolStr, id: Option<&str>, refusal: Refusal) -> (SmolStr, String) {
    let reason = refusal.error.detail.unwrap_or(refusal.error.message);
    (attribute.clone(), id.map_or_else(|| reason.clone(), |id| format!("{id}: {reason}")))
}
