//! The demo of HR-driven provisioning: a tenant of Workday that stands in for a real one, and workers who become users.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use owo_colors::OwoColorize;
use serde_json::{Value, json};
use usher_core::ports::Clock;
use usher_sandbox::workday::{Event, Fields, RunningWorkday, Workday, WorkdayOptions};

use super::{Service, heading, serve};
use crate::client::{Client, segment};
use crate::clock::SystemClock;
use crate::failure::{DONE, REFUSED};
use crate::lookup::text;
use crate::view;

const NEXT: &str = "What to try next:
  usher sandbox --workday                  a tenant of this kind to connect an application to
  usher workday attributes --help          try XPath expressions on an answer of your own tenant
  docs/guide/workday.md                    connect a real tenant";

/// Shows it.
pub async fn show(folder: &Path) -> Result<u8> {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = asked.clone();
    let options = WorkdayOptions {
        observer: Some(Arc::new(move |line: &str, status: u16, workers: usize| {
            let told = format!("{line} → {status}, {workers} workers");
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        })),
        ..WorkdayOptions::new("acme", "demo-password")
    };
    let running = Workday::start(options, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .context("cannot start the tenant")?;
    let now = SystemClock.now();
    fill(running.workday(), now);
    let Service { client, address, task } = serve(folder).await?;

    heading("A tenant of Workday (a stand-in), and a directory without users");
    anstream::println!("  the service  {address}");
    anstream::println!("  the tenant   {}", running.address("v43.0"));
    let path = connect(&client, &running).await?;
    let schema = client.get(&format!("{path}/schema")).await?;
    let rule = crate::lookup::rule(&schema, "Worker", None)?;
    let mut good = true;
    for (title, worker, expected) in [
        ("The head of Sales", "21001", "Success"),
        ("A seller: Workday says who the manager is", "21023", "Success"),
        ("Again: nothing to do", "21023", "Skipped"),
        ("Hired for next week: complete already, and switched off until the day", "21030", "Success"),
    ] {
        heading(&format!("{title}. Provision worker {worker}, now"));
        asked.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let subject = json!({ "objectId": worker, "objectTypeName": "Worker" });
        let body = json!({ "parameters": [{ "ruleId": rule, "subjects": [subject] }] });
        let answer = client.post(&format!("{path}/provisionOnDemand"), &body).await?;
        let document = |name: &str| serde_json::from_str(text(&answer, name)).unwrap_or(Value::Null);
        let (key, value): (Value, Value) = (document("key"), document("value"));
        view::print_answer(&key, &value);
        good &= text(&key, "result") == expected;
        anstream::println!("\n  {}", "what Workday was asked".bold());
        for line in asked.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            anstream::println!("  {line}");
        }
    }
    heading("The directory now has");
    let users =
        client.list("/v1.0/users?$select=userPrincipalName,accountEnabled,jobTitle,employeeId").await?;
    for user in &users {
        let state = if user["accountEnabled"] == Value::Bool(true) { "enabled" } else { "disabled" };
        anstream::println!(
            "  {} {} {state} {}",
            text(user, "employeeId"),
            text(user, "userPrincipalName"),
            text(user, "jobTitle")
        );
    }
    anstream::println!("\n{NEXT}");
    task.abort();
    Ok(if good && users.len() == 3 { DONE } else { REFUSED })
}

/// Enters the people of the demo.
pub fn fill(workday: &Workday, now: Timestamp) {
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    let next_week = today.saturating_add(SignedDuration::from_hours(7 * 24));
    workday.organisation("sales", "Sales", None, Some("21001"));
    let people: [(&str, Date, &str, &str, &str, &str); 3] = [
        ("21001", Date::constant(2019, 5, 6), "Zoë", "Brontë", "Head of Sales", "Seattle"),
        ("21023", Date::constant(2022, 9, 1), "Bo", "Sand", "Seller", "Austin"),
        ("21030", next_week, "Łukasz", "Ząbek", "Seller", "Dallas"),
    ];
    for (id, day, first, last, title, city) in people {
        let fields: Fields = [
            ("first_name", first),
            ("last_name", last),
            ("title", title),
            ("city", city),
            ("country", "US"),
            ("organisation", "sales"),
            ("company", "Acme"),
        ]
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
        workday.employee(id, now, day, Event::Hire(fields));
    }
}

async fn connect(client: &Client, running: &RunningWorkday) -> Result<String> {
    let made = client
        .post(
            "/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate",
            &json!({ "displayName": "HR" }),
        )
        .await?;
    let base =
        format!("/v1.0/servicePrincipals/{}/synchronization", segment(text(&made["servicePrincipal"], "id")));
    let job = client.post(&format!("{base}/jobs"), &json!({ "templateId": "Workday2AAD" })).await?;
    let secrets = json!({ "value": [
        { "key": "BaseAddress", "value": running.address("v43.0") },
        { "key": "UserName", "value": running.user() },
        { "key": "Password", "value": "demo-password" },
    ] });
    client.put(&format!("{base}/secrets"), &secrets).await?;
    Ok(format!("{base}/jobs/{}", segment(text(&job, "id"))))
}
