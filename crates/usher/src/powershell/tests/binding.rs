//! Names, sets and the errors of binding.

use expect_test::{Expect, expect};

use super::fake::{CMDLET, Story, run};
use crate::powershell::bind::find_parameter;
use crate::powershell::parameters::Parameter;
use crate::powershell::{Cmdlet, find_cmdlet, is_cmdlet};

/// The error's text and id, without its category.
fn check(arguments: &[&str], expected: Expect) {
    let transcript = run(arguments);
    let lines: Vec<_> = transcript
        .lines()
        .filter(|line| !line.contains("+ CategoryInfo"))
        .map(|line| line.replace("error| ", "").replace(",New-MgApplicationSynchronizationJobOnDemand", ""))
        .collect();
    expected.assert_eq(&lines.join("\n"));
}

/// The set that a call runs with, as `-WhatIf` names it.
fn set_of(arguments: &[&str]) -> String {
    let mut all = arguments.to_vec();
    all.push("-WhatIf");
    let transcript = run(&all);
    let found = transcript.split("OnDemand_").nth(1).and_then(|rest| rest.split('"').next());
    found.map_or_else(
        || {
            transcript
                .split("FullyQualifiedErrorId : ")
                .nth(1)
                .unwrap_or(&transcript)
                .split(',')
                .next()
                .unwrap()
                .to_owned()
        },
        str::to_owned,
    )
}

/// A cmdlet and its parameters.
fn table(name: &str) -> (&'static Cmdlet, &'static [Parameter]) {
    let cmdlet = find_cmdlet(name).expect("it is published");
    (cmdlet, &cmdlet.parameters)
}

#[test]
fn the_set_follows_from_the_names_given() {
    let ids = ["-ApplicationId", "a", "-SynchronizationJobId", "j"];
    let body = ["-BodyParameter", "@{ parameters = @() }"];
    let identity = ["-InputObject", "@{ ApplicationId = 'a'; SynchronizationJobId = 'j' }"];
    let parameters = ["-Parameters", "@()"];
    let additional = ["-AdditionalProperties", "@{}"];
    let set = |parts: &[&[&str]]| set_of(&parts.concat());
    assert_eq!(set(&[&ids]), "ProvisionExpanded");
    assert_eq!(set(&[&ids, &parameters]), "ProvisionExpanded");
    assert_eq!(set(&[&ids, &additional]), "ProvisionExpanded");
    assert_eq!(set(&[&ids, &body]), "Provision");
    assert_eq!(set(&[&ids, &body, &parameters]), "AmbiguousParameterSet");
    assert_eq!(set(&[&ids, &body, &additional]), "AmbiguousParameterSet");
    assert_eq!(set(&[&body, &parameters]), "AmbiguousParameterSet");
    assert_eq!(set(&[&identity]), "ProvisionViaIdentityExpanded");
    assert_eq!(set(&[&identity, &parameters]), "ProvisionViaIdentityExpanded");
    assert_eq!(set(&[&identity, &body]), "ProvisionViaIdentity");
    assert_eq!(set(&[&identity, &ids[..2]]), "AmbiguousParameterSet");
    assert_eq!(set(&[&identity, &ids[2..]]), "AmbiguousParameterSet");
    assert_eq!(set(&[&ids[..2]]), "MissingMandatoryParameter");
    assert_eq!(set(&[&body]), "MissingMandatoryParameter");
}

