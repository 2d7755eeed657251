//! How results look.

use expect_test::{Expect, expect};

use super::fake::{CMDLET, Story};
use crate::powershell::Output;

const ANSWER: &str = r#"{"@odata.context":"https://graph.example/v1.0/$metadata#microsoft.graph.stringKeyStringValuePair","key":"Contoso.Provisioning.StatusInfo","value":"[{\"provisioningSteps\":[{\"name\":\"EntryImport\",\"description\":\"Retrieved User 'ann@contoso.example' from the directory\"}]}]"}"#;

fn check(output: Output, more: &[&str], expected: Expect) {
    let arguments = [&["-ApplicationId", "a", "-S", "j", "-Parameters", "@()"], more].concat();
    let transcript = Story::new().answers(200, &[], ANSWER).shown_as(output, 72).cmdlet(CMDLET, &arguments);
    let lines: Vec<_> = transcript.lines().filter(|line| !line.starts_with("sent|")).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn a_table_has_key_and_value_cut_to_the_window() {
    check(
        Output::Table,
        &[],
        expect![[r#"

            Key                                 Value
            ---                                 -----
            Contoso.Provisioning.StatusInfo     [{"provisioningSteps":[{"name":"En…

            exit 0"#]],
    );
}

#[test]
fn a_list_has_all_properties_wrapped_with_a_hanging_indent() {
    check(
        Output::Table,
        &["--output", "list"],
        expect![[r#"

            Key                  : Contoso.Provisioning.StatusInfo
            Value                : [{"provisioningSteps":[{"name":"EntryImport","des
                                   cription":"Retrieved User 'ann@contoso.example'
                                   from the directory"}]}]
            AdditionalProperties : {[@odata.context,
                                   https://graph.example/v1.0/$metadata#microsoft.gr
                                   aph.stringKeyStringValuePair]}

            exit 0"#]],
    );
}

#[test]
fn json_has_all_properties_as_they_came() {
    check(
        Output::List,
        &["--output=json"],
        expect![[r##"
            {
              "Key": "Contoso.Provisioning.StatusInfo",
              "Value": "[{\"provisioningSteps\":[{\"name\":\"EntryImport\",\"description\":\"Retrieved User 'ann@contoso.example' from the directory\"}]}]",
              "AdditionalProperties": {
                "@odata.context": "https://graph.example/v1.0/$metadata#microsoft.graph.stringKeyStringValuePair"
              }
            }
            exit 0"##]],
    );
}

#[test]
fn several_results_share_one_table() {
    let transcript = Story::new()
        .input(r#"{"parameters":[]} {"parameters":[]}"#)
        .shown_as(Output::Table, 40)
        .cmdlet(CMDLET, &["-ApplicationId", "a", "-S", "j", "-OutBuffer", "5"]);
    expect![[r#"
        (reads standard input)
        sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
        sent| {"parameters":[]}
        sent| POST /v1.0/applications/a/synchronization/jobs/j/microsoft.graph.provisionOnDemand
        sent| {"parameters":[]}

        Key                 Value
        ---                 -----
        {"result":"Success… {}
        {"result":"Success… {}

        exit 0"#]]
    .assert_eq(&transcript);
}

#[test]
fn empty_answers_have_no_result_and_strange_ones_are_errors() {
    let run = |status: u16, body: &str| {
        Story::new()
            .answers(status, &[], body)
            .cmdlet(CMDLET, &["-ApplicationId", "a", "-S", "j", "-Parameters", "@()"])
    };
    assert!(run(204, "").ends_with("}\nexit 0"));
    assert!(run(200, "[]").contains("The service answered 200 (OK), but not with a JSON object."));
    let partial = run(200, r#"{"key":5,"value":null,"note":[1]}"#);
    assert!(partial.contains("\"Key\": \"5\",\n  \"Value\": null,"), "{partial}");
}
