//! Scripts: the shapes that published samples have, and what a script may not hold.

use expect_test::{Expect, expect};

use super::fake::Story;
use crate::powershell::Output;

const USER: &str = include_str!("../../../tests/powershell/user.ps1");
const GROUP: &str = include_str!("../../../tests/powershell/group.ps1");
const ACTIVE_DIRECTORY: &str = include_str!("../../../tests/powershell/active-directory.ps1");
const GUIDE: &str = include_str!("../../../tests/powershell/guide.ps1");

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&Story::new().shown_as(Output::Table, 60).script(script));
}

#[test]
fn a_sample_with_a_user_runs_with_its_variables_given() {
    let transcript = Story::new()
        .shown_as(Output::Table, 60)
        .variable("servicePrincipalId", "sp-1")
        .variable("synchronizationJobId", "Azure2Azure.1")
        .script(USER);
    expect![[r#"
        sent| POST /v1.0/servicePrincipals/sp-1/synchronization/jobs/Azure2Azure.1/microsoft.graph.provisionOnDemand
        sent| {"parameters":[{"ruleId":"b9b1a2cf-0d4e-4c2e-9d5b-6c2a7e1f0a33","subjects":[{"objectId":"5d0e1c5b-7a53-4d27-8d46-1c9f8d1b2a10","objectTypeName":"User"}]}]}

        Key                           Value
        ---                           -----
        {"result":"Success"}          {}

        exit 0"#]]
    .assert_eq(&transcript);
}

#[test]
fn a_variable_without_a_value_is_an_error_and_nothing_is_sent() {
    let transcript = Story::new().variable("servicePrincipalId", "sp-1").script(USER);
    expect![[r#"
        error| VariableIsUndefined: sample.ps1:18:112
        error| Line |
        error|   18 | New-MgServicePrincipalSynchronizationJobOnDemand -ServicePrincipalId $servicePrincipalId -SynchronizationJobId $synchronizationJobId -BodyParameter $params
        error|      |                                                                                                                ~
        error|      | The variable '$synchronizationJobId' cannot be retrieved because it has not been set.
        error| hint: assign it in a script, or give the script a value for it: --variable synchronizationJobId=…
        exit 1"#]]
    .assert_eq(&transcript);
}

#[test]
fn a_group_takes_its_members_without_commas_between_them() {
    let transcript = Story::new().script(GROUP);
    expect![[r#"
        sent| POST /v1.0/servicePrincipals/sp-1/synchronization/jobs/j-1/microsoft.graph.provisionOnDemand
        sent| {"parameters":[{"ruleId":"6f1f5b0c-93d6-4d1f-8e22-0f6c3a9b7d11#V2","subjects":[{"objectId":"0d6a3b3e-5b1f-4ad4-b6a7-3a4fce0b9e01","objectTypeName":"Group","links":{"members":[{"objectId":"1a7c5a0e-1f8e-4f4b-9b1c-8f4b7a1f0c02","objectTypeName":"User"},{"objectId":"2b8d6b1f-2a9f-4a5c-8c2d-9a5c8b2a1d03","objectTypeName":"User"}]}}]}]}"#]]
    .assert_eq(transcript.lines().take(2).collect::<Vec<_>>().join("\n").as_str());
}

#[test]
fn a_distinguished_name_is_sent_as_it_is() {
    let transcript = Story::new().script(ACTIVE_DIRECTORY);
    assert!(
        transcript
            .contains(r#"{"objectId":"CN=Ann Lee,OU=People,DC=corp,DC=example","objectTypeName":"user"}"#),
        "{transcript}"
    );
    assert!(transcript.contains("POST /beta/servicePrincipals/sp-1/"), "{transcript}");
}

#[test]
fn a_guide_with_import_connect_splatting_and_views_runs() {
    let transcript = Story::new().shown_as(Output::Table, 72).script(GUIDE);
    expect![[r#"
        message| WARNING: Connect-MgGraph uses the saved connection to https://graph.example; -TenantId does not change it.
        sent| POST /v1.0/applications/app-1/synchronization/jobs/j-1/microsoft.graph.provisionOnDemand
        sent| {"parameters":[{"ruleId":"r-1","subjects":[{"objectId":"u-1","objectTypeName":"User"}]}]}

        Key                  : {"result":"Success"}
        Value                : {}
        AdditionalProperties : {[@odata.context, ctx]}

        Success
        {"Key":"{\"result\":\"Success\"}","Value":"{}","AdditionalProperties":{"@odata.context":"ctx"}}

        Name                           Value
        ----                           -----
        request-id                     {r-1}

        exit 0"#]]
    .assert_eq(&transcript);
}

#[test]
fn values_are_shown_as_powershell_shows_them() {
    check(
        "'text'; 5; 1.5; $true; $null; 1, 2\n[pscustomobject]@{ Name = 'x'; Count = 2 }\n\"a: $(1, 2)\"",
        expect![[r#"
            text
            5
            1.5
            True
            1
            2

            Name                          Count
            ----                          -----
            x                             2

            a: 1 2
            exit 0"#]],
    );
}

#[test]
fn pipelines_feed_the_cmdlets() {
    check(
        "$jobs = @(\n @{ ApplicationId = 'a1'; SynchronizationJobId = 'j1' }\n @{ ApplicationId = 'a2'; SynchronizationJobId = 'j2' }\n)\n$r = $jobs | New-MgApplicationSynchronizationJobOnDemand -Parameters @{ ruleId = 'r' }\n$r.Count\n$r.Key",
        expect![[r#"
            sent| POST /v1.0/applications/a1/synchronization/jobs/j1/microsoft.graph.provisionOnDemand
            sent| {"parameters":[{"ruleId":"r"}]}
            sent| POST /v1.0/applications/a2/synchronization/jobs/j2/microsoft.graph.provisionOnDemand
            sent| {"parameters":[{"ruleId":"r"}]}
            2
            {"result":"Success"}
            {"result":"Success"}
            exit 0"#]],
    );
}

#[test]
fn what_is_written_out_wins_over_what_is_splatted() {
    check(
        "$common = @{ ApplicationId = 'a'; SynchronizationJobId = 'j'; WhatIf = $true }\nNew-MgApplicationSynchronizationJobOnDemand @common -SynchronizationJobId other -WhatIf:$false | ConvertTo-Json -Depth 1 -Compress",
        expect![[r#"
            sent| POST /v1.0/applications/a/synchronization/jobs/other/microsoft.graph.provisionOnDemand
            sent| {}
            message| WARNING: Resulting JSON is truncated as serialization has exceeded the set depth of 1.
            {"Key":"{\"result\":\"Success\"}","Value":"{}","AdditionalProperties":"{\"@odata.context\":\"ctx\"}"}
            exit 0"#]],
    );
}

#[test]
fn bodies_can_come_from_files() {
    let transcript = Story::new().file("body.json", r#"{"parameters":[{"ruleId":"r"}]}"#).script(
        "New-MgApplicationSynchronizationJobOnDemand -ApplicationId a -SynchronizationJobId j -BodyParameter (Get-Content body.json -Raw)\n$b = Get-Content -Path body.json | ConvertFrom-Json\nNew-MgApplicationSynchronizationJobOnDemand -ApplicationId a -SynchronizationJobId j -BodyParameter $b",
    );
    assert_eq!(transcript.matches(r#"sent| {"parameters":[{"ruleId":"r"}]}"#).count(), 2, "{transcript}");
}

#[test]
fn variables_of_parameters_are_set() {
    check(
        "$ids = @{ ApplicationId = 'a'; SynchronizationJobId = 'j' }\nNew-MgApplicationSynchronizationJobOnDemand @ids -RHV h -OutVariable o -WhatIf:$false | Format-List Key\nNew-MgApplicationSynchronizationJobOnDemand @ids -RHV +h -OutVariable +o | Format-Table key, value -AutoSize\n$h.'request-id'",
        expect![[r#"
            error| ParserError: sample.ps1:4:3
            error| Line |
            error|    4 | $h.'request-id'
            error|      |   ~
            error|      | Unexpected token '.' in expression or statement.
            exit 1"#]],
    );
    check(
        "$ids = @{ ApplicationId = 'a'; SynchronizationJobId = 'j' }\nNew-MgApplicationSynchronizationJobOnDemand @ids -RHV h -OutVariable o | Format-List Key\nNew-MgApplicationSynchronizationJobOnDemand @ids -RHV +h -OutVariable +o | Format-Table key, value -AutoSize\n$h.Count\n$o.Count",
        expect![[r#"
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {}

            Key : {"result":"Success"}

            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {}

            Key                  Value
            ---                  -----
            {"result":"Success"} {}

            2
            2
            exit 0"#]],
    );
}

#[test]
fn errors_name_their_line_and_the_script_goes_on_unless_told_to_stop() {
    let script = "New-MgApplicationSynchronizationJobOnDemand -Foo\n$x = 'went on'\n$x";
    check(
        script,
        expect![[r#"
            error| New-MgApplicationSynchronizationJobOnDemand: A parameter cannot be found that matches parameter name 'Foo'.
            error| At sample.ps1:1 char:1
            error|     + CategoryInfo          : InvalidArgument: (:) [New-MgApplicationSynchronizationJobOnDemand], ParameterBindingException
            error|     + FullyQualifiedErrorId : NamedParameterNotFound,New-MgApplicationSynchronizationJobOnDemand
            went on
            exit 0"#]],
    );
    let stopped = Story::new().script(&format!("$ErrorActionPreference = 'Stop'\n{script}"));
    assert!(
        stopped.ends_with("NamedParameterNotFound,New-MgApplicationSynchronizationJobOnDemand\nexit 1"),
        "{stopped}"
    );
}

#[test]
fn the_last_statement_decides_the_exit_code_and_errors_are_kept() {
    let refused = |script: &str| {
        Story::new()
            .answers(400, &[], r#"{"error":{"code":"BadRequest","message":"No."}}"#)
            .shown_as(Output::Table, 60)
            .script(script)
    };
    let call = "New-MgApplicationSynchronizationJobOnDemand -ApplicationId a -SynchronizationJobId j -ea SilentlyContinue -ev e";
    assert!(refused(call).ends_with("exit 1"));
    let kept = refused(&format!(
        "{call}\n$e.FullyQualifiedErrorId\n$Error.Exception.Message\n$e.ErrorDetails.RecommendedAction"
    ));
    assert!(kept.ends_with("BadRequest,Microsoft.Graph.PowerShell.Cmdlets.NewMgApplicationSynchronizationJobOnDemand_ProvisionExpanded\nNo.\nSee service error codes: https://learn.microsoft.com/graph/errors\nexit 0"), "{kept}");
}

#[test]
fn preference_variables_are_obeyed() {
    let ids = "New-MgApplicationSynchronizationJobOnDemand -ApplicationId a -SynchronizationJobId j";
    let what_if = Story::new().script(&format!("$WhatIfPreference = $true\n{ids}"));
    assert!(what_if.starts_with("host| What if:"), "{what_if}");
    let asked = Story::new().console(&["n"]).script(&format!("$ConfirmPreference = 'Medium'\n{ids}"));
    assert!(asked.contains("ask| [Y] Yes") && !asked.contains("sent|"), "{asked}");
    let verbose = Story::new().script(&format!("$VerbosePreference = 'Continue'\n{ids}"));
    assert!(verbose.contains("message| VERBOSE: Performing the operation"), "{verbose}");
    let wrong = Story::new().script("$ConfirmPreference = 'Sometimes'");
    assert!(wrong.contains("None, Low, Medium, High") && wrong.ends_with("exit 1"), "{wrong}");
}

#[test]
fn connect_needs_a_saved_connection() {
    let transcript = Story::new()
        .disconnected()
        .script("Connect-MgGraph -Scopes 'Synchronization.ReadWrite.All' -NoWelcome");
    assert!(
        transcript.contains("There is no saved connection that Connect-MgGraph could use."),
        "{transcript}"
    );
    let quiet = Story::new()
        .script("Connect-MgGraph -Scopes 'Synchronization.ReadWrite.All', \"User.Read\" -NoWelcome");
    assert_eq!(quiet, "exit 0");
}

/// What is refused, before anything runs.
fn refused(script: &str, expected: &str) {
    let whole = format!(
        "New-MgApplicationSynchronizationJobOnDemand -ApplicationId a -SynchronizationJobId j\n{script}"
    );
    let transcript = Story::new().script(&whole);
    assert!(!transcript.contains("sent|"), "{transcript}");
    assert!(transcript.ends_with("exit 1"), "{transcript}");
    let place = transcript.lines().next().unwrap().replace("error| ParserError: sample.ps1:", "");
    let message = transcript.lines().nth(4).unwrap().replace("error|      | ", "");
    assert_eq!(format!("{place} {message}"), expected, "{script}");
}

#[test]
fn everything_else_is_refused_with_line_and_column_before_anything_runs() {
    refused(
        "Remove-Item x",
        "2:1 The term 'Remove-Item' is not recognized as a name of a cmdlet, function, script file, or executable program.",
    );
    refused("if ($x) { }", "2:1 'if' is not part of what a script may hold here.");
    refused("  foreach ($x in 1) { }", "2:3 'foreach' is not part of what a script may hold here.");
    refused("$a = 1 + 2", "2:8 The operator '+' is not part of what a script may hold here.");
    refused("$a += 2", "2:4 The operator '+=' is not part of what a script may hold here.");
    refused("$a -eq 2", "2:4 The operator '-eq' is not part of what a script may hold here.");
    refused("$a && $b", "2:4 The operator '&&' is not part of what a script may hold here.");
    refused("$a.Substring(1)", "2:3 Calling a method ('Substring') is not supported.");
    refused("[datetime]::Now", "2:11 Static members of a type ('[datetime]::') are not supported.");
    refused(
        "$a | ForEach-Object { $_ }",
        "2:6 The term 'ForEach-Object' is not recognized as a name of a cmdlet, function, script file, or executable program.",
    );
    refused("Import-Module { }", "2:15 Script blocks are not supported.");
    refused("Import-Module x > y", "2:17 Redirection and background jobs ('>') are not supported.");
    refused("Format-List", "2:1 'Format-List' needs something in front of it: … |");
    refused("$a = $b | Format-Table", "2:11 'Format-Table' shows, and gives no value to assign.");
    refused("$a | fl | ConvertTo-Json", "2:6 'fl' must be the last in a pipeline.");
    refused("$a | Get-Content", "2:6 'Get-Content' takes nothing from a pipeline here.");
    refused("$a = @{ b = 1", "2:6 The hash literal was incomplete.");
    refused("$a.b = 1", "2:6 The operator '=' is not part of what a script may hold here.");
}
