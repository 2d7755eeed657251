//! What every source file owes its reader: a header, a bearable length, no loose ends.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Past this length a file has another half that wants to be found.
const LONGEST: usize = 600;

/// What may not stand in a source file, and what to do instead. Written in pieces, so that this file does not find itself.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("to", "do!("), "finish it, or open an issue"),
    (concat!("unimple", "mented!("), "finish it, or answer an honest error"),
    (concat!("#[", "allow("), "use #[expect(…, reason = \"…\")]"),
    (concat!("#[", "ignore"), "a test that does not run proves nothing"),
    (concat!("#[should", "_panic"), "assert the error instead"),
    (concat!("thread::", "sleep("), "wait on an event or on the clock port"),
    (concat!("time::", "sleep("), "wait on an event or on the clock port"),
    (concat!("TO", "DO"), "open an issue"),
    (concat!("FIX", "ME"), "mend it, or open an issue"),
];

/// Files that may wait on wall time, each with its reason.
const MAY_SLEEP: &[&str] = &[
    // The production clock.
    "crates/usher/src/clock.rs",
];

/// Checks every Rust file of the workspace.
pub fn check(root: &Path, findings: &mut Vec<String>) -> Result<()> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "fuzz"] {
        collect(&root.join(folder), &mut files)?;
    }
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        if !text.starts_with("//!") && !text.starts_with("#![") {
            findings.push(format!("{name}:1: begins with //!, a sentence that says what the file is"));
        }
        let lines = text.lines().count();
        if lines > LONGEST {
            findings.push(format!("{name}: {lines} lines; find the other half (at most {LONGEST})"));
        }
        for (index, line) in text.lines().enumerate() {
            for (pattern, remedy) in FORBIDDEN {
                let excused = pattern.contains("sleep") && MAY_SLEEP.contains(&name.as_str());
                if line.contains(pattern) && !excused {
                    findings.push(format!("{name}:{}: `{pattern}`: {remedy}", index + 1));
                }
            }
        }
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" && name != "node_modules" && name != "corpus" {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
