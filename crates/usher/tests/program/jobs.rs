//! Jobs that run, from the command line.

use serde_json::Value;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_started_waited_for_paused_and_restarted() {
    let world = World::start().await;
    let idle = world.run(&["job", "wait", "--app", "hr-portal"]).await;
    assert_eq!(idle.code, 1);
    assert!(idle.err.contains("the job does not run"), "{}", idle.err);

    let started = world.run(&["job", "start", "--app", "hr-portal"]).await;
    assert_eq!((started.code, started.out.as_str()), (0, ""), "{}", started.err);
    let waited = world.run(&["job", "wait", "--app", "hr-portal", "--timeout", "60"]).await;
    assert_eq!(waited.code, 0, "{} {}", waited.out, waited.err);
    let mut accounts = world.accounts();
    accounts.sort();
    assert_eq!(accounts, ["adele@contoso.example", "megan@contoso.example"], "alex is not assigned");
    let groups = world.application.sandbox().groups();
    assert_eq!(groups[0]["members"].as_array().map(Vec::len), Some(2));

    let status = world.run(&["job", "status", "--app", "hr-portal"]).await;
    assert!(status.out.contains("state      runs on its schedule"), "{}", status.out);
    assert!(status.out.contains("last run   Succeeded"), "{}", status.out);
    let status = world.run(&["job", "status", "--app", "hr-portal", "--output", "json"]).await;
    let status: Value = serde_json::from_str(&status.out).expect("it is JSON");
    // Two people and a group; and once more whoever came before the manager did.
    let exported = status["lastExecution"]["countExported"].as_u64().unwrap_or(0);
    assert!((3..=4).contains(&exported), "{status}");

    let paused = world.run(&["job", "pause", "--app", "hr-portal"]).await;
    assert_eq!(paused.code, 0, "{}", paused.err);
    let status = world.run(&["job", "status", "--app", "hr-portal"]).await;
    assert!(status.out.contains("paused: it does not run until it is started"), "{}", status.out);

    let wrong = world.run(&["job", "restart", "--app", "hr-portal", "--reset", "Everything"]).await;
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("'Everything' is no reset scope"), "{}", wrong.err);
    let full = world.run(&["job", "restart", "--app", "hr-portal", "--full"]).await;
    assert_eq!(full.code, 0, "{}", full.err);
    let watched = world.run(&["job", "watch", "--app", "hr-portal"]).await;
    assert_eq!(watched.code, 0, "{} {}", watched.out, watched.err);
    assert_eq!(world.accounts().len(), 2, "everybody was matched again, nobody doubled");

    let exported = world.run(&["log", "export"]).await;
    let events: Vec<Value> =
        exported.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert!(events.len() >= 8, "both cycles are in the log: {}", events.len());
    let cycle = events[0]["cycleId"].as_str().expect("it is a text");
    let one = world.run(&["log", "export", "--cycle", cycle]).await;
    let of_cycle = events.iter().filter(|event| event["cycleId"] == cycle).count();
    assert_eq!(one.out.lines().count(), of_cycle);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_job_are_changed_and_nonsense_is_refused() {
    let world = World::start().await;
    let app = ["--app", "hr-portal"];
    let set = async |words: &[&str]| world.run(&[&["job", "set"][..], &app, words].concat()).await;
    let changed = set(&["--interval", "PT5M", "--delete-threshold", "20", "--output", "json"]).await;
    assert_eq!(changed.code, 0, "{}", changed.err);
    let job: Value = serde_json::from_str(&changed.out).expect("it is JSON");
    assert_eq!(job["schedule"]["interval"], "PT5M");
    for (words, code, says) in [
        (&[][..], 2, "nothing to change"),
        (&["--interval", "soon"], 1, "no interval"),
        (&["--setting", "nonsense"], 2, "give --setting NAME=VALUE"),
        (&["--setting", "Nonsense=1"], 1, "there is no job setting 'Nonsense'"),
        (&["--setting", "TargetConcurency=4"], 1, "did you mean TargetConcurrency?"),
        (&["--concurrency", "100000"], 1, "from 1 to 256"),
    ] {
        let refused = set(words).await;
        assert_eq!(refused.code, code, "{words:?}: {}", refused.err);
        assert!(refused.err.contains(says), "{words:?}: {}", refused.err);
    }
}
