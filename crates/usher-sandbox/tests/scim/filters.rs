//! Filters and pages.

use expect_test::{Expect, expect};
use usher_sandbox::{Options, Sandbox};

use crate::conversation::{TOKEN, check_on, run};

/// Names the users that a filter finds among three, or the refusal.
#[track_caller]
fn check(filter: &str, expected: Expect) {
    let sandbox = people();
    let answer = run(&sandbox, &format!("GET /Users?attributes=userName&filter={filter}"));
    let names: Vec<&str> =
        answer.split("\"userName\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let found = if answer.starts_with("200") { names.join(" ") } else { answer.trim().to_owned() };
    expected.assert_eq(&found);
}

fn people() -> Sandbox {
    let sandbox = Sandbox::new(Options::new(TOKEN));
    run(
        &sandbox,
        r#"
POST /Users
{"schemas":["@user"],"userName":"Ann@b.example","externalId":"A1","active":true,"title":"Clerk","displayName":"Ann",
 "emails":[{"type":"work","value":"ann@b.example","primary":true},{"type":"home","value":"ann@home.example"}],
 "roles":[{"primary":true,"value":"Admin"}]}

POST /Users
{"schemas":["@user"],"userName":"bob@b.example","externalId":"a1","active":false,
 "@enterprise":{"department":"Sales","manager":{"value":"$1"}}}

POST /Users
{"schemas":["@user"],"userName":"cy@b.example","name":{"givenName":"Cy \"C\""}}

POST /Groups
{"schemas":["@group"],"displayName":"Retail","members":[{"value":"$3"}]}
"#,
    );
    sandbox
}

#[test]
fn equality_follows_the_case_rule_of_the_attribute() {
    check(r#"userName eq "ann@B.example""#, expect!["Ann@b.example"]);
    check(r#"externalId eq "A1""#, expect!["Ann@b.example"]);
    check(r#"USERNAME EQ "cy@b.example""#, expect!["cy@b.example"]);
    check(r#"userName eq "nobody""#, expect![[r#""#]]);
}

#[test]
fn value_paths_are_understood_with_and_without_comparison() {
    check(r#"emails[type eq "work"].value eq "ANN@b.example""#, expect!["Ann@b.example"]);
    check(r#"emails[type eq "work"].value eq "ann@home.example""#, expect![[r#""#]]);
    check(r#"emails[type eq "home" and value ew "example"]"#, expect!["Ann@b.example"]);
    check(r#"emails[type eq "work"].display pr"#, expect![[r#""#]]);
    check(r#"roles[primary eq "True"].value eq "admin""#, expect!["Ann@b.example"]);
    check(r#"emails.type eq "home""#, expect!["Ann@b.example"]);
    check(r#"emails co "home""#, expect!["Ann@b.example"]);
}

#[test]
fn operators() {
    check(r#"userName sw "b""#, expect!["bob@b.example"]);
    check(r#"userName co "B.EX""#, expect!["Ann@b.example bob@b.example cy@b.example"]);
    check(r#"userName gt "b" and userName lt "c""#, expect!["bob@b.example"]);
    check(r#"userName ge "bob@b.example""#, expect!["bob@b.example cy@b.example"]);
    check(r#"userName le "ann@b.example""#, expect!["Ann@b.example"]);
    check("title pr", expect!["Ann@b.example"]);
    check("not (title pr)", expect!["bob@b.example cy@b.example"]);
    check("active eq true", expect!["Ann@b.example"]);
    check(r#"active eq "False""#, expect!["bob@b.example"]);
    check("active ne true", expect!["bob@b.example cy@b.example"]);
    check("title eq null", expect!["bob@b.example cy@b.example"]);
    check("title ne null", expect!["Ann@b.example"]);
    check(r#"title ne "clerk""#, expect!["bob@b.example cy@b.example"]);
    check(r#"name.givenName eq "Cy \"C\"""#, expect!["cy@b.example"]);
}

#[test]
fn and_binds_stronger_than_or() {
    check(r#"userName sw "a" or userName sw "b" and active eq true"#, expect!["Ann@b.example"]);
    check(r#"(userName sw "a" or userName sw "b") and active eq false"#, expect!["bob@b.example"]);
}

#[test]
fn extension_attributes_need_no_urn() {
    check(r#"@enterprise:department eq "sales""#, expect!["bob@b.example"]);
    check(r#"department eq "sales""#, expect!["bob@b.example"]);
    check(r#"@user:userName sw "cy""#, expect!["cy@b.example"]);
}

#[test]
fn computed_attributes_can_be_asked_for() {
    check(r#"groups.display eq "retail""#, expect!["cy@b.example"]);
    check(r#"meta.created gt "2026-01-01T00:00:01Z""#, expect!["cy@b.example"]);
    check(r#"meta.resourceType eq "User""#, expect!["Ann@b.example bob@b.example cy@b.example"]);
    check(r#"schemas eq "@enterprise""#, expect!["bob@b.example"]);
    check("manager.displayName pr", expect!["bob@b.example"]);
}

#[test]
fn refusals_say_what_is_wrong() {
    check(
        r#"shoeSize eq "44""#,
        expect![[r#"400 invalidFilter: attribute "shoeSize" is not in the schema"#]],
    );
    check("userName", expect![[r#"400 invalidFilter: "" is no operator"#]]);
    check("userName eq", expect![[r#"400 invalidFilter: "" is no value; texts stand in quotes"#]]);
    check("userName eq ann", expect![[r#"400 invalidFilter: "ann" is no value; texts stand in quotes"#]]);
    check("userName eq 7", expect![[r#"400 invalidFilter: "userName" is compared with a text"#]]);
    check(r#"userName eq "ann"#, expect!["400 invalidFilter: a quote is not closed"]);
    check(r#"userName is "ann""#, expect![[r#"400 invalidFilter: "is" is no operator"#]]);
    check(
        r#"userName eq "ann" userName"#,
        expect![[r#"400 invalidFilter: unexpected text after the filter: userName eq "ann" userName"#]],
    );
    check(r#"userName eq "ann" and"#, expect![[r#"400 invalidFilter: an attribute is missing before """#]]);
    check(r#"(userName eq "ann""#, expect![[r#"400 invalidFilter: ')' is missing before """#]]);
    check(
        r#"name[givenName eq "x"]"#,
        expect![[r#"400 invalidFilter: attribute "name" has no list of values to choose from"#]],
    );
    check(r#"name eq "x""#, expect![[r#"400 invalidFilter: attribute "name" has no part "value""#]]);
    check("active gt true", expect![[r#"400 invalidFilter: "active" has no order"#]]);
    check(
        r#"meta.created gt "yesterday""#,
        expect![[r#"400 invalidFilter: "yesterday" is no date and time"#]],
    );
    check(
        r#"@enterprise eq "x""#,
        expect![[r#"400 invalidFilter: "@enterprise" is a schema, not an attribute"#]],
    );
    check(
        &format!("{}title pr{}", "(".repeat(40), ")".repeat(40)),
        expect!["400 invalidFilter: the filter is nested too deeply"],
    );
}

#[test]
fn reference_check_of_old_clients_works() {
    let sandbox = people();
    let ids: Vec<String> =
        sandbox.users().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect();
    let request =
        format!(r#"GET /Users?attributes=userName&filter=id eq "{}" and manager eq "{}""#, ids[1], ids[0]);
    assert!(run(&sandbox, &request).contains(r#""totalResults":1"#));
    let request =
        format!(r#"GET /Users?attributes=userName&filter=manager eq "{}" and id eq "{}""#, ids[1], ids[0]);
    assert!(run(&sandbox, &request).contains(r#""totalResults":0"#));
}

#[test]
fn pages_begin_at_one_and_are_clamped() {
    let sandbox = Sandbox::new(Options { page_limit: 2, ..Options::new(TOKEN) });
    check_on(
        &sandbox,
        r#"
POST /Groups
{"schemas":["@group"],"displayName":"A"}

POST /Groups
{"schemas":["@group"],"displayName":"B"}

POST /Groups
{"schemas":["@group"],"displayName":"C"}

GET /Groups?attributes=displayName

GET /Groups?attributes=displayName&startIndex=3&count=50

GET /Groups?startIndex=9

GET /Groups?startIndex=-4&count=0

GET /Groups?count=-1

GET /Groups?count=many

GET /Groups?startIndex=99999999999999999999
"#,
        expect![[r#"
            201 {"schemas":["@group"],"id":"$1","displayName":"A"}
            201 {"schemas":["@group"],"id":"$2","displayName":"B"}
            201 {"schemas":["@group"],"id":"$3","displayName":"C"}
            200 {"schemas":["@list"],"totalResults":3,"startIndex":1,"itemsPerPage":2,"Resources":[{"schemas":["@group"],"id":"$1","displayName":"A"},{"schemas":["@group"],"id":"$2","displayName":"B"}]}
            200 {"schemas":["@list"],"totalResults":3,"startIndex":3,"itemsPerPage":1,"Resources":[{"schemas":["@group"],"id":"$3","displayName":"C"}]}
            200 {"schemas":["@list"],"totalResults":3,"startIndex":9,"itemsPerPage":0,"Resources":[]}
            200 {"schemas":["@list"],"totalResults":3,"startIndex":1,"itemsPerPage":0,"Resources":[]}
            200 {"schemas":["@list"],"totalResults":3,"startIndex":1,"itemsPerPage":0,"Resources":[]}
            400 invalidValue: query parameter "count" is no whole number
            400 invalidValue: query parameter "startIndex" is no whole number
        "#]],
    );
}
