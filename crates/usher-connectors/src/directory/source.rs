//! The directory inside as a source of cycles: pages of everything, or of what changed since a watermark.

use std::collections::HashMap;

use smol_str::{SmolStr, format_smolstr};
use usher_core::ports::{
    ConnectorError, ConnectorErrorKind, Entitlement, EntryQuery, Incoming, Page, ReadRequest, Store,
    StoreError,
};
use usher_core::{Anchor, AttributeSet, DirectoryObject, Entry, EntryId, EntryKind, Relation};
use usher_expr::Value;

use super::assignments;
use super::connector::read_failed;
use super::translate::{self, Place};

/// How many entries are read at once.
const PAGE: usize = 500;
/// Cursors of full reads begin with the part that they point into; users in the bin come after the living.
const LIVING: &str = "living:";
const BINNED: &str = "binned:";

/// One page.
pub(super) async fn read(store: &dyn Store, request: &ReadRequest) -> Result<Page, ConnectorError> {
    let kind = translate::kind(&request.object_type)?;
    let (listed, next, total) = match &request.since {
        None => everything(store, kind, request.cursor.as_deref()).await?,
        Some(since) => {
            let after = number(request.cursor.as_ref().unwrap_or(&since.0))?;
            changed(store, kind, after, number(&request.until.0)?).await.map_err(read_failed)?
        }
    };
    let entries: Vec<&Entry> = listed.iter().filter_map(|(_, entry)| entry.as_ref()).collect();
    let view = View::of(store, &entries, kind, request).await.map_err(read_failed)?;
    let objects = listed
        .iter()
        .map(|(id, entry)| Incoming {
            anchor: Anchor::new(id.as_str()),
            object: entry.as_ref().map(|entry| view.object(entry, request)),
            entitlement: entry.as_ref().and_then(|entry| view.entitlement(entry)),
        })
        .collect();
    Ok(Page { objects, next, total, ..Page::default() })
}

/// Entries as a page lists them, `None` for those that are gone; where the next page begins; how many there are.
type Listed = (Vec<(EntryId, Option<Entry>)>, Option<SmolStr>, Option<u64>);

async fn everything(
    store: &dyn Store,
    kind: EntryKind,
    cursor: Option<&str>,
) -> Result<Listed, ConnectorError> {
    let bad = || invalid(&format!("'{}' is no cursor of this directory", cursor.unwrap_or_default()));
    let (deleted, after) = match cursor {
        None => (false, None),
        Some(cursor) => match (cursor.strip_prefix(LIVING), cursor.strip_prefix(BINNED)) {
            (Some(after), _) => (false, Some(after)),
            (_, Some(after)) => (true, Some(after)),
            _ => return Err(bad()),
        },
    };
    let after = after.filter(|after| !after.is_empty()).map(EntryId::new);
    let is_first = cursor.is_none();
    let query = EntryQuery { kind, deleted, after, limit: PAGE, equals: None };
    let page = store.entries(&query).await.map_err(read_failed)?;
    let next = match page.last() {
        Some(last) if page.len() == PAGE => {
            Some(format_smolstr!("{}{}", if deleted { BINNED } else { LIVING }, last.id))
        }
        // Only users in the bin matter: they are switched off elsewhere and may come back.
        _ if !deleted && kind == EntryKind::User => Some(SmolStr::new_static(BINNED)),
        _ => None,
    };
    let total = match is_first {
        true => Some(store.count_entries(kind).await.map_err(read_failed)?),
        false => None,
    };
    Ok((page.into_iter().map(|entry| (entry.id.clone(), Some(entry))).collect(), next, total))
}

async fn changed(store: &dyn Store, kind: EntryKind, after: u64, until: u64) -> Result<Listed, StoreError> {
    let changes = store.changes(kind, after, until, PAGE).await?;
    let next =
        changes.last().filter(|_| changes.len() == PAGE).map(|last| format_smolstr!("{}", last.number));
    let mut listed = Vec::with_capacity(changes.len());
    for change in changes {
        let entry = match change.is_removed {
            true => None,
            false => store.entry(kind, &change.id).await?,
        };
        // A group in the bin is gone; a user in the bin is only switched off.
        let entry = entry.filter(|entry| entry.deleted_at.is_none() || kind == EntryKind::User);
        listed.push((change.id, entry));
    }
    Ok((listed, next, None))
}

