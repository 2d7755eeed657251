//! Pairings and the provisioning log, which become durable together.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use usher_core::ports::{EventQuery, Remembered, SubjectKey};
use usher_core::{Anchor, JobId, Pairing, ProvisioningEvent};

use crate::connection::WorkError;
use crate::directory::limit;
use crate::progress;

const PAIRING: &str = "select body from pairings where job = ?1 and source_type = ?2 and source_anchor = ?3";
const PAIRINGS_OF_TARGET: &str = "select body from pairings where job = ?1 and target_type = ?2 and target_anchor = ?3 order by source_anchor";
const PAIR: &str =
    "select target_anchor from pairings where job = ?1 and source_type = ?2 and source_anchor = ?3";
const PAIRINGS_UNSEEN: &str =
    "select body from pairings where job = ?1 and source_type = ?2 and source_anchor > ?3
    and seen < ?4 order by source_anchor limit ?5";
const COUNT_PAIRINGS: &str = "select source_type, target_type, count(*) from pairings where job = ?1
    group by source_type, target_type order by source_type, target_type";
const PRUNE_EVENTS: &str = "delete from events where number in (select number from events where ended_at < ?1 order by ended_at limit ?2)";
/// The same list by the index that fits: SQLite chooses none for a condition that may be left out.
macro_rules! events {
    ($first:literal) => {
        concat!(
            "select body from events where ",
            $first,
            "(?1 is null or job = ?1) and (?2 is null or cycle = ?2) and (?3 is null or change = ?3) \
             and ended_at > ?4 and ended_at < ?5 order by ended_at desc, number desc limit ?6 offset ?7"
        )
    };
}
const EVENTS: &str = events!("");
const EVENTS_OF_JOB: &str = events!("job = ?1 and ");
const EVENTS_OF_CYCLE: &str = events!("cycle = ?2 and ");
const EVENTS_OF_CHANGE: &str = events!("change = ?3 and ");
const EVENT: &str = "select body from events where id = ?1";

pub fn pairing(
    connection: &Connection,
    job: &JobId,
    source_type: &str,
    source_anchor: &Anchor,
) -> Result<Option<Pairing>, WorkError> {
    let body: Option<String> = connection
        .prepare_cached(PAIRING)?
        .query_row(params![job.as_str(), source_type, source_anchor.as_str()], |row| row.get(0))
        .optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

pub fn remembered(connection: &Connection, subject: &SubjectKey) -> Result<Remembered, WorkError> {
    Ok(Remembered {
        pairing: pairing(connection, &subject.job, &subject.source_type, &subject.source_anchor)?,
        escrow: progress::escrow(connection, subject)?,
        held: progress::held_one(connection, subject)?,
    })
}

/// Of many at once, all as of the same instant.
pub fn all_remembered(
    connection: &Connection,
    subjects: Vec<SubjectKey>,
) -> Result<Vec<(SubjectKey, Remembered)>, WorkError> {
    let snapshot = connection.unchecked_transaction()?;
    let read = subjects.into_iter().map(|subject| {
        let remembered = remembered(&snapshot, &subject)?;
        Ok((subject, remembered))
    });
    read.collect()
}

pub fn pairs(
    connection: &Connection,
    job: &JobId,
    source_types: &[SmolStr],
    source_anchors: &[Anchor],
) -> Result<BTreeMap<Anchor, Anchor>, WorkError> {
    let mut found = BTreeMap::new();
    let mut statement = connection.prepare_cached(PAIR)?;
    for anchor in source_anchors {
        for source_type in source_types {
            let target: Option<String> = statement
                .query_row(params![job.as_str(), source_type.as_str(), anchor.as_str()], |row| row.get(0))
                .optional()?;
            if let Some(target) = target {
                found.insert(anchor.clone(), Anchor::new(target));
                break;
            }
        }
    }
    Ok(found)
}

pub fn pairings_unseen(
    connection: &Connection,
    job: &JobId,
    source_type: &str,
    cycle: u64,
    after: Option<&Anchor>,
    most: usize,
) -> Result<Vec<Pairing>, WorkError> {
    let mut statement = connection.prepare_cached(PAIRINGS_UNSEEN)?;
    let after = after.map_or("", Anchor::as_str);
    let cycle = i64::try_from(cycle).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![job.as_str(), source_type, after, cycle, limit(most)], |row| {
        row.get::<_, String>(0)
    })?;
    rows.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
}

