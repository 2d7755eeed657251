//! The directory inside as a connector: reads and writes entries through the store.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use usher_core::ports::{
    Capabilities, Clock, Connector, ConnectorError, ConnectorErrorKind, Effect, Entitlement, EntryQuery,
    GetRequest, MatchQuery, Page, PreparedRequest, ReadRequest, Store, StoreError, SubjectRequest, Watermark,
    Written,
};
use usher_core::schema::DirectoryDefinition;
use usher_core::{
    Anchor, AttributeSet, DirectoryObject, Entry, EntryId, EntryKind, Link, Operation, OperationKind,
    Relation,
};
use usher_expr::Value;

use super::assignments::{self, all_links_from, all_links_to};
use super::request::{self, Edit, Edits, LinkEdit, rejected};
use super::translate::{self, Place, Shape};
use super::{CAPABILITIES, discovery, source};

/// How many entries are read at once.
const PAGE: usize = 500;
/// More hits than this tell nothing new.
const HITS: usize = 100;
/// The most characters of a user principal name before and after the `@`.
const NAME_LENGTHS: (usize, usize) = (64, 48);

/// A connector to the directory inside.
pub(super) struct DirectoryConnector {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
}

/// For whom an object is read.
#[derive(Clone, Copy)]
enum View<'a> {
    /// For provisioning elsewhere: guests under their name at home, with the roles in this application.
    Source(Option<&'a EntryId>),
    /// For comparison.
    Target,
}

impl DirectoryConnector {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    async fn object(
        &self,
        entry: &Entry,
        object_type: &SmolStr,
        names: &[SmolStr],
        view: View<'_>,
    ) -> Result<DirectoryObject, StoreError> {
        let mut attributes = AttributeSet::default();
        for name in names {
            let value = match (translate::attribute(name).place, view) {
                (Place::Link(relation), _) => self.references(entry, relation).await?,
                (Place::AppRoleAssignments, View::Source(Some(application))) => {
                    assignments::roles(&*self.store, &entry.id, entry.kind, application).await?
                }
                (place, View::Source(_)) => translate::import(entry, &place),
                (place, View::Target) => translate::read(entry, &place),
            };
            attributes.set(name.clone(), value);
        }
        Ok(DirectoryObject {
            object_type: object_type.clone(),
            anchor: Anchor::new(entry.id.as_str()),
            attributes,
        })
    }

    /// The living entries that an entry links to, as references.
    async fn references(&self, entry: &Entry, relation: Relation) -> Result<Value, StoreError> {
        let mut references = Vec::new();
        for id in all_links_from(&*self.store, &entry.id, relation).await? {
            if self.is_alive(relation, &id).await? {
                references.push(Value::Reference(id.as_str().into()));
            }
        }
        Ok(match relation {
            Relation::Manager => references.pop().unwrap_or_default(),
            _ if references.is_empty() => Value::Null,
            _ => Value::list(references),
        })
    }

    /// Whether a living entry has this id that a link of this relation may point to.
    async fn is_alive(&self, relation: Relation, id: &EntryId) -> Result<bool, StoreError> {
        let kinds: &[EntryKind] = match relation {
            Relation::Manager => &[EntryKind::User],
            Relation::Members => &[EntryKind::User, EntryKind::Group, EntryKind::ServicePrincipal],
            Relation::Owners => &[EntryKind::User, EntryKind::ServicePrincipal],
        };
        for kind in kinds {
            if let Some(entry) = self.store.entry(*kind, id).await? {
                return Ok(entry.deleted_at.is_none());
            }
        }
        Ok(false)
    }

    async fn living(&self, kind: EntryKind, id: &EntryId) -> Result<Option<Entry>, StoreError> {
        Ok(self.store.entry(kind, id).await?.filter(|entry| entry.deleted_at.is_none()))
    }

