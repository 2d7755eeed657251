//! The connector of API-driven provisioning: a source of SCIM users that somebody uploaded (Graph, `bulkUpload`).

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value as Json;
use smol_str::{SmolStr, format_smolstr};
use usher_core::ports::{
    Capabilities, Connector, ConnectorError, ConnectorErrorKind, ConnectorSettings, Entitlement, GetRequest,
    Incoming, JOB_SETTING, MatchQuery, Page, PreparedRequest, ReadRequest, Store, StoreError, SubjectRequest,
    Watermark, Written,
};
use usher_core::schema::DirectoryDefinition;
use usher_core::{Anchor, AttributeSet, DirectoryObject, EntryId, JobId, Operation};

use crate::scim::path::AttributePath;
use crate::scim::translate;
use crate::{AllConnectors, ConnectorKind};

/// How many records are read at once.
const PAGE: usize = 500;

const CAPABILITIES: Capabilities = Capabilities {
    source: true,
    target: false,
    assignments: false,
    unique_values: false,
    discovery: false,
    deltas: true,
    lasting_cursors: false,
};

/// The record of this kind.
pub(crate) const KIND: ConnectorKind = ConnectorKind {
    name: "api",
    summary: "People that a client uploads as SCIM bulk requests.",
    settings: &[],
    capabilities: CAPABILITIES,
    build,
};

fn build(all: &AllConnectors, settings: &ConnectorSettings) -> Result<Arc<dyn Connector>, ConnectorError> {
    // Without a job there is nothing to read, and nothing that could be wrong.
    let job = settings.get(JOB_SETTING).map(|job| JobId::new(job.expose()));
    Ok(Arc::new(ApiConnector { store: all.store.clone(), job }))
}

struct ApiConnector {
    store: Arc<dyn Store>,
    job: Option<JobId>,
}

impl ApiConnector {
    async fn record(
        &self,
        object_type: &SmolStr,
        id: &str,
        attributes: &[SmolStr],
    ) -> Result<Option<DirectoryObject>, ConnectorError> {
        let Some(job) = &self.job else { return Ok(None) };
        let found = self.store.upload(job, id).await.map_err(read_failed)?;
        Ok(found.map(|record| object(object_type, &record.id, &record.document, attributes)))
    }
}

/// A record as an object of the schema.
fn object(object_type: &SmolStr, id: &str, document: &Json, attributes: &[SmolStr]) -> DirectoryObject {
    let mut set = AttributeSet::default();
    for name in attributes {
        if let (Ok(path), Some(resource)) = (AttributePath::parse(name), document.as_object()) {
            set.set(name.clone(), translate::value(resource, &path));
        }
    }
    DirectoryObject { object_type: object_type.clone(), anchor: Anchor::new(id), attributes: set }
}

fn read_failed(error: StoreError) -> ConnectorError {
    ConnectorError {
        source: Some(Box::new(error)),
        ..ConnectorError::new(
            ConnectorErrorKind::Unreachable,
            "InternalError",
            "the uploaded records cannot be read",
        )
    }
}

fn number(text: &SmolStr) -> Result<u64, ConnectorError> {
    text.parse().map_err(|_| {
        ConnectorError::new(
            ConnectorErrorKind::NotFound,
            "InvalidWatermark",
            format!("'{text}' is no watermark of uploads"),
        )
    })
}

fn is_no_target() -> ConnectorError {
    ConnectorError::new(
        ConnectorErrorKind::Unsupported,
        "NotImplemented",
        "uploaded records are a source; nothing can be written to them",
    )
}

#[async_trait]
impl Connector for ApiConnector {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn check(&self, _: &MatchQuery) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn discover(&self) -> Result<DirectoryDefinition, ConnectorError> {
        Err(ConnectorError::new(
            ConnectorErrorKind::Unsupported,
            "NotImplemented",
            "uploaded records tell no attributes; add those that you upload to the schema",
        ))
    }

    async fn watermark(&self, _: &str) -> Result<Watermark, ConnectorError> {
        let last = self.store.last_upload().await.map_err(read_failed)?;
        Ok(Watermark(format_smolstr!("{last}")))
    }

    async fn read(&self, request: &ReadRequest) -> Result<Page, ConnectorError> {
        let Some(job) = &self.job else { return Ok(Page::default()) };
        let after = match (&request.cursor, &request.since) {
            (Some(cursor), _) => number(cursor)?,
            (None, Some(since)) => number(&since.0)?,
            (None, None) => 0,
        };
        let until = number(&request.until.0)?;
        let records = self.store.uploads(job, after, until, PAGE).await.map_err(read_failed)?;
        let total = match (&request.cursor, &request.since) {
            (None, None) => Some(self.store.count_uploads(job).await.map_err(read_failed)?),
            _ => None,
        };
        let next =
            records.last().filter(|_| records.len() == PAGE).map(|last| format_smolstr!("{}", last.number));
        let objects = records
            .iter()
            .map(|record| {
                let object = object(&request.object_type, &record.id, &record.document, &request.attributes);
                Incoming { anchor: object.anchor.clone(), object: Some(object), entitlement: None }
            })
            .collect();
        Ok(Page { objects, next, total, ..Page::default() })
    }

    async fn subject(&self, request: &SubjectRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        self.record(&request.object_type, &request.id, &request.attributes).await
    }

    async fn entitlement(
        &self,
        _: &DirectoryObject,
        _: &EntryId,
    ) -> Result<Option<Entitlement>, ConnectorError> {
        Ok(None)
    }

    async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        self.record(&request.object_type, request.anchor.as_str(), &request.attributes).await
    }

    async fn find(&self, _: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        Ok(Vec::new())
    }

    async fn write(&self, _: &Operation) -> Result<Written, ConnectorError> {
        Err(is_no_target())
    }

    fn preview(&self, _: &Operation) -> Vec<PreparedRequest> {
        Vec::new()
    }
}
