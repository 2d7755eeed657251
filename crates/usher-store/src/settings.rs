//! Documents under names: signing key, tenant, credentials.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use usher_core::Secret;

use crate::connection::WorkError;
use crate::vault::{SecretKey, setting_place};

const PUT: &str = "insert into settings (name, value) values (?1, ?2)
    on conflict (name) do update set value = excluded.value";
const GET: &str = "select value from settings where name = ?1";
const REMOVE: &str = "delete from settings where name = ?1";
const NAMES: &str = "select name from settings where substr(name, 1, length(?1)) = ?1 order by name";

pub fn put(
    transaction: &Transaction<'_>,
    name: &str,
    value: &Secret,
    key: &SecretKey,
) -> Result<(), WorkError> {
    let sealed = key.seal(&setting_place(name), value.expose())?;
    transaction.prepare_cached(PUT)?.execute(params![name, sealed])?;
    Ok(())
}

pub fn get(connection: &Connection, name: &str, key: &SecretKey) -> Result<Option<Secret>, WorkError> {
    let value: Option<String> =
        connection.prepare_cached(GET)?.query_row(params![name], |row| row.get(0)).optional()?;
    value.map(|sealed| key.open(&setting_place(name), &sealed)).transpose()
}

pub fn remove(transaction: &Transaction<'_>, name: &str) -> Result<bool, WorkError> {
    Ok(transaction.prepare_cached(REMOVE)?.execute(params![name])? > 0)
}

pub fn names(connection: &Connection, prefix: &str) -> Result<Vec<String>, WorkError> {
    let mut statement = connection.prepare_cached(NAMES)?;
    let rows = statement.query_map(params![prefix], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
