//! The key that secrets at rest are sealed under: from the environment or a file, never from the database.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use usher_core::Secret;
use usher_store::{SecretKey, SqliteStore};

use crate::failure::Failure;
use crate::profile::write_private;

/// The environment variable that may hold the key itself.
pub const VARIABLE: &str = "USHER_KEY";

/// The database of a data folder.
pub fn database(data: &Path) -> PathBuf {
    data.join("usher.sqlite")
}

/// The key file of a data folder, unless another one is named.
fn key_file(data: &Path, named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| data.join("secret.key"), Path::to_owned)
}

/// The file that holds the next key while keys are changed.
fn next_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// The key of a data folder; a new one is made when nothing was ever sealed there.
///
/// # Errors
/// The key is missing although something is sealed, or is no key.
pub fn key(data: &Path, named: Option<&Path>) -> Result<SecretKey> {
    if let Some(text) = from_environment()? {
        return read(&text, &format!("the environment variable {VARIABLE}"));
    }
    let file = key_file(data, named);
    let sealed_with = SqliteStore::sealed_with(&database(data))?;
    finish_rotation(&file, sealed_with.as_deref())?;
    match fs::read_to_string(&file) {
        Ok(text) => read(&Secret::new(text), &file.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match sealed_with {
            Some(id) => Err(Failure::usage(
                format!(
                    "there is no key in {}, but the secrets of {} are sealed",
                    file.display(),
                    data.display()
                ),
                format!("put the key '{id}' back, name its file with --key-file, or set {VARIABLE}"),
            )),
            None => {
                let text = SecretKey::generate();
                write_private(&file, &format!("{}\n", text.expose()))?;
                read(&text, &file.display().to_string())
            }
        },
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// Seals everything under a new key. The new key is on disk before the old one counts no more, so that no moment is
/// without a key that fits.
///
/// # Errors
/// The service runs, the old key does not fit, or a file cannot be written.
pub fn rotate(data: &Path, named: Option<&Path>, new_file: Option<&Path>) -> Result<String> {
    let database = database(data);
    if !database.exists() {
        return Err(Failure::usage(
            format!("there is no database in {}", data.display()),
            "give the folder that `usher serve --data` uses",
        ));
    }
    let old = key(data, named)?;
    let text = SecretKey::generate();
    let new = read(&text, "the new key")?;
    let written = format!("{}\n", text.expose());
    match (from_environment()?, new_file) {
        (Some(_), None) => {
            return Err(Failure::usage(
                format!("the key comes from {VARIABLE}, which a command cannot change"),
                "name a file for the new key with --new-key-file, and set the variable from it afterwards",
            ));
        }
        (_, Some(file)) => {
            if file.exists() {
                return Err(Failure::usage(
                    format!("{} is there already", file.display()),
                    "name a file that is not there yet, so that no key is lost",
                ));
            }
            write_private(file, &written)?;
            SqliteStore::rotate(&database, &old, &new)?;
        }
        (None, None) => {
            let file = key_file(data, named);
            write_private(&next_file(&file), &written)?;
            SqliteStore::rotate(&database, &old, &new)?;
            finish_rotation(&file, Some(new.id()))?;
        }
    }
    Ok(new.id().to_owned())
}

/// Puts the next key into its place when it is the one that counts: a change of keys may have been cut off.
fn finish_rotation(file: &Path, sealed_with: Option<&str>) -> Result<()> {
    let next = next_file(file);
    let Ok(text) = fs::read_to_string(&next) else { return Ok(()) };
    let is_it = SecretKey::read(&Secret::new(text)).is_ok_and(|key| Some(key.id()) == sealed_with);
    if is_it {
        fs::rename(&next, file).with_context(|| format!("cannot rename {}", next.display()))?;
    }
    Ok(())
}

fn from_environment() -> Result<Option<Secret>> {
    match std::env::var(VARIABLE) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => Ok(Some(Secret::new(text))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{VARIABLE} cannot be read")),
    }
}

fn read(text: &Secret, place: &str) -> Result<SecretKey> {
    SecretKey::read(text).map_err(|error| {
        Failure::usage(
            format!("{place} holds no key: {error}"),
            "give the key that `usher serve` made at its first start",
        )
    })
}
