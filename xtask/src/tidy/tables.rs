//! Every file that belongs to a table is in it, and every entry has its file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// A folder whose files must all be registered in one file.
struct Table {
    folder: &'static str,
    extension: &'static str,
    register: &'static str,
    /// How an entry looks; `{}` is the file's name without extension.
    entry: &'static str,
}

const TABLES: &[Table] = &[
    Table {
        folder: "crates/usher-expr/src/functions",
        extension: "rs",
        register: "crates/usher-expr/src/functions.rs",
        entry: "{}",
    },
    Table {
        folder: "crates/usher-core/src/templates",
        extension: "json",
        register: "crates/usher-core/src/templates.rs",
        entry: "templates/{}.json",
    },
    Table {
        folder: "crates/usher/src/commands",
        extension: "rs",
        register: "crates/usher/src/commands.rs",
        entry: "mod {};",
    },
];

/// Checks all tables, and that error pages and decision records are in order.
pub fn check(root: &Path, findings: &mut Vec<String>) -> Result<()> {
    for table in TABLES {
        let register = fs::read_to_string(root.join(table.register))
            .with_context(|| format!("cannot read {}", table.register))?;
        for name in names(&root.join(table.folder), table.extension)? {
            if !mentions(&register, &table.entry.replace("{}", &name)) {
                findings.push(format!(
                    "{}/{name}.{}: not registered; add it to {}",
                    table.folder, table.extension, table.register
                ));
            }
        }
    }
    decisions(root, findings)?;
    errors(root, findings)
}

/// Whether the text holds the entry as a word of its own.
fn mentions(text: &str, entry: &str) -> bool {
    text.match_indices(entry).any(|(at, _)| {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        let before = text[..at].chars().next_back();
        let after = text[at + entry.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn names(folder: &Path, extension: &str) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension)
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
        {
            names.insert(stem.to_owned());
        }
    }
    Ok(names)
}

/// Decision records are numbered without gaps or doubles.
fn decisions(root: &Path, findings: &mut Vec<String>) -> Result<()> {
    for (index, name) in names(&root.join("docs/decisions"), "md")?.iter().enumerate() {
        let expected = format!("{:04}-", index + 1);
        if !name.starts_with(&expected) {
            findings.push(format!("docs/decisions/{name}.md: the next number in order is {expected}"));
        }
    }
    Ok(())
}

/// Every error code of the register has a page, and every page a code.
fn errors(root: &Path, findings: &mut Vec<String>) -> Result<()> {
    let register = "crates/usher-core/src/codes.rs";
    let text = fs::read_to_string(root.join(register)).with_context(|| format!("cannot read {register}"))?;
    let codes: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.split_once("code: \"")?.1.split('"').next().map(str::to_owned))
        .collect();
    let pages = names(&root.join("docs/errors"), "md")?;
    for code in codes.difference(&pages) {
        findings.push(format!("docs/errors/{code}.md: missing; {register} has this code"));
    }
    for page in pages.difference(&codes) {
        if page != "README" {
            findings.push(format!("docs/errors/{page}.md: no such code in {register}"));
        }
    }
    Ok(())
}
