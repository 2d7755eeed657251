//! `cargo xtask simulate`: the simulation of cycles, one seed with its story, or many.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Replays one seed, or lives through many.
pub fn run(root: &Path, seed: Option<u64>, seeds: Option<u64>) -> Result<()> {
    let mut command = Command::new("cargo");
    command.current_dir(root).args([
        "test",
        "--quiet",
        "--package",
        "usher-engine",
        "--test",
        "simulation",
        "whatever_goes_wrong",
        "--",
        "--nocapture",
    ]);
    if let Some(seed) = seed {
        command.env("USHER_SIMULATION_SEED", seed.to_string());
    }
    if let Some(seeds) = seeds {
        command.env("USHER_SIMULATION_SEEDS", seeds.to_string());
    }
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("the simulation came out wrong");
    }
    Ok(())
}
