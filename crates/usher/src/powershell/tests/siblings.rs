//! The cmdlets beside the on-demand ones: that they are all there, and what they send and give.

use expect_test::{Expect, expect};

use super::fake::Story;
use crate::powershell::{Output, cmdlets, find_cmdlet};

/// What an application and a service principal have alike, `{N}` being either.
const OF_BOTH: &str = "
    Get-Mg{N}Synchronization Set-Mg{N}Synchronization Remove-Mg{N}Synchronization
    Get-Mg{N}SynchronizationAccessToken
    Get-Mg{N}SynchronizationJob New-Mg{N}SynchronizationJob Update-Mg{N}SynchronizationJob
    Remove-Mg{N}SynchronizationJob Get-Mg{N}SynchronizationJobCount
    Start-Mg{N}SynchronizationJob Suspend-Mg{N}SynchronizationJob Restart-Mg{N}SynchronizationJob
    Test-Mg{N}SynchronizationJobCredential New-Mg{N}SynchronizationJobOnDemand
    Get-Mg{N}SynchronizationJobBulkUpload Update-Mg{N}SynchronizationJobBulkUpload
    Remove-Mg{N}SynchronizationJobBulkUpload
    Get-Mg{N}SynchronizationJobBulkUploadContent Set-Mg{N}SynchronizationJobBulkUploadContent
    Remove-Mg{N}SynchronizationJobBulkUploadContent
    Get-Mg{N}SynchronizationJobSchema Update-Mg{N}SynchronizationJobSchema Remove-Mg{N}SynchronizationJobSchema
    Get-Mg{N}SynchronizationJobSchemaDirectory New-Mg{N}SynchronizationJobSchemaDirectory
    Update-Mg{N}SynchronizationJobSchemaDirectory Remove-Mg{N}SynchronizationJobSchemaDirectory
    Get-Mg{N}SynchronizationJobSchemaDirectoryCount Find-Mg{N}SynchronizationJobSchemaDirectory
    Invoke-MgFilter{N}SynchronizationJobSchemaOperator Invoke-MgFunction{N}SynchronizationJobSchema
    Invoke-MgParse{N}SynchronizationJobSchemaExpression
    Set-Mg{N}SynchronizationSecret Get-Mg{N}SynchronizationSecretCount
    Get-Mg{N}SynchronizationTemplate New-Mg{N}SynchronizationTemplate Update-Mg{N}SynchronizationTemplate
    Remove-Mg{N}SynchronizationTemplate Get-Mg{N}SynchronizationTemplateCount
    Get-Mg{N}SynchronizationTemplateSchema Update-Mg{N}SynchronizationTemplateSchema
    Remove-Mg{N}SynchronizationTemplateSchema
    Get-Mg{N}SynchronizationTemplateSchemaDirectory New-Mg{N}SynchronizationTemplateSchemaDirectory
    Update-Mg{N}SynchronizationTemplateSchemaDirectory Remove-Mg{N}SynchronizationTemplateSchemaDirectory
    Get-Mg{N}SynchronizationTemplateSchemaDirectoryCount Find-Mg{N}SynchronizationTemplateSchemaDirectory
    Invoke-MgFilter{N}SynchronizationTemplateSchemaOperator Invoke-MgFunction{N}SynchronizationTemplateSchema
    Invoke-MgParse{N}SynchronizationTemplateSchemaExpression
    Get-Mg{N} New-Mg{N} Update-Mg{N} Remove-Mg{N} Get-Mg{N}ByAppId";

const AROUND: &str = "
    Get-MgAuditLogProvisioning Invoke-MgInstantiateApplicationTemplate Get-MgApplicationTemplate
    New-MgServicePrincipalAppRoleAssignedTo Get-MgServicePrincipalAppRoleAssignedTo
    Remove-MgServicePrincipalAppRoleAssignedTo
    Get-MgUser New-MgUser Update-MgUser Remove-MgUser Get-MgGroup New-MgGroup Update-MgGroup Remove-MgGroup
    Get-MgUserManager Set-MgUserManagerByRef New-MgGroupMember New-MgGroupMemberByRef Remove-MgGroupMemberByRef
    Get-MgUserDelta Get-MgGroupDelta Get-MgDirectoryDeletedItem Restore-MgDirectoryDeletedItem
    Add-MgApplicationPassword Remove-MgApplicationPassword";

