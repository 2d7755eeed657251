//! `usher job status | wait | watch`: how a job is, now and while it runs.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::Value;
use usher_core::ports::Clock;

use super::Which;
use crate::client::Client;
use crate::clock::SystemClock;
use crate::failure::{DONE, Failure, REFUSED};
use crate::lookup::text;

/// How often a job that runs is asked about.
const LOOK: Duration = Duration::from_millis(500);

/// What is shown of a cycle as it goes.
const BAR: &str = "{bar:40} {pos}/{len} {msg} {elapsed}";
/// The same, where nobody knows how many objects there are.
const BAR_WITHOUT_TOTAL: &str = "{spinner} {pos} objects so far, {msg} {elapsed}";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are constants")
}

/// How long to wait.
#[derive(Args)]
pub struct Wait {
    #[command(flatten)]
    which: Which,
    /// Give up after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// Prints how a job is.
pub fn print(job: &Value) {
    for line in lines(job) {
        anstream::println!("{line}");
    }
}

/// What people want to know of a job, line by line.
fn lines(job: &Value) -> Vec<String> {
    let status = &job["status"];
    let mut lines = vec![
        format!("job        {}", text(job, "id")),
        format!("state      {}", state(job)),
        format!(
            "schedule   {}, every {}",
            text(&job["schedule"], "state"),
            text(&job["schedule"], "interval")
        ),
    ];
    if let Some(progress) = progress(status) {
        lines.push(format!("progress   {}", shown(progress)));
    }
    let last = &status["lastExecution"];
    if !last["activityIdentifier"].is_null() {
        lines.push(format!("last run   {}, ended {}", text(last, "state"), text(last, "timeEnded")));
        lines.push(format!("           {}", counts(last)));
        if let Some(message) = last["error"]["message"].as_str().filter(|message| !message.is_empty()) {
            lines.push(format!("           {}: {message}", text(&last["error"], "code")));
        }
    }
    let quarantine = &status["quarantine"];
    if !quarantine.is_null() {
        lines.push(format!(
            "quarantine {} since {}, next try {}",
            text(quarantine, "reason"),
            text(quarantine, "currentBegan"),
            text(quarantine, "nextAttempt")
        ));
        lines.push(format!("           {}", text(&quarantine["error"], "message")));
    }
    for setting in job["synchronizationJobSettings"].as_array().into_iter().flatten() {
        lines.push(format!("setting    {}={}", text(setting, "name"), text(setting, "value")));
    }
    for count in status["synchronizedEntryCountByType"].as_array().into_iter().flatten() {
        lines.push(format!("in step    {} {}", count["value"], text(count, "key")));
    }
    lines
}

fn state(job: &Value) -> &'static str {
    match job["status"]["code"].as_str().unwrap_or_default() {
        "Quarantine" => "in quarantine",
        "Paused" => "paused: it does not run until it is started",
        "NotRun" => "started, the first cycle is not over",
        "Active" => "runs on its schedule",
        _ => "not configured",
    }
}

fn counts(execution: &Value) -> String {
    let count = |name: &str| execution[name].as_u64().unwrap_or(0);
    format!(
        "{} read, {} in scope, {} to write, {} written, {} failed and waiting",
        count("countImported"),
        count("countEntitledForProvisioning"),
        count("countExports"),
        count("countExported"),
        count("countEscrowed")
    )
}

/// How many objects were read, and of how many, where that is known; `None` when no cycle is under way.
fn progress(status: &Value) -> Option<(u64, Option<u64>)> {
    let progress = status["progress"].as_array()?.first()?;
    let total = progress["totalUnits"].as_u64().filter(|total| *total > 0);
    Some((progress["completedUnits"].as_u64()?, total))
}

/// Progress in words.
fn shown(progress: (u64, Option<u64>)) -> String {
    match progress {
        (done, Some(total)) => format!("{done} of {total} objects"),
        (done, None) => format!("{done} objects so far"),
    }
}

/// Waits until no cycle is under way. Exit code 0 when the last one succeeded.
pub async fn wait(client: &Client, args: &Wait) -> Result<u8> {
    let path = args.which.path(client).await?;
    let until = args.timeout.map(|seconds| {
        let wait = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        SystemClock.now().checked_add(wait).unwrap_or(Timestamp::MAX)
    });
    let job = follow(client, &path, until, |_| {}).await?;
    print(&job);
    judged(&job)
}

