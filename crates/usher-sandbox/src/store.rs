//! The resources in memory, with the indexes that keep names unique and references whole.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::check;
use crate::filter::Filter;
use crate::refusal::Refusal;
use crate::schema::{Attribute, Kind, ResourceType};

/// Ids are derived from this and a counter, so that the same requests give the same ids.
const ID_NAMESPACE: Uuid = Uuid::from_u128(0x2f6b_1c9d_5d0e_4b52_9c1a_7f3e_8d24_60ab);

/// One resource.
pub(crate) struct Record {
    /// The kind it is of.
    pub(crate) kind: Kind,
    /// Its identifier.
    pub(crate) id: String,
    /// Grows with every change.
    pub(crate) version: u64,
    /// When it was created.
    pub(crate) created: Timestamp,
    /// When it was last changed.
    pub(crate) modified: Timestamp,
    /// The values as checked, `id` included.
    pub(crate) values: Map<String, Value>,
}

impl Record {
    /// The entity tag.
    pub(crate) fn entity_tag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

/// All users and groups.
#[derive(Default)]
pub(crate) struct Store {
    users: Collection,
    groups: Collection,
    /// Who points at a resource: the groups it is a member of, the users it is the manager of.
    referrers: HashMap<String, BTreeSet<(Kind, String)>>,
    issued: u64,
}

#[derive(Default)]
struct Collection {
    records: IndexMap<String, Record>,
    by_key: HashMap<String, String>,
    by_external_id: HashMap<String, BTreeSet<String>>,
}

impl Store {
    /// Stores a new resource.
    pub(crate) fn create(
        &mut self,
        kind: Kind,
        mut values: Map<String, Value>,
        now: Timestamp,
    ) -> Result<&Record, Refusal> {
        let id = self.next_id();
        self.settle(kind, &id, &mut values)?;
        let mut with_id = Map::from_iter([("id".to_owned(), Value::from(id.clone()))]);
        with_id.extend(values);
        self.insert(Record {
            kind,
            id: id.clone(),
            version: 1,
            created: now,
            modified: now,
            values: with_id,
        });
        self.get(kind, &id)
    }

    /// Reads one resource.
    pub(crate) fn get(&self, kind: Kind, id: &str) -> Result<&Record, Refusal> {
        let found = self.collection(kind).records.get(id);
        found.ok_or_else(|| Refusal::not_found(kind.definition().name, id))
    }

    /// Replaces the values of a resource; equal values leave version and time alone.
    pub(crate) fn replace(
        &mut self,
        kind: Kind,
        id: &str,
        mut values: Map<String, Value>,
        now: Timestamp,
    ) -> Result<&Record, Refusal> {
        values.insert("id".to_owned(), Value::from(id));
        self.settle(kind, id, &mut values)?;
        if self.get(kind, id)?.values != values {
            self.unindex(kind, id);
            if let Some(record) = self.collection_mut(kind).records.get_mut(id) {
                record.values = values;
                record.version += 1;
                record.modified = now;
            }
            self.index(kind, id);
        }
        self.get(kind, id)
    }

    /// Removes a resource, and with it every reference to it.
    pub(crate) fn delete(&mut self, kind: Kind, id: &str, now: Timestamp) -> Result<(), Refusal> {
        self.get(kind, id)?;
        self.unindex(kind, id);
        self.collection_mut(kind).records.shift_remove(id);
        for (referrer_kind, referrer) in self.referrers.remove(id).unwrap_or_default() {
            if let Some(record) = self.collection_mut(referrer_kind).records.get_mut(&referrer) {
                forget(referrer_kind.definition(), &mut record.values, id);
                record.version += 1;
                record.modified = now;
            }
        }
        Ok(())
    }

