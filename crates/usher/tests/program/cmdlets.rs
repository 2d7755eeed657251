//! The published cmdlets and samples, word for word, against a running service.

use crate::world::{World, body};

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_give_the_body_provisions() {
    let world = World::start().await;
    let (adele, rule) = (world.id("adele").await, world.rule.clone());
    let literal = format!(
        "@(@{{ ruleId = '{rule}'; subjects = @(@{{ objectId = '{adele}'; objectTypeName = 'User' }}) }})"
    );
    let json = body(&rule, &adele).to_string();
    let file = format!("@{}", world.file("body.json", &json).display());
    let of_application = ["-ApplicationId", &world.application_id, "-SynchronizationJobId", &world.job];
    let of_principal = ["-ServicePrincipalId", &world.principal, "-SynchronizationJobId", &world.job];
    let short = ["-Ap", &world.application_id, "-S", &world.job];
    for (cmdlet, ids, rest) in [
        ("New-MgApplicationSynchronizationJobOnDemand", of_application, ["-Parameters", &literal]),
        ("New-MgServicePrincipalSynchronizationJobOnDemand", of_principal, ["-BodyParameter", &json]),
        ("new-mgbetaapplicationsynchronizationjobondemand", of_application, ["-BodyParameter", &file]),
        ("New-MgBetaServicePrincipalSynchronizationJobOnDemand", of_principal, ["-Parameters", &literal]),
        ("New-MgApplicationSynchronizationJobOnDemand", short, ["-Pa", &literal]),
    ] {
        let words: Vec<&str> =
            [cmdlet].into_iter().chain(ids).chain(rest).chain(["--output", "json"]).collect();
        let ran = world.run(&words).await;
        assert_eq!(ran.code, 0, "{cmdlet}: {}", ran.err);
        assert!(ran.out.contains("\\\"result\\\""), "{cmdlet}: {}", ran.out);
    }
    assert_eq!(world.accounts(), ["adele@contoso.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_if_sends_nothing_and_says_the_published_line() {
    let world = World::start().await;
    let ran = world
        .run(&[
            "New-MgApplicationSynchronizationJobOnDemand",
            "-ApplicationId",
            "a",
            "-SynchronizationJobId",
            "j",
            "-WhatIf",
        ])
        .await;
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert_eq!(
        ran.err.trim_end(),
        "What if: Performing the operation \"New-MgApplicationSynchronizationJobOnDemand_ProvisionExpanded\" on target \
         \"Call remote 'POST /applications/{application-id}/synchronization/jobs/{synchronizationJob-id}/microsoft.graph.\
         provisionOnDemand' operation\"."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn items_on_standard_input_are_one_call_each() {
    let world = World::start().await;
    let (adele, megan) = (world.id("adele").await, world.id("megan").await);
    let input = format!("{}\n{}\n", body(&world.rule, &adele), body(&world.rule, &megan));
    let words = [
        "New-MgApplicationSynchronizationJobOnDemand",
        "-ApplicationId",
        &world.application_id,
        "-SynchronizationJobId",
        &world.job,
    ];
    let ran = world.run_with(&words, Some(&input)).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(world.accounts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_job_is_the_published_error_record() {
    let world = World::start().await;
    let ran = world
        .run(&[
            "New-MgApplicationSynchronizationJobOnDemand",
            "-ApplicationId",
            &world.application_id,
            "-SynchronizationJobId",
            "nojob",
            "-Parameters",
            "@(@{ ruleId = 'x'; subjects = @(@{ objectId = 'o'; objectTypeName = 'User' }) })",
        ])
        .await;
    assert_eq!(ran.code, 1);
    for line in [
        "New-MgApplicationSynchronizationJobOnDemand_ProvisionExpanded: Resource 'nojob' does not exist or one of its",
        "Status: 404 (NotFound)",
        "ErrorCode: Request_ResourceNotFound",
        "FullyQualifiedErrorId : Request_ResourceNotFound,Microsoft.Graph.PowerShell.Cmdlets.",
    ] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_with_a_user_and_one_with_a_group_run_unchanged() {
    let world = World::start().await;
    let (adele, megan, rule) = (world.id("adele").await, world.id("megan").await, &world.rule);
    let user = format!(
        "Import-Module Microsoft.Graph.Applications\n\n$params = @{{\n\tparameters = @(\n\t\t@{{\n\t\t\tsubjects = @(\n\t\t\t\t\
         @{{\n\t\t\t\t\tobjectId = \"{adele}\"\n\t\t\t\t\tobjectTypeName = \"User\"\n\t\t\t\t}}\n\t\t\t)\n\t\t\t\
         ruleId = \"{rule}\"\n\t\t}}\n\t)\n}}\n\nNew-MgServicePrincipalSynchronizationJobOnDemand -ServicePrincipalId \
         $servicePrincipalId -SynchronizationJobId $synchronizationJobId -BodyParameter $params\n"
    );
    let groups = world.client.get("/v1.0/groups").await.expect("they are listed");
    let group = groups["value"][0]["id"].as_str().expect("it is a text");
    let group = format!(
        "$params = @{{\n parameters = @(\n  @{{\n   ruleId = \"{rule}\"\n   subjects = @(\n    @{{\n     objectId = \"{group}\"\n     \
         objectTypeName = \"Group\"\n     links = @{{\n      members = @(\n       @{{ objectId = \"{adele}\"\n objectTypeName = \"User\" }}\n       \
         @{{ objectId = \"{megan}\"\n objectTypeName = \"User\" }}\n      )\n     }}\n    }}\n   )\n  }}\n )\n}}\n\
         New-MgServicePrincipalSynchronizationJobOnDemand -ServicePrincipalId $servicePrincipalId -SynchronizationJobId \
         $synchronizationJobId -BodyParameter $params\n"
    );
    let principal = format!("servicePrincipalId={}", world.principal);
    let job = format!("synchronizationJobId={}", world.job);
    for (name, text) in [("user.ps1", user), ("group.ps1", group)] {
        let file = world.file(name, &text).display().to_string();
        let ran = world.run(&["script", &file, "--variable", &principal, "--variable", &job]).await;
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
    }
    assert_eq!(world.accounts().len(), 2);
    assert_eq!(world.application.sandbox().groups().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_shows_the_exchange_and_no_token() {
    let world = World::start().await;
    let adele = world.id("adele").await;
    let json = body(&world.rule, &adele).to_string();
    let words = [
        "New-MgApplicationSynchronizationJobOnDemand",
        "-ApplicationId",
        &world.application_id,
        "-SynchronizationJobId",
        &world.job,
        "-BodyParameter",
        &json,
        "-Debug",
    ];
    let ran = world.run(&words).await;
    assert!(ran.err.contains("HTTP REQUEST") && ran.err.contains("HTTP RESPONSE"), "{}", ran.err);
    assert!(!ran.err.to_lowercase().contains("bearer ey"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sibling_cmdlets_manage_a_whole_job() {
    let world = World::start().await;
    let run = async |words: &[&str]| {
        let ran = world.run(words).await;
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        ran.out
    };
    let json = async |words: &[&str]| -> serde_json::Value {
        let out = run(&[words, &["--output", "json"]].concat()).await;
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{words:?}: {error}: {out}"))
    };
    let found = json(&["Get-MgServicePrincipal", "-Filter", "displayName eq 'hr-portal'"]).await;
    let principal = found["Id"].as_str().expect("it has an id");
    assert_eq!(principal, world.principal);
    let ids = ["-ServicePrincipalId", principal, "-SynchronizationJobId", &world.job];
    let job = json(&[&["Get-MgServicePrincipalSynchronizationJob"], &ids[..]].concat()).await;
    assert_eq!((&job["TemplateId"], &job["Status"]["Code"]), (&"scim".into(), &"Paused".into()));
    let count =
        run(&["Get-MgServicePrincipalSynchronizationSecretCount", "-ServicePrincipalId", principal]).await;
    assert_eq!(count.trim(), "2");
    let schema = json(&[&["Get-MgServicePrincipalSynchronizationJobSchema"], &ids[..]].concat()).await;
    assert_eq!(schema["SynchronizationRules"][0]["Id"], world.rule.as_str());

    run(&[&["Start-MgServicePrincipalSynchronizationJob"], &ids[..]].concat()).await;
    run(&["job", "wait", "--app", "hr-portal", "--timeout", "60"]).await;
    assert_eq!(world.accounts().len(), 2);
    run(&[&["Suspend-MgServicePrincipalSynchronizationJob"], &ids[..]].concat()).await;
    let paused = json(&[&["Get-MgServicePrincipalSynchronizationJob"], &ids[..]].concat()).await;
    assert_eq!(paused["Status"]["Code"], "Paused");
    let log =
        run(&["Get-MgAuditLogProvisioning", "-Filter", &format!("jobId eq '{}'", world.job), "-Top", "2"])
            .await;
    assert_eq!(log.lines().filter(|line| !line.trim().is_empty()).count(), 4, "a head and two rows: {log}");

    let alex = world.id("alex").await;
    run(&["Update-MgUser", "-UserId", "alex@contoso.example", "-JobTitle", "Chief", "-Department", "Sales"])
        .await;
    let alex_now = json(&["Get-MgUser", "-UserId", &alex, "-Property", "jobTitle,department"]).await;
    assert_eq!((&alex_now["JobTitle"], &alex_now["Department"]), (&"Chief".into(), &"Sales".into()));
    let retail = json(&["Get-MgGroup", "-Filter", "displayName eq 'Retail'"]).await;
    let group = retail["Id"].as_str().expect("it has an id");
    run(&["New-MgGroupMember", "-GroupId", group, "-DirectoryObjectId", &alex]).await;
    let members = run(&["Get-MgGroupMember", "-GroupId", group, "-All"]).await;
    assert!(members.contains(&alex), "{members}");
    run(&["Remove-MgGroupMemberByRef", "-GroupId", group, "-DirectoryObjectId", &alex]).await;
    assert_eq!(run(&["Remove-MgUser", "-UserId", &alex, "-PassThru"]).await.trim(), "True");
    let gone = world.run(&["Get-MgUser", "-UserId", &alex]).await;
    assert_eq!(gone.code, 1);
    assert!(gone.err.contains("Request_ResourceNotFound"), "{}", gone.err);
    run(&["Restore-MgDirectoryDeletedItem", "-DirectoryObjectId", &alex]).await;
    run(&["Get-MgUser", "-UserId", &alex]).await;

    let unknown = world.run(&["Get-MgShoe"]).await;
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("The term 'Get-MgShoe' is not recognized"), "{}", unknown.err);
}
