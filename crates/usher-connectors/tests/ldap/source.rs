//! Directory services as sources: whole reads in pages, and what changed since.

use std::fmt::Write as _;

use expect_test::expect;
use usher_core::ports::{Connector, ConnectorErrorKind, GetRequest, Watermark};
use usher_core::{Anchor, Change};
use usher_testkit::servers::{Samba, Slapd, SlapdOptions};

use crate::support::*;

const STAFF: &str = "OU=Staff,DC=corp,DC=example";

/// A domain with two containers and a few people in one of them.
async fn corp() -> Samba {
    let samba = Samba::start().await.unwrap();
    let mut ldif = format!("dn: {STAFF}\nobjectClass: organizationalUnit\n\n");
    let _ = write!(ldif, "dn: OU=Old,{STAFF}\nobjectClass: organizationalUnit\n\n");
    let _ = write!(ldif, "dn: OU=Elsewhere,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n");
    for name in ["Ann", "Bob", "Cleo", "Dora"] {
        let _ = write!(ldif, "dn: CN={name},OU=Old,{STAFF}\nobjectClass: user\nsAMAccountName: {name}\n\n");
    }
    samba.change(&ldif).unwrap();
    samba
}

async fn mark(connector: &dyn Connector) -> Watermark {
    connector.watermark("user").await.unwrap()
}

/// What happens to people in the tests of changes: a change, a rename, a removal, a container that moves, and one who
/// leaves the part that is read.
fn happenings(samba: &Samba) {
    samba
        .change(&format!(
            "dn: CN=Ann,OU=Old,{STAFF}\nchangetype: modify\nreplace: title\ntitle: Chief\n\n\
             dn: CN=Bob,OU=Old,{STAFF}\nchangetype: delete\n\n\
             dn: CN=Cleo,OU=Old,{STAFF}\nchangetype: modrdn\nnewrdn: CN=Cleopatra\ndeleteoldrdn: 1\n\n\
             dn: CN=Dora,OU=Old,{STAFF}\nchangetype: modrdn\nnewrdn: CN=Dora\ndeleteoldrdn: 1\n\
             newsuperior: OU=Elsewhere,DC=corp,DC=example\n\n"
        ))
        .unwrap();
}

async fn changes_are_seen(samba: &Samba, connector: &dyn Connector, sees_deleted: bool) {
    let anchor = |name: &str| {
        let id = format!("CN={name},OU=Old,{STAFF}");
        async move { subject(connector, "user", &id, &[]).await.unwrap().unwrap().anchor }
    };
    let (bob, dora) = (anchor("Bob").await, anchor("Dora").await);
    let before = mark(connector).await;
    let (there, _) = read(connector, "user", None).await.unwrap();
    assert_eq!(names(&there), ["Ann", "Bob", "Cleo", "Dora"]);
    let (there, gone) = read(connector, "user", Some(&before)).await.unwrap();
    assert_eq!((names(&there), gone), (Vec::new(), Vec::new()), "nothing has changed");
    happenings(samba);
    let after = mark(connector).await;
    let (there, mut gone) = read(connector, "user", Some(&before)).await.unwrap();
    assert_eq!(names(&there), ["Ann", "Cleopatra"]);
    gone.sort();
    gone.dedup();
    let mut expected: Vec<Anchor> = if sees_deleted { vec![bob, dora] } else { vec![dora] };
    expected.sort();
    assert_eq!(gone, expected);
    // A container that moves takes people along, of which the server says nothing.
    samba
        .change(&format!("dn: OU=Old,{STAFF}\nchangetype: modrdn\nnewrdn: OU=New\ndeleteoldrdn: 1\n"))
        .unwrap();
    let (there, _) = read(connector, "user", Some(&after)).await.unwrap();
    assert_eq!(names(&there), ["Ann", "Cleopatra"]);
    let places: Vec<_> = there
        .iter()
        .filter_map(|one| one.attributes.value("distinguishedName"))
        .map(|one| one.to_text())
        .collect();
    assert!(places.iter().all(|place| place.contains("OU=New,")), "{places:?}");
}

