//! What is sent: bodies, identities, pipeline items; and what WhatIf and Confirm print.

use expect_test::expect;

use super::fake::{CMDLET, IDS, Story, check, run, with};

const USER: &str = "@(@{ ruleId = 'r1'; subjects = @(@{ objectId = 'o1'; objectTypeName = 'User' }) })";

#[test]
fn parameters_become_the_body() {
    check(
        Story::new(),
        &with(&["-Parameters", USER]),
        expect![[r#"
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[{"ruleId":"r1","subjects":[{"objectId":"o1","objectTypeName":"User"}]}]}
            exit 0"#]],
    );
    check(
        Story::new(),
        &with(&["-Pa", "@{ ruleId = 'r1' }", "-Ad", r#"{"trace": true}"#]),
        expect![[r#"
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[{"ruleId":"r1"}],"trace":true}
            exit 0"#]],
    );
    check(
        Story::new(),
        &IDS,
        expect![[r#"
            (reads standard input)
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {}
            exit 0"#]],
    );
}

#[test]
fn every_twin_calls_its_own_path() {
    for (name, id, path) in [
        (
            "New-MgServicePrincipalSynchronizationJobOnDemand",
            "-ServicePrincipalId",
            "/v1.0/servicePrincipals/x/",
        ),
        ("New-MgBetaApplicationSynchronizationJobOnDemand", "-ApplicationId", "/beta/applications/x/"),
        ("New-MgBetaServicePrincipalSynchronizationJobOnDemand", "-ObjectId", "/beta/servicePrincipals/x/"),
    ] {
        let transcript =
            Story::new().cmdlet(name, &[id, "x", "-Sy", "Azure2Azure.1#2", "-Parameters", "@()"]);
        let expected = format!(
            "sent| POST {path}synchronization/jobs/Azure2Azure.1%232/microsoft.graph.provisionOnDemand\n"
        );
        assert!(transcript.contains(&expected), "{transcript}");
    }
}

#[test]
fn a_literal_cut_at_its_blanks_is_put_together() {
    let words: Vec<&str> = USER.split(' ').collect();
    let transcript = run(&with(&[&["-Parameters"], &words[..], &["-Verbose"]].concat()));
    assert!(
        transcript.contains(
            r#"{"parameters":[{"ruleId":"r1","subjects":[{"objectId":"o1","objectTypeName":"User"}]}]}"#
        ),
        "{transcript}"
    );
    assert!(transcript.contains("VERBOSE:"), "{transcript}");
}

#[test]
fn bodies_come_from_literals_json_and_files() {
    let body = r#"sent| {"parameters":[{"ruleId":"r1"}]}"#;
    for (argument, file) in [
        ("@{ Parameters = @(@{ RuleId = 'r1' }) }", ""),
        (r#"{ "parameters": [{ "ruleId": "r1" }] }"#, ""),
        ("@body", r#"{"parameters":[{"ruleId":"r1"}]}"#),
        ("@body", "# comment\n@{\n parameters = @{ ruleId = 'r1' }\n}\n"),
        ("(Get-Content body -Raw)", r#"{"parameters":[{"ruleId":"r1"}]}"#),
        (r#"'{"parameters":[{"ruleId":"r1"}]}'"#, ""),
    ] {
        let transcript = Story::new().file("body", file).cmdlet(CMDLET, &with(&["-BodyParameter", argument]));
        assert!(transcript.contains(body), "{argument}\n{transcript}");
        assert!(!transcript.contains("(reads"), "{argument}\n{transcript}");
    }
}

#[test]
fn keys_without_a_place_are_left_out_with_a_warning() {
    check(
        Story::new(),
        &with(&["-Parameters", "@{ ruleId = 'r1'; note = 'x' }"]),
        expect![[r#"
            message| WARNING: 'note' has no place in a synchronizationJobApplicationParameters (parameters[0]) and is not sent.
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[{"ruleId":"r1"}]}
            exit 0"#]],
    );
}

#[test]
fn an_identity_names_the_job_and_the_rest_of_it_is_ignored() {
    check(
        Story::new(),
        &["-InputObject", "@{ applicationid = 'a'; SYNCHRONIZATIONJOBID = 'j'; UserId = 'u'; AppId = 'x' }"],
        expect![[r#"
            (reads standard input)
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {}
            exit 0"#]],
    );
}

#[test]
fn an_identity_without_an_id_ends_the_pipeline() {
    check(
        Story::new().input(r#"{"id":"x","appId":"y"} {"applicationId":"a","synchronizationJobId":"j"}"#),
        &["-Parameters", "@()"],
        expect![[r#"
            (reads standard input)
            error| New-MgApplicationSynchronizationJobOnDemand_ProvisionViaIdentityExpanded: The pipeline has been stopped.
            error| New-MgApplicationSynchronizationJobOnDemand_ProvisionViaIdentityExpanded: InputObject has null value for InputObject.ApplicationId
            error|     + CategoryInfo          : InvalidArgument: (Microsoft.Graph.PowerShell.Models.ApplicationsIdentity:ApplicationsIdentity) [New-MgApplicationSynchronizationJobOnDemand_ProvisionViaIdentityExpanded], Exception
            error|     + FullyQualifiedErrorId : ,Microsoft.Graph.PowerShell.Cmdlets.NewMgApplicationSynchronizationJobOnDemand_ProvisionViaIdentityExpanded
            exit 1"#]],
    );
    let transcript = run(&["-InputObject", "@{ ApplicationId = 'a' }"]);
    assert!(
        transcript.contains("InputObject has null value for InputObject.SynchronizationJobId"),
        "{transcript}"
    );
}

#[test]
fn every_pipeline_item_is_one_call() {
    check(
        Story::new()
            .input("@{ parameters = @(@{ ruleId = 'r1' }) }\n@{ Parameters = @(@{ ruleId = 'r2' }) }"),
        &IDS,
        expect![[r#"
            (reads standard input)
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[{"ruleId":"r1"}]}
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[{"ruleId":"r2"}]}
            exit 0"#]],
    );
}

#[test]
fn items_go_where_their_keys_belong() {
    check(
        Story::new().input(
            r#"[{"ApplicationId":"a1","SynchronizationJobId":"j1"},
                {"ApplicationId":"a2","SynchronizationJobId":"j2","parameters":[{"ruleId":"r2"}]}]"#,
        ),
        &[],
        expect![[r#"
            (reads standard input)
            sent| POST /v1.0/applications/a1/synchronization/jobs/j1/microsoft.graph.provisionOnDemand
            sent| {}
            sent| POST /v1.0/applications/a2/synchronization/jobs/j2/microsoft.graph.provisionOnDemand
            sent| {"parameters":[{"ruleId":"r2"}]}
            exit 0"#]],
    );
    check(
        Story::new().input("@{ Prefer = 'x'; 'x-many' = 'one', 'two' }"),
        &IDS,
        expect![[r#"
            (reads standard input)
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| Prefer: x
            sent| x-many: one
            sent| x-many: two
            sent| {}
            exit 0"#]],
    );
}

#[test]
fn an_item_that_fits_nothing_is_an_error_and_the_next_goes_on() {
    check(
        Story::new().input(r#"5 {"parameters":[]}"#),
        &IDS,
        expect![[r#"
            (reads standard input)
            error| New-MgApplicationSynchronizationJobOnDemand: The input object cannot be bound to any parameters for the command either because the command does not take pipeline input or the input and its properties do not match any of the parameters that take pipeline input.
            error|     + CategoryInfo          : InvalidArgument: (:) [New-MgApplicationSynchronizationJobOnDemand], ParameterBindingException
            error|     + FullyQualifiedErrorId : InputObjectNotBound,New-MgApplicationSynchronizationJobOnDemand
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[]}
            exit 1"#]],
    );
}

#[test]
fn standard_input_that_cannot_be_read_is_named_with_its_place() {
    check(
        Story::new().input("@{ parameters = @(\n  @{ ruleId 'r1' } ) }"),
        &IDS,
        expect![[r#"
            (reads standard input)
            error| New-MgApplicationSynchronizationJobOnDemand: Cannot read standard input, line 2, column 13: Missing '=' operator after key in hash literal.
            error|     + CategoryInfo          : ParserError: (:) [New-MgApplicationSynchronizationJobOnDemand], ParseException
            error|     + FullyQualifiedErrorId : MissingEqualsInHashLiteral,New-MgApplicationSynchronizationJobOnDemand
            exit 1"#]],
    );
}

#[test]
fn what_if_says_what_would_be_sent_and_sends_nothing() {
    check(
        Story::new(),
        &with(&["-Parameters", USER, "-WhatIf", "-Confirm"]),
        expect![[r#"
            host| What if: Performing the operation "New-MgApplicationSynchronizationJobOnDemand_ProvisionExpanded" on target "Call remote 'POST /applications/{application-id}/synchronization/jobs/{synchronizationJob-id}/microsoft.graph.provisionOnDemand' operation".
            exit 0"#]],
    );
}

#[test]
fn confirm_asks_until_the_answer_is_one() {
    check(
        Story::new().console(&["?", "what", "s", ""]),
        &with(&["-Parameters", "@()", "-Confirm"]),
        expect![[r#"
            host| Confirm
            host| Are you sure you want to perform this action?
            host| Performing the operation "New-MgApplicationSynchronizationJobOnDemand_ProvisionExpanded" on target "Call remote 'POST /applications/{application-id}/synchronization/jobs/{synchronizationJob-id}/microsoft.graph.provisionOnDemand' operation".
            ask| [Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is "Y"): <?>
            host| Y - Continue with only the next step of the operation.
            host| A - Continue with all the steps of the operation.
            host| N - Skip this operation and proceed with the next operation.
            host| L - Skip this operation and all subsequent operations.
            host| S - Pause the current pipeline and return to the command prompt. Type "exit" to resume the pipeline.
            ask| [Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is "Y"): <what>
            ask| [Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is "Y"): <s>
            host| There is no command prompt to return to.
            ask| [Y] Yes  [A] Yes to All  [N] No  [L] No to All  [S] Suspend  [?] Help (default is "Y"): <>
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[]}
            exit 0"#]],
    );
}

#[test]
fn answers_for_all_hold_for_the_whole_pipeline() {
    let calls = |answers: &[&str]| {
        let input = r#"{"parameters":[]} {"parameters":[]} {"parameters":[]}"#;
        let transcript = Story::new().console(answers).input(input).cmdlet(CMDLET, &with(&["-Confirm"]));
        assert!(transcript.ends_with("exit 0"), "{transcript}");
        transcript.matches("sent| POST").count()
    };
    assert_eq!(calls(&["a"]), 3);
    assert_eq!(calls(&["yes to all"]), 3);
    assert_eq!(calls(&["l"]), 0);
    assert_eq!(calls(&["n", "y", "n"]), 1);
}

#[test]
fn confirm_without_a_console_is_an_error() {
    check(
        Story::new(),
        &with(&["-Parameters", "@()", "-Confirm"]),
        expect![[r#"
            error| PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.
            error|     + CategoryInfo          : InvalidOperation: (:) [], PSInvalidOperationException
            error|     + FullyQualifiedErrorId : InvalidOperation
            exit 1"#]],
    );
}
