//! Records that were uploaded for a job to provision.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;
use smol_str::SmolStr;
use usher_core::JobId;
use usher_core::ports::{StoreError, Upload, Uploads};

use crate::SqliteStore;
use crate::connection::WorkError;
use crate::directory::limit;

const PUT: &str = "insert or replace into uploads (job, id, document) values (?1, ?2, ?3)";
const LIST: &str = "select number, id, document from uploads
    where job = ?1 and number > ?2 and number <= ?3 order by number limit ?4";
const ONE: &str = "select number, id, document from uploads where job = ?1 and id = ?2";
const LAST: &str = "select coalesce(max(seq), 0) from sqlite_sequence where name = 'uploads'";
const COUNT: &str = "select count(*) from uploads where job = ?1";
const REMOVE: &str = "delete from uploads where job = ?1";

#[async_trait]
impl Uploads for SqliteStore {
    async fn put_uploads(&self, job: &JobId, records: &[(SmolStr, Value)]) -> Result<(), StoreError> {
        let (job, records) = (job.clone(), records.to_vec());
        self.connections
            .write("write uploads", move |transaction| {
                let mut put = transaction.prepare_cached(PUT)?;
                for (id, document) in &records {
                    put.execute(params![job.as_str(), id.as_str(), document.to_string()])?;
                }
                Ok(())
            })
            .await
    }

    async fn uploads(
        &self,
        job: &JobId,
        after: u64,
        until: u64,
        most: usize,
    ) -> Result<Vec<Upload>, StoreError> {
        let job = job.clone();
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.connections
            .read("list uploads", move |connection| {
                let mut statement = connection.prepare_cached(LIST)?;
                let values = params![job.as_str(), number(after), number(until), limit(most)];
                let rows = statement.query_map(values, raw)?;
                rows.map(|row| upload(row?)).collect()
            })
            .await
    }

    async fn upload(&self, job: &JobId, id: &str) -> Result<Option<Upload>, StoreError> {
        let (job, id) = (job.clone(), id.to_owned());
        self.connections
            .read("read an upload", move |connection| {
                let found =
                    connection.prepare_cached(ONE)?.query_row(params![job.as_str(), id], raw).optional()?;
                found.map(upload).transpose()
            })
            .await
    }

    async fn last_upload(&self) -> Result<u64, StoreError> {
        self.connections
            .read("read last upload", |connection| {
                let number: i64 = connection.prepare_cached(LAST)?.query_row([], |row| row.get(0))?;
                Ok(u64::try_from(number).unwrap_or(0))
            })
            .await
    }

    async fn count_uploads(&self, job: &JobId) -> Result<u64, StoreError> {
        let job = job.clone();
        self.connections
            .read("count uploads", move |connection| {
                let count: i64 =
                    connection.prepare_cached(COUNT)?.query_row(params![job.as_str()], |row| row.get(0))?;
                Ok(u64::try_from(count).unwrap_or(0))
            })
            .await
    }

    async fn remove_uploads(&self, job: &JobId) -> Result<(), StoreError> {
        let job = job.clone();
        self.connections
            .write("remove uploads", move |transaction| {
                transaction.prepare_cached(REMOVE)?.execute(params![job.as_str()])?;
                Ok(())
            })
            .await
    }
}

fn raw(row: &Row<'_>) -> rusqlite::Result<(i64, String, String)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn upload((number, id, document): (i64, String, String)) -> Result<Upload, WorkError> {
    Ok(Upload {
        number: u64::try_from(number).unwrap_or(0),
        id: id.into(),
        document: serde_json::from_str(&document)?,
    })
}
