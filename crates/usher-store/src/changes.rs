//! The changes of the directory inside: every write to entries, links and assignments notes here whom it concerns.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Transaction, params};
use usher_core::ports::{EntryChange, LinkChange};
use usher_core::{EntryId, EntryKind, Relation};

use crate::connection::WorkError;
use crate::directory::limit;

const NOTE: &str = "insert or replace into changes (kind, id, is_removed) values (?1, ?2, ?3)";
/// By id alone, for callers that know no kind; at most one row.
const NOTE_ID: &str = "insert or replace into changes (kind, id, is_removed)
    select kind, id, 0 from entries where id = ?1 and kind in ('user', 'group', 'servicePrincipal', 'application')";
/// Everything that refers to an entry.
const NOTE_REFERRERS: &str = "insert or replace into changes (kind, id, is_removed)
    select entries.kind, entries.id, 0 from links
    join entries on entries.id = links.from_id and entries.kind in ('user', 'group', 'servicePrincipal', 'application')
    where links.to_id = ?1 order by entries.kind, entries.id";
/// The members of a group.
const NOTE_MEMBERS: &str = "insert or replace into changes (kind, id, is_removed)
    select entries.kind, entries.id, 0 from links
    join entries on entries.id = links.to_id and entries.kind in ('user', 'group')
    where links.from_id = ?1 and links.relation = 'members' order by entries.kind, entries.id";
/// The links to an entry, under the number of the change of what refers.
const NOTE_LINKS_TO: &str =
    "insert or replace into link_changes (from_id, relation, to_id, number, is_removed)
    select links.from_id, links.relation, links.to_id,
      coalesce((select max(number) from changes where changes.id = links.from_id), 0), ?2
    from links where links.to_id = ?1";
const NOTE_LINK: &str = "insert or replace into link_changes (from_id, relation, to_id, number, is_removed)
    values (?1, ?2, ?3, coalesce((select max(number) from changes where changes.id = ?1), 0), ?4)";
const NOTE_OTHERS: &str = "update link_changes
    set is_removed = 1, number = coalesce((select max(number) from changes where changes.id = ?1), 0)
    where from_id = ?1 and relation = ?2 and to_id <> ?3 and is_removed = 0";
const NOTE_PROPERTY: &str = "insert or replace into property_changes (kind, id, property, number)
    values (?1, ?2, ?3, (select number from changes where kind = ?1 and id = ?2))";
const FORGET_PROPERTIES: &str = "delete from property_changes where kind = ?1 and id = ?2";
const PROPERTIES: &str = "select property, number from property_changes where kind = ?1 and id = ?2";
const FORGET_LINKS: &str = "delete from link_changes where from_id = ?1";
const LINK_CHANGES: &str = "select number, to_id, is_removed from link_changes
    where from_id = ?1 and relation = ?2 and number > ?3 and number <= ?4 and to_id > ?5 order by to_id limit ?6";
const IS_ASSIGNED: &str = "select exists (select 1 from assignments where principal_id = ?1)";
/// Everybody who is assigned to a resource, directly or through a group.
const NOTE_ASSIGNED: &str = "insert or replace into changes (kind, id, is_removed)
    select kind, id, 0 from entries where kind in ('user', 'group') and id in (
      select principal_id from assignments where resource_id = ?1
      union select links.to_id from assignments join links on links.from_id = assignments.principal_id
        and links.relation = 'members' where assignments.resource_id = ?1)
    order by kind, id";
const LAST: &str = "select coalesce(max(seq), 0) from sqlite_sequence where name = 'changes'";
const CHANGES: &str = "select number, id, is_removed from changes
    where kind = ?1 and number > ?2 and number <= ?3 order by number limit ?4";

/// An entry was written or removed.
pub fn entry(
    transaction: &Transaction<'_>,
    kind: EntryKind,
    id: &EntryId,
    is_removed: bool,
) -> Result<(), WorkError> {
    transaction.prepare_cached(NOTE)?.execute(params![kind.as_str(), id.as_str(), is_removed])?;
    Ok(())
}

/// Properties of an entry have other values, by the newest change of it; none is the whole entry.
pub fn properties_of(
    transaction: &Transaction<'_>,
    kind: EntryKind,
    id: &EntryId,
    properties: Option<&BTreeSet<String>>,
) -> Result<(), WorkError> {
    let mut note = transaction.prepare_cached(NOTE_PROPERTY)?;
    let Some(properties) = properties else {
        note.execute(params![kind.as_str(), id.as_str(), ""])?;
        return Ok(());
    };
    for property in properties {
        note.execute(params![kind.as_str(), id.as_str(), property])?;
    }
    Ok(())
}

/// What was known of the properties of an entry that is removed.
pub fn forget_properties(
    transaction: &Transaction<'_>,
    kind: EntryKind,
    id: &EntryId,
) -> Result<(), WorkError> {
    transaction.prepare_cached(FORGET_PROPERTIES)?.execute(params![kind.as_str(), id.as_str()])?;
    Ok(())
}

