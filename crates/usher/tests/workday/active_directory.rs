//! The same stories on an Active Directory domain: accounts in containers that follow the town.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use expect_test::expect;
use usher_connectors::HttpOptions;
use usher_sandbox::workday::{Event, WorkdayOptions};
use usher_testkit::servers::Samba;

use crate::stage::{Stage, fields};

const CONTAINERS: &str = "dn: OU=Default Users,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n\
    dn: OU=Users,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n\
    dn: OU=Dallas,OU=Users,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n\
    dn: OU=Austin,OU=Users,DC=corp,DC=example\nobjectClass: organizationalUnit\n";
/// The bit of `userAccountControl` that switches an account off.
const OFF: u32 = 2;

/// A company whose accounts are in a domain.
struct Corp {
    stage: Stage,
    samba: Samba,
}

impl Corp {
    /// The boss, and Zoe who leads Sales in Dallas.
    async fn start() -> Self {
        let samba = Samba::start().await.expect("the domain controller starts");
        samba.change(CONTAINERS).expect("the containers are taken");
        let http =
            HttpOptions { extra_ca_pem: Some(samba.authority.as_bytes().to_vec()), ..HttpOptions::default() };
        let stage = Stage::unstarted(WorkdayOptions::new("acme", "secret"), "Workday2AD", http).await;
        stage
            .store_secrets(&[
                ("Source.BaseAddress", &stage.running.address("v43.0")),
                ("Source.UserName", &stage.running.user()),
                ("Source.Password", "secret"),
                ("Target.BaseAddress", &samba.ldaps()),
                ("Target.UserName", Samba::ADMINISTRATOR),
                ("Target.Password", samba.password()),
            ])
            .await;
        let schema = stage.engine.schema(&stage.application, &stage.job).await.expect("it has a schema");
        let document = schema.to_json().to_string();
        let document =
            document.replace("DC=contoso,DC=com", Samba::DOMAIN).replace("contoso.com", "corp.example");
        let replaced = stage.engine.replace_schema(&stage.application, &stage.job, document.as_bytes()).await;
        replaced.expect("it is a schema");
        stage.start().await;
        stage.hire("1", "2020-01-01", "Ada", "Boss", &[("organisation", "exec"), ("title", "Chief")]);
        let lead = [("title", "Head of Sales"), ("city", "Dallas"), ("country", "US")];
        stage.hire("2", "2021-01-01", "Zoe", "Lead", &lead);
        Self { stage, samba }
    }

    /// One attribute more, mapped directly.
    async fn map(&self, target: &str, source: &str) {
        let stage = &self.stage;
        let schema = stage.engine.schema(&stage.application, &stage.job).await.expect("it has a schema");
        let mut document = schema.to_json();
        let mappings = &mut document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"];
        let mut mapping = mappings[2].clone();
        mapping["flowType"] = "Always".into();
        mapping["targetAttributeName"] = target.into();
        mapping["source"] = serde_json::json!({
            "expression": format!("[{source}]"), "name": source, "type": "Attribute", "parameters": [],
        });
        mappings.as_array_mut().expect("it is a list").push(mapping);
        let document = document.to_string();
        let replaced = stage.engine.replace_schema(&stage.application, &stage.job, document.as_bytes()).await;
        replaced.expect("it is a schema");
    }

    /// What the server holds, read with its own tool: place, names, whether enabled, what they do, whom they report to.
    fn accounts(&self) -> String {
        const SHOWN: &[&str] = &["sAMAccountName", "userPrincipalName", "title", "department", "l", "c"];
        let wanted = [SHOWN, &["userAccountControl", "employeeID", "manager"]].concat();
        let found = self.samba.search("(employeeID=*)", &wanted).expect("the search is answered");
        let mut accounts: Vec<(String, String)> = Vec::new();
        for block in found.split("\n\n").filter(|block| block.starts_with("dn:")) {
            let entry: BTreeMap<&str, String> = block.lines().filter_map(attribute).collect();
            let text = |name: &str| entry.get(name).map(String::as_str).unwrap_or_default();
            let state: u32 = text("userAccountControl").parse().expect("it is a number");
            let switch = if state & OFF == 0 { "enabled" } else { "disabled" };
            let mut told = format!("{} {switch}", place(text("dn")));
            SHOWN.iter().filter(|name| entry.contains_key(**name)).for_each(|name| {
                let _ = write!(told, " | {}", text(name));
            });
            if let Some(manager) = entry.get("manager") {
                let _ = write!(told, " under {}", place(manager));
            }
            accounts.push((text("employeeID").to_owned(), told));
        }
        accounts.sort();
        accounts.iter().map(|(id, told)| format!("{id} {told}\n")).collect()
    }
}

