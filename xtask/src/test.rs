//! `cargo xtask test`: real servers, checks, every test, and one closing line that counts them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{docs, servers, tidy};

/// The tests that need the real servers.
const FEATURES: &str =
    "usher-testkit/real-servers,usher-connectors/real-servers,usher-sandbox/real-servers,usher/real-servers";

/// Runs everything that must be green.
pub fn run(root: &Path, only_tests: bool, without_servers: bool) -> Result<()> {
    if !only_tests {
        run_checks(root)?;
    }
    let mut arguments = vec!["test", "--workspace", "--no-fail-fast"];
    let mut variables = Vec::new();
    if without_servers {
        println!("leaving out the tests that need the real SCIM servers (--without-servers)");
    } else {
        let prepared = servers::prepare(root)?;
        arguments.extend(["--features", FEATURES]);
        variables.push(("USHER_TEST_SERVERS", prepared.folder.display().to_string()));
    }
    let counts = cargo_test(root, &arguments, &variables)?;
    println!("\n{} passed, {} failed", counts.passed, counts.failed);
    if counts.failed > 0 || !counts.succeeded {
        bail!("not every test passed");
    }
    if counts.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

fn run_checks(root: &Path) -> Result<()> {
    crate::run(root, "cargo", &["fmt", "--all", "--check"])?;
    crate::run(
        root,
        "cargo",
        &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"],
    )?;
    tidy::run(root)?;
    docs::run(root, true)
}

struct Counts {
    passed: usize,
    failed: usize,
    succeeded: bool,
}

/// Runs `cargo test`, shows what it prints, and adds up its `test result:` lines.
fn cargo_test(root: &Path, arguments: &[&str], variables: &[(&str, String)]) -> Result<Counts> {
    println!("$ cargo {}", arguments.join(" "));
    let mut child = Command::new("cargo")
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (*name, value.as_str())))
        .current_dir(root)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut counts = Counts { passed: 0, failed: 0, succeeded: false };
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what cargo prints")?;
        println!("{line}");
        if let Some(rest) = line.strip_prefix("test result: ") {
            counts.passed += count(rest, " passed");
            counts.failed += count(rest, " failed");
        }
    }
    counts.succeeded = child.wait().context("cannot wait for cargo")?.success();
    Ok(counts)
}

/// The number that stands before `word` in `ok. 12 passed; 0 failed; …`.
fn count(text: &str, word: &str) -> usize {
    text.split(word)
        .next()
        .and_then(|before| before.rsplit([' ', ';']).find(|part| !part.is_empty()))
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_are_read_from_the_runner_s_line() {
        let line = "FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!((count(line, " passed"), count(line, " failed")), (12, 3));
    }
}