fn number(text: &SmolStr) -> Result<u64, ConnectorError> {
    text.parse().map_err(|_| invalid(&format!("'{text}' is no watermark of this directory")))
}

fn invalid(message: &str) -> ConnectorError {
    ConnectorError::new(ConnectorErrorKind::NotFound, "InvalidWatermark", message)
}

/// What the entries of a page have besides their properties, read for all of them at once.
struct View {
    links: HashMap<(EntryId, Relation), Vec<EntryId>>,
    roles: Option<Roles>,
}

/// The application on whose behalf is read, when it is there, and the roles in it by entry.
struct Roles {
    application: Option<Entry>,
    by_entry: HashMap<EntryId, Vec<String>>,
}

impl View {
    async fn of(
        store: &dyn Store,
        entries: &[&Entry],
        kind: EntryKind,
        request: &ReadRequest,
    ) -> Result<Self, StoreError> {
        let ids: Vec<EntryId> = entries.iter().map(|entry| entry.id.clone()).collect();
        let mut links: HashMap<(EntryId, Relation), Vec<EntryId>> = HashMap::new();
        for name in &request.attributes {
            if let Place::Link(relation) = translate::attribute(name).place {
                for (from, to) in store.living_links(&ids, relation).await? {
                    links.entry((from, relation)).or_default().push(to);
                }
            }
        }
        let roles = match &request.application {
            Some(application) => {
                let mut roles: HashMap<EntryId, Vec<String>> = HashMap::new();
                if matches!(kind, EntryKind::User | EntryKind::Group) {
                    for (id, role) in store.roles_of(application, &ids).await? {
                        roles.entry(id).or_default().push(role);
                    }
                }
                let application = assignments::application_of(store, application).await?;
                Some(Roles { application, by_entry: roles })
            }
            None => None,
        };
        Ok(Self { links, roles })
    }

    fn object(&self, entry: &Entry, request: &ReadRequest) -> DirectoryObject {
        let mut attributes = AttributeSet::default();
        for name in &request.attributes {
            let value = match translate::attribute(name).place {
                Place::Link(relation) => self.references(entry, relation),
                Place::AppRoleAssignments => self.app_roles(entry),
                place => translate::import(entry, &place),
            };
            attributes.set(name.clone(), value);
        }
        DirectoryObject {
            object_type: request.object_type.clone(),
            anchor: Anchor::new(entry.id.as_str()),
            attributes,
        }
    }

    fn references(&self, entry: &Entry, relation: Relation) -> Value {
        let found = self.links.get(&(entry.id.clone(), relation)).map(Vec::as_slice).unwrap_or_default();
        let reference = |id: &EntryId| Value::Reference(id.as_str().into());
        match relation {
            Relation::Manager => found.first().map(reference).unwrap_or_default(),
            _ if found.is_empty() => Value::Null,
            _ => Value::list(found.iter().map(reference)),
        }
    }

    fn role_ids(&self, entry: &Entry) -> &[String] {
        let roles = self.roles.as_ref().and_then(|roles| roles.by_entry.get(&entry.id));
        roles.map(Vec::as_slice).unwrap_or_default()
    }

    fn app_roles(&self, entry: &Entry) -> Value {
        let Some(Roles { application: Some(application), .. }) = &self.roles else { return Value::Null };
        let roles: Vec<Value> = self
            .role_ids(entry)
            .iter()
            .filter_map(|id| assignments::role(application, id))
            .map(|role| Value::Object(role.into()))
            .collect();
        if roles.is_empty() { Value::Null } else { Value::list(roles) }
    }

    fn entitlement(&self, entry: &Entry) -> Option<Entitlement> {
        let application = &self.roles.as_ref()?.application;
        let ids = self.role_ids(entry);
        Some(match application {
            None => Entitlement { is_assigned: false, has_role: false },
            Some(application) => Entitlement {
                is_assigned: !ids.is_empty(),
                has_role: ids.iter().any(|id| assignments::role(application, id).is_some()),
            },
        })
    }
}
