//! Patches in every shape that Entra sends.

use expect_test::{Expect, expect};
use usher_sandbox::{Options, Sandbox};

use crate::conversation::{TOKEN, run};

#[track_caller]
fn check(operations: &str, expected: Expect) {
    expected.assert_eq(&patched(operations));
}

/// Applies operations to a user and shows it without schemas and id, or the refusal.
fn patched(operations: &str) -> String {
    let sandbox = Sandbox::new(Options::new(TOKEN));
    let answers = run(
        &sandbox,
        &format!(
            r#"
POST /Users
{{"schemas":["@user"],"userName":"ann","name":{{"givenName":"Ann"}},"active":true,
 "emails":[{{"type":"home","value":"ann@home.example","primary":true}}]}}

POST /Users
{{"schemas":["@user"],"userName":"bob"}}

PATCH /Users/$1
{{"schemas":["@patch"],"Operations":[{operations}]}}

GET /Users/$1
"#
        ),
    );
    let answers: Vec<&str> = answers.lines().collect();
    let shown = if answers[2].starts_with("200") { answers[3] } else { answers[2] };
    let shown = shown.split_once(r#""id":"$1","#).map_or(shown, |(_, rest)| rest.trim_end_matches('}'));
    shown.to_owned()
}

#[test]
fn capital_operations_with_paths() {
    check(
        r#"{"op":"Replace","path":"displayName","value":"Ann Lee"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"displayName":"Ann Lee","active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"Add","path":"nickName","value":"Annie"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"nickName":"Annie","active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"Remove","path":"name.givenName","value":"ignored"}"#,
        expect![[
            r#""userName":"ann","active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"OP":"REPLACE","Path":"NAME.FAMILYNAME","Value":"Lee"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann","familyName":"Lee"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
}

#[test]
fn booleans_may_be_text() {
    check(
        r#"{"op":"Replace","path":"active","value":"False"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":false,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"replace","path":"active","value":false}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":false,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"replace","value":{"active":"false"}}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":false,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"replace","path":"active","value":"no"}"#,
        expect![[r#"400 invalidValue: the value of attribute "active" is no boolean"#]],
    );
}

#[test]
fn value_paths_change_or_create_the_element() {
    check(
        r#"{"op":"Replace","path":"emails[type eq \"home\"].value","value":"ann@new.example"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@new.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"Replace","path":"emails[type eq \"work\"].Value","value":"ann@b.example"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true},{"type":"work","value":"ann@b.example"}]"#
        ]],
    );
    check(
        r#"{"op":"Add","path":"addresses[type eq \"work\"].streetAddress","value":"Main 1"},
           {"op":"Add","path":"addresses[type eq \"work\"].postalCode","value":"98052"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}],"addresses":[{"type":"work","streetAddress":"Main 1","postalCode":"98052"}]"#
        ]],
    );
    check(
        r#"{"op":"Add","path":"roles[primary eq \"True\"].value","value":"Admin"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}],"roles":[{"primary":true,"value":"Admin"}]"#
        ]],
    );
    check(
        r#"{"op":"Remove","path":"emails[type eq \"home\"].value","value":"x"}"#,
        expect![[r#""userName":"ann","name":{"givenName":"Ann"},"active":true"#]],
    );
    check(
        r#"{"op":"remove","path":"emails[type eq \"home\"]"}"#,
        expect![[r#""userName":"ann","name":{"givenName":"Ann"},"active":true"#]],
    );
    check(
        r#"{"op":"remove","path":"emails[type eq \"work\"]"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"replace","path":"emails[type eq \"home\"]","value":{"value":"n@b.example"}}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"n@b.example"}]"#
        ]],
    );
    check(
        r#"{"op":"add","path":"emails[type eq \"home\"]","value":{"display":"At home"}}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true,"display":"At home"}]"#
        ]],
    );
    check(
        r#"{"op":"replace","path":"emails[value sw \"x\"].value","value":"y"}"#,
        expect![[r#"400 noTarget: no value of attribute "emails" matches the path"#]],
    );
}

#[test]
fn operations_without_path_take_dotted_and_urn_keys() {
    check(
        r#"{"op":"replace","value":{"displayName":"Ann Lee","name.familyName":"Lee","@enterprise:employeeNumber":"7"}}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann","familyName":"Lee"},"displayName":"Ann Lee","active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}],"@enterprise":{"employeeNumber":"7""#
        ]],
    );
    check(
        r#"{"op":"add","value":{"name":{"familyName":"Lee"},"@enterprise":{"department":"Sales"},"emails[type eq \"work\"].value":"a@b.example"}}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann","familyName":"Lee"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true},{"type":"work","value":"a@b.example"}],"@enterprise":{"department":"Sales""#
        ]],
    );
}

