//! Answers that go wrong, and data that are wrong.

use expect_test::expect;
use usher_core::{Status, StepKind};
use usher_sandbox::workday::{Trouble, WorkdayOptions};

use crate::stage::{Stage, fields};

#[tokio::test]
async fn a_wrong_password_puts_the_job_into_quarantine() {
    let stage = Stage::new().await;
    stage.secrets(&stage.running.address("v43.0"), &stage.running.user(), "wrong").await;
    expect![[r#"
        cycle initial
        Failed Unauthorized: Workday at http://tenant/ccx/service/acme/Human_Resources/v43.0 does not let the integration user in; correct user name and password, and look whether the account is locked or expired, quarantine EncounteredQuarantineException
    "#]].assert_eq(&stage.run().await);
}

#[tokio::test]
async fn a_wrong_tenant_is_for_people_to_mend() {
    let stage = Stage::new().await;
    let address = stage.running.address("v43.0").replace("acme", "nobody");
    stage.secrets(&address, &stage.running.user(), "secret").await;
    expect![[r#"
        cycle initial
        Failed Unauthorized: Workday at http://tenant/ccx/service/nobody/Human_Resources/v43.0 answered with status 404 and a page in place of SOAP; correct host and tenant of the address, or let this machine's address in, quarantine EncounteredQuarantineException
    "#]].assert_eq(&stage.run().await);
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    let stage = Stage::new().await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    for trouble in [Trouble::Throttle(5), Trouble::Page(503), Trouble::Page(200)] {
        stage.workday().trouble(trouble);
    }
    expect![[r#"
        cycle initial
          3 create success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    let waited: Vec<u64> = stage.clock.waited().iter().map(std::time::Duration::as_secs).collect();
    assert_eq!(waited, [5, 8, 30]);
}

#[tokio::test]
async fn a_tenant_under_maintenance_ends_the_run_and_the_next_one_goes_on() {
    let stage = Stage::new().await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    for _ in 0..4 {
        stage.workday().trouble(Trouble::Page(503));
    }
    expect![[r#"
        cycle initial
        Failed InternalServerError: Workday at http://tenant/ccx/service/acme/Human_Resources/v43.0 answered with status 503
    "#]].assert_eq(&stage.run().await);
    expect![[r#"
        cycle initial
          3 create success
        Succeeded
    "#]]
    .assert_eq(&stage.next_day().await);
}

#[tokio::test]
async fn an_answer_that_is_cut_off_ends_the_run() {
    let stage = Stage::new().await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    stage.workday().trouble(Trouble::CutOff);
    let told = stage.run().await;
    assert!(told.contains("gave an answer that cannot be read"), "{told}");
    assert!(stage.accounts().await.is_empty());
}

#[tokio::test]
async fn missing_rights_are_told_apart_from_a_failing_server() {
    let stage = Stage::new().await;
    let fault = |code: &str, text: &str| Trouble::Fault(code.to_owned(), text.to_owned());
    let denied = "Processing error occurred. The task submitted is not authorized.";
    stage.workday().trouble(fault("Server.processingFault", denied));
    expect![[r#"
        cycle initial
        Failed InsufficientRights: Workday at http://tenant/ccx/service/acme/Human_Resources/v43.0 refuses the task; give the integration user's security group Get on the worker data domains, and activate the pending changes, quarantine EncounteredQuarantineException
    "#]].assert_eq(&stage.run().await);
    let stage = Stage::new().await;
    stage.workday().trouble(fault("Client.validationError", "Validation error occurred. Element 'X' found"));
    expect![[r#"
        cycle initial
        Failed Request_BadRequest: Workday at http://tenant/ccx/service/acme/Human_Resources/v43.0 does not take the request in this version
    "#]].assert_eq(&stage.run().await);
}

#[tokio::test]
async fn what_the_user_may_not_see_is_absent_and_nobody_is_closed_for_it() {
    let options = WorkdayOptions {
        hidden: vec!["Employment_Data".to_owned(), "Organization_Data".to_owned()],
        ..WorkdayOptions::new("acme", "secret")
    };
    let stage = Stage::with(options, "Workday2AAD", "v43.0").await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("title", "Seller")]);
    expect![[r#"
        cycle initial
          3 create success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    expect![[r#"
        Bo.Sand enabled 3
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn expressions_of_another_version_leave_gaps_without_an_error() {
    let stage = Stage::with(WorkdayOptions::new("acme", "secret"), "Workday2AADv21", "v43.0").await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("title", "Seller"), ("city", "Austin")]);
    stage.run().await;
    expect![[r#"
        Bo.Sand enabled 3 Sales
    "#]]
    .assert_eq(&stage.accounts().await);
}

#[tokio::test]
async fn expressions_of_another_version_are_warned_about_where_somebody_looks() {
    let stage = Stage::with(WorkdayOptions::new("acme", "secret"), "Workday2AADv21", "v43.0").await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("title", "Seller")]);
    let trap = "the address names v43.0, but ";
    let warnings = stage
        .engine
        .validate_credentials(&stage.application, Some(&stage.job), None, None)
        .await
        .expect("the connection works");
    assert!(matches!(warnings.as_slice(), [one] if one.starts_with(trap)), "{warnings:?}");
    let event = stage.event("3").await;
    let first = &event.steps[0].step;
    assert_eq!((first.kind, first.status), (StepKind::Import, Status::Warning));
    assert!(first.description.starts_with(trap), "{}", first.description);
    assert_eq!(event.status, Status::Success);
    // Where version and expressions fit, nobody is warned.
    let stage = Stage::new().await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    assert!(stage.event("3").await.steps.iter().all(|one| one.step.status != Status::Warning));
}

#[tokio::test]
async fn a_worker_id_that_two_people_have_makes_one_account() {
    let stage = Stage::new().await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    let twin = fields(&[("first_name", "Cy"), ("last_name", "Rock")]);
    stage.workday().duplicate("3", stage.now(), "2022-01-01".parse().unwrap(), twin);
    let told = stage.run().await;
    assert!(told.contains("DuplicateSourceEntries"), "{told}");
    assert_eq!(stage.accounts().await.lines().count(), 1);
}

#[tokio::test]
async fn pages_do_not_shift_under_a_cycle() {
    let stage = Stage::new().await;
    for number in 0..75 {
        stage.hire(&format!("{number:03}"), "2022-01-01", "Bo", &format!("Sand{number:03}"), &[]);
    }
    stage.run().await;
    let pages: Vec<String> =
        stage.workday().requests().into_iter().filter(|line| line.contains("Hire Employee")).collect();
    assert_eq!(pages.len(), 3);
    let same: std::collections::BTreeSet<&str> =
        pages.iter().filter_map(|line| line.split(" page ").next()).collect();
    assert_eq!(same.len(), 1, "every page is as of the same instant");
    assert_eq!(stage.accounts().await.lines().count(), 75);
}

#[tokio::test]
async fn pages_that_shift_all_the_same_make_nobody_twice_and_lose_nobody_for_good() {
    let stage = Stage::new().await;
    for number in 0..40 {
        stage.hire(&format!("{number:03}"), "2022-01-01", "Bo", &format!("Sand{number:03}"), &[]);
    }
    // The second page repeats three workers of the first, and the last three fall off its end.
    for trouble in [Trouble::Shift(0), Trouble::Shift(3)] {
        stage.workday().trouble(trouble);
    }
    stage.set("WorkersPerPage", "20").await;
    let told = stage.run().await;
    assert!(told.ends_with("Succeeded\n"), "{told}");
    assert_eq!(told.matches("create success").count(), 37, "{told}");
    let accounts = stage.accounts().await;
    let mut names: Vec<&str> = accounts.lines().filter_map(|line| line.split(' ').next()).collect();
    names.dedup();
    assert_eq!(names.len(), 37, "{accounts}");
    // Reading everything once more finds the rest.
    stage.restart().await;
    let told = stage.run().await;
    assert_eq!(told.matches("create success").count(), 3, "{told}");
    assert_eq!(stage.accounts().await.lines().count(), 40);
}

#[tokio::test]
async fn a_fault_that_carries_a_page_is_told_as_text() {
    let stage = Stage::new().await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[]);
    let page =
        "<html><head><title>Oops</title></head><body><h1>Service Error</h1><p>Try later.</p></body></html>";
    for _ in 0..4 {
        stage.workday().trouble(Trouble::Fault("Server.processingFault".to_owned(), page.to_owned()));
    }
    let told = stage.run().await;
    assert!(told.contains("failed to carry out the request"), "{told}");
    let event = stage.event("3").await;
    assert_eq!(event.status, Status::Success, "what passes is over");
    for _ in 0..4 {
        stage.workday().trouble(Trouble::Fault("Server.processingFault".to_owned(), page.to_owned()));
    }
    let event = stage.event("3").await;
    let failure = event.failure.expect("it failed");
    let detail = failure.additional_details.unwrap_or_default();
    assert!(detail.contains("Service Error"), "{detail}");
    assert!(!detail.contains('<'), "{detail}");
    // A page under a status of failure is no SOAP fault, and means the same.
    for _ in 0..4 {
        stage.workday().trouble(Trouble::Page(500));
    }
    let event = stage.event("3").await;
    let failure = event.failure.expect("it failed");
    assert_eq!(failure.code.as_str(), "InternalServerError");
    assert!(!failure.additional_details.unwrap_or_default().contains('<'));
}

#[tokio::test]
async fn other_prefixes_mean_the_same() {
    let options = WorkdayOptions { prefix: "bsvc".to_owned(), ..WorkdayOptions::new("acme", "secret") };
    let stage = Stage::with(options, "Workday2AAD", "v43.0").await;
    stage.hire("3", "2022-01-01", "Bo", "Sand", &[("title", "Seller")]);
    stage.run().await;
    expect![[r#"
        Bo.Sand enabled 3 Seller Sales
    "#]]
    .assert_eq(&stage.accounts().await);
}