pub fn count_pairings(
    connection: &Connection,
    job: &JobId,
) -> Result<Vec<(SmolStr, SmolStr, u64)>, WorkError> {
    let mut statement = connection.prepare_cached(COUNT_PAIRINGS)?;
    let rows = statement.query_map(params![job.as_str()], |row| {
        let count = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        Ok((SmolStr::from(row.get::<_, String>(0)?), SmolStr::from(row.get::<_, String>(1)?), count))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn prune_events(
    transaction: &Transaction<'_>,
    before: Timestamp,
    most: usize,
) -> Result<usize, WorkError> {
    Ok(transaction.prepare_cached(PRUNE_EVENTS)?.execute(params![before.as_microsecond(), limit(most)])?)
}

pub fn pairings_of_target(
    connection: &Connection,
    job: &JobId,
    target_type: &str,
    target_anchor: &Anchor,
) -> Result<Vec<Pairing>, WorkError> {
    let mut statement = connection.prepare_cached(PAIRINGS_OF_TARGET)?;
    let rows = statement.query_map(params![job.as_str(), target_type, target_anchor.as_str()], |row| {
        row.get::<_, String>(0)
    })?;
    rows.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
}

pub fn events(connection: &Connection, query: &EventQuery) -> Result<Vec<ProvisioningEvent>, WorkError> {
    let statement = if query.change.is_some() {
        EVENTS_OF_CHANGE
    } else if query.cycle.is_some() {
        EVENTS_OF_CYCLE
    } else if query.job.is_some() {
        EVENTS_OF_JOB
    } else {
        EVENTS
    };
    let mut statement = if query.oldest_first {
        connection.prepare_cached(&statement.replace(" desc", ""))?
    } else {
        connection.prepare_cached(statement)?
    };
    let rows = statement.query_map(
        params![
            query.job.as_ref().map(JobId::as_str),
            query.cycle.as_deref(),
            query.change.as_deref(),
            query.after.map_or(i64::MIN, Timestamp::as_microsecond),
            query.before.map_or(i64::MAX, Timestamp::as_microsecond),
            limit(query.limit),
            limit(query.skip),
        ],
        |row| row.get::<_, Value>(0),
    )?;
    rows.map(|body| into_event(body?)).collect()
}

pub fn event(connection: &Connection, id: &str) -> Result<Option<ProvisioningEvent>, WorkError> {
    let body: Option<Value> =
        connection.prepare_cached(EVENT)?.query_row(params![id], |row| row.get(0)).optional()?;
    body.map(into_event).transpose()
}

/// An event is kept as compressed JSON, which a third of the space suffices for; the first version kept plain text.
fn into_event(body: Value) -> Result<ProvisioningEvent, WorkError> {
    Ok(match body {
        Value::Blob(bytes) => {
            let json = lz4_flex::decompress_size_prepended(&bytes).map_err(|error| {
                WorkError::Sqlite(rusqlite::Error::FromSqlConversionFailure(
                    0,
                    rusqlite::types::Type::Blob,
                    Box::new(error),
                ))
            })?;
            serde_json::from_slice(&json)?
        }
        Value::Text(text) => serde_json::from_str(&text)?,
        other => {
            return Err(WorkError::Sqlite(rusqlite::Error::InvalidColumnType(
                0,
                "body".to_owned(),
                other.data_type(),
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How SQLite goes about a list.
    fn way(statement: &str) -> String {
        let connection = Connection::open_in_memory().expect("it opens");
        connection.execute_batch(include_str!("../migrations/0001-start.sql")).expect("the tables are made");
        let mut statement =
            connection.prepare(&format!("explain query plan {statement}")).expect("it is SQL");
        let nothing = [rusqlite::types::Null; 7];
        let lines = statement.query_map(nothing, |row| row.get::<_, String>(3)).expect("it runs");
        lines.map(|line| line.expect("it is text")).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn lists_of_events_use_the_index_that_fits_and_need_no_sorting() {
        for (statement, index) in [
            (EVENTS, "events_by_time"),
            (EVENTS_OF_JOB, "events_by_job"),
            (EVENTS_OF_CYCLE, "events_by_cycle"),
            (EVENTS_OF_CHANGE, "events_by_change"),
        ] {
            let way = way(statement);
            assert!(way.contains(&format!("SEARCH events USING INDEX {index}")), "{statement}: {way}");
            assert!(!way.contains("TEMP B-TREE"), "{statement}: {way}");
        }
    }
}
