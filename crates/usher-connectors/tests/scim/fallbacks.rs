//! What is tried when a service refuses the usual form.

use std::sync::{Arc, Mutex};

use expect_test::expect;
use serde_json::{Value as Json, json};
use usher_core::Change;
use wiremock::{MockServer, Request, ResponseTemplate};

use crate::support::*;

fn operations(request: &Request) -> Vec<Json> {
    let body: Json = serde_json::from_slice(&request.body).unwrap();
    body["Operations"].as_array().unwrap().clone()
}

const MANAGER_OBJECT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn done() -> ResponseTemplate {
    ResponseTemplate::new(204)
}

/// A service without PATCH that keeps what is put, but for some attributes.
async fn without_patch(user: Json, drops: &'static [&'static str]) -> MockServer {
    let server = MockServer::start().await;
    answer(&server, "PATCH", "/Users/u1", error(501, "", "no PATCH")).await;
    let kept = Arc::new(Mutex::new(user));
    let known = kept.clone();
    respond(&server, "GET", "/Users/u1", move |_| scim(200, known.lock().unwrap().clone())).await;
    respond(&server, "PUT", "/Users/u1", move |request| {
        let mut user: Json = serde_json::from_slice(&request.body).unwrap();
        user.as_object_mut().unwrap().retain(|name, _| !drops.contains(&name.as_str()));
        *kept.lock().unwrap() = user.clone();
        scim(200, user)
    })
    .await;
    server
}

