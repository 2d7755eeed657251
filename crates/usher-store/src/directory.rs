//! Entries, links and assignments of the directory inside.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use usher_core::ports::{AssignmentQuery, EntryQuery, StoreError};
use usher_core::{AppRoleAssignment, AssignmentId, Entry, EntryId, EntryKind, Link, Relation};

use crate::changes;
use crate::connection::WorkError;

const PUT_ENTRY: &str =
    "insert into entries (kind, id, body, created_at, deleted_at) values (?1, ?2, ?3, ?4, ?5)
    on conflict (kind, id) do update set body = excluded.body, deleted_at = excluded.deleted_at";
const COUNT_ENTRIES: &str = "select count(*) from entries where kind = ?1";
const LIVING_LINKS: &str = "select links.from_id, links.to_id from json_each(?1) as wanted
    join links on links.from_id = wanted.value and links.relation = ?2
    where exists (select 1 from entries where entries.kind = ?3 and entries.id = links.to_id
      and entries.deleted_at is null)
    or exists (select 1 from entries where entries.kind = ?4 and entries.id = links.to_id
      and entries.deleted_at is null)
    or exists (select 1 from entries where entries.kind = ?5 and entries.id = links.to_id
      and entries.deleted_at is null)
    order by wanted.key, links.to_id";
const ROLES_OF: &str = "select wanted.value, assignments.app_role_id, 0 as way, assignments.number
    from json_each(?2) as wanted
    join assignments on assignments.principal_id = wanted.value and assignments.resource_id = ?1
    union all
    select wanted.value, assignments.app_role_id, 1 as way, assignments.number
    from json_each(?2) as wanted
    join entries as person on person.kind = 'user' and person.id = wanted.value
    join links on links.to_id = wanted.value and links.relation = 'members'
    join entries as team on team.kind = 'group' and team.id = links.from_id and team.deleted_at is null
      and json_extract(team.body, '$.securityEnabled') = 1
    join assignments on assignments.principal_id = team.id and assignments.resource_id = ?1
    order by way, number";
const FORGET_KEYS: &str = "delete from entry_keys where kind = ?1 and id = ?2";
const PUT_KEY: &str = "insert into entry_keys (kind, property, value, id) values (?1, ?2, ?3, ?4)
    on conflict (kind, property, value) do nothing";
const ENTRY: &str = "select id, body, created_at, deleted_at from entries where kind = ?1 and id = ?2";
const ENTRY_BY_KEY: &str = "select entries.id, entries.body, entries.created_at, entries.deleted_at
    from entry_keys join entries on entries.kind = entry_keys.kind and entries.id = entry_keys.id
    where entry_keys.kind = ?1 and entry_keys.property = ?2 and entry_keys.value = ?3";
const FORGET_TEXTS: &str = "delete from entry_texts where kind = ?1 and id = ?2";
const PUT_TEXT: &str = "insert into entry_texts (kind, property, value, id) values (?1, ?2, ?3, ?4)";
const ENTRIES: &str = "select id, body, created_at, deleted_at from entries
    where kind = ?1 and (deleted_at is not null) = ?2 and id > ?3 order by id limit ?4";
const ENTRIES_BY_TEXT: &str = "select entries.id, entries.body, entries.created_at, entries.deleted_at
    from entry_texts join entries on entries.kind = entry_texts.kind and entries.id = entry_texts.id
    where entry_texts.kind = ?1 and (entries.deleted_at is not null) = ?2 and entry_texts.id > ?3
    and entry_texts.property = ?5 and entry_texts.value = ?6 order by entry_texts.id limit ?4";
const REMOVE_ENTRY: &str = "delete from entries where kind = ?1 and id = ?2";
const REMOVE_LINKS: &str = "delete from links where from_id = ?1 or to_id = ?1";
const REMOVE_ASSIGNMENTS: &str = "delete from assignments where principal_id = ?1 or resource_id = ?1";
const ADD_LINK: &str =
    "insert into links (from_id, relation, to_id) values (?1, ?2, ?3) on conflict do nothing";
