//! What is sent to Active Directory and to OpenLDAP is what was planned.

use usher_core::ports::{Connector, Exchange};
use usher_core::{Anchor, AttributeChange, Change, OperationKind};
use usher_testkit::servers::{Samba, Slapd, SlapdOptions};
use usher_testkit::suites::plans::sends_as_planned;

use crate::support::*;

async fn sent(
    connector: &dyn Connector,
    kind: OperationKind,
    object_type: &str,
    anchor: Option<&Anchor>,
    changes: Vec<AttributeChange>,
) -> (Anchor, Vec<Exchange>) {
    let (written, told) = sends_as_planned(connector, &operation(kind, object_type, anchor, changes)).await;
    (written.unwrap_or_else(|error| panic!("{error}: {told:#?}")).anchor, told)
}

#[tokio::test]
async fn active_directory_is_sent_what_was_planned_and_passwords_are_told_nowhere() {
    let samba = Samba::start().await.unwrap();
    samba.change("dn: OU=Planned,DC=corp,DC=example\nobjectClass: organizationalUnit\n").unwrap();
    let connector = domain(&samba, &[]);
    // What the server is like is known once it was asked.
    connector.check(&probe("user", "sAMAccountName", "nobody")).await.unwrap();
    let person = |account: &str| {
        vec![
            set("cn", &format!("{account}, \"a\" + b")),
            set("sAMAccountName", account),
            set("displayName", "\u{c4}rztin; \\ #1"),
            set("accountDisabled", "False"),
        ]
    };
    let drawn = operation(OperationKind::Create, "user", None, person("ann"));
    let planned = serde_json::to_string(&connector.preview(&drawn)).unwrap();
    assert!(planned.contains("\"unicodePwd\":[\"@drawn-password\"]"), "{planned}");
    let own = operation(
        OperationKind::Create,
        "user",
        None,
        [person("ann"), vec![set("unicodePwd", "Fir5t-of-all!")]].concat(),
    );
    let planned = serde_json::to_string(&connector.preview(&own)).unwrap();
    assert!(planned.contains("\"unicodePwd\":[\"[Redact]\"]"), "{planned}");

    let (ann, told) = sent(&*connector, OperationKind::Create, "user", None, person("ann")).await;
    assert!(told.iter().all(|one| one.answer.as_ref().is_some_and(|answer| answer.status == 0)), "{told:#?}");
    assert!(serde_json::to_string(&told).unwrap().contains("\"unicodePwd\":[\"[Redact]\"]"), "{told:#?}");
    let (bob, _) = sent(&*connector, OperationKind::Create, "user", None, person("bob")).await;
    for changes in [
        vec![set("title", "a, b; c"), set("department", "1")],
        vec![clear("department"), set("title", "Boss")],
        vec![refer("manager", Change::Replace, &[&bob], false)],
        vec![set("accountDisabled", "True")],
        vec![set("cn", "Ann"), set("parentDistinguishedName", "OU=Planned,DC=corp,DC=example")],
    ] {
        sent(&*connector, OperationKind::Update, "user", Some(&ann), changes).await;
    }
    let (group, _) = sent(&*connector, OperationKind::Create, "group", None, vec![set("cn", "Staff")]).await;
    for change in [Change::Add, Change::Remove] {
        let members = vec![refer("member", change, &[&ann], true)];
        sent(&*connector, OperationKind::Update, "group", Some(&group), members).await;
    }

    // A refused request is told with the answer.
    let twice = operation(OperationKind::Create, "user", None, person("bob"));
    let (refused, told) = sends_as_planned(&*connector, &twice).await;
    assert!(refused.is_err() && told.len() == 1, "{told:#?}");
    assert_eq!(told[0].answer.as_ref().map(|answer| answer.status), Some(68), "entryAlreadyExists");
    for (object_type, anchor) in [("group", &group), ("user", &ann)] {
        sent(&*connector, OperationKind::Delete, object_type, Some(anchor), Vec::new()).await;
    }
}

#[tokio::test]
async fn openldap_is_sent_what_was_planned() {
    let slapd = Slapd::start(&SlapdOptions::default()).await.unwrap();
    let connector = people(&slapd, &[("SyncAgentADContainer", "ou=people,dc=example,dc=org")]);
    connector.check(&probe("inetOrgPerson", "uid", "nobody")).await.unwrap();
    let person =
        |uid: &str| vec![set("uid", uid), set("cn", &format!("{uid} + \"b\"")), set("sn", "\u{d6}z")];
    let (ann, _) = sent(&*connector, OperationKind::Create, "inetOrgPerson", None, person("ann")).await;
    let (bob, _) = sent(&*connector, OperationKind::Create, "inetOrgPerson", None, person("bob")).await;
    for changes in [
        vec![set("title", "a, b; c")],
        vec![clear("title"), set("departmentNumber", "1")],
        vec![refer("manager", Change::Replace, &[&bob], false)],
        vec![set("cn", "Anna"), set("departmentNumber", "2")],
    ] {
        sent(&*connector, OperationKind::Update, "inetOrgPerson", Some(&ann), changes).await;
    }
    let staff = vec![set("cn", "staff")];
    let (group, _) = sent(&*connector, OperationKind::Create, "groupOfNames", None, staff).await;
    for change in [Change::Add, Change::Remove] {
        let members = vec![refer("member", change, &[&ann], true)];
        sent(&*connector, OperationKind::Update, "groupOfNames", Some(&group), members).await;
    }
    for (object_type, anchor) in [("groupOfNames", &group), ("inetOrgPerson", &ann)] {
        sent(&*connector, OperationKind::Delete, object_type, Some(anchor), Vec::new()).await;
    }
}