#[tokio::test]
async fn without_patch_the_resource_is_read_changed_and_put_back() {
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "u1", "userName": "ann", "title": "Clerk",
        "emails": [{"type": "work", "value": "a@x.example"}], "meta": {"resourceType": "User"}, "groups": [],
    });
    let server = without_patch(user, &[]).await;
    let changes = vec![
        replace(r#"emails[type eq "work"].value"#, "b@x.example"),
        replace("active", "False"),
        add("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "Sales"),
        plain("title", Change::Remove(Vec::new())),
        add("password", "Pa55word!"),
        manager("m1"),
    ];
    let result = connector(&server, "").write(&update("User", "u1", changes)).await;
    check(&server, &written(&result), &expect![[r#"
        written u1
        --
        PATCH /Users/u1 [{"op":"Replace","path":"emails[type eq \"work\"].value","value":"b@x.example"},{"op":"Replace","path":"active","value":"False"},{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Sales"},{"op":"Remove","path":"title"},{"op":"Add","path":"password","value":"Pa55word!"}]
        GET /Users/u1
        PUT /Users/u1 {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"id":"u1","userName":"ann","emails":[{"type":"work","value":"b@x.example"}],"active":false,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"},"password":"Pa55word!"}
        GET /Users/u1
        PATCH /Users/u1 [{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m1"}]
        GET /Users/u1
        PUT /Users/u1 {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"id":"u1","userName":"ann","emails":[{"type":"work","value":"b@x.example"}],"active":false,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales","manager":{"value":"m1"}},"password":"Pa55word!"}
        GET /Users/u1
    "#]]).await;
}

#[tokio::test]
async fn what_a_service_without_patch_drops_in_silence_is_left_out() {
    let server =
        without_patch(json!({"id": "u1", "title": "Clerk", "nickName": "A"}), &["locale", MANAGER_OBJECT])
            .await;
    let connector = connector(&server, "");
    let changes = vec![replace("title", "Boss"), add("locale", "de-CH"), manager("m1")];
    expect![[r#"
        written u1
        left out locale: the service took the resource without this change
        left out urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager: no PATCH
    "#]]
    .assert_eq(&written(&connector.write(&update("User", "u1", changes)).await));
    let nothing = connector.write(&update("User", "u1", vec![add("locale", "de-CH")])).await;
    expect![[r#"
        Unsupported NotImplemented effect None
        PATCH /Users/u1 was answered with status 501 Not Implemented
        detail: no PATCH
        attribute: locale
    "#]]
    .assert_eq(&written(&nothing));
}

#[tokio::test]
async fn a_service_with_neither_patch_nor_put_says_what_it_said_to_patch() {
    let server = MockServer::start().await;
    answer(&server, "PATCH", "/Users/u1", error(405, "", "no PATCH")).await;
    answer(&server, "GET", "/Users/u1", scim(200, json!({"id": "u1"}))).await;
    answer(&server, "PUT", "/Users/u1", error(405, "", "no PUT")).await;
    let result = connector(&server, "").write(&update("User", "u1", vec![replace("title", "Boss")])).await;
    expect![[r#"
        Unsupported MethodNotAllowed effect None
        PATCH /Users/u1 was answered with status 405 Method Not Allowed
        detail: no PATCH
        attribute: title
    "#]]
    .assert_eq(&written(&result));
}

#[tokio::test]
async fn a_path_to_a_missing_entry_becomes_an_add_of_the_whole_entry() {
    let server = MockServer::start().await;
    respond(&server, "PATCH", "/Users/u1", |request| {
        let lacks = operations(request).iter().any(|one| one["path"].as_str().unwrap().contains("\"work\""));
        if lacks { error(400, "noTarget", "no such entry") } else { done() }
    })
    .await;
    let user = json!({"id": "u1", "emails": [{"type": "home", "value": "h", "primary": true}]});
    answer(&server, "GET", "/Users/u1", scim(200, user)).await;
    let changes = vec![
        add("title", "Boss"),
        add(r#"emails[type eq "work"].value"#, "a@x.example"),
        replace(r#"emails[type eq "home"].value"#, "h2"),
        add(r#"addresses[type eq "work"].locality"#, "Bern"),
        add(r#"addresses[type eq "work"].country"#, "CH"),
        plain(r#"phoneNumbers[type eq "work"].value"#, Change::Remove(Vec::new())),
    ];
    let result = connector(&server, "").write(&update("User", "u1", changes)).await;
    check(&server, &written(&result), &expect![[r#"
        written u1
        --
        PATCH /Users/u1 [{"op":"Add","path":"title","value":"Boss"},{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@x.example"},{"op":"Replace","path":"emails[type eq \"home\"].value","value":"h2"},{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Bern"},{"op":"Add","path":"addresses[type eq \"work\"].country","value":"CH"},{"op":"Remove","path":"phoneNumbers[type eq \"work\"].value"}]
        GET /Users/u1
        PATCH /Users/u1 [{"op":"Add","path":"title","value":"Boss"},{"op":"Replace","path":"emails[type eq \"home\"].value","value":"h2"},{"op":"Add","path":"emails","value":[{"type":"work","value":"a@x.example"}]},{"op":"Add","path":"addresses","value":[{"type":"work","locality":"Bern","country":"CH"}]}]
    "#]]).await;
}

#[tokio::test]
async fn grouped_names_with_dots_are_sent_one_by_one_when_refused_and_so_from_then_on() {
    let server = MockServer::start().await;
    respond(&server, "PATCH", "/Users/u1", |request| {
        let is_grouped = operations(request).iter().any(|one| one.get("path").is_none());
        if is_grouped { error(400, "invalidSyntax", "unknown key name.givenName") } else { done() }
    })
    .await;
    let connector = connector(&server, "?aadOptscim062020");
    let changes = || vec![replace("name.givenName", "Ann"), replace("title", "Boss")];
    let first = connector.write(&update("User", "u1", changes())).await;
    let second = connector.write(&update("User", "u1", changes())).await;
    check(&server, &(written(&first) + &written(&second)), &expect![[r#"
        written u1
        written u1
        --
        PATCH /Users/u1 [{"op":"replace","value":{"name.givenName":"Ann","title":"Boss"}}]
        PATCH /Users/u1 [{"op":"replace","path":"name.givenName","value":"Ann"},{"op":"replace","path":"title","value":"Boss"}]
        PATCH /Users/u1 [{"op":"replace","path":"name.givenName","value":"Ann"},{"op":"replace","path":"title","value":"Boss"}]
    "#]]).await;
}

#[tokio::test]
async fn a_manager_refused_as_text_is_sent_as_an_object_and_so_from_then_on() {
    let server = MockServer::start().await;
    respond(&server, "PATCH", "/Users/u1", |request| {
        if operations(request)[0]["value"].is_string() {
            error(400, "invalidValue", "not an object")
        } else {
            done()
        }
    })
    .await;
    let connector = connector(&server, "");
    let first = connector.write(&update("User", "u1", vec![manager("m1")])).await;
    let second = connector.write(&update("User", "u1", vec![manager("m2")])).await;
    check(&server, &(written(&first) + &written(&second)), &expect![[r#"
        written u1
        written u1
        --
        PATCH /Users/u1 [{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m1"}]
        PATCH /Users/u1 [{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"value":"m1"}}]
        PATCH /Users/u1 [{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"value":"m2"}}]
    "#]]).await;
}

#[tokio::test]
async fn a_refused_manager_does_not_take_the_other_attributes_with_it() {
    let server = MockServer::start().await;
    respond(&server, "PATCH", "/Users/u1", |request| {
        if operations(request)[0]["path"] == MANAGER {
            error(400, "invalidValue", "no such user")
        } else {
            done()
        }
    })
    .await;
    let result = connector(&server, "")
        .write(&update("User", "u1", vec![replace("title", "Boss"), manager("m1")]))
        .await;
    check(&server, &written(&result), &expect![[r#"
        written u1
        left out urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager: invalidValue: no such user
        --
        PATCH /Users/u1 [{"op":"Replace","path":"title","value":"Boss"}]
        PATCH /Users/u1 [{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m1"}]
        PATCH /Users/u1 [{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"value":"m1"}}]
    "#]]).await;
}

#[tokio::test]
async fn a_failing_service_is_no_refusal_of_the_manager() {
    let server = MockServer::start().await;
    answer(&server, "PATCH", "/Users/u1", error(429, "", "slow down").insert_header("Retry-After", "1"))
        .await;
    let result = connector(&server, "").write(&update("User", "u1", vec![manager("m1")])).await;
    expect![[r#"
        Throttled TooManyRequests effect None
        PATCH /Users/u1 was answered with status 429 Too Many Requests
        detail: slow down
        retry after: 1s
    "#]]
    .assert_eq(&written(&result));
}

#[tokio::test]
async fn a_block_of_members_that_is_refused_goes_one_by_one() {
    let server = MockServer::start().await;
    respond(&server, "PATCH", "/Groups/g1", |request| {
        let values = operations(request)[0]["value"].as_array().unwrap().clone();
        let is_unknown = |one: &Json| one["value"] == "gone";
        if values.iter().any(is_unknown) { error(400, "invalidValue", "no such member") } else { done() }
    })
    .await;
    let change = members(Change::Add(ids(&["u1", "gone", "u2"])));
    let result = connector(&server, "").write(&update("Group", "g1", vec![change])).await;
    check(&server, &written(&result), &expect![[r#"
        written g1
        left out members: gone: invalidValue: no such member
        --
        PATCH /Groups/g1 [{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"},{"$ref":null,"value":"gone"},{"$ref":null,"value":"u2"}]}]
        PATCH /Groups/g1 [{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"}]}]
        PATCH /Groups/g1 [{"op":"Add","path":"members","value":[{"$ref":null,"value":"gone"}]}]
        PATCH /Groups/g1 [{"op":"Add","path":"members","value":[{"$ref":null,"value":"u2"}]}]
    "#]]).await;
}

#[tokio::test]
async fn a_service_that_takes_no_blocks_gets_none_any_more() {
    let server = MockServer::start().await;
    respond(&server, "PATCH", "/Groups/g1", |request| {
        if operations(request)[0]["value"].as_array().unwrap().len() > 1 {
            error(413, "tooMany", "one, please")
        } else {
            done()
        }
    })
    .await;
    let connector = connector(&server, "");
    for _ in 0..2 {
        let change = members(Change::Add(ids(&["u1", "u2"])));
        assert_eq!(written(&connector.write(&update("Group", "g1", vec![change])).await), "written g1\n");
    }
    check(&server, "", &expect![[r#"
        --
        PATCH /Groups/g1 [{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"},{"$ref":null,"value":"u2"}]}]
        PATCH /Groups/g1 [{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"}]}]
        PATCH /Groups/g1 [{"op":"Add","path":"members","value":[{"$ref":null,"value":"u2"}]}]
        PATCH /Groups/g1 [{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"}]}]
        PATCH /Groups/g1 [{"op":"Add","path":"members","value":[{"$ref":null,"value":"u2"}]}]
    "#]]).await;
}

#[tokio::test]
async fn members_are_removed_by_path_where_the_older_form_is_refused() {
    let server = MockServer::start().await;
    respond(&server, "PATCH", "/Groups/g1", |request| {
        if operations(request)[0].get("value").is_some() {
            error(400, "invalidSyntax", "no value with remove")
        } else {
            done()
        }
    })
    .await;
    let connector = connector(&server, "");
    for _ in 0..2 {
        let change = members(Change::Remove(ids(&["u1", "u2"])));
        assert_eq!(written(&connector.write(&update("Group", "g1", vec![change])).await), "written g1\n");
    }
    check(&server, "", &expect![[r#"
        --
        PATCH /Groups/g1 [{"op":"Remove","path":"members","value":[{"$ref":null,"value":"u1"},{"$ref":null,"value":"u2"}]}]
        PATCH /Groups/g1 [{"op":"Remove","path":"members[value eq \"u1\"]"},{"op":"Remove","path":"members[value eq \"u2\"]"}]
        PATCH /Groups/g1 [{"op":"Remove","path":"members[value eq \"u1\"]"},{"op":"Remove","path":"members[value eq \"u2\"]"}]
    "#]]).await;
}

#[tokio::test]
async fn a_member_that_is_there_already_or_gone_already_is_a_success() {
    let server = MockServer::start().await;
    respond(&server, "PATCH", "/Groups/g1", |request| match operations(request)[0]["op"].as_str().unwrap() {
        "add" => error(409, "uniqueness", "is a member"),
        _ => error(400, "noTarget", "is no member"),
    })
    .await;
    let connector = connector(&server, "?aadOptscim062020");
    for change in
        [Change::Add(ids(&["u1"])), Change::Remove(ids(&["u1"])), Change::Remove(ids(&["u1", "u2"]))]
    {
        let result = connector.write(&update("Group", "g1", vec![members(change)])).await;
        assert_eq!(written(&result), "written g1\n");
    }
}

#[tokio::test]
async fn a_group_that_is_gone_is_a_failure_of_the_group() {
    let server = MockServer::start().await;
    answer(&server, "PATCH", "/Groups/g1", error(404, "", "gone")).await;
    let change = members(Change::Add(ids(&["u1", "u2"])));
    let result = connector(&server, "").write(&update("Group", "g1", vec![change])).await;
    expect![[r#"
        NotFound InvalidAnchor effect None
        PATCH /Groups/g1 was answered with status 404 Not Found
        detail: gone
    "#]]
    .assert_eq(&written(&result));
}

#[tokio::test]
async fn a_group_refused_for_its_second_schema_is_made_with_the_core_schema_and_so_from_then_on() {
    let server = MockServer::start().await;
    respond(&server, "POST", "/Groups", |request| {
        let body: Json = serde_json::from_slice(&request.body).unwrap();
        if body["schemas"].as_array().unwrap().len() > 1 {
            error(400, "invalidValue", "unknown schema")
        } else {
            scim(201, json!({"id": body["displayName"]}))
        }
    })
    .await;
    let connector = connector(&server, "");
    let mut outcome = String::new();
    for name in ["Retail", "Sales"] {
        let mut operation = create(vec![add("displayName", name)]);
        operation.object_type = "Group".into();
        outcome.push_str(&written(&connector.write(&operation).await));
    }
    check(&server, &outcome, &expect![[r#"
        written Retail
        written Sales
        --
        POST /Groups {"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],"displayName":"Retail","meta":{"resourceType":"Group"}}
        POST /Groups {"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Retail","meta":{"resourceType":"Group"}}
        POST /Groups {"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Sales","meta":{"resourceType":"Group"}}
    "#]]).await;
}