/// The properties of an entry that changed after a number; none when all of it is new.
pub fn properties(
    connection: &Connection,
    kind: EntryKind,
    id: &EntryId,
    after: u64,
) -> Result<Option<BTreeSet<String>>, WorkError> {
    let mut statement = connection.prepare_cached(PROPERTIES)?;
    let rows = statement.query_map(params![kind.as_str(), id.as_str()], |row| {
        Ok((row.get::<_, String>(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0)))
    })?;
    let mut noted = rows.collect::<Result<BTreeMap<String, u64>, _>>()?;
    if noted.remove("").is_none_or(|appeared| appeared > after) {
        return Ok(None);
    }
    Ok(Some(noted.into_iter().filter(|(_, number)| *number > after).map(|(name, _)| name).collect()))
}

/// What refers to an entry sees it appear or disappear.
pub fn referrers(transaction: &Transaction<'_>, id: &EntryId, is_gone: bool) -> Result<(), WorkError> {
    transaction.prepare_cached(NOTE_REFERRERS)?.execute(params![id.as_str()])?;
    transaction.prepare_cached(NOTE_LINKS_TO)?.execute(params![id.as_str(), is_gone])?;
    Ok(())
}

/// The links of an entry that was removed need no telling: the entry itself is gone.
pub fn forget_links(transaction: &Transaction<'_>, id: &EntryId) -> Result<(), WorkError> {
    transaction.prepare_cached(FORGET_LINKS)?.execute(params![id.as_str()])?;
    Ok(())
}

/// Something about an entry changed that reaches others: members of an assigned group, users of an application.
pub fn reach(transaction: &Transaction<'_>, kind: EntryKind, id: &EntryId) -> Result<(), WorkError> {
    match kind {
        EntryKind::Group => {
            let is_assigned: bool =
                transaction.prepare_cached(IS_ASSIGNED)?.query_row(params![id.as_str()], |row| row.get(0))?;
            if is_assigned {
                transaction.prepare_cached(NOTE_MEMBERS)?.execute(params![id.as_str()])?;
            }
        }
        EntryKind::ServicePrincipal => {
            transaction.prepare_cached(NOTE_ASSIGNED)?.execute(params![id.as_str()])?;
        }
        EntryKind::User | EntryKind::Application | EntryKind::Contact => {}
    }
    Ok(())
}

/// A link was made or removed: the entry that refers changes, and a member may gain or lose assignments.
pub fn link(
    transaction: &Transaction<'_>,
    from: &EntryId,
    relation: Relation,
    to: &EntryId,
    is_removed: bool,
) -> Result<(), WorkError> {
    let mut note = transaction.prepare_cached(NOTE_ID)?;
    note.execute(params![from.as_str()])?;
    transaction.prepare_cached(NOTE_LINK)?.execute(params![
        from.as_str(),
        relation.as_str(),
        to.as_str(),
        is_removed
    ])?;
    if relation == Relation::Manager && !is_removed {
        transaction.prepare_cached(NOTE_OTHERS)?.execute(params![
            from.as_str(),
            relation.as_str(),
            to.as_str()
        ])?;
    }
    if relation == Relation::Members {
        note.execute(params![to.as_str()])?;
    }
    Ok(())
}

/// An assignment was made or removed: its principal changes, and so do the members of a group.
pub fn assignment(transaction: &Transaction<'_>, principal: &EntryId) -> Result<(), WorkError> {
    transaction.prepare_cached(NOTE_ID)?.execute(params![principal.as_str()])?;
    transaction.prepare_cached(NOTE_MEMBERS)?.execute(params![principal.as_str()])?;
    Ok(())
}

pub fn last(connection: &Connection) -> Result<u64, WorkError> {
    let number: i64 = connection.prepare_cached(LAST)?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// Links of an entry that were made or removed in a span of changes.
pub fn links(
    connection: &Connection,
    from: &EntryId,
    relation: Relation,
    (begin, end): (u64, u64),
    after: Option<&EntryId>,
    most: usize,
) -> Result<Vec<LinkChange>, WorkError> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let after = after.map_or("", EntryId::as_str);
    let mut statement = connection.prepare_cached(LINK_CHANGES)?;
    let rows = statement.query_map(
        params![from.as_str(), relation.as_str(), number(begin), number(end), after, limit(most)],
        |row| {
            Ok(LinkChange {
                number: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                to: EntryId::new(row.get::<_, String>(1)?),
                is_removed: row.get(2)?,
            })
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn list(
    connection: &Connection,
    kind: EntryKind,
    after: u64,
    until: u64,
    most: usize,
) -> Result<Vec<EntryChange>, WorkError> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(CHANGES)?;
    let rows =
        statement.query_map(params![kind.as_str(), number(after), number(until), limit(most)], |row| {
            Ok(EntryChange {
                number: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
                id: EntryId::new(row.get::<_, String>(1)?),
                is_removed: row.get(2)?,
            })
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
