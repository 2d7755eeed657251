//! `usher provision`: one subject, or many, on demand.

use std::collections::VecDeque;
use std::fs;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};
use usher_core::ports::Clock;

use crate::client::{Client, segment};
use crate::clock::SystemClock;
use crate::failure::{DONE, Failure, REFUSED};
use crate::lookup::{self, text};
use crate::view::{self, line};

/// The published limit: so many requests …
const REQUESTS: usize = 5;
/// … in so many milliseconds.
const WINDOW: i64 = 10_000;

/// Provision one subject, or many, on demand.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher provision User adele@contoso.example --app hr-portal\n  \
    usher provision User adele@contoso.example --app hr-portal --plan\n  \
    usher provision Group Retail --app hr-portal --member adele@contoso.example --member megan@contoso.example\n  \
    usher provision User --file people.txt --app hr-portal\n\n\
    Exit code 0: provisioned, or nothing to do; 1: something failed or was refused.")]
pub struct Args {
    /// The source object's name in the schema: User, Group, Worker, user.
    object_type: String,
    /// Object id, user principal name or display name; distinguished name for user, worker id for Worker.
    #[arg(required_unless_present = "file")]
    subjects: Vec<String>,
    /// Object id, appId or display name of the application.
    #[arg(long, value_name = "APP")]
    app: String,
    /// The job; not needed when the application has one.
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// The rule; not needed when one provisions this object type.
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// A member to provision along with a group, by id or name; at most five.
    #[arg(long = "member", value_name = "USER")]
    members: Vec<String>,
    /// The manager, to be provisioned first.
    #[arg(long, value_name = "USER")]
    manager: Option<String>,
    /// An owner to provision along with a group.
    #[arg(long = "owner", value_name = "USER")]
    owners: Vec<String>,
    /// A file with a subject on each line; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "subjects")]
    file: Option<PathBuf>,
    /// Import, scope, match and plan for real, but write nothing.
    #[arg(long)]
    plan: bool,
    /// steps: for people; table: attributes before and after; json: the answer; value: its `value`, decoded.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    #[default]
    Steps,
    Table,
    Json,
    Value,
}

/// Sends the requests.
pub async fn run(args: Args) -> Result<u8> {
    let subjects = subjects(&args)?;
    let client = Client::connect()?;
    let app = lookup::service_principal(&client, &args.app).await?;
    let job = lookup::job(&client, text(&app, "id"), args.job.as_deref()).await?;
    let path = format!(
        "/v1.0/servicePrincipals/{}/synchronization/jobs/{}",
        segment(text(&app, "id")),
        segment(text(&job, "id"))
    );
    let rule = match &args.rule {
        Some(rule) => rule.clone(),
        None => lookup::rule(&client.get(&format!("{path}/schema")).await?, &args.object_type, None)?,
    };
    if args.plan {
        only_usher_plans(&client, &path).await?;
    }
    let links = links(&client, &path, &rule, &args).await?;
    let request = format!("{path}/provisionOnDemand{}", if args.plan { "?dryRun=true" } else { "" });
    let mut pace = Pace { clock: SystemClock, sent: VecDeque::new() };
    if let [subject] = subjects.as_slice() {
        let answer = provision(&client, &request, &rule, &args, subject, &links, &mut pace).await?;
        let (key, value) = decoded(&answer);
        print(args.output, &answer, &key, &value);
        return Ok(if text(&key, "result") == "Failure" { REFUSED } else { DONE });
    }
    many(&client, &request, &rule, &args, &subjects, &links, &mut pace).await
}

/// Another service would not know what `dryRun` means, and write.
async fn only_usher_plans(client: &Client, job: &str) -> Result<()> {
    let why = match client.get(&format!("{job}/plans")).await {
        Ok(answer) if answer["value"].is_array() => return Ok(()),
        Ok(_) => String::new(),
        Err(error) => format!(": {error}"),
    };
    Err(Failure::refused(format!(
        "this service does not say that it can plan, and might write instead; nothing was sent{why}"
    )))
}

fn subjects(args: &Args) -> Result<Vec<String>> {
    let Some(path) = &args.file else { return Ok(args.subjects.clone()) };
    let mut content = String::new();
    if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut content).context("cannot read standard input")?;
    } else {
        content = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    let subjects: Vec<String> = content
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    if subjects.is_empty() {
        return Err(Failure::usage(
            format!("{} names no subject", path.display()),
            "it wants one id or name on each line; lines that begin with # are passed over",
        ));
    }
    Ok(subjects)
}

async fn links(client: &Client, job: &str, rule: &str, args: &Args) -> Result<Value> {
    let mut links = json!({});
    let kind = people(&args.object_type);
    let subject = |id: String| json!({ "objectId": id, "objectTypeName": kind });
    if let Some(manager) = &args.manager {
        links["manager"] = subject(lookup::subject_of(client, job, rule, kind, manager).await?);
    }
    for (name, people) in [("members", &args.members), ("owners", &args.owners)] {
        let mut list = Vec::with_capacity(people.len());
        for person in people {
            list.push(subject(lookup::subject_of(client, job, rule, kind, person).await?));
        }
        if !list.is_empty() {
            links[name] = Value::Array(list);
        }
    }
    Ok(links)
}

/// What the source calls people who are linked to a subject: Active Directory writes its types in lower case.
fn people(object_type: &str) -> &'static str {
    match object_type {
        "user" | "inetOrgPerson" | "group" | "contact" => "user",
        _ => "User",
    }
}