const REMOVE_OTHERS: &str = "delete from links where from_id = ?1 and relation = ?2 and to_id <> ?3";
const REMOVE_LINK: &str = "delete from links where from_id = ?1 and relation = ?2 and to_id = ?3";
const LINKS_FROM: &str =
    "select to_id from links where from_id = ?1 and relation = ?2 and to_id > ?3 order by to_id limit ?4";
const LINKS_TO: &str =
    "select from_id from links where to_id = ?1 and relation = ?2 and from_id > ?3 order by from_id limit ?4";
const ADD_ASSIGNMENT: &str = "insert into assignments (id, principal_id, resource_id, app_role_id, body)
    values (?1, ?2, ?3, ?4, ?5) on conflict do nothing";
const PRINCIPAL_OF: &str = "select principal_id from assignments where id = ?1";
const REMOVE_ASSIGNMENT: &str = "delete from assignments where id = ?1";
const ASSIGNMENTS_OF_RESOURCE: &str = "select body from assignments where resource_id = ?1 order by number";
const ASSIGNMENTS_OF_PRINCIPAL: &str = "select body from assignments where principal_id = ?1 order by number";

pub fn put_entry(transaction: &Transaction<'_>, entry: &Entry) -> Result<(), WorkError> {
    let (kind, id) = (entry.kind.as_str(), entry.id.as_str());
    let body = serde_json::to_string(&entry.properties)?;
    let deleted_at = entry.deleted_at.map(Timestamp::as_microsecond);
    let old = self::entry(transaction, entry.kind, &entry.id)?;
    changes::entry(transaction, entry.kind, &entry.id, false)?;
    // What comes out of the bin is new to everybody.
    let known = old.as_ref().filter(|old| old.deleted_at.is_none() || entry.deleted_at.is_some());
    let changed = known.map(|old| old.differing_properties(&entry.properties));
    changes::properties_of(transaction, entry.kind, &entry.id, changed.as_ref())?;
    if old.is_some() {
        changes::reach(transaction, entry.kind, &entry.id)?;
    }
    if old.is_some_and(|old| old.deleted_at.is_some() != entry.deleted_at.is_some()) {
        changes::referrers(transaction, &entry.id, entry.deleted_at.is_some())?;
    }
    transaction.prepare_cached(PUT_ENTRY)?.execute(params![
        kind,
        id,
        body,
        entry.created_at.as_microsecond(),
        deleted_at
    ])?;
    put_texts(transaction, entry)?;
    transaction.prepare_cached(FORGET_KEYS)?.execute(params![kind, id])?;
    if entry.deleted_at.is_some() {
        return Ok(());
    }
    for (property, value) in entry.unique_keys() {
        let added = transaction.prepare_cached(PUT_KEY)?.execute(params![kind, property, value, id])?;
        if added == 0 {
            return Err(WorkError::Store(StoreError::Duplicate {
                kind: entry.kind,
                property: property.to_owned(),
            }));
        }
    }
    Ok(())
}

fn put_texts(transaction: &Transaction<'_>, entry: &Entry) -> Result<(), WorkError> {
    let (kind, id) = (entry.kind.as_str(), entry.id.as_str());
    transaction.prepare_cached(FORGET_TEXTS)?.execute(params![kind, id])?;
    let mut put = transaction.prepare_cached(PUT_TEXT)?;
    for (property, value) in &entry.properties {
        if let Some(text) = value.as_str() {
            put.execute(params![kind, property, text.to_lowercase(), id])?;
        }
    }
    Ok(())
}

pub fn entry(connection: &Connection, kind: EntryKind, id: &EntryId) -> Result<Option<Entry>, WorkError> {
    let found =
        connection.prepare_cached(ENTRY)?.query_row(params![kind.as_str(), id.as_str()], raw).optional()?;
    found.map(|raw| raw.into_entry(kind)).transpose()
}

