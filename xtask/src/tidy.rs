//! `cargo xtask tidy`: house rules as ordinary checks. Every finding names a file and says what to do.

mod dependencies;
mod files;
mod tables;

use std::path::Path;

use anyhow::{Result, bail};

/// Checks everything and lists all findings.
pub fn run(root: &Path) -> Result<()> {
    let mut findings = Vec::new();
    dependencies::check(root, &mut findings)?;
    tables::check(root, &mut findings)?;
    files::check(root, &mut findings)?;
    if findings.is_empty() {
        println!("tidy: all is well");
        return Ok(());
    }
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    bail!("tidy found {} thing(s)", findings.len());
}
