//! `cargo xtask docs`: the pages of docs/reference, printed by the program from its own tables.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The generated pages; `usher reference PAGE` prints each.
const PAGES: &[&str] = &["functions", "operators", "connectors", "commands", "cmdlets", "templates"];

/// Writes the pages, or with `check` fails when one is not as it should be.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let folder = root.join("docs/reference");
    fs::create_dir_all(&folder).context("cannot make docs/reference")?;
    let mut stale = Vec::new();
    for page in PAGES {
        let output = Command::new("cargo")
            .args(["run", "--quiet", "--package", "usher", "--", "reference", page])
            .current_dir(root)
            .output()
            .context("cannot start cargo")?;
        if !output.status.success() {
            bail!("`usher reference {page}` failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let path = folder.join(format!("{page}.md"));
        if fs::read(&path).ok().as_deref() == Some(output.stdout.as_slice()) {
            continue;
        }
        if check {
            stale.push(format!("docs/reference/{page}.md"));
        } else {
            fs::write(&path, &output.stdout).with_context(|| format!("cannot write {}", path.display()))?;
            println!("wrote docs/reference/{page}.md");
        }
    }
    if !stale.is_empty() {
        bail!("these pages are out of date, run `cargo xtask docs`: {}", stale.join(", "));
    }
    println!("docs/reference is up to date");
    Ok(())
}