pub fn entry_by_key(
    connection: &Connection,
    kind: EntryKind,
    property: &str,
    value: &str,
) -> Result<Option<Entry>, WorkError> {
    let found = connection
        .prepare_cached(ENTRY_BY_KEY)?
        .query_row(params![kind.as_str(), property, value.to_lowercase()], raw)
        .optional()?;
    found.map(|raw| raw.into_entry(kind)).transpose()
}

pub fn entries(connection: &Connection, query: &EntryQuery) -> Result<Vec<Entry>, WorkError> {
    let kind = query.kind.as_str();
    let after = query.after.as_ref().map_or("", EntryId::as_str);
    let most = limit(query.limit);
    let mut statement =
        connection.prepare_cached(if query.equals.is_some() { ENTRIES_BY_TEXT } else { ENTRIES })?;
    let rows = match &query.equals {
        None => statement.query_map(params![kind, query.deleted, after, most], raw)?,
        Some((property, value)) => {
            let value = value.to_lowercase();
            statement.query_map(params![kind, query.deleted, after, most, property.as_str(), value], raw)?
        }
    };
    rows.map(|row| row?.into_entry(query.kind)).collect()
}

pub fn remove_entry(transaction: &Transaction<'_>, kind: EntryKind, id: &EntryId) -> Result<bool, WorkError> {
    changes::reach(transaction, kind, id)?;
    changes::referrers(transaction, id, true)?;
    changes::forget_links(transaction, id)?;
    let removed = transaction.prepare_cached(REMOVE_ENTRY)?.execute(params![kind.as_str(), id.as_str()])?;
    transaction.prepare_cached(FORGET_KEYS)?.execute(params![kind.as_str(), id.as_str()])?;
    transaction.prepare_cached(FORGET_TEXTS)?.execute(params![kind.as_str(), id.as_str()])?;
    changes::forget_properties(transaction, kind, id)?;
    transaction.prepare_cached(REMOVE_LINKS)?.execute(params![id.as_str()])?;
    transaction.prepare_cached(REMOVE_ASSIGNMENTS)?.execute(params![id.as_str()])?;
    if removed > 0 {
        changes::entry(transaction, kind, id, true)?;
    }
    Ok(removed > 0)
}

pub fn add_link(transaction: &Transaction<'_>, link: &Link) -> Result<bool, WorkError> {
    let values = params![link.from.as_str(), link.relation.as_str(), link.to.as_str()];
    if link.relation == Relation::Manager {
        transaction.prepare_cached(REMOVE_OTHERS)?.execute(values)?;
    }
    let is_new = transaction.prepare_cached(ADD_LINK)?.execute(values)? > 0;
    if is_new {
        changes::link(transaction, &link.from, link.relation, &link.to, false)?;
    }
    Ok(is_new)
}

pub fn remove_link(transaction: &Transaction<'_>, link: &Link) -> Result<bool, WorkError> {
    let values = params![link.from.as_str(), link.relation.as_str(), link.to.as_str()];
    let was_there = transaction.prepare_cached(REMOVE_LINK)?.execute(values)? > 0;
    if was_there {
        changes::link(transaction, &link.from, link.relation, &link.to, true)?;
    }
    Ok(was_there)
}

