//! The changes of the directory inside: every write to entries, links and assignments notes here whom it concerns.

use rusqlite::{Connection, Transaction, params};
use usher_core::ports::EntryChange;
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

/// What refers to an entry sees it appear or disappear.
pub fn referrers(transaction: &Transaction<'_>, id: &EntryId) -> Result<(), WorkError> {
    transaction.prepare_cached(NOTE_REFERRERS)?.execute(params![id.as_str()])?;
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
        EntryKind::User | EntryKind::Application => {}
    }
    Ok(())
}

/// A link was made or removed: the entry that refers changes, and a member may gain or lose assignments.
pub fn link(
    transaction: &Transaction<'_>,
    from: &EntryId,
    relation: Relation,
    to: &EntryId,
) -> Result<(), WorkError> {
    let mut note = transaction.prepare_cached(NOTE_ID)?;
    note.execute(params![from.as_str()])?;
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
