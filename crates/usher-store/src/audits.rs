//! The audit log.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use usher_core::AuditRecord;
use usher_core::ports::{AuditQuery, Audits, StoreError};

use crate::SqliteStore;
use crate::directory::limit;

const ADD: &str = "insert into audits (id, at, body) values (?1, ?2, ?3)";
const LIST: &str =
    "select number, body from audits where ?1 is null or number < ?1 order by number desc limit ?2";
const ONE: &str = "select body from audits where id = ?1";
const PRUNE: &str =
    "delete from audits where number in (select number from audits where at < ?1 order by at limit ?2)";

#[async_trait]
impl Audits for SqliteStore {
    async fn add_audit(&self, record: &AuditRecord) -> Result<(), StoreError> {
        let record = record.clone();
        self.connections
            .write("write an audit record", move |transaction| {
                let body = serde_json::to_string(&record)?;
                transaction.prepare_cached(ADD)?.execute(params![
                    record.id,
                    record.at.as_microsecond(),
                    body
                ])?;
                Ok(())
            })
            .await
    }

    async fn audits(&self, query: &AuditQuery) -> Result<Vec<(u64, AuditRecord)>, StoreError> {
        let query = query.clone();
        self.connections
            .read("list the audit log", move |connection| {
                let before = query.before.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
                let mut statement = connection.prepare_cached(LIST)?;
                let rows = statement.query_map(params![before, limit(query.limit)], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
                })?;
                rows.map(|row| {
                    let (number, body) = row?;
                    Ok((u64::try_from(number).unwrap_or(0), serde_json::from_str(&body)?))
                })
                .collect()
            })
            .await
    }

    async fn audit(&self, id: &str) -> Result<Option<AuditRecord>, StoreError> {
        let id = id.to_owned();
        self.connections
            .read("read an audit record", move |connection| {
                let body: Option<String> =
                    connection.prepare_cached(ONE)?.query_row(params![id], |row| row.get(0)).optional()?;
                Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
            })
            .await
    }

    async fn prune_audits(&self, before: Timestamp, most: usize) -> Result<usize, StoreError> {
        self.connections
            .write("prune the audit log", move |transaction| {
                Ok(transaction
                    .prepare_cached(PRUNE)?
                    .execute(params![before.as_microsecond(), limit(most)])?)
            })
            .await
    }
}
