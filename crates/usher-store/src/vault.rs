//! Secrets at rest: values of secrets and settings are sealed under a key that is not in the file (AES-256-GCM,
//! NIST SP 800-38D).

use std::fmt;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, Generate, Key, KeyInit, Nonce, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};
use usher_core::Secret;
use usher_core::ports::StoreError;

use crate::OpenError;
use crate::connection::WorkError;

/// How many bytes of a sealed value are its nonce.
const NONCE: usize = 12;
/// The row that names the key everything is sealed under.
const MARK: &str = "sealed-with";

/// The key that secrets are sealed under.
#[derive(Clone)]
pub struct SecretKey {
    cipher: Aes256Gcm,
    /// Names the key; says nothing about it.
    id: String,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("SecretKey").field(&self.id).finish()
    }
}

/// A text is no key.
#[derive(Debug, thiserror::Error)]
#[error("a key is 32 bytes, written as 43 letters of base64url")]
pub struct NoKey;

impl SecretKey {
    /// A new key, as text to be kept.
    pub fn generate() -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(Key::<Aes256Gcm>::generate()))
    }

    /// The key that a text holds.
    ///
    /// # Errors
    /// It is no key.
    pub fn read(text: &Secret) -> Result<Self, NoKey> {
        let bytes = URL_SAFE_NO_PAD.decode(text.expose().trim().trim_end_matches('=')).map_err(|_| NoKey)?;
        let cipher = Aes256Gcm::new_from_slice(&bytes).map_err(|_| NoKey)?;
        Ok(Self { cipher, id: URL_SAFE_NO_PAD.encode(&Sha256::digest(&bytes)[..6]) })
    }

    /// Names the key; says nothing about it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals a value for one place: elsewhere it cannot be opened.
    pub(crate) fn seal(&self, place: &str, value: &str) -> Result<String, WorkError> {
        let nonce = Nonce::<Aes256Gcm>::generate();
        let payload = Payload { msg: value.as_bytes(), aad: place.as_bytes() };
        let sealed = self.cipher.encrypt(&nonce, payload).map_err(|_| failed("a value cannot be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), sealed.as_slice()].concat()))
    }

    /// Opens what was sealed for a place.
    pub(crate) fn open(&self, place: &str, sealed: &str) -> Result<Secret, WorkError> {
        let bad = || failed("a sealed value was changed, or moved from another place");
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| bad())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or_else(bad)?;
        let nonce = Nonce::<Aes256Gcm>::try_from(nonce).map_err(|_| bad())?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let value = self.cipher.decrypt(&nonce, payload).map_err(|_| bad())?;
        String::from_utf8(value).map(Secret::new).map_err(|_| bad())
    }
}

fn failed(what: &str) -> WorkError {
    WorkError::Store(StoreError::Failed { what: "read a secret".to_owned(), source: what.into() })
}

/// The place of a synchronization secret.
pub(crate) fn secret_place(service_principal: &str, key: &str) -> String {
    format!("secrets/{service_principal}/{key}")
}

/// The place of a setting.
pub(crate) fn setting_place(name: &str) -> String {
    format!("settings/{name}")
}

/// The id of the key that a file is sealed under; `None` before anything was sealed.
pub(crate) fn sealed_with(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("select value from settings where name = ?1", params![MARK], |row| row.get(0))
        .optional()
}

/// Checks that a file is sealed under this key; seals one that never was.
///
/// # Errors
/// It is sealed under another key.
pub(crate) fn settle(connection: &mut Connection, key: &SecretKey) -> Result<(), OpenError> {
    match sealed_with(connection).map_err(OpenError::unusable)? {
        Some(id) if id == key.id => Ok(()),
        Some(id) => Err(OpenError::WrongKey { file: id, given: key.id.clone() }),
        None => reseal(connection, None, key),
    }
}

/// Seals everything under a new key, all or nothing.
pub(crate) fn reseal(
    connection: &mut Connection,
    old: Option<&SecretKey>,
    new: &SecretKey,
) -> Result<(), OpenError> {
    let transaction = connection.transaction().map_err(OpenError::unusable)?;
    resealed(&transaction, old, new).map_err(|error| match error {
        WorkError::Store(error) => OpenError::unusable(error),
        WorkError::Sqlite(error) => OpenError::unusable(error),
    })?;
    transaction.commit().map_err(OpenError::unusable)
}

fn resealed(
    transaction: &Transaction<'_>,
    old: Option<&SecretKey>,
    new: &SecretKey,
) -> Result<(), WorkError> {
    let again = |place: &str, value: String| {
        let plain = match old {
            Some(old) => old.open(place, &value)?,
            None => Secret::new(value),
        };
        new.seal(place, plain.expose())
    };
    let mut read = transaction.prepare("select service_principal, place, name, value from secrets")?;
    let rows = read.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
        ))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    for (service_principal, place, name, value) in rows {
        let sealed = again(&secret_place(&service_principal, &name), value)?;
        transaction.execute(
            "update secrets set value = ?3 where service_principal = ?1 and place = ?2",
            params![service_principal, place, sealed],
        )?;
    }
    let mut read = transaction.prepare("select name, value from settings where name <> ?1")?;
    let rows =
        read.query_map(params![MARK], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    for (name, value) in rows {
        let sealed = again(&setting_place(&name), value)?;
        transaction.execute("update settings set value = ?2 where name = ?1", params![name, sealed])?;
    }
    transaction.execute(
        "insert into settings (name, value) values (?1, ?2) on conflict (name) do update set value = excluded.value",
        params![MARK, new.id],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        SecretKey::read(&SecretKey::generate()).expect("a generated key is one")
    }

    #[test]
    fn a_value_opens_with_its_key_at_its_place_only() {
        let (mine, other) = (key(), key());
        let Ok(sealed) = mine.seal("a", "s3cret") else { panic!("it can be sealed") };
        assert!(!sealed.contains("s3cret"));
        assert!(mine.open("a", &sealed).is_ok_and(|value| value.expose() == "s3cret"));
        assert!(mine.open("b", &sealed).is_err(), "moved elsewhere");
        assert!(other.open("a", &sealed).is_err(), "another key");
        let mut changed = sealed.clone();
        changed.replace_range(20..21, if &sealed[20..21] == "A" { "B" } else { "A" });
        assert!(mine.open("a", &changed).is_err(), "changed");
        assert!(mine.open("a", "").is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "short", "!!!"] {
            assert!(SecretKey::read(&Secret::new(text)).is_err(), "{text}");
        }
        assert!(!format!("{:?}", key()).contains("cipher"));
    }
}
