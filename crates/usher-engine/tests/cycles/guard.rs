//! The guard against accidental deletion, story by story.

use expect_test::expect;
use usher_expr::Value;

use crate::stage::{ACCOUNT, Stage};

#[tokio::test]
async fn the_guard_holds_back_everything_or_nothing() {
    let stage = Stage::new().await;
    stage
        .secrets(&[(
            "SyncNotificationSettings",
            r#"{"DeleteThresholdEnabled":true,"DeleteThresholdValue":2}"#,
        )])
        .await;
    stage.people(&["ann", "bob", "cid", "dan"]);
    stage.run().await;
    for name in ["ann", "bob"] {
        stage.source.entitle(name, false, false);
    }
    stage.source.remove("cid");
    stage.person("dan", &[("jobTitle", Value::from("Lead"))]);
    expect![[r#"
        cycle incremental
          dan    update       success
          ann    stagedDelete skipped  StagedDelete
          bob    stagedDelete skipped  StagedDelete
          cid    stagedDelete skipped  StagedDelete
        Succeeded, quarantine TooManyDeletes
    "#]]
    .assert_eq(&stage.next().await);
    assert!(!stage.accounts().contains("disabled"));

    // What was corrected needs no action; the rest stays staged and is not logged again.
    stage.source.entitle("ann", true, true);
    stage.people(&["cid"]);
    stage.source.entitle("dan", false, false);
    stage.source.remove("dan");
    stage.source.entitle("cid", false, false);
    expect![[r#"
        cycle incremental
          ann    other        skipped  RedundantExport
          cid    stagedDelete skipped  StagedDelete
          dan    stagedDelete skipped  StagedDelete
        Succeeded, quarantine TooManyDeletes
    "#]]
    .assert_eq(&stage.next().await);
    stage.restart("ForceDeletes").await;
    expect![[r#"
        cycle incremental
          bob    disable      success
          cid    disable      success
          dan    delete       success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
    stage.source.entitle("ann", false, false);
    expect![[r#"
        cycle incremental
          ann    disable      success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
}

#[tokio::test]
async fn the_guard_s_threshold_may_be_a_setting_of_the_job() {
    let stage = Stage::new().await;
    let setting = [("QuarantineTooManyDeletesThreshold".to_owned(), "0".to_owned())];
    stage.engine.update_job(&stage.application, &stage.job, None, &setting).await.expect("it is set");
    stage.people(&["ann"]);
    stage.run().await;
    stage.source.entitle("ann", false, false);
    assert!(stage.next().await.contains("TooManyDeletes"));
    let setting = [("QuarantineTooManyDeletesThreshold".to_owned(), "1".to_owned())];
    stage.engine.update_job(&stage.application, &stage.job, None, &setting).await.expect("it is set");
    expect![[r#"
        cycle incremental
          ann    disable      success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
}

/// Maps a constant to the switch of the account, as a source does that itself says who is in use.
async fn switch_by_mapping(stage: &Stage, says: &str) {
    let schema = stage.engine.schema(&stage.application, &stage.job).await.expect("it reads");
    let mut document = schema.to_json();
    let mappings = document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"]
        .as_array_mut()
        .expect("there are mappings");
    let switch =
        mappings.iter_mut().find(|one| one["targetAttributeName"] == "active").expect("it is mapped");
    switch["source"] = serde_json::json!({ "type": "Constant", "name": says, "expression": format!("\"{says}\""), "parameters": [] });
    let document = document.to_string();
    let taken = stage.engine.replace_schema(&stage.application, &stage.job, document.as_bytes()).await;
    taken.expect("it is taken");
}

#[tokio::test]
async fn the_guard_counts_who_is_switched_off_by_a_mapping() {
    let stage = Stage::new().await;
    let setting = [("QuarantineTooManyDeletesThreshold".to_owned(), "1".to_owned())];
    stage.engine.update_job(&stage.application, &stage.job, None, &setting).await.expect("it is set");
    stage.people(&["ann", "bob"]);
    switch_by_mapping(&stage, "True").await;
    stage.run().await;
    switch_by_mapping(&stage, "False").await;
    expect![[r#"
        cycle initial
          ann    stagedDelete skipped  StagedDelete
          bob    stagedDelete skipped  StagedDelete
        Succeeded, quarantine TooManyDeletes
    "#]]
    .assert_eq(&stage.next().await);
    assert!(!stage.accounts().contains("disabled"));
    stage.restart("ForceDeletes").await;
    expect![[r#"
        cycle incremental
          ann    disable      success
          bob    disable      success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
}

#[tokio::test]
async fn the_guard_counts_an_account_that_a_create_came_upon() {
    let stage = Stage::new().await;
    let setting = [("QuarantineTooManyDeletesThreshold".to_owned(), "0".to_owned())];
    stage.engine.update_job(&stage.application, &stage.job, None, &setting).await.expect("it is set");
    stage.target.put(ACCOUNT, "t-1", [("userName", Value::from("ann@x")), ("active", Value::from("True"))]);
    // Searches miss the account; the create does not.
    stage.target.lag_finds_of("t-1", 1);
    switch_by_mapping(&stage, "False").await;
    stage.people(&["ann"]);
    expect![[r#"
        cycle initial
          ann    stagedDelete skipped  StagedDelete
        Succeeded, quarantine TooManyDeletes
    "#]]
    .assert_eq(&stage.run().await);
    assert_eq!(stage.accounts(), "ann@x active\n");
    stage.restart("ForceDeletes").await;
    assert!(stage.run().await.contains("disable      success"));
    assert_eq!(stage.accounts(), "ann@x disabled\n");
    assert!(stage.store.escrows().is_empty());
}

#[tokio::test]
async fn settings_that_mean_nothing_are_refused_and_never_switch_the_guard_off() {
    let stage = Stage::new().await;
    for (name, value) in [
        ("QuarantineTooManyDeletesThreshold", "abc"),
        ("QuarantineTooManyDeletesThreshold", "-1"),
        ("quarantineTooManyDeletesThreshold", "3.5"),
        ("TargetRequestsPerSecond", "0"),
        ("TargetConcurrency", "many"),
        ("LookaheadQueryEnabled", "perhaps"),
    ] {
        let setting = [(name.to_owned(), value.to_owned())];
        let refused = stage.engine.update_job(&stage.application, &stage.job, None, &setting).await;
        let message = refused.expect_err("it is refused").to_string();
        assert!(message.contains(value) && message.contains(name), "{message}");
    }
    for secret in [
        "{not json",
        r#"{"DeleteThresholdEnabled":true}"#,
        r#"{"DeleteThresholdEnabled":"yes","DeleteThresholdValue":"abc"}"#,
    ] {
        let stage = Stage::new().await;
        stage.secrets(&[("SyncNotificationSettings", secret)]).await;
        stage.people(&["ann"]);
        stage.run().await;
        stage.source.entitle("ann", false, false);
        let transcript = stage.next().await;
        assert!(transcript.contains("TooManyDeletes"), "{secret}: {transcript}");
    }
}

#[tokio::test]
async fn an_empty_source_is_a_mistake_and_deletes_nobody() {
    let stage = Stage::new().await;
    stage.people(&["ann"]);
    stage.run().await;
    stage.source.remove("ann");
    stage.restart("").await;
    expect![[r#"
        cycle initial
        Failed ImportEmpty
    "#]]
    .assert_eq(&stage.run().await);
    expect![[r#"
        ann@x active
    "#]]
    .assert_eq(&stage.accounts());
    stage.restart("ForceDeletes, Watermark").await;
    expect![[r#"
        cycle initial
          ann    delete       success
        Succeeded
    "#]]
    .assert_eq(&stage.run().await);
}

#[tokio::test]
async fn skipping_out_of_scope_deletions_leaves_leavers_alone_but_not_the_deleted() {
    let stage = Stage::new().await;
    stage.secrets(&[("SkipOutOfScopeDeletions", "True")]).await;
    stage.people(&["ann", "bob"]);
    stage.run().await;
    stage.source.entitle("ann", false, false);
    stage.source.remove("bob");
    expect![[r#"
        cycle incremental
          ann    other        skipped  NotEffectivelyEntitled
          bob    delete       success
        Succeeded
    "#]]
    .assert_eq(&stage.next().await);
}