/// What an entry links to, or with `is_reverse` what links to it.
pub fn links(
    connection: &Connection,
    id: &EntryId,
    relation: Relation,
    is_reverse: bool,
    after: Option<&EntryId>,
    most: usize,
) -> Result<Vec<EntryId>, WorkError> {
    let mut statement = connection.prepare_cached(if is_reverse { LINKS_TO } else { LINKS_FROM })?;
    let after = after.map_or("", EntryId::as_str);
    let rows = statement.query_map(params![id.as_str(), relation.as_str(), after, limit(most)], |row| {
        row.get::<_, String>(0).map(EntryId::new)
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn add_assignment(
    transaction: &Transaction<'_>,
    assignment: &AppRoleAssignment,
) -> Result<bool, WorkError> {
    let body = serde_json::to_string(assignment)?;
    let added = transaction.prepare_cached(ADD_ASSIGNMENT)?.execute(params![
        assignment.id.as_str(),
        assignment.principal_id.as_str(),
        assignment.resource_id.as_str(),
        assignment.app_role_id,
        body
    ])?;
    if added > 0 {
        changes::assignment(transaction, &assignment.principal_id)?;
    }
    Ok(added > 0)
}

pub fn remove_assignment(transaction: &Transaction<'_>, id: &AssignmentId) -> Result<bool, WorkError> {
    let principal: Option<String> = transaction
        .prepare_cached(PRINCIPAL_OF)?
        .query_row(params![id.as_str()], |row| row.get(0))
        .optional()?;
    if let Some(principal) = principal {
        changes::assignment(transaction, &EntryId::new(principal))?;
    }
    Ok(transaction.prepare_cached(REMOVE_ASSIGNMENT)?.execute(params![id.as_str()])? > 0)
}

pub fn assignments(
    connection: &Connection,
    query: &AssignmentQuery,
) -> Result<Vec<AppRoleAssignment>, WorkError> {
    let (statement, id) = match query {
        AssignmentQuery::Resource(id) => (ASSIGNMENTS_OF_RESOURCE, id),
        AssignmentQuery::Principal(id) => (ASSIGNMENTS_OF_PRINCIPAL, id),
    };
    let mut statement = connection.prepare_cached(statement)?;
    let rows = statement.query_map(params![id.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
}

pub fn count_entries(connection: &Connection, kind: EntryKind) -> Result<u64, WorkError> {
    let count: i64 =
        connection.prepare_cached(COUNT_ENTRIES)?.query_row(params![kind.as_str()], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The links of many entries to living entries of the kinds that a relation may point to.
pub fn living_links(
    connection: &Connection,
    from: &[EntryId],
    relation: Relation,
) -> Result<Vec<(EntryId, EntryId)>, WorkError> {
    let [first, second, third] = relation.kinds().map(EntryKind::as_str);
    let mut statement = connection.prepare_cached(LIVING_LINKS)?;
    let wanted = serde_json::to_string(from)?;
    let rows = statement.query_map(params![wanted, relation.as_str(), first, second, third], |row| {
        Ok((EntryId::new(row.get::<_, String>(0)?), EntryId::new(row.get::<_, String>(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The roles of a resource that reach these principals, each pair once, direct ones first.
pub fn roles_of(
    connection: &Connection,
    resource: &EntryId,
    principals: &[EntryId],
) -> Result<Vec<(EntryId, String)>, WorkError> {
    let mut statement = connection.prepare_cached(ROLES_OF)?;
    let wanted = serde_json::to_string(principals)?;
    let rows = statement.query_map(params![resource.as_str(), wanted], |row| {
        Ok((EntryId::new(row.get::<_, String>(0)?), row.get::<_, String>(1)?.to_ascii_lowercase()))
    })?;
    let mut known = std::collections::HashSet::new();
    let mut found = Vec::new();
    for row in rows {
        let pair = row?;
        if known.insert(pair.clone()) {
            found.push(pair);
        }
    }
    Ok(found)
}

struct RawEntry {
    id: String,
    body: String,
    created_at: i64,
    deleted_at: Option<i64>,
}

fn raw(row: &Row<'_>) -> rusqlite::Result<RawEntry> {
    Ok(RawEntry { id: row.get(0)?, body: row.get(1)?, created_at: row.get(2)?, deleted_at: row.get(3)? })
}

impl RawEntry {
    fn into_entry(self, kind: EntryKind) -> Result<Entry, WorkError> {
        Ok(Entry {
            id: EntryId::new(self.id),
            kind,
            properties: serde_json::from_str(&self.body)?,
            created_at: instant(self.created_at)?,
            deleted_at: self.deleted_at.map(instant).transpose()?,
        })
    }
}

/// An instant that is stored as microseconds since 1970.
pub fn instant(microseconds: i64) -> Result<Timestamp, WorkError> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|error| WorkError::Sqlite(rusqlite::Error::ToSqlConversionFailure(Box::new(error))))
}

/// A page size as SQLite wants it.
pub fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
