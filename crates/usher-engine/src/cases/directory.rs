//! What all kinds of entries of the directory inside have in common: look up, list, put into the bin, link.

use serde_json::{Map, Value};
use usher_core::ports::{EntryQuery, StoreError};
use usher_core::{Entry, EntryId, EntryKind, Link, Relation};

use super::CaseError;
use crate::Engine;

/// How many objects one `@odata.bind` may name.
const BINDINGS: usize = 20;

impl Engine {
    /// The living entry with this id.
    ///
    /// # Errors
    /// There is none.
    pub async fn entry(&self, kind: EntryKind, id: &str) -> Result<Entry, CaseError> {
        let id = EntryId::new(id.to_lowercase());
        self.store
            .entry(kind, &id)
            .await?
            .filter(|entry| entry.deleted_at.is_none())
            .ok_or_else(|| CaseError::not_found(kind.as_str(), id.as_str()))
    }

    /// A page of living entries.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn entries(&self, query: &EntryQuery) -> Result<Vec<Entry>, CaseError> {
        Ok(self.store.entries(query).await?)
    }

    /// The living user or group with this id.
    ///
    /// # Errors
    /// There is none.
    pub async fn directory_object(&self, id: &str) -> Result<Entry, CaseError> {
        for kind in [EntryKind::User, EntryKind::Group, EntryKind::ServicePrincipal] {
            match self.entry(kind, id).await {
                Err(CaseError::NotFound { .. }) => {}
                other => return other,
            }
        }
        Err(CaseError::not_found("directoryObject", id))
    }

    /// Puts an entry into the bin.
    ///
    /// # Errors
    /// There is none.
    pub async fn delete_entry(&self, kind: EntryKind, id: &str) -> Result<(), CaseError> {
        let mut entry = self.entry(kind, id).await?;
        if kind == EntryKind::Application {
            // Its service principal goes with it; first, so that a second try finds the rest.
            match self.service_principal_of(kind, id).await {
                Ok(mut principal) => {
                    principal.deleted_at = Some(self.clock.now());
                    self.store.put_entry(&principal).await?;
                }
                Err(CaseError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        entry.deleted_at = Some(self.clock.now());
        Ok(self.store.put_entry(&entry).await?)
    }

    /// The living entries that an entry links to.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn linked(
        &self,
        from: &EntryId,
        relation: Relation,
        after: Option<&EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>, CaseError> {
        let mut found = Vec::new();
        for id in self.store.links_from(from, relation, after, limit).await? {
            match self.directory_object(id.as_str()).await {
                Ok(entry) => found.push(entry),
                Err(CaseError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Adds a link from an entry to a user or group.
    ///
    /// # Errors
    /// The object is not there, or the link is.
    pub async fn link(&self, from: &EntryId, relation: Relation, to: &str) -> Result<(), CaseError> {
        let object = self.directory_object(to).await?;
        if object.id == *from {
            return Err(CaseError::invalid("Request_BadRequest", "an object cannot refer to itself"));
        }
        let link = Link { from: from.clone(), relation, to: object.id };
        if !self.store.add_link(&link).await? && relation != Relation::Manager {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                format!(
                    "One or more added object references already exist for the following modified properties: '{}'.",
                    relation.as_str()
                ),
            ));
        }
        Ok(())
    }

    /// Removes a link.
    ///
    /// # Errors
    /// It is not there.
    pub async fn unlink(&self, from: &EntryId, relation: Relation, to: &str) -> Result<(), CaseError> {
        let link = Link { from: from.clone(), relation, to: EntryId::new(to.to_lowercase()) };
        if self.store.remove_link(&link).await? {
            Ok(())
        } else {
            Err(CaseError::not_found(relation.as_str(), to))
        }
    }

    /// Stores an entry; a taken unique value is the caller's mistake.
    pub(crate) async fn store_entry(&self, entry: &Entry) -> Result<(), CaseError> {
        match self.store.put_entry(entry).await {
            Ok(()) => Ok(()),
            Err(StoreError::Duplicate { property, .. }) => Err(CaseError::invalid(
                "Request_BadRequest",
                format!("Another object with the same value for property {property} already exists."),
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// A new entry, not stored yet.
    pub(crate) fn new_entry(&self, kind: EntryKind, properties: Map<String, Value>) -> Entry {
        Entry {
            id: EntryId::new(self.clock.guid().to_string()),
            kind,
            properties,
            created_at: self.clock.now(),
            deleted_at: None,
        }
    }
}

/// Fails unless each property has a value.
pub(crate) fn require(resource: &str, body: &Map<String, Value>, names: &[&str]) -> Result<(), CaseError> {
    for name in names {
        let is_empty = match body.get(*name) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        if is_empty {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                format!("A value is required for property '{name}' of resource '{resource}'."),
            ));
        }
    }
    Ok(())
}

/// What a property must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// A list of texts.
    Texts,
    /// A list or an object of any shape.
    Any,
}

/// The writable properties of a resource.
pub(crate) type Properties = &'static [(&'static str, Kind)];

/// Takes the properties of a body into an entry: null clears, unknown and read-only ones are refused.
pub(crate) fn apply(
    resource: &str,
    known: Properties,
    target: &mut Map<String, Value>,
    body: Map<String, Value>,
) -> Result<(), CaseError> {
    for (name, value) in body {
        if name.starts_with("@odata.") || name.contains("@odata.bind") || name == "passwordProfile" {
            continue;
        }
        let kind = known.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        let kind = if name.starts_with("extension_") { Some(Kind::Any) } else { kind };
        let Some(kind) = kind else {
            let text = match name.as_str() {
                "id" | "createdDateTime" | "deletedDateTime" => {
                    format!("Property '{name}' is read-only and cannot be set.")
                }
                _ => format!("Invalid property '{name}' on resource '{resource}'."),
            };
            return Err(CaseError::invalid("Request_BadRequest", text));
        };
        let fits = match (&value, kind) {
            (Value::Null, _)
            | (Value::String(_), Kind::Text)
            | (Value::Bool(_), Kind::Flag)
            | (_, Kind::Any) => true,
            (Value::Array(items), Kind::Texts) => items.iter().all(Value::is_string),
            _ => false,
        };
        if !fits {
            return Err(CaseError::invalid(
                "Request_BadRequest",
                format!("Invalid value specified for property '{name}' of resource '{resource}'."),
            ));
        }
        check_texts(resource, &name, &value)?;
        match (value, kind) {
            (Value::Null, _) => {
                target.shift_remove(&name);
            }
            // Complex properties such as onPremisesExtensionAttributes are merged, as Graph does.
            (Value::Object(members), Kind::Any) if target.get(&name).is_some_and(Value::is_object) => {
                if let Some(Value::Object(present)) = target.get_mut(&name) {
                    for (member, value) in members {
                        if value.is_null() {
                            present.shift_remove(&member);
                        } else {
                            present.insert(member, value);
                        }
                    }
                }
            }
            (value, _) => {
                target.insert(name, value);
            }
        }
    }
    Ok(())
}

/// The longest text of a property, in characters, and of a display name.
const LONGEST: usize = 1_024;
const LONGEST_NAME: usize = 256;

/// Texts are as long as texts of a directory are, and hold nothing that no directory takes.
fn check_texts(resource: &str, name: &str, value: &Value) -> Result<(), CaseError> {
    let invalid = |what: &str| {
        let message =
            format!("Invalid value specified for property '{name}' of resource '{resource}': {what}.");
        Err(CaseError::invalid("Request_BadRequest", message))
    };
    match value {
        Value::String(text) => {
            let most = if name == "displayName" { LONGEST_NAME } else { LONGEST };
            if text.chars().count() > most {
                return invalid(&format!("it is longer than {most} characters"));
            }
            if text.contains('\0') {
                return invalid("it holds the character NUL");
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_texts(resource, name, item)),
        Value::Object(members) => {
            members.iter().try_for_each(|(_, member)| check_texts(resource, name, member))
        }
        _ => Ok(()),
    }
}

/// The ids in a `…@odata.bind` of a body: each ends a link.
pub(crate) fn bindings(body: &Map<String, Value>, name: &str) -> Result<Vec<String>, CaseError> {
    let Some(value) = body.get(&format!("{name}@odata.bind")) else { return Ok(Vec::new()) };
    let links: Option<Vec<&str>> =
        value.as_array().and_then(|links| links.iter().map(Value::as_str).collect());
    let Some(links) = links.filter(|links| links.len() <= BINDINGS) else {
        return Err(CaseError::invalid(
            "Request_BadRequest",
            format!("{name}@odata.bind takes a list of at most {BINDINGS} links"),
        ));
    };
    links.into_iter().map(|link| id_of_link(link).map(str::to_owned)).collect()
}

/// The id at the end of a link such as `https://graph.microsoft.com/v1.0/users/{id}` or `…/users('{id}')`.
///
/// # Errors
/// There is none.
pub fn id_of_link(link: &str) -> Result<&str, CaseError> {
    let last = link.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let id = match last.split_once('(') {
        Some((_, key)) => key.trim_end_matches(')').trim_matches('\''),
        None => last,
    };
    if id.len() == 36 && id.chars().all(|character| character.is_ascii_hexdigit() || character == '-') {
        Ok(id)
    } else {
        Err(CaseError::invalid("Request_BadRequest", format!("'{link}' does not end in the id of an object")))
    }
}
