//! Names that are wrong, accounts that may not sign in, certificates that nobody trusts, controllers that die.

use std::fmt::Write as _;

use expect_test::expect;
use usher_core::Anchor;
use usher_core::ports::{ConnectorErrorKind, Effect, ReadRequest};
use usher_testkit::servers::{Samba, Slapd, SlapdOptions};

use crate::support::*;

#[tokio::test]
async fn names_of_subjects_in_every_form() {
    let samba = Samba::start().await.unwrap();
    samba
        .change(
            "dn: CN=Smith\\, John,CN=Users,DC=corp,DC=example\nobjectClass: user\nsAMAccountName: john\n\n\
             dn: CN=Staff,CN=Users,DC=corp,DC=example\nobjectClass: group\n",
        )
        .unwrap();
    let connector = domain(&samba, &[]);
    let john =
        subject(&*connector, "user", r"CN=Smith\, John,CN=Users,DC=corp,DC=example", &[]).await.unwrap();
    let id = john.unwrap().anchor.to_string();
    let mut text = String::new();
    for name in [
        r"CN=Smith\, John,CN=Users,DC=corp,DC=example",
        r"cn=smith\2C john, cn=users, dc=corp, dc=example",
        "CN=\"Smith, John\",CN=Users,DC=corp,DC=example",
        "CN=#0C0B536D6974682C204A6F686E,CN=Users,DC=corp,DC=example",
        &id,
        "CN=Nobody,CN=Users,DC=corp,DC=example",
        "CN=Staff,CN=Users,DC=corp,DC=example",
        "CN=John,CN=Users,DC=other,DC=example",
        "CN=John,OU=Nowhere,DC=corp,DC=example",
        "John Smith",
        "CN=Smith, John,CN=Users,DC=corp,DC=example",
        "CN=\"Smith,CN=Users",
    ] {
        let shown = if name == id { "(its objectGUID)" } else { name };
        let _ = match subject(&*connector, "user", name, &["sAMAccountName"]).await {
            Ok(Some(found)) => {
                writeln!(text, "{shown}: {}", found.attributes.value("sAMAccountName").unwrap().to_text())
            }
            Ok(None) => writeln!(text, "{shown}: not there"),
            Err(error) => writeln!(text, "{shown}: {:?} {}: {}", error.kind, error.code, error.message),
        };
    }
    expect![[r#"
        CN=Smith\, John,CN=Users,DC=corp,DC=example: john
        cn=smith\2C john, cn=users, dc=corp, dc=example: john
        CN="Smith, John",CN=Users,DC=corp,DC=example: john
        CN=#0C0B536D6974682C204A6F686E,CN=Users,DC=corp,DC=example: john
        (its objectGUID): john
        CN=Nobody,CN=Users,DC=corp,DC=example: not there
        CN=Staff,CN=Users,DC=corp,DC=example: not there
        CN=John,CN=Users,DC=other,DC=example: Rejected InvalidAnchor: 'CN=John,CN=Users,DC=other,DC=example' is in another domain than DC=corp,DC=example; connect to a server of that domain
        CN=John,OU=Nowhere,DC=corp,DC=example: not there
        John Smith: Rejected InvalidAnchor: 'John Smith' is no distinguished name: an attribute with '=' is missing at character 1
        CN=Smith, John,CN=Users,DC=corp,DC=example: Rejected InvalidAnchor: 'CN=Smith, John,CN=Users,DC=corp,DC=example' is no distinguished name: an attribute with '=' is missing at character 11
        CN="Smith,CN=Users: Rejected InvalidAnchor: 'CN="Smith,CN=Users' is no distinguished name: a quotation mark is not closed
    "#]].assert_eq(&text);
}

#[tokio::test]
async fn accounts_that_may_not_sign_in_are_told_apart() {
    let samba = Samba::start().await.unwrap();
    for name in ["disabled", "expired", "stale"] {
        samba.samba_tool(&["user", "create", name, "Pa55-word!"]).unwrap();
    }
    samba.samba_tool(&["user", "disable", "disabled"]).unwrap();
    samba
        .change(
            "dn: CN=expired,CN=Users,DC=corp,DC=example\nchangetype: modify\nreplace: accountExpires\n\
             accountExpires: 132223104000000000\n\n\
             dn: CN=stale,CN=Users,DC=corp,DC=example\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: 0\n",
        )
        .unwrap();
    let mut text = String::new();
    for (user, password) in [
        ("disabled", "Pa55-word!"),
        ("expired", "Pa55-word!"),
        ("stale", "Pa55-word!"),
        ("disabled", "another"),
        ("nobody", "Pa55-word!"),
    ] {
        let user = format!("{user}@corp.example");
        let connector = domain(&samba, &[("UserName", &user), ("Password", password)]);
        let error = connector.check(&probe("user", "sAMAccountName", "x")).await.unwrap_err();
        assert_eq!(error.kind, ConnectorErrorKind::Unauthorised);
        let message = error.message.replace(&samba.ldaps(), "ADDRESS");
        let _ = writeln!(text, "{message}");
        assert!(!format!("{error:?}").contains(password), "a password is told");
    }
    expect![[r#"
        sign in at ADDRESS as disabled@corp.example: the account is disabled (49)
        sign in at ADDRESS as expired@corp.example: the account has expired (49)
        sign in at ADDRESS as stale@corp.example: the account's password must be changed first (49)
        sign in at ADDRESS as disabled@corp.example: the user name or the password is wrong (49)
        sign in at ADDRESS as nobody@corp.example: the user name or the password is wrong (49)
    "#]]
    .assert_eq(&text);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let samba = Samba::start().await.unwrap();
    for address in [samba.ldaps(), samba.ldap()] {
        let own = [
            ("BaseAddress", address.as_str()),
            ("UserName", Samba::ADMINISTRATOR),
            ("Password", samba.password()),
        ];
        let error = connector(&own, None).check(&probe("user", "cn", "x")).await.unwrap_err();
        assert_eq!(error.kind, ConnectorErrorKind::Unreachable);
        assert!(
            error.message.contains("is not trusted; give its authority with --trust-ca"),
            "{}",
            error.message
        );
        connector(&own, Some(&samba.authority)).check(&probe("user", "cn", "x")).await.unwrap();
    }
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_gone() {
    let (mut first, second) = (Samba::start().await.unwrap(), Samba::start().await.unwrap());
    first.samba_tool(&["user", "disable", "Administrator"]).unwrap();
    let both = format!("{} {}", first.ldaps(), second.ldaps());
    let authorities = format!("{}{}", first.authority, second.authority);
    let own =
        [("BaseAddress", both.as_str()), ("UserName", Samba::ADMINISTRATOR), ("Password", second.password())];
    // Who may not sign in at one server is not tried on the next: wrong passwords would lock the account.
    let refused = connector(&own, Some(&authorities)).check(&probe("user", "cn", "x")).await.unwrap_err();
    assert_eq!(refused.kind, ConnectorErrorKind::Unauthorised);
    first.kill();
    connector(&own, Some(&authorities)).check(&probe("user", "cn", "x")).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_broke_is_made_anew() {
    let mut samba = Samba::start().await.unwrap();
    let connector = domain(&samba, &[]);
    let ann =
        create(&*connector, "user", vec![set("cn", "Ann"), set("sAMAccountName", "ann")]).await.unwrap();
    samba.kill();
    let error = update(&*connector, "user", &ann, vec![set("title", "Chief")]).await.unwrap_err();
    assert_eq!(error.kind, ConnectorErrorKind::Unreachable, "{error}");
    let error = connector.check(&probe("user", "cn", "x")).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (ConnectorErrorKind::Unreachable, Effect::None));
    samba.begin().await.unwrap();
    update(&*connector, "user", &ann, vec![set("title", "Chief")]).await.unwrap();
    assert_eq!(shown(&*connector, "user", &ann, &["title"]).await, "title = Chief\n");
}

#[tokio::test]
async fn a_server_that_dies_between_pages_costs_repeats_but_no_entry() {
    let mut ldif = String::new();
    for number in 0..1_200 {
        let _ = write!(
            ldif,
            "dn: uid=p{number},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: p{number}\ncn: p{number}\nsn: x\n\n"
        );
    }
    let mut slapd = Slapd::start(&SlapdOptions { ldif, ..SlapdOptions::default() }).await.unwrap();
    let connector = people(&slapd, &[]);
    let mut request = ReadRequest {
        object_type: "inetOrgPerson".into(),
        attributes: vec!["cn".into()],
        application: None,
        since: None,
        until: connector.watermark("inetOrgPerson").await.unwrap(),
        cursor: None,
    };
    let first = connector.read(&request).await.unwrap();
    assert_eq!((first.objects.len(), first.next.is_some()), (500, true));
    request.cursor = first.next;
    slapd.kill();
    slapd.begin().await.unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let (mut pages, mut broke) = (0, 0);
    loop {
        match connector.read(&request).await {
            Ok(page) => {
                pages += 1;
                seen.extend(page.objects.into_iter().map(|one| one.anchor));
                match page.next {
                    Some(next) => request.cursor = Some(next),
                    None => break,
                }
            }
            Err(error) => {
                // The page is asked for again, as a cycle does.
                assert_eq!(error.kind, ConnectorErrorKind::Unreachable, "{error}");
                broke += 1;
                assert!(broke < 3, "{error}");
            }
        }
    }
    assert_eq!(seen.len(), 1_200, "after {pages} pages");
}

#[tokio::test]
async fn somebody_of_the_same_name_is_somebody_else_and_one_mail_may_be_two_people() {
    let samba = Samba::start().await.unwrap();
    let connector = domain(&samba, &[]);
    let person = || vec![set("cn", "Ann"), set("sAMAccountName", "ann"), set("mail", "ann@corp.example")];
    let first = create(&*connector, "user", person()).await.unwrap();
    delete(&*connector, "user", &first).await.unwrap();
    let second = create(&*connector, "user", person()).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(shown(&*connector, "user", &first, &["cn"]).await, "gone");
    let error = update(&*connector, "user", &first, vec![set("title", "Chief")]).await.unwrap_err();
    assert_eq!(error.kind, ConnectorErrorKind::NotFound, "{error}");
    let twin = vec![set("cn", "Ann Two"), set("sAMAccountName", "ann2"), set("mail", "ANN@corp.example")];
    let twin: Anchor = create(&*connector, "user", twin).await.unwrap();
    let mut hits: Vec<Anchor> = connector
        .find(&probe("user", "mail", "ann@corp.example"))
        .await
        .unwrap()
        .into_iter()
        .map(|hit| hit.anchor)
        .collect();
    let mut expected = vec![second, twin];
    hits.sort();
    expected.sort();
    assert_eq!(hits, expected);
}
