//! What a job remembers besides its pairings: escrows, references that wait, deletions held back, its state.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use smol_str::SmolStr;
use usher_core::ports::{Held, SubjectKey};
use usher_core::{Action, Anchor, Escrow, JobId, JobState};

use crate::connection::WorkError;
use crate::directory::{instant, limit};
use crate::rows::key;

const HAS_RETURNED: &str =
    "select exists (select 1 from gone join pairings using (job, source_type, source_anchor)
    where gone.job = ?1)";
const ESCROW: &str = "select body from escrows where job = ?1 and source_type = ?2 and source_anchor = ?3";
const ESCROWS_DUE: &str =
    "select body from escrows where job = ?1 and (source_type, source_anchor) > (?2, ?3)
    and next_attempt_at <= ?4 order by source_type, source_anchor limit ?5";
const COUNT_ESCROWS: &str = "select count(*) from escrows where job = ?1 and has_failed";
const NEXT_ESCROW: &str = "select min(next_attempt_at) from escrows where job = ?1";
const HEALABLE: &str = "select distinct source_type, source_anchor from waiting
    where job = ?1 and (source_type, source_anchor) > (?2, ?3)
    and exists (select 1 from json_each(?5) as types join pairings on pairings.job = waiting.job
      and pairings.source_type = types.value and pairings.source_anchor = waiting.awaited)
    order by source_type, source_anchor limit ?4";
const WAITING_FOR: &str = "select distinct source_type, source_anchor from waiting
    where job = ?1 and awaited in (select value from json_each(?2)) order by source_type, source_anchor";
const HELD: &str = "select source_type, source_anchor, action, display_name, is_staged from held
    where job = ?1 and (source_type, source_anchor) > (?2, ?3) order by source_type, source_anchor limit ?4";
const HELD_ONE: &str = "select source_type, source_anchor, action, display_name, is_staged from held
    where job = ?1 and source_type = ?2 and source_anchor = ?3";
const COUNT_HELD: &str = "select count(*) from held where job = ?1";
const STATE: &str = "select body from job_states where job = ?1";

/// A key that sorts before all others where there is none.
fn after_key(after: Option<&(SmolStr, Anchor)>) -> (&str, &str) {
    after.map_or(("", ""), |(source_type, anchor)| (source_type.as_str(), anchor.as_str()))
}

pub fn escrow(connection: &Connection, subject: &SubjectKey) -> Result<Option<Escrow>, WorkError> {
    let (job, source_type, anchor) = key(subject);
    let body: Option<String> = connection
        .prepare_cached(ESCROW)?
        .query_row(params![job, source_type, anchor], |row| row.get(0))
        .optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

pub fn escrows_due(
    connection: &Connection,
    job: &JobId,
    due: Timestamp,
    after: Option<&(SmolStr, Anchor)>,
    most: usize,
) -> Result<Vec<Escrow>, WorkError> {
    let (source_type, anchor) = after_key(after);
    let mut statement = connection.prepare_cached(ESCROWS_DUE)?;
    let rows = statement
        .query_map(params![job.as_str(), source_type, anchor, due.as_microsecond(), limit(most)], |row| {
            row.get::<_, String>(0)
        })?;
    rows.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
}

pub fn count_escrows(connection: &Connection, job: &JobId) -> Result<u64, WorkError> {
    count(connection, COUNT_ESCROWS, job)
}

pub fn next_escrow(connection: &Connection, job: &JobId) -> Result<Option<Timestamp>, WorkError> {
    let next: Option<i64> =
        connection.prepare_cached(NEXT_ESCROW)?.query_row(params![job.as_str()], |row| row.get(0))?;
    next.map(instant).transpose()
}

pub fn healable(
    connection: &Connection,
    job: &JobId,
    source_types: &[SmolStr],
    after: Option<&(SmolStr, Anchor)>,
    most: usize,
) -> Result<Vec<(SmolStr, Anchor)>, WorkError> {
    let (source_type, anchor) = after_key(after);
    let mut statement = connection.prepare_cached(HEALABLE)?;
    let types = serde_json::to_string(source_types)?;
    let rows = statement
        .query_map(params![job.as_str(), source_type, anchor, limit(most), types], |row| {
            Ok((SmolStr::from(row.get::<_, String>(0)?), Anchor::new(row.get::<_, String>(1)?)))
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn waiting_for(
    connection: &Connection,
    job: &JobId,
    awaited: &[Anchor],
) -> Result<Vec<(SmolStr, Anchor)>, WorkError> {
    let mut statement = connection.prepare_cached(WAITING_FOR)?;
    let awaited = serde_json::to_string(awaited)?;
    let rows = statement.query_map(params![job.as_str(), awaited], |row| {
        Ok((SmolStr::from(row.get::<_, String>(0)?), Anchor::new(row.get::<_, String>(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn has_returned(connection: &Connection, job: &JobId) -> Result<bool, WorkError> {
    Ok(connection.prepare_cached(HAS_RETURNED)?.query_row(params![job.as_str()], |row| row.get(0))?)
}

pub fn held(
    connection: &Connection,
    job: &JobId,
    after: Option<&(SmolStr, Anchor)>,
    most: usize,
) -> Result<Vec<Held>, WorkError> {
    let (source_type, anchor) = after_key(after);
    let mut statement = connection.prepare_cached(HELD)?;
    let rows = statement.query_map(params![job.as_str(), source_type, anchor, limit(most)], raw_held)?;
    rows.map(|row| into_held(job, row?)).collect()
}

/// The disabling or deletion of one object that waits.
pub fn held_one(connection: &Connection, subject: &SubjectKey) -> Result<Option<Held>, WorkError> {
    let (job, source_type, anchor) = key(subject);
    let row = connection
        .prepare_cached(HELD_ONE)?
        .query_row(params![job, source_type, anchor], raw_held)
        .optional()?;
    row.map(|row| into_held(&subject.job, row)).transpose()
}

type RawHeld = (String, String, String, String, bool);

fn raw_held(row: &Row<'_>) -> rusqlite::Result<RawHeld> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn into_held(job: &JobId, row: RawHeld) -> Result<Held, WorkError> {
    let (source_type, source_anchor, action, display_name, is_staged) = row;
    Ok(Held {
        subject: SubjectKey {
            job: job.clone(),
            source_type: source_type.into(),
            source_anchor: Anchor::new(source_anchor),
        },
        action: serde_json::from_str::<Action>(&action)?,
        display_name,
        is_staged,
    })
}

pub fn count_held(connection: &Connection, job: &JobId) -> Result<u64, WorkError> {
    count(connection, COUNT_HELD, job)
}

pub fn state(connection: &Connection, job: &JobId) -> Result<Option<JobState>, WorkError> {
    let body: Option<String> =
        connection.prepare_cached(STATE)?.query_row(params![job.as_str()], |row| row.get(0)).optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

fn count(connection: &Connection, statement: &str, job: &JobId) -> Result<u64, WorkError> {
    let count: i64 =
        connection.prepare_cached(statement)?.query_row(params![job.as_str()], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}
