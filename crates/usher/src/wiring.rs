//! Puts the parts together: store, connectors, clock, engine, server.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use usher_connectors::{AllConnectors, HttpOptions};
use usher_core::Secret;
use usher_core::ports::{Clock, Store};
use usher_engine::{Engine, Settings};
use usher_store::SqliteStore;

use crate::clock::SystemClock;
use crate::sealing;

/// The name under which the tenant id is stored.
const TENANT: &str = "tenant";

/// An engine over the SQLite file in a data folder, which is made when it is not there. `key_file` names the key of its
/// secrets when that is not in the folder.
///
/// # Errors
/// The folder, the key or the file is not usable, or another process uses it.
pub async fn engine(
    data: &Path,
    key_file: Option<&Path>,
    tenant: Option<&str>,
    http: HttpOptions,
) -> Result<Engine> {
    make_private_folder(data)?;
    let key = sealing::key(data, key_file)?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&sealing::database(data), key)?);
    let clock = SystemClock;
    let stored = store.setting(TENANT).await?;
    let tenant = match (stored, tenant) {
        (Some(stored), None) => stored.expose().to_owned(),
        (Some(stored), Some(wanted)) if stored.expose().eq_ignore_ascii_case(wanted) => wanted.to_owned(),
        (Some(stored), Some(wanted)) => {
            return Err(crate::failure::Failure::usage(
                format!("{} belongs to the tenant {}, not to {wanted}", data.display(), stored.expose()),
                "leave --tenant out, or give another --data folder",
            ));
        }
        (None, wanted) => {
            let tenant = wanted.map_or_else(|| clock.guid().to_string(), str::to_owned);
            store.put_setting(TENANT, &Secret::new(tenant.clone())).await?;
            tenant
        }
    };
    let connectors = Arc::new(AllConnectors::new(store.clone(), Arc::new(clock), http)?);
    Ok(Engine::new(store, connectors, Arc::new(clock), Settings::new(tenant)))
}

/// Makes a folder that only the owner can enter.
///
/// # Errors
/// The folder cannot be made.
pub fn make_private_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
}
