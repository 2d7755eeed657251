//! Stories of people, from hire to leaving.

use expect_test::expect;
use usher_sandbox::workday::{Event, Workday};

use crate::stage::{Stage, fields};

/// The boss, and Zoe who leads Sales.
async fn with_managers() -> Stage {
    let stage = Stage::new().await;
    stage.hire("1", "2020-01-01", "Ada", "Boss", &[("organisation", "exec"), ("title", "Chief")]);
    stage.hire(
        "2",
        "2021-01-01",
        "Zoe",
        "Lead",
        &[("title", "Head of Sales"), ("email", "zoe@acme.example")],
    );
    stage
}

#[tokio::test]
async fn workers_come_with_their_managers() {
    let stage = with_managers().await;
    stage.hire(
        "3",
        "2022-01-01",
        "Bo",
        "Sand",
        &[("title", "Seller"), ("city", "Austin"), ("country", "US")],
    );
    expect![[r#"
        cycle initial
          1 create success
          2 create success
          3 create warning
          3 update success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand enabled 3 Seller Sales Austin under Zoe.Lead
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
    expect![[r#"
        cycle incremental
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
}

#[tokio::test]
async fn hire_tomorrow_makes_a_complete_account_that_opens_on_the_day() {
    let stage = with_managers().await;
    stage.run().await;
    stage.hire("3", "2026-03-05", "Bo", "Sand", &[("title", "Seller")]);
    expect![[r#"
        cycle incremental
          3 create success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand disabled 3 Seller Sales under Zoe.Lead
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
    expect![[r#"
        cycle incremental
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    stage.next_day().await;
    expect![[r#"
        cycle incremental
          3 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand enabled 3 Seller Sales under Zoe.Lead
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn hire_today_opens_the_account_at_once() {
    let stage = with_managers().await;
    stage.run().await;
    stage.hire("3", "2026-03-02", "Bo", "Sand", &[]);
    expect![[r#"
        cycle incremental
          3 create success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand enabled 3 Sales under Zoe.Lead
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn a_hire_that_is_cancelled_closes_the_account() {
    let stage = with_managers().await;
    stage.hire("3", "2026-03-02", "Bo", "Sand", &[]);
    stage.run().await;
    assert!(stage.accounts().await.contains("Bo.Sand enabled"));
    stage.workday().rescind("3", false, stage.now(), "2026-03-02".parse().unwrap());
    expect![[r#"
        cycle incremental
          3 disable success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand disabled 3 Sales under Zoe.Lead
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn a_rename_changes_names_but_not_the_account_name() {
    let stage = with_managers().await;
    stage.run().await;
    stage.happens("2", "2026-03-03", Event::Change(fields(&[("last_name", "Lead-Jones")])));
    expect![[r#"
        cycle incremental
          2 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn a_transfer_changes_department_and_manager_on_its_day() {
    let stage = with_managers().await;
    stage.workday().organisation("eng", "Engineering", Some("exec"), Some("4"));
    stage.hire("4", "2021-01-01", "Eve", "Chip", &[("organisation", "eng")]);
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    stage.run().await;
    let transfer = fields(&[("organisation", "eng"), ("city", "Dallas")]);
    stage.happens("3", "2026-03-04", Event::Change(transfer));
    expect![[r#"
        cycle incremental
          3 other skipped  RedundantExport
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        cycle incremental
          3 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand enabled 3 Engineering Dallas under Eve.Chip
        Eve.Chip enabled 4 Engineering
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn a_new_manager_comes_with_the_worker_s_next_transaction() {
    let stage = with_managers().await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    stage.run().await;
    stage.workday().organisation("sales", "Sales", Some("exec"), Some("1"));
    expect![[r#"
        cycle incremental
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    stage.happens("3", "2026-03-04", Event::Change(fields(&[])));
    expect![[r#"
        cycle incremental
          3 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand enabled 3 Sales under Ada.Boss
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn a_contingent_worker_who_becomes_an_employee_keeps_the_account() {
    let stage = with_managers().await;
    let day = |text: &str| text.parse().unwrap();
    let contract = fields(&[("first_name", "Bo"), ("last_name", "Sand"), ("organisation", "sales")]);
    stage.workday().contingent_worker("3", stage.now(), day("2025-01-01"), Event::Hire(contract));
    stage.run().await;
    stage.workday().contingent_worker("3", stage.now(), day("2026-03-03"), Event::Terminate);
    stage.hire("3", "2026-03-03", "Bo", "Sand", &[("title", "Seller")]);
    expect![[r#"
        cycle incremental
          3 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand enabled 3 Seller Sales under Zoe.Lead
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
    let pairs = stage.store.pairings();
    let anchors: Vec<&str> = pairs.iter().map(|pair| pair.source_anchor.as_str()).collect();
    assert!(anchors.contains(&Workday::wid("3", false).as_str()), "the account goes over to the employee");
    assert!(!anchors.contains(&Workday::wid("3", true).as_str()), "and belongs to the contract no longer");
    expect![[r#"
        cycle incremental
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
}

#[tokio::test]
async fn a_termination_closes_the_account_after_the_last_day() {
    let stage = with_managers().await;
    stage.run().await;
    stage.happens("2", "2026-03-04", Event::Terminate);
    expect![[r#"
        cycle incremental
          2 other skipped  RedundantExport
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        cycle incremental
          2 disable success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Zoe.Lead disabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn a_termination_that_is_taken_back_opens_the_account_again() {
    let stage = with_managers().await;
    stage.run().await;
    stage.happens("2", "2026-03-03", Event::Terminate);
    expect![[r#"
        cycle incremental
          2 disable success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    stage.workday().rescind("2", false, stage.now(), "2026-03-03".parse().unwrap());
    expect![[r#"
        cycle incremental
          2 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn who_comes_back_gets_the_old_account() {
    let stage = with_managers().await;
    stage.run().await;
    stage.happens("2", "2026-03-03", Event::Terminate);
    stage.next_day().await;
    stage.happens("2", "2026-03-04", Event::Rehire(fields(&[("title", "Adviser")])));
    expect![[r#"
        cycle incremental
          2 update success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Zoe.Lead enabled 2 Adviser Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn of_two_positions_the_primary_one_counts() {
    let stage = with_managers().await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("title", "Seller"), ("second_title", "Fire Warden")]);
    stage.run().await;
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand enabled 3 Seller Sales under Zoe.Lead
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn names_with_diacritics_become_account_names_that_nobody_else_has() {
    let stage = with_managers().await;
    for (id, first, last) in [
        ("5", "Łukasz", "Ząbek"),
        ("6", "Łukasz", "Ząbek"),
        ("7", "Jörg", "Müller Lüdenscheid"),
        ("8", "Łukasz", "Zabek"),
    ] {
        stage.hire(id, "2022-01-01", first, last, &[]);
        stage.run().await;
    }
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Jorg.MullerLudenscheid enabled 7 Sales under Zoe.Lead
        L.Zabek enabled 6 Sales under Zoe.Lead
        Lu.Zabek enabled 8 Sales under Zoe.Lead
        Lukasz.Zabek enabled 5 Sales under Zoe.Lead
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn a_worker_without_a_work_address_has_an_account_without_one() {
    let stage = with_managers().await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("private_email", "bo@home.example")]);
    stage.run().await;
    expect![[r#"
        Ada.Boss enabled 1 Chief Executive Office
        Bo.Sand enabled 3 Sales under Zoe.Lead
        Zoe.Lead enabled 2 Head of Sales Sales zoe@acme.example
    "#]]
    .assert_eq(&stage.accounts().await);
}