#[test]
fn every_published_sibling_is_there_with_its_twins() {
    let of = |parent: &str| OF_BOTH.replace("{N}", parent);
    for name in format!("{}{}{AROUND}", of("Application"), of("ServicePrincipal")).split_whitespace() {
        let (verb, noun) = name.split_once("-Mg").expect("it has a verb");
        for name in [name.to_owned(), format!("{verb}-MgBeta{noun}")] {
            assert!(find_cmdlet(&name).is_some(), "{name} is missing");
        }
    }
}

#[test]
fn every_cmdlet_has_help_names_no_parameter_twice_and_finds_its_ids() {
    for cmdlet in cmdlets() {
        let help = Story::new().cmdlet(cmdlet.name, &["-?"]);
        assert!(help.contains("SYNTAX") && help.ends_with("exit 0"), "{}\n{help}", cmdlet.name);
        let mut names: Vec<_> = cmdlet.parameters.iter().map(|one| one.name.to_lowercase()).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        assert_eq!(count, names.len(), "{} names a parameter twice", cmdlet.name);
        for route in &cmdlet.routes {
            for id in &route.ids {
                assert!(route.path.contains(&format!("{{{id}}}")), "{}: {}", cmdlet.name, route.path);
            }
        }
    }
}

fn check(story: Story, name: &str, words: &[&str], expected: Expect) {
    expected.assert_eq(&story.cmdlet(name, words));
}

const JOB: [&str; 4] = ["-ServicePrincipalId", "s", "-SynchronizationJobId", "j"];