#[tokio::test]
async fn active_directory_tells_changes_by_dirsync() {
    let samba = corp().await;
    let connector = domain(&samba, &[("SearchBase", STAFF)]);
    assert!(mark(&*connector).await.0.contains("dirSync"));
    changes_are_seen(&samba, &*connector, true).await;
}

#[tokio::test]
async fn an_account_without_the_right_to_dirsync_reads_numbers() {
    let samba = corp().await;
    samba.samba_tool(&["user", "create", "reader", "Rea-der5!"]).unwrap();
    let own = [("UserName", "reader@corp.example"), ("Password", "Rea-der5!"), ("SearchBase", STAFF)];
    let connector = domain(&samba, &own);
    let before = mark(&*connector).await;
    assert!(before.0.contains("numbers"), "{}", before.0);
    let error = read(&*connector, "user", Some(&before)).await.unwrap_err();
    // This account may not see what was deleted, and this connector has not read everything yet.
    assert_eq!((error.kind, error.code.as_str()), (ConnectorErrorKind::NotFound, "InvalidWatermark"));
    changes_are_seen(&samba, &*connector, false).await;
}

#[tokio::test]
async fn a_watermark_of_another_kind_means_everything_again() {
    let samba = corp().await;
    let connector = domain(&samba, &[]);
    for text in [
        "nonsense",
        r#"{"by":"dirSync","cookie":"bm9uc2Vuc2U="}"#,
        r#"{"by":"numbers","server":"another","highest":5}"#,
        r#"{"by":"content","csn":["20260302091500.123456Z#000000#000#000000"]}"#,
    ] {
        let error = read(&*connector, "user", Some(&Watermark(text.into()))).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str()),
            (ConnectorErrorKind::NotFound, "InvalidWatermark"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn members_that_come_in_ranges_are_all_there() {
    let samba = Samba::start().await.unwrap();
    let mut ldif = String::new();
    for number in 0..1_600 {
        let _ = write!(ldif, "dn: CN=c{number},CN=Users,DC=corp,DC=example\nobjectClass: contact\n\n");
    }
    samba.change(&ldif).unwrap();
    let connector = domain(&samba, &[]);
    let group = create(&*connector, "group", vec![set("cn", "All")]).await.unwrap();
    let (all, _) = read(&*connector, "contact", None).await.unwrap();
    let anchors: Vec<&Anchor> = all.iter().map(|one| &one.anchor).collect();
    assert_eq!(anchors.len(), 1_600);
    for _ in 0..2 {
        let written =
            update(&*connector, "group", &group, vec![refer("member", Change::Add, &anchors, true)])
                .await
                .unwrap();
        assert_eq!(written.left_out, []);
    }
    let told = shown(&*connector, "group", &group, &["member"]).await;
    assert_eq!(told.split(", ").count(), 1_600);
    // A part of the values is asked for, as servers give them that limit how many they send at once.
    let told = samba.search("(cn=All)", &["member;range=0-999"]).unwrap();
    assert_eq!(told.matches("member;range=0-999: ").count(), 1_000);
}

fn crew() -> SlapdOptions {
    let mut ldif = String::new();
    for name in ["ann", "bob", "cleo"] {
        let _ = write!(
            ldif,
            "dn: uid={name},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: x\n\n"
        );
    }
    SlapdOptions { ldif, ..SlapdOptions::default() }
}

const CREW: &str = "dn: uid=ann,ou=people,dc=example,dc=org\nchangetype: modify\nreplace: title\ntitle: Chief\n\n\
    dn: uid=bob,ou=people,dc=example,dc=org\nchangetype: delete\n\n";

#[tokio::test]
async fn openldap_tells_changes_by_content_synchronisation() {
    let slapd = Slapd::start(&crew()).await.unwrap();
    let connector = people(&slapd, &[]);
    let before = connector.watermark("inetOrgPerson").await.unwrap();
    assert!(before.0.contains("content"), "{}", before.0);
    let (there, _) = read(&*connector, "inetOrgPerson", None).await.unwrap();
    assert_eq!(names(&there), ["ann", "bob", "cleo"]);
    let bob = there.iter().find(|one| names(std::slice::from_ref(one)) == ["bob"]).unwrap().anchor.clone();
    let (there, gone) = read(&*connector, "inetOrgPerson", Some(&before)).await.unwrap();
    assert_eq!((names(&there), gone), (Vec::new(), Vec::new()), "nothing has changed");
    slapd.change(CREW).unwrap();
    let (there, gone) = read(&*connector, "inetOrgPerson", Some(&before)).await.unwrap();
    assert_eq!((names(&there), gone), (vec!["ann".to_owned()], vec![bob]));
}

#[tokio::test]
async fn openldap_without_a_memory_is_read_whole() {
    let slapd = Slapd::start(&SlapdOptions { remembers: Some(0), ..crew() }).await.unwrap();
    let connector = people(&slapd, &[]);
    let before = connector.watermark("inetOrgPerson").await.unwrap();
    slapd.change(CREW).unwrap();
    let error = read(&*connector, "inetOrgPerson", Some(&before)).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (ConnectorErrorKind::NotFound, "InvalidWatermark"));
}

#[tokio::test]
async fn a_server_that_tells_nothing_is_asked_for_times() {
    let slapd = Slapd::start(&SlapdOptions { is_without_sync: true, ..crew() }).await.unwrap();
    let connector = people(&slapd, &[]);
    let before = connector.watermark("inetOrgPerson").await.unwrap();
    assert!(before.0.contains("times"), "{}", before.0);
    let error = read(&*connector, "inetOrgPerson", Some(&before)).await.unwrap_err();
    assert_eq!(
        error.code, "InvalidWatermark",
        "nothing is known of deletions before everything was read once"
    );
    read(&*connector, "inetOrgPerson", None).await.unwrap();
    slapd.change(CREW).unwrap();
    let (there, gone) = read(&*connector, "inetOrgPerson", Some(&before)).await.unwrap();
    // The test's clock is behind the server's: more comes than changed, never less.
    assert!(names(&there).contains(&"ann".to_owned()) && gone.is_empty());
}

#[tokio::test]
async fn nobody_is_gone_because_the_part_that_is_read_is_not_there() {
    let samba = corp().await;
    samba.samba_tool(&["user", "create", "reader", "Rea-der5!"]).unwrap();
    let reader = [("UserName", "reader@corp.example"), ("Password", "Rea-der5!")];
    let mut said = String::new();
    for own in [&[][..], &reader[..]] {
        let there = domain(&samba, &[own, &[("SearchBase", STAFF)]].concat());
        let mistyped = domain(&samba, &[own, &[("SearchBase", "OU=Nope,DC=corp,DC=example")]].concat());
        let before = mark(&*there).await;
        let (people, _) = read(&*there, "user", None).await.unwrap();
        assert_eq!(people.len(), 4);
        read(&*mistyped, "user", None).await.unwrap_err();
        samba
            .change(&format!(
                "dn: CN=Ann,OU=Old,{STAFF}\nchangetype: modify\nreplace: title\ntitle: Chief\n\n\
                 dn: {STAFF}\nchangetype: modrdn\nnewrdn: OU=Crew\ndeleteoldrdn: 1\n"
            ))
            .unwrap();
        for connector in [&there, &mistyped] {
            let error = read(&**connector, "user", Some(&before)).await.unwrap_err();
            let _ = writeln!(said, "{:?} {}", error.kind, error.message);
            let request = GetRequest {
                object_type: "user".into(),
                anchor: people[0].anchor.clone(),
                attributes: vec!["cn".into()],
            };
            let error = connector.get(&request).await.unwrap_err();
            let _ = writeln!(said, "{:?} {}", error.kind, error.message);
        }
        samba
            .change("dn: OU=Crew,DC=corp,DC=example\nchangetype: modrdn\nnewrdn: OU=Staff\ndeleteoldrdn: 1\n")
            .unwrap();
        let (people, gone) = read(&*there, "user", Some(&before)).await.unwrap();
        assert_eq!((names(&people).len(), gone), (4, Vec::new()), "the container is back, and all with it");
    }
    expect![[r#"
        Rejected 'OU=Staff,DC=corp,DC=example', below which is read (SearchBase), is not there; nobody is taken for gone
        Rejected 'OU=Staff,DC=corp,DC=example', below which is read (SearchBase), is not there; nobody is taken for gone
        Rejected 'OU=Nope,DC=corp,DC=example', below which is read (SearchBase), is not there; nobody is taken for gone
        Rejected 'OU=Nope,DC=corp,DC=example', below which is read (SearchBase), is not there; nobody is taken for gone
        Rejected 'OU=Staff,DC=corp,DC=example', below which is read (SearchBase), is not there; nobody is taken for gone
        Rejected 'OU=Staff,DC=corp,DC=example', below which is read (SearchBase), is not there; nobody is taken for gone
        Rejected 'OU=Nope,DC=corp,DC=example', below which is read (SearchBase), is not there; nobody is taken for gone
        Rejected 'OU=Nope,DC=corp,DC=example', below which is read (SearchBase), is not there; nobody is taken for gone
    "#]].assert_eq(&said);
}

#[tokio::test]
async fn containers_of_every_kind_take_people_along() {
    let samba = corp().await;
    let connector = domain(&samba, &[("SearchBase", STAFF)]);
    samba
        .change(&format!(
            "dn: CN=Team,{STAFF}\nobjectClass: container\n\n\
             dn: CN=Eva,CN=Team,{STAFF}\nobjectClass: user\nsAMAccountName: Eva\n"
        ))
        .unwrap();
    let before = mark(&*connector).await;
    let id = format!("CN=Eva,CN=Team,{STAFF}");
    let eva = subject(&*connector, "user", &id, &[]).await.unwrap().unwrap().anchor;
    samba
        .change(&format!(
            "dn: CN=Team,{STAFF}\nchangetype: modrdn\nnewrdn: CN=Team\ndeleteoldrdn: 1\n\
             newsuperior: OU=Elsewhere,DC=corp,DC=example\n"
        ))
        .unwrap();
    let (there, gone) = read(&*connector, "user", Some(&before)).await.unwrap();
    assert_eq!((names(&there), gone), (Vec::new(), vec![eva]));
}

#[tokio::test]
async fn a_server_that_forgot_its_last_writes_is_read_whole() {
    let slapd = Slapd::start(&crew()).await.unwrap();
    let connector = people(&slapd, &[]);
    // A watermark of tomorrow: the server was put back to what it was before.
    let newer = r#"{"by":"content","csn":["20991231235959.000000Z#000000#000#000000"]}"#;
    let error = read(&*connector, "inetOrgPerson", Some(&Watermark(newer.into()))).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_str(), error.message.as_str()),
        (
            ConnectorErrorKind::NotFound,
            "InvalidWatermark",
            "the server is older than the watermark; everything is read again"
        )
    );
}

#[tokio::test]
async fn pages_are_as_small_as_the_server_wants_them() {
    let options = SlapdOptions {
        ldif: crew().ldif.replace("uid: ann\n", "uid: ann\nuserPassword: ann's-own\n"),
        more:
            "access to attrs=userPassword by anonymous auth\naccess to * by * read\nlimits users size.pr=2\n"
                .to_owned(),
        ..SlapdOptions::default()
    };
    let slapd = Slapd::start(&options).await.unwrap();
    let plain = [("UserName", "uid=ann,ou=people,dc=example,dc=org"), ("Password", "ann's-own")];
    let error = read(&*people(&slapd, &plain), "inetOrgPerson", None).await.unwrap_err();
    assert!(error.message.contains("a smaller PageSize may help"), "{}", error.message);
    let connector = people(&slapd, &[&plain[..], &[("PageSize", "2")]].concat());
    let (there, _) = read(&*connector, "inetOrgPerson", None).await.unwrap();
    assert_eq!(names(&there), ["ann", "bob", "cleo"]);
}
