//! A tenant as a source: one object, everything, changes, assignments.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use smol_str::SmolStr;
use usher_core::ports::{
    Connector, ConnectorErrorKind, Incoming, MatchQuery, ReadRequest, SubjectRequest, Watermark,
};
use usher_core::{Anchor, EntryId};
use usher_expr::Value;

use crate::stage::Tenant;

fn names(names: &[&str]) -> Vec<SmolStr> {
    names.iter().map(|name| SmolStr::from(*name)).collect()
}

fn subject(id: &str) -> SubjectRequest {
    SubjectRequest {
        object_type: "User".into(),
        id: id.into(),
        attributes: names(&["displayName", "IsSoftDeleted", "manager", "mobile"]),
        application: None,
    }
}

/// Everything that a read gives, page after page.
async fn read(
    connector: &Arc<dyn Connector>,
    object_type: &str,
    application: Option<&str>,
    since: Option<&Watermark>,
    until: &Watermark,
) -> Result<Vec<Incoming>, ConnectorErrorKind> {
    let mut request = ReadRequest {
        object_type: object_type.into(),
        attributes: names(&["displayName", "IsSoftDeleted", "manager", "members"]),
        application: application.map(EntryId::new),
        since: since.cloned(),
        until: until.clone(),
        cursor: None,
    };
    let mut all = Vec::new();
    loop {
        let page = connector.read(&request).await.map_err(|error| error.kind)?;
        assert_eq!(page.unsettled, [], "everybody is known");
        all.extend(page.objects);
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// Names and, of those, who is switched off.
fn told(incoming: &[Incoming]) -> Vec<String> {
    let mut told: Vec<String> = incoming
        .iter()
        .map(|one| match &one.object {
            None => format!("gone {}", one.anchor.as_str()),
            Some(object) => {
                let text = |name: &str| object.attributes.value(name).map(Value::to_text).unwrap_or_default();
                let assigned = match &one.entitlement {
                    Some(entitlement) if entitlement.is_assigned => " assigned",
                    Some(_) => " unassigned",
                    None => "",
                };
                let off = if text("IsSoftDeleted") == "True" { " off" } else { "" };
                format!("{}{off}{assigned}", text("displayName"))
            }
        })
        .collect();
    told.sort();
    // What comes again is the same.
    told.dedup();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_is_read_by_id_and_by_name_and_in_the_bin() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let (ann, bob) = (tenant.user("ann").await, tenant.user("bob").await);
    let reference = json!({ "@odata.id": format!("https://graph.example/v1.0/users/{bob}") });
    tenant
        .client
        .put(&format!("/v1.0/users/{ann}/manager/$ref"), &reference)
        .await
        .expect("he is her manager");
    tenant.seen();
    for id in [ann.as_str(), "ann@contoso.example"] {
        let object = connector.subject(&subject(id)).await.expect("it is answered").expect("she is there");
        assert_eq!(object.anchor.as_str(), ann);
        assert_eq!(object.attributes.value("manager"), Some(&Value::Reference(bob.as_str().into())));
    }
    assert_eq!(tenant.seen().len(), 2, "one request each");
    tenant.client.delete(&format!("/v1.0/users/{ann}")).await.expect("she is deleted");
    let object = connector.subject(&subject(&ann)).await.expect("it is answered").expect("she is in the bin");
    assert_eq!(object.attributes.value("IsSoftDeleted").map(Value::to_text).as_deref(), Some("True"));
    assert_eq!(connector.subject(&subject("nobody@contoso.example")).await.expect("it is answered"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_read_and_then_only_what_changed() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let (ann, bob) = (tenant.user("ann").await, tenant.user("bob").await);
    let group = tenant.group("Retail", &[&ann]).await;
    let first = connector.watermark("User").await.expect("it is given");
    let groups = connector.watermark("Group").await.expect("it is given");
    let all = read(&connector, "User", None, None, &first).await.expect("they are read");
    assert_eq!(told(&all), ["ann", "bob"]);
    let all = read(&connector, "Group", None, None, &groups).await.expect("they are read");
    assert_eq!(told(&all), ["Retail"]);
    let members = all[0].object.as_ref().and_then(|object| object.attributes.value("members")).cloned();
    assert_eq!(members, Some(Value::list([Value::Reference(ann.as_str().into())])));

    let second = connector.watermark("User").await.expect("it is given");
    let none = read(&connector, "User", None, Some(&first), &second).await.expect("they are read");
    assert_eq!(told(&none), [""; 0]);
    tenant
        .client
        .patch(&format!("/v1.0/users/{ann}"), &json!({ "displayName": "Ann" }))
        .await
        .expect("changed");
    tenant.client.delete(&format!("/v1.0/users/{bob}")).await.expect("he is deleted");
    tenant.user("cleo").await;
    tenant.faults.throttled_parts.store(1, Ordering::SeqCst);
    let third = connector.watermark("User").await.expect("it is given");
    let changed = read(&connector, "User", None, Some(&second), &third).await.expect("they are read");
    assert_eq!(told(&changed), ["Ann", "bob off", "cleo"]);
    tenant.client.delete(&format!("/v1.0/directory/deletedItems/{bob}")).await.expect("he is gone");
    let changed = read(&connector, "User", None, Some(&third), &third).await.expect("they are read");
    assert_eq!(told(&changed), [format!("gone {bob}")]);

    let path = format!("/v1.0/groups/{group}/members/{ann}/$ref");
    tenant.client.delete(&path).await.expect("she is no member");
    let changed = read(&connector, "Group", None, Some(&groups), &groups).await.expect("they are read");
    assert_eq!(told(&changed), ["Retail"]);
    let members = changed[0].object.as_ref().and_then(|object| object.attributes.value("members")).cloned();
    assert_eq!(members, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_a_delta_tells_of_and_the_tenant_does_not_find_yet_is_not_gone() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let mark = connector.watermark("User").await.expect("it is given");
    let (ann, bob) = (tenant.user("ann").await, tenant.user("bob").await);
    tenant.hide(Some(&ann));
    let request = ReadRequest {
        object_type: "User".into(),
        attributes: names(&["displayName", "IsSoftDeleted"]),
        application: None,
        since: Some(mark.clone()),
        until: mark,
        cursor: None,
    };
    let page = connector.read(&request).await.expect("it is read");
    assert_eq!(told(&page.objects), ["bob"]);
    assert_eq!(page.unsettled, [Anchor::new(ann.as_str())]);
    tenant.hide(None);
    tenant.client.delete(&format!("/v1.0/users/{bob}")).await.expect("he is deleted");
    let page = connector.read(&request).await.expect("it is read");
    assert_eq!((told(&page.objects), page.unsettled), (vec!["ann".to_owned(), "bob off".to_owned()], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lost_the_assignment_and_is_not_found_is_not_gone_for_that() {
    let tenant = Tenant::start().await;
    let application = tenant.application().await;
    let ann = tenant.user("ann").await;
    let assignment = tenant.assign(&application, &ann).await;
    let connector = tenant.connector(&[("ServicePrincipalId", &application)]);
    let first = connector.watermark("User").await.expect("it is given");
    let path = format!("/v1.0/servicePrincipals/{application}/appRoleAssignedTo/{assignment}");
    tenant.client.delete(&path).await.expect("she is assigned no more");
    let second = connector.watermark("User").await.expect("it is given");
    tenant.hide(Some(&ann));
    // The delta is silent: only the assignments tell of her.
    let parsed = |mark: &Watermark| serde_json::from_str::<serde_json::Value>(&mark.0).expect("it is JSON");
    let mut since = parsed(&second);
    since["assigned"] = parsed(&first)["assigned"].clone();
    let since = Watermark(since.to_string().into());
    let mut request = ReadRequest {
        object_type: "User".into(),
        attributes: names(&["displayName"]),
        application: Some(EntryId::new("ours")),
        since: Some(since),
        until: second,
        cursor: None,
    };
    let mut unsettled = Vec::new();
    loop {
        let page = connector.read(&request).await.expect("it is read");
        assert_eq!(page.objects, []);
        unsettled.extend(page.unsettled);
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
    }
    assert_eq!(unsettled, [Anchor::new(ann.as_str())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_delta_link_means_that_everything_is_read_again() {
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[]);
    let mark = connector.watermark("User").await.expect("it is given");
    tenant.faults.forgets.store(1, Ordering::SeqCst);
    let answer = read(&connector, "User", None, Some(&mark), &mark).await;
    assert_eq!(answer.expect_err("it is forgotten"), ConnectorErrorKind::NotFound);
    // A link that the service does not know as its own is lost all the same.
    let text = mark.0.replace("deltatoken=", "deltatoken=x");
    let lost = Watermark(text.into());
    let answer = read(&connector, "User", None, Some(&lost), &mark).await;
    assert_eq!(answer.expect_err("it is none"), ConnectorErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_assigned_directly_or_by_group_is_known_and_changes_come_although_deltas_are_silent() {
    let tenant = Tenant::start().await;
    let application = tenant.application().await;
    let (ann, bob, cleo) = (tenant.user("ann").await, tenant.user("bob").await, tenant.user("cleo").await);
    let group = tenant.group("Retail", &[&bob]).await;
    let outer = tenant.group("All", &[&group]).await;
    let direct = tenant.assign(&application, &ann).await;
    tenant.assign(&application, &group).await;
    tenant.assign(&application, &outer).await;
    let connector = tenant.connector(&[("ServicePrincipalId", &application)]);
    let asked = EntryId::new("another-id-than-in-the-tenant");
    for (id, is_assigned) in [(&ann, true), (&bob, true), (&cleo, false)] {
        let object = connector.subject(&subject(id)).await.expect("it is answered").expect("it is there");
        let entitlement = connector.entitlement(&object, &asked).await.expect("it is answered");
        assert_eq!(entitlement.map(|entitlement| entitlement.is_assigned), Some(is_assigned));
    }
    let first = connector.watermark("User").await.expect("it is given");
    let all = read(&connector, "User", Some(asked.as_str()), None, &first).await.expect("they are read");
    assert_eq!(told(&all), ["ann assigned", "bob assigned", "cleo unassigned"]);

    let path = format!("/v1.0/servicePrincipals/{application}/appRoleAssignedTo/{direct}");
    tenant.client.delete(&path).await.expect("she is assigned no more");
    tenant.assign(&application, &cleo).await;
    let second = connector.watermark("User").await.expect("it is given");
    let changed = read(&connector, "User", Some(asked.as_str()), Some(&first), &second).await;
    assert_eq!(told(&changed.expect("they are read")), ["ann unassigned", "cleo assigned"]);

    // Another process finds in the watermark who was assigned.
    let fresh = tenant.connector(&[("ServicePrincipalId", &application)]);
    let third = fresh.watermark("User").await.expect("it is given");
    let none =
        read(&fresh, "User", Some(asked.as_str()), Some(&second), &third).await.expect("nothing changed");
    assert_eq!(told(&none), [""; 0]);
    let changed = read(&fresh, "User", Some(asked.as_str()), Some(&first), &third).await;
    assert_eq!(told(&changed.expect("they are read")), ["ann unassigned", "cleo assigned"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_is_not_there_takes_nobody_s_account_away() {
    let tenant = Tenant::start().await;
    tenant.user("ann").await;
    let connector = tenant.connector(&[("ServicePrincipalId", "8f1f0d0e-0000-4000-8000-00000000dead")]);
    let error = connector.watermark("User").await.expect_err("the setting is wrong");
    assert_eq!(error.kind, ConnectorErrorKind::Rejected);
    assert!(error.to_string().contains("ServicePrincipalId"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_our_application_takes_nobody_s_account_away_unless_everybody_is_taken() {
    let tenant = Tenant::start().await;
    let ann = tenant.user("ann").await;
    let ours = EntryId::new("8f1f0d0e-0000-4000-8000-00000000beef");
    for (settings, is_refused) in [(&[][..], true), (&[("SyncAll", "True")], false)] {
        let connector = tenant.connector(settings);
        let found = connector.subject(&subject(&ann)).await.expect("it is answered").expect("she is there");
        match connector.entitlement(&found, &ours).await {
            Err(error) => assert!(is_refused && error.to_string().contains("ServicePrincipalId"), "{error}"),
            Ok(entitlement) => assert!(!is_refused, "{entitlement:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_is_not_the_last() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("it has an address"));
    let next = format!("{address}/v1.0/users?$skiptoken=x");
    let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let is_next = request.uri().query().is_some_and(|query| query.contains("skiptoken"));
        let first = json!({ "value": [], "@odata.nextLink": next });
        let last = json!({ "value": [{ "id": "u-1", "employeeId": "21001" }] });
        async move { axum::Json(if is_next { last } else { first }) }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[
        ("GraphAddress", &address),
        ("Authority", &address),
        ("SignIn", "AccessToken"),
        ("AccessToken", "t"),
    ]);
    let query = MatchQuery {
        object_type: "User".into(),
        attribute: "employeeId".into(),
        value: Value::from("21001"),
        attributes: names(&["employeeId"]),
    };
    let found = connector.find(&query).await.expect("it is answered");
    assert_eq!(found.len(), 1, "who is on the next page must not be made a second time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_link_counts_on_whichever_page_it_comes() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("it has an address"));
    let link = |option: &str| format!("{address}/v1.0/users/delta?${option}=x");
    let (next, delta) = (link("skiptoken"), link("deltatoken"));
    let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let is_next = request.uri().query().is_some_and(|query| query.contains("skiptoken"));
        let first = json!({ "value": [], "@odata.nextLink": next });
        let last = json!({ "value": [], "@odata.deltaLink": delta });
        async move { axum::Json(if is_next { last } else { first }) }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let tenant = Tenant::start().await;
    let connector = tenant.connector(&[
        ("GraphAddress", &address),
        ("Authority", &address),
        ("SignIn", "AccessToken"),
        ("AccessToken", "t"),
    ]);
    let mark = connector.watermark("User").await.expect("it is given");
    assert!(mark.0.contains("deltatoken=x"), "{}", mark.0);
}

#[tokio::test]
async fn a_group_whose_members_are_not_found_is_not_taken_for_an_empty_one() {
    let tenant = Tenant::start().await;
    let ann = tenant.user("ann").await;
    let team = tenant.group("team", &[&ann]).await;
    tenant.hide(Some(&team));
    let connector = tenant.connector(&[("SyncAll", "true")]);
    let request = ReadRequest {
        object_type: "Group".into(),
        attributes: names(&["displayName", "members"]),
        application: None,
        since: None,
        until: connector.watermark("Group").await.expect("it tells"),
        cursor: None,
    };
    let page = connector.read(&request).await.expect("it is read");
    assert_eq!((page.objects.len(), page.unsettled.as_slice()), (0, &[Anchor::new(team.as_str())][..]));
    let asked =
        SubjectRequest { object_type: "Group".into(), attributes: names(&["members"]), ..subject(&team) };
    let error = connector.subject(&asked).await.expect_err("nobody knows the members");
    assert_eq!((error.kind, error.code.as_str()), (ConnectorErrorKind::Unreachable, "EntryNotFound"));
    tenant.hide(None);
    let object = connector.subject(&asked).await.expect("it is read").expect("it is there");
    assert_eq!(object.attributes.value("members").map(|members| members.values().len()), Some(1));
}