#[test]
fn urn_paths() {
    check(
        r#"{"op":"Add","path":"@enterprise:department","value":"Sales"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}],"@enterprise":{"department":"Sales""#
        ]],
    );
    check(
        r#"{"op":"add","path":"@enterprise","value":{"department":"Sales","division":"West"}}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}],"@enterprise":{"division":"West","department":"Sales""#
        ]],
    );
    check(
        r#"{"op":"replace","path":"@user:title","value":"Clerk"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"title":"Clerk","active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"add","path":"@enterprise:department","value":"Sales"},{"op":"remove","path":"@enterprise:department"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
}

#[test]
fn manager_is_text_object_or_list_of_one() {
    let shown: std::collections::BTreeSet<String> = [
        r#"{"op":"Add","path":"@enterprise:manager","value":"$2"}"#,
        r#"{"op":"Replace","path":"@enterprise:manager","value":{"value":"$2"}}"#,
        r#"{"op":"Add","path":"manager","value":[{"$ref":"http://x.example/Users/$2","value":"$2"}]}"#,
        r#"{"op":"add","path":"@enterprise:manager.value","value":"$2"}"#,
        r#"{"op":"add","path":"@enterprise:manager.$ref","value":"http://x.example/scim/v2/Users/$2"}"#,
        r#"{"op":"replace","value":{"@enterprise:manager":"$2"}}"#,
    ]
    .into_iter()
    .map(patched)
    .collect();
    expect![[r#"
        {
            "\"userName\":\"ann\",\"name\":{\"givenName\":\"Ann\"},\"active\":true,\"emails\":[{\"type\":\"home\",\"value\":\"ann@home.example\",\"primary\":true}],\"@enterprise\":{\"manager\":{\"value\":\"$2\",\"$ref\":\"http://localhost/scim/v2/Users/$2\"",
        }
    "#]].assert_debug_eq(&shown);
    check(
        r#"{"op":"Add","path":"manager","value":"$2"},{"op":"Remove","path":"@enterprise:manager"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"Add","path":"manager","value":"nobody"}"#,
        expect![[r#"400 invalidValue: attribute "manager" points at "nobody", which does not exist"#]],
    );
    check(
        r#"{"op":"replace","path":"@enterprise:manager.displayName","value":"Bob"}"#,
        expect![[r#"400 mutability: attribute "displayName" cannot be changed"#]],
    );
}

#[test]
fn roles_follow_entras_functions() {
    check(
        r#"{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"25\"}"}]}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}],"roles":[{"value":"{\"id\":\"1\",\"value\":\"25\"}"}]"#
        ]],
    );
    check(
        r#"{"op":"replace","path":"roles","value":[{"primary":"False","type":"WindowsAzureActiveDirectoryRole","display":"User","value":"User"}]}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}],"roles":[{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"User","value":"User"}]"#
        ]],
    );
}

#[test]
fn lists_grow_without_doubles_and_with_one_primary() {
    check(
        r#"{"op":"add","path":"emails","value":[{"type":"home","value":"ann@home.example","primary":true}]}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"add","path":"emails","value":{"type":"work","value":"ann@b.example","primary":true}}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":false},{"type":"work","value":"ann@b.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"replace","path":"emails","value":[]}"#,
        expect![[r#""userName":"ann","name":{"givenName":"Ann"},"active":true"#]],
    );
    check(
        r#"{"op":"remove","path":"emails","value":[{"value":"ann@home.example"}]}"#,
        expect![[r#""userName":"ann","name":{"givenName":"Ann"},"active":true"#]],
    );
    check(
        r#"{"op":"remove","path":"emails","value":[{"value":"other@home.example"}]}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"replace","path":"emails.display","value":"At home"}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"active":true,"emails":[{"type":"home","value":"ann@home.example","primary":true,"display":"At home"}]"#
        ]],
    );
}

#[test]
fn null_unassigns() {
    check(
        r#"{"op":"replace","path":"active","value":null}"#,
        expect![[
            r#""userName":"ann","name":{"givenName":"Ann"},"emails":[{"type":"home","value":"ann@home.example","primary":true}]"#
        ]],
    );
    check(
        r#"{"op":"replace","value":{"name":null,"emails":null}}"#,
        expect![[r#""userName":"ann","active":true"#]],
    );
}

#[test]
fn refusals_say_what_is_wrong() {
    check(
        r#"{"op":"replace","path":"shoeSize","value":"44"}"#,
        expect![[r#"400 invalidPath: attribute "shoeSize" is not in the schema"#]],
    );
    check(
        r#"{"op":"replace","value":{"name.nick":"A"}}"#,
        expect![[r#"400 invalidPath: attribute "name" has no part "nick""#]],
    );
    check(
        r#"{"op":"replace","path":"userName.x","value":"A"}"#,
        expect![[r#"400 invalidPath: attribute "userName" has no part "x""#]],
    );
    check(
        r#"{"op":"replace","path":"emails[type eq \"work\"","value":"A"}"#,
        expect![[r#"400 invalidPath: ']' is missing before """#]],
    );
    check(
        r#"{"op":"replace","path":"emails[type eq \"work\"].value x","value":"A"}"#,
        expect![[r#"400 invalidPath: unexpected text after the path in "emails[type eq "work"].value x""#]],
    );
    check(
        r#"{"op":"replace","path":"name[givenName eq \"A\"]","value":"A"}"#,
        expect![[r#"400 invalidPath: attribute "name" has no list of values to choose from"#]],
    );
    check(
        r#"{"op":"replace","path":"id","value":"A"}"#,
        expect![[r#"400 mutability: attribute "id" cannot be changed"#]],
    );
    check(
        r#"{"op":"add","path":"groups","value":[{"value":"A"}]}"#,
        expect![[r#"400 mutability: attribute "groups" cannot be changed"#]],
    );
    check(r#"{"op":"remove"}"#, expect!["400 noTarget: a remove operation needs a path"]);
    check(
        r#"{"op":"remove","path":"userName"}"#,
        expect![[r#"400 invalidValue: attribute "userName" is required"#]],
    );
    check(r#"{"op":"move","path":"userName"}"#, expect![[r#"400 invalidSyntax: "move" is no operation"#]]);
    check(r#"{"path":"userName"}"#, expect![[r#"400 invalidSyntax: an operation has no "op""#]]);
    check(
        r#"{"op":"add","path":"title"}"#,
        expect![[r#"400 invalidValue: the operation on "title" has no value"#]],
    );
    check(r#"{"op":"add","path":7,"value":"A"}"#, expect!["400 invalidPath: a path is no text"]);
    check(
        r#"{"op":"add","value":"A"}"#,
        expect!["400 invalidSyntax: the value of an operation without path is no object"],
    );
    check(
        r#"{"op":"add","path":"title","value":"A","from":"B"}"#,
        expect![[r#"400 invalidSyntax: "from" does not belong into an operation"#]],
    );
    check(
        r#"{"op":"add","path":"title","value":["A"]}"#,
        expect![[r#"400 invalidValue: the value of attribute "title" is no text"#]],
    );
    check("7", expect!["400 invalidSyntax: an operation is no object"]);
    check("", expect![[r#"400 invalidSyntax: "Operations" is no list with at least one operation"#]]);
}

#[test]
fn hostile_paths_are_refused_without_harm() {
    for path in [
        "",
        " ",
        ".",
        ":",
        "é",
        "[",
        "]",
        "emails[",
        "emails[]",
        "emails[é eq \\\"x\\\"]",
        "emails[type eq \\\"é]",
        "emails[type eq \\\"\\\\\\\"]",
        "emails[type eq \\\"work\\\"].",
        "emails[type eq \\\"work\\\"]value",
        "emails[emails[type pr]]",
        "emails[not not (type pr)]",
        "name.",
        ".givenName",
        "name.givenName.x",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:core:2.0:Useré",
        "@enterprise:",
        "@enterprise[type pr]",
        "@enterprise:manager[value pr]",
    ] {
        let shown = patched(&format!(r#"{{"op":"replace","path":"{path}","value":"x"}}"#));
        assert!(shown.starts_with("400 invalidPath"), "{path}: {shown}");
    }
    let deep = format!("emails[{}type pr{}]", "(".repeat(100_000), ")".repeat(100_000));
    let shown = patched(&format!(r#"{{"op":"replace","path":"{deep}","value":"x"}}"#));
    assert_eq!(shown, "400 invalidPath: the filter is nested too deeply");
}

#[test]
fn one_refused_operation_undoes_the_others() {
    let sandbox = Sandbox::new(Options::new(TOKEN));
    let answers = run(
        &sandbox,
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

PATCH /Users/$1
{"schemas":["@patch"],"Operations":[{"op":"add","path":"title","value":"Clerk"},{"op":"add","path":"x","value":"y"}]}

PATCH /Users/$1
{"schemas":["@user"],"Operations":[{"op":"add","path":"title","value":"Clerk"}]}

PATCH /Users/$1
{"schemas":["@patch"],"Operations":[{"op":"add","path":"title","value":"Clerk"}],"more":1}

GET /Users/$1
"#,
    );
    expect![[r#"
        201 {"schemas":["@user"],"id":"$1","userName":"ann"}
        400 invalidPath: attribute "x" is not in the schema
        400 invalidSyntax: schema "@patch" is missing
        400 invalidSyntax: "more" does not belong into a patch
        200 {"schemas":["@user"],"id":"$1","userName":"ann"}
    "#]]
    .assert_eq(&answers);
}
