//! Connectors to the servers under test, and the words that the tests share.

use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::ports::{
    Connector, ConnectorError, ConnectorSettings, Connectors, GetRequest, MatchQuery, ReadRequest,
    SubjectRequest, Watermark, Written,
};
use usher_core::{Anchor, AttributeChange, Change, DirectoryObject, Operation, OperationKind, Secret};
use usher_expr::Value;
use usher_testkit::servers::{Samba, Slapd};
use usher_testkit::{ManualClock, MemoryStore};

/// A connector with these settings, which trusts an authority.
pub fn connector(settings: &[(&str, &str)], authority: Option<&str>) -> Arc<dyn Connector> {
    let options = HttpOptions {
        extra_ca_pem: authority.map(|pem| pem.as_bytes().to_vec()),
        timeout: Duration::from_secs(60),
        ..HttpOptions::default()
    };
    let clock = Arc::new(ManualClock::at("2026-03-02T09:00:00Z".parse().unwrap()));
    let all = AllConnectors::new(Arc::new(MemoryStore::default()), clock, options).unwrap();
    let mut read = ConnectorSettings::default();
    for (key, value) in settings {
        read.set(*key, Secret::new(*value));
    }
    all.build("ldap", &read).unwrap()
}

/// A connector to a domain controller, with more settings or others.
pub fn domain(samba: &Samba, more: &[(&str, &str)]) -> Arc<dyn Connector> {
    let address = samba.ldaps();
    let own = [
        ("BaseAddress", address.as_str()),
        ("UserName", Samba::ADMINISTRATOR),
        ("Password", samba.password()),
    ];
    connector(&[&own[..], more].concat(), Some(&samba.authority))
}

/// A connector to OpenLDAP, likewise.
pub fn people(slapd: &Slapd, more: &[(&str, &str)]) -> Arc<dyn Connector> {
    let address = slapd.ldaps();
    let own = [
        ("BaseAddress", address.as_str()),
        ("UserName", Slapd::ADMINISTRATOR),
        ("Password", slapd.password()),
    ];
    connector(&[&own[..], more].concat(), Some(&slapd.authority))
}

/// An attribute that gets a value.
pub fn set(attribute: &str, value: &str) -> AttributeChange {
    of(attribute, Change::Replace(vec![Value::text(value)]))
}

/// An attribute that loses its values.
pub fn clear(attribute: &str) -> AttributeChange {
    of(attribute, Change::Remove(Vec::new()))
}

fn of(attribute: &str, change: Change) -> AttributeChange {
    AttributeChange { attribute: attribute.into(), change, is_reference: false, is_multivalued: false }
}

/// A change of values of an attribute with several.
pub fn several(attribute: &str, change: fn(Vec<Value>) -> Change, values: &[&str]) -> AttributeChange {
    let change = change(values.iter().map(Value::text).collect());
    AttributeChange { is_multivalued: true, ..of(attribute, change) }
}

/// A change of references.
pub fn refer(
    attribute: &str,
    change: fn(Vec<Value>) -> Change,
    anchors: &[&Anchor],
    is_multivalued: bool,
) -> AttributeChange {
    let change = change(anchors.iter().map(|anchor| Value::Reference(anchor.as_str().into())).collect());
    AttributeChange { is_reference: true, is_multivalued, ..of(attribute, change) }
}

/// An operation.
pub fn operation(
    kind: OperationKind,
    object_type: &str,
    anchor: Option<&Anchor>,
    changes: Vec<AttributeChange>,
) -> Operation {
    Operation { kind, object_type: object_type.into(), anchor: anchor.cloned(), changes }
}

/// Makes an entry.
pub async fn create(
    connector: &dyn Connector,
    object_type: &str,
    changes: Vec<AttributeChange>,
) -> Result<Anchor, ConnectorError> {
    let written = connector.write(&operation(OperationKind::Create, object_type, None, changes)).await?;
    assert_eq!(written.left_out, []);
    Ok(written.anchor)
}

/// Changes an entry.
pub async fn update(
    connector: &dyn Connector,
    object_type: &str,
    anchor: &Anchor,
    changes: Vec<AttributeChange>,
) -> Result<Written, ConnectorError> {
    connector.write(&operation(OperationKind::Update, object_type, Some(anchor), changes)).await
}

/// Deletes an entry.
pub async fn delete(
    connector: &dyn Connector,
    object_type: &str,
    anchor: &Anchor,
) -> Result<Written, ConnectorError> {
    connector.write(&operation(OperationKind::Delete, object_type, Some(anchor), Vec::new())).await
}

/// Attributes of an entry as `name = value` lines, or `gone`.
pub async fn shown(
    connector: &dyn Connector,
    object_type: &str,
    anchor: &Anchor,
    attributes: &[&str],
) -> String {
    let request = GetRequest {
        object_type: object_type.into(),
        anchor: anchor.clone(),
        attributes: attributes.iter().copied().map(SmolStr::from).collect(),
    };
    match connector.get(&request).await.unwrap() {
        None => "gone".to_owned(),
        Some(object) => {
            let lines =
                object.attributes.iter().map(|(name, value)| format!("{name} = {}\n", value.to_text()));
            lines.collect()
        }
    }
}

/// A search for an entry by a value.
pub fn probe(object_type: &str, attribute: &str, value: &str) -> MatchQuery {
    MatchQuery {
        object_type: object_type.into(),
        attribute: attribute.into(),
        value: Value::text(value),
        attributes: Vec::new(),
    }
}

/// Everything that a read gives, page by page: names of entries that are there, anchors of those that are gone.
pub async fn read(
    connector: &dyn Connector,
    object_type: &str,
    since: Option<&Watermark>,
) -> Result<(Vec<DirectoryObject>, Vec<Anchor>), ConnectorError> {
    let until = connector.watermark(object_type).await?;
    let attributes = ["cn", "title", "member", "distinguishedName"].map(SmolStr::from).to_vec();
    let mut request = ReadRequest {
        object_type: object_type.into(),
        attributes,
        application: None,
        since: since.cloned(),
        until,
        cursor: None,
    };
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    loop {
        let page = connector.read(&request).await?;
        for incoming in page.objects {
            match incoming.object {
                Some(object) => there.push(object),
                None => gone.push(incoming.anchor),
            }
        }
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return Ok((there, gone)),
        }
    }
}

/// The common names of objects, in order.
pub fn names(objects: &[DirectoryObject]) -> Vec<String> {
    let name =
        |object: &DirectoryObject| object.attributes.value("cn").map(|name| name.to_text().to_string());
    let mut names: Vec<String> = objects.iter().filter_map(name).collect();
    names.sort();
    names.dedup();
    names
}

/// The object that somebody named.
pub async fn subject(
    connector: &dyn Connector,
    object_type: &str,
    id: &str,
    attributes: &[&str],
) -> Result<Option<DirectoryObject>, ConnectorError> {
    let request = SubjectRequest {
        object_type: object_type.into(),
        id: id.into(),
        attributes: attributes.iter().copied().map(SmolStr::from).collect(),
        application: None,
    };
    connector.subject(&request).await
}
