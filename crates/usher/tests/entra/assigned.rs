//! Who is assigned, where the tenant is not of one mind: nobody loses an account to a part that lags behind.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use usher_core::EntryId;
use usher_core::ports::{Connector, ConnectorError, ConnectorErrorKind, GetRequest, SubjectRequest};

use crate::stage::Tenant;

fn ours() -> EntryId {
    EntryId::new("ours")
}

/// Whether a user is assigned, as when somebody names the user.
async fn is_assigned(connector: &Arc<dyn Connector>, id: &str) -> Result<bool, ConnectorError> {
    let request = SubjectRequest {
        object_type: "User".into(),
        id: id.into(),
        attributes: vec!["displayName".into()],
        application: None,
    };
    let object = connector.subject(&request).await?.expect("the user is there");
    let entitlement = connector.entitlement(&object, &ours()).await?;
    Ok(entitlement.is_some_and(|entitlement| entitlement.is_assigned))
}

fn unknown<T: std::fmt::Debug>(answer: Result<T, ConnectorError>) {
    let error = answer.expect_err("nobody knows");
    assert_eq!(
        (error.kind, error.code.as_str()),
        (ConnectorErrorKind::Unreachable, "EntryNotFound"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_assigned_by_a_group_is_known_although_the_index_of_searches_lags_behind() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let (ann, bob) = (tenant.user("ann").await, tenant.user("bob").await);
    let group = tenant.group("Retail", &[&ann]).await;
    tenant.assign(&hr, &group).await;
    let connector = tenant.connector(&[("ServicePrincipalId", &hr)]);
    tenant.faults.index_lags.store(true, Ordering::SeqCst);
    assert!(is_assigned(&connector, &ann).await.expect("it is answered"));
    assert!(!is_assigned(&connector, &bob).await.expect("it is answered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_for_mail_alone_assigns_nobody_nor_does_what_is_no_group() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let ann = tenant.user("ann").await;
    let list = tenant.group("List", &[&ann]).await;
    tenant.assign(&hr, &list).await;
    let change = json!({ "securityEnabled": false });
    tenant.client.patch(&format!("/v1.0/groups/{list}"), &change).await.expect("it is changed");
    let connector = tenant.connector(&[("ServicePrincipalId", &hr)]);
    assert!(!is_assigned(&connector, &ann).await.expect("it is answered"));
    // A role of the directory, as members come.
    tenant.faults.told_groups.store(true, Ordering::SeqCst);
    assert!(!is_assigned(&connector, &ann).await.expect("it is answered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_which_only_the_id_is_told_is_looked_at() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let ann = tenant.user("ann").await;
    let group = tenant.group("Retail", &[&ann]).await;
    tenant.assign(&hr, &group).await;
    let connector = tenant.connector(&[("ServicePrincipalId", &hr)]);
    tenant.faults.told_groups.store(true, Ordering::SeqCst);
    assert!(is_assigned(&connector, &ann).await.expect("it is answered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_assigned_and_not_found_is_unknown_and_not_nothing() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let ann = tenant.user("ann").await;
    let group = tenant.group("Retail", &[&ann]).await;
    tenant.assign(&hr, &group).await;
    let connector = tenant.connector(&[("ServicePrincipalId", &hr)]);
    for hidden in [
        format!("/users/{ann}/appRoleAssignments"),
        format!("/users/{ann}/memberOf"),
        format!("/groups/{group}/appRoleAssignments"),
    ] {
        tenant.hide(Some(&hidden));
        unknown(is_assigned(&connector, &ann).await);
    }
    for hidden in [format!("/groups/{group}"), format!("/groups/{group}/members")] {
        tenant.hide(Some(&hidden));
        unknown(connector.watermark("User").await);
    }
    tenant.hide(None);
    assert!(is_assigned(&connector, &ann).await.expect("it is answered"));
    connector.watermark("User").await.expect("it is given");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_in_the_recycle_bin_is_assigned() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let ann = tenant.user("ann").await;
    tenant.assign(&hr, &ann).await;
    tenant.client.delete(&format!("/v1.0/users/{ann}")).await.expect("she is deleted");
    let connector = tenant.connector(&[("ServicePrincipalId", &hr)]);
    assert!(!is_assigned(&connector, &ann).await.expect("it is answered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_swallowed_on_the_way_says_nothing_of_anybody() {
    let tenant = Tenant::start().await;
    let hr = tenant.application().await;
    let ann = tenant.user("ann").await;
    let group = tenant.group("Retail", &[&ann]).await;
    tenant.assign(&hr, &group).await;
    let connector = tenant.connector(&[("ServicePrincipalId", &hr)]);
    let subject = SubjectRequest {
        object_type: "User".into(),
        id: ann.as_str().into(),
        attributes: vec!["displayName".into()],
        application: None,
    };
    let object = connector.subject(&subject).await.expect("it is answered").expect("she is there");
    tenant.faults.swallows.store(true, Ordering::SeqCst);
    let get = GetRequest {
        object_type: "User".into(),
        anchor: object.anchor.clone(),
        attributes: subject.attributes.clone(),
    };
    for error in [
        connector.subject(&subject).await.expect_err("nobody knows"),
        connector.get(&get).await.expect_err("nobody knows"),
        connector.entitlement(&object, &ours()).await.expect_err("nobody knows"),
    ] {
        assert_eq!(error.kind, ConnectorErrorKind::Protocol, "{error}");
        assert!(error.message.contains("holds neither an object nor a list"), "{error}");
    }
}