/// A line of LDIF.
fn attribute(line: &str) -> Option<(&str, String)> {
    let (name, value) = line.split_once(':')?;
    let value = match value.strip_prefix(": ") {
        Some(coded) => String::from_utf8(BASE64_STANDARD.decode(coded).ok()?).ok()?,
        None => value.trim_start().to_owned(),
    };
    Some((name, value))
}

/// A name without what all names share.
fn place(name: &str) -> &str {
    name.strip_suffix(",DC=corp,DC=example").unwrap_or(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_gets_an_account_in_the_container_of_the_town() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    expect![[r#"
        cycle initial
          1 create success
          2 create success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    stage.hire("3", "2026-03-02", "Bo", "Sand", &[("title", "Seller"), ("city", "Austin")]);
    stage.hire("4", "2026-03-04", "Eve", "Chip", &[("city", "Dallas")]);
    expect![[r#"
        cycle incremental
          3 create success
          4 create success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        3 CN=Bo Sand,OU=Austin,OU=Users enabled | Bo.Sand | Bo.Sand@corp.example | Seller | Sales | Austin under CN=Zoe Lead,OU=Dallas,OU=Users
        4 CN=Eve Chip,OU=Dallas,OU=Users disabled | Eve.Chip | Eve.Chip@corp.example | Sales | Dallas under CN=Zoe Lead,OU=Dallas,OU=Users
    "#]].assert_eq(&corp.accounts());
    stage.next_day().await;
    expect![[r#"
        cycle incremental
          4 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        3 CN=Bo Sand,OU=Austin,OU=Users enabled | Bo.Sand | Bo.Sand@corp.example | Seller | Sales | Austin under CN=Zoe Lead,OU=Dallas,OU=Users
        4 CN=Eve Chip,OU=Dallas,OU=Users enabled | Eve.Chip | Eve.Chip@corp.example | Sales | Dallas under CN=Zoe Lead,OU=Dallas,OU=Users
    "#]].assert_eq(&corp.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_hire_closes_the_account_in_the_domain() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    stage.hire("3", "2026-03-02", "Bo", "Sand", &[("title", "Seller"), ("city", "Austin")]);
    stage.run().await;
    stage.workday().rescind("3", false, stage.now(), "2026-03-02".parse().unwrap());
    expect![[r#"
        cycle incremental
          3 disable success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        3 CN=Bo Sand,OU=Default Users disabled | Bo.Sand | Bo.Sand@corp.example | Seller | Sales | Austin under CN=Zoe Lead,OU=Dallas,OU=Users
    "#]].assert_eq(&corp.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_moves_the_account_and_a_rename_keeps_its_names() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    stage.workday().organisation("eng", "Engineering", Some("exec"), Some("1"));
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("title", "Seller"), ("city", "Austin")]);
    stage.run().await;
    let transfer = fields(&[("organisation", "eng"), ("city", "Dallas"), ("title", "")]);
    stage.happens("3", "2026-03-03", Event::Change(transfer));
    stage.happens("2", "2026-03-03", Event::Change(fields(&[("last_name", "Lead-Jones")])));
    expect![[r#"
        cycle incremental
          2 update success
          3 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        3 CN=Bo Sand,OU=Dallas,OU=Users enabled | Bo.Sand | Bo.Sand@corp.example | Seller | Engineering | Dallas under CN=Ada Boss,OU=Default Users
    "#]].assert_eq(&corp.accounts());
    let renamed = corp.samba.search("(employeeID=2)", &["sn", "displayName"]).expect("it is answered");
    let renamed = renamed.split("\n\n").next().unwrap_or_default();
    expect![[r#"
        dn: CN=Zoe Lead,OU=Dallas,OU=Users,DC=corp,DC=example
        sn: Lead-Jones
        displayName: Zoe Lead-Jones"#]]
    .assert_eq(renamed);
    expect![[r#"
        cycle incremental
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_manager_is_written_into_the_domain() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    stage.run().await;
    stage.workday().organisation("sales", "Sales", Some("exec"), Some("1"));
    stage.happens("3", "2026-03-03", Event::Change(fields(&[])));
    expect![[r#"
        cycle incremental
          3 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        3 CN=Bo Sand,OU=Default Users enabled | Bo.Sand | Bo.Sand@corp.example | Sales under CN=Ada Boss,OU=Default Users
    "#]].assert_eq(&corp.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_today_is_switched_off_and_gets_the_account_back() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    stage.run().await;
    stage.happens("2", "2026-03-03", Event::Terminate);
    expect![[r#"
        cycle incremental
          2 disable success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users disabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
    "#]].assert_eq(&corp.accounts());
    let back = fields(&[("title", "Adviser"), ("city", "Austin")]);
    stage.happens("2", "2026-03-04", Event::Rehire(back));
    expect![[r#"
        cycle incremental
          2 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Austin,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Adviser | Sales | Austin | US
    "#]].assert_eq(&corp.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_with_diacritics_become_account_names_that_nobody_in_the_domain_has() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    let taken = "dn: CN=somebody,CN=Users,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: Jorg.Muller\n\
        userPrincipalName: jorg.muller@corp.example\n";
    corp.samba.change(taken).expect("the account is taken");
    for (id, first, last, city) in [
        ("5", "Łukasz", "Ząbek", "Austin"),
        ("6", "Łukasz", "Ząbek", "Dallas"),
        ("7", "Jörg", "Müller", "Austin"),
        ("8", "Łukasz", "Zabek", "Austin"),
    ] {
        stage.hire(id, "2022-01-01", first, last, &[("city", city)]);
        stage.run().await;
    }
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        5 CN=Łukasz Ząbek,OU=Austin,OU=Users enabled | Lukasz.Zabek | Lukasz.Zabek@corp.example | Sales | Austin under CN=Zoe Lead,OU=Dallas,OU=Users
        6 CN=Łukasz Ząbek,OU=Dallas,OU=Users enabled | w6 | L.Zabek@corp.example | Sales | Dallas under CN=Zoe Lead,OU=Dallas,OU=Users
        7 CN=Jörg Müller,OU=Austin,OU=Users enabled | w7 | J.Muller@corp.example | Sales | Austin under CN=Zoe Lead,OU=Dallas,OU=Users
        8 CN=Łukasz Zabek,OU=Austin,OU=Users enabled | w8 | Lu.Zabek@corp.example | Sales | Austin under CN=Zoe Lead,OU=Dallas,OU=Users
    "#]].assert_eq(&corp.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_worker_goes_into_the_domain_on_demand() {
    let corp = Corp::start().await;
    let (engine, application) = (&corp.stage.engine, &corp.stage.application);
    let tested = engine.validate_credentials(application, Some(&corp.stage.job), None, None).await;
    assert_eq!(tested.expect("both connections work"), Vec::<String>::new());
    expect![[r#"
        2 create success
    "#]]
    .assert_eq(&corp.stage.provision("2").await);
    expect![[r#"
        2 other skipped  RedundantExport
    "#]]
    .assert_eq(&corp.stage.provision("2").await);
    expect![[r#"
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
    "#]].assert_eq(&corp.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_people_of_one_name_in_one_container_the_second_fails() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("city", "Austin")]);
    stage.run().await;
    stage.hire("4", "2022-01-01", "Bo", "Sand", &[("city", "Austin")]);
    expect![[r#"
        cycle incremental
          4 create failure  Conflict
        EntryLevelErrors
    "#]]
    .assert_eq(&stage.run().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        3 CN=Bo Sand,OU=Austin,OU=Users enabled | Bo.Sand | Bo.Sand@corp.example | Sales | Austin under CN=Zoe Lead,OU=Dallas,OU=Users
    "#]].assert_eq(&corp.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contingent_worker_who_becomes_an_employee_keeps_the_account_in_the_domain() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    let day = |text: &str| text.parse().expect("a day");
    let contract = fields(&[("first_name", "Bo"), ("last_name", "Sand"), ("city", "Austin")]);
    stage.workday().contingent_worker("3", stage.now(), day("2025-01-01"), Event::Hire(contract));
    stage.run().await;
    let id = |corp: &Corp| corp.samba.search("(employeeID=3)", &["objectGUID"]).expect("it is answered");
    let before = id(&corp);
    stage.workday().contingent_worker("3", stage.now(), day("2026-03-03"), Event::Terminate);
    stage.hire("3", "2026-03-03", "Bo", "Sand", &[("title", "Seller"), ("city", "Dallas")]);
    expect![[r#"
        cycle incremental
          3 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        3 CN=Bo Sand,OU=Dallas,OU=Users enabled | Bo.Sand | Bo.Sand@corp.example | Seller | Sales | Dallas under CN=Zoe Lead,OU=Dallas,OU=Users
    "#]].assert_eq(&corp.accounts());
    let guid = |found: &str| found.lines().find(|line| line.starts_with("objectGUID")).map(str::to_owned);
    assert!(guid(&before).is_some());
    assert_eq!(guid(&id(&corp)), guid(&before), "it is the same account");
    expect![[r#"
        cycle incremental
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_termination_that_is_taken_back_opens_the_account_in_the_domain() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    stage.run().await;
    stage.happens("2", "2026-03-03", Event::Terminate);
    expect![[r#"
        cycle incremental
          2 disable success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    stage.workday().rescind("2", false, stage.now(), "2026-03-03".parse().expect("a day"));
    expect![[r#"
        cycle incremental
          2 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
    "#]].assert_eq(&corp.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_positions_the_primary_one_counts_in_the_domain() {
    let corp = Corp::start().await;
    let stage = &corp.stage;
    let more = [("title", "Seller"), ("second_title", "Fire Warden"), ("city", "Austin")];
    stage.hire("3", "2022-01-01", "Bo", "Sand", &more);
    stage.run().await;
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        3 CN=Bo Sand,OU=Austin,OU=Users enabled | Bo.Sand | Bo.Sand@corp.example | Seller | Sales | Austin under CN=Zoe Lead,OU=Dallas,OU=Users
    "#]].assert_eq(&corp.accounts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_a_work_address_has_an_account_without_one_in_the_domain() {
    let corp = Corp::start().await;
    corp.map("mail", "EmailAddress").await;
    let stage = &corp.stage;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("private_email", "bo@home.example")]);
    stage.hire("4", "2022-01-01", "Eve", "Chip", &[("email", "eve@acme.example")]);
    stage.run().await;
    let mail = |id: &str| {
        let found = corp.samba.search(&format!("(employeeID={id})"), &["mail"]).expect("it is answered");
        found.lines().find_map(|line| line.strip_prefix("mail: ")).map(str::to_owned)
    };
    assert_eq!((mail("3"), mail("4").as_deref()), (None, Some("eve@acme.example")));
    expect![[r#"
        1 CN=Ada Boss,OU=Default Users enabled | Ada.Boss | Ada.Boss@corp.example | Chief | Executive Office
        2 CN=Zoe Lead,OU=Dallas,OU=Users enabled | Zoe.Lead | Zoe.Lead@corp.example | Head of Sales | Sales | Dallas | US
        3 CN=Bo Sand,OU=Default Users enabled | Bo.Sand | Bo.Sand@corp.example | Sales under CN=Zoe Lead,OU=Dallas,OU=Users
        4 CN=Eve Chip,OU=Default Users enabled | Eve.Chip | Eve.Chip@corp.example | Sales under CN=Zoe Lead,OU=Dallas,OU=Users
    "#]].assert_eq(&corp.accounts());
}
