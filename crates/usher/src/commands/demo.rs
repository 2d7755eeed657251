//! `usher demo`: the whole thing in one process: a directory, an application, one person and one group on demand.

mod workday;

pub use workday::fill as fill_workday;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use owo_colors::OwoColorize;
use serde_json::{Value, json};
use usher_connectors::HttpOptions;
use usher_core::ports::Clock;
use usher_sandbox::{Exchange, Options, Sandbox};
use usher_server::{Server, ServerOptions, bootstrap};

use crate::client::{Client, segment};
use crate::clock::SystemClock;
use crate::commands::sandbox;
use crate::failure::{DONE, REFUSED};
use crate::lookup::text;
use crate::profile::{Profile, ProfileCredential};
use crate::{view, wiring};

/// Show the whole thing: a directory, an application, one person and one group provisioned on demand.
#[derive(clap::Args)]
#[command(
    after_help = "Nothing is installed and nothing is left behind: the demo runs in one process, over real HTTP on loopback."
)]
pub struct Args {
    /// Show the requests that the application receives without their bodies.
    #[arg(long)]
    brief: bool,
    /// Show workers of a Workday tenant that become users, in place of users that become accounts.
    #[arg(long)]
    workday: bool,
}

/// The people of the demo: user principal name, given name, surname, title, department, employee id.
const PEOPLE: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("megan@contoso.example", "Megan", "Bowen", "Head of Retail", "Retail", "1000"),
    ("adele@contoso.example", "Adele", "Vance", "Retail Manager", "Retail", "1001"),
    ("alex@contoso.example", "Alex", "Wilber", "Marketing Assistant", "Marketing", "1002"),
    ("lidia@contoso.example", "Lidia", "Holloway", "Product Manager", "Engineering", "1003"),
];

/// Runs the demo.
pub async fn run(args: Args) -> Result<u8> {
    let folder = std::env::temp_dir().join(format!("usher-demo-{}", SystemClock.guid()));
    let outcome = if args.workday { workday::show(&folder).await } else { show(&args, &folder).await };
    // What is left of a demo is of no use to anybody.
    let _ = std::fs::remove_dir_all(&folder);
    outcome
}

async fn show(args: &Args, folder: &std::path::Path) -> Result<u8> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let exchanges: Arc<Mutex<Vec<Exchange>>> = Arc::default();
    let seen = exchanges.clone();
    let application = Sandbox::start(
        Options {
            observer: Some(Arc::new(move |exchange: &Exchange| {
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(exchange.clone());
            })),
            ..Options::new("demo-token")
        },
        anywhere,
    )
    .await
    .context("cannot start the SCIM application")?;

    let Service { client, address, task: service } = serve(folder).await?;

    heading("A directory with people, and an application that speaks SCIM");
    anstream::println!("  the service      {address}");
    anstream::println!("  the application  {}", application.base_address());
    let people = fill(&client).await?;
    let (path, principal) = connect(&client, &application.base_address()).await?;
    for (name, _) in &people {
        anstream::println!("  {name}");
    }

    let adele = id_of(&people, "adele@contoso.example");
    let megan = id_of(&people, "megan@contoso.example");
    assign(&client, &principal, &[adele, megan]).await?;
    let schema = client.get(&format!("{path}/schema")).await?;
    let rule = crate::lookup::rule(&schema, "User", None)?;
    let mut stage = Stage {
        client: &client,
        path: &path,
        rule: &rule,
        exchanges: &exchanges,
        brief: args.brief,
        good: true,
    };

    heading("Adele and her manager Megan are assigned. Provision Adele, now");
    let user = |id: &str| json!({ "objectId": id, "objectTypeName": "User" });
    let mut subject = user(adele);
    subject["links"] = json!({ "manager": user(megan) });
    stage.provision(subject.clone(), "Success").await?;

    heading("Again: nothing to do");
    stage.provision(subject, "Skipped").await?;

    heading("Alex is not assigned");
    stage.provision(user(id_of(&people, "alex@contoso.example")), "Skipped").await?;

    heading("The group Retail, with Adele and Megan");
    let group = client
        .post(
            "/v1.0/groups",
            &json!({
                "displayName": "Retail", "mailEnabled": false, "mailNickname": "retail", "securityEnabled": true,
                "members@odata.bind": [
                    format!("{address}/v1.0/directoryObjects/{adele}"),
                    format!("{address}/v1.0/directoryObjects/{megan}"),
                ],
            }),
        )
        .await?;
    assign(&client, &principal, &[text(&group, "id")]).await?;
    stage
        .provision(
            json!({
                "objectId": text(&group, "id"), "objectTypeName": "Group",
                "links": { "members": [user(adele), user(megan)] },
            }),
            "Success",
        )
        .await?;

    let good = stage.good;
    let (users, groups) = (application.sandbox().users().len(), application.sandbox().groups().len());
    heading("The application now has");
    anstream::println!("  {users} users and {groups} group");
    anstream::println!("\n{}", NEXT);
    service.abort();
    application.stop().await;
    Ok(if good && users == 2 && groups == 1 { DONE } else { REFUSED })
}

