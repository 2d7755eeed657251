//! Migrations: numbered SQL files, run once each, in order; the file remembers how far it is.

use rusqlite::Connection;

use crate::OpenError;

const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001-start.sql")];

/// Brings the file up to date.
///
/// # Errors
/// The file was made by a newer version, or a statement failed; nothing is changed then.
pub fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let done: usize = connection
        .query_row("select user_version from pragma_user_version", [], |row| row.get::<_, i64>(0))
        .map(|version| usize::try_from(version).unwrap_or(usize::MAX))
        .map_err(OpenError::unusable)?;
    if done > MIGRATIONS.len() {
        return Err(OpenError::Newer { file: done, known: MIGRATIONS.len() });
    }
    for (index, statements) in MIGRATIONS.iter().enumerate().skip(done) {
        let transaction = connection.transaction().map_err(OpenError::unusable)?;
        transaction.execute_batch(statements).map_err(OpenError::unusable)?;
        transaction.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(i64::MAX)).map_err(OpenError::unusable)?;
        transaction.commit().map_err(OpenError::unusable)?;
    }
    Ok(())
}