    /// The resources that a filter selects, in the order of creation. `represent` gives the resource as
    /// answers show it, for filters on what is not stored.
    pub(crate) fn select(
        &self,
        kind: Kind,
        filter: Option<&Filter>,
        represent: impl Fn(&Record) -> Map<String, Value>,
    ) -> Vec<&Record> {
        let records = &self.collection(kind).records;
        let Some(filter) = filter else { return records.values().collect() };
        let matches = |record: &&Record| {
            if filter.uses_computed() {
                filter.matches(&represent(record))
            } else {
                filter.matches(&record.values)
            }
        };
        match self.candidates(kind, filter) {
            Some(ids) => ids.iter().filter_map(|id| records.get(id)).filter(matches).collect(),
            None => records.values().filter(matches).collect(),
        }
    }

    /// The resources of one kind, in the order of creation.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = &Record> {
        self.collection(kind).records.values()
    }

    /// The resources of one kind that point at the given one.
    pub(crate) fn referrers(&self, id: &str, kind: Kind) -> impl Iterator<Item = &Record> {
        let referrers = self.referrers.get(id).into_iter().flatten();
        referrers
            .filter(move |(referrer, _)| *referrer == kind)
            .filter_map(move |(_, referrer)| self.collection(kind).records.get(referrer))
    }

    /// A resource of any of the kinds.
    pub(crate) fn linked(&self, kinds: &[Kind], id: &str) -> Option<&Record> {
        kinds.iter().find_map(|kind| self.collection(*kind).records.get(id))
    }

    fn candidates(&self, kind: Kind, filter: &Filter) -> Option<BTreeSet<String>> {
        let collection = self.collection(kind);
        filter.required_equalities().into_iter().find_map(|(place, text)| {
            let name = place.attribute.name;
            if place.extension.is_some() {
                None
            } else if name == kind.definition().key {
                Some(collection.by_key.get(&fold(text)).cloned().into_iter().collect())
            } else if name == "externalId" {
                Some(collection.by_external_id.get(text).cloned().unwrap_or_default())
            } else if name == "id" {
                Some(BTreeSet::from([text.to_owned()]))
            } else if name == "members" && place.leaf().name == "value" {
                Some(self.referrers(text, kind).map(|record| record.id.clone()).collect())
            } else {
                None
            }
        })
    }

    /// Checks what a single resource cannot know: that its name is free and its references lead somewhere.
    fn settle(&self, kind: Kind, id: &str, values: &mut Map<String, Value>) -> Result<(), Refusal> {
        let definition = kind.definition();
        check::required(definition, values)?;
        let key = values.get(definition.key).and_then(Value::as_str).unwrap_or_default();
        if self.collection(kind).by_key.get(&fold(key)).is_some_and(|holder| holder != id) {
            return Err(Refusal::uniqueness(definition.key, key));
        }
        for_each_link(definition, values, |attribute, link| {
            let target = link["value"].as_str().unwrap_or_default();
            let found =
                self.linked(attribute.links, target).filter(|found| found.id != id || kind == Kind::User);
            let Some(found) = found else {
                return Err(Refusal::value(format!(
                    "attribute \"{}\" points at \"{target}\", which does not exist",
                    attribute.name
                )));
            };
            if attribute.part("type").is_some() {
                link["type"] = Value::from(found.kind.definition().name);
            }
            Ok(())
        })
    }

    fn insert(&mut self, record: Record) {
        let (kind, id) = (record.kind, record.id.clone());
        self.collection_mut(kind).records.insert(id.clone(), record);
        self.index(kind, &id);
    }

    fn index(&mut self, kind: Kind, id: &str) {
        let Some((key, external_id, links)) = self.indexed(kind, id) else { return };
        let collection = self.collection_mut(kind);
        collection.by_key.insert(key, id.to_owned());
        if let Some(external_id) = external_id {
            collection.by_external_id.entry(external_id).or_default().insert(id.to_owned());
        }
        for link in links {
            self.referrers.entry(link).or_default().insert((kind, id.to_owned()));
        }
    }