/// Shows a cycle as it goes, until it is over.
pub async fn watch(client: &Client, which: &Which) -> Result<u8> {
    let path = which.path(client).await?;
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::no_length().with_style(style(BAR_WITHOUT_TOTAL))
    } else {
        ProgressBar::hidden()
    };
    let mut told = String::new();
    let job = follow(client, &path, None, |job| {
        let (done, total) = progress(&job["status"]).unwrap_or_default();
        match total {
            Some(total) => {
                bar.set_style(style(BAR));
                bar.set_length(total);
            }
            None => bar.set_style(style(BAR_WITHOUT_TOTAL)),
        }
        bar.set_position(done);
        bar.set_message(state(job));
        let line = format!("{}: {}", state(job), shown((done, total)));
        if bar.is_hidden() && line != told {
            anstream::println!("{line}");
            told = line;
        }
    })
    .await?;
    bar.finish_and_clear();
    print(&job);
    judged(&job)
}

/// Looks at a job until it has run and no run is under way.
async fn follow(
    client: &Client,
    path: &str,
    until: Option<Timestamp>,
    mut tell: impl FnMut(&Value),
) -> Result<Value> {
    loop {
        let job = client.get(path).await?;
        let has_run = !job["status"]["lastExecution"]["activityIdentifier"].is_null();
        if progress(&job["status"]).is_none() {
            if has_run {
                return Ok(job);
            }
            return Err(Failure::with_hint("the job does not run", "start it with: usher job start"));
        }
        tell(&job);
        if until.is_some_and(|until| SystemClock.now() >= until) {
            print(&job);
            return Err(Failure::refused("time ran out before the cycle was over"));
        }
        SystemClock.wait(LOOK).await;
    }
}

/// The exit code of a run that is over.
fn judged(job: &Value) -> Result<u8> {
    let status = &job["status"];
    let is_good = status["lastExecution"]["state"] == "Succeeded" && status["quarantine"].is_null();
    Ok(if is_good { DONE } else { REFUSED })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_in_quarantine_says_why_and_when_it_goes_on() {
        let job = json!({
            "id": "scim.1", "schedule": { "state": "Active", "interval": "PT40M" },
            "status": {
                "code": "Quarantine",
                "progress": [{ "completedUnits": 10, "totalUnits": 200 }],
                "lastExecution": {
                    "activityIdentifier": "c-1", "state": "Failed", "timeEnded": "2026-01-01T00:00:00Z",
                    "countImported": 10, "countEntitledForProvisioning": 9, "countExports": 3, "countExported": 1,
                    "countEscrowed": 2, "error": { "code": "Unauthorized", "message": "the token is refused" },
                },
                "quarantine": {
                    "reason": "EncounteredQuarantineException", "currentBegan": "2026-01-01T00:00:00Z",
                    "nextAttempt": "2026-01-01T06:00:00Z", "error": { "message": "the token is refused" },
                },
                "synchronizedEntryCountByType": [{ "key": "User to Account", "value": 7 }],
            },
        });
        expect![[r#"
            job        scim.1
            state      in quarantine
            schedule   Active, every PT40M
            progress   10 of 200 objects
            last run   Failed, ended 2026-01-01T00:00:00Z
                       10 read, 9 in scope, 3 to write, 1 written, 2 failed and waiting
                       Unauthorized: the token is refused
            quarantine EncounteredQuarantineException since 2026-01-01T00:00:00Z, next try 2026-01-01T06:00:00Z
                       the token is refused
            in step    7 User to Account
        "#]]
        .assert_eq(&(lines(&job).join("\n") + "\n"));
    }

    #[test]
    fn what_is_done_does_not_look_like_all_where_nobody_knows_the_total() {
        let status = json!({ "progress": [{ "completedUnits": 7, "totalUnits": 0 }] });
        assert_eq!(progress(&status).map(shown).as_deref(), Some("7 objects so far"));
    }

    #[test]
    fn a_new_job_shows_no_run() {
        let job = json!({
            "id": "scim.1", "schedule": { "state": "Disabled", "interval": "PT40M" },
            "status": { "code": "Paused", "lastExecution": null, "quarantine": null, "progress": [] },
        });
        expect![[r#"
            job        scim.1
            state      paused: it does not run until it is started
            schedule   Disabled, every PT40M
        "#]]
        .assert_eq(&(lines(&job).join("\n") + "\n"));
    }
}
