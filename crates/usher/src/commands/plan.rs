//! `usher plan`: what subjects or a cycle need, down to the requests.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use usher_core::saved::{SavedPlan, ldif};

use crate::client::Client;
use crate::commands::job::Which;
use crate::failure::{self, DONE, Failure, REFUSED};
use crate::lookup;
use crate::plan_view;

/// Exit code: applying the plan would change something.
const CHANGES: u8 = 2;
/// How long a plan may take: a whole cycle is read.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Show what subjects or a cycle need, down to the requests.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    usher plan User adele@contoso.example --app hr-portal\n  \
    usher plan User adele@contoso.example --app hr-portal -o plan.json\n  \
    usher plan --cycle --app hr-portal --output requests\n  \
    usher plan --cycle --drift --app hr-portal\n\n\
    Exit code 0: nothing to do; 2: there are changes, what the deletion guard holds back included; 1: an error, or an\n\
    object fails.")]
pub struct Args {
    #[command(flatten)]
    pub(super) subjects: Subjects,
    /// What the next cycle of the job would do.
    #[arg(long)]
    cycle: bool,
    /// With --cycle: look at everything, and tell what was changed in the target and what is paired with nothing.
    #[arg(long, requires = "cycle")]
    drift: bool,
    /// people: steps, attributes and requests; json: the plan; requests: what would be sent; ldif: the same for LDAP.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
    /// Save the plan in a file, for `usher apply`.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Names subjects of a job.
#[derive(clap::Args)]
pub struct Subjects {
    /// The source object's name in the schema: User, Group, Worker, user.
    pub(super) object_type: Option<String>,
    /// Object id, user principal name or display name; distinguished name for user, worker id for Worker.
    pub(super) subjects: Vec<String>,
    #[command(flatten)]
    pub(super) which: Which,
    /// The rule; not needed when one provisions this object type.
    #[arg(long, value_name = "ID")]
    pub(super) rule: Option<String>,
    /// A member to look at along with a group; at most five.
    #[arg(long = "member", value_name = "USER")]
    pub(super) members: Vec<String>,
    /// The manager, to be looked at first.
    #[arg(long, value_name = "USER")]
    pub(super) manager: Option<String>,
    /// An owner to look at along with a group.
    #[arg(long = "owner", value_name = "USER")]
    pub(super) owners: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    #[default]
    People,
    Json,
    Requests,
    Ldif,
}

impl Subjects {
    /// The path of the job, and the `parameters` that name the subjects.
    pub(super) async fn parameters(&self, client: &Client) -> Result<(String, Value)> {
        let path = self.which.path(client).await?;
        let Some(object_type) = self.object_type.as_ref().filter(|_| !self.subjects.is_empty()) else {
            return Err(Failure::usage(
                "no subject is named",
                "give an object type and subjects, such as `User adele@contoso.example`, or --cycle",
            ));
        };
        let schema = client.get(&format!("{path}/schema")).await?;
        let rule = lookup::rule(&schema, object_type, self.rule.as_deref())?;
        let mut links = json!({});
        let user = |id: String| json!({ "objectId": id, "objectTypeName": "User" });
        if let Some(manager) = &self.manager {
            links["manager"] = user(lookup::subject_of(client, &path, &rule, "User", manager).await?);
        }
        for (name, people) in [("members", &self.members), ("owners", &self.owners)] {
            let mut list = Vec::with_capacity(people.len());
            for person in people {
                list.push(user(lookup::subject_of(client, &path, &rule, "User", person).await?));
            }
            if !list.is_empty() {
                links[name] = Value::Array(list);
            }
        }
        let mut subjects = Vec::with_capacity(self.subjects.len());
        for name in &self.subjects {
            let id = lookup::subject_of(client, &path, &rule, object_type, name).await?;
            let mut subject = json!({ "objectId": id, "objectTypeName": object_type });
            if links.as_object().is_some_and(|links| !links.is_empty()) {
                subject["links"] = links.clone();
            }
            subjects.push(subject);
        }
        Ok((path, json!([{ "ruleId": rule, "subjects": subjects }])))
    }
}

/// Makes the plan; the exit code says whether there is something to do.
pub async fn run(args: Args) -> u8 {
    match plan(args).await {
        Ok(code) => code,
        Err(error) => {
            failure::report(&error);
            REFUSED
        }
    }
}

async fn plan(args: Args) -> Result<u8> {
    let client = Client::connect_with_patience(PATIENCE)?;
    let (path, request) = if args.cycle {
        if args.subjects.object_type.is_some() {
            return Err(Failure::usage(
                "--cycle plans all that a cycle would look at",
                "leave the subjects out, or --cycle",
            ));
        }
        (args.subjects.which.path(&client).await?, json!({ "cycle": true, "drift": args.drift }))
    } else {
        let (path, parameters) = args.subjects.parameters(&client).await?;
        (path, json!({ "parameters": parameters }))
    };
    let path = format!("{path}/plans");
    let mut answer = client.act(&path, &request).await?;
    let document = answer["document"].take();
    let plan = read(&document)?;
    match args.output {
        Output::People => anstream::print!("{}", plan_view::people(&plan)),
        Output::Json => anstream::println!("{document:#}"),
        Output::Requests => anstream::print!("{}", plan_view::requests(&plan)),
        Output::Ldif => {
            let requests = plan.objects.iter().flat_map(|object| &object.requests);
            let text = ldif::document(requests).ok_or_else(|| {
                Failure::usage(
                    "the target of this job does not speak LDAP",
                    "use --output requests to see what would be sent",
                )
            })?;
            anstream::print!("{text}");
        }
    }
    if let Some(file) = &args.out {
        fs::write(file, format!("{document:#}\n"))
            .with_context(|| format!("cannot write {}", file.display()))?;
        let file = file.display();
        let held_back = plan.counts.held_back;
        match (plan.counts.failed, plan.has_changes()) {
            (0, true) => anstream::eprintln!("the plan is in {file}; apply it with `usher apply {file}`"),
            (0, false) if held_back > 0 => anstream::eprintln!(
                "the plan is in {file}, to be read; nothing of it can be applied: the deletion guard holds back \
                 {held_back}"
            ),
            (0, false) => anstream::eprintln!("the plan is in {file}; there is nothing to apply"),
            (failed, true) => anstream::eprintln!(
                "the plan is in {file}; `usher apply {file}` leaves out what fails ({failed} of {} objects)",
                plan.counts.seen
            ),
            (_, false) => {
                anstream::eprintln!("the plan is in {file}, to be read; nothing of it can be applied")
            }
        }
    }
    Ok(match (plan.counts.failed, plan.has_changes() || plan.counts.held_back > 0) {
        (0, false) => DONE,
        (0, true) => CHANGES,
        _ => REFUSED,
    })
}

/// A plan from its document.
pub(super) fn read(document: &Value) -> Result<SavedPlan> {
    serde_json::from_value(document.clone()).context("this is no plan of this version of usher")
}