    fn unindex(&mut self, kind: Kind, id: &str) {
        let Some((key, external_id, links)) = self.indexed(kind, id) else { return };
        let collection = self.collection_mut(kind);
        collection.by_key.remove(&key);
        if let Some(external_id) = external_id
            && let Some(ids) = collection.by_external_id.get_mut(&external_id)
        {
            ids.remove(id);
            if ids.is_empty() {
                collection.by_external_id.remove(&external_id);
            }
        }
        for link in links {
            if let Some(referrers) = self.referrers.get_mut(&link) {
                referrers.remove(&(kind, id.to_owned()));
                if referrers.is_empty() {
                    self.referrers.remove(&link);
                }
            }
        }
    }

    fn indexed(&self, kind: Kind, id: &str) -> Option<(String, Option<String>, Vec<String>)> {
        let values = &self.collection(kind).records.get(id)?.values;
        let key = fold(values.get(kind.definition().key)?.as_str()?);
        let external_id = values.get("externalId").and_then(Value::as_str).map(str::to_owned);
        Some((key, external_id, link_ids(kind.definition(), values)))
    }

    fn next_id(&mut self) -> String {
        self.issued += 1;
        Uuid::new_v5(&ID_NAMESPACE, self.issued.to_string().as_bytes()).to_string()
    }

    fn collection(&self, kind: Kind) -> &Collection {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }

    fn collection_mut(&mut self, kind: Kind) -> &mut Collection {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }
}

fn link_attributes(
    definition: &'static ResourceType,
) -> impl Iterator<Item = (Option<&'static str>, &'static Attribute)> {
    let core = definition.core.attributes.iter().map(|attribute| (None, attribute));
    let extension = definition.extension.as_ref().into_iter();
    let extended =
        extension.flat_map(|schema| schema.attributes.iter().map(|found| (Some(schema.urn), found)));
    core.chain(extended).filter(|(_, attribute)| !attribute.links.is_empty())
}

fn link_ids(definition: &'static ResourceType, values: &Map<String, Value>) -> Vec<String> {
    let mut ids = Vec::new();
    for (urn, attribute) in link_attributes(definition) {
        let holder = match urn {
            None => Some(values),
            Some(urn) => values.get(urn).and_then(Value::as_object),
        };
        let links: &[Value] = match holder.and_then(|holder| holder.get(attribute.name)) {
            None => &[],
            Some(Value::Array(links)) => links,
            Some(link) => std::slice::from_ref(link),
        };
        ids.extend(links.iter().filter_map(|link| link["value"].as_str()).map(str::to_owned));
    }
    ids
}

fn for_each_link(
    definition: &'static ResourceType,
    values: &mut Map<String, Value>,
    mut visit: impl FnMut(&'static Attribute, &mut Value) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    for (urn, attribute) in link_attributes(definition) {
        let holder = match urn {
            None => Some(&mut *values),
            Some(urn) => values.get_mut(urn).and_then(Value::as_object_mut),
        };
        let links: &mut [Value] = match holder.and_then(|holder| holder.get_mut(attribute.name)) {
            None => &mut [],
            Some(Value::Array(links)) => links,
            Some(link) => std::slice::from_mut(link),
        };
        for link in links {
            visit(attribute, link)?;
        }
    }
    Ok(())
}

fn forget(definition: &'static ResourceType, values: &mut Map<String, Value>, id: &str) {
    for (urn, attribute) in link_attributes(definition) {
        let holder = match urn {
            None => Some(&mut *values),
            Some(urn) => values.get_mut(urn).and_then(Value::as_object_mut),
        };
        let Some(holder) = holder else { continue };
        let is_left = match holder.get_mut(attribute.name) {
            Some(Value::Array(links)) => {
                links.retain(|link| link["value"] != id);
                !links.is_empty()
            }
            Some(link) => link["value"] != id,
            None => true,
        };
        if !is_left {
            holder.shift_remove(attribute.name);
        }
        if let Some(urn) = urn
            && values.get(urn).and_then(Value::as_object).is_some_and(Map::is_empty)
        {
            values.shift_remove(urn);
        }
    }
}

fn fold(key: &str) -> String {
    key.to_lowercase()
}