#[test]
fn missing_ids_are_asked_for_in_order() {
    let transcript = Story::new().console(&["!?", "a", "j"]).cmdlet(CMDLET, &[]);
    expect![[r#"
        (reads standard input)
        host| cmdlet New-MgApplicationSynchronizationJobOnDemand at command pipeline position 1
        host| Supply values for the following parameters:
        ask| ApplicationId: <!?>
        host| The object id of the application (not its appId).
        ask| ApplicationId: <a>
        ask| SynchronizationJobId: <j>
        sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
        sent| {}
        {
          "Key": "{\"result\":\"Success\"}",
          "Value": "{}",
          "AdditionalProperties": {
            "@odata.context": "ctx"
          }
        }
        exit 0"#]]
    .assert_eq(&transcript);
}

#[test]
fn only_the_missing_id_is_asked_for() {
    let transcript = Story::new().console(&["j"]).cmdlet(CMDLET, &["-ApplicationId", "a", "-WhatIf"]);
    assert!(transcript.contains("ask| SynchronizationJobId: <j>"), "{transcript}");
    assert!(!transcript.contains("ask| ApplicationId"), "{transcript}");
}

#[test]
fn an_empty_answer_is_an_error() {
    let transcript = Story::new().console(&["", "j"]).cmdlet(CMDLET, &[]);
    assert!(transcript.contains("ParameterArgumentValidationErrorEmptyStringNotAllowed"), "{transcript}");
    assert!(transcript.ends_with("exit 1"), "{transcript}");
}

#[test]
fn every_published_short_form_finds_its_parameter() {
    let (cmdlet, table) = table("New-MgApplicationSynchronizationJobOnDemand");
    let found = |name: &str| match find_parameter(cmdlet, table, name) {
        Ok(parameter) => parameter.name.to_owned(),
        Err(record) => record.message.into(),
    };
    for (short, full) in [
        ("Ad", "AdditionalProperties"),
        ("Ap", "ApplicationId"),
        ("O", "ApplicationId"),
        ("ObjectId", "ApplicationId"),
        ("Bo", "BodyParameter"),
        ("He", "Headers"),
        ("I", "InputObject"),
        ("Pa", "Parameters"),
        ("S", "SynchronizationJobId"),
        ("R", "ResponseHeadersVariable"),
        ("rhv", "ResponseHeadersVariable"),
        ("HttpPipelineA", "HttpPipelineAppend"),
        ("HttpPipelineP", "HttpPipelinePrepend"),
        ("Proxy", "Proxy"),
        ("ProxyC", "ProxyCredential"),
        ("ProxyU", "ProxyUseDefaultCredentials"),
        ("Br", "Break"),
        ("C", "Confirm"),
        ("cf", "Confirm"),
        ("Wh", "WhatIf"),
        ("wi", "WhatIf"),
        ("D", "Debug"),
        ("db", "Debug"),
        ("V", "Verbose"),
        ("vb", "Verbose"),
        ("ErrorA", "ErrorAction"),
        ("ea", "ErrorAction"),
        ("ErrorV", "ErrorVariable"),
        ("ev", "ErrorVariable"),
        ("infa", "InformationAction"),
        ("iv", "InformationVariable"),
        ("OutV", "OutVariable"),
        ("ov", "OutVariable"),
        ("OutB", "OutBuffer"),
        ("ob", "OutBuffer"),
        ("Pi", "PipelineVariable"),
        ("pv", "PipelineVariable"),
        ("proga", "ProgressAction"),
        ("wa", "WarningAction"),
        ("wv", "WarningVariable"),
        ("aPPLICATIONid", "ApplicationId"),
    ] {
        assert_eq!(found(short), full, "{short}");
    }
    expect!["Parameter cannot be processed because the parameter name 'A' is ambiguous. Possible matches include: -AdditionalProperties -ApplicationId."]
        .assert_eq(&found("A"));
    expect!["Parameter cannot be processed because the parameter name 'B' is ambiguous. Possible matches include: -BodyParameter -Break."]
        .assert_eq(&found("B"));
    expect!["Parameter cannot be processed because the parameter name 'W' is ambiguous. Possible matches include: -WhatIf -WarningAction -WarningVariable."]
        .assert_eq(&found("W"));
    for longer in ["H", "P", "E", "Ou", "HttpPipeline"] {
        assert!(found(longer).contains("is ambiguous"), "{longer}");
    }
}

#[test]
fn the_twin_asks_for_its_own_id() {
    let (cmdlet, table) = table("New-MgServicePrincipalSynchronizationJobOnDemand");
    assert_eq!(find_parameter(cmdlet, table, "Se").unwrap().name, "ServicePrincipalId");
    assert_eq!(find_parameter(cmdlet, table, "Sy").unwrap().name, "SynchronizationJobId");
    assert_eq!(
        find_parameter(cmdlet, table, "ApplicationId").unwrap_err().message.as_ref(),
        "A parameter cannot be found that matches parameter name 'ApplicationId'."
    );
}

#[test]
fn cmdlets_are_found_in_any_case_and_with_any_dash() {
    assert!(is_cmdlet("new-mgapplicationsynchronizationjobondemand"));
    assert!(is_cmdlet("New\u{2013}MgServicePrincipalSynchronizationJobOnDemand"));
    assert!(is_cmdlet("Microsoft.Graph.Beta.Applications\\New-MgBetaApplicationSynchronizationJobOnDemand"));
    assert!(is_cmdlet("New\u{2015}MgBetaServicePrincipalSynchronizationJobOnDemand"));
    assert!(!is_cmdlet("New-MgApplicationShoe"));
    assert_eq!(find_cmdlet("NEW-MGBETAAPPLICATIONSYNCHRONIZATIONJOBONDEMAND").unwrap().version, "beta");
}

#[test]
fn names_take_any_dash_and_values_after_a_colon() {
    for dash in ["-", "\u{2013}", "\u{2014}", "\u{2015}"] {
        let application = format!("{dash}ApplicationId:a:b");
        let job = format!("{dash}s");
        let transcript = run(&[&application, &job, "j"]);
        assert!(transcript.contains("/applications/a%3Ab/synchronization/jobs/j/"), "{transcript}");
    }
    let transcript = run(&["-ApplicationId:", "a", "-S:", "-5", "-WhatIf:", "$false"]);
    assert!(transcript.contains("sent| POST /v1.0/applications/a/synchronization/jobs/-5/"), "{transcript}");
}

#[test]
fn switches_take_a_value_only_after_a_colon() {
    let ids = ["-ApplicationId", "a", "-SynchronizationJobId", "j"];
    let sends = |switch: &[&str]| run(&[&ids[..], switch].concat()).contains("sent| POST");
    assert!(!sends(&["-WhatIf"]));
    assert!(!sends(&["-WhatIf:$true"]));
    assert!(sends(&["-WhatIf:$false"]));
    assert!(sends(&["-WhatIf:0"]));
    assert!(sends(&["-Confirm:false"]));
    check(
        &["-ApplicationId", "a", "-WhatIf", "$false"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: A positional parameter cannot be found that accepts argument '$false'.
                + FullyQualifiedErrorId : PositionalParameterNotFound
            exit 1"#]],
    );
    check(
        &["-Confirm:", "-ApplicationId", "a"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: Missing an argument for parameter 'Confirm'. Specify a parameter of type 'System.Management.Automation.SwitchParameter' and try again.
                + FullyQualifiedErrorId : MissingArgument
            hint: a shell such as sh replaces $false by nothing: write '-Confirm:$false' in quotes, or -Confirm:false
            exit 1"#]],
    );
}

#[test]
fn binding_errors_have_their_published_texts_and_ids() {
    check(
        &["-Foo", "x"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: A parameter cannot be found that matches parameter name 'Foo'.
                + FullyQualifiedErrorId : NamedParameterNotFound
            exit 1"#]],
    );
    check(
        &["-A", "x"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: Parameter cannot be processed because the parameter name 'A' is ambiguous. Possible matches include: -AdditionalProperties -ApplicationId.
                + FullyQualifiedErrorId : AmbiguousParameter
            exit 1"#]],
    );
    check(
        &["-ApplicationId", "x", "-ObjectId", "y"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: Cannot bind parameter because parameter 'ApplicationId' is specified more than once. To provide multiple values to parameters that can accept multiple values, use the array syntax. For example, "-parameter value1,value2,value3".
                + FullyQualifiedErrorId : ParameterAlreadyBound
            exit 1"#]],
    );
    check(
        &["-ApplicationId", "-SynchronizationJobId", "j"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: Missing an argument for parameter 'ApplicationId'. Specify a parameter of type 'System.String' and try again.
                + FullyQualifiedErrorId : MissingArgument
            exit 1"#]],
    );
    check(
        &["x"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: A positional parameter cannot be found that accepts argument 'x'.
                + FullyQualifiedErrorId : PositionalParameterNotFound
            exit 1"#]],
    );
    check(
        &["-ApplicationId", "x", "-InputObject", "@{}"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: Parameter set cannot be resolved using the specified named parameters. One or more parameters issued cannot be used together or an insufficient number of parameters were provided.
                + FullyQualifiedErrorId : AmbiguousParameterSet
            exit 1"#]],
    );
    check(
        &["-WhatIf"],
        expect![[r#"
            (reads standard input)
            New-MgApplicationSynchronizationJobOnDemand: Cannot process command because of one or more missing mandatory parameters: ApplicationId SynchronizationJobId.
                + FullyQualifiedErrorId : MissingMandatoryParameter
            exit 1"#]],
    );
    check(
        &["-ApplicationId", ""],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: Cannot bind argument to parameter 'ApplicationId' because it is an empty string.
                + FullyQualifiedErrorId : ParameterArgumentValidationErrorEmptyStringNotAllowed
            exit 1"#]],
    );
    check(
        &["-InputObject", "$null"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: Cannot bind argument to parameter 'InputObject' because it is null.
                + FullyQualifiedErrorId : ParameterArgumentValidationErrorNullNotAllowed
            exit 1"#]],
    );
    check(
        &["-InputObject", "'v'"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: Cannot process argument transformation on parameter 'InputObject'. Cannot convert value "v" to type "Microsoft.Graph.PowerShell.Models.IApplicationsIdentity". The JSON is not valid: expected value at line 1 column 1
                + FullyQualifiedErrorId : ParameterArgumentTransformationError
            exit 1"#]],
    );
    check(
        &["-ErrorAction", "Loudly"],
        expect![[r#"
            New-MgApplicationSynchronizationJobOnDemand: Cannot bind parameter 'ErrorAction'. Cannot convert value "Loudly" to type "System.Management.Automation.ActionPreference". Error: "Unable to match the identifier name Loudly to a valid enumerator name. Specify one of the following enumerator names and try again: SilentlyContinue, Stop, Continue, Inquire, Ignore, Suspend, Break"
                + FullyQualifiedErrorId : CannotConvertArgumentNoMessage
            exit 1"#]],
    );
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    for (arguments, part) in [
        (
            ["-BodyParameter", "@(@{ ruleId = 'r' })"],
            "hint: the body is the whole root: @{ parameters = @( … ) }",
        ),
        (
            ["-BodyParameter", "@{ parameters = 5 }"],
            "Cannot convert value \"5\" to type \"synchronizationJobApplicationParameters\" for 'parameters[0]'.",
        ),
        (["-Parameters", "@('x')"], "Cannot convert value \"x\""),
        (
            ["-Parameters", "@{ a = User }"],
            "Unexpected token 'User' in expression or statement. (line 1, column 8)",
        ),
        (["-Headers", "5"], "\"System.Collections.IDictionary\""),
        (["-HttpPipelineAppend", "{ }"], "SendAsyncStep[]"),
        (["-Proxy", "nowhere"], "Invalid URI"),
        (["-ProxyCredential", "@{ UserName = 'u' }"], "@{ UserName = '…'; Password = '…' }"),
        (["-OutBuffer", "many"], "\"System.Int32\""),
        (["-OutBuffer", "-1"], "less than the minimum allowed range of 0"),
        (["-ErrorAction", "Suspend"], "The value Suspend is not supported"),
        (["-ErrorAction", "S"], "is ambiguous. Possible matches: SilentlyContinue, Stop, Suspend"),
        (["-WhatIf:maybe", ""], "Boolean parameters accept only Boolean values and numbers"),
        (["-InputObject", "@absent.json"], "Cannot find path 'absent.json' because it does not exist."),
        (["--output", "xml"], "Specify json, table or list"),
        (["--verbose", "x"], "accepts argument 'x'"),
        (["--foo", "x"], "matches parameter name 'foo'"),
        (["--", "x"], "accepts argument '--'"),
        (["--environment", "China"], "you are connected to https://graph.example, not to China"),
        (["-Environment", "-WhatIf"], "Missing an argument for parameter 'Environment'"),
    ] {
        let transcript = run(&arguments);
        assert!(transcript.contains(part), "{arguments:?}\n{transcript}");
        assert!(transcript.ends_with("exit 1"), "{arguments:?}\n{transcript}");
        assert!(!transcript.contains("sent|"), "{arguments:?}\n{transcript}");
    }
}

#[test]
fn help_names_every_parameter_and_the_rules_of_the_pipeline() {
    for word in ["-?", "--help"] {
        let transcript = run(&["-ApplicationId", "a", word]);
        for parameter in table("New-MgApplicationSynchronizationJobOnDemand").1 {
            assert!(transcript.contains(&format!("    -{}", parameter.name)), "{}", parameter.name);
        }
        assert!(transcript.contains("Pipeline input comes from standard input"), "{transcript}");
        assert!(transcript.ends_with("exit 0"), "{transcript}");
    }
}

#[test]
fn two_dashes_do_as_well_and_the_cloud_that_is_meant_may_be_named() {
    let plain = set_of(&["-ApplicationId", "a", "-SynchronizationJobId", "j"]);
    for arguments in [
        &["--ApplicationId", "a", "--SynchronizationJobId", "j", "--environment", "Global"][..],
        &["--application-id", "a", "--synchronization-job-id=j", "-Environment", "Global"],
        &["-ENVIRONMENTNAME:Global", "-applicationid", "a", "--SYNCHRONIZATIONJOBID", "j"],
        &["--application-id=a", "-SynchronizationJobId:j", "--national-cloud=Global"],
    ] {
        assert_eq!(set_of(arguments), plain, "{arguments:?}");
    }
}
