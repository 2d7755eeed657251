//! The literal grammar: what is read, what is refused and where, and that everything written is read again.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::powershell::literal::{Nothing, read_items, read_literal, read_value};
use crate::powershell::value::{PsValue, Table, TableKind};
use crate::powershell::{Date, Decimal, Scope, read_script, to_literal};

struct Variables;

impl Scope for Variables {
    fn variable(&self, name: &str) -> Option<PsValue> {
        match name {
            "name" => Some(PsValue::text("Adele")),
            "list" => Some(PsValue::List(vec![PsValue::Int(1), PsValue::Int(2)])),
            "person" => Some(read_literal("@{ Mail = 'a@contoso.example' }", &Nothing).unwrap()),
            _ => None,
        }
    }

    fn read_file(&self, path: &str) -> std::io::Result<String> {
        match path {
            "body.json" => Ok("{\n  \"parameters\": []\n}\n".into()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
}

fn check(text: &str, expected: Expect) {
    let shown = match read_literal(text, &Variables) {
        Ok(value) => to_literal(&value),
        Err(error) => {
            let incomplete = if error.is_incomplete { " (incomplete)" } else { "" };
            format!("{}:{} {}{incomplete}: {}", error.at.line, error.at.column, error.id, error.message)
        }
    };
    expected.assert_eq(&shown);
}

#[test]
fn hashtables_take_line_breaks_and_semicolons_between_entries() {
    check("@{}", expect!["@{}"]);
    check("@{ a = 1; b = 'x' }", expect!["@{ 'a' = 1; 'b' = 'x' }"]);
    check("@{\n\ta = 1\r\n\n  ; b = 2;\n}", expect!["@{ 'a' = 1; 'b' = 2 }"]);
    check("[ordered]@{ b = 1; a = 2 }", expect!["[ordered]@{ 'b' = 1; 'a' = 2 }"]);
    check(
        "@{ 'quoted key' = 1; \"other $name\" = 2; 3 = 4 }",
        expect!["@{ 'quoted key' = 1; 'other Adele' = 2; '3' = 4 }"],
    );
    check("@{ a =\n  @{ b = $null } }", expect!["@{ 'a' = @{ 'b' = $null } }"]);
}

#[test]
fn lists_divide_by_comma_and_arrays_also_by_line_break() {
    check("@()", expect!["@()"]);
    check("@(1)", expect!["@(1)"]);
    check("1, 2,\n 3", expect!["@(1, 2, 3)"]);
    check("@(\n @{ a = 1 }\n @{ a = 2 }\n)", expect!["@(@{ 'a' = 1 }, @{ 'a' = 2 })"]);
    check("@( 'a', 'b'; 'c' )", expect!["@('a', 'b', 'c')"]);
    check("@(@(1, 2), @(3))", expect!["@(@(1, 2), @(3))"]);
    check("@(@(1, 2))", expect!["@(1, 2)"]);
    check("@(,@(1, 2))", expect!["@(,@(1, 2))"]);
    check("(1, 2)", expect!["@(1, 2)"]);
    check("@{ a = 1, 2 }", expect!["@{ 'a' = @(1, 2) }"]);
}

#[test]
fn single_quotes_expand_nothing_and_smart_quotes_count() {
    check("'it''s $name `n'", expect!["'it''s $name `n'"]);
    check("\u{2018}smart\u{2019}", expect!["'smart'"]);
    check("\u{201C}smart $name\u{201D}", expect!["'smart Adele'"]);
    check("'two\nlines'", expect!["'two\nlines'"]);
}

#[test]
fn double_quotes_expand_names_groups_and_escapes() {
    check(r#""a ""quoted"" `"word`" $name""#, expect![[r#"'a "quoted" "word" Adele'"#]]);
    check(r#""tab`tnewline`ndollar`$name""#, expect!["'tab\tnewline\ndollar$name'"]);
    check(r#""`u{1F600}`u{41}""#, expect!["'😀A'"]);
    check(r#""${name}s $list $($person.mail) $""#, expect!["'Adeles 1 2 a@contoso.example $'"]);
    check(r#""$name.Mail""#, expect!["'Adele.Mail'"]);
    check(
        r#""`u{110000}""#,
        expect![
            "1:3 InvalidUnicodeEscapeSequence: The Unicode escape sequence is not valid. A valid sequence is `u{ followed by one to six hex digits and a closing '}'."
        ],
    );
}

#[test]
fn here_strings_keep_lines_and_quotes() {
    check("@'\nit's $name\n\"x\"\n'@", expect!["'it''s $name\n\"x\"'"]);
    check("@\"\r\nHello $name\r\n\"quoted\"\r\n\"@", expect!["'Hello Adele\r\n\"quoted\"'"]);
    check("@'\n'@", expect!["''"]);
    check("@'\n\n'@", expect!["''"]);
    check(
        "@' x\n'@",
        expect![
            "1:4 UnexpectedCharactersAfterHereStringHeader: No characters are allowed after a here-string header but before the end of the line."
        ],
    );
    check(
        "@'\nabc\n '@",
        expect![
            "1:1 TerminatorExpectedAtEndOfHereString (incomplete): The string is missing the terminator: '@."
        ],
    );
}

#[test]
fn comments_and_joined_lines_are_passed_over() {
    check(
        "<# first #> @{ # second\n a = 1 # third\n <# four\n lines #> b = `\n 2 }",
        expect!["@{ 'a' = 1; 'b' = 2 }"],
    );
    check(
        "@( 1 <# unclosed",
        expect![
            "1:6 MissingTerminatorMultiLineComment (incomplete): The terminator '#>' is missing from the multiline comment."
        ],
    );
}

#[test]
fn casts_convert() {
    check("[string]5", expect!["'5'"]);
    check("[int]'0x10'", expect!["16"]);
    check("[int]2.5", expect!["2"]);
    check("[long]'7'", expect!["7"]);
    check("[double]'1.5'", expect!["1.5"]);
    check("[decimal]'1.50'", expect!["1.50d"]);
    check("[bool]'false'", expect!["$true"]);
    check(
        "[guid]'{9BB0F679-A883-4A6F-8260-35B491B8B8C9}'",
        expect!["'9bb0f679-a883-4a6f-8260-35b491b8b8c9'"],
    );
    check("[datetime]'2024-05-01T10:00:00+02:00'", expect!["[datetime]'2024-05-01T08:00:00Z'"]);
    check("[System.DateTime] '05/01/2024'", expect!["[datetime]'2024-05-01T00:00:00'"]);
    check("[pscustomobject]@{ a = 1 }", expect!["[pscustomobject]@{ 'a' = 1 }"]);
    check("[hashtable][ordered]@{ a = 1 }", expect!["@{ 'a' = 1 }"]);
    check("[string[]](1, 2)", expect!["@('1', '2')"]);
    check(
        "[Microsoft.Graph.PowerShell.Models.MicrosoftGraphSynchronizationJobSubject]@{ objectId = 'o' }",
        expect!["@{ 'objectId' = 'o' }"],
    );
    check(
        "[guid]'x'",
        expect![[r#"1:1 InvalidCastConstructorException: Cannot convert value "x" to type "System.Guid"."#]],
    );
    check(
        "[byte]300",
        expect![[
            r#"1:1 InvalidCastConstructorException: Cannot convert value "300" to type "System.Byte"."#
        ]],
    );
    check("[nonsense]1", expect!["1:1 TypeNotFound: Unable to find type [nonsense]."]);
    check(
        "[ordered]5",
        expect![
            "1:10 OrderedAttributeOnlyOnHashLiteralNode: The ordered attribute can be specified only on a hash literal node."
        ],
    );
}

#[test]
fn variables_and_members_have_values_or_are_errors() {
    check("$name", expect!["'Adele'"]);
    check("$person.MAIL", expect!["'a@contoso.example'"]);
    check("$person.Phone", expect!["$null"]);
    check("$list.Count", expect!["2"]);
    check("@{ a = $True; b = $FALSE; c = $Null }", expect!["@{ 'a' = $true; 'b' = $false; 'c' = $null }"]);
    check(
        "$missing",
        expect![
            "1:1 VariableIsUndefined: The variable '$missing' cannot be retrieved because it has not been set."
        ],
    );
    check(
        "$env:PATH",
        expect![
            "1:1 ScopedVariableNotSupported: The variable '$env:…' names a scope or a drive, which is not supported."
        ],
    );
    check("$list[0]", expect!["1:6 IndexNotSupported: Taking an item by index is not supported."]);
    check(
        "@name",
        expect![
            "1:1 SplattingNotPermitted: The splatting operator '@' cannot be used to reference variables in an expression. '@name' can be used only as an argument to a command. To reference variables in an expression use '$name'."
        ],
    );
}

#[test]
fn parentheses_may_read_files_but_call_nothing() {
    check("(Get-Content body.json -Raw)", expect!["'{\n  \"parameters\": []\n}\n'"]);
    check(
        "(Get-Content -Path 'body.json' | ConvertFrom-Json)",
        expect!["[pscustomobject]@{ 'parameters' = @() }"],
    );
    check(
        "(Get-Content absent.json -Raw)",
        expect!["1:2 PathNotFound: Cannot find path 'absent.json' because it does not exist."],
    );
    check(
        "(Import-Module x)",
        expect!["1:2 CommandNotSupported: 'Import-Module' cannot stand in parentheses here."],
    );
    check(
        "(Remove-Item x)",
        expect![
            "1:2 CommandNotFoundException: The term 'Remove-Item' is not recognized as a name of a cmdlet, function, script file, or executable program."
        ],
    );
}

#[test]
fn mistakes_are_named_with_their_place() {
    check(
        "@{ a = 1; A = 2 }",
        expect!["1:11 DuplicateKeyInHashLiteral: Duplicate keys 'A' are not allowed in hash literals."],
    );
    check(
        "@{ a 1 }",
        expect!["1:6 MissingEqualsInHashLiteral: Missing '=' operator after key in hash literal."],
    );
    check("@{ = 1 }", expect!["1:4 MissingKeyInHashLiteral: Missing key before '=' in hash literal."]);
    check(
        "@{ a = }",
        expect!["1:8 MissingStatementInHashLiteral: Missing statement after '=' in hash literal."],
    );
    check(
        "@{\n a = 1\n b = 2",
        expect!["1:1 IncompleteHashLiteral (incomplete): The hash literal was incomplete."],
    );
    check(
        "@{ a = 1 b = 2 }",
        expect!["1:10 UnexpectedToken: Unexpected token 'b' in expression or statement."],
    );
    check(
        "@( 1, 2",
        expect!["1:8 MissingEndParenthesisInExpression (incomplete): Missing closing ')' in expression."],
    );
    check("@( 1,", expect!["1:6 MissingExpression (incomplete): Missing expression after ','."]);
    check(
        "'abc",
        expect!["1:1 TerminatorExpectedAtEndOfString (incomplete): The string is missing the terminator: '."],
    );
    check(
        "@{ a = User }",
        expect!["1:8 UnexpectedToken: Unexpected token 'User' in expression or statement."],
    );
    check(
        "@{ id = 9bb0f679-a883 }",
        expect!["1:9 UnexpectedToken: Unexpected token '9bb0f679' in expression or statement."],
    );
    check("1 2", expect!["1:3 UnexpectedToken: Unexpected token '2' in expression or statement."]);
    check("1e999", expect!["1:1 BadNumericConstant: The numeric constant 1e999 is not valid."]);
    check(
        "",
        expect!["1:1 ExpectedExpression (incomplete): An expression was expected, but the text ends here."],
    );
    check("\n\n  ]", expect!["3:3 UnexpectedToken: Unexpected token ']' in expression or statement."]);
}

#[test]
fn nesting_is_bounded() {
    for opening in ["@(", "@{a=", "(", "[int]", "\"$("] {
        let error = read_literal(&opening.repeat(5000), &Nothing).unwrap_err();
        assert_eq!(error.id, "ScriptTooComplicated", "{opening}");
    }
    assert!(read_value(&"[".repeat(5000), &Nothing).is_err());
    let members = format!("$name{}", ".a".repeat(5000));
    assert_eq!(read_literal(&members, &Variables).unwrap_err().id, "ScriptTooComplicated");
    let words = format!("{}1{}", "Import-Module $(Get-Content ".repeat(40), ")x".repeat(40));
    assert!(read_script(&words).is_ok());
}

#[test]
fn json_is_read_where_a_literal_is_expected() {
    let read = |text: &str| match read_value(text, &Nothing) {
        Ok(value) => to_literal(&value),
        Err(error) => format!("{}:{} {}", error.at.line, error.at.column, error.message),
    };
    expect!["[pscustomobject]@{ 'parameters' = @([pscustomobject]@{ 'ruleId' = 'r' }) }"]
        .assert_eq(&read(r#"{"parameters":[{"ruleId":"r"}]}"#));
    expect!["@(1, 2.5, $true, $null)"].assert_eq(&read("[1, 2.5, true, null]"));
    expect!["16"].assert_eq(&read("[int]'16'"));
    expect!["2:1 The JSON is not valid: EOF while parsing an object at line 2 column 0"]
        .assert_eq(&read("{\"a\": 1\n"));
    expect!["1:1 The JSON has two members 'A' that differ at most in case."]
        .assert_eq(&read(r#"{"a": 1, "A": 2}"#));
}

#[test]
fn streams_of_items_are_json_documents_or_literals() {
    let read = |text: &str| {
        let items = read_items(text, &Nothing).unwrap();
        items.iter().map(to_literal).collect::<Vec<_>>().join(" | ")
    };
    expect!["1 | 2 | 3"].assert_eq(&read("1\n[2, 3]"));
    expect!["[pscustomobject]@{ 'a' = 1 } | [pscustomobject]@{ 'a' = 2 }"]
        .assert_eq(&read("{\"a\":1}\n{\"a\":2}\n"));
    expect!["@{ 'a' = 1 } | @{ 'a' = 2 } | @{ 'a' = 3 }"].assert_eq(&read("@{a=1}, @{a=2}\n@{a=3}"));
    expect![""].assert_eq(&read(" \n"));
}

fn values() -> impl Strategy<Value = PsValue> {
    let leaf = prop_oneof![
        Just(PsValue::Null),
        any::<bool>().prop_map(PsValue::Bool),
        any::<i64>().prop_map(|number| PsValue::Int(number.into())),
        any::<u64>().prop_map(|number| PsValue::Int(number.into())),
        any::<f64>().prop_filter("numbers only", |number| !number.is_nan()).prop_map(PsValue::Float),
        (any::<i64>(), 0_u8..20)
            .prop_map(|(digits, scale)| { PsValue::Decimal(Decimal::new(digits.into(), scale).unwrap()) }),
        any::<String>().prop_map(PsValue::Text),
        "[ '\u{2019}\"`$@{}\r\n#a]*".prop_map(PsValue::Text),
        (0_i64..4_000_000_000).prop_map(|second| {
            PsValue::Date(Date::Instant(jiff::Timestamp::from_second(second).unwrap()))
        }),
        Just(PsValue::Date(Date::parse("2024-02-29T23:59:59.1234567").unwrap())),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let kind = prop_oneof![Just(TableKind::Hash), Just(TableKind::Ordered), Just(TableKind::Object)];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(PsValue::List),
            (kind, prop::collection::vec((any::<String>(), inner), 0..5)).prop_map(|(kind, entries)| {
                let mut table = Table::new(kind);
                for (key, value) in entries {
                    table.insert(key, value);
                }
                PsValue::Table(table)
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in values()) {
        let text = to_literal(&value);
        prop_assert_eq!(read_literal(&text, &Nothing), Ok(value), "{}", text);
    }

    #[test]
    fn readers_never_panic_on_any_text(text in any::<String>()) {
        let _ = read_literal(&text, &Variables);
        let _ = read_value(&text, &Variables);
        let _ = read_items(&text, &Variables);
        let _ = read_script(&text);
    }

    #[test]
    fn readers_never_panic_on_texts_made_of_the_grammar(parts in prop::collection::vec(prop_oneof![
        Just("@{"), Just("}"), Just("@("), Just("("), Just(")"), Just("["), Just("]"), Just("="), Just(";"),
        Just("\n"), Just("\r\n"), Just(","), Just("'"), Just("\""), Just("@'\n"), Just("\n'@"), Just("@\"\n"),
        Just("\n\"@"), Just("`"), Just("$"), Just("$name"), Just("$("), Just("${"), Just("<#"), Just("#>"),
        Just("#"), Just("0x"), Just("1"), Just("e+"), Just("-"), Just("\u{2014}"), Just("kb"), Just("."), Just("a"),
        Just("[int]"), Just("[ordered]"), Just("|"), Just("Get-Content "), Just(" -Raw"), Just(":"), Just("\u{2019}"),
    ], 0..40)) {
        let text = parts.concat();
        let _ = read_literal(&text, &Variables);
        let _ = read_items(&text, &Variables);
        let _ = read_script(&text);
    }
}
