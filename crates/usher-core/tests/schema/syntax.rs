//! What is said of text that is not JSON.

use expect_test::{Expect, expect};
use usher_core::schema;

fn refused(text: &str, expected: Expect) {
    let reading = schema::read(text.as_bytes());
    assert!(reading.schema.is_none());
    let [problem] = &reading.diagnostics[..] else { panic!("one problem, not {:?}", reading.diagnostics) };
    expected.assert_eq(&format!(
        "{}: {}\n{}\n",
        problem.code,
        problem.message,
        problem.remedy.as_deref().unwrap_or("-")
    ));
}

#[test]
fn nothing_at_all() {
    refused(
        " \n",
        expect![[r#"
        emptyDocument: the document is empty
        export the schema again
    "#]],
    );
}

#[test]
fn comma_after_the_last_member() {
    refused(
        "{\n  \"directories\": [],\n}",
        expect![[r#"
        invalidJson: there is a comma too many (line 3, column 1)
        remove the comma: JSON has none after the last member and none before the first
    "#]],
    );
}

#[test]
fn comma_after_the_last_item() {
    refused(
        "{\"directories\": [{}, ]}",
        expect![[r#"
        invalidJson: there is a comma too many (line 1, column 22)
        remove the comma: JSON has none after the last member and none before the first
    "#]],
    );
}

#[test]
fn comma_before_the_first_item() {
    refused(
        "{\"directories\": [\n  , {}]}",
        expect![[r#"
        invalidJson: there is a comma too many (line 2, column 3)
        remove the comma: JSON has none after the last member and none before the first
    "#]],
    );
}

#[test]
fn comma_missing() {
    refused(
        "{\"id\": \"1\"\n \"version\": \"2\"}",
        expect![[r#"
        invalidJson: a comma is missing before this (line 2, column 2)
        put a comma between the two
    "#]],
    );
}

#[test]
fn dots_in_place_of_what_was_left_out() {
    refused(
        "{\"directories\": [ ... ]}",
        expect![[r#"
        invalidJson: something was left out here with dots (line 1, column 19)
        put the whole document in; a shortened example cannot be loaded
    "#]],
    );
    refused(
        "{\"directories\": [..]}",
        expect![[r#"
        invalidJson: something was left out here with dots (line 1, column 18)
        put the whole document in; a shortened example cannot be loaded
    "#]],
    );
}

#[test]
fn comments() {
    refused(
        "{ // the schema\n}",
        expect![[r#"
        invalidJson: here stands a comment (line 1, column 3)
        remove it: JSON has no comments
    "#]],
    );
}

#[test]
fn quotes_of_a_word_processor() {
    refused(
        "{“directories”: []}",
        expect![[r#"
        invalidJson: these quotes are not JSON's (line 1, column 2)
        put names and texts between plain double quotes (")
    "#]],
    );
    refused(
        "{'directories': []}",
        expect![[r#"
        invalidJson: these quotes are not JSON's (line 1, column 2)
        put names and texts between plain double quotes (")
    "#]],
    );
}

#[test]
fn name_without_quotes() {
    refused(
        "{ directories: [] }",
        expect![[r#"
        invalidJson: a member's name is not in quotes (line 1, column 3)
        put the name between double quotes
    "#]],
    );
}

#[test]
fn values_of_other_languages() {
    refused(
        "{\"directories\": None}",
        expect![[r#"
        invalidJson: this value is not JSON's (line 1, column 17)
        the words are true, false and null, in lower case
    "#]],
    );
}

#[test]
fn columns_are_counted_in_characters() {
    refused(
        "{\"id\": \"Zoë Müller\", \"directories\": True}",
        expect![[r#"
        invalidJson: this value is not JSON's (line 1, column 37)
        the words are true, false and null, in lower case
    "#]],
    );
}

#[test]
fn end_before_the_end() {
    refused(
        "{\"directories\": [\n  {\"name\": \"a\"}",
        expect![[r#"
        invalidJson: the document ends too early: the [ of line 1, column 17 is never closed (line 2, column 15)
        put the missing end back, or export the schema again
    "#]],
    );
    refused(
        "{\"directories\": \"abc",
        expect![[r#"
        invalidJson: the document ends too early: the " of line 1, column 17 is never closed (line 1, column 20)
        put the missing end back, or export the schema again
    "#]],
    );
}

#[test]
fn text_behind_the_end() {
    refused(
        "{\"directories\": []}\n]",
        expect![[r#"
        invalidJson: more stands behind the end of the document: ']' (line 2, column 1)
        remove it, or the closing brace that ends the document too early
    "#]],
    );
}

#[test]
fn request_line_and_headers() {
    refused(
        "PUT https://graph.example/v1.0/x\nContent-type: application/json\n\n{}",
        expect![[r#"
        invalidJson: the document does not begin with JSON but with 'PUT https://graph.example/v1.0/x' (line 1, column 1)
        remove what stands before the document, such as the request line and headers of an example
    "#]],
    );
    refused(
        "{id}/schema\n\n{}",
        expect![[r#"
        invalidJson: the document does not begin with JSON but with '{id}/schema' (line 1, column 1)
        remove what stands before the document, such as the request line and headers of an example
    "#]],
    );
}

#[test]
fn placeholder_of_a_template() {
    refused(
        "{\"directories\": ${directories}}",
        expect![[r#"
        invalidJson: here stands a placeholder of a text template (line 1, column 17)
        fill in the template first
    "#]],
    );
}

#[test]
fn member_without_value() {
    refused(
        "{\"directories\": }",
        expect![[r#"
        invalidJson: a member has no value (line 1, column 17)
        give it one, such as null
    "#]],
    );
}

#[test]
fn backslash_and_line_break_in_a_text() {
    refused(
        "{\"id\": \"CONTOSO\\joe\"}",
        expect![[r#"
        invalidJson: a text holds a backslash that begins no escape (line 1, column 17)
        write two backslashes for one
    "#]],
    );
    refused(
        "{\"id\": \"a\nb\"}",
        expect![[r#"
        invalidJson: a text holds a line break or a tab (line 2, column 1)
        write \n or \t, or close the text on its line
    "#]],
    );
}

#[test]
fn nesting_without_end() {
    refused(
        &"[".repeat(100_000),
        expect![[r#"
        tooDeep: the document nests deeper than any schema (line 1, column 128)
        export the schema again
    "#]],
    );
}
