//! The directory around synchronization: order, search, expansion, relations, deltas, the bin, upserts, batches.

use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::stage::{Reply, Stage};

/// A user: the id.
async fn user(stage: &Stage, name: &str) -> String {
    let body = json!({
        "accountEnabled": true, "displayName": name, "mailNickname": name, "userPrincipalName": format!("{name}@x"),
        "passwordProfile": { "password": "x" }, "proxyAddresses": [format!("smtp:{name}@x")],
    });
    text(&stage.must("POST", "/v1.0/users", body, 201).await["id"])
}

/// A group with members: the id.
async fn group(stage: &Stage, name: &str, members: &[&str]) -> String {
    let members: Vec<String> =
        members.iter().map(|id| format!("https://usher.test/v1.0/users/{id}")).collect();
    let body = json!({
        "displayName": name, "mailEnabled": false, "mailNickname": name, "securityEnabled": true,
        "members@odata.bind": members,
    });
    text(&stage.must("POST", "/v1.0/groups", body, 201).await["id"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is a text").to_owned()
}

/// What a member of each thing on a page is.
fn each(page: &Value, member: &str) -> Vec<String> {
    page["value"].as_array().expect("it is a page").iter().map(|one| text(&one[member])).collect()
}

/// A query with `ConsistencyLevel: eventual`.
async fn eventual(stage: &Stage, path: &str) -> Reply {
    get_with(stage, path, ("consistencylevel", "eventual")).await
}

async fn get_with(stage: &Stage, path: &str, (name, value): (&str, &str)) -> Reply {
    let request =
        Request::get(path).header("authorization", format!("Bearer {}", stage.token)).header(name, value);
    stage.raw(request.body(axum::body::Body::empty()).expect("it can be sent")).await
}

async fn get(stage: &Stage, path: &str) -> Value {
    stage.must("GET", path, Value::Null, 200).await
}

/// The path of a link.
fn path(link: &Value) -> String {
    text(link).strip_prefix("https://usher.test").expect("it is ours").to_owned()
}

#[tokio::test]
async fn pages_in_order_follow_each_other_and_miss_nobody() {
    let stage = Stage::new().await;
    for name in ["carla", "Bert", "anna", "dora", "Egon"] {
        user(&stage, name).await;
    }
    for (order, expected) in [
        ("displayName", ["anna", "Bert", "carla", "dora", "Egon"]),
        ("displayName desc", ["Egon", "dora", "carla", "Bert", "anna"]),
    ] {
        let mut next = Some(format!("/v1.0/users?$top=2&$orderby={}", order.replace(' ', "%20")));
        let mut seen = Vec::new();
        while let Some(link) = next {
            let page = get(&stage, &link).await;
            seen.extend(each(&page, "displayName"));
            next = page.get("@odata.nextLink").map(path);
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn words_are_searched_and_lists_filtered() {
    let stage = Stage::new().await;
    for name in ["ann-lee", "lee", "bob"] {
        user(&stage, name).await;
    }
    for (query, expected) in [
        ("$search=%22displayName:lee%22", vec!["ann-lee", "lee"]),
        ("$search=%22displayName:lee%22%20AND%20%22displayName:an%22", vec!["ann-lee"]),
        ("$search=%22displayName:ann%22%20OR%20%22displayName:bob%22", vec!["ann-lee", "bob"]),
        ("$filter=proxyAddresses/any(p:p%20eq%20'smtp:bob@x')", vec!["bob"]),
        ("$count=true&$filter=proxyAddresses/any(p:endsWith(p,'lee@x'))", vec!["ann-lee", "lee"]),
        (
            "$count=true&$filter=not%20startsWith(displayName,'l')%20and%20proxyAddresses/$count%20ne%200",
            vec!["ann-lee", "bob"],
        ),
    ] {
        let reply = eventual(&stage, &format!("/v1.0/users?{query}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{query}: {}", reply.body);
        let mut found = each(&reply.body, "displayName");
        found.sort();
        assert_eq!(found, expected, "{query}");
    }
    let count = eventual(&stage, "/v1.0/users/$count?$filter=displayName%20ne%20'bob'").await;
    assert_eq!(count.body, json!(2));
    let without = stage.send("GET", "/v1.0/users/$count", Value::Null).await;
    assert_eq!((without.status, without.code()), (StatusCode::BAD_REQUEST, "Request_UnsupportedQuery"));
}

#[tokio::test]
async fn managers_are_expanded_upwards_and_reports_downwards() {
    let stage = Stage::new().await;
    let (a, b, c) = (user(&stage, "a").await, user(&stage, "b").await, user(&stage, "c").await);
    for (user, manager) in [(&a, &b), (&b, &c), (&c, &a)] {
        let link = json!({ "@odata.id": format!("https://usher.test/v1.0/users/{manager}") });
        stage.must("PUT", &format!("/v1.0/users/{user}/manager/$ref"), link, 204).await;
    }
    let seen = eventual(
        &stage,
        &format!("/v1.0/users/{a}?$select=id&$count=true&$expand=manager($levels=max;$select=id)"),
    )
    .await
    .body;
    assert_eq!(seen["manager"]["id"], json!(b));
    assert_eq!(seen["manager"]["manager"]["id"], json!(c));
    assert!(seen["manager"]["manager"].get("manager").is_none(), "a circle ends where it began");
    let reports = get(&stage, &format!("/v1.0/users/{b}/directReports?$select=displayName")).await;
    assert_eq!(each(&reports, "displayName"), ["a"]);
    let reference = get(&stage, &format!("/v1.0/users/{a}/manager/$ref")).await;
    assert_eq!(reference, json!(format!("https://usher.test/v1.0/directoryObjects/{b}")));
    let all = get(&stage, "/v1.0/users?$expand=manager($select=displayName)&$select=displayName").await;
    assert!(
        all["value"]
            .as_array()
            .is_some_and(|users| users.iter().all(|user| user["manager"]["displayName"].is_string()))
    );
}

#[tokio::test]
async fn membership_is_seen_from_both_ends_and_through_groups() {
    let stage = Stage::new().await;
    let (a, b) = (user(&stage, "a").await, user(&stage, "b").await);
    let inner = group(&stage, "inner", &[&a]).await;
    let outer = group(&stage, "outer", &[&inner, &b]).await;
    let of = |name: &str| format!("/v1.0/groups/{outer}/{name}?$select=displayName");
    assert_eq!(each(&get(&stage, &of("members/microsoft.graph.user")).await, "displayName"), ["b"]);
    assert_eq!(each(&get(&stage, &of("members/microsoft.graph.group")).await, "displayName"), ["inner"]);
    let mut all = each(&get(&stage, &of("transitiveMembers")).await, "displayName");
    all.sort();
    assert_eq!(all, ["a", "b", "inner"]);
    assert_eq!(
        eventual(&stage, &format!("/v1.0/groups/{outer}/transitiveMembers/$count")).await.body,
        json!(3)
    );
    let mut groups = each(&get(&stage, &format!("/v1.0/users/{a}/transitiveMemberOf")).await, "displayName");
    groups.sort();
    assert_eq!(groups, ["inner", "outer"]);
    let direct = get(&stage, &format!("/v1.0/users/{a}/memberOf")).await;
    assert_eq!(each(&direct, "@odata.type"), ["#microsoft.graph.group"]);
    let body = json!({ "securityEnabledOnly": true });
    let ids = stage.must("POST", &format!("/v1.0/users/{a}/getMemberGroups"), body, 200).await;
    assert_eq!(ids["value"].as_array().map(Vec::len), Some(2));
    let body = json!({ "groupIds": [outer, a] });
    let ids = stage.must("POST", &format!("/v1.0/users/{a}/checkMemberGroups"), body, 200).await;
    assert_eq!(ids["value"], json!([outer]));
    let references = get(&stage, &format!("/v1.0/groups/{inner}/members/$ref")).await;
    assert_eq!(references["value"], json!([format!("https://usher.test/v1.0/directoryObjects/{a}")]));
    let body = json!({ "ids": [a, outer, "33333333-3333-3333-3333-333333333333"], "types": ["user"] });
    let found = stage.must("POST", "/v1.0/directoryObjects/getByIds", body, 200).await;
    assert_eq!(each(&found, "id"), [a]);
}

#[tokio::test]
async fn groups_without_owners_are_found() {
    let stage = Stage::new().await;
    let (a, b) = (user(&stage, "a").await, user(&stage, "b").await);
    for (name, owners) in [("none", &[] as &[&String]), ("one", &[&a]), ("two", &[&a, &b])] {
        let id = group(&stage, name, &[]).await;
        for owner in owners {
            let link = json!({ "@odata.id": format!("https://usher.test/v1.0/users/{owner}") });
            stage.must("POST", &format!("/v1.0/groups/{id}/owners/$ref"), link, 204).await;
        }
    }
    for (filter, expected) in [
        ("owners/$count%20eq%200", &["none"] as &[&str]),
        ("owners/$count%20ne%200", &["one", "two"]),
        ("owners/$count%20eq%201", &["one"]),
        ("owners/$count%20ne%201", &["none", "two"]),
    ] {
        let page = eventual(&stage, &format!("/v1.0/groups?$count=true&$filter={filter}")).await.body;
        let mut found = each(&page, "displayName");
        found.sort();
        assert_eq!(found, expected, "{filter}");
        assert_eq!(page["@odata.count"], expected.len());
        let count = eventual(&stage, &format!("/v1.0/groups/$count?$filter={filter}")).await.body;
        assert_eq!(count, json!(expected.len()));
    }
    for (filter, count) in [("assignedLicenses/$count%20eq%200", 2), ("assignedLicenses/$count%20ne%200", 0)]
    {
        let page = eventual(&stage, &format!("/v1.0/users?$count=true&$filter={filter}")).await.body;
        assert_eq!(page["@odata.count"], count, "{filter}");
    }
    for wrong in ["owners/$count%20gt%200", "owners/any(o:o/id%20eq%20'a')"] {
        let reply = eventual(&stage, &format!("/v1.0/groups?$count=true&$filter={wrong}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

/// Follows a delta query to its end: what came, and the link for the next round.
async fn walk(stage: &Stage, first: String) -> (Vec<Value>, String) {
    let mut link = first;
    let mut seen = Vec::new();
    loop {
        let page = get(stage, &link).await;
        seen.extend(page["value"].as_array().expect("it is a page").clone());
        match page.get("@odata.deltaLink") {
            Some(last) => return (seen, path(last)),
            None => link = path(&page["@odata.nextLink"]),
        }
    }
}

#[tokio::test]
async fn a_delta_tells_what_changed_and_nothing_else() {
    let stage = Stage::new().await;
    let (a, b) = (user(&stage, "a").await, user(&stage, "b").await);
    let (all, link) =
        walk(&stage, "/v1.0/users/microsoft.graph.delta()?$select=displayName,manager".to_owned()).await;
    assert_eq!(all.len(), 2);
    let (nothing, link) = walk(&stage, link).await;
    assert_eq!(nothing, [] as [Value; 0]);
    stage.must("PATCH", &format!("/v1.0/users/{a}"), json!({ "displayName": "A" }), 204).await;
    stage.must("DELETE", &format!("/v1.0/users/{b}"), Value::Null, 204).await;
    let c = user(&stage, "c").await;
    let manager = json!({ "@odata.id": format!("https://usher.test/v1.0/users/{c}") });
    stage.must("PUT", &format!("/v1.0/users/{a}/manager/$ref"), manager, 204).await;
    let (changed, link) = walk(&stage, link).await;
    let find = |changed: &[Value], id: &str| changed.iter().find(|one| one["id"] == id).cloned().expect(id);
    assert_eq!(changed.len(), 3);
    assert_eq!(find(&changed, &b)["@removed"]["reason"], "changed");
    assert_eq!(find(&changed, &a)["displayName"], "A");
    assert_eq!(find(&changed, &a)["manager@delta"][0]["id"], json!(c));
    stage.must("DELETE", &format!("/v1.0/directory/deletedItems/{b}"), Value::Null, 204).await;
    stage.must("DELETE", &format!("/v1.0/users/{a}/manager/$ref"), Value::Null, 204).await;
    let (changed, _) = walk(&stage, link).await;
    assert_eq!(find(&changed, &b)["@removed"]["reason"], "deleted");
    assert_eq!(find(&changed, &a)["manager@delta"][0]["@removed"]["reason"], "deleted");
}

#[tokio::test]
async fn a_delta_that_is_to_be_minimal_tells_of_changed_properties_only() {
    let stage = Stage::new().await;
    let a = user(&stage, "a").await;
    let (_, link) = walk(&stage, "/v1.0/users/delta".to_owned()).await;
    stage.must("PATCH", &format!("/v1.0/users/{a}"), json!({ "jobTitle": "Head" }), 204).await;
    let b = user(&stage, "b").await;
    let answer = get_with(&stage, &link, ("prefer", "return=minimal")).await;
    assert_eq!(answer.header("preference-applied"), "return=minimal");
    let find = |id: &str| {
        let all = answer.body["value"].as_array().expect("a page has values");
        all.iter().find(|one| one["id"] == id).cloned().expect(id)
    };
    assert_eq!(find(&a), json!({ "id": a, "jobTitle": "Head" }));
    assert_eq!(find(&b)["displayName"], "b", "all of what is new is told");
    let whole = stage.send("GET", &link, Value::Null).await;
    assert!(whole.body["value"].to_string().contains("userPrincipalName"));
    assert!(!whole.headers.contains_key("preference-applied"));
}

#[tokio::test]
async fn a_delta_of_groups_tells_members_that_come_and_go() {
    let stage = Stage::new().await;
    let (a, b, c) = (user(&stage, "a").await, user(&stage, "b").await, user(&stage, "c").await);
    let id = group(&stage, "g", &[&a, &b]).await;
    let (all, link) = walk(&stage, "/v1.0/groups/delta".to_owned()).await;
    assert_eq!(all[0]["members@delta"].as_array().map(Vec::len), Some(2));
    stage.must("DELETE", &format!("/v1.0/groups/{id}/members/{a}/$ref"), Value::Null, 204).await;
    let reference = json!({ "@odata.id": format!("https://usher.test/v1.0/users/{c}") });
    stage.must("POST", &format!("/v1.0/groups/{id}/members/$ref"), reference, 204).await;
    stage.must("DELETE", &format!("/v1.0/users/{b}"), Value::Null, 204).await;
    let (changed, link) = walk(&stage, link).await;
    let members = changed[0]["members@delta"].as_array().expect("members changed");
    let gone = |id: &str| members.iter().find(|one| one["id"] == id).map(|one| one.get("@removed").is_some());
    assert_eq!((gone(&a), gone(&b), gone(&c)), (Some(true), Some(true), Some(false)));
    stage.must("POST", &format!("/v1.0/directory/deletedItems/{b}/restore"), Value::Null, 200).await;
    let (changed, _) = walk(&stage, link).await;
    assert_eq!(changed[0]["members@delta"][0]["id"], json!(b));
    assert!(
        changed[0]["members@delta"][0].get("@removed").is_none(),
        "whoever is restored is a member again"
    );
}

#[tokio::test]
async fn a_delta_of_all_objects_says_what_each_is() {
    let stage = Stage::new().await;
    let (_, link) = walk(&stage, "/v1.0/directoryObjects/delta".to_owned()).await;
    let a = user(&stage, "a").await;
    let g = group(&stage, "g", &[&a]).await;
    let (changed, link) = walk(&stage, link).await;
    let told: Vec<(String, String)> =
        changed.iter().map(|one| (text(&one["@odata.type"]), text(&one["id"]))).collect();
    assert_eq!(
        told,
        [("#microsoft.graph.user".to_owned(), a.clone()), ("#microsoft.graph.group".to_owned(), g)]
    );
    assert_eq!(changed[1]["members@delta"][0]["id"], json!(a));
    stage.must("DELETE", &format!("/v1.0/users/{a}"), Value::Null, 204).await;
    let (changed, _) = walk(&stage, link.clone()).await;
    let gone = changed.iter().find(|one| one["id"] == a).expect("it is told");
    assert_eq!(gone["@removed"]["reason"], "changed");
    let wrong = link.replace("/directoryObjects/", "/users/");
    stage.must("GET", &wrong, Value::Null, 400).await;
    // Page after page, nothing is missed and nothing comes twice.
    for number in 0..5 {
        user(&stage, &format!("p{number}")).await;
        group(&stage, &format!("p{number}"), &[]).await;
    }
    let mut next = link;
    let mut ids = Vec::new();
    loop {
        let request = Request::get(&next)
            .header("authorization", format!("Bearer {}", stage.token))
            .header("prefer", "odata.maxpagesize=3");
        let page = stage.raw(request.body(axum::body::Body::empty()).expect("it can be sent")).await.body;
        ids.extend(each(&page, "id"));
        match page.get("@odata.nextLink") {
            Some(link) => next = path(link),
            None => break,
        }
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((all, ids.len()), (12, 12), "ten new ones, who went, and the group that lost a member");
}

#[tokio::test]
async fn memberships_are_cast_to_groups() {
    let stage = Stage::new().await;
    let a = user(&stage, "a").await;
    let inner = group(&stage, "inner", &[&a]).await;
    group(&stage, "outer", &[&inner]).await;
    let of = |name: &str| format!("/v1.0/users/{a}/{name}/microsoft.graph.group?$select=displayName");
    let direct = get(&stage, &of("memberOf")).await;
    assert_eq!(direct["value"], json!([{ "displayName": "inner" }]));
    assert_eq!(each(&get(&stage, &of("transitiveMemberOf")).await, "displayName").len(), 2);
}

#[tokio::test]
async fn delta_tokens_grow_old_and_cannot_be_mixed_up() {
    let stage = Stage::new().await;
    user(&stage, "a").await;
    let latest = get(&stage, "/v1.0/users/delta?$deltatoken=latest").await;
    assert_eq!(latest["value"], json!([]));
    let link = path(&latest["@odata.deltaLink"]);
    for (query, code) in [
        (link.replace("/users/", "/groups/"), "Request_BadRequest"),
        (format!("{link}&$select=id"), "Request_BadRequest"),
        ("/v1.0/users/delta?$deltatoken=x".to_owned(), "Request_BadRequest"),
        ("/v1.0/users/delta?$top=1".to_owned(), "Request_UnsupportedQuery"),
        ("/v1.0/users/delta?$filter=displayName%20eq%20'a'".to_owned(), "Request_UnsupportedQuery"),
    ] {
        let reply = stage.send("GET", &query, Value::Null).await;
        assert_eq!((reply.status, reply.code()), (StatusCode::BAD_REQUEST, code), "{query}");
    }
    let (_, token) = stage.client("reader", &["User.Read.All"]).await;
    assert_eq!(stage.with_token(&token, "GET", &link, Value::Null).await.status, StatusCode::OK);
    stage.clock.advance(std::time::Duration::from_secs(8 * 24 * 3_600));
    let token = stage.token_of(&stage.client_id, &stage.secret).await;
    let reply = stage.with_token(&token, "GET", &link, Value::Null).await;
    assert_eq!((reply.status, reply.code()), (StatusCode::GONE, "syncStateNotFound"));
    assert_eq!(reply.header("location"), "https://usher.test/v1.0/users/delta");
}

#[tokio::test]
async fn the_bin_gives_back_and_removes_for_good() {
    let stage = Stage::new().await;
    let a = user(&stage, "a").await;
    stage.must("DELETE", &format!("/v1.0/directoryObjects/{a}"), Value::Null, 204).await;
    let listed = get(&stage, "/v1.0/directory/deletedItems/microsoft.graph.user").await;
    assert_eq!(each(&listed, "id"), std::slice::from_ref(&a));
    let again = user(&stage, "a").await;
    let taken = stage.send("POST", &format!("/v1.0/directory/deletedItems/{a}/restore"), Value::Null).await;
    assert_eq!(
        (taken.status, taken.code()),
        (StatusCode::BAD_REQUEST, "Request_BadRequest"),
        "the name is taken"
    );
    stage.must("DELETE", &format!("/v1.0/users/{again}"), Value::Null, 204).await;
    let restored =
        stage.must("POST", &format!("/v1.0/directory/deletedItems/{a}/restore"), Value::Null, 200).await;
    assert_eq!(restored["@odata.type"], "#microsoft.graph.user");
    stage.must("DELETE", &format!("/v1.0/directory/deletedItems/{again}"), Value::Null, 204).await;
    stage.must("GET", &format!("/v1.0/directory/deletedItems/{again}"), Value::Null, 404).await;
    stage.must("GET", "/v1.0/directory/deletedItems", Value::Null, 400).await;
    stage.must("DELETE", &format!("/v1.0/users/{a}"), Value::Null, 204).await;
    stage.clock.advance(std::time::Duration::from_secs(31 * 24 * 3_600));
    assert_eq!(stage.engine.empty_bin().await.expect("the store works"), 1, "kept 30 days");
}

#[tokio::test]
async fn an_upsert_makes_what_is_missing_when_asked_to() {
    let stage = Stage::new().await;
    let send = async |prefer: Option<&str>| {
        let mut request = Request::patch("/v1.0/applications(uniqueName='hr')")
            .header("authorization", format!("Bearer {}", stage.token))
            .header("content-type", "application/json");
        if let Some(prefer) = prefer {
            request = request.header("prefer", prefer);
        }
        let body = json!({ "displayName": "HR" }).to_string();
        stage.raw(request.body(axum::body::Body::from(body)).expect("it can be sent")).await
    };
    assert_eq!(send(None).await.status, StatusCode::NOT_FOUND);
    let made = send(Some("create-if-missing")).await;
    assert_eq!(
        (made.status, &made.body["uniqueName"]),
        (StatusCode::CREATED, &Value::Null),
        "not shown by default"
    );
    assert_eq!(send(Some("create-if-missing")).await.status, StatusCode::NO_CONTENT);
    let found = get(&stage, "/v1.0/applications(uniqueName='HR')?$select=id,uniqueName").await;
    assert_eq!(found["uniqueName"], "hr");
}

#[tokio::test]
async fn a_batch_answers_each_request_and_keeps_its_order() {
    let stage = Stage::new().await;
    let body = |name: &str| {
        json!({
            "accountEnabled": true, "displayName": name, "mailNickname": name,
            "userPrincipalName": format!("{name}@x"), "passwordProfile": { "password": "x" },
        })
    };
    let json_type = json!({ "Content-Type": "application/json" });
    let batch = json!({ "requests": [
        { "id": "1", "method": "POST", "url": "/users", "headers": json_type, "body": body("a") },
        { "id": "2", "method": "GET", "url": "/users('a@x')?$select=displayName", "dependsOn": ["1"] },
        { "id": "3", "method": "GET", "url": "/users/nobody" },
        { "id": "4", "method": "GET", "url": "/users", "dependsOn": ["3"] },
        { "id": "5", "method": "GET", "url": "/users/$count", "headers": { "ConsistencyLevel": "eventual" }, "dependsOn": ["1"] },
        { "id": "6", "method": "GET", "url": "https://elsewhere.test/users" },
    ] });
    let answer = stage.must("POST", "/v1.0/$batch", batch, 200).await;
    let of = |id: &str| {
        let all = answer["responses"].as_array().expect("it has responses");
        all.iter().find(|one| one["id"] == id).cloned().expect(id)
    };
    assert_eq!(of("1")["status"], 201);
    assert_eq!(of("2")["body"]["displayName"], "a");
    assert_eq!(of("3")["body"]["error"]["code"], "Request_ResourceNotFound");
    assert_eq!(of("4")["status"], 424);
    assert_eq!(of("5")["body"], 1);
    assert_eq!(of("6")["status"], 400);
    let (_, nobody) = stage.client("nobody", &[]).await;
    let one = json!({ "requests": [{ "id": "1", "method": "GET", "url": "/users" }] });
    let answer = stage.with_token(&nobody, "POST", "/v1.0/$batch", one.clone()).await;
    assert_eq!(answer.body["responses"][0]["status"], 403, "a batch opens no doors");
    assert_eq!(stage.with_token("", "POST", "/v1.0/$batch", one).await.status, StatusCode::UNAUTHORIZED);
    for wrong in [
        json!({}),
        json!({ "requests": [] }),
        json!({ "requests": [{ "id": "1", "method": "GET", "url": "/a", "dependsOn": ["2"] }] }),
        json!({ "requests": [{ "id": "1", "method": "GET", "url": "/a" }, { "id": "1", "method": "GET", "url": "/b" }] }),
        json!({ "requests": [
            { "id": "1", "method": "GET", "url": "/a", "dependsOn": ["2"] },
            { "id": "2", "method": "GET", "url": "/a", "dependsOn": ["1"] },
        ] }),
        json!({ "requests": [{ "id": "1", "method": "POST", "url": "/users", "body": {} }] }),
    ] {
        assert_eq!(stage.send("POST", "/v1.0/$batch", wrong).await.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn every_change_is_written_to_the_audit_log() {
    let stage = Stage::new().await;
    let a = user(&stage, "a").await;
    get(&stage, "/v1.0/users").await;
    stage.must("PATCH", &format!("/v1.0/users/{a}"), json!({ "shoeSize": 7 }), 400).await;
    let (_, nobody) = stage.client("nobody", &[]).await;
    stage.with_token(&nobody, "DELETE", &format!("/v1.0/users/{a}"), Value::Null).await;
    let log = get(&stage, "/v1.0/auditLogs/directoryAudits").await;
    let records = log["value"].as_array().expect("it is a page");
    let of_a: Vec<(&str, &str, &str)> = records
        .iter()
        .filter(|record| record["targetResources"][0]["id"] == json!(a))
        .map(|record| {
            let text = |name: &str| record[name].as_str().unwrap_or_default();
            (text("activityDisplayName"), text("result"), text("resultReason"))
        })
        .collect();
    assert_eq!(
        of_a,
        [
            ("Delete a user", "failure", "Authorization_RequestDenied"),
            ("Update a user", "failure", "Request_BadRequest"),
            ("Create a user", "success", ""),
        ]
    );
    assert_eq!(records[0]["initiatedBy"]["app"]["displayName"], "nobody");
    assert!(!log.to_string().contains("secretText"), "nothing of a body is written");
    let id = text(&records[0]["id"]);
    assert_eq!(get(&stage, &format!("/v1.0/auditLogs/directoryAudits/{id}")).await["result"], "failure");
}

#[tokio::test]
async fn assignments_of_a_user_tell_those_by_way_of_groups_too() {
    let stage = Stage::new().await;
    let (base, ..) = stage.application().await;
    let principal = base.split('/').nth(3).expect("the path names it");
    let a = user(&stage, "a").await;
    let (in_it, other) = (group(&stage, "in", &[&a]).await, group(&stage, "other", &[]).await);
    for id in [&a, &in_it, &other] {
        let body = json!({ "principalId": id, "resourceId": principal, "appRoleId": crate::stage::ROLE });
        stage
            .must("POST", &format!("/v1.0/servicePrincipals/{principal}/appRoleAssignedTo"), body, 201)
            .await;
    }
    let of = async |path: String| each(&get(&stage, &path).await, "principalId");
    assert_eq!(of(format!("/v1.0/users/{a}/appRoleAssignments")).await, [a.as_str(), in_it.as_str()]);
    assert_eq!(of(format!("/v1.0/groups/{in_it}/appRoleAssignments")).await, [in_it.as_str()]);
}
