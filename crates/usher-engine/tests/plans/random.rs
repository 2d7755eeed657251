//! The property: whatever happened to source and target, what is applied is what was planned, and a plan of its result
//! is empty.

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use usher_expr::Value;

use crate::stage::{ACCOUNT, Stage, lines};

const NAMES: &[&str] = &["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal"];
const TITLES: &[&str] = &["Clerk", "Boss", "ÄÖ \"quoted\"", "a, b; c"];

fn stir(stage: &Stage, dice: &mut ChaCha8Rng) {
    for _ in 0..dice.random_range(1..6) {
        let name = *NAMES.choose(dice).expect("there are names");
        match dice.random_range(0..10) {
            0 => drop(stage.source.remove(name)),
            1 => stage.source.entitle(name, dice.random(), true),
            2 => {
                let members: Vec<&str> =
                    NAMES.iter().copied().filter(|_| dice.random_range(0..3) == 0).collect();
                stage.group(["Sales", "Staff"].choose(dice).expect("there are two"), &members);
            }
            3 => {
                // Somebody changes an account by hand, or makes one.
                let known = stage.target.objects();
                let account = known.iter().find(|object| {
                    object.attributes.value("userName") == Some(&Value::from(format!("{name}@x").as_str()))
                });
                match account {
                    Some(account) => {
                        let mut attributes: Vec<(&str, Value)> = account
                            .attributes
                            .iter()
                            .map(|(name, value)| (name.as_str(), value.clone()))
                            .collect();
                        attributes.retain(|(name, _)| *name != "displayName");
                        attributes.push(("displayName", Value::from("by hand")));
                        stage.target.put(ACCOUNT, account.anchor.as_str(), attributes);
                    }
                    None => stage.target.put(
                        ACCOUNT,
                        &format!("hand-{name}-{}", dice.random_range(0..1000)),
                        [("userName", Value::from(format!("{name}@x").as_str()))],
                    ),
                }
            }
            _ => {
                let mut more = vec![("jobTitle", Value::from(*TITLES.choose(dice).expect("there are some")))];
                if dice.random() {
                    let boss = *NAMES.choose(dice).expect("there are names");
                    more.push(("manager", Value::Reference(boss.into())));
                }
                if dice.random_range(0..6) == 0 {
                    more.push(("accountEnabled", Value::from(false)));
                }
                stage.person(name, &more);
            }
        }
    }
}

#[tokio::test]
async fn what_is_applied_is_what_was_planned_and_nothing_is_left() {
    for seed in 0..60 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let stage = Stage::new().await;
        for round in 0..4 {
            stir(&stage, &mut dice);
            let plan = if dice.random() {
                stage.plan_cycle().await
            } else {
                stage.plan(&usher_engine::PlanRequest { drift: true, ..stage.request() }).await
            };
            stage.apply_exactly(&plan).await;
            // Two things can only follow in a second plan: one reference where people manage each other in a circle,
            // and the membership of an account that the first plan deletes.
            let mut left = stage.plan_cycle().await;
            if left.plan.has_changes() {
                let only_references =
                    left.plan.objects.iter().filter(|object| object.is_change()).all(|object| {
                        object
                            .attributes
                            .iter()
                            .all(|property| property.name == "members" || property.name.ends_with(":manager"))
                    });
                assert!(only_references, "seed {seed}, round {round}: {:?}", lines(&left.plan));
                stage.apply_exactly(&left).await;
                left = stage.plan_cycle().await;
            }
            assert!(!left.plan.has_changes(), "seed {seed}, round {round}: {:?}", lines(&left.plan));
            if dice.random_range(0..3) == 0 {
                stage.engine.run_job(&stage.job).await.expect("the store works");
                stage.clock.advance(std::time::Duration::from_secs(2400));
            }
        }
    }
}