#[test]
fn actions_without_a_result_say_true_when_asked() {
    check(
        Story::new().answers(204, &[], "").answers(204, &[], ""),
        "Start-MgServicePrincipalSynchronizationJob",
        &JOB,
        expect![[r#"
            sent| POST /v1.0/servicePrincipals/s/synchronization/jobs/j/microsoft.graph.start
            exit 0"#]],
    );
    check(
        Story::new().answers(204, &[], "").shown_as(Output::Table, 60),
        "Suspend-MgBetaServicePrincipalSynchronizationJob",
        &[&JOB[..], &["-PassThru"]].concat(),
        expect![[r#"
            sent| POST /beta/servicePrincipals/s/synchronization/jobs/j/microsoft.graph.pause
            True

            exit 0"#]],
    );
    check(
        Story::new().answers(204, &[], ""),
        "Restart-MgServicePrincipalSynchronizationJob",
        &[&JOB[..], &["-Criteria", "@{ resetScope = 'Full' }"]].concat(),
        expect![[r#"
            sent| POST /v1.0/servicePrincipals/s/synchronization/jobs/j/microsoft.graph.restart
            sent| {"criteria":{"resetScope":"Full"}}
            exit 0"#]],
    );
}

#[test]
fn collections_are_asked_with_queries_and_followed_page_by_page() {
    let page =
        |name: &str, next: &str| format!(r#"{{"value":[{{"id":"{name}","displayName":"{name}"}}]{next}}}"#);
    let next = r#","@odata.count":2,"@odata.nextLink":"https://graph.example/v1.0/users?$skiptoken=x""#;
    check(
        Story::new()
            .answers(200, &[], &page("a", next))
            .answers(200, &[], &page("b", ""))
            .shown_as(Output::Table, 80),
        "Get-MgUser",
        &[
            "-Filter",
            "startsWith(displayName,'a')",
            "-Select",
            "id,displayName",
            "-Search",
            "displayName:a",
            "-All",
            "-ConsistencyLevel",
            "eventual",
            "-CountVariable",
            "found",
        ],
        expect![[r#"
            sent| GET /v1.0/users?$filter=startsWith%28displayName%2C%27a%27%29&$search=%22displayName%3Aa%22&$select=id%2CdisplayName&$count=true
            sent| ConsistencyLevel: eventual

            Id              DisplayName     Mail            UserPrincipalN… UserType
            --              -----------     ----            --------------… --------
            a               a
            sent| GET /v1.0/users?$skiptoken=x
            sent| ConsistencyLevel: eventual
            b               b

            exit 0"#]],
    );
    check(
        Story::new().answers(200, &[], &page("a", next)),
        "Get-MgUser",
        &["-Top", "1"],
        expect![[r#"
        sent| GET /v1.0/users?$top=1
        {
          "Id": "a",
          "DisplayName": "a",
          "AdditionalProperties": {}
        }
        exit 0"#]],
    );
    check(
        Story::new().answers(200, &[], r#"{"id":"a","displayName":"A"}"#).shown_as(Output::List, 60),
        "Get-MgUser",
        &["-UserId", "a@x", "-Property:id,displayName"],
        expect![[r#"
            sent| GET /v1.0/users/a%40x?$select=id%2CdisplayName

            Id                   : a
            DisplayName          : A
            AdditionalProperties : {}

            exit 0"#]],
    );
    check(
        Story::new().answers(200, &[], "7"),
        "Get-MgUserCount",
        &["-ConsistencyLevel", "eventual"],
        expect![[r#"
            sent| GET /v1.0/users/$count
            sent| ConsistencyLevel: eventual
            7
            exit 0"#]],
    );
}

#[test]
fn members_of_a_body_are_parameters() {
    check(
        Story::new().answers(204, &[], ""),
        "Update-MgUser",
        &["-UserId", "a@x", "-JobTitle", "Clerk", "-AccountEnabled:$false", "-BusinessPhones", "1,2"],
        expect![[r#"
            sent| PATCH /v1.0/users/a%40x
            sent| {"accountEnabled":false,"businessPhones":["1","2"],"jobTitle":"Clerk"}
            exit 0"#]],
    );
    check(
        Story::new().answers(201, &[], r#"{"id":"j","templateId":"scim","schedule":{"state":"Active"},"synchronizationJobSettings":[{"name":"A","value":"1"}]}"#).shown_as(Output::List, 100),
        "New-MgServicePrincipalSynchronizationJob",
        &["-ServicePrincipalId", "s", "-TemplateId", "scim"],
        expect![[r#"
            sent| POST /v1.0/servicePrincipals/s/synchronization/jobs
            sent| {"templateId":"scim"}

            BulkUpload                 : Microsoft.Graph.PowerShell.Models.MicrosoftGraphBulkUpload
            Id                         : j
            Schedule                   : Microsoft.Graph.PowerShell.Models.MicrosoftGraphSynchronizationSchedule
            Schema                     : Microsoft.Graph.PowerShell.Models.MicrosoftGraphSynchronizationSchema
            Status                     : Microsoft.Graph.PowerShell.Models.MicrosoftGraphSynchronizationStatus
            SynchronizationJobSettings : {A}
            TemplateId                 : scim
            AdditionalProperties       : {}

            exit 0"#]],
    );
    check(
        Story::new().answers(204, &[], ""),
        "New-MgGroupMember",
        &["-GroupId", "g", "-DirectoryObjectId", "u"],
        expect![[r#"
            sent| POST /v1.0/groups/g/members/$ref
            sent| {"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/u"}
            exit 0"#]],
    );
    check(
        Story::new().answers(204, &[], ""),
        "Set-MgServicePrincipalSynchronizationSecret",
        &["-ServicePrincipalId", "s", "-Value", "@(@{ key = 'SecretToken'; value = 'hush' })", "-WhatIf"],
        expect![[r#"
            host| What if: Performing the operation "Set-MgServicePrincipalSynchronizationSecret_SetExpanded" on target "Call remote 'PUT /servicePrincipals/{servicePrincipal-id}/synchronization/secrets' operation".
            exit 0"#]],
    );
    check(
        Story::new(),
        "Get-MgApplicationByAppId",
        &["-AppId", "it's"],
        expect![[r#"
        sent| GET /v1.0/applications(appId='it%27%27s')
        {
          "Key": "{\"result\":\"Success\"}",
          "Value": "{}",
          "AdditionalProperties": {
            "@odata.context": "ctx"
          }
        }
        exit 0"#]],
    );
}

#[test]
fn secrets_do_not_reach_the_debug_stream() {
    let shown = Story::new()
        .answers(200, &[], r#"{"keyId":"k","secretText":"hush"}"#)
        .shown_as(Output::Table, 80)
        .cmdlet("Add-MgApplicationPassword", &["-ApplicationId", "a", "-Debug"]);
    assert!(!shown.contains("hush"), "{shown}");
    let shown = Story::new().answers(204, &[], "").cmdlet(
        "Set-MgServicePrincipalSynchronizationSecret",
        &["-ServicePrincipalId", "s", "-Value", "@(@{ key = 'SecretToken'; value = 'hush' })", "-Debug"],
    );
    let debug: String = shown.lines().filter(|line| line.starts_with("message|")).collect();
    assert!(debug.contains("*****") && !debug.contains("hush"), "{shown}");
}

#[test]
fn content_goes_to_files_and_comes_from_them() {
    check(
        Story::new().answers(200, &[], r#"{"Operations":[]}"#),
        "Get-MgServicePrincipalSynchronizationJobBulkUploadContent",
        &[&JOB[..], &["-OutFile", "staged.json"]].concat(),
        expect![[r#"
            sent| GET /v1.0/servicePrincipals/s/synchronization/jobs/j/bulkUpload/$value
            file| staged.json
            file| {"Operations":[]}
            exit 0"#]],
    );
    check(
        Story::new().file("people.json", r#"{"Operations":[]}"#).answers(204, &[], "").with_headers(),
        "Set-MgServicePrincipalSynchronizationJobBulkUploadContent",
        &[&JOB[..], &["-InFile", "people.json"]].concat(),
        expect![[r#"
            sent| PUT /v1.0/servicePrincipals/s/synchronization/jobs/j/bulkUpload/$value
            sent| Accept: application/json
            sent| Content-Type: application/scim+json
            sent| Cache-Control: no-store, no-cache
            sent| User-Agent: usher/0.1.0
            sent| SdkVersion: usher/0.1.0
            sent| client-request-id: 00000000-0000-0000-0000-000000000007
            sent| file: {"Operations":[]}
            exit 0"#]],
    );
}

#[test]
fn a_script_goes_from_one_cmdlet_to_the_next() {
    let told = Story::new()
        .answers(200, &[], r#"{"value":[{"id":"s1","displayName":"HR","appId":"x"}]}"#)
        .answers(200, &[], r#"{"value":[{"id":"j1","templateId":"scim","status":{"code":"Active"}}]}"#)
        .answers(204, &[], "")
        .shown_as(Output::Table, 60)
        .script(
            "$sp = Get-MgServicePrincipal -Filter \"displayName eq 'HR'\"\n\
             $job = Get-MgServicePrincipalSynchronizationJob -ServicePrincipalId $sp.Id\n\
             $job.Status.Code\n\
             Start-MgServicePrincipalSynchronizationJob -ServicePrincipalId $sp.Id -SynchronizationJobId $job.Id\n",
        );
    expect![[r#"
        sent| GET /v1.0/servicePrincipals?$filter=displayName%20eq%20%27HR%27
        sent| GET /v1.0/servicePrincipals/s1/synchronization/jobs
        Active
        sent| POST /v1.0/servicePrincipals/s1/synchronization/jobs/j1/microsoft.graph.start
        exit 0"#]]
    .assert_eq(&told);
}