async fn provision(
    client: &Client,
    path: &str,
    rule: &str,
    args: &Args,
    name: &str,
    links: &Value,
    pace: &mut Pace,
) -> Result<Value> {
    let job = path.split("/provisionOnDemand").next().unwrap_or(path);
    let id = lookup::subject_of(client, job, rule, &args.object_type, name).await?;
    let mut subject = json!({ "objectId": id, "objectTypeName": args.object_type });
    if links.as_object().is_some_and(|links| !links.is_empty()) {
        subject["links"] = links.clone();
    }
    let body = json!({ "parameters": [{ "ruleId": rule, "subjects": [subject] }] });
    pace.wait().await;
    client.act(path, &body).await
}

async fn many(
    client: &Client,
    path: &str,
    rule: &str,
    args: &Args,
    subjects: &[String],
    links: &Value,
    pace: &mut Pace,
) -> Result<u8> {
    let bar = if std::io::stderr().is_terminal() {
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").expect("the template is well-formed");
        ProgressBar::new(subjects.len() as u64).with_style(style)
    } else {
        ProgressBar::hidden()
    };
    let (mut done, mut skipped) = (0, 0);
    let mut failed = Vec::new();
    for subject in subjects {
        bar.set_message(subject.clone());
        match provision(client, path, rule, args, subject, links, pace).await {
            Ok(answer) => {
                let (key, value) = decoded(&answer);
                match text(&key, "result") {
                    "Skipped" => skipped += 1,
                    "Failure" => failed.push((subject, text(&key["details"], "errorMessage").to_owned())),
                    _ => done += 1,
                }
                bar.suspend(|| match args.output {
                    Output::Steps => {
                        let status = text(&key, "result").to_ascii_lowercase();
                        let code = text(&key["details"], "errorCode");
                        anstream::println!(
                            "{:8} {} {} {}",
                            line(&status),
                            line(subject),
                            line(&text(&value, "action").to_lowercase()),
                            line(code)
                        );
                    }
                    other => print(other, &answer, &key, &value),
                });
            }
            // Without a service there is no use in asking for the next one.
            Err(error) if error.downcast_ref::<Failure>().is_some_and(|failure| failure.code == 3) => {
                bar.finish_and_clear();
                return Err(error);
            }
            Err(error) => {
                bar.suspend(|| anstream::println!("failure  {} {}", line(subject), line(&error.to_string())));
                failed.push((subject, error.to_string()));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    anstream::eprintln!("{done} provisioned, {skipped} skipped, {} failed", failed.len());
    for (subject, reason) in &failed {
        anstream::eprintln!("  {}: {}", line(subject), line(reason));
    }
    Ok(if failed.is_empty() { DONE } else { REFUSED })
}

/// The two JSON documents inside an answer, whichever published form it has.
fn decoded(answer: &Value) -> (Value, Value) {
    let parse = |name: &str| serde_json::from_str::<Value>(text(answer, name)).unwrap_or(Value::Null);
    let mut value = parse("value");
    if let Some(first) = value.as_array_mut().and_then(|list| list.first_mut()) {
        value = first.take();
    }
    let mut key = parse("key");
    if key.is_null() {
        let status = text(&value["statusInfo"], "status");
        key = json!({ "result": if status.is_empty() { "Success" } else { status }, "details": {} });
    }
    (key, value)
}

fn print(output: Output, answer: &Value, key: &Value, value: &Value) {
    match output {
        Output::Steps => view::print_answer(key, value),
        Output::Json => anstream::println!("{answer:#}"),
        Output::Value => anstream::println!("{value:#}"),
        Output::Table => {
            let rows = value["modifiedProperties"].as_array().cloned().unwrap_or_default();
            crate::output::list(
                crate::output::Format::Table,
                &rows,
                &[("attribute", "displayName"), ("before", "oldValue"), ("after", "newValue")],
            );
        }
    }
}

/// Keeps to the service's limit: at most so many requests in any window.
struct Pace {
    clock: SystemClock,
    sent: VecDeque<Timestamp>,
}

impl Pace {
    async fn wait(&mut self) {
        if let Some(first) = self.sent.front().filter(|_| self.sent.len() >= REQUESTS) {
            let age = self.clock.now().as_millisecond() - first.as_millisecond();
            if let Ok(left) = u64::try_from(WINDOW - age) {
                self.clock.wait(Duration::from_millis(left)).await;
            }
        }
        if self.sent.len() >= REQUESTS {
            self.sent.pop_front();
        }
        self.sent.push_back(self.clock.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_published_forms_of_an_answer_are_read() {
        let object =
            json!({ "key": "{\"result\":\"Skipped\",\"details\":{}}", "value": "{\"action\":\"Other\"}" });
        let (key, value) = decoded(&object);
        assert_eq!((text(&key, "result"), text(&value, "action")), ("Skipped", "Other"));

        let array = json!({
            "key": "Microsoft.Identity.Health.CPP.Common.DataContracts.SyncFabric.StatusInfo",
            "value": "[{\"action\":\"Create\",\"statusInfo\":{\"status\":\"Failure\"}}]",
        });
        let (key, value) = decoded(&array);
        assert_eq!((text(&key, "result"), text(&value, "action")), ("Failure", "Create"));
    }
}