/// A service on loopback, and a client that may do everything.
struct Service {
    client: Client,
    address: String,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn serve(folder: &std::path::Path) -> Result<Service> {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let engine = wiring::engine(folder, None, None, HttpOptions::default()).await?;
    let tenant = engine.settings.tenant.clone();
    let credential = bootstrap(&engine).await?.context("a new directory has its first credential")?;
    let listener = tokio::net::TcpListener::bind(anywhere).await.context("cannot listen on loopback")?;
    let address = format!("http://{}", listener.local_addr().context("the listener has no address")?);
    let server = Server::new(engine, ServerOptions::new(&address)).await?;
    let task = tokio::spawn(server.serve_plain(listener, std::future::pending()));
    let client = Client::with(&Profile {
        address: address.clone(),
        authority: address.clone(),
        tenant,
        credential: ProfileCredential::ClientSecret {
            client_id: credential.client_id,
            secret: credential.secret,
        },
        ca: None,
        timeout: None,
    })?;
    Ok(Service { client, address, task })
}

const NEXT: &str = "What to try next:
  usher serve --data ./usher-data          run the service, and keep what it learns
  usher connect --data ./usher-data        talk to it from another terminal
  usher sandbox                            a SCIM application of your own to provision into
  usher provision --help                   one person, a group, a file of people; --plan writes nothing
  usher expression functions               the mapping language";

struct Stage<'a> {
    client: &'a Client,
    path: &'a str,
    rule: &'a str,
    exchanges: &'a Mutex<Vec<Exchange>>,
    brief: bool,
    good: bool,
}

impl Stage<'_> {
    async fn provision(&mut self, subject: Value, expected: &str) -> Result<()> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let body = json!({ "parameters": [{ "ruleId": self.rule, "subjects": [subject] }] });
        let answer = self.client.post(&format!("{}/provisionOnDemand", self.path), &body).await?;
        let document = |name: &str| serde_json::from_str(text(&answer, name)).unwrap_or(Value::Null);
        let (key, value): (Value, Value) = (document("key"), document("value"));
        view::print_answer(&key, &value);
        self.good &= text(&key, "result") == expected;
        let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        if !exchanges.is_empty() {
            anstream::println!("\n  {}", "what the application received".bold());
            for exchange in exchanges.iter() {
                for line in sandbox::shown(exchange, self.brief).lines() {
                    anstream::println!("  {line}");
                }
            }
        }
        Ok(())
    }
}

fn heading(text: &str) {
    anstream::println!("\n{}", format!("== {text}").cyan().bold());
}

async fn fill(client: &Client) -> Result<Vec<(String, String)>> {
    let mut people = Vec::new();
    for (name, given, surname, title, department, employee) in PEOPLE {
        let user = client
            .post(
                "/v1.0/users",
                &json!({
                    "accountEnabled": true, "userPrincipalName": name, "mail": name,
                    "displayName": format!("{given} {surname}"), "givenName": given, "surname": surname,
                    "mailNickname": given.to_lowercase(), "jobTitle": title, "department": department,
                    "employeeId": employee, "preferredLanguage": "en-US",
                    "passwordProfile": { "password": format!("Aa1!{}", SystemClock.guid()) },
                }),
            )
            .await?;
        people.push(((*name).to_owned(), text(&user, "id").to_owned()));
    }
    let reference = json!({
        "@odata.id": format!("https://graph.microsoft.com/v1.0/users/{}", id_of(&people, "megan@contoso.example")),
    });
    let adele = id_of(&people, "adele@contoso.example");
    client.put(&format!("/v1.0/users/{adele}/manager/$ref"), &reference).await?;
    Ok(people)
}

fn id_of<'a>(people: &'a [(String, String)], name: &str) -> &'a str {
    people.iter().find(|(known, _)| known == name).map(|(_, id)| id.as_str()).unwrap_or_default()
}

/// Makes the application and its job; gives the job's path and the service principal's id.
async fn connect(client: &Client, base_address: &str) -> Result<(String, String)> {
    let made = client
        .post(
            "/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate",
            &json!({ "displayName": "HR Portal" }),
        )
        .await?;
    let principal = text(&made["servicePrincipal"], "id").to_owned();
    let base = format!("/v1.0/servicePrincipals/{principal}/synchronization");
    let secrets = json!({ "value": [
        { "key": "BaseAddress", "value": base_address },
        { "key": "SecretToken", "value": "demo-token" },
    ] });
    client.put(&format!("{base}/secrets"), &secrets).await?;
    let job = client.post(&format!("{base}/jobs"), &json!({ "templateId": "scim" })).await?;
    Ok((format!("{base}/jobs/{}", segment(text(&job, "id"))), principal))
}

async fn assign(client: &Client, principal: &str, ids: &[&str]) -> Result<()> {
    for id in ids {
        let body = json!({
            "principalId": id, "resourceId": principal, "appRoleId": "00000000-0000-0000-0000-000000000000",
        });
        client.post(&format!("/v1.0/servicePrincipals/{principal}/appRoleAssignedTo"), &body).await?;
    }
    Ok(())
}