    async fn search(&self, kind: EntryKind, query: &MatchQuery) -> Result<Vec<Entry>, ConnectorError> {
        let value = query.value.single();
        let text = value.to_text();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let attribute = translate::attribute(&query.attribute);
        match &attribute.place {
            Place::Id => {
                let found = self.living(kind, &EntryId::new(text.to_lowercase())).await;
                Ok(found.map_err(read_failed)?.into_iter().collect())
            }
            Place::Link(relation) => {
                let mut found = Vec::new();
                let ids = all_links_to(&*self.store, &EntryId::new(text.to_lowercase()), *relation).await;
                for id in ids.map_err(read_failed)? {
                    found.extend(self.living(kind, &id).await.map_err(read_failed)?);
                }
                Ok(found)
            }
            Place::Property(property) if property == "userPrincipalName" && kind == EntryKind::User => {
                let found = self.store.entry_by_key(kind, property, &text).await;
                Ok(found.map_err(read_failed)?.into_iter().collect())
            }
            Place::Property(property) => {
                let is_text = matches!(value, Value::Text(_) | Value::Reference(_));
                let equals = match attribute.shape {
                    Shape::Text => Some(text.clone()),
                    Shape::Any if is_text => Some(text.clone()),
                    Shape::Instant => translate::json(Shape::Instant, value)
                        .ok()
                        .and_then(|instant| instant.as_str().map(SmolStr::from)),
                    _ => None,
                };
                let equals = equals.map(|text| (property.clone(), text));
                self.scan(kind, &attribute.place, &text, equals).await.map_err(read_failed)
            }
            Place::First(_) | Place::Member(..) | Place::CreatedAt => {
                self.scan(kind, &attribute.place, &text, None).await.map_err(read_failed)
            }
            Place::IsSoftDeleted
            | Place::AppRoleAssignments
            | Place::OriginalUserPrincipalName
            | Place::Password
            | Place::Nowhere => Err(rejected(
                &query.attribute,
                format!("objects of the directory inside cannot be found by {}", query.attribute),
            )),
        }
    }

    /// Entries that have the text in a place. `equals` lets the store do the work, where it can.
    async fn scan(
        &self,
        kind: EntryKind,
        place: &Place,
        text: &str,
        equals: Option<(SmolStr, SmolStr)>,
    ) -> Result<Vec<Entry>, StoreError> {
        let wanted = text.to_lowercase();
        let is_sure = equals.is_some();
        let mut query = EntryQuery { kind, deleted: false, after: None, limit: PAGE, equals };
        let mut found = Vec::new();
        loop {
            let page = self.store.entries(&query).await?;
            let is_last = page.len() < PAGE;
            query.after = page.last().map(|entry| entry.id.clone());
            found.extend(page.into_iter().filter(|entry| {
                is_sure
                    || translate::read(entry, place)
                        .values()
                        .iter()
                        .any(|value| value.to_text().to_lowercase() == wanted)
            }));
            if is_last || found.len() >= HITS {
                return Ok(found);
            }
        }
    }

    async fn create(&self, kind: EntryKind, edits: &Edits) -> Result<EntryId, ConnectorError> {
        let mut entry = Entry {
            id: EntryId::new(self.clock.guid().to_string()),
            kind,
            properties: Default::default(),
            created_at: self.clock.now(),
            deleted_at: None,
        };
        edits.apply(&mut entry.properties)?;
        complete(&mut entry)?;
        self.check_links(&entry, edits).await?;
        self.store.put_entry(&entry).await.map_err(write_failed)?;
        self.write_links(&entry.id, edits).await.map_err(write_failed)?;
        Ok(entry.id)
    }

    async fn update(&self, kind: EntryKind, id: EntryId, edits: &Edits) -> Result<EntryId, ConnectorError> {
        let Some(mut entry) = self.living(kind, &id).await.map_err(read_failed)? else {
            return Err(ConnectorError::new(
                ConnectorErrorKind::NotFound,
                "InvalidAnchor",
                format!("the directory inside has no {} '{id}'", kind.as_str()),
            ));
        };
        let before = entry.properties.clone();
        edits.apply(&mut entry.properties)?;
        if entry.text("userPrincipalName") != before.get("userPrincipalName").and_then(Json::as_str) {
            check_user_principal_name(&entry)?;
        }
        self.check_links(&entry, edits).await?;
        if entry.properties != before {
            self.store.put_entry(&entry).await.map_err(write_failed)?;
        }
        self.write_links(&entry.id, edits).await.map_err(write_failed)?;
        Ok(entry.id)
    }

    /// Puts a living entry into the bin. One that is not there, or in the bin already, is as it should be.
    async fn delete(&self, kind: EntryKind, id: EntryId) -> Result<EntryId, ConnectorError> {
        if let Some(mut entry) = self.living(kind, &id).await.map_err(read_failed)? {
            entry.deleted_at = Some(self.clock.now());
            self.store.put_entry(&entry).await.map_err(write_failed)?;
        }
        Ok(id)
    }

