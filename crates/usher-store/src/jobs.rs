//! Jobs, their schemas and the secrets of service principals.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use usher_core::ports::StoredSecret;
use usher_core::{EntryId, Job, JobId};

use crate::connection::WorkError;
use crate::rows;
use crate::vault::{SecretKey, secret_place};

const PUT_JOB: &str = "insert into jobs (id, service_principal, body) values (?1, ?2, ?3)
    on conflict (id) do update set service_principal = excluded.service_principal, body = excluded.body";
const JOB: &str = "select body from jobs where id = ?1";
const JOBS: &str = "select body from jobs where ?1 is null or service_principal = ?1 order by number";
const REMOVE_JOB: &str = "delete from jobs where id = ?1";
const ID: &str = "select id from jobs where id = ?1";
const PUT_SCHEMA: &str = "insert into job_schemas (job, document) values (?1, ?2)
    on conflict (job) do update set document = excluded.document";
const SCHEMA: &str = "select document from job_schemas where job = ?1";
const REMOVE_SCHEMA: &str = "delete from job_schemas where job = ?1";
const REMOVE_SECRETS: &str = "delete from secrets where service_principal = ?1";
const PUT_SECRET: &str =
    "insert into secrets (service_principal, place, name, value) values (?1, ?2, ?3, ?4)";
const SECRETS: &str = "select name, value from secrets where service_principal = ?1 order by place";

pub fn put_job(transaction: &Transaction<'_>, job: &Job) -> Result<(), WorkError> {
    let body = serde_json::to_string(job)?;
    transaction.prepare_cached(PUT_JOB)?.execute(params![
        job.id.as_str(),
        job.service_principal.as_str(),
        body
    ])?;
    Ok(())
}

pub fn job(connection: &Connection, id: &JobId) -> Result<Option<Job>, WorkError> {
    let body: Option<String> =
        connection.prepare_cached(JOB)?.query_row(params![id.as_str()], |row| row.get(0)).optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

pub fn jobs(connection: &Connection, service_principal: Option<&EntryId>) -> Result<Vec<Job>, WorkError> {
    let mut statement = connection.prepare_cached(JOBS)?;
    let rows = statement
        .query_map(params![service_principal.map(EntryId::as_str)], |row| row.get::<_, String>(0))?;
    rows.map(|body| Ok(serde_json::from_str(&body?)?)).collect()
}

pub fn remove_job(transaction: &Transaction<'_>, id: &JobId) -> Result<bool, WorkError> {
    let known: Option<String> =
        transaction.prepare_cached(ID)?.query_row(params![id.as_str()], |row| row.get(0)).optional()?;
    if let Some(known) = known {
        rows::remove_job(transaction, &known)?;
    }
    transaction.prepare_cached(REMOVE_SCHEMA)?.execute(params![id.as_str()])?;
    Ok(transaction.prepare_cached(REMOVE_JOB)?.execute(params![id.as_str()])? > 0)
}

pub fn put_schema(transaction: &Transaction<'_>, job: &JobId, document: &str) -> Result<(), WorkError> {
    transaction.prepare_cached(PUT_SCHEMA)?.execute(params![job.as_str(), document])?;
    Ok(())
}

pub fn schema(connection: &Connection, job: &JobId) -> Result<Option<String>, WorkError> {
    Ok(connection.prepare_cached(SCHEMA)?.query_row(params![job.as_str()], |row| row.get(0)).optional()?)
}

pub fn remove_schema(transaction: &Transaction<'_>, job: &JobId) -> Result<(), WorkError> {
    transaction.prepare_cached(REMOVE_SCHEMA)?.execute(params![job.as_str()])?;
    Ok(())
}

pub fn put_secrets(
    transaction: &Transaction<'_>,
    service_principal: &EntryId,
    secrets: &[StoredSecret],
    key: &SecretKey,
) -> Result<(), WorkError> {
    transaction.prepare_cached(REMOVE_SECRETS)?.execute(params![service_principal.as_str()])?;
    for (place, secret) in secrets.iter().enumerate() {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        transaction.prepare_cached(PUT_SECRET)?.execute(params![
            service_principal.as_str(),
            place,
            secret.key,
            key.seal(&secret_place(service_principal.as_str(), &secret.key), secret.value.expose())?
        ])?;
    }
    Ok(())
}

pub fn secrets(
    connection: &Connection,
    service_principal: &EntryId,
    key: &SecretKey,
) -> Result<Vec<StoredSecret>, WorkError> {
    let mut statement = connection.prepare_cached(SECRETS)?;
    let rows = statement.query_map(params![service_principal.as_str()], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    rows.map(|row| {
        let (name, sealed) = row?;
        let value = key.open(&secret_place(service_principal.as_str(), &name), &sealed)?;
        Ok(StoredSecret { key: name, value })
    })
    .collect()
}
