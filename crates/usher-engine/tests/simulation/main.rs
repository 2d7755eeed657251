//! The deterministic simulation: a small world, a manual clock, faults drawn from a seed, a process that may die at
//! any call. After every run nobody has two accounts and the guard was kept; in the end the target is what the source
//! says. `cargo xtask simulate --seed N` replays one seed and tells its story.

mod weather;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use world::World;

/// How many seeds are lived through, and how many cuts.
const SEEDS: u64 = 10_000;
const CUTS: usize = 2_000;

fn lives<T>(life: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made").block_on(life)
}

/// Lives through a seed; the story and what was wrong in the end, when something was.
fn live(seed: u64) -> Result<(), (Vec<String>, String)> {
    lives(async {
        let mut world = World::new(seed).await;
        let outcome = world.live().await;
        outcome.map_err(|wrong| (std::mem::take(&mut world.story), wrong))
    })
}

fn seeds() -> u64 {
    std::env::var("USHER_SIMULATION_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS)
}

/// Runs numbered pieces of work on all cores, in order; the first that went wrong.
fn first_failure(count: u64, work: impl Fn(u64) -> Result<(), String> + Sync) -> Option<(u64, String)> {
    let next = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let mut failures: Vec<(u64, String)> = thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return None;
                        }
                        if let Err(wrong) = work(number) {
                            next.store(count, Ordering::Relaxed);
                            return Some((number, wrong));
                        }
                    }
                })
            })
            .collect();
        handles.into_iter().filter_map(|handle| handle.join().expect("no worker panics")).collect()
    });
    failures.sort();
    failures.into_iter().next()
}

#[test]
fn whatever_goes_wrong_the_target_becomes_what_the_source_says() {
    if let Ok(seed) = std::env::var("USHER_SIMULATION_SEED") {
        let seed: u64 = seed.parse().expect("USHER_SIMULATION_SEED is a number");
        let outcome = lives(async {
            let mut world = World::new(seed).await;
            let outcome = world.live().await;
            (world.story, outcome)
        });
        for line in outcome.0 {
            println!("{line}");
        }
        outcome.1.expect("the seed comes out right");
        return;
    }
    let count = seeds();
    if let Some((seed, wrong)) = first_failure(count, |seed| live(seed).map_err(|(_, wrong)| wrong)) {
        panic!("seed {seed}: {wrong}\nreplay it with: cargo xtask simulate --seed {seed}");
    }
    println!("{count} seeds lived through");
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 0..20 {
        let story = || {
            lives(async {
                let mut world = World::new(seed).await;
                let outcome = world.live().await;
                (world.story, outcome)
            })
        };
        assert_eq!(story(), story(), "seed {seed}");
    }
}

#[test]
fn a_process_that_dies_at_any_call_loses_nothing_and_doubles_nothing() {
    if std::env::var("USHER_SIMULATION_SEED").is_ok() {
        return;
    }
    // Stories, and for each every call at which the process may die, before or after the call's effect.
    let mut cuts = Vec::new();
    for seed in 0.. {
        let calls = lives(async {
            let mut world = World::new(seed).await;
            world.weather.cut_at(0, false);
            world.live_with_cut(None).await.expect("nothing goes wrong in fair weather");
            world.weather.calls()
        });
        cuts.extend((1..=calls).flat_map(|call| [(seed, call, false), (seed, call, true)]));
        if cuts.len() >= CUTS {
            break;
        }
    }
    let count = cuts.len() as u64;
    let failure = first_failure(count, |number| {
        let (seed, call, after) = cuts[usize::try_from(number).expect("there are few")];
        lives(async {
            let mut world = World::new(seed).await;
            let outcome = world.live_with_cut(Some((call, after))).await;
            outcome.map_err(|wrong| {
                format!(
                    "seed {seed}, dead {} call {call}: {wrong}\n{}",
                    if after { "after" } else { "before" },
                    world.story.join("\n")
                )
            })
        })
    });
    if let Some((_, wrong)) = failure {
        panic!("{wrong}");
    }
    println!("{count} cuts survived");
}
