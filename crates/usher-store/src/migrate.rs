//! Migrations: numbered SQL files, run once each, in order; the file remembers how far it is.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use crate::OpenError;

const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001-start.sql"),
    include_str!("../migrations/0002-cycles.sql"),
    include_str!("../migrations/0003-links-audits-uploads.sql"),
    include_str!("../migrations/0004-properties.sql"),
    include_str!("../migrations/0005-gone.sql"),
    include_str!("../migrations/0006-gone-in-order.sql"),
];

/// Marks our files among all SQLite databases: `ushr`.
const APPLICATION: i64 = 0x7573_6872;

/// Looks whether the file is empty, or ours and not too new, before anything in it is touched.
///
/// # Errors
/// It is something else, or was made by a newer version.
pub fn recognise(path: &Path) -> Result<(), OpenError> {
    let look = || -> rusqlite::Result<(i64, i64, i64)> {
        Connection::open(path)?.query_row(
            "select (select application_id from pragma_application_id), (select user_version from pragma_user_version),
             (select count(*) from sqlite_schema)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    };
    let (application, version, tables) = look().map_err(|source| match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotAStore { path: path.to_owned(), source: Some(source) },
        _ => OpenError::unusable(source),
    })?;
    let is_empty = application == 0 && version == 0 && tables == 0;
    if application != APPLICATION && !is_empty {
        return Err(OpenError::NotAStore { path: path.to_owned(), source: None });
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(()),
        other => Err(OpenError::Newer { file: other.unwrap_or(usize::MAX), known: MIGRATIONS.len() }),
    }
}

/// Brings the file up to date.
///
/// # Errors
/// A statement failed; the migration that it belongs to has not happened then.
pub fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let done: i64 = connection
        .query_row("select user_version from pragma_user_version", [], |row| row.get(0))
        .map_err(OpenError::unusable)?;
    for (number, statements) in (1_i64..).zip(MIGRATIONS).filter(|(number, _)| *number > done) {
        let run = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            transaction.execute_batch(statements)?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", number)?;
            transaction.commit()
        };
        run(connection).map_err(OpenError::unusable)?;
    }
    Ok(())
}
