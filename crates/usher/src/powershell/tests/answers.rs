//! What comes back and what goes around a call: errors, retries, headers, proxies, variables, debug.

use expect_test::expect;

use super::fake::{CMDLET, Story, check, run, with};
use crate::powershell::TransportError;

#[test]
fn refusals_of_the_service_become_error_records() {
    let body = r#"{"error":{"code":"Request_ResourceNotFound","message":"Resource 'a' does not exist.","innerError":{"date":"2025-03-02T10:11:12","request-id":"r-2"}}}"#;
    check(
        Story::new().answers(
            404,
            &[("cache-control", "no-cache"), ("vary", "Accept"), ("vary", "Prefer"), ("request-id", "r-2")],
            body,
        ),
        &with(&["-Parameters", "@()"]),
        expect![[r#"
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[]}
            error| New-MgApplicationSynchronizationJobOnDemand_ProvisionExpanded: Resource 'a' does not exist.
            error|
            error| Status: 404 (NotFound)
            error| ErrorCode: Request_ResourceNotFound
            error| Date: 2025-03-02T10:11:12
            error|
            error| Headers:
            error| Cache-Control                 : no-cache
            error| Vary                          : Accept,Prefer
            error| request-id                    : r-2
            error|
            error| Recommendation: See service error codes: https://learn.microsoft.com/graph/errors
            error|     + CategoryInfo          : InvalidOperation: ({ ApplicationId = a, SynchronizationJobId = j, Headers = , body = Microsoft.Graph.PowerShell.Models.PathsApplicationsSynchronizationJobsProvisionondemandPostRequestbodyContentApplicationJsonSchema }:<>f__AnonymousType0`4) [New-MgApplicationSynchronizationJobOnDemand_ProvisionExpanded], Exception
            error|     + FullyQualifiedErrorId : Request_ResourceNotFound,Microsoft.Graph.PowerShell.Cmdlets.NewMgApplicationSynchronizationJobOnDemand_ProvisionExpanded
            exit 1"#]],
    );
}

#[test]
fn an_answer_without_an_envelope_is_an_unknown_error() {
    let transcript = Story::new().answers(502, &[], "<html>").cmdlet(CMDLET, &with(&["-Parameters", "@()"]));
    assert!(
        transcript.contains("Response status code does not indicate success: 502 (BadGateway)."),
        "{transcript}"
    );
    assert!(transcript.contains("FullyQualifiedErrorId : UnknownError,Microsoft.Graph"), "{transcript}");
}

#[test]
fn an_error_is_no_end_for_the_items_after_it() {
    let story = || {
        Story::new().input(r#"{"parameters":[]} {"parameters":[]}"#).answers(
            400,
            &[],
            r#"{"error":{"code":"BadRequest","message":"No."}}"#,
        )
    };
    let calls = |more: &[&str]| {
        let transcript = story().cmdlet(CMDLET, &with(more));
        assert!(transcript.ends_with("exit 1"), "{transcript}");
        (transcript.matches("sent| POST").count(), transcript.contains("error| New-Mg"))
    };
    assert_eq!(calls(&[]), (2, true));
    assert_eq!(calls(&["-ErrorAction", "SilentlyContinue"]), (2, false));
    assert_eq!(calls(&["-ea", "ignore"]), (2, false));
    assert_eq!(calls(&["-ErrorAction:Stop"]), (1, true));
    assert_eq!(calls(&["-ErrorAction", "1"]), (1, true));
}

#[test]
fn inquire_asks_after_an_error() {
    let story = |answers: &[&str]| {
        Story::new()
            .console(answers)
            .input(r#"{"parameters":[]} {"parameters":[]}"#)
            .answers(400, &[], r#"{"error":{"code":"BadRequest","message":"No."}}"#)
            .cmdlet(CMDLET, &with(&["-ErrorAction", "Inquire"]))
    };
    let halted = story(&["h"]);
    assert_eq!(halted.matches("sent| POST").count(), 1, "{halted}");
    assert!(
        halted.contains(
            r#"ask| [Y] Yes  [A] Yes to All  [H] Halt Command  [S] Suspend  [?] Help (default is "Y"): <h>"#
        ),
        "{halted}"
    );
    assert!(
        halted.contains("The running command stopped because the user selected the Stop option."),
        "{halted}"
    );
    assert_eq!(story(&[""]).matches("sent| POST").count(), 2);
}

#[test]
fn without_a_connection_the_error_says_to_connect() {
    let transcript = Story::new().disconnected().cmdlet(CMDLET, &with(&["-Parameters", "@()"]));
    assert!(transcript.contains("error| New-MgApplicationSynchronizationJobOnDemand_ProvisionExpanded: Authentication needed. Please call Connect-MgGraph."), "{transcript}");
    assert!(transcript.contains("NotSpecified"), "{transcript}");
}

#[test]
fn a_failed_transport_is_told_with_its_cause() {
    let cause = std::io::Error::other("connection refused");
    let error = TransportError::Failed {
        message: "cannot reach graph.example".into(),
        source: Some(Box::new(cause)),
    };
    let transcript = Story::new().fails(error).cmdlet(CMDLET, &with(&["-Parameters", "@()"]));
    assert!(transcript.contains("cannot reach graph.example: connection refused"), "{transcript}");
}

#[test]
fn throttling_is_waited_out_three_times() {
    let busy = r#"{"error":{"code":"TooManyRequests","message":"Slow down."}}"#;
    check(
        Story::new().answers(429, &[("Retry-After", "7")], busy).answers(503, &[], busy).answers(
            504,
            &[("retry-after", "Fri, 04 Oct 2024 19:03:55 GMT")],
            busy,
        ),
        &with(&["-Parameters", "@()", "-Verbose"]),
        expect![[r#"
            message| VERBOSE: Performing the operation "New-MgApplicationSynchronizationJobOnDemand_ProvisionExpanded" on target "Call remote 'POST /applications/{application-id}/synchronization/jobs/{synchronizationJob-id}/microsoft.graph.provisionOnDemand' operation".
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[]}
            message| VERBOSE: The service answered 429 (TooManyRequests). Trying again in 7 seconds (1 of 3).
            (waits 7 seconds)
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| Retry-Attempt: 1
            sent| {"parameters":[]}
            message| VERBOSE: The service answered 503 (ServiceUnavailable). Trying again in 6 seconds (2 of 3).
            (waits 6 seconds)
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| Retry-Attempt: 2
            sent| {"parameters":[]}
            message| VERBOSE: The service answered 504 (GatewayTimeout). Trying again in 10 seconds (3 of 3).
            (waits 10 seconds)
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| Retry-Attempt: 3
            sent| {"parameters":[]}
            exit 0"#]],
    );
}

#[test]
fn the_fourth_refusal_and_a_pause_of_more_than_five_minutes_are_errors() {
    let busy = r#"{"error":{"code":"TooManyRequests","message":"Slow down."}}"#;
    let story = (0..4).fold(Story::new(), |story, _| story.answers(429, &[], busy));
    let transcript = story.cmdlet(CMDLET, &with(&["-Parameters", "@()"]));
    assert_eq!(transcript.matches("sent| POST").count(), 4, "{transcript}");
    assert!(transcript.contains("FullyQualifiedErrorId : TooManyRequests,"), "{transcript}");
    let patient = Story::new()
        .answers(429, &[("Retry-After", "301")], busy)
        .cmdlet(CMDLET, &with(&["-Parameters", "@()"]));
    assert!(!patient.contains("(waits"), "{patient}");
    assert!(patient.ends_with("exit 1"), "{patient}");
}

#[test]
fn requests_carry_our_headers_and_the_callers_win() {
    check(
        Story::new().with_headers(),
        &with(&["-Parameters", "@()", "-Headers", "@{ 'user-agent' = 'mine/1'; Prefer = 'x' }"]),
        expect![[r#"
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| Accept: application/json
            sent| Content-Type: application/json
            sent| Cache-Control: no-store, no-cache
            sent| SdkVersion: usher/0.1.0
            sent| client-request-id: 00000000-0000-0000-0000-000000000007
            sent| user-agent: mine/1
            sent| Prefer: x
            sent| {"parameters":[]}
            exit 0"#]],
    );
    let transcript = run(&with(&["-Parameters", "@()", "-Headers", "@{ 'bad name' = 'x' }"]));
    assert!(transcript.contains("The header name 'bad name' has an invalid format."), "{transcript}");
    let transcript = run(&with(&["-Parameters", "@()", "-Headers", "@{ Prefer = \"a`nb\" }"]));
    assert!(transcript.contains("error| b' is invalid."), "{transcript}");
    assert!(!transcript.contains("sent|"), "{transcript}");
}