    /// All links are checked before anything is written, so that a refusal leaves nothing behind.
    async fn check_links(&self, entry: &Entry, edits: &Edits) -> Result<(), ConnectorError> {
        for LinkEdit { attribute, relation, edit } in &edits.links {
            if *relation == Relation::Members && is_dynamic(entry) {
                return Err(rejected(
                    attribute,
                    format!("the members of the group '{}' follow a rule", entry.id),
                ));
            }
            let (Edit::Set(ids) | Edit::Add(ids)) = edit else { continue };
            for id in ids {
                if *id == entry.id && *relation != Relation::Owners {
                    return Err(rejected(attribute, format!("'{id}' cannot refer to itself as {attribute}")));
                }
                if !self.is_alive(*relation, id).await.map_err(read_failed)? {
                    return Err(rejected(
                        attribute,
                        format!("{attribute} refers to '{id}', which is not there"),
                    ));
                }
            }
        }
        Ok(())
    }

    async fn write_links(&self, from: &EntryId, edits: &Edits) -> Result<(), StoreError> {
        for LinkEdit { relation, edit, .. } in &edits.links {
            let link = |to: &EntryId| Link { from: from.clone(), relation: *relation, to: to.clone() };
            let (add, remove) = match edit {
                Edit::Add(ids) => (ids.clone(), Vec::new()),
                Edit::Take(ids) => (Vec::new(), ids.clone()),
                Edit::Clear => (Vec::new(), all_links_from(&*self.store, from, *relation).await?),
                Edit::Set(ids) => {
                    let mut surplus = all_links_from(&*self.store, from, *relation).await?;
                    surplus.retain(|id| !ids.contains(id));
                    (ids.clone(), surplus)
                }
            };
            for id in &remove {
                self.store.remove_link(&link(id)).await?;
            }
            for id in &add {
                self.store.add_link(&link(id)).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Connector for DirectoryConnector {
    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    async fn check(&self, probe: &MatchQuery) -> Result<(), ConnectorError> {
        self.find(probe).await.map(drop)
    }

    async fn discover(&self) -> Result<DirectoryDefinition, ConnectorError> {
        discovery::discover(&*self.store).await.map_err(read_failed)
    }

    async fn watermark(&self, _: &str) -> Result<Watermark, ConnectorError> {
        let number = self.store.last_change().await.map_err(read_failed)?;
        Ok(Watermark(number.to_string().into()))
    }

    async fn read(&self, request: &ReadRequest) -> Result<Page, ConnectorError> {
        source::read(&*self.store, request).await
    }

    async fn subject(&self, request: &SubjectRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        let kind = translate::kind(&request.object_type)?;
        let id = EntryId::new(request.id.trim().to_lowercase());
        let Some(entry) = self.store.entry(kind, &id).await.map_err(read_failed)? else { return Ok(None) };
        // A user in the bin is switched off elsewhere and may come back; nothing else knows such a state.
        if entry.deleted_at.is_some() && kind != EntryKind::User {
            return Ok(None);
        }
        let view = View::Source(request.application.as_ref());
        self.object(&entry, &request.object_type, &request.attributes, view)
            .await
            .map(Some)
            .map_err(read_failed)
    }

    async fn entitlement(
        &self,
        object: &DirectoryObject,
        application: &EntryId,
    ) -> Result<Option<Entitlement>, ConnectorError> {
        let kind = translate::kind(&object.object_type)?;
        let id = EntryId::new(object.anchor.as_str());
        assignments::entitlement(&*self.store, &id, kind, application).await.map(Some).map_err(read_failed)
    }

    async fn get(&self, request: &GetRequest) -> Result<Option<DirectoryObject>, ConnectorError> {
        let kind = translate::kind(&request.object_type)?;
        let id = EntryId::new(request.anchor.as_str().to_lowercase());
        let Some(entry) = self.living(kind, &id).await.map_err(read_failed)? else { return Ok(None) };
        self.object(&entry, &request.object_type, &request.attributes, View::Target)
            .await
            .map(Some)
            .map_err(read_failed)
    }

    async fn find(&self, query: &MatchQuery) -> Result<Vec<DirectoryObject>, ConnectorError> {
        let kind = translate::kind(&query.object_type)?;
        let mut objects = Vec::new();
        for entry in self.search(kind, query).await? {
            let object = self.object(&entry, &query.object_type, &query.attributes, View::Target).await;
            objects.push(object.map_err(read_failed)?);
        }
        Ok(objects)
    }

    async fn write(&self, operation: &Operation) -> Result<Written, ConnectorError> {
        let kind = translate::kind(&operation.object_type)?;
        if !matches!(kind, EntryKind::User | EntryKind::Group | EntryKind::Contact) {
            return Err(ConnectorError::new(
                ConnectorErrorKind::Unsupported,
                "NotImplemented",
                format!("a {} cannot be written by provisioning", kind.as_str()),
            ));
        }
        let edits = Edits::of(kind, &operation.changes)?;
        let id = || -> Result<EntryId, ConnectorError> {
            let anchor = operation.anchor.as_ref().ok_or_else(|| {
                ConnectorError::new(
                    ConnectorErrorKind::Rejected,
                    "InvalidAnchor",
                    format!("the operation does not say which {} it means", kind.as_str()),
                )
            })?;
            Ok(EntryId::new(anchor.as_str().to_lowercase()))
        };
        let id = match operation.kind {
            OperationKind::Create => self.create(kind, &edits).await?,
            OperationKind::Update => self.update(kind, id()?, &edits).await?,
            OperationKind::Delete => self.delete(kind, id()?).await?,
        };
        Ok(Written { left_out: edits.left_out, ..Written::whole(Anchor::new(id.as_str())) })
    }

    fn preview(&self, operation: &Operation) -> Vec<PreparedRequest> {
        request::preview(operation)
    }
}

/// Gives a new entry what Graph demands and mappings may leave out.
fn complete(entry: &mut Entry) -> Result<(), ConnectorError> {
    if entry.text("displayName").is_none() {
        return Err(missing(entry.kind, "displayName"));
    }
    let defaults = match entry.kind {
        EntryKind::User => {
            check_user_principal_name(entry)?;
            let name = entry.text("userPrincipalName").unwrap_or_default();
            let local = name.rsplit_once('@').map_or(name, |(local, _)| local);
            json!({"accountEnabled": true, "mailNickname": local})
        }
        EntryKind::Contact => json!({}),
        _ => {
            let nickname: String = entry
                .text("displayName")
                .unwrap_or_default()
                .chars()
                .filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'))
                .take(NAME_LENGTHS.0)
                .collect();
            let nickname = if nickname.is_empty() { entry.id.to_string() } else { nickname };
            json!({"mailNickname": nickname, "mailEnabled": false, "securityEnabled": true, "groupTypes": []})
        }
    };
    if let Json::Object(defaults) = defaults {
        for (name, value) in defaults {
            entry.properties.entry(name).or_insert(value);
        }
    }
    Ok(())
}

fn check_user_principal_name(entry: &Entry) -> Result<(), ConnectorError> {
    const NAME: &str = "userPrincipalName";
    let Some(name) = entry.text(NAME) else { return Err(missing(entry.kind, NAME)) };
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "'.-_!#^~".contains(letter);
    let is_good = name.split_once('@').is_some_and(|(local, domain)| {
        (1..=NAME_LENGTHS.0).contains(&local.len())
            && (1..=NAME_LENGTHS.1).contains(&domain.len())
            && local.chars().all(is_allowed)
            && domain.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-'))
    });
    if is_good {
        return Ok(());
    }
    Err(rejected(
        NAME,
        format!(
            "'{name}' is no user principal name: it takes up to {} of A-Z a-z 0-9 ' . - _ ! # ^ ~, then @, then a \
             domain of up to {}",
            NAME_LENGTHS.0, NAME_LENGTHS.1
        ),
    ))
}

fn missing(kind: EntryKind, property: &str) -> ConnectorError {
    let message = format!("a {} needs a value for {property}", kind.as_str());
    ConnectorError { code: "UnprocessableEntity".into(), ..rejected(property, message) }
}

fn is_dynamic(entry: &Entry) -> bool {
    let types = entry.properties.get("groupTypes").and_then(Json::as_array);
    types.is_some_and(|types| types.iter().any(|one| one.as_str() == Some("DynamicMembership")))
}

pub(super) fn read_failed(error: StoreError) -> ConnectorError {
    failed(error, Effect::None)
}

fn write_failed(error: StoreError) -> ConnectorError {
    match &error {
        StoreError::Duplicate { property, .. } => {
            let mut failure =
                ConnectorError::new(ConnectorErrorKind::AlreadyExists, "EntryConflict", error.to_string());
            failure.attribute = Some(property.as_str().into());
            failure
        }
        StoreError::Failed { .. } => failed(error, Effect::Unknown),
    }
}

fn failed(error: StoreError, effect: Effect) -> ConnectorError {
    let message = "the directory inside cannot be reached".to_owned();
    let mut failure = ConnectorError::new(ConnectorErrorKind::Unreachable, "InternalServerError", message);
    failure.effect = effect;
    failure.source = Some(Box::new(error));
    failure
}
