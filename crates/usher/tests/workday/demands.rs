//! On demand: one worker by worker id or WID.

use expect_test::expect;
use usher_sandbox::workday::{Event, Workday, WorkdayOptions};

use crate::stage::{Stage, fields};

#[tokio::test]
async fn one_worker_by_worker_id_and_by_wid() {
    let stage = Stage::new().await;
    stage.hire("21023", "2022-01-01", "Bo", "Sand", &[]);
    expect![[r#"
          21023 create success
    "#]]
    .assert_eq(&stage.provision("21023").await);
    expect![[r#"
          21023 other skipped  RedundantExport
    "#]]
    .assert_eq(&stage.provision(&Workday::wid("21023", false)).await);
    expect![[r#"
          99999 other failure  EntryNotFound
    "#]]
    .assert_eq(&stage.provision("99999").await);
}

#[tokio::test]
async fn of_two_profiles_with_one_id_the_active_one_is_meant() {
    let stage = Stage::new().await;
    let day = |text: &str| text.parse().unwrap();
    stage.hire("3", "2022-01-01", "Bo", "Old", &[]);
    stage.happens("3", "2024-01-01", Event::Terminate);
    let contract = fields(&[("first_name", "Bo"), ("last_name", "New")]);
    stage.workday().contingent_worker("3", stage.now(), day("2025-01-01"), Event::Hire(contract));
    expect![[r#"
          3 create success
    "#]]
    .assert_eq(&stage.provision("3").await);
    expect![[r#"
        Bo.New enabled 3
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn a_future_hire_is_provisioned_as_of_the_hire_date() {
    let stage = Stage::new().await;
    stage.hire("3", "2026-04-01", "Bo", "Sand", &[("title", "Seller")]);
    expect![[r#"
          3 create success
    "#]]
    .assert_eq(&stage.provision("3").await);
    expect![[r#"
        Bo.Sand disabled 3 Seller Sales
    "#]]
    .assert_eq(&stage.accounts().await);
    let asked = stage.workday().requests().join("\n").replace(&Workday::wid("3", false), "(wid)");
    // The first is the test of the connection, when the job was started.
    expect![[r#"
        Get_Workers updated 2026-03-02T20:00:00Z to 2026-03-02T20:00:00Z as of 2026-03-02T20:00:00Z page 1
        Get_Workers Employee_ID 3 as of 2026-03-02T20:00:00Z page 1
        Get_Workers WID (wid) as of 2026-04-01T08:00:00Z page 1"#]]
    .assert_eq(&asked);
}

#[tokio::test]
async fn the_oldest_version_has_expressions_of_its_own() {
    let stage = Stage::with(WorkdayOptions::new("acme", "secret"), "Workday2AADv21", "").await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("title", "Seller"), ("city", "Austin")]);
    expect![[r#"
        cycle initial
          3 create success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    expect![[r#"
        Bo.Sand enabled 3 Seller Sales Austin
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn with_the_look_ahead_a_leaver_is_seen_a_day_earlier() {
    let stage = Stage::new().await;
    let settings = vec![("LookaheadQueryEnabled".to_owned(), "True".to_owned())];
    let mut job = stage.engine.job(&stage.application, &stage.job).await.expect("it is there");
    job.settings = settings;
    usher_core::ports::Store::put_job(&*stage.store, &job).await.expect("it is stored");
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    stage.run().await;
    stage.happens("3", "2026-03-04", Event::Terminate);
    expect![[r#"
        cycle incremental
          3 disable success
          3 other skipped  RedundantExport
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
    expect![[r#"
        Bo.Sand disabled 3 Sales
    "#]]
    .assert_eq(&stage.accounts().await);
}