#[test]
fn response_headers_go_to_a_file_or_to_the_error_stream() {
    let run = |name: &str| {
        let transcript = Story::new()
            .answers(200, &[("date", "now"), ("x-a", "1"), ("x-a", "2")], r#"{"key":"k","value":"v"}"#)
            .cmdlet(CMDLET, &with(&["-Parameters", "@()", "-RHV", name]));
        let kept: Vec<_> = transcript.lines().filter(|line| !line.starts_with("sent|")).skip(5).collect();
        kept.join("\n")
    };
    expect![[r#"
        message| $h = @{ 'Date' = @('now'); 'x-a' = @('1', '2') }
        exit 0"#]]
    .assert_eq(&run("h"));
    expect![[r#"
        message| $h += @{ 'Date' = @('now'); 'x-a' = @('1', '2') }
        exit 0"#]]
    .assert_eq(&run("+h"));
    expect![[r#"
        file| ./h.json
        file| {
        file|   "Date": [
        file|     "now"
        file|   ],
        file|   "x-a": [
        file|     "1",
        file|     "2"
        file|   ]
        file| }
        exit 0"#]]
    .assert_eq(&run("./h.json"));
    assert!(run("+@h").starts_with("append| h\n"));
    expect![[r#"
        error| -ResponseHeadersVariable: cannot write forbidden.json: permission denied
        exit 1"#]]
    .assert_eq(&run("forbidden.json"));
}

#[test]
fn errors_and_results_can_be_kept_in_files() {
    let transcript =
        Story::new().answers(400, &[], r#"{"error":{"code":"BadRequest","message":"No."}}"#).cmdlet(
            CMDLET,
            &with(&[
                "-Parameters",
                "@()",
                "-ea",
                "SilentlyContinue",
                "-ErrorVariable",
                "e.json",
                "-ov",
                "o.json",
            ]),
        );
    assert!(transcript.contains("file| e.json"), "{transcript}");
    assert!(transcript.contains(r#"file|     "FullyQualifiedErrorId": "BadRequest,"#), "{transcript}");
    assert!(transcript.contains("file| o.json\nfile| []"), "{transcript}");
    assert!(!transcript.contains("error|"), "{transcript}");
}

#[test]
fn proxies_take_credentials_and_ask_for_the_password() {
    let proxy = ["-Parameters", "@()", "-Proxy", "http://proxy.example:8080"];
    let run = |more: &[&str], answers: &[&str]| {
        let transcript = Story::new().console(answers).cmdlet(CMDLET, &with(&[&proxy[..], more].concat()));
        transcript.lines().find(|line| line.starts_with("sent| proxy")).unwrap_or(&transcript).to_owned()
    };
    assert_eq!(run(&[], &[]), "sent| proxy http://proxy.example:8080/");
    assert_eq!(
        run(&["-ProxyUseDefaultCredentials"], &[]),
        "sent| proxy http://proxy.example:8080/ default credentials"
    );
    assert_eq!(
        run(&["-ProxyCredential", "@{ UserName = 'u'; Password = 'p' }"], &[]),
        "sent| proxy http://proxy.example:8080/ u:p"
    );
    assert_eq!(run(&["-ProxyC", "ann"], &["pw"]), "sent| proxy http://proxy.example:8080/ ann:pw");
}

#[test]
fn steps_can_be_none_and_break_finds_no_debugger() {
    check(
        Story::new(),
        &with(&[
            "-Parameters",
            "@()",
            "-HttpPipelineAppend",
            "@()",
            "-HttpPipelinePrepend",
            "$null",
            "-Break",
        ]),
        expect![[r#"
            message| WARNING: There is no .NET debugger that could attach here; -Break does nothing.
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| {"parameters":[]}
            exit 0"#]],
    );
}

#[test]
fn a_warning_can_stop_the_run() {
    let transcript = run(&with(&["-Parameters", "@()", "-Break", "-WarningAction", "Stop"]));
    assert!(
        transcript.contains(r#"preference variable "WarningPreference" or common parameter is set to Stop"#),
        "{transcript}"
    );
    assert!(!transcript.contains("sent|"), "{transcript}");
    let silent = run(&with(&["-Parameters", "@()", "-Break", "-wa", "SilentlyContinue"]));
    assert!(!silent.contains("WARNING"), "{silent}");
}

#[test]
fn debug_shows_request_and_response_but_no_authorization() {
    check(
        Story::new(),
        &with(&["-Parameters", "@()", "-Debug", "-Headers", "@{ Authorization = 'Bearer s3cret' }"]),
        expect![[r#"
            message| DEBUG: [CmdletBeginProcessing]: - New-MgApplicationSynchronizationJobOnDemand begin processing with parameterSet 'ProvisionExpanded'.
            message| DEBUG: [Authentication]: - AuthType: 'AppOnly'.
            message| DEBUG: [Authentication]: - Scopes: [Synchronization.ReadWrite.All].
            message| DEBUG: ============================ HTTP REQUEST ============================
            message| DEBUG:
            message| DEBUG: HTTP Method:
            message| DEBUG: POST
            message| DEBUG:
            message| DEBUG: Absolute Uri:
            message| DEBUG: https://graph.example/v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            message| DEBUG:
            message| DEBUG: Headers:
            message| DEBUG: Accept                        : application/json
            message| DEBUG: Content-Type                  : application/json
            message| DEBUG: Cache-Control                 : no-store, no-cache
            message| DEBUG: User-Agent                    : usher/0.1.0
            message| DEBUG: SdkVersion                    : usher/0.1.0
            message| DEBUG: client-request-id             : 00000000-0000-0000-0000-000000000007
            message| DEBUG:
            message| DEBUG: Body:
            message| DEBUG: {
            message| DEBUG:   "parameters": []
            message| DEBUG: }
            sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
            sent| Authorization: Bearer s3cret
            sent| {"parameters":[]}
            message| DEBUG: ============================ HTTP RESPONSE ============================
            message| DEBUG:
            message| DEBUG: Status Code:
            message| DEBUG: OK
            message| DEBUG:
            message| DEBUG: Headers:
            message| DEBUG: request-id                    : r-1
            message| DEBUG:
            message| DEBUG: Body:
            message| DEBUG: {
            message| DEBUG:   "@odata.context": "ctx",
            message| DEBUG:   "key": "{\"result\":\"Success\"}",
            message| DEBUG:   "value": "{}"
            message| DEBUG: }
            message| DEBUG: [CmdletEndProcessing]: - New-MgApplicationSynchronizationJobOnDemand end processing.
            exit 0"#]],
    );
}
