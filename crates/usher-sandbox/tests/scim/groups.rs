//! Groups and their members.

use expect_test::expect;

use crate::conversation::check;

#[test]
fn entras_create_with_the_legacy_schema_is_taken() {
    check(
        r#"
POST /Groups
{"schemas":["@group","@legacy"],"externalId":"8aa1a0c0","displayName":"Retail","meta":{"resourceType":"Group"}}

POST /Groups
{"schemas":["@group"],"displayName":"RETAIL"}

POST /Groups
{"schemas":["@group"],"externalId":"x"}
"#,
        expect![[r#"
            201 {"schemas":["@group"],"id":"$1","externalId":"8aa1a0c0","displayName":"Retail"}
            409 uniqueness: displayName "RETAIL" is taken
            400 invalidValue: attribute "displayName" is required
        "#]],
    );
}

#[test]
fn members_come_and_go_in_both_forms() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

POST /Users
{"schemas":["@user"],"userName":"bob"}

POST /Groups
{"schemas":["@group"],"displayName":"Retail"}

PATCH /Groups/$3
{"schemas":["@patch"],"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"$1"},{"$ref":null,"value":"$2"}]}]}

PATCH /Groups/$3
{"schemas":["@patch"],"Operations":[{"op":"add","path":"members","value":[{"value":"$1"}]}]}

GET /Groups/$3

PATCH /Groups/$3
{"schemas":["@patch"],"Operations":[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"$1"}]}]}

GET /Groups/$3?attributes=members

PATCH /Groups/$3
{"schemas":["@patch"],"Operations":[{"op":"remove","path":"members[value eq \"$2\"]"},{"op":"remove","path":"members[value eq \"$1\"]"}]}

GET /Groups/$3

PATCH /Groups/$3
{"schemas":["@patch"],"Operations":[{"op":"add","path":"members","value":{"value":"$2"}}]}

PATCH /Groups/$3
{"schemas":["@patch"],"Operations":[{"op":"remove","path":"members"}]}

GET /Groups/$3
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
            201 {"schemas":["@user"],"id":"$2","userName":"bob"}
            201 {"schemas":["@group"],"id":"$3","displayName":"Retail"}
            204
            204
            200 {"schemas":["@group"],"id":"$3","displayName":"Retail","members":[{"value":"$1","$ref":"http://localhost/scim/v2/Users/$1","type":"User"},{"value":"$2","$ref":"http://localhost/scim/v2/Users/$2","type":"User"}]}
            204
            200 {"schemas":["@group"],"id":"$3","members":[{"value":"$2","$ref":"http://localhost/scim/v2/Users/$2","type":"User"}]}
            204
            200 {"schemas":["@group"],"id":"$3","displayName":"Retail"}
            204
            204
            200 {"schemas":["@group"],"id":"$3","displayName":"Retail"}
        "#]],
    );
}

#[test]
fn members_have_to_exist() {
    check(
        r#"
POST /Groups
{"schemas":["@group"],"displayName":"Retail"}

PATCH /Groups/$1
{"schemas":["@patch"],"Operations":[{"op":"add","path":"members","value":[{"value":"nobody"}]}]}

PATCH /Groups/$1
{"schemas":["@patch"],"Operations":[{"op":"add","path":"members","value":[{"value":"$1"}]}]}

PATCH /Groups/$1
{"schemas":["@patch"],"Operations":[{"op":"add","path":"members","value":["nobody"]}]}

GET /Groups/$1
"#,
        expect![[r#"
            201 {"schemas":["@group"],"id":"$1","displayName":"Retail"}
            400 invalidValue: attribute "members" points at "nobody", which does not exist
            400 invalidValue: attribute "members" points at "$1", which does not exist
            400 invalidValue: the value of "members" is no object
            200 {"schemas":["@group"],"id":"$1","displayName":"Retail"}
        "#]],
    );
}

#[test]
fn nested_groups_and_users_show_where_they_belong() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

POST /Groups
{"schemas":["@group"],"displayName":"Inner","members":[{"value":"$1"}]}

POST /Groups
{"schemas":["@group"],"displayName":"Outer","members":[{"value":"$2"}]}

GET /Users/$1

GET /Groups?filter=members eq "$2"&attributes=displayName

GET /Groups?filter=members[type eq "User"]&attributes=displayName

DELETE /Users/$1

GET /Groups/$2

DELETE /Groups/$2

GET /Groups/$3
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
            201 {"schemas":["@group"],"id":"$2","displayName":"Inner","members":[{"value":"$1","$ref":"http://localhost/scim/v2/Users/$1","type":"User"}]}
            201 {"schemas":["@group"],"id":"$3","displayName":"Outer","members":[{"value":"$2","$ref":"http://localhost/scim/v2/Groups/$2","type":"Group"}]}
            200 {"schemas":["@user"],"id":"$1","userName":"ann","groups":[{"value":"$2","$ref":"http://localhost/scim/v2/Groups/$2","display":"Inner","type":"direct"}]}
            200 {"schemas":["@list"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"schemas":["@group"],"id":"$3","displayName":"Outer"}]}
            200 {"schemas":["@list"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"schemas":["@group"],"id":"$2","displayName":"Inner"}]}
            204
            200 {"schemas":["@group"],"id":"$2","displayName":"Inner"}
            204
            200 {"schemas":["@group"],"id":"$3","displayName":"Outer"}
        "#]],
    );
}

#[test]
fn excluded_members_are_not_shown() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

POST /Groups
{"schemas":["@group"],"displayName":"Retail","members":[{"value":"$1"}]}

GET /Groups?excludedAttributes=members&filter=displayName eq "retail"

GET /Groups/$2?excludedAttributes=members

PATCH /Groups/$2?excludedAttributes=members
{"schemas":["@patch"],"Operations":[{"op":"Replace","path":"displayName","value":"Shops"}]}
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
            201 {"schemas":["@group"],"id":"$2","displayName":"Retail","members":[{"value":"$1","$ref":"http://localhost/scim/v2/Users/$1","type":"User"}]}
            200 {"schemas":["@list"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"schemas":["@group"],"id":"$2","displayName":"Retail"}]}
            200 {"schemas":["@group"],"id":"$2","displayName":"Retail"}
            200 {"schemas":["@group"],"id":"$2","displayName":"Shops"}
        "#]],
    );
}

#[test]
fn a_members_id_does_not_change() {
    check(
        r#"
POST /Users
{"schemas":["@user"],"userName":"ann"}

POST /Groups
{"schemas":["@group"],"displayName":"Retail","members":[{"value":"$1"}]}

PATCH /Groups/$2
{"schemas":["@patch"],"Operations":[{"op":"replace","path":"members[value eq \"$1\"].value","value":"$2"}]}

PATCH /Groups/$2
{"schemas":["@patch"],"Operations":[{"op":"remove","path":"displayName"}]}
"#,
        expect![[r#"
            201 {"schemas":["@user"],"id":"$1","userName":"ann"}
            201 {"schemas":["@group"],"id":"$2","displayName":"Retail","members":[{"value":"$1","$ref":"http://localhost/scim/v2/Users/$1","type":"User"}]}
            400 mutability: attribute "value" cannot be changed
            400 invalidValue: attribute "displayName" is required
        "#]],
    );
}
