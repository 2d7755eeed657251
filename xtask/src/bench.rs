//! `cargo xtask bench`: figures, with the machine that they were measured on.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::run as command;

/// Runs every benchmark.
pub fn run(root: &Path) -> Result<()> {
    println!("{}", machine());
    command(root, "cargo", &["bench", "--package", "usher-expr"])?;
    command(root, "cargo", &["bench", "--package", "usher-core"])?;
    command(root, "cargo", &["bench", "--package", "usher"])?;
    println!("{}", machine());
    Ok(())
}

/// Processor, cores and memory, as Linux tells them.
fn machine() -> String {
    let read = |path: &str, key: &str| {
        fs::read_to_string(path).ok().and_then(|text| {
            text.lines()
                .find(|line| line.starts_with(key))
                .and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
        })
    };
    let processor = read("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = read("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown memory".to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("machine: {processor}, {cores} cores, {memory}, {}", std::env::consts::OS)
}
